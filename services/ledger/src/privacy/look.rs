//! Who looked at a household: one row a household, account, page and local day, however often. Must not be asked for the
//! household's own looks at itself: nobody is to be watched reading of themselves.

use hemu_rules::{Day, Millis};
use sqlx::AssertSqlSafe;

use crate::db;
use crate::error::{InFile, Result};
use crate::ledger::Ledger;

/// Looks written by one statement.
const AT_ONCE: usize = 100;

/// What somebody looked at on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookRow {
    pub token: String,
    pub actor: String,
    /// The page: `household`, `days`, `deposits` and so on.
    pub what: String,
    pub day: Day,
    pub count: i64,
    /// ms since 1970 UTC.
    pub first_at: i64,
    pub last_at: i64,
}

impl db::FromRow for LookRow {
    fn from_row(row: &db::Row) -> db::Outcome<Self> {
        Ok(Self {
            token: row.try_get("token")?,
            actor: row.try_get("actor")?,
            what: row.try_get("what")?,
            day: Day::clamped(row.try_get("day")?),
            count: row.try_get("count")?,
            first_at: row.try_get("first_at")?,
            last_at: row.try_get("last_at")?,
        })
    }
}

/// Which looks.
#[derive(Debug, Clone, Copy, Default)]
pub struct LookQuery<'a> {
    pub token: Option<&'a str>,
    pub actor: Option<&'a str>,
    pub from: Option<Day>,
    pub to: Option<Day>,
    /// The last row of the part before, for the one that follows it.
    pub after: Option<&'a LookRow>,
    pub limit: u32,
}

impl Ledger {
    /// Notes that an account looked at a page of a household.
    pub async fn note_look(&self, token: &str, actor: &str, what: &str, now: i64) -> Result<()> {
        self.note_looks(&[token], actor, what, now).await
    }

    /// The same of several households at once, each named once.
    pub async fn note_looks(&self, tokens: &[&str], actor: &str, what: &str, now: i64) -> Result<()> {
        let day = Day::of(Millis::clamped(now), self.zone());
        for some in tokens.chunks(AT_ONCE) {
            let rows: Vec<String> = (5..)
                .take(some.len())
                .map(|nth| format!("(?{nth}, ?1, ?2, ?3, 1, ?4, ?4)"))
                .collect();
            let rows = rows.join(", ");
            let mut order = db::query(AssertSqlSafe(format!(
                "insert into look (token, actor, what, day, count, first_at, last_at) values {rows}
                 on conflict (token, actor, what, day) do update set count = look.count + 1, last_at = excluded.last_at"
            )))
            .bind(actor)
            .bind(what)
            .bind(day.get())
            .bind(now);
            for token in some {
                order = order.bind(*token);
            }
            order.execute(&self.truth).await.of(&self.folder().truth())?;
        }
        Ok(())
    }

    /// Who looked, newest day first.
    pub async fn looks(&self, find: &LookQuery<'_>) -> Result<Vec<LookRow>> {
        db::query_as(
            "select * from look where (?1 is null or token = ?1) and (?2 is null or actor = ?2)
               and day >= ?3 and day <= ?4
               and (?6 is null or (day, last_at, token, actor, what) < (?6, ?7, ?8, ?9, ?10))
             order by day desc, last_at desc, token desc, actor desc, what desc limit ?5",
        )
        .bind(find.token)
        .bind(find.actor)
        .bind(find.from.map_or(i32::MIN, Day::get))
        .bind(find.to.map_or(i32::MAX, Day::get))
        .bind(find.limit)
        .bind(find.after.map(|row| row.day.get()))
        .bind(find.after.map(|row| row.last_at))
        .bind(find.after.map(|row| row.token.as_str()))
        .bind(find.after.map(|row| row.actor.as_str()))
        .bind(find.after.map(|row| row.what.as_str()))
        .fetch_all(&self.truth)
        .await
        .of(&self.folder().truth())
    }
}
