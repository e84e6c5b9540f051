-- A bag that an inspector looked at as well is one bag (docs/decisions/0050-a-bag-is-counted-once.md): its second reading adds
-- no deposit and no grams. Every reading that was tallied is stored.
delete from tally;
insert into tally (day, device, deposits, weight_g, attributed, inspected)
    select day, device,
        count(*) filter (where inspector = 0 or bag = ''),
        coalesce(sum(weight_g) filter (where inspector = 0 or bag = ''), 0),
        count(*) filter (where household <> 0 and (inspector = 0 or bag = '')),
        sum(inspector)
    from reading group by day, device;
