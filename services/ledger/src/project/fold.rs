//! What an accepted record adds. Memory only: the store is asked before and written after.

use std::collections::HashMap;

use hemu_rules::{
    BagFold, Bucket, By, Day, DeviceNo, HouseholdNo, Participation, Reading, SharedBags, fold_bag, judged,
};

use super::Projector;
use super::changes::{Aside, BinChange, Changes, LostRow, Place, QuarantineRow, ReadingRow};
use super::judge::{Names, Verdict};
use super::write::Statements;
use crate::db;
use crate::entry::{Body, Deposit, Entry, Origin, Status};
use crate::error::{Error, Result};
use crate::journal::Batch;
use crate::read::Held;

/// A clock this far ahead of the server's is not believed: kept, flagged, not scored.
pub const CLOCK_AHEAD_MS: i64 = 5 * 60 * 1_000;

/// All records of some batches with their places.
pub(super) fn decode(batches: &[Batch]) -> Result<Vec<(Place, Entry<'_>)>> {
    // No record without a byte, whatever a row says.
    let records = |batch: &Batch| usize::try_from(batch.records).map_or(0, |n| n.min(batch.body.len()));
    let mut entries = Vec::with_capacity(batches.iter().map(records).sum());
    for batch in batches {
        for (index, entry) in (0..).zip(batch.entries()) {
            let entry = entry.map_err(|error| Error::Damaged {
                position: batch.position,
                what: error.to_string(),
            })?;
            entries.push((
                Place {
                    position: batch.position,
                    index,
                    received_at: batch.at,
                },
                entry,
            ));
        }
    }
    Ok(entries)
}

