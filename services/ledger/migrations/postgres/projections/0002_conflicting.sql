-- One identity with two contents: nobody can tell which of two devices a boot's readings are of, and none of them counts
-- until a person has looked (docs/decisions/0019-conflicts-freeze.md). Readings that are stored already are found by device
-- and boot. Where there were conflicts, everything is folded again at the next start.

create table conflicting (
    device bigint not null,
    boot bigint not null,
    -- Records that were set aside for it, and those of them that came after a person looked last.
    records bigint not null,
    open bigint not null,
    primary key (device, boot)
);

create index reading_by_boot on reading (device, boot);

insert into conflicting
    select device, boot, count(*), count(*) from quarantine
    where reason = 'conflict' and boot is not null group by device, boot;
delete from device where exists (select 1 from conflicting);
delete from household where exists (select 1 from conflicting);
delete from cursor where exists (select 1 from conflicting);
delete from seen where exists (select 1 from conflicting);
delete from imported where exists (select 1 from conflicting);
delete from ignored where exists (select 1 from conflicting);
delete from reading where exists (select 1 from conflicting);
delete from day_sums where exists (select 1 from conflicting);
delete from pair where exists (select 1 from conflicting);
delete from shared where exists (select 1 from conflicting);
delete from inspected where exists (select 1 from conflicting);
delete from tally where exists (select 1 from conflicting);
delete from bin where exists (select 1 from conflicting);
delete from incident where exists (select 1 from conflicting);
delete from lost where exists (select 1 from conflicting);
delete from quarantine where exists (select 1 from conflicting);
delete from lost_card where exists (select 1 from conflicting);
delete from moved where exists (select 1 from conflicting);
update progress set applied = 0, hash = decode(repeat('00', 32), 'hex'), accepted = 0, repeats = 0, conflicts = 0,
    quarantined = 0
    where exists (select 1 from conflicting);
delete from conflicting;
