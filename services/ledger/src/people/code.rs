//! One-time codes: told once, kept as a digest, good once and for a while.

use hemu_people::{Digest, Role};

use super::{Change, Purpose};
use crate::acts::{Actor, Deed, Why, must};
use crate::db;
use crate::error::{InFile, Result};
use crate::ledger::Ledger;

/// A code to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewCode<'a> {
    pub digest: Digest,
    pub purpose: Purpose,
    /// Of a delegate's and a password's.
    pub account: Option<&'a str>,
    /// Of a resident's and a delegate's.
    pub token: Option<&'a str>,
}

/// What a code that is good is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    pub purpose: Purpose,
    pub account: Option<String>,
    pub token: Option<String>,
}

impl db::FromRow for Code {
    fn from_row(row: &db::Row) -> db::Outcome<Self> {
        let purpose: String = row.try_get("purpose")?;
        let unknown = || sqlx::Error::ColumnDecode {
            index: "purpose".to_owned(),
            source: "expected a purpose this version knows".into(),
        };
        Ok(Self {
            purpose: Purpose::from_word(&purpose).ok_or_else(unknown)?,
            account: row.try_get("account")?,
            token: row.try_get("token")?,
        })
    }
}

/// A code that is good: not used, not run out, and nobody moved in since.
const GOOD: &str = "digest = ?1 and used_at is null and until > ?2 and not exists (
    select 1 from moved where moved.token = one_time_code.token and moved.undone is null
        and moved.act > one_time_code.act)";

impl Ledger {
    /// Makes codes that are good until an instant, all or none. What was made before for the same and not used is void.
    pub async fn make_codes(&self, by: &Actor, now: i64, until: i64, codes: &[NewCode<'_>]) -> Result<()> {
        let mut deed = self.deed(by, now).await?;
        for code in codes {
            if let Some(token) = code.token {
                deed.household(token).await?;
            }
            if let Some(name) = code.account {
                let role = deed.account(name).await?.role;
                let delegate = code.purpose == Purpose::Delegate;
                must(!delegate || role == Role::Resident, Why::Malformed, || {
                    format!("expected a resident's account to act for a household, {name} is {role}")
                })?;
            }
        }
        let made = codes.iter().map(|code| Change::CodeMade {
            purpose: code.purpose,
            name: code.account.map(str::to_owned),
            token: code.token.map(str::to_owned),
        });
        let act = deed.changed(made).await?.cast_signed();
        for code in codes {
            deed.keep(code, act, until).await?;
        }
        deed.commit().await
    }

    /// Makes the code of the first admin, unless there is one: whether it did. The one made before is void.
    pub async fn make_first_code(&self, digest: &Digest, now: i64, until: i64) -> Result<bool> {
        let nobody = Actor::system();
        let mut deed = self.deed(&nobody, now).await?;
        if deed.has_admin().await? {
            return Ok(false);
        }
        let code = NewCode {
            digest: *digest,
            purpose: Purpose::First,
            account: None,
            token: None,
        };
        deed.keep(&code, 0, until).await?;
        deed.commit().await?;
        Ok(true)
    }

    /// What a code is for; `None` of one that is not good.
    pub async fn code(&self, digest: &Digest, now: i64) -> Result<Option<Code>> {
        let sql = format!("select purpose, account, token from one_time_code where {GOOD}");
        let found = db::query_as(sqlx::AssertSqlSafe(sql))
            .bind(&digest[..])
            .bind(now)
            .fetch_optional(&self.truth);
        found.await.of(&self.folder().truth())
    }

    /// Makes the first admin by their code; whether the code was good.
    pub async fn first_admin(&self, digest: &Digest, now: i64, name: &Actor, password: &str) -> Result<bool> {
        let mut deed = self.deed(name, now).await?;
        if deed.has_admin().await? || deed.use_up(digest, Purpose::First).await?.is_none() {
            return Ok(false);
        }
        deed.add_account(name, Role::Admin, Some(password)).await?;
        deed.commit().await?;
        Ok(true)
    }

    /// Lets somebody of a household in by their code, under a fresh name; a delegate under the name they are logged in with.
    /// Who it is; `None` where the code was not good.
    ///
    /// A delegate's code opens its household to the account it is for and nothing to anybody else: it lies in another
    /// household's letter box, and whoever takes it out is not to find the delegate's own household behind it.
    pub async fn enter(
        &self,
        digest: &Digest,
        now: i64,
        fresh: &Actor,
        logged_in: Option<&str>,
    ) -> Result<Option<String>> {
        let Some(code) = self.code(digest, now).await? else {
            return Ok(None);
        };
        let delegate = match (code.purpose, &code.account) {
            (Purpose::Resident, _) => None,
            (Purpose::Delegate, Some(account)) if logged_in == Some(account) => account.parse::<Actor>().ok(),
            _ => return Ok(None),
        };
        let name = delegate.as_ref().unwrap_or(fresh);
        let mut deed = self.deed(name, now).await?;
        let Some((act, Some(token))) = deed.use_up(digest, code.purpose).await? else {
            return Ok(None);
        };
        if delegate.is_some() {
            let account = deed.account(name.name()).await?;
            if account.disabled_at.is_some() {
                return Ok(None);
            }
        } else {
            deed.add_account(name, Role::Resident, None).await?;
        }
        deed.link(name.name(), &token, act, delegate.is_some()).await?;
        deed.commit().await?;
        Ok(Some(name.name().to_owned()))
    }

    /// Sets the password of the account that a code is for. Which one; `None` where the code was not good.
    pub async fn set_password_by_code(
        &self,
        digest: &Digest,
        now: i64,
        password: &str,
    ) -> Result<Option<String>> {
        let code = self.code(digest, now).await?;
        let account = code.filter(|code| code.purpose == Purpose::Password);
        let Some(name) = account.and_then(|code| code.account?.parse::<Actor>().ok()) else {
            return Ok(None);
        };
        let mut deed = self.deed(&name, now).await?;
        let disabled = deed.account(name.name()).await?.disabled_at.is_some();
        if disabled || deed.use_up(digest, Purpose::Password).await?.is_none() {
            return Ok(None);
        }
        deed.set_password(name.name(), password).await?;
        deed.commit().await?;
        Ok(Some(name.name().to_owned()))
    }
}

impl Deed<'_> {
    async fn has_admin(&mut self) -> Result<bool> {
        let sql = "select count(*) from account where role = ? and disabled_at is null";
        let admins: Option<i64> = self.one(sql, Role::Admin.as_str()).await?;
        Ok(admins.unwrap_or(0) > 0)
    }

