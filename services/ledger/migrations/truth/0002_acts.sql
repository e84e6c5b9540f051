-- What people decided, and the editions of the lists they decided on. Every table but `words` and `lease` is folded from
-- the acts in the journal: `hemu verify` folds them again and compares, `hemu rebuild` folds them again in place.

-- The audit trail. `body` is the act as it stands in the journal.
create table act (
    position integer not null,
    idx integer not null,
    at integer not null,
    actor text not null,
    kind text not null,
    edition integer,
    token text,
    body text not null,
    primary key (position, idx)
) without rowid;
create index act_by_edition on act (edition, position, idx);

-- What people wrote in their own words. Personal data: the journal holds the SHA-256, a row here may be erased.
create table words (
    hash blob primary key,
    text text not null,
    written_at integer not null
) without rowid;

-- Readings that count for nobody, and readings whose clock a person has checked, by their place in the journal.
create table struck (
    position integer not null,
    idx integer not null,
    act integer not null,
    primary key (position, idx)
) without rowid;
create table clock_checked (
    position integer not null,
    idx integer not null,
    act integer not null,
    primary key (position, idx)
) without rowid;

create table lost_card (
    token text primary key,
    since integer not null,
    act integer not null
) without rowid;

create table red_opt_in (
    token text primary key,
    act integer not null
) without rowid;

-- Who was registered when an edition was computed: by hash, for it seldom changes.
create table roll (
    hash text not null,
    part integer not null,
    body text not null,
    primary key (hash, part)
) without rowid;

-- The id of an edition is the journal position it was proposed at.
create table edition (
    id integer primary key,
    day integer not null,
    revision integer not null,
    state text not null,
    rule_version integer not null,
    rule text not null,
    rule_hash text not null,
    -- Computed from the journal up to here, after that edition's places as they stood at `known`, for this roll.
    position integer not null,
    before integer,
    known integer not null,
    roll text not null,
    red integer not null,
    black integer not null,
    grey integer not null,
    unrated integer not null,
    notices integer not null,
    digest text not null,
    proposed_at integer not null,
    -- The edition this one corrects, and the one that took its place.
    revises integer,
    superseded_by integer,
    -- An objection to it was upheld, at this act: a corrected revision is due, and this one is not published.
    reopened integer,
    noticed_at integer,
    deadline integer,
    basis text,
    audience text,
    expires_at integer,
    publication_by text,
    published_by text,
    published_at integer
);
create index edition_by_day on edition (day, revision);
create index edition_by_state on edition (state, id);

-- A household's place; those with nothing to say (grey or unrated, and no hit) are only counted.
create table place (
    edition integer not null,
    token text not null,
    status integer not null,
    hits integer not null,
    notice integer not null,
    score integer not null,
    p_black integer not null,
    p_red integer not null,
    deposit_days integer not null,
    inspected_days integer not null,
    -- Within the status, 1 is first.
    rank integer not null,
    proposed_by text,
    confirmed_by text,
    lifted_by text,
    -- The act that lifted it.
    lifted integer,
    primary key (edition, token)
) without rowid;
create index place_by_rank on place (edition, status, rank);
create index place_by_token on place (token, edition);

create table objection (
    id integer primary key,
    edition integer not null,
    token text not null,
    by text not null,
    at integer not null,
    words text not null,
    readings text not null,
    state text not null,
    decided_by text,
    decided_at integer,
    reason text
);
create index objection_by_household on objection (token, edition);
create index objection_by_edition on objection (edition, state);

-- Who computes the edition of a day just now. Not an act: it runs out by itself.
create table lease (
    day integer primary key,
    holder text not null,
    until integer not null
);
