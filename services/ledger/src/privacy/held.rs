//! How much is held of people, in numbers: for the page that says what this system does with personal data.

use crate::db;
use crate::error::{InFile, Result};
use crate::ledger::Ledger;

/// Rows about people. Names nobody.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HeldRows {
    pub households: i64,
    /// Households with a key of their own.
    pub sealed: i64,
    pub words: i64,
    pub looks: i64,
    pub consents: i64,
    pub erased: i64,
    /// ms since 1970 UTC.
    pub last_erased_at: Option<i64>,
}

impl Ledger {
    /// How much is held.
    pub async fn held_rows(&self) -> Result<HeldRows> {
        let row = db::query(
            "select (select count(*) from household where not exists (
                    select 1 from erased where erased.token = household.token)) as households,
                (select count(*) from household_key where token <> '') as sealed,
                (select count(*) from words) as words, (select count(*) from look) as looks,
                (select count(*) from red_opt_in) as consents, (select count(*) from erased) as erased,
                (select max(at) from erased) as last_erased_at",
        )
        .fetch_one(&self.truth)
        .await;
        let read = |row: db::Row| -> db::Outcome<HeldRows> {
            Ok(HeldRows {
                households: row.try_get("households")?,
                sealed: row.try_get("sealed")?,
                words: row.try_get("words")?,
                looks: row.try_get("looks")?,
                consents: row.try_get("consents")?,
                erased: row.try_get("erased")?,
                last_erased_at: row.try_get("last_erased_at")?,
            })
        };
        row.and_then(read).of(&self.folder().truth())
    }
}
