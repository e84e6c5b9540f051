-- Why a reading counts for nobody, as bits: 1 its clock was ahead, 2 a person struck it, 4 its card was lost by then.
alter table reading add column held integer not null default 0;
update reading set held = clock_ahead;

-- Cards that count for nobody from an instant on.
create table lost_card (
    token text primary key,
    since integer not null
) without rowid;
