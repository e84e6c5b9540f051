//! Attempts to log in, counted where every server of a site sees them.

use hemu_people::ATTEMPTS_WINDOW_MS;

use crate::db;
use crate::error::{InFile, Result};
use crate::ledger::Ledger;

impl Ledger {
    /// Counts an attempt before it is looked at, so that many at once are counted too. `Some(instant)`: there were more
    /// than `most` already, and it is not to be looked at before then (ms since 1970 UTC).
    pub async fn attempt(&self, key: &[u8; 32], most: i64, now: i64) -> Result<Option<i64>> {
        let path = self.folder().truth();
        let over = now.saturating_sub(ATTEMPTS_WINDOW_MS);
        // Counted while the clock was far ahead: nobody is to wait until it is that late again. A window's grace, for the
        // clocks of several servers are not one.
        let ahead = now.saturating_add(ATTEMPTS_WINDOW_MS);
        let forgotten = db::query("delete from throttle where since <= ? or since > ?")
            .bind(over)
            .bind(ahead);
        forgotten.execute(&self.truth).await.of(&path)?;
        let counted: Vec<(i64, i64)> = db::query_as(
            "insert into throttle (key, since, count) values (?, ?, 1)
             on conflict (key) do update set count = throttle.count + 1 returning since, count",
        )
        .bind(&key[..])
        .bind(now)
        .fetch_all(&self.truth)
        .await
        .of(&path)?;
        let again =
            |(since, count): &(i64, i64)| (*count > most).then(|| since.saturating_add(ATTEMPTS_WINDOW_MS));
        Ok(counted.first().and_then(again))
    }

    /// It did not fail: only those that do are held against anybody.
    pub async fn forgive(&self, key: &[u8; 32]) -> Result<()> {
        let back =
            db::query("update throttle set count = count - 1 where key = ? and count > 0").bind(&key[..]);
        back.execute(&self.truth)
            .await
            .of(&self.folder().truth())
            .map(drop)
    }
}
