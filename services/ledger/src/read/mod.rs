//! What others read of the ledger. Plain rows out; nothing here changes anything.

mod accepted;
mod busy;
mod cameras;
mod conflicting;
mod days;
mod delays;
mod devices;
mod dry_run;
mod edition;
mod gather;
mod groups;
mod held;
mod households;
mod inspections;
mod inspectors;
mod occupancy;
mod overview;
mod reading_at;
mod standing;
mod tail;
mod touched;
mod turnout;

pub use busy::BusyDay;
pub use cameras::{Camera, Cameras, Leaning};
pub use conflicting::Conflicting;
pub use delays::{Delay, Delays};
pub use devices::{BinRow, DeviceState, Folded, IncidentRow, QuarantineRow};
pub use dry_run::{DryRun, Otherwise};
pub(crate) use edition::{ByToken, judge_all};
pub use edition::{Edition, Place, States};
pub use gather::{Gathered, Member};
pub(crate) use gather::{gather, window};
pub use groups::{BuildingNames, EstateGroups, GroupSums, Grouping};
pub use held::Held;
pub use households::DepositRow;
pub(crate) use households::deposit;
pub use inspections::{BagsSeen, SiteKey};
pub use inspectors::{Apart, Inspector};
pub use occupancy::MovedOut;
pub use overview::{Counters, DayTally, Progress};
pub(crate) use reading_at::Named;
pub use standing::{Evidence, Standing};
pub use tail::{Ignored, Tail};
pub use touched::Touched;
pub use turnout::Came;

use hemu_rules::{Bp, By, Day, DeviceNo, Grams, HouseholdNo, Millis, Permille, Reading, Stream};

use crate::db;
use crate::seen::Seen;
use crate::sums::Block;

/// The days that have readings, from one on, each a look into the table's key.
pub(crate) const READING_DAYS: &str = "with recursive days (day) as (
     select (select min(day) from reading where day >= ?1)
     union all
     select (select min(reading.day) from reading where reading.day > days.day) from days where days.day is not null)";

type Outcome<T> = std::result::Result<T, sqlx::Error>;

/// A number column as a quantity with a range; a value outside it can only be damage.
pub(crate) fn quantity<N: TryFrom<i64>>(row: &db::Row, column: &'static str) -> Outcome<N> {
    let value: i64 = row.try_get(column)?;
    N::try_from(value).map_err(|_| damaged(column, value))
}

pub(crate) fn damaged(column: &'static str, value: i64) -> sqlx::Error {
    sqlx::Error::Protocol(format!(
        "column {column} holds {value}, which cannot be; run `hemu rebuild`"
    ))
}

pub(crate) fn stream(row: &db::Row) -> Outcome<Stream> {
    let code: i64 = row.try_get("stream")?;
    Stream::from_code(code).ok_or_else(|| damaged("stream", code))
}

/// A row of `day_sums`: day, block, and what is in it.
pub(crate) fn sums(row: &db::Row) -> Outcome<(Day, u32, Block)> {
    let (day, block): (i64, u32) = (row.try_get("day")?, row.try_get("block")?);
    let sums = Block::decode(block, row.try_get("sums")?).ok_or_else(|| damaged("sums", day))?;
    Ok((Day::clamped(day), block, sums))
}

/// What a row of `seen` holds.
pub(crate) fn seen_block(row: &db::Row) -> Outcome<Seen> {
    let (block, hashes): (i64, &[u8]) = (row.try_get("block")?, row.try_get("hashes")?);
    Seen::decode(hashes).ok_or_else(|| damaged("hashes", block))
}

/// A row of `reading` as the rules see it, without its bag's id.
pub(crate) fn reading(row: &db::Row) -> Outcome<Reading<'static>> {
    let by: i64 = row.try_get("inspector")?;
    let household: u32 = row.try_get("household")?;
    let held = Held::read(row)?;
    Ok(Reading {
        household: HouseholdNo(household),
        device: DeviceNo(row.try_get("device")?),
        at: quantity::<Millis>(row, "at")?,
        day: Day::clamped(row.try_get("day")?),
        stream: stream(row)?,
        grams: quantity::<Grams>(row, "weight_g")?,
        quality: quantity::<Bp>(row, "quality_bp")?,
        confidence: quantity::<Permille>(row, "confidence_pm")?,
        by: By::from_code(by).ok_or_else(|| damaged("inspector", by))?,
        bag: None,
        counts: household != 0 && held == Held::NOT,
    })
}
