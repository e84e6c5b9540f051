//! Seals and opens what is about a household. Must not decide who may see it.

use super::seal::{About, KEY, Key};
use super::secrets::{KeyName, Secrets};
use crate::bytes::hex;
use crate::db;
use crate::dice::Dice;
use crate::error::{Error, InFile, Result};
use crate::store::Folder;

/// Instead of a household's token: what is about nobody in particular.
pub(crate) const SITE: &str = "";

/// Joins a household's key to its rows; `token` is the name of a column.
macro_rules! keys {
    ($token:literal) => {
        concat!("left join household_key on household_key.token = ", $token)
    };
}
pub(crate) use keys as KEYS;

/// A household's key as its row has it; absent where it has none.
#[derive(Debug, Default)]
pub(crate) struct Wrapped {
    wrapped: Option<Vec<u8>>,
    master: Option<String>,
}

impl db::FromRow for Wrapped {
    fn from_row(row: &db::Row) -> db::Outcome<Self> {
        Ok(Self {
            wrapped: row.try_get("wrapped")?,
            master: row.try_get("master")?,
        })
    }
}

/// The master key in use, and what to draw keys and nonces from.
#[derive(Debug)]
pub(crate) struct Vault {
    secrets: Secrets,
    current: KeyName,
    dice: Dice,
}

impl Vault {
    /// Opens the data's vault. The first start makes the key file; afterwards it must be the same one, on every node.
    pub(crate) async fn open(folder: &Folder, truth: &db::Pool) -> Result<Self> {
        let path = folder.secrets();
        let wanted = named(truth).await.of(&folder.truth())?;
        let secrets = match Secrets::read(path)? {
            Some(secrets) => secrets,
            None if wanted.is_none() => Secrets::make(path, folder.dice())?,
            None => return Err(missing(folder)),
        };
        let first = secrets.first().map(|(name, _)| name).unwrap_or_default();
        if wanted.is_none() {
            db::query("insert into meta (key, value) values ('secrets', ?) on conflict do nothing")
                .bind(&first)
                .execute(truth)
                .await
                .of(&folder.truth())?;
        }
        let current = named(truth).await.of(&folder.truth())?.unwrap_or(first);
        if secrets.named(&current).is_none() {
            return Err(other(folder));
        }
        Ok(Self {
            secrets,
            current,
            dice: folder.dice().clone(),
        })
    }

    /// What a household's key opens; `None` also where the key is gone, or was wrapped by a master key that is not here.
    pub(crate) fn read(
        &self,
        token: &str,
        key: &Wrapped,
        about: About<'_>,
        sealed: &[u8],
    ) -> Option<Vec<u8>> {
        self.unwrapped(token, key)?.open(about, sealed)
    }

    fn unwrapped(&self, token: &str, key: &Wrapped) -> Option<Key> {
        let master = self.secrets.named(key.master.as_deref()?)?;
        let bytes = master.open(wrapping(token), key.wrapped.as_deref()?)?;
        let bytes: [u8; KEY] = bytes.try_into().ok()?;
        Some(Key::new(bytes))
    }

    /// Seals with a household's key, which is made if there is none that can be used.
    pub(crate) async fn seal(
        &self,
        link: &mut db::Link<'_>,
        token: &str,
        about: About<'_>,
        plain: &[u8],
    ) -> Result<Vec<u8>> {
        let key = match self.key(link, token).await? {
            Some(key) => key,
            None => self.new_key(link, token).await?,
        };
        key.seal(self.draw()?, about, plain)
    }

    async fn key(&self, link: &mut db::Link<'_>, token: &str) -> Result<Option<Key>> {
        let wrapped = wrapped(link, token).await?;
        Ok(wrapped.and_then(|wrapped| self.unwrapped(token, &wrapped)))
    }

    /// Whether a household has a key that cannot be opened here: sealing anything of it would give it another.
    pub(crate) async fn is_locked(&self, link: &mut db::Link<'_>, token: &str) -> Result<bool> {
        let wrapped = wrapped(link, token).await?;
        Ok(wrapped.is_some_and(|wrapped| self.unwrapped(token, &wrapped).is_none()))
    }

    async fn new_key(&self, link: &mut db::Link<'_>, token: &str) -> Result<Key> {
        let key = Key::new(self.draw()?);
        let Some(master) = self.secrets.named(&self.current) else {
            return Err(Error::Rejected(
                "the master key is gone from memory; this is a bug".into(),
            ));
        };
        let wrapped = master.seal(self.draw()?, wrapping(token), key.bytes())?;
        db::query(
            "insert into household_key (token, wrapped, master) values (?, ?, ?)
             on conflict (token) do update set wrapped = excluded.wrapped, master = excluded.master",
        )
        .bind(token)
        .bind(wrapped)
        .bind(&self.current)
        .execute(link)
        .await
        .of(std::path::Path::new("household_key"))?;
        Ok(key)
    }

    /// What makes a short text impossible to guess from its hash.
    pub(crate) fn salt(&self) -> Result<String> {
        let bytes: [u8; 16] = self.draw()?;
        Ok(hex(&bytes))
    }

    fn draw<const N: usize>(&self) -> Result<[u8; N]> {
        self.dice.draw().map_err(|source| Error::KeyFile {
            path: self.secrets.path().to_owned(),
            source,
        })
    }
}

const fn wrapping(token: &str) -> About<'_> {
    ["household_key", "wrapped", token]
}

/// The master key that the data names.
async fn named(truth: &db::Pool) -> db::Outcome<Option<KeyName>> {
    db::query_scalar("select value from meta where key = 'secrets'")
        .fetch_optional(truth)
        .await
}

fn missing(folder: &Folder) -> Error {
    Error::Rejected(format!(
        "the key file {} is not there, and what {} holds of households was sealed with it; copy it from another node or from where it is kept, or say where it is with secrets_file",
        folder.secrets().display(),
        folder.truth().display()
    ))
}

fn other(folder: &Folder) -> Error {
    Error::Rejected(format!(
        "the key file {} is not the one that {} was sealed with; every node needs the same one: copy it from another node or from where it is kept",
        folder.secrets().display(),
        folder.truth().display()
    ))
}

async fn wrapped(link: &mut db::Link<'_>, token: &str) -> Result<Option<Wrapped>> {
    db::query_as("select wrapped, master from household_key where token = ?")
        .bind(token)
        .fetch_optional(link)
        .await
        .of(std::path::Path::new("household_key"))
}
