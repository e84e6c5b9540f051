-- Everything that cannot be computed again: the journal, and the registry that gives its names a meaning.
-- The journal is append-only; the registry holds what a person may correct or erase and therefore stays outside it.

create table meta (
    key text primary key,
    value text not null
) without rowid;

-- One row is one fsync'd batch. hash = SHA-256(previous hash, position, at, records, body).
create table journal (
    position integer primary key,
    at integer not null,
    records integer not null,
    hash blob not null,
    body blob not null
);

-- The database itself refuses to rewrite history; `hemu verify` finds whoever goes around this.
create trigger journal_is_append_only before update on journal
begin
    select raise(abort, 'the journal is append-only');
end;
create trigger journal_keeps_everything before delete on journal
begin
    select raise(abort, 'the journal is append-only');
end;

create table estate (
    id text primary key,
    name text not null,
    plan text
) without rowid;

create table station (
    id text primary key,
    estate text not null references estate (id),
    name text not null,
    x real,
    y real
) without rowid;

create table device (
    id text primary key,
    -- SHA-256 of the key; null for a device known only from an import, which cannot log in.
    key_digest blob,
    estate text references estate (id),
    station text references station (id),
    created_at integer not null,
    revoked_at integer
) without rowid;
create index device_by_station on device (station, id);

create table household (
    token text primary key,
    estate text references estate (id),
    building text,
    unit text,
    door text,
    residents integer,
    station text references station (id),
    created_at integer not null
) without rowid;
create index household_by_place on household (estate, building, unit, door);

-- Commands down to a device, kept until the device acknowledges them.
create table command (
    id integer primary key autoincrement,
    device text not null references device (id),
    payload text not null,
    created_at integer not null,
    acknowledged_at integer
);
create index command_open on command (device, id) where acknowledged_at is null;
