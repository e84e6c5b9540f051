-- The second factor's secret is sealed with the site's key, as the SQLite file has it at its version 11. PostgreSQL keeps what
-- a row was until a vacuum: run `vacuum full account` once after the first start, to be rid of what was in the clear.
alter table account rename column totp to unsealed_totp;
alter table account add column totp bytea;
-- A secret that was shown to its account and is not confirmed by digits yet, sealed too, and until when it can be.
alter table account add column offered_totp bytea;
alter table account add column offered_until bigint;
