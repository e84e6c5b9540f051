//! The changes of one transaction, written in the order of the tables' pages.

use std::collections::{BTreeMap, HashMap};

use hemu_rules::Day;

use super::changes::{Aside, Changes};
use super::inspectors::Inspectors;
use super::seen::SeenRows;
use crate::cursor::Cursor;
use crate::db;
use crate::journal::Head;
use crate::read::sums;
use crate::rows::Rows;
use crate::sums::{Block, block_of};

type Outcome = Result<(), sqlx::Error>;

/// One row for the cameras and one for each inspector, however often they read the bag: the earliest
/// counted reading, in the order that `fold_bag` and `judged` go by (a boot with its highest bit set is a
/// large number, not a negative).
const BAG_MATES: &str = ") select * from (
     select reading.*, row_number() over (
         partition by reading.day, reading.household, reading.bag, reading.inspector,
             reading.inspector * reading.device
         order by reading.at, device.name, reading.boot < 0, reading.boot, reading.seq, reading.reading_id
     ) as rank
     from wanted join reading using (day, household, bag) join device on device.no = reading.device
     where reading.held = 0
 ) as ranked where rank = 1";

const COUNTED_ON: &str =
    "on conflict (device, boot) do update set records = conflicting.records + excluded.records,
     open = conflicting.open + excluded.open";

/// The prepared shapes of every statement.
#[derive(Debug)]
pub(super) struct Statements {
    pub(super) tokens: Rows,
    pub(super) bag_mates: Rows,
    new_device: Rows,
    device: Rows,
    status: Rows,
    new_household: Rows,
    first_day: Rows,
    cursor: Rows,
    seen: SeenRows,
    imported: Rows,
    ignored: Rows,
    reading: Rows,
    wanted_sums: Rows,
    sums: Rows,
    no_sums: Rows,
    pair: Rows,
    no_pair: Rows,
    inspectors: Inspectors,
    tally: Rows,
    bin: Rows,
    incident: Rows,
    lost: Rows,
    quarantine: Rows,
    conflicting: Rows,
}

