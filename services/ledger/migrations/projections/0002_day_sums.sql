-- Evidence and participation of 64 neighbouring households in one row (docs/decisions/0006-day-sums-by-the-block.md).
-- Everything is folded again at the next start.

drop table evidence;
drop table participation;

create table day_sums (
    day integer not null,
    block integer not null,
    sums blob not null,
    primary key (day, block)
) without rowid;

delete from device;
delete from household;
delete from cursor;
delete from seen;
delete from imported;
delete from ignored;
delete from reading;
delete from pair;
delete from tally;
delete from bin;
delete from incident;
delete from lost;
delete from quarantine;
update progress set applied = 0, hash = zeroblob(32), accepted = 0, repeats = 0, conflicts = 0, quarantined = 0;
