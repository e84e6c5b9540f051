-- The index cost every reading as much as its row, in time and on the disk, for a freeze that hardly ever happens. A device's
-- days are in `tally`; a freeze looks through those.

drop index reading_by_boot;
