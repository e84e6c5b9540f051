-- Rules that run beside the one in force and publish nothing. Their editions are in tables of their own: no step that an
-- edition can take knows of them, so nobody can be told, named or shown by one.
create table shadow_rule (
    -- The act that began it.
    id integer primary key,
    version integer not null,
    rule text not null,
    rule_hash text not null,
    from_day integer not null,
    begun_by text not null,
    begun_at integer not null,
    ended integer,
    ended_by text,
    ended_at integer
);

create table shadow_edition (
    id integer primary key,
    shadow integer not null,
    day integer not null,
    -- Computed from the journal up to here, after the shadow edition before.
    position integer not null,
    before integer,
    red integer not null,
    black integer not null,
    grey integer not null,
    unrated integer not null,
    digest text not null,
    computed_at integer not null
);
create unique index shadow_edition_by_day on shadow_edition (shadow, day);

-- As in `place`: those with nothing to say are only counted.
create table shadow_place (
    edition integer not null,
    token text not null,
    status integer not null,
    hits integer not null,
    primary key (edition, token)
) without rowid;
