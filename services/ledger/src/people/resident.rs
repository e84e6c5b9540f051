//! Whose household is whose.

use std::collections::BTreeSet;

use hemu_people::{Role, Scope};

use crate::acts::Deed;
use crate::db;
use crate::error::{InFile, Result};
use crate::ledger::Ledger;

/// The tokens of an account's households: it was linked to them, and nobody else has moved in since.
pub(crate) const OWN_HOUSEHOLDS: &str = "select token from resident where account = ? and not exists (
     select 1 from moved where moved.token = resident.token and moved.undone is null and moved.act > resident.act)";

impl Ledger {
    /// The households an account acts for: those it was linked to, until somebody else moved in.
    pub async fn own_households(&self, account: &str) -> Result<BTreeSet<String>> {
        let tokens: Vec<String> = db::query_scalar(OWN_HOUSEHOLDS)
            .bind(account)
            .fetch_all(&self.truth)
            .await
            .of(&self.folder().truth())?;
        Ok(tokens.into_iter().collect())
    }

    /// The households an account's questions reach.
    pub async fn scope_of(&self, account: &str, role: Role) -> Result<Scope> {
        if role.is_staff() {
            return Ok(Scope::Everyone);
        }
        self.own_households(account).await.map(Scope::Own)
    }
}

impl Deed<'_> {
    pub(super) async fn link(&mut self, account: &str, token: &str, act: i64, delegate: bool) -> Result<()> {
        let sql = "insert into resident (account, token, act, delegate) values (?, ?, ?, ?)
            on conflict (account, token) do update set act = excluded.act, delegate = excluded.delegate";
        let link = db::query(sql).bind(account).bind(token).bind(act).bind(delegate);
        self.run(link).await.map(drop)
    }
}
