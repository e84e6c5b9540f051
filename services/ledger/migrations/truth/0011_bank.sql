-- The programme's two currencies, minutes of service and points for sorting, folded from acts like everything that people
-- decide. An entry moves an amount from one account to another, so that the balances of a currency always add up to
-- nothing; what a household or a pool has is never below zero, and the table itself refuses it.

-- Every request came under a key of its own: whoever asks again under it gets the first answer.
create table bank_key (
    key text primary key,
    -- The act.
    position integer not null
) without rowid;

create table bank_account (
    currency text not null,
    -- `issued`, `pool/NAME`, or `home/ACT/TOKEN`: of whoever moved in by that act, zero for whoever was there first.
    id text not null,
    -- The household; null of what is none's.
    token text,
    balance integer not null check (balance >= 0 or id = 'issued'),
    primary key (currency, id)
) without rowid;
create index bank_account_by_token on bank_account (token);

create table bank_entry (
    -- The act it came with, and which of that act's entries.
    position integer not null,
    idx integer not null,
    currency text not null,
    kind text not null,
    -- The account that gives, and the one that gets.
    debit text not null,
    credit text not null,
    amount integer not null check (amount > 0),
    by text not null,
    at integer not null,
    -- What the help was, and the hash of what it was for in people's words.
    help text,
    words text,
    -- The service it rewards.
    service integer,
    -- The entry it takes back; each can be taken back once.
    reverses integer unique,
    primary key (position, idx)
) without rowid;
create index bank_entry_by_debit on bank_entry (debit, position);
create index bank_entry_by_credit on bank_entry (credit, position);

-- Help that an officer recorded. It moves nothing until the household that was helped says that it was so.
create table bank_service (
    -- The act that recorded it.
    id integer primary key,
    -- Accounts of whoever helped and of whoever was helped, and their households.
    helper text not null,
    helper_token text not null,
    helped text not null,
    helped_token text not null,
    help text not null,
    began integer not null,
    ended integer not null,
    minutes integer not null,
    by text not null,
    at integer not null,
    state text not null,
    -- The act that decided it.
    decided integer
);
create index bank_service_by_helper on bank_service (helper, began);
create index bank_service_by_helped on bank_service (helped, id);
