-- A row holds a local day of all that a device tells of one stream: a chart reads it as one, and a bag changes one row where
-- it changed six. All of it is filled again from the journal. What an engine has stays: a bucket that grows anew to what it was
-- is the newest version there already.
drop table hour;
drop table day;
drop table line;
delete from due;
update progress set position = 0;

create table line (
    no integer primary key,
    device text not null,
    -- '' for what has none
    stream text not null,
    unique (device, stream)
);

create table day (
    -- the line's number, times 2^20, and the local day since 1970
    place integer primary key,
    -- how many hours have something
    hours integer not null,
    -- what each hour knows of each measure, as src/packed.rs writes it
    sums blob not null
);
