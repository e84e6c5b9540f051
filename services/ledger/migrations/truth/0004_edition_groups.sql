-- What may be said of buildings and units at an edition, folded from the proposal that computed it. It is kept because
-- who lives where may change in the registry later, and places alone do not say how a building sorts.
create table edition_groups (
    edition integer not null,
    -- The record's index in the proposal; an estate with many units has several.
    part integer not null,
    estate text not null,
    body text not null,
    primary key (edition, part)
) without rowid;
