-- What the journal adds up to. Everything here can be dropped and folded again from the journal
-- (`hemu rebuild`), so nothing here is ever the only place that knows something.

create table progress (
    one integer primary key check (one = 1),
    -- The last batch folded, and its hash in the journal: a journal that ends before it or goes on otherwise is not
    -- the one these tables were folded from.
    applied integer not null,
    hash blob not null,
    accepted integer not null,
    repeats integer not null,
    conflicts integer not null,
    quarantined integer not null
);
insert into progress values (1, 0, zeroblob(32), 0, 0, 0, 0);

-- Names get dense numbers in the order of the journal, which a rebuild repeats.
create table device (
    no integer primary key,
    name text not null unique,
    boot integer not null default 0,
    records integer not null default 0,
    quarantined integer not null default 0,
    -- Latest status by event time, never by arrival.
    last_at integer,
    status_at integer,
    battery_mv integer,
    rssi_dbm integer,
    temperature_cc integer,
    firmware text,
    queued integer
);

create table household (
    no integer primary key,
    token text not null unique,
    -- The first local day of a counted deposit; null while there is none.
    first_day integer
);

-- What is known of (device, boot): everything up to `upto`, and the intervals beyond it.
create table cursor (
    device integer not null,
    boot integer not null,
    upto integer not null,
    beyond blob not null,
    primary key (device, boot)
) without rowid;

-- Content hashes of what was accepted, one row a device, boot and batch run: tells a repeat from a conflict.
create table seen (
    device integer not null,
    boot integer not null,
    first_seq integer not null,
    hashes blob not null,
    primary key (device, boot, first_seq)
) without rowid;

create table imported (
    id blob primary key,
    hash integer not null
) without rowid;

-- Journal records that are not to be counted again, so that every reader of the journal agrees.
create table ignored (
    position integer not null,
    idx integer not null,
    why text not null,
    primary key (position, idx)
) without rowid;

-- Keyed by day first: a day's work touches that day's pages only, and an edition reads days in order.
create table reading (
    day integer not null,
    household integer not null,
    bag text not null,
    position integer not null,
    idx integer not null,
    at integer not null,
    device integer not null,
    boot integer not null,
    seq integer not null,
    stream integer not null,
    inspector integer not null,
    weight_g integer not null,
    quality_bp integer not null,
    confidence_pm integer not null,
    clock_ahead integer not null,
    reading_id text,
    primary key (day, household, bag, position, idx)
) without rowid;

create table evidence (
    day integer not null,
    household integer not null,
    source integer not null,
    stream integer not null,
    w integer not null,
    g integer not null,
    n integer not null,
    primary key (day, household, source, stream)
) without rowid;

create table participation (
    day integer not null,
    household integer not null,
    grams integer not null,
    food integer not null,
    recyclable integer not null,
    hazardous integer not null,
    residual integer not null,
    primary key (day, household)
) without rowid;

create table pair (
    device integer not null,
    day integer not null,
    n integer not null,
    sy integer not null,
    sq integer not null,
    syy integer not null,
    sqq integer not null,
    syq integer not null,
    primary key (device, day)
) without rowid;

-- Deposits of a device and day, whoever they belong to.
create table tally (
    day integer not null,
    device integer not null,
    deposits integer not null,
    weight_g integer not null,
    attributed integer not null,
    inspected integer not null,
    primary key (day, device)
) without rowid;

create table bin (
    device integer not null,
    stream integer not null,
    at integer not null,
    fill_bp integer,
    weight_g integer,
    primary key (device, stream)
) without rowid;

create table incident (
    position integer not null,
    idx integer not null,
    at integer not null,
    device integer not null,
    kind text not null,
    stream integer,
    note text,
    photo text,
    primary key (position, idx)
) without rowid;

create table lost (
    position integer not null,
    idx integer not null,
    at integer not null,
    device integer not null,
    boot integer not null,
    first_seq integer not null,
    last_seq integer not null,
    primary key (position, idx)
) without rowid;

create table quarantine (
    position integer not null,
    idx integer not null,
    at integer not null,
    device integer not null,
    boot integer,
    seq integer,
    reason text not null,
    detail text not null,
    raw blob not null,
    raw_len integer not null,
    primary key (position, idx)
) without rowid;
