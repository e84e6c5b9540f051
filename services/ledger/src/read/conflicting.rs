//! Boots that said two things under one number: how often, and what waits for a person because of it.

use super::Outcome;
use crate::db;
use crate::error::{InFile, Result};
use crate::ledger::Ledger;

/// A device's boot with conflicts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflicting {
    pub device: String,
    pub boot: u64,
    /// Records that were set aside for it.
    pub records: u64,
    /// Those that came after a person looked last; while there are any, nothing of the boot counts.
    pub open: u64,
    /// Readings that count for nobody because of it.
    pub held: u64,
}

impl Ledger {
    /// Every boot with conflicts, by device and boot.
    pub async fn conflicting(&self) -> Result<Vec<Conflicting>> {
        let path = self.folder().projections();
        let rows = db::query(
            "select device.name, conflicting.*, case when open > 0 then (
                 select count(*) from reading where reading.device = conflicting.device
                     and reading.boot = conflicting.boot and reading.reading_id is null) else 0 end as held
             from conflicting join device on device.no = conflicting.device
             order by device.name, conflicting.boot < 0, conflicting.boot",
        )
        .fetch_all(&self.projections)
        .await
        .of(&path)?;
        rows.iter().map(of).collect::<Outcome<_>>().of(&path)
    }
}

fn of(row: &db::Row) -> Outcome<Conflicting> {
    let number = |name| row.try_get::<i64, _>(name).map(i64::cast_unsigned);
    Ok(Conflicting {
        device: row.try_get("name")?,
        boot: number("boot")?,
        records: number("records")?,
        open: number("open")?,
        held: number("held")?,
    })
}
