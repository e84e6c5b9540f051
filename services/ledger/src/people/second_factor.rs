//! The second factor of an account. Its secret is sealed with the site's key, so that a copy of the rows computes no digits.
//! Must not compare digits: that is for `hemu-people`.

use hemu_people::{Digest, TotpSecret};

use super::Change;
use crate::acts::{Actor, Deed, Why, must};
use crate::db;
use crate::error::{InFile, Result};
use crate::ledger::Ledger;
use crate::privacy::{SITE, Vault, Wrapped};

/// What an account proves itself with beside its password.
#[derive(Clone, PartialEq, Eq)]
pub enum SecondFactor {
    None,
    /// The secret, and the last step whose digits were good.
    Totp(TotpSecret, Option<i64>),
    /// There is one, and the key that opens it is not here: nobody logs in with it until it is taken away.
    Locked,
}

impl std::fmt::Debug for SecondFactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Totp(..) => "Totp",
            Self::Locked => "Locked",
        })
    }
}

impl SecondFactor {
    pub(super) fn of(
        vault: &Vault,
        name: &str,
        key: &Wrapped,
        sealed: Option<&[u8]>,
        step: Option<i64>,
    ) -> Self {
        let Some(sealed) = sealed else {
            return Self::None;
        };
        let opened = vault.read(SITE, key, about(name), sealed);
        let secret = opened.and_then(|bytes| TotpSecret::kept(&bytes));
        secret.map_or(Self::Locked, |secret| Self::Totp(secret, step))
    }
}

/// A secret on offer as its row has it.
struct Offered {
    sealed: Vec<u8>,
    key: Wrapped,
}

impl db::FromRow for Offered {
    fn from_row(row: &db::Row) -> db::Outcome<Self> {
        Ok(Self {
            sealed: row.try_get("offered_totp")?,
            key: Wrapped::from_row(row)?,
        })
    }
}

impl Ledger {
    /// Gives an account a second factor, or takes it away. Whoever is logged in with it logs in again.
    pub async fn set_totp(
        &self,
        by: &Actor,
        now: i64,
        name: &str,
        secret: Option<&TotpSecret>,
    ) -> Result<()> {
        let mut deed = self.deed(by, now).await?;
        deed.set_totp(name, secret.map(|secret| (secret, None))).await?;
        deed.end_sessions(name).await?;
        deed.commit().await
    }

    /// Keeps a secret for an account to confirm; it counts for nothing before.
    pub async fn offer_totp(&self, name: &str, secret: &TotpSecret, until: i64) -> Result<()> {
        let path = self.folder().truth();
        let mut tx = self.truth.begin_alone().await.of(&path)?;
        let sealed = seal(&self.vault, &mut tx.link(), name, secret.bytes()).await?;
        db::query("update account set offered_totp = ?, offered_until = ? where name = ?")
            .bind(sealed)
            .bind(until)
            .bind(name)
            .execute(&mut tx.link())
            .await
            .of(&path)?;
        tx.commit().await.of(&path)
    }

    /// The secret that an account may confirm.
    pub async fn offered_totp(&self, name: &str, now: i64) -> Result<Option<TotpSecret>> {
        let found: Option<Offered> = db::query_as(
            "select account.offered_totp, household_key.wrapped, household_key.master
             from account left join household_key on household_key.token = ''
             where account.name = ? and account.offered_totp is not null and account.offered_until > ?",
        )
        .bind(name)
        .bind(now)
        .fetch_optional(&self.truth)
        .await
        .of(&self.folder().truth())?;
        let opened = found.and_then(|offered| {
            let Offered { sealed, key } = offered;
            self.vault.read(SITE, &key, about(name), &sealed)
        });
        Ok(opened.and_then(|bytes| TotpSecret::kept(&bytes)))
    }

    /// An account gives itself a second factor, with the step whose digits confirmed it, or takes it away. It stays logged
    /// in where it did that, and nowhere else.
    pub async fn change_own_totp(
        &self,
        by: &Actor,
        now: i64,
        session: &Digest,
        new: Option<(&TotpSecret, i64)>,
    ) -> Result<()> {
        let mut deed = self.deed(by, now).await?;
        let account = deed.account(by.name()).await?;
        must(new.is_none() || !account.has_totp, Why::WrongState, || {
            "the account has a second factor; take it away before there is another".to_owned()
        })?;
        let new = new.map(|(secret, step)| (secret, Some(step)));
        deed.set_totp(by.name(), new).await?;
        let others = db::query("delete from session where account = ? and digest <> ?");
        deed.run(others.bind(by.name()).bind(&session[..])).await?;
        deed.commit().await
    }
}

impl Deed<'_> {
    async fn set_totp(&mut self, name: &str, new: Option<(&TotpSecret, Option<i64>)>) -> Result<()> {
        let account = self.account(name).await?;
        must(new.is_some() || account.has_totp, Why::WrongState, || {
            "the account has no second factor".to_owned()
        })?;
        let known = name.to_owned();
        self.changed([if new.is_some() {
            Change::TotpSet { name: known }
        } else {
            Change::TotpRemoved { name: known }
        }])
        .await?;
        let sealed = match new {
            Some((secret, _)) => {
                Some(seal(&self.ledger.vault, &mut self.tx.link(), name, secret.bytes()).await?)
            }
            None => None,
        };
        let sql = "update account set totp = ?, totp_step = ?, offered_totp = null, offered_until = null where name = ?";
        let step = new.and_then(|(_, step)| step);
        self.run(db::query(sql).bind(sealed).bind(step).bind(name))
            .await
            .map(drop)
    }
}

/// Seals what is to be an account's secret, in its row and in no other.
pub(crate) async fn seal(
    vault: &Vault,
    link: &mut db::Link<'_>,
    name: &str,
    secret: &[u8],
) -> Result<Vec<u8>> {
    vault.seal(link, SITE, about(name), secret).await
}

const fn about(name: &str) -> [&str; 3] {
    ["account", "totp", name]
}