impl Statements {
    pub(super) fn new() -> Self {
        let insert = |head, width| Rows::new(head, width, "");
        Self {
            tokens: Rows::new(
                "with wanted (token) as (",
                1,
                ") select household.* from wanted join household using (token)",
            ),
            bag_mates: Rows::new(
                "with wanted (day, household, bag) as (",
                3,
                BAG_MATES,
            ),
            new_device: insert("insert into device (no, name)", 2),
            device: Rows::new(
                "with change (no, boot, records, quarantined, last_at) as (",
                5,
                ") update device set boot = coalesce(change.boot, device.boot),
                     records = device.records + change.records,
                     quarantined = device.quarantined + change.quarantined,
                     last_at = case when change.last_at < device.last_at then device.last_at
                         else coalesce(change.last_at, device.last_at) end
                   from change where device.no = change.no",
            ),
            status: Rows::new(
                "with latest (no, at, battery_mv, rssi_dbm, temperature_cc, firmware, queued) as (",
                7,
                ") update device set status_at = latest.at, battery_mv = latest.battery_mv,
                     rssi_dbm = latest.rssi_dbm, temperature_cc = latest.temperature_cc,
                     firmware = latest.firmware, queued = latest.queued
                   from latest where device.no = latest.no and latest.at >= coalesce(device.status_at, latest.at)",
            ),
            new_household: insert("insert into household (no, token)", 2),
            first_day: Rows::new(
                "with counted (no, day) as (",
                2,
                ") update household set first_day = counted.day from counted where household.no = counted.no",
            ),
            cursor: Rows::new(
                "insert into cursor (device, boot, upto, beyond)",
                4,
                "on conflict (device, boot) do update set upto = excluded.upto, beyond = excluded.beyond",
            ),
            seen: SeenRows::new(),
            imported: insert("insert into imported (id, hash)", 2),
            ignored: insert("insert into ignored (position, idx, why)", 3),
            reading: insert(
                "insert into reading (day, household, bag, position, idx, at, device, boot, seq, stream, inspector,
                   weight_g, quality_bp, confidence_pm, clock_ahead, held, reading_id)",
                17,
            ),
            wanted_sums: Rows::new(
                "with wanted (day, block) as (",
                2,
                ") select day_sums.* from wanted join day_sums using (day, block)",
            ),
            sums: Rows::new(
                "insert into day_sums (day, block, sums)",
                3,
                "on conflict (day, block) do update set sums = excluded.sums",
            ),
            no_sums: Rows::new(
                "with nobody (day, block) as (",
                2,
                ") delete from day_sums where (day, block) in (select * from nobody)",
            ),
            pair: Rows::new(
                "insert into pair (device, day, n, sy, sq, syy, sqq, syq)",
                8,
                "on conflict (device, day) do update set n = pair.n + excluded.n, sy = pair.sy + excluded.sy,
                   sq = pair.sq + excluded.sq, syy = pair.syy + excluded.syy, sqq = pair.sqq + excluded.sqq,
                   syq = pair.syq + excluded.syq",
            ),
            no_pair: Rows::new(
                "with less (device, day) as (",
                2,
                ") delete from pair where n = 0 and (device, day) in (select * from less)",
            ),
            inspectors: Inspectors::new(),
            tally: Rows::new(
                "insert into tally (day, device, deposits, weight_g, attributed, inspected)",
                6,
                "on conflict (day, device) do update set deposits = tally.deposits + excluded.deposits,
                   weight_g = tally.weight_g + excluded.weight_g, attributed = tally.attributed + excluded.attributed,
                   inspected = tally.inspected + excluded.inspected",
            ),
            bin: Rows::new(
                "insert into bin (device, stream, at, fill_bp, weight_g)",
                5,
                "on conflict (device, stream) do update set at = excluded.at, fill_bp = excluded.fill_bp, weight_g = excluded.weight_g
                   where excluded.at >= bin.at",
            ),
            incident: insert("insert into incident (position, idx, at, device, kind, stream, note, photo)", 8),
            lost: insert("insert into lost (position, idx, at, device, boot, first_seq, last_seq)", 7),
            quarantine: insert(
                "insert into quarantine (position, idx, at, device, boot, seq, reason, detail, raw, raw_len)",
                10,
            ),
            conflicting: Rows::new("insert into conflicting (device, boot, records, open)", 4, COUNTED_ON),
        }
    }

    pub(super) async fn run(
        &self,
        connection: &mut db::Link<'_>,
        changes: &Changes<'_>,
        cursors: &HashMap<(u32, u64), Cursor>,
        [before, applied]: [&Head; 2],
    ) -> Outcome {
        self.names(connection, changes).await?;
        self.identities(connection, changes, cursors).await?;
        self.deposits(connection, changes).await?;
        self.stations(connection, changes).await?;
        self.aside(connection, changes).await?;
        // Only on what this was computed for: a node of another version may have emptied the tables.
        let done = db::query(
            "update progress set applied = ?, hash = ?, accepted = ?, repeats = ?, conflicts = ?, quarantined = ?
             where applied = ? and hash = ?",
        )
        .bind(applied.position.cast_signed())
        .bind(&applied.hash[..])
        .bind(changes.totals.accepted.cast_signed())
        .bind(changes.totals.repeats.cast_signed())
        .bind(changes.totals.conflicts.cast_signed())
        .bind(changes.totals.quarantined.cast_signed())
        .bind(before.position.cast_signed())
        .bind(&before.hash[..])
        .execute(connection)
        .await?;
        if done.rows_affected() == 1 {
            return Ok(());
        }
        Err(sqlx::Error::Protocol(format!(
            "the projections no longer end at batch {}; they are read again",
            before.position
        )))
    }

    async fn names(&self, connection: &mut db::Link<'_>, changes: &Changes<'_>) -> Outcome {
        let named = |b: &mut crate::rows::Binds, (no, name): &(u32, &str)| {
            b.add(*no).add((*name).to_owned());
        };
        self.new_device
            .write(connection, &changes.new_devices, named)
            .await?;
        self.new_household
            .write(connection, &changes.new_households, named)
            .await?;
        let first_days: Vec<_> = changes.first_days.iter().collect();
        self.first_day
            .write(connection, &first_days, |b, (no, day)| {
                b.add(**no).add(i64::from(day.get()));
            })
            .await
    }

    async fn identities(
        &self,
        connection: &mut db::Link<'_>,
        changes: &Changes<'_>,
        cursors: &HashMap<(u32, u64), Cursor>,
    ) -> Outcome {
        let touched: Vec<_> = changes
            .cursors
            .iter()
            .filter_map(|key| cursors.get(key).map(|cursor| (*key, cursor)))
            .collect();
        self.cursor
            .write(connection, &touched, |b, ((device, boot), cursor)| {
                b.add(*device)
                    .bits(*boot)
                    .bits(cursor.upto())
                    .add(cursor.encode_beyond());
            })
            .await?;
        self.seen.write(connection, &changes.seen).await?;
        let mut imported: Vec<_> = changes.imported.iter().collect();
        imported.sort_unstable();
        self.imported
            .write(connection, &imported, |b, (id, hash)| {
                b.add(id.to_vec()).bits(**hash);
            })
            .await?;
        self.ignored
            .write(connection, &changes.ignored, |b, (place, why)| {
                b.bits(place.position).add(place.index).add(*why);
            })
            .await
    }

    pub(super) async fn deposits(&self, connection: &mut db::Link<'_>, changes: &Changes<'_>) -> Outcome {
        self.reading
            .write(connection, &changes.readings, |b, row| {
                let deposit = &row.deposit;
                b.add(i64::from(row.day.get()))
                    .add(row.household)
                    .add(deposit.bag.unwrap_or("").to_owned());
                b.bits(row.place.position)
                    .add(row.place.index)
                    .add(deposit.at.get());
                b.add(row.device).bits(row.boot).bits(row.seq);
                b.add(deposit.stream.code()).add(deposit.by.code());
                b.add(deposit.weight.get())
                    .add(deposit.quality.get())
                    .add(deposit.confidence.get());
                b.add(row.clock_ahead)
                    .add(row.held.bits())
                    .add(row.reading_id.map(str::to_owned));
            })
            .await?;
        self.day_sums(connection, changes).await?;
        let pairs: Vec<_> = changes.pairs.iter().filter(|(_, sums)| !sums.is_zero()).collect();
        self.pair
            .write(connection, &pairs, |b, ((device, day), sums)| {
                b.add(*device).add(i64::from(day.get())).add(sums.n);
                b.add(sums.sy)
                    .add(sums.sq)
                    .add(sums.syy)
                    .add(sums.sqq)
                    .add(sums.syq);
            })
            .await?;
        // A camera that lost its only pair of a day has no row, as if it had never had one.
        let less: Vec<_> = pairs.iter().filter(|(_, sums)| sums.n < 0).collect();
        self.no_pair
            .write(connection, &less, |b, ((device, day), _)| {
                b.add(*device).add(i64::from(day.get()));
            })
            .await?;
        self.inspectors.write(connection, changes).await
    }

    /// Adds to the blocks that hold the households' days.
    async fn day_sums(&self, connection: &mut db::Link<'_>, changes: &Changes<'_>) -> Outcome {
        let mut blocks: BTreeMap<(Day, u32), Block> = BTreeMap::new();
        let days = changes
            .evidence
            .keys()
            .map(|(day, household, ..)| (*day, *household));
        for (day, household) in days.chain(changes.participation.keys().copied()) {
            blocks.entry((day, block_of(household))).or_default();
        }
        let wanted: Vec<_> = blocks.keys().copied().collect();
        let found = self.wanted_sums.fetch(connection, &wanted, |b, (day, block)| {
            b.add(i64::from(day.get())).add(*block);
        });
        for row in found.await? {
            let (day, block, sums) = sums(&row)?;
            blocks.insert((day, block), sums);
        }
        for ((day, household, source, stream), bucket) in &changes.evidence {
            let block = blocks.entry((*day, block_of(*household))).or_default();
            block.household(*household).add(*source, *stream, *bucket);
        }
        for ((day, household), bags) in &changes.participation {
            let block = blocks.entry((*day, block_of(*household))).or_default();
            block.household(*household).participation += *bags;
        }
        let encoded = blocks.into_iter().map(|(key, sums)| (key, sums.encode()));
        // A day on which nobody is left has no row, as if nobody had ever been there.
        let (empty, blocks): (Vec<_>, Vec<_>) = encoded.partition(|(_, sums)| sums.is_empty());
        self.sums
            .write(connection, &blocks, |b, ((day, block), sums)| {
                b.add(i64::from(day.get())).add(*block).add(sums.clone());
            })
            .await?;
        self.no_sums
            .write(connection, &empty, |b, ((day, block), _)| {
                b.add(i64::from(day.get())).add(*block);
            })
            .await
    }

    async fn stations(&self, connection: &mut db::Link<'_>, changes: &Changes<'_>) -> Outcome {
        let devices: Vec<_> = changes.devices.iter().collect();
        self.device
            .write(connection, &devices, |b, (no, change)| {
                b.add(**no)
                    .add(change.boot.map(u64::cast_signed))
                    .add(change.records)
                    .add(change.quarantined)
                    .add(change.last_at);
            })
            .await?;
        let statuses: Vec<_> = devices
            .iter()
            .filter_map(|(no, change)| change.status.as_ref().map(|(at, status)| (**no, *at, status)))
            .collect();
        self.status
            .write(connection, &statuses, |b, (no, at, status)| {
                b.add(*no).add(*at).add(status.battery_mv).add(status.rssi_dbm);
                b.add(status.temperature_cc)
                    .add(status.firmware.map(str::to_owned));
                b.add(status.queued.map(u64::cast_signed));
            })
            .await?;
        let tallies: Vec<_> = changes.tally.iter().collect();
        self.tally
            .write(connection, &tallies, |b, ((day, device), tally)| {
                b.add(i64::from(day.get())).add(*device).add(tally.deposits);
                b.add(tally.weight_g).add(tally.attributed).add(tally.inspected);
            })
            .await?;
        let bins: Vec<_> = changes.bins.iter().collect();
        self.bin
            .write(connection, &bins, |b, ((device, stream), change)| {
                b.add(*device).add(stream.code()).add(change.at);
                b.add(change.bin.fill.map(hemu_rules::Bp::get))
                    .add(change.bin.weight_g);
            })
            .await
    }

    async fn aside(&self, connection: &mut db::Link<'_>, changes: &Changes<'_>) -> Outcome {
        let conflicting: Vec<_> = changes.conflicting.iter().collect();
        self.conflicting
            .write(connection, &conflicting, |b, ((device, boot), records)| {
                b.add(*device).bits(*boot).add(**records).add(**records);
            })
            .await?;
        self.incident
            .write(connection, &changes.incidents, |b, (place, device, incident)| {
                b.bits(place.position)
                    .add(place.index)
                    .add(incident.at.get())
                    .add(*device);
                b.add(incident.kind.to_owned())
                    .add(incident.stream.map(hemu_rules::Stream::code));
                b.add(incident.note.map(str::to_owned))
                    .add(incident.photo.map(str::to_owned));
            })
            .await?;
        self.lost
            .write(connection, &changes.lost, |b, row| {
                b.bits(row.place.position).add(row.place.index).add(row.at);
                b.add(row.device)
                    .bits(row.boot)
                    .bits(row.range.0)
                    .bits(row.range.1);
            })
            .await?;
        self.quarantine
            .write(connection, &changes.quarantine, |b, row| {
                b.bits(row.place.position)
                    .add(row.place.index)
                    .add(row.place.received_at)
                    .add(row.device);
                b.add(row.identity.map(|(boot, _)| boot.cast_signed()));
                b.add(row.identity.map(|(_, seq)| seq.cast_signed()));
                match &row.what {
                    Aside::AsSent(q) => {
                        b.add(q.reason.to_owned())
                            .add(q.detail.to_owned())
                            .add(q.raw.to_vec())
                            .add(q.raw_len);
                    }
                    Aside::Judged(reason, detail, text) => {
                        b.add(*reason)
                            .add(*detail)
                            .add(text.as_bytes().to_vec())
                            .bits(text.len() as u64);
                    }
                }
            })
            .await
    }
}
