-- What is folded from the journal, as the SQLite file has it at its version 5. Numbers are 64 bits wide, texts compare
-- byte by byte as SQLite's do.

create table progress (
    one bigint primary key check (one = 1),
    -- The last batch folded, and its hash in the journal: a journal that ends before it or goes on otherwise is not
    -- the one these tables were folded from.
    applied bigint not null,
    hash bytea not null,
    accepted bigint not null,
    repeats bigint not null,
    conflicts bigint not null,
    quarantined bigint not null
);

create table device (
    no bigint primary key,
    name text collate "C" not null unique,
    boot bigint not null default 0,
    records bigint not null default 0,
    quarantined bigint not null default 0,
    -- Latest status by event time, never by arrival.
    last_at bigint,
    status_at bigint,
    battery_mv bigint,
    rssi_dbm bigint,
    temperature_cc bigint,
    firmware text collate "C",
    queued bigint
);

create table household (
    no bigint primary key,
    token text collate "C" not null unique,
    -- The first local day of a counted deposit; null while there is none.
    first_day bigint
);

create table cursor (
    device bigint not null,
    boot bigint not null,
    upto bigint not null,
    beyond bytea not null,
    primary key (device, boot)
);

create table seen (
    device bigint not null,
    boot bigint not null,
    first_seq bigint not null,
    hashes bytea not null,
    primary key (device, boot, first_seq)
);

create table imported (
    id bytea primary key,
    hash bigint not null
);

create table ignored (
    position bigint not null,
    idx bigint not null,
    why text collate "C" not null,
    primary key (position, idx)
);

create table reading (
    day bigint not null,
    household bigint not null,
    bag text collate "C" not null,
    position bigint not null,
    idx bigint not null,
    at bigint not null,
    device bigint not null,
    boot bigint not null,
    seq bigint not null,
    stream bigint not null,
    inspector bigint not null,
    weight_g bigint not null,
    quality_bp bigint not null,
    confidence_pm bigint not null,
    clock_ahead bigint not null,
    reading_id text collate "C", held bigint not null default 0,
    primary key (day, household, bag, position, idx)
);

create table pair (
    device bigint not null,
    day bigint not null,
    n bigint not null,
    sy bigint not null,
    sq bigint not null,
    syy bigint not null,
    sqq bigint not null,
    syq bigint not null,
    primary key (device, day)
);

create table tally (
    day bigint not null,
    device bigint not null,
    deposits bigint not null,
    weight_g bigint not null,
    attributed bigint not null,
    inspected bigint not null,
    primary key (day, device)
);

create table bin (
    device bigint not null,
    stream bigint not null,
    at bigint not null,
    fill_bp bigint,
    weight_g bigint,
    primary key (device, stream)
);

create table incident (
    position bigint not null,
    idx bigint not null,
    at bigint not null,
    device bigint not null,
    kind text collate "C" not null,
    stream bigint,
    note text collate "C",
    photo text collate "C",
    primary key (position, idx)
);

create table lost (
    position bigint not null,
    idx bigint not null,
    at bigint not null,
    device bigint not null,
    boot bigint not null,
    first_seq bigint not null,
    last_seq bigint not null,
    primary key (position, idx)
);

create table quarantine (
    position bigint not null,
    idx bigint not null,
    at bigint not null,
    device bigint not null,
    boot bigint,
    seq bigint,
    reason text collate "C" not null,
    detail text collate "C" not null,
    raw bytea not null,
    raw_len bigint not null,
    primary key (position, idx)
);

create table day_sums (
    day bigint not null,
    block bigint not null,
    sums bytea not null,
    primary key (day, block)
);

create table lost_card (
    token text collate "C" primary key,
    since bigint not null
);

create table shared (
    day bigint not null,
    inspector bigint not null,
    colleague bigint not null,
    n bigint not null,
    apart bigint not null,
    primary key (day, inspector, colleague)
);

create table inspected (
    inspector bigint not null,
    day bigint not null,
    household bigint not null,
    n bigint not null,
    primary key (inspector, day, household)
);

create table moved (
    token text collate "C" not null,
    day bigint not null,
    primary key (token, day)
);

insert into progress values (1, 0, decode(repeat('00', 32), 'hex'), 0, 0, 0, 0);