impl Projector {
    /// Adds a judged record to the changes.
    pub(super) fn take<'e>(
        &mut self,
        changes: &mut Changes<'e>,
        place: Place,
        entry: Entry<'e>,
        (device, verdict): (u32, Verdict),
    ) {
        let identity = match entry.origin {
            Origin::Device { boot, seq, .. } => Some((boot, seq)),
            Origin::Unidentified { .. } | Origin::Import { .. } | Origin::Account { .. } => None,
        };
        match verdict {
            Verdict::Accept => self.accept(changes, place, entry, device, identity),
            Verdict::Repeat => {
                changes.totals.repeats += 1;
                changes.ignored.push((place, "repeat"));
            }
            Verdict::Conflict => {
                changes.totals.conflicts += 1;
                let detail =
                    "this identity was stored before with other content; the first stays, this is kept aside";
                set_aside(
                    changes,
                    place,
                    device,
                    identity,
                    Aside::Judged("conflict", detail, entry.body.to_json()),
                );
                changes.ignored.push((place, "conflict"));
            }
            Verdict::TooManyGaps => {
                let detail = "the device's records came with too many gaps to keep their places; it should send from its oldest";
                set_aside(
                    changes,
                    place,
                    device,
                    identity,
                    Aside::Judged("too_many_gaps", detail, entry.body.to_json()),
                );
                changes.ignored.push((place, "too_many_gaps"));
            }
        }
    }

    fn accept<'e>(
        &mut self,
        changes: &mut Changes<'e>,
        place: Place,
        entry: Entry<'e>,
        device: u32,
        identity: Option<(u64, u64)>,
    ) {
        changes.totals.accepted += 1;
        let seen = changes.devices.entry(device).or_default();
        seen.records += 1;
        seen.boot = identity.map(|(boot, _)| boot).or(seen.boot);
        // A clock that runs ahead must not make a device look newer than now.
        let at = entry.body.at().map(|at| at.get().min(place.received_at));
        seen.last_at = seen.last_at.max(at);
        match entry.body {
            Body::Deposit(deposit) => {
                let (boot, seq) = identity.unwrap_or_default();
                let reading_id = match entry.origin {
                    Origin::Import { reading_id, .. } => Some(reading_id),
                    Origin::Device { .. } | Origin::Unidentified { .. } | Origin::Account { .. } => None,
                };
                self.deposit(changes, place, deposit, (device, boot, seq), reading_id);
            }
            Body::Status(status) => keep_status(changes, device, status, place.received_at),
            Body::Incident(incident) => changes.incidents.push((place, device, incident)),
            Body::Lost { at, from, to } => {
                let boot = identity.unwrap_or_default().0;
                changes.lost.push(LostRow {
                    place,
                    at: at.get(),
                    device,
                    boot,
                    range: (from, to),
                });
            }
            Body::Quarantined(q) => set_aside(changes, place, device, identity, Aside::AsSent(q)),
            // Acts are not judged and add nothing by themselves: see `Projector::fold`.
            Body::Act(_) | Body::Proposal(_) => {}
        }
    }

    fn deposit<'e>(
        &mut self,
        changes: &mut Changes<'e>,
        place: Place,
        deposit: Deposit<'e>,
        (device, boot, seq): (u32, u64, u64),
        reading_id: Option<&'e str>,
    ) {
        let day = Day::of(deposit.at, self.zone);
        let clock_ahead = deposit.at.get() > place.received_at.saturating_add(CLOCK_AHEAD_MS);
        let lost = |token| {
            self.lost_cards
                .get(token)
                .is_some_and(|since| deposit.at.get() >= *since)
        };
        let of_frozen = reading_id.is_none() && self.frozen.contains(&(device, boot));
        let held = Held::NOT
            .with(Held::CLOCK, clock_ahead)
            .with(Held::CARD, deposit.household.is_some_and(lost))
            .with(Held::CONFLICT, of_frozen);
        let counted = (held == Held::NOT).then_some(day);
        let household = deposit
            .household
            .map_or(0, |token| self.household(changes, token, counted));
        let row = ReadingRow {
            day,
            household,
            place,
            device,
            boot,
            seq,
            deposit,
            clock_ahead,
            held,
            reading_id,
        };
        let tally = changes.tally.entry((day, device)).or_default();
        if !deposit.is_second_look() {
            tally.deposits += 1;
            tally.weight_g += i64::from(deposit.weight.get());
            tally.attributed += i64::from(household != 0);
        }
        tally.inspected += i64::from(deposit.by == By::Inspector);
        if let Some((key, bucket)) = Bucket::of(&row.reading()) {
            let of_inspector = inspected(&row.reading(), &bucket);
            let key = (day, household, key.source, key.stream);
            *changes.evidence.entry(key).or_default() += bucket;
            if let Some(key) = of_inspector {
                *changes.inspected.entry(key).or_default() += 1;
            }
        }
        if row.counts() && deposit.bag.is_none() {
            *changes.participation.entry((day, household)).or_default() +=
                Participation::of_bag(deposit.stream, deposit.weight);
        }
        changes.readings.push(row);
    }

    /// Participation and pairs of bags that carry an id: what the bag is worth with this stretch's readings,
    /// less what it was worth before.
    pub(super) async fn join_bags(
        &mut self,
        changes: &mut Changes<'_>,
    ) -> std::result::Result<(), sqlx::Error> {
        let mut readings = std::mem::take(&mut changes.readings);
        readings.sort_unstable_by_key(ReadingRow::page_order);
        let bagged: Vec<&[ReadingRow<'_>]> = readings
            .chunk_by(|a, b| (a.day, a.household, a.deposit.bag) == (b.day, b.household, b.deposit.bag))
            .filter(|group| group.first().is_some_and(ReadingRow::counts_as_bag))
            .collect();
        let bags: Vec<Bag> = bagged
            .iter()
            .filter_map(|group| group.first())
            .map(ReadingRow::bag)
            .collect();
        let mates = mates(&self.statements, &mut self.connection.link(), &bags).await?;
        let names = &self.names;
        for group in bagged {
            let Some(first) = group.first() else { continue };
            let mates = mates.get(&first.bag()).map_or(&[][..], Vec::as_slice);
            let old = || mates.iter().map(|mate| (mate.key(names), mate.reading));
            let new = || group.iter().map(|row| (row.key(names), row.reading()));
            let before = Worth::of(names, old);
            let after = Worth::of(names, || old().chain(new()));
            changes.rebag((first.day, first.household), &before, &after);
        }
        changes.readings = readings;
        Ok(())
    }
}

/// A bag with an id: day, household, id.
pub(super) type Bag = (i64, u32, String);

/// The stored readings that some bags are folded from.
pub(super) async fn mates(
    statements: &Statements,
    connection: &mut db::Link<'_>,
    bags: &[Bag],
) -> std::result::Result<HashMap<Bag, Vec<Mate>>, sqlx::Error> {
    let found = statements
        .bag_mates
        .fetch(connection, bags, |b, (day, household, bag)| {
            b.add(*day).add(*household).add(bag.clone());
        });
    let mut mates: HashMap<Bag, Vec<Mate>> = HashMap::new();
    for row in &found.await? {
        let bag = (
            row.try_get("day")?,
            row.try_get("household")?,
            row.try_get("bag")?,
        );
        mates.entry(bag).or_default().push(Mate::read(row)?);
    }
    Ok(mates)
}

/// What the readings of one bag with an id add up to.
#[derive(Debug, Default)]
pub(super) struct Worth {
    fold: BagFold,
    /// What its inspectors said beside each other: the one whose name comes first, the other, the first one's sums.
    shared: Vec<(u32, u32, SharedBags)>,
}

impl Worth {
    /// `readings` is asked twice.
    pub(super) fn of<'n, 'r, I: IntoIterator<Item = (Key<'n>, Reading<'r>)>>(
        names: &Names,
        readings: impl Fn() -> I,
    ) -> Self {
        let mut inspectors = judged(readings());
        inspectors.sort_by_key(|(device, _)| names.device_name(device.0));
        let mut shared = Vec::new();
        for (nth, (one, own)) in inspectors.iter().enumerate() {
            for (other, theirs) in inspectors.iter().skip(nth + 1) {
                shared.push((one.0, other.0, SharedBags::of_bag(*own, *theirs)));
            }
        }
        Self {
            fold: fold_bag(readings()),
            shared,
        }
    }
}

