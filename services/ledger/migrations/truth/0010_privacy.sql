-- Personal data apart from everything else, and sealed: each household's door, residents and words under a key of its own,
-- so that whoever deletes the key has erased the person, whatever copies there are of the rows. Building and unit stay
-- plain: they name groups, and lists by group are made from them.

-- Each household's key, and the site's under the empty token, wrapped by the master key, which is in no database.
create table household_key (
    token text primary key,
    wrapped blob not null,
    -- Which master key wrapped it: the beginning of a SHA-256.
    master text not null
) without rowid;

-- The master keys, in nothing but the copy of this file that an encrypted backup holds.
create table carried_key (
    key blob primary key
) without rowid;

-- What an earlier build kept in the clear. SQL cannot encrypt: the first start seals what is here and leaves nothing.
create table unsealed_household (
    token text primary key,
    door text,
    residents integer
) without rowid;
insert into unsealed_household (token, door, residents)
    select token, door, residents from household where door is not null or residents is not null;
drop index household_by_place;
alter table household drop column door;
alter table household drop column residents;
alter table household add column sealed blob;
create index household_by_place on household (estate, building, unit, token);

alter table words rename to unsealed_words;
-- What people wrote, sealed with the key of the household it is about, or with the site's under the empty token. The same
-- words about two households are two rows: one may be erased.
create table words (
    hash text not null,
    token text not null,
    sealed blob not null,
    written_at integer not null,
    primary key (hash, token)
) without rowid;

-- Households that were erased, by the act that did it. Their rows stay on the roll, so that nobody else's place moves.
create table erased (
    token text primary key,
    act integer not null,
    at integer not null
) without rowid;

-- Who looked at a household's pages: one row a household, account, page and local day, however often.
create table look (
    token text not null,
    actor text not null,
    what text not null,
    day integer not null,
    count integer not null,
    first_at integer not null,
    last_at integer not null,
    primary key (token, actor, what, day)
) without rowid;
create index look_by_day on look (day);

-- The audit trail is asked by whom and by household too.
create index act_by_token on act (token, position, idx);
create index act_by_actor on act (actor, position, idx);
