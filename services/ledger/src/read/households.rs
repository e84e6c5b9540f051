//! A household's deposits and participation.

use hemu_rules::{Day, Participation, Reading};

use super::occupancy::{first_day_after, last_move};
use super::{Held, Outcome, reading, sums};
use crate::acts::Occupancy;
use crate::db;
use crate::error::{InFile, Result};
use crate::ledger::Ledger;
use crate::sums::{HouseholdDay, block_of};

/// A stored reading with its identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DepositRow {
    pub place: (u64, u32),
    pub device: String,
    pub boot: u64,
    pub seq: u64,
    pub reading_id: Option<String>,
    pub bag: Option<String>,
    pub clock_ahead: bool,
    /// Why it counts for nobody.
    pub held: Held,
    pub reading: Reading<'static>,
}

/// All days of a range as a table, so that each is one look into (day, household).
const DAYS: &str =
    "with recursive days (day) as (select ?1 union all select day + 1 from days where day < ?2)";

impl Ledger {
    /// The readings of a household's present occupant, of `from..=to`, oldest first. Bound the range: it reads every day
    /// in it.
    pub async fn deposits(&self, token: &str, from: Day, to: Day) -> Result<Vec<DepositRow>> {
        let from = self.own_from(token, from).await?;
        self.deposits_of(token, from, to).await
    }

    /// The same of whoever was there on those days. Asks the projections alone.
    pub(crate) async fn deposits_of(&self, token: &str, from: Day, to: Day) -> Result<Vec<DepositRow>> {
        if from > to {
            return Ok(Vec::new());
        }
        let path = self.folder().projections();
        let sql = format!(
            "{DAYS} select reading.*, device.name from days
             join household on household.token = ?3
             join reading on reading.day = days.day and reading.household = household.no
             join device on device.no = reading.device
             order by reading.at, device.name, reading.boot, reading.seq, reading.reading_id"
        );
        let rows = db::query(sqlx::AssertSqlSafe(sql))
            .bind(from.get())
            .bind(to.get())
            .bind(token)
            .fetch_all(&self.projections)
            .await
            .of(&path)?;
        rows.iter().map(deposit).collect::<Outcome<_>>().of(&path)
    }

    /// The readings of one of the periods of a household, within `from..=to`, oldest first.
    pub async fn period_deposits(
        &self,
        token: &str,
        period: &Occupancy,
        (from, to): (Day, Day),
    ) -> Result<Vec<DepositRow>> {
        let from = period.from.map_or(from, |first| first.max(from));
        let to = period.to.map_or(to, |last| last.min(to));
        self.deposits_of(token, from, to).await
    }

    /// What a household's present occupant did on each day of `from..=to`, oldest first; days without a counted bag are
    /// left out.
    pub async fn household_days(&self, token: &str, from: Day, to: Day) -> Result<Vec<(Day, HouseholdDay)>> {
        let from = self.own_from(token, from).await?;
        self.days_of(token, from, to).await
    }

    /// The same of whoever was there on those days.
    pub(super) async fn days_of(&self, token: &str, from: Day, to: Day) -> Result<Vec<(Day, HouseholdDay)>> {
        if from > to {
            return Ok(Vec::new());
        }
        let path = self.folder().projections();
        let no = db::query("select no from household where token = ?")
            .bind(token)
            .fetch_optional(&self.projections)
            .await
            .of(&path)?;
        let Some(no) = no else { return Ok(Vec::new()) };
        let no: u32 = no.try_get("no").of(&path)?;
        let sql = format!(
            "{DAYS} select day_sums.* from days join day_sums on day_sums.day = days.day and block = ?3"
        );
        let rows = db::query(sqlx::AssertSqlSafe(sql))
            .bind(from.get())
            .bind(to.get())
            .bind(block_of(no))
            .fetch_all(&self.projections)
            .await
            .of(&path)?;
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            let (day, _, mut block) = sums(row).of(&path)?;
            found.extend(block.take(no).map(|sums| (day, sums)));
        }
        Ok(found)
    }

    /// The present occupant's bags by day, `from..=to`.
    pub async fn participation(&self, token: &str, from: Day, to: Day) -> Result<Vec<(Day, Participation)>> {
        let days = self.household_days(token, from, to).await?;
        let bags = days.into_iter().map(|(day, sums)| (day, sums.participation));
        Ok(bags.filter(|(_, bags)| !bags.is_zero()).collect())
    }

    /// The first local day of a counted deposit of the present occupant; `None` where there is none.
    pub async fn first_day(&self, token: &str) -> Result<Option<Day>> {
        let path = self.folder().projections();
        let mut snapshot = self.projections.snapshot().await.of(&path)?;
        let known: Option<(u32, Option<i64>)> =
            db::query_as("select no, first_day from household where token = ?")
                .bind(token)
                .fetch_optional(&mut snapshot.link())
                .await
                .of(&path)?;
        let Some((no, first)) = known else { return Ok(None) };
        match last_move(&mut snapshot.link(), token, None).await.of(&path)? {
            Some(moved) => first_day_after(&mut snapshot.link(), no, moved).await.of(&path),
            None => Ok(first.map(Day::clamped)),
        }
    }
}

pub(crate) fn deposit(row: &db::Row) -> Outcome<DepositRow> {
    let bag: String = row.try_get("bag")?;
    Ok(DepositRow {
        place: (
            row.try_get::<i64, _>("position")?.cast_unsigned(),
            row.try_get("idx")?,
        ),
        device: row.try_get("name")?,
        boot: row.try_get::<i64, _>("boot")?.cast_unsigned(),
        seq: row.try_get::<i64, _>("seq")?.cast_unsigned(),
        reading_id: row.try_get("reading_id")?,
        bag: (!bag.is_empty()).then_some(bag),
        clock_ahead: row.try_get("clock_ahead")?,
        held: Held::read(row)?,
        reading: reading(row)?,
    })
}
