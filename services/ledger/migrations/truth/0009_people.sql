-- Who may log in, and by what. Nothing here is folded from the journal: it holds what the journal must not, hashes of
-- passwords, shared secrets and digests. That an account, a token or a code was changed, by whom and when, is an act in
-- the journal beside it, under opaque names.
create table account (
    name text primary key,
    role text not null,
    -- argon2id, as a PHC string; null for whoever logs in by a code alone.
    password text,
    -- What a phone shares for the second factor, and the last step whose digits were used.
    totp blob,
    totp_step integer,
    created_at integer not null,
    disabled_at integer
) without rowid;

-- Digests are SHA-256 of what is told once and never kept.
create table session (
    digest blob primary key,
    account text not null references account (name),
    created_at integer not null,
    seen_at integer not null,
    until integer not null
) without rowid;
create index session_by_account on session (account);

create table api_token (
    id text primary key,
    digest blob not null unique,
    account text not null references account (name),
    label text not null,
    -- Rights as their words, with spaces between them.
    scopes text not null,
    created_at integer not null,
    until integer not null,
    revoked_at integer
) without rowid;
create index api_token_by_account on api_token (account, id);

create table one_time_code (
    digest blob primary key,
    purpose text not null,
    account text,
    token text,
    -- The act that made it: a household's code ends with its occupancy. Zero for the first admin's, which is no act.
    act integer not null,
    created_at integer not null,
    until integer not null,
    used_at integer
) without rowid;
create index one_time_code_by_token on one_time_code (token);

-- Which household's an account is, from the act on that linked them until somebody else moves in.
create table resident (
    account text not null references account (name),
    token text not null,
    act integer not null,
    -- Whether it is somebody else's account that acts for the household.
    delegate integer not null,
    primary key (account, token)
) without rowid;

-- Attempts to log in, under keys that say nothing of whom they count.
create table throttle (
    key blob primary key,
    since integer not null,
    count integer not null
) without rowid;
create index throttle_by_since on throttle (since);
