-- What was accepted of 64 neighbouring numbers of a boot is one row (docs/decisions/0037-what-was-seen-by-the-block.md).
-- Everything is folded again at the next start.

drop table seen;

create table seen (
    device integer not null,
    boot integer not null,
    block integer not null,
    hashes blob not null,
    primary key (device, boot, block)
) without rowid;

delete from device;
delete from household;
delete from cursor;
delete from imported;
delete from ignored;
delete from reading;
delete from day_sums;
delete from pair;
delete from shared;
delete from inspected;
delete from tally;
delete from bin;
delete from incident;
delete from lost;
delete from quarantine;
delete from lost_card;
delete from moved;
delete from conflicting;
update progress set applied = 0, hash = zeroblob(32), accepted = 0, repeats = 0, conflicts = 0, quarantined = 0;