/// Under whose name an inspector's reading with weight is counted; `None` for any other reading.
pub(super) fn inspected(reading: &Reading<'_>, bucket: &Bucket) -> Option<(u32, Day, u32)> {
    let judges = reading.by == By::Inspector && bucket.w > 0;
    judges.then_some((reading.device.0, reading.day, reading.household.0))
}

impl Changes<'_> {
    /// A bag of a household's day is worth something else than before.
    pub(super) fn rebag(&mut self, (day, household): (Day, u32), before: &Worth, after: &Worth) {
        let participation = self.participation.entry((day, household)).or_default();
        *participation += after.fold.participation;
        *participation -= before.fold.participation;
        if let Some((device, sums)) = after.fold.pair {
            *self.pairs.entry((device.0, day)).or_default() += sums;
        }
        if let Some((device, sums)) = before.fold.pair {
            *self.pairs.entry((device.0, day)).or_default() -= sums;
        }
        for (one, other, sums) in &after.shared {
            *self.shared.entry((day, *one, *other)).or_default() += *sums;
        }
        for (one, other, sums) in &before.shared {
            *self.shared.entry((day, *one, *other)).or_default() -= *sums;
        }
    }
}

/// Orders readings of one instant: device name, boot, seq, reading id. Never by arrival.
pub(super) type Key<'n> = (&'n str, u64, u64, Option<String>);

impl<'e> ReadingRow<'e> {
    /// The order of the table's pages.
    fn page_order(&self) -> (Day, u32, Option<&'e str>, Place) {
        (self.day, self.household, self.deposit.bag, self.place)
    }

    fn bag(&self) -> Bag {
        let bag = self.deposit.bag.unwrap_or("").to_owned();
        (i64::from(self.day.get()), self.household, bag)
    }

    /// Readings that another reading of the same bag may stand beside.
    fn counts_as_bag(&self) -> bool {
        self.household != 0 && self.deposit.bag.is_some()
    }

    fn reading(&self) -> Reading<'e> {
        Reading {
            household: HouseholdNo(self.household),
            device: DeviceNo(self.device),
            at: self.deposit.at,
            day: self.day,
            stream: self.deposit.stream,
            grams: self.deposit.weight,
            quality: self.deposit.quality,
            confidence: self.deposit.confidence,
            by: self.deposit.by,
            bag: self.deposit.bag,
            counts: self.counts(),
        }
    }

    fn key<'n>(&self, names: &'n Names) -> Key<'n> {
        (
            names.device_name(self.device),
            self.boot,
            self.seq,
            self.reading_id.map(str::to_owned),
        )
    }
}

/// A stored reading of a bag, as far as joining needs it.
#[derive(Debug)]
pub(super) struct Mate {
    pub(super) reading: Reading<'static>,
    boot: u64,
    seq: u64,
    reading_id: Option<String>,
}

impl Mate {
    fn read(row: &db::Row) -> std::result::Result<Self, sqlx::Error> {
        Ok(Self {
            reading: crate::read::reading(row)?,
            boot: row.try_get::<i64, _>("boot")?.cast_unsigned(),
            seq: row.try_get::<i64, _>("seq")?.cast_unsigned(),
            reading_id: row.try_get("reading_id")?,
        })
    }

    pub(super) fn key<'n>(&self, names: &'n Names) -> Key<'n> {
        (
            names.device_name(self.reading.device.0),
            self.boot,
            self.seq,
            self.reading_id.clone(),
        )
    }
}

/// The latest by event time, but not later than it was received: one wrong clock must not hide all that follows.
fn keep_status<'e>(changes: &mut Changes<'e>, device: u32, status: Status<'e>, received_at: i64) {
    let at = status.at.get().min(received_at);
    for bin in &status.bins {
        let latest = changes
            .bins
            .entry((device, bin.stream))
            .or_insert(BinChange { at, bin: *bin });
        if at >= latest.at {
            *latest = BinChange { at, bin: *bin };
        }
    }
    let kept = &mut changes.devices.entry(device).or_default().status;
    if kept.as_ref().is_none_or(|(latest, _)| at >= *latest) {
        *kept = Some((at, status));
    }
}

fn set_aside<'e>(
    changes: &mut Changes<'e>,
    place: Place,
    device: u32,
    identity: Option<(u64, u64)>,
    what: Aside<'e>,
) {
    changes.totals.quarantined += 1;
    changes.devices.entry(device).or_default().quarantined += 1;
    changes.quarantine.push(QuarantineRow {
        place,
        device,
        identity,
        what,
    });
}
