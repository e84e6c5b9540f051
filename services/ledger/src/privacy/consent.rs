//! What a household agreed to, as a ledger: every consent and every withdrawal is an act, and the last one holds. There is
//! one purpose, for the system does one thing that needs a consent of its own.

use crate::db;
use crate::error::{InFile, Result};
use crate::journal::Position;
use crate::ledger::Ledger;

/// The only purpose there is: to be praised in public by the red list.
pub const RED_LIST_PUBLIC: &str = "red_list_public";

/// A consent given, or withdrawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentRow {
    pub purpose: &'static str,
    pub given: bool,
    /// Who recorded it, when (ms since 1970 UTC) and where it stands.
    pub by: String,
    pub at: i64,
    pub position: Position,
}

impl Ledger {
    /// What the present occupant agreed to and withdrew, oldest first. An earlier occupant's consent is nobody's now.
    pub async fn consents(&self, token: &str) -> Result<Vec<ConsentRow>> {
        let since = self.occupied_since(token).await?;
        let rows: Vec<(String, String, i64, i64)> = db::query_as(
            "select kind, actor, at, position from act
             where token = ? and kind in ('red_opt_in', 'red_opt_out') and position > ? order by position, idx",
        )
        .bind(token)
        .bind(since.cast_signed())
        .fetch_all(&self.truth)
        .await
        .of(&self.folder().truth())?;
        let row = |(kind, by, at, position): (String, String, i64, i64)| ConsentRow {
            purpose: RED_LIST_PUBLIC,
            given: kind == "red_opt_in",
            by,
            at,
            position: position.cast_unsigned(),
        };
        Ok(rows.into_iter().map(row).collect())
    }
}
