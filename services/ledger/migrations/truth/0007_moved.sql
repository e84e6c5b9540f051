-- Households that moved: a new occupant holds the token from the day after `day` on, and that day counts for nobody. A
-- mistaken one is undone and stays here, so that what was computed while it held can be computed again.
create table moved (
    token text not null,
    day integer not null,
    -- The act that recorded it, who did it and when, and the act that undid it.
    act integer not null,
    by text not null,
    at integer not null,
    undone integer,
    primary key (token, day, act)
) without rowid;
