-- What inspectors said of the same bags, and whom each of them judged: a score is as good as the people its cameras are
-- measured by (score rule, end of section 5). Everything is folded again at the next start, for both lie in readings that
-- are stored already.

-- Sums over the bags of a day that two inspectors judged, each for themselves: the inspector whose device's name comes
-- first, less the colleague, in basis points. For the other they are the same with the other sign.
create table shared (
    day integer not null,
    inspector integer not null,
    colleague integer not null,
    n integer not null,
    apart integer not null,
    primary key (day, inspector, colleague)
) without rowid;

-- Counted readings with weight.
create table inspected (
    inspector integer not null,
    day integer not null,
    household integer not null,
    n integer not null,
    primary key (inspector, day, household)
) without rowid;

delete from device;
delete from household;
delete from cursor;
delete from seen;
delete from imported;
delete from ignored;
delete from reading;
delete from day_sums;
delete from pair;
delete from tally;
delete from bin;
delete from incident;
delete from lost;
delete from quarantine;
delete from lost_card;
update progress set applied = 0, hash = zeroblob(32), accepted = 0, repeats = 0, conflicts = 0, quarantined = 0;