    async fn keep(&mut self, code: &NewCode<'_>, act: i64, until: i64) -> Result<()> {
        let void = "delete from one_time_code where used_at is null and purpose = ?
            and account is not distinct from ? and token is not distinct from ?";
        let void = db::query(void).bind(code.purpose.as_str());
        self.run(void.bind(code.account).bind(code.token)).await?;
        let insert = "insert into one_time_code (digest, purpose, account, token, act, created_at, until)
            values (?, ?, ?, ?, ?, ?, ?)";
        let insert = db::query(insert)
            .bind(&code.digest[..])
            .bind(code.purpose.as_str())
            .bind(code.account)
            .bind(code.token)
            .bind(act)
            .bind(self.now)
            .bind(until);
        self.run(insert).await.map(drop)
    }

    /// Takes away the code that sets an account's password and that nobody used: whoever found it before must not come in
    /// by it afterwards.
    pub(super) async fn void_password_codes(&mut self, account: &str) -> Result<()> {
        let void = "delete from one_time_code where used_at is null and purpose = ? and account = ?";
        let void = db::query(void).bind(Purpose::Password.as_str()).bind(account);
        self.run(void).await.map(drop)
    }

    /// The same of the code by which an account was to act for a household.
    pub(super) async fn void_delegates_codes(&mut self, account: &str, token: &str) -> Result<()> {
        let void = "delete from one_time_code where used_at is null and account = ? and token = ?";
        self.run(db::query(void).bind(account).bind(token))
            .await
            .map(drop)
    }

    /// Takes a code out of use; the act that says so, and the household it was for. `None` where it was not good.
    async fn use_up(&mut self, digest: &Digest, purpose: Purpose) -> Result<Option<(i64, Option<String>)>> {
        let sql = format!("update one_time_code set used_at = ?2 where {GOOD} and purpose = ?3");
        let used = db::query(sqlx::AssertSqlSafe(sql))
            .bind(&digest[..])
            .bind(self.now);
        if self.run(used.bind(purpose.as_str())).await? == 0 {
            return Ok(None);
        }
        let token = db::query_scalar("select token from one_time_code where digest = ?")
            .bind(&digest[..])
            .fetch_one(&mut self.tx.link())
            .await;
        let token: Option<String> = self.of(token)?;
        let name = self.actor.name().to_owned();
        let used = Change::CodeUsed {
            purpose,
            name,
            token: token.clone(),
        };
        let act = self.changed([used]).await?;
        Ok(Some((act.cast_signed(), token)))
    }
}
