//! Who computes the edition of a day, so that nobody else does meanwhile. A lease says nothing of what comes out.

use hemu_rules::Day;

use super::command::Deed;
use super::refused::{Refused, Winner};
use crate::db;
use crate::error::{InFile, Result};
use crate::ledger::Ledger;

/// How long one server may take to compute an edition before another tries.
const LEASE_MS: i64 = 10 * 60 * 1_000;

/// The right to compute the edition of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    pub day: Day,
    pub holder: String,
    /// When it was taken, ms since 1970 UTC.
    pub since: i64,
}

impl db::FromRow for Lease {
    fn from_row(row: &db::Row) -> std::result::Result<Self, sqlx::Error> {
        let until: i64 = row.try_get("until")?;
        Ok(Self {
            day: Day::clamped(row.try_get("day")?),
            holder: row.try_get("holder")?,
            since: until.saturating_sub(LEASE_MS),
        })
    }
}

impl Ledger {
    /// What a computation came to; one that came to nothing keeps nobody else from the day.
    pub(super) async fn or_give_back<T>(&self, made: Result<T>, day: Day, holder: &str) -> Result<T> {
        if made.is_err() {
            let order = db::query("delete from lease where day = ? and holder = ?");
            let given = order.bind(day.get()).bind(holder).execute(&self.truth).await;
            if let Err(error) = given {
                tracing::warn!(%error, %day, "the lease of an edition's day could not be given back; it runs out");
            }
        }
        made
    }

    /// Editions that are being computed, by the lease of their day, and who has it: another server's too.
    pub async fn leases(&self, now: i64) -> Result<Vec<Lease>> {
        db::query_as("select day, holder, until from lease where until > ? order by day")
            .bind(now)
            .fetch_all(&self.truth)
            .await
            .of(&self.folder().truth())
    }

    /// For the one server of a folder, at its start: editions that were being computed when the last run ended. Nothing of
    /// them was stored, and their days are free again. Servers that share a store cannot know this of each other, and
    /// wait until a lease runs out.
    pub async fn broken_off(&self) -> Result<Vec<Lease>> {
        if self.folder().is_shared() {
            return Ok(Vec::new());
        }
        db::query_as("delete from lease returning day, holder, until")
            .fetch_all(&self.truth)
            .await
            .of(&self.folder().truth())
    }
}

impl Deed<'_> {
    pub(super) async fn release(&mut self, day: Day) -> Result<()> {
        let released = db::query("delete from lease where day = ?")
            .bind(day.get())
            .execute(&mut self.tx.link())
            .await;
        self.of(released).map(|_| ())
    }

    pub(super) async fn lease(&mut self, day: Day, holder: &str) -> Result<()> {
        let other = self.other_holder(day, holder).await?;
        if let Some((other, until)) = other.filter(|(_, until)| *until > self.now) {
            let winner = Winner {
                actor: other,
                at: self.now,
                what: "lease".to_owned(),
                position: 0,
            };
            let sentence =
                format!("the edition of {day} is being computed, until {until} (ms since 1970) at most");
            return Err(Refused::lost(sentence, Some(winner)));
        }
        let taken = db::query(
            "insert into lease (day, holder, until) values (?, ?, ?)
             on conflict (day) do update set holder = excluded.holder, until = excluded.until",
        )
        .bind(day.get())
        .bind(holder)
        .bind(self.now.saturating_add(LEASE_MS))
        .execute(&mut self.tx.link())
        .await;
        self.of(taken).map(|_| ())
    }

    pub(super) async fn other_holder(&mut self, day: Day, holder: &str) -> Result<Option<(String, i64)>> {
        let other = db::query_as("select holder, until from lease where day = ? and holder <> ?")
            .bind(day.get())
            .bind(holder)
            .fetch_optional(&mut self.tx.link())
            .await;
        self.of(other)
    }
}
