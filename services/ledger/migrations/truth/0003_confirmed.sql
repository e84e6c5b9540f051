-- The act by which a second person confirmed a black name: an edition goes on from what people had left by a position
-- of the journal, and what they confirmed after it must not change what was computed before.
alter table place add column confirmed integer;
update place set confirmed = (
    select max(position) from act
    where act.edition = place.edition and act.kind = 'confirm_black' and act.token = place.token);
