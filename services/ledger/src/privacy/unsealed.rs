//! Seals what an earlier build kept in the clear, at the first start after it: all of it in one transaction, so that a
//! kill leaves everything to be done again. Must not run beside a build that still reads it in the clear, and does not:
//! whoever comes here has this version's schema.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::vault::{SITE, Vault};
use crate::acts::{Act, Sha, seal_words};
use crate::db;
use crate::error::{InFile, Result};
use crate::ledger::WIPE;
use crate::people::seal_totp;
use crate::registry::{Home, digest};
use crate::store::Folder;

/// Seals what is not; whether there was anything.
pub(crate) async fn seal(folder: &Folder, truth: &db::Pool, vault: &Vault) -> Result<bool> {
    let path = folder.truth();
    let waiting = "select exists (select 1 from unsealed_household) or exists (select 1 from unsealed_words)
        or exists (select 1 from account where unsealed_totp is not null)";
    if !db::query_scalar::<bool>(waiting)
        .fetch_one(truth)
        .await
        .of(&path)?
    {
        return Ok(false);
    }
    let mut tx = truth.begin_alone().await.of(&path)?;
    // What was in the clear is in the write-ahead log too.
    db::query("insert into meta (key, value) values (?, '1') on conflict do nothing")
        .bind(WIPE)
        .execute(&mut tx.link())
        .await
        .of(&path)?;
    homes(vault, &mut tx.link(), &path).await?;
    words(vault, &mut tx.link(), &path).await?;
    second_factors(vault, &mut tx.link(), &path).await?;
    tx.commit().await.of(&path)?;
    tracing::info!("doors, residents, people's words and second factors are sealed from now on");
    Ok(true)
}

async fn homes(vault: &Vault, link: &mut db::Link<'_>, path: &Path) -> Result<()> {
    let homes: Vec<(String, Option<String>, Option<i64>)> =
        db::query_as("delete from unsealed_household returning token, door, residents")
            .fetch_all(&mut *link)
            .await
            .of(path)?;
    for (token, door, residents) in homes {
        let home = Home { door, residents };
        let sealed = home.seal(vault, link, &token).await?;
        db::query("update household set sealed = ?, digest = null where token = ?")
            .bind(sealed)
            .bind(&token)
            .execute(&mut *link)
            .await
            .of(path)?;
        digest::stamp(&mut *link, &[&token]).await.of(path)?;
    }
    Ok(())
}

async fn words(vault: &Vault, link: &mut db::Link<'_>, path: &Path) -> Result<()> {
    let concerned = concerned(link).await.of(path)?;
    let words: Vec<(String, String, i64)> =
        db::query_as("delete from unsealed_words returning cast(hash as text), text, written_at")
            .fetch_all(&mut *link)
            .await
            .of(path)?;
    let nobody = BTreeSet::from([SITE.to_owned()]);
    for (hash, text, written_at) in words {
        for token in concerned.get(&hash).unwrap_or(&nobody) {
            let hash = Sha::stored(hash.clone());
            seal_words(vault, link, (&hash, token), &text, written_at).await?;
        }
    }
    Ok(())
}

async fn second_factors(vault: &Vault, link: &mut db::Link<'_>, path: &Path) -> Result<()> {
    let secrets: Vec<(String, Vec<u8>)> =
        db::query_as("select name, unsealed_totp from account where unsealed_totp is not null order by name")
            .fetch_all(&mut *link)
            .await
            .of(path)?;
    for (name, bytes) in secrets {
        // Bytes that are no secret of ours let nobody in: sealed as they are, they stay locked.
        let sealed = seal_totp(vault, link, &name, &bytes).await?;
        db::query("update account set totp = ?, unsealed_totp = null where name = ?")
            .bind(sealed)
            .bind(&name)
            .execute(&mut *link)
            .await
            .of(path)?;
    }
    Ok(())
}

/// Which households the words of each hash are about, as the audit trail says.
async fn concerned(link: &mut db::Link<'_>) -> db::Outcome<BTreeMap<String, BTreeSet<String>>> {
    let acts: Vec<(Option<String>, String)> =
        db::query_as("select token, body from act where kind <> 'propose'")
            .fetch_all(link)
            .await?;
    let mut concerned: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (token, body) in acts {
        let Ok(act) = serde_json::from_str::<Act>(&body) else {
            continue;
        };
        for words in act.words() {
            let tokens = concerned.entry(words.hash().as_str().to_owned()).or_default();
            tokens.insert(token.clone().unwrap_or_default());
        }
    }
    Ok(concerned)
}
