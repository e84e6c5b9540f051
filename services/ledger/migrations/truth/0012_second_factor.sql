-- The second factor's secret is sealed with the site's key: whoever has a copy of this file alone can compute no digits. SQL
-- cannot encrypt: what an earlier build kept in the clear is set aside, and the first start seals it and leaves nothing.
alter table account rename column totp to unsealed_totp;
alter table account add column totp blob;
-- A secret that was shown to its account and is not confirmed by digits yet, sealed too, and until when it can be.
alter table account add column offered_totp blob;
alter table account add column offered_until integer;
