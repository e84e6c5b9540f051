-- Personal data apart from everything else, and sealed, as the SQLite file has it at its version 10. PostgreSQL keeps what
-- a row was until a vacuum: run `vacuum full household` once after this, to be rid of what was in the clear.

-- Each household's key, and the site's under the empty token, wrapped by the master key, which is in no database.
create table household_key (
    token text collate "C" primary key,
    wrapped bytea not null,
    -- Which master key wrapped it: the beginning of a SHA-256.
    master text collate "C" not null
);

-- What an earlier build kept in the clear. SQL cannot encrypt: the first start seals what is here and leaves nothing.
create table unsealed_household (
    token text collate "C" primary key,
    door text collate "C",
    residents bigint
);
insert into unsealed_household (token, door, residents)
    select token, door, residents from household where door is not null or residents is not null;
drop index household_by_place;
alter table household drop column door;
alter table household drop column residents;
alter table household add column sealed bytea;
create index household_by_place on household (estate, building, unit, token);

alter table words rename to unsealed_words;
alter index words_pkey rename to unsealed_words_pkey;
-- What people wrote, sealed with the key of the household it is about, or with the site's under the empty token. The same
-- words about two households are two rows: one may be erased.
create table words (
    hash text collate "C" not null,
    token text collate "C" not null,
    sealed bytea not null,
    written_at bigint not null,
    primary key (hash, token)
);

-- Households that were erased, by the act that did it. Their rows stay on the roll, so that nobody else's place moves.
create table erased (
    token text collate "C" primary key,
    act bigint not null,
    at bigint not null
);

-- Who looked at a household's pages: one row a household, account, page and local day, however often.
create table look (
    token text collate "C" not null,
    actor text collate "C" not null,
    what text collate "C" not null,
    day bigint not null,
    count bigint not null,
    first_at bigint not null,
    last_at bigint not null,
    primary key (token, actor, what, day)
);
create index look_by_day on look (day);

-- The audit trail is asked by whom and by household too.
create index act_by_token on act (token, position, idx);
create index act_by_actor on act (actor, position, idx);
