-- The days on which new occupants began, as far as the journal is folded: what a household did on that day counts for
-- nobody, and what the ones before did is theirs alone.
create table moved (
    token text not null,
    day integer not null,
    primary key (token, day)
) without rowid;
