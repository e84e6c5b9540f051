-- Who may log in, and by what. Nothing here is folded from the journal: it holds what the journal must not, hashes of
-- passwords, shared secrets and digests. That an account, a token or a code was changed, by whom and when, is an act in
-- the journal beside it, under opaque names.
create table account (
    name text collate "C" primary key,
    role text collate "C" not null,
    -- argon2id, as a PHC string; null for whoever logs in by a code alone.
    password text collate "C",
    -- What a phone shares for the second factor, and the last step whose digits were used.
    totp bytea,
    totp_step bigint,
    created_at bigint not null,
    disabled_at bigint
);

-- Digests are SHA-256 of what is told once and never kept.
create table session (
    digest bytea primary key,
    account text collate "C" not null references account (name),
    created_at bigint not null,
    seen_at bigint not null,
    until bigint not null
);
create index session_by_account on session (account);

create table api_token (
    id text collate "C" primary key,
    digest bytea not null unique,
    account text collate "C" not null references account (name),
    label text collate "C" not null,
    -- Rights as their words, with spaces between them.
    scopes text collate "C" not null,
    created_at bigint not null,
    until bigint not null,
    revoked_at bigint
);
create index api_token_by_account on api_token (account, id);

create table one_time_code (
    digest bytea primary key,
    purpose text collate "C" not null,
    account text collate "C",
    token text collate "C",
    -- The act that made it: a household's code ends with its occupancy. Zero for the first admin's, which is no act.
    act bigint not null,
    created_at bigint not null,
    until bigint not null,
    used_at bigint
);
create index one_time_code_by_token on one_time_code (token);

-- Which household's an account is, from the act on that linked them until somebody else moves in.
create table resident (
    account text collate "C" not null references account (name),
    token text collate "C" not null,
    act bigint not null,
    -- Whether it is somebody else's account that acts for the household.
    delegate bigint not null,
    primary key (account, token)
);

-- Attempts to log in, under keys that say nothing of whom they count.
create table throttle (
    key bytea primary key,
    since bigint not null,
    count bigint not null
);
create index throttle_by_since on throttle (since);
