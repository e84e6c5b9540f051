-- Rules that a person proposed and another adopted, each with the first edition day it is in force from. Before the
-- first one adopted, and for days before it, the rule is the one the product comes with.
create table rule_version (
    -- The act that proposed it.
    id integer primary key,
    version integer not null,
    rule text not null,
    rule_hash text not null,
    from_day integer not null,
    proposed_by text not null,
    proposed_at integer not null,
    adopted integer,
    adopted_by text,
    adopted_at integer
);
