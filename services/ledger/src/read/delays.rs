//! How late devices' newest records came, and which of them came again, as the end of the journal tells it. Nothing is kept
//! for this: an earlier time is not asked for.

use std::collections::{BTreeMap, HashSet};

use super::Outcome;
use super::devices::place;
use crate::db;
use crate::entry::Origin;
use crate::error::{Error, InFile, Result};
use crate::journal::{self, Batch, Position, Stretch, Take};
use crate::ledger::Ledger;

/// Records held in memory at once.
const AT_ONCE: u64 = 10_000;

/// Records that came under devices' own numbers, of the newest that were folded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delays {
    /// When the first of them arrived, ms since 1970 UTC; `None` where there are none.
    pub since: Option<i64>,
    /// By device.
    pub devices: BTreeMap<String, Delay>,
}

/// A device's part of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Delay {
    pub records: u64,
    /// Those that say when something happened, and those of them that arrived later than was asked for after it.
    pub timed: u64,
    pub late: u64,
    /// The longest time between the two, ms.
    pub longest_ms: i64,
    /// Known already when they came. Most repeats are recognised before they are journalled, and are not among these.
    pub repeats: u64,
}

impl Ledger {
    /// Of about the newest `records` in the journal, in whole batches: those that arrived more than `late_ms` after what
    /// they tell of, and those that came again.
    pub async fn delays(&self, records: u64, late_ms: i64) -> Result<Delays> {
        let applied = self.progress().await?.applied;
        let after = self.newest(0, applied, records).await?;
        let repeated = self.repeated(after).await?;
        let (mut delays, mut read) = (Delays::default(), after);
        loop {
            let mut held = 0;
            let some = |stretch: &Stretch| {
                held += stretch.records;
                if held < AT_ONCE { Take::On } else { Take::Last }
            };
            let batches = journal::stretch(&self.truth, read, applied, some).await?;
            let Some(last) = batches.last() else {
                return Ok(delays);
            };
            read = last.position;
            for batch in &batches {
                delays.add(batch, late_ms, &repeated)?;
            }
        }
    }

    async fn repeated(&self, after: Position) -> Result<HashSet<(Position, u32)>> {
        let path = self.folder().projections();
        let rows = db::query("select position, idx from ignored where position > ? and why = 'repeat'")
            .bind(after.cast_signed())
            .fetch_all(&self.projections)
            .await
            .of(&path)?;
        rows.iter().map(place).collect::<Outcome<_>>().of(&path)
    }
}

impl Delays {
    fn add(&mut self, batch: &Batch, late_ms: i64, repeated: &HashSet<(Position, u32)>) -> Result<()> {
        for (index, entry) in (0..).zip(batch.entries()) {
            let entry = entry.map_err(|error| Error::Damaged {
                position: batch.position,
                what: error.to_string(),
            })?;
            let Origin::Device { device, .. } = entry.origin else {
                continue;
            };
            self.since.get_or_insert(batch.at);
            if !self.devices.contains_key(device) {
                self.devices.insert(device.to_owned(), Delay::default());
            }
            let Some(delay) = self.devices.get_mut(device) else {
                continue;
            };
            delay.records += 1;
            delay.repeats += u64::from(repeated.contains(&(batch.position, index)));
            if let Some(at) = entry.body.at() {
                let took = batch.at.saturating_sub(at.get());
                delay.timed += 1;
                delay.late += u64::from(took > late_ms);
                delay.longest_ms = delay.longest_ms.max(took);
            }
        }
        Ok(())
    }
}
