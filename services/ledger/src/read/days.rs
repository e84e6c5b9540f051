//! Everybody's days, one after the other: what an edition is computed from, and what tells how much days vary.

use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};

use futures::TryStreamExt;
use hemu_rules::estimate::{Part, Parts};
use hemu_rules::{Day, Rule, Tally};

use super::gather::calibration;
use super::{Outcome, damaged};
use crate::db;
use crate::error::{InFile, Result};
use crate::ledger::Ledger;
use crate::sums::{Days, HouseholdDay};

/// Every block there can be.
pub(crate) const ALL: Range<u32> = 0..u32::MAX;

/// Shows the days `from..to` of every household of some blocks, in the order of day and household number, until whoever is
/// shown them breaks off.
pub(crate) async fn each_day(
    connection: &mut db::Link<'_>,
    (from, to): (Day, Day),
    blocks: &Range<u32>,
    mut show: impl FnMut(Day, u32, &HouseholdDay) -> ControlFlow<()>,
) -> Outcome<()> {
    let mut rows = db::query(
        "select day, block, sums from day_sums where day >= ? and day < ? and block >= ? and block < ? order by day, block",
    )
    .bind(from.get())
    .bind(to.get())
    .bind(blocks.start)
    .bind(blocks.end)
    .fetch(connection);
    while let Some(row) = rows.try_next().await? {
        let number: i64 = row.try_get("day")?;
        let day = Day::clamped(number);
        let mut days = Days::new(row.try_get("block")?, row.try_get("sums")?);
        while let Some((household, sums)) = days.next().ok_or_else(|| damaged("sums", number))? {
            if show(day, household, sums).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

impl Ledger {
    /// Evidence of the days `from..edition`, at most 90, of every token that has any, as the calibration of that edition
    /// reads it.
    pub async fn parts(&self, rule: &Rule, from: Day, edition: Day) -> Result<Vec<Parts>> {
        // A tally keeps undecayed evidence of the redemption window: one of every day there is.
        let rule = Rule {
            redemption_window: i32::MAX,
            ..*rule
        };
        let path = self.folder().projections();
        let mut snapshot = self.projections.snapshot().await.of(&path)?;
        let (calibration, _) = calibration(&mut snapshot.link(), &rule, edition)
            .await
            .of(&path)?;
        let middle = edition.since(from) / 2;
        let mut parts = BTreeMap::<u32, Parts>::new();
        let show = |day: Day, household: u32, of_day: &HouseholdDay| {
            let buckets: Vec<_> = of_day
                .buckets
                .iter()
                .map(|&(source, _, bucket)| (source, bucket))
                .collect();
            let mut tally = Tally::default();
            tally.add_evidence(&calibration, day, &buckets);
            let later = day.since(from) >= middle;
            let said = Part {
                e: tally.recent_e,
                a: tally.recent_a,
            };
            parts.entry(household).or_default().add(day, later, said);
            ControlFlow::Continue(())
        };
        each_day(&mut snapshot.link(), (from, edition), &ALL, show)
            .await
            .of(&path)?;
        Ok(parts.into_values().collect())
    }
}
