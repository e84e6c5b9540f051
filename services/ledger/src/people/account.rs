//! Accounts.

use hemu_people::Role;

use super::{Change, SecondFactor, word};
use crate::acts::{Actor, Deed, Refused, Why, must};
use crate::db;
use crate::error::{InFile, Result};
use crate::ledger::Ledger;
use crate::privacy::Wrapped;

/// Somebody who may log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub name: String,
    pub role: Role,
    /// ms since 1970 UTC.
    pub created_at: i64,
    pub disabled_at: Option<i64>,
    pub has_password: bool,
    pub has_totp: bool,
}

/// What an account logs in with. For whoever verifies, and for nobody who shows.
#[derive(Clone)]
pub struct Keys {
    pub role: Role,
    /// As a PHC string.
    pub password: Option<String>,
    pub second: SecondFactor,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys")
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

impl db::FromRow for Account {
    fn from_row(row: &db::Row) -> db::Outcome<Self> {
        Ok(Self {
            name: row.try_get("name")?,
            role: word(row, "role")?,
            created_at: row.try_get("created_at")?,
            disabled_at: row.try_get("disabled_at")?,
            has_password: row.try_get::<i64, _>("has_password")? > 0,
            has_totp: row.try_get::<i64, _>("has_totp")? > 0,
        })
    }
}

/// The same as its row has it.
struct Kept {
    role: Role,
    password: Option<String>,
    totp: Option<Vec<u8>>,
    totp_step: Option<i64>,
    key: Wrapped,
}

impl db::FromRow for Kept {
    fn from_row(row: &db::Row) -> db::Outcome<Self> {
        Ok(Self {
            role: word(row, "role")?,
            password: row.try_get("password")?,
            totp: row.try_get("totp")?,
            totp_step: row.try_get("totp_step")?,
            key: Wrapped::from_row(row)?,
        })
    }
}

const SHOWN: &str = "select name, role, created_at, disabled_at,
    case when password is null then 0 else 1 end as has_password, case when totp is null then 0 else 1 end as has_totp
    from account";

impl Ledger {
    /// Adds an account with a password as `hemu_people::hash_password` made it, or without one.
    pub async fn add_account(
        &self,
        by: &Actor,
        now: i64,
        (name, role): (&Actor, Role),
        password: Option<&str>,
    ) -> Result<()> {
        let mut deed = self.deed(by, now).await?;
        deed.add_account(name, role, password).await?;
        deed.commit().await
    }

    /// All accounts by name.
    pub async fn accounts(&self) -> Result<Vec<Account>> {
        let sql = sqlx::AssertSqlSafe(format!("{SHOWN} order by name"));
        db::query_as(sql)
            .fetch_all(&self.truth)
            .await
            .of(&self.folder().truth())
    }

    /// One of them.
    pub async fn account(&self, name: &str) -> Result<Option<Account>> {
        let sql = sqlx::AssertSqlSafe(format!("{SHOWN} where name = ?"));
        let found = db::query_as(sql).bind(name).fetch_optional(&self.truth);
        found.await.of(&self.folder().truth())
    }

    /// What an account that may log in does so with.
    pub async fn keys(&self, name: &str) -> Result<Option<Keys>> {
        let sql = "select account.role, account.password, account.totp, account.totp_step,
                household_key.wrapped, household_key.master
            from account left join household_key on household_key.token = ''
            where account.name = ? and account.disabled_at is null";
        let found = db::query_as(sql).bind(name).fetch_optional(&self.truth);
        let found: Option<Kept> = found.await.of(&self.folder().truth())?;
        Ok(found.map(|kept| Keys {
            second: SecondFactor::of(&self.vault, name, &kept.key, kept.totp.as_deref(), kept.totp_step),
            role: kept.role,
            password: kept.password,
        }))
    }

    /// Ends or gives back an account's right to log in; what it did stays. Its sessions and tokens end with it, for good:
    /// whoever took one does not have it again when the account is given back.
    pub async fn enable_account(&self, by: &Actor, now: i64, name: &str, enable: bool) -> Result<()> {
        let mut deed = self.deed(by, now).await?;
        let account = deed.account(name).await?;
        let known = name.to_owned();
        let (change, sentence) = if enable {
            (
                Change::AccountEnabled { name: known },
                "the account is not disabled",
            )
        } else {
            (
                Change::AccountDisabled { name: known },
                "the account is disabled already",
            )
        };
        must(account.disabled_at.is_some() == enable, Why::WrongState, || {
            sentence.to_owned()
        })?;
        if !enable {
            deed.another_admin(&account).await?;
            deed.void_password_codes(name).await?;
        }
        let revoked = if enable {
            Vec::new()
        } else {
            deed.revoke_all(name).await?
        };
        let revoked = revoked.into_iter().map(|id| Change::TokenRevoked { id });
        deed.changed([change].into_iter().chain(revoked)).await?;
        let sql = "update account set disabled_at = ? where name = ?";
        deed.run(db::query(sql).bind((!enable).then_some(now)).bind(name))
            .await?;
        deed.end_sessions(name).await?;
        deed.commit().await
    }

