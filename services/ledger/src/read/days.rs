//! Everybody's days, one after the other: what an edition is computed from.

use std::ops::Range;

use futures::TryStreamExt;
use hemu_rules::Day;
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;

use super::{Outcome, damaged};
use crate::sums::{Days, HouseholdDay};

/// Every block there can be.
pub(crate) const ALL: Range<u32> = 0..u32::MAX;

/// Shows the days `from..to` of every household of some blocks, in the order of day and household number.
pub(crate) async fn each_day(
    connection: &mut SqliteConnection,
    (from, to): (Day, Day),
    blocks: &Range<u32>,
    mut show: impl FnMut(Day, u32, &HouseholdDay),
) -> Outcome<()> {
    let mut rows = sqlx::query(
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
            show(day, household, sums);
        }
    }
    Ok(())
}
