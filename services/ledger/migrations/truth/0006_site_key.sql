-- The secret that inspections are drawn with. A table of its own, so that nothing that lists or copies the site's
-- settings in `meta` comes across it.
create table site_key (
    one integer primary key check (one = 1),
    key blob not null check (length(key) = 32)
);
