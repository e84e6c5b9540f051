//! The master key on its way into a backup that is encrypted, and out of one; and what becomes of data whose key is lost.

use std::path::Path;

use super::seal::KEY;
use super::secrets::Secrets;
use crate::db;
use crate::error::{InFile, Result};
use crate::store::{Folder, Tables};

/// Puts the folder's master keys into a copy of its truth that only a key of its own will open.
pub(crate) async fn carry(folder: &Folder, copy: &mut db::Link<'_>, path: &Path) -> Result<()> {
    let Some(secrets) = Secrets::read(folder.secrets())? else {
        return Ok(());
    };
    for key in secrets.all() {
        db::query("insert into carried_key (key) values (?) on conflict do nothing")
            .bind(&key.bytes()[..])
            .execute(&mut *copy)
            .await
            .of(path)?;
    }
    Ok(())
}

/// Adds a folder's master keys to another's.
pub(crate) fn copy_secrets(from: &Folder, to: &Folder) -> Result<()> {
    let secrets = Secrets::read(from.secrets())?;
    for key in secrets.iter().flat_map(Secrets::all) {
        Secrets::add(to.secrets(), *key.bytes(), to.dice())?;
    }
    Ok(())
}

/// Takes the keys that a restored truth carries over into the folder's key file. What was sealed with a key that neither
/// has stays as it is, unreadable until that key is added to the file; how many households that is.
pub(crate) async fn take_over(folder: &Folder) -> Result<u64> {
    let path = folder.truth();
    let mut connection = folder.place(Tables::Truth).connect().await?;
    let outcome = taken(folder, &mut connection.link(), &path).await;
    connection.close().await.of(&path)?;
    outcome
}

async fn taken(folder: &Folder, link: &mut db::Link<'_>, path: &Path) -> Result<u64> {
    let carried: Vec<Vec<u8>> = db::query_scalar("select key from carried_key")
        .fetch_all(&mut *link)
        .await
        .of(path)?;
    for key in carried {
        if let Ok(key) = <[u8; KEY]>::try_from(key) {
            Secrets::add(folder.secrets(), key, folder.dice())?;
        }
    }
    db::query("delete from carried_key")
        .execute(&mut *link)
        .await
        .of(path)?;
    let wanted: Option<String> = db::query_scalar("select value from meta where key = 'secrets'")
        .fetch_optional(&mut *link)
        .await
        .of(path)?;
    let Some(wanted) = wanted else { return Ok(0) };
    let secrets = match Secrets::read(folder.secrets())? {
        Some(secrets) => secrets,
        None => Secrets::make(folder.secrets(), folder.dice())?,
    };
    if secrets.named(&wanted).is_none() {
        let first = secrets.first().map(|(name, _)| name).unwrap_or_default();
        db::query("update meta set value = ? where key = 'secrets'")
            .bind(first)
            .execute(&mut *link)
            .await
            .of(path)?;
    }
    let masters: Vec<(String, i64)> =
        db::query_as("select master, count(*) from household_key where token <> '' group by master")
            .fetch_all(link)
            .await
            .of(path)?;
    let locked = masters
        .iter()
        .filter(|(master, _)| secrets.named(master).is_none());
    Ok(locked.map(|(_, households)| households.unsigned_abs()).sum())
}
