//! Whose household is whose, and how that ends.

use std::collections::BTreeSet;

use hemu_people::{Right, Role, Scope};

use super::Change;
use crate::acts::{Actor, Deed, Refused, Why, must};
use crate::db;
use crate::error::{InFile, Result};
use crate::ledger::Ledger;

/// The tokens of an account's households: it was linked to them, and nobody else has moved in since.
pub(crate) const OWN_HOUSEHOLDS: &str = "select token from resident where account = ? and not exists (
     select 1 from moved where moved.token = resident.token and moved.undone is null and moved.act > resident.act)";

/// The accounts of a household, whether they may log in or not, likewise. No link is older than its account, and one that is
/// in the registry alone is as old as that.
const RESIDENTS: &str = "select resident.account, resident.delegate, coalesce(
        (select min(at) from act where act.position = resident.act), account.created_at) as since
    from resident join account on account.name = resident.account
    where resident.token = ? and not exists (
        select 1 from moved where moved.token = resident.token and moved.undone is null and moved.act > resident.act)";

/// Somebody who acts for a household.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resident {
    pub account: String,
    /// Since when, ms since 1970 UTC.
    pub since: i64,
    /// Whether it is somebody else's account.
    pub delegate: bool,
}

impl db::FromRow for Resident {
    fn from_row(row: &db::Row) -> db::Outcome<Self> {
        Ok(Self {
            account: row.try_get("account")?,
            since: row.try_get("since")?,
            delegate: row.try_get::<i64, _>("delegate")? > 0,
        })
    }
}

impl Resident {
    /// Whether it may end that another one acts for the same household: itself, and the household's own a delegate. Of a
    /// family nobody puts another one out.
    pub(crate) fn may_end(&self, other: &Self) -> bool {
        self.account == other.account || (other.delegate && !self.delegate)
    }
}

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

    /// The accounts that may log in and act for a household, by since when.
    pub async fn residents(&self, token: &str) -> Result<Vec<Resident>> {
        let sql = format!("{RESIDENTS} and account.disabled_at is null order by since, resident.account");
        let found = db::query_as(sqlx::AssertSqlSafe(sql)).bind(token);
        found.fetch_all(&self.truth).await.of(&self.folder().truth())
    }

    /// Ends that an account acts for a household, and voids the code it was to do so by. The account itself stays, and what
    /// it did, and its other households.
    pub async fn revoke_access(&self, by: &Actor, now: i64, token: &str, account: &str) -> Result<()> {
        let mut deed = self.deed(by, now).await?;
        let resident = deed.may_revoke(token, account).await?;
        let change = Change::AccessRevoked {
            name: account.to_owned(),
            token: token.to_owned(),
            delegate: resident.delegate,
        };
        deed.changed([change]).await?;
        let unlink = db::query("delete from resident where account = ? and token = ?");
        deed.run(unlink.bind(account).bind(token)).await?;
        deed.void_delegates_codes(account, token).await?;
        deed.commit().await
    }
}

impl Deed<'_> {
    /// Whose access is to end, if whoever acts may end it: who prints the household's codes, or one who acts for it.
    async fn may_revoke(&mut self, token: &str, account: &str) -> Result<Resident> {
        self.household(token).await?;
        let all = db::query_as(RESIDENTS)
            .bind(token)
            .fetch_all(&mut self.tx.link())
            .await;
        let all: Vec<Resident> = self.of(all)?;
        let called = |name: &str| all.iter().find(|resident| resident.account == name);
        let missing = || {
            Refused::error(
                Why::UnknownAccount,
                format!("{account} does not act for this household"),
            )
        };
        let role = self.role().await?;
        // A name without an account is the operator's at the command line.
        if role.is_none_or(|role| role.may(Right::KeepHouseholds)) {
            return called(account).cloned().ok_or_else(missing);
        }
        must(
            role.is_some_and(|role| role.may(Right::KeepDelegates)),
            Why::NotYourDuty,
            || {
                "expected an account that prints this household's codes or acts for it, came another of the staff".to_owned()
            },
        )?;
        let unknown = || {
            Refused::error(
                Why::UnknownHousehold,
                "no household is registered under this token",
            )
        };
        let own = called(self.actor.name()).ok_or_else(unknown)?;
        // Who else acts for the household is not a delegate's to find out.
        must(!own.delegate || own.account == account, Why::NotYourDuty, || {
            "a delegate ends that for itself alone; the household's own accounts may end it for a delegate"
                .to_owned()
        })?;
        let resident = called(account).ok_or_else(missing)?;
        must(own.may_end(resident), Why::NotYourDuty, || {
            format!(
                "{account} is no delegate but of the household itself, and ends that for itself; otherwise whoever prints the \
                 household's codes does"
            )
        })?;
        Ok(resident.clone())
    }

    pub(super) async fn link(&mut self, account: &str, token: &str, act: i64, delegate: bool) -> Result<()> {
        let sql = "insert into resident (account, token, act, delegate) values (?, ?, ?, ?)
            on conflict (account, token) do update set act = excluded.act, delegate = excluded.delegate";
        let link = db::query(sql).bind(account).bind(token).bind(act).bind(delegate);
        self.run(link).await.map(drop)
    }
}