    /// Gives an account another role. Whoever is logged in with it logs in again.
    pub async fn set_role(&self, by: &Actor, now: i64, name: &str, role: Role) -> Result<()> {
        let mut deed = self.deed(by, now).await?;
        let account = deed.account(name).await?;
        must(account.role != role, Why::WrongState, || {
            format!("the account's role is {role} already")
        })?;
        must(account.role.is_staff() && role.is_staff(), Why::Malformed, || {
            "a resident's account is made by a household's code, and stays one".to_owned()
        })?;
        deed.another_admin(&account).await?;
        let known = name.to_owned();
        deed.changed([Change::RoleChanged { name: known, role }]).await?;
        let sql = "update account set role = ? where name = ?";
        deed.run(db::query(sql).bind(role.as_str()).bind(name)).await?;
        deed.end_sessions(name).await?;
        deed.commit().await
    }

    /// Gives an account another password. Whoever is logged in with it logs in again.
    pub async fn set_password(&self, by: &Actor, now: i64, name: &str, password: &str) -> Result<()> {
        let mut deed = self.deed(by, now).await?;
        deed.account(name).await?;
        deed.set_password(name, password).await?;
        deed.commit().await
    }
}

impl Deed<'_> {
    pub(super) async fn add_account(
        &mut self,
        name: &Actor,
        role: Role,
        password: Option<&str>,
    ) -> Result<()> {
        must(name.is_person(), Why::Malformed, || {
            format!("expected a person's account, came {name}, which is the machine's")
        })?;
        // In the trail nobody tells Chief from chief, and whoever had both would seem to be two. A resident's name is drawn.
        let same = if role.is_staff() {
            "select name from account where lower(name) = lower(?)"
        } else {
            "select name from account where name = ?"
        };
        let taken: Option<String> = self.one(same, name.name()).await?;
        if let Some(taken) = taken {
            let sentence = format!("there is an account {taken} already");
            return Err(Refused::error(Why::NameTaken, sentence));
        }
        let known = name.name().to_owned();
        self.changed([Change::AccountAdded { name: known, role }]).await?;
        let insert = db::query("insert into account (name, role, password, created_at) values (?, ?, ?, ?)")
            .bind(name.name())
            .bind(role.as_str())
            .bind(password)
            .bind(self.now);
        self.run(insert).await.map(drop)
    }

    pub(super) async fn account(&mut self, name: &str) -> Result<Account> {
        let sql = sqlx::AssertSqlSafe(format!("{SHOWN} where name = ?"));
        let found = db::query_as(sql)
            .bind(name)
            .fetch_optional(&mut self.tx.link())
            .await;
        let unknown = || Refused::error(Why::UnknownAccount, format!("there is no account {name}"));
        self.of(found)?.ok_or_else(unknown)
    }

    pub(super) async fn set_password(&mut self, name: &str, password: &str) -> Result<()> {
        let known = name.to_owned();
        self.changed([Change::PasswordSet { name: known }]).await?;
        let sql = "update account set password = ? where name = ?";
        self.run(db::query(sql).bind(password).bind(name)).await?;
        self.void_password_codes(name).await?;
        self.end_sessions(name).await
    }

    /// Somebody must be left who can add accounts.
    async fn another_admin(&mut self, account: &Account) -> Result<()> {
        if account.role != Role::Admin || account.disabled_at.is_some() {
            return Ok(());
        }
        let sql = "select count(*) from account where role = 'admin' and disabled_at is null and name <> ?";
        let others: Option<i64> = self.one(sql, &account.name).await?;
        must(others.unwrap_or(0) > 0, Why::WrongState, || {
            format!("{} is the only admin; add another one before", account.name)
        })
    }

    pub(super) async fn end_sessions(&mut self, name: &str) -> Result<()> {
        let sql = "delete from session where account = ?";
        self.run(db::query(sql).bind(name)).await.map(drop)
    }

    pub(super) async fn one<T>(&mut self, sql: &'static str, of: &str) -> Result<Option<T>>
    where
        T: for<'r> db::Cell<'r>,
    {
        let found = db::query_scalar(sql)
            .bind(of)
            .fetch_optional(&mut self.tx.link())
            .await;
        self.of(found)
    }
}
