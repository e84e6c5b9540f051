//! Tokens of programs: each acts as an account, with some of its rights.

use hemu_people::{Digest, Right, Role};

use super::session::SEEN_MS;
use super::{Change, word};
use crate::acts::{Actor, Deed, Refused, Why, must};
use crate::db;
use crate::error::{InFile, Result};
use crate::ledger::Ledger;

/// Characters of what a token is called, at most.
const LABEL: usize = 64;

/// A token to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewToken<'a> {
    /// What it is known by.
    pub id: &'a str,
    pub digest: Digest,
    pub account: &'a str,
    /// What it is for, in somebody's words.
    pub label: &'a str,
    pub scopes: &'a [Right],
    pub until: i64,
}

/// A token as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    pub id: String,
    pub account: String,
    pub label: String,
    pub scopes: Vec<Right>,
    /// ms since 1970 UTC.
    pub created_at: i64,
    pub until: i64,
    pub revoked_at: Option<i64>,
    /// When it was last used, to the minute; `None` where it was not since this is noted.
    pub used_at: Option<i64>,
}

/// Whose a token is that is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    pub account: String,
    pub role: Role,
    pub scopes: Vec<Right>,
    pub until: i64,
    /// As noted, before this use of it.
    pub used_at: Option<i64>,
}

fn scopes(row: &db::Row) -> db::Outcome<Vec<Right>> {
    let text: String = row.try_get("scopes")?;
    // A word of another version gives no right.
    Ok(text.split(' ').filter_map(|word| word.parse().ok()).collect())
}

impl db::FromRow for ApiToken {
    fn from_row(row: &db::Row) -> db::Outcome<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            account: row.try_get("account")?,
            label: row.try_get("label")?,
            scopes: scopes(row)?,
            created_at: row.try_get("created_at")?,
            until: row.try_get("until")?,
            revoked_at: row.try_get("revoked_at")?,
            used_at: row.try_get("used_at")?,
        })
    }
}

impl db::FromRow for Holder {
    fn from_row(row: &db::Row) -> db::Outcome<Self> {
        Ok(Self {
            account: row.try_get("account")?,
            role: word(row, "role")?,
            scopes: scopes(row)?,
            until: row.try_get("until")?,
            used_at: row.try_get("used_at")?,
        })
    }
}

impl Ledger {
    /// Lets a program act as an account until an instant.
    pub async fn add_token(&self, by: &Actor, now: i64, new: &NewToken<'_>) -> Result<()> {
        let mut deed = self.deed(by, now).await?;
        let account = deed.account(new.account).await?;
        let length = new.label.trim().chars().count();
        must((1..=LABEL).contains(&length), Why::Malformed, || {
            format!("expected 1 to {LABEL} characters of what the token is for, came {length}")
        })?;
        must(new.until > now && !new.scopes.is_empty(), Why::Malformed, || {
            "expected at least one right and an end that is to come".to_owned()
        })?;
        let foreign = new.scopes.iter().find(|right| !account.role.may(**right));
        must(foreign.is_none(), Why::Malformed, || {
            let words: Vec<_> = account.role.rights().iter().map(|right| right.as_str()).collect();
            format!(
                "expected some of the account's own rights, which are {}",
                words.join(", ")
            )
        })?;
        deed.changed([Change::TokenMade {
            id: new.id.to_owned(),
            name: new.account.to_owned(),
            scopes: new.scopes.to_vec(),
        }])
        .await?;
        let words: Vec<_> = new.scopes.iter().map(|right| right.as_str()).collect();
        let insert = db::query(
            "insert into api_token (id, digest, account, label, scopes, created_at, until) values (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(new.id)
        .bind(&new.digest[..])
        .bind(new.account)
        .bind(new.label.trim())
        .bind(words.join(" "))
        .bind(now)
        .bind(new.until);
        deed.run(insert).await?;
        deed.commit().await
    }

    /// Tokens of an account, or of all, by account and id.
    pub async fn api_tokens(&self, account: Option<&str>) -> Result<Vec<ApiToken>> {
        let sql = "select id, account, label, scopes, created_at, until, revoked_at, used_at from api_token
            where ?1 is null or account = ?1 order by account, id";
        let found = db::query_as(sql).bind(account).fetch_all(&self.truth);
        found.await.of(&self.folder().truth())
    }

    /// Ends a token; of another account than the one named it is not there.
    pub async fn revoke_token(&self, by: &Actor, now: i64, id: &str, account: Option<&str>) -> Result<()> {
        let mut deed = self.deed(by, now).await?;
        let sql = "update api_token set revoked_at = ? where id = ? and revoked_at is null and (? is null or account = ?)";
        let revoke = db::query(sql).bind(now).bind(id).bind(account).bind(account);
        if deed.run(revoke).await? == 0 {
            return Err(Refused::error(
                Why::UnknownToken,
                format!("there is no token {id} in use"),
            ));
        }
        deed.changed([Change::TokenRevoked { id: id.to_owned() }]).await?;
        deed.commit().await
    }

    /// Whose a token is, and notes that it was used; `None` of one that is not good.
    pub async fn token_holder(&self, digest: &Digest, now: i64) -> Result<Option<Holder>> {
        let found = self.token_holder_unseen(digest, now).await?;
        let before = now.saturating_sub(SEEN_MS);
        let due = |holder: &Holder| holder.used_at.is_none_or(|at| at <= before);
        if found.as_ref().is_some_and(due) {
            let used = db::query(
                "update api_token set used_at = ?1 where digest = ?2 and (used_at is null or used_at <= ?3)",
            );
            let used = used.bind(now).bind(&digest[..]).bind(before);
            // A full disk must not keep programs from reading.
            if let Err(error) = used.execute(&self.truth).await {
                tracing::warn!(%error, "that a token was used could not be noted");
            }
        }
        Ok(found)
    }

    /// The same without noting it: whoever only goes on listening does not use it.
    pub async fn token_holder_unseen(&self, digest: &Digest, now: i64) -> Result<Option<Holder>> {
        let found = db::query_as(
            "select api_token.account, account.role, api_token.scopes, api_token.until, api_token.used_at
             from api_token join account on account.name = api_token.account
             where api_token.digest = ? and api_token.until > ? and api_token.revoked_at is null
               and account.disabled_at is null",
        )
        .bind(&digest[..])
        .bind(now)
        .fetch_optional(&self.truth);
        found.await.of(&self.folder().truth())
    }
}

impl Deed<'_> {
    /// Ends the tokens of an account that are in use; their ids, for the trail.
    pub(super) async fn revoke_all(&mut self, account: &str) -> Result<Vec<String>> {
        let sql = "update api_token set revoked_at = ? where account = ? and revoked_at is null returning id";
        let revoke = db::query_scalar(sql).bind(self.now).bind(account);
        let revoked = revoke.fetch_all(&mut self.tx.link()).await;
        self.of(revoked)
    }
}
