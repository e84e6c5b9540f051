-- The programme's two currencies, minutes of service and points for sorting, folded from acts like everything that people
-- decide. An entry moves an amount from one account to another, so that the balances of a currency always add up to
-- nothing; what a household or a pool has is never below zero, and the table itself refuses it.

-- Every request came under a key of its own: whoever asks again under it gets the first answer.
create table bank_key (
    key text collate "C" primary key,
    -- The act.
    position bigint not null
);

create table bank_account (
    currency text collate "C" not null,
    -- `issued`, `pool/NAME`, or `home/ACT/TOKEN`: of whoever moved in by that act, zero for whoever was there first.
    id text collate "C" not null,
    -- The household; null of what is none's.
    token text collate "C",
    balance bigint not null check (balance >= 0 or id = 'issued'),
    primary key (currency, id)
);
create index bank_account_by_token on bank_account (token);

create table bank_entry (
    -- The act it came with, and which of that act's entries.
    position bigint not null,
    idx bigint not null,
    currency text collate "C" not null,
    kind text collate "C" not null,
    -- The account that gives, and the one that gets.
    debit text collate "C" not null,
    credit text collate "C" not null,
    amount bigint not null check (amount > 0),
    by text collate "C" not null,
    at bigint not null,
    -- What the help was, and the hash of what it was for in people's words.
    help text collate "C",
    words text collate "C",
    -- The service it rewards.
    service bigint,
    -- The entry it takes back; each can be taken back once.
    reverses bigint unique,
    primary key (position, idx)
);
create index bank_entry_by_debit on bank_entry (debit, position);
create index bank_entry_by_credit on bank_entry (credit, position);

-- Help that an officer recorded. It moves nothing until the household that was helped says that it was so.
create table bank_service (
    -- The act that recorded it.
    id bigint primary key,
    -- Accounts of whoever helped and of whoever was helped, and their households.
    helper text collate "C" not null,
    helper_token text collate "C" not null,
    helped text collate "C" not null,
    helped_token text collate "C" not null,
    help text collate "C" not null,
    began bigint not null,
    ended bigint not null,
    minutes bigint not null,
    by text collate "C" not null,
    at bigint not null,
    state text collate "C" not null,
    -- The act that decided it.
    decided bigint
);
create index bank_service_by_helper on bank_service (helper, began);
create index bank_service_by_helped on bank_service (helped, id);
