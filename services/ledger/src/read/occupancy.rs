//! From when on what was done under a token is the present occupant's, as far as the journal is folded.

use std::collections::HashMap;

use hemu_rules::{Day, Posterior, Rule, posterior};

use super::{Outcome, READING_DAYS};
use crate::acts::Occupancy;
use crate::db;
use crate::error::{InFile, Result};
use crate::ledger::Ledger;

/// The last move before an edition, of every household that moved by then.
pub(super) async fn moves(connection: &mut db::Link<'_>, edition: Day) -> Outcome<HashMap<String, Day>> {
    let rows: Vec<(String, i64)> =
        db::query_as("select token, max(day) from moved where day < ? group by token")
            .bind(edition.get())
            .fetch_all(connection)
            .await?;
    Ok(rows
        .into_iter()
        .map(|(token, day)| (token, Day::clamped(day)))
        .collect())
}

/// A household's last move, or its last before an edition.
pub(super) async fn last_move(
    connection: &mut db::Link<'_>,
    token: &str,
    edition: Option<Day>,
) -> Outcome<Option<Day>> {
    let day: Option<i64> = db::query_scalar("select max(day) from moved where token = ?1 and day < ?2")
        .bind(token)
        .bind(edition.map_or(i64::MAX, |edition| edition.get().into()))
        .fetch_one(connection)
        .await?;
    Ok(day.map(Day::clamped))
}

/// The first day after another on which a bag of a household counted.
pub(super) async fn first_day_after(
    connection: &mut db::Link<'_>,
    household: u32,
    day: Day,
) -> Outcome<Option<Day>> {
    let sql = format!(
        "{READING_DAYS} select days.day from days where exists (
             select 1 from reading where reading.day = days.day and household = ?2 and held = 0) limit 1"
    );
    let first: Option<i64> = db::query_scalar(sqlx::AssertSqlSafe(sql))
        .bind(day.plus(1).get())
        .bind(household)
        .fetch_optional(connection)
        .await?;
    Ok(first.map(Day::clamped))
}

/// Where somebody stood when they moved out.
#[derive(Debug)]
pub struct MovedOut {
    /// The edition it is computed for: that of the day of the move.
    pub edition: Day,
    pub rule: Rule,
    pub posterior: Posterior,
    /// Enough evidence for any word.
    pub rated: bool,
    pub first_day: Option<Day>,
}

impl Ledger {
    /// Where an earlier occupant of a registered household stood at the end, by the rule of that day; `None` for the
    /// period that has not ended.
    pub async fn moved_out(&self, token: &str, period: &Occupancy) -> Result<Option<MovedOut>> {
        let Some(edition) = period.to.map(|last| last.plus(1)) else {
            return Ok(None);
        };
        let rule = self.rule_in_force(edition).await?;
        let gathered = self.gather(&rule, edition).await?;
        let found = gathered.households.iter().find(|member| member.token == token);
        let Some((totals, first_day)) = found.map(|member| (member.tally.totals(), member.first_day)) else {
            return Ok(None);
        };
        let standing = super::Standing::of(gathered);
        Ok(Some(MovedOut {
            edition,
            rule,
            posterior: posterior(&rule, totals, standing.prior)?,
            rated: totals.rated(&rule),
            first_day,
        }))
    }

    /// From when on a token's days are its present occupant's; not before `from`.
    pub(super) async fn own_from(&self, token: &str, from: Day) -> Result<Day> {
        let path = self.folder().projections();
        let mut connection = self.projections.acquire().await.of(&path)?;
        let moved = last_move(&mut connection.link(), token, None).await.of(&path)?;
        Ok(moved.map_or(from, |moved| from.max(moved.plus(1))))
    }
}
