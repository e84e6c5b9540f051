-- What an engine for charts beside this file has not got yet, or has not got for sure. A bucket is there once however
-- often it changed, so that an outage of any length leaves no more rows than there are buckets.
create table due (
    -- 'hour' or 'day'
    grain text not null,
    line integer not null,
    bucket integer not null,
    -- counts the changes, so that what changed while it was sent stays due
    mark integer not null,
    -- when it was sent, in ms since 1970; null while it was not
    sent integer,
    primary key (grain, line, bucket)
) without rowid;
create index due_unsent on due (grain) where sent is null;
create index due_sent on due (sent) where sent is not null;

create table engine (
    one integer primary key check (one = 1),
    -- which engine it is; '' for none
    target text not null,
    -- which run of it was last written to, as far as it tells
    instance text not null,
    -- clearings that the engine does not know of
    wipe integer not null,
    -- the line up to which everything was made due again; null when nothing is being filled
    filling integer
);
insert into engine values (1, '', '', 0, null);
