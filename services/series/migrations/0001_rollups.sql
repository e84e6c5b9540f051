-- Charts: hours and days of every line, and how far into the journal they go. All of it can be filled again.
create table progress (
    one integer primary key check (one = 1),
    position integer not null
);
insert into progress values (1, 0);

create table line (
    no integer primary key,
    device text not null,
    measure text not null,
    -- null where a measure has no stream; in the key as ''
    stream text not null,
    unique (device, measure, stream)
);

-- bucket is hours since 1970 UTC.
create table hour (
    line integer not null,
    bucket integer not null,
    n integer not null,
    sum integer not null,
    min integer not null,
    max integer not null,
    last_at integer not null,
    last integer not null,
    primary key (line, bucket)
) without rowid;

-- bucket is local days since 1970.
create table day (
    line integer not null,
    bucket integer not null,
    n integer not null,
    sum integer not null,
    min integer not null,
    max integer not null,
    last_at integer not null,
    last integer not null,
    primary key (line, bucket)
) without rowid;
