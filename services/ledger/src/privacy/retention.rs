//! How long what is kept beside the journal is kept, and its end. Must not touch the journal: what stands there says
//! nothing of anybody without what is deleted here.

use hemu_rules::Day;

use crate::db;
use crate::error::{InFile, Result};
use crate::ledger::{Ledger, WIPE};

/// Until when things are over for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Until {
    /// Looks of days before this one.
    pub looks: Day,
    /// Words of cases that were closed before this instant, ms since 1970 UTC.
    pub words: i64,
    /// Sessions and one-time codes that ended before this instant.
    pub logins: i64,
}

/// How many rows are over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Over {
    pub looks: u64,
    pub words: u64,
    pub logins: u64,
}

/// Words of cases closed before an instant: an objection when it is decided, a publication's basis when its time is over,
/// everything else when it was written.
const CLOSED: &str = "from words where written_at < ?1
     and not exists (select 1 from objection where objection.token = words.token
         and (objection.words = words.hash or objection.reason = words.hash)
         and (objection.decided_at is null or objection.decided_at >= ?1))
     and not exists (select 1 from edition where edition.basis = words.hash
         and (edition.state in ('draft', 'noticed', 'deciding', 'published') or edition.expires_at >= ?1))";

impl Ledger {
    /// Deletes what is over; how much that was.
    pub async fn forget(&self, until: Until) -> Result<Over> {
        let path = self.folder().truth();
        let due = self.overdue(until).await?;
        if due == Over::default() {
            return Ok(due);
        }
        let mut tx = self.truth.begin_alone().await.of(&path)?;
        let looks = db::query("delete from look where day < ?")
            .bind(until.looks.get())
            .execute(&mut tx.link())
            .await
            .of(&path)?;
        let words = db::query(sqlx::AssertSqlSafe(format!("delete {CLOSED}")))
            .bind(until.words)
            .execute(&mut tx.link())
            .await
            .of(&path)?;
        let mut logins = 0;
        for sql in [
            "delete from session where until < ?",
            "delete from one_time_code where until < ?",
        ] {
            let ended = db::query(sql).bind(until.logins).execute(&mut tx.link()).await;
            logins += ended.of(&path)?.rows_affected();
        }
        db::query("insert into meta (key, value) values (?, '1') on conflict do nothing")
            .bind(WIPE)
            .execute(&mut tx.link())
            .await
            .of(&path)?;
        tx.commit().await.of(&path)?;
        self.wipe_log().await?;
        Ok(Over {
            looks: looks.rows_affected(),
            words: words.rows_affected(),
            logins,
        })
    }

    /// What is over and still there.
    pub async fn overdue(&self, until: Until) -> Result<Over> {
        let path = self.folder().truth();
        let looks: i64 = db::query_scalar("select count(*) from look where day < ?")
            .bind(until.looks.get())
            .fetch_one(&self.truth)
            .await
            .of(&path)?;
        let words: i64 = db::query_scalar(sqlx::AssertSqlSafe(format!("select count(*) {CLOSED}")))
            .bind(until.words)
            .fetch_one(&self.truth)
            .await
            .of(&path)?;
        let logins: i64 = db::query_scalar(
            "select (select count(*) from session where until < ?1) + (select count(*) from one_time_code where until < ?1)",
        )
        .bind(until.logins)
        .fetch_one(&self.truth)
        .await
        .of(&path)?;
        Ok(Over {
            looks: looks.unsigned_abs(),
            words: words.unsigned_abs(),
            logins: logins.unsigned_abs(),
        })
    }
}
