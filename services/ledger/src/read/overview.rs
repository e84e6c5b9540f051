//! How far things are, and the sums of a day.

use std::collections::{HashMap, HashSet};
use std::iter::Sum;
use std::ops::ControlFlow;

use futures::TryStreamExt;
use hemu_rules::Day;

use super::days::{ALL, each_day};
use crate::HouseholdDay;
use crate::db;
use crate::error::{InFile, Result};
use crate::journal::Position;
use crate::ledger::Ledger;

/// How far the journal goes and how much of it is folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    pub applied: Position,
    pub counters: Counters,
}

/// Records since the journal began, by what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Counted once each; a quarantined record is accepted as such.
    pub accepted: u64,
    pub repeats: u64,
    pub conflicts: u64,
    pub quarantined: u64,
}

/// Bags of one day: what an inspector says of a bag that the bin weighed adds to `inspected` alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DayTally {
    pub deposits: u64,
    /// Of all of them, in grams.
    pub weight_g: u64,
    /// Those that name a household.
    pub attributed: u64,
    /// Readings by inspectors.
    pub inspected: u64,
}

impl Sum for DayTally {
    fn sum<I: Iterator<Item = Self>>(tallies: I) -> Self {
        tallies.fold(Self::default(), |sum, tally| Self {
            deposits: sum.deposits + tally.deposits,
            weight_g: sum.weight_g + tally.weight_g,
            attributed: sum.attributed + tally.attributed,
            inspected: sum.inspected + tally.inspected,
        })
    }
}

impl Ledger {
    /// How far the projections are.
    pub async fn progress(&self) -> Result<Progress> {
        let path = self.folder().projections();
        let row = db::query("select * from progress")
            .fetch_one(&self.projections)
            .await
            .of(&path)?;
        let number = |name| row.try_get::<i64, _>(name).map(i64::cast_unsigned).of(&path);
        Ok(Progress {
            applied: number("applied")?,
            counters: Counters {
                accepted: number("accepted")?,
                repeats: number("repeats")?,
                conflicts: number("conflicts")?,
                quarantined: number("quarantined")?,
            },
        })
    }

    /// The last batch in the journal, by whichever process.
    pub async fn head(&self) -> Result<Position> {
        let path = self.folder().truth();
        let row = db::query("select coalesce(max(position), 0) as head from journal").fetch_one(&self.truth);
        Ok(row
            .await
            .of(&path)?
            .try_get::<i64, _>("head")
            .of(&path)?
            .cast_unsigned())
    }

    /// How many records the journal holds after a position.
    pub async fn records_after(&self, position: Position) -> Result<u64> {
        let path = self.folder().truth();
        let row = db::query(
            "select cast(coalesce(sum(records), 0) as bigint) as n from journal where position > ?",
        )
        .bind(position.cast_signed())
        .fetch_one(&self.truth)
        .await
        .of(&path)?;
        Ok(row.try_get::<i64, _>("n").of(&path)?.cast_unsigned())
    }

    /// After which position the newest `records` records up to `upto` begin, in whole batches and not before `after`:
    /// one batch more than needed at most.
    pub async fn newest(&self, after: Position, upto: Position, records: u64) -> Result<Position> {
        let path = self.folder().truth();
        let mut rows = db::query(
            "select position, records from journal where position > ? and position <= ? order by position desc",
        )
        .bind(after.cast_signed())
        .bind(upto.cast_signed())
        .fetch(&self.truth);
        let (mut from, mut wanted) = (upto.max(after), records);
        while wanted > 0
            && let Some(row) = rows.try_next().await.of(&path)?
        {
            from = row.try_get::<i64, _>("position").of(&path)?.cast_unsigned() - 1;
            wanted = wanted.saturating_sub(row.try_get::<i64, _>("records").of(&path)?.cast_unsigned());
        }
        Ok(from)
    }

    /// The deposits of a day, of some devices or of all.
    pub async fn day_tally(&self, day: Day, devices: Option<&[String]>) -> Result<DayTally> {
        let tallies = self.day_tallies(day).await?;
        let wanted = |name: &String| devices.is_none_or(|devices| devices.contains(name));
        let wanted = tallies.iter().filter(|(name, _)| wanted(name));
        Ok(wanted.map(|(_, tally)| *tally).sum())
    }

    /// The deposits of a day by the devices that saw any.
    pub async fn day_tallies(&self, day: Day) -> Result<HashMap<String, DayTally>> {
        let path = self.folder().projections();
        let rows = db::query(
            "select device.name, tally.* from tally join device on device.no = tally.device where day = ?",
        )
        .bind(day.get())
        .fetch_all(&self.projections)
        .await
        .of(&path)?;
        let tally = |row: &db::Row| -> super::Outcome<(String, DayTally)> {
            let number = |column| row.try_get::<i64, _>(column).map(i64::cast_unsigned);
            let tally = DayTally {
                deposits: number("deposits")?,
                weight_g: number("weight_g")?,
                attributed: number("attributed")?,
                inspected: number("inspected")?,
            };
            Ok((row.try_get("name")?, tally))
        };
        rows.iter().map(tally).collect::<super::Outcome<_>>().of(&path)
    }

    /// Households with a counted deposit on or after a day.
    pub async fn active_households(&self, since: Day) -> Result<u64> {
        let path = self.folder().projections();
        let mut connection = self.projections.acquire().await.of(&path)?;
        let mut active = HashSet::new();
        let note = |_, household, day: &HouseholdDay| {
            if !day.participation.is_zero() {
                active.insert(household);
            }
            ControlFlow::Continue(())
        };
        each_day(&mut connection.link(), (since, Day::MAX), &ALL, note)
            .await
            .of(&path)?;
        Ok(active.len() as u64)
    }
}
