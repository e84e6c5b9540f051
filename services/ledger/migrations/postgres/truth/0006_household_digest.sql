-- The journal is chained and what is folded from it is folded again to be checked; a household's row came from neither, and
-- a bit that flipped in it went unseen. Null where an earlier build wrote the row: the first start fills it in.
alter table household add column digest bigint;
create index household_undigested on household (token) where digest is null;
