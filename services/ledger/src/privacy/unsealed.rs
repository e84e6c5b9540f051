//! Seals what an earlier build kept in the clear, at the first start after it: all of it in one transaction, so that a
//! kill leaves everything to be done again. Must not run beside a build that still reads it in the clear, and does not:
//! whoever comes here has this version's schema.

use std::collections::{BTreeMap, BTreeSet};

use super::vault::{SITE, Vault};
use crate::acts::{Act, Sha, seal_words};
use crate::db;
use crate::error::{InFile, Result};
use crate::registry::{Home, digest};
use crate::store::Folder;

/// Seals what is not; whether there was anything.
pub(crate) async fn seal(folder: &Folder, truth: &db::Pool, vault: &Vault) -> Result<bool> {
    let path = folder.truth();
    let waiting = "select exists (select 1 from unsealed_household) or exists (select 1 from unsealed_words)";
    if !db::query_scalar::<bool>(waiting)
        .fetch_one(truth)
        .await
        .of(&path)?
    {
        return Ok(false);
    }
    let mut tx = truth.begin_alone().await.of(&path)?;
    let homes: Vec<(String, Option<String>, Option<i64>)> =
        db::query_as("select token, door, residents from unsealed_household order by token")
            .fetch_all(&mut tx.link())
            .await
            .of(&path)?;
    for (token, door, residents) in homes {
        let home = Home { door, residents };
        let sealed = home.seal(vault, &mut tx.link(), &token).await?;
        db::query("update household set sealed = ? where token = ?")
            .bind(sealed)
            .bind(&token)
            .execute(&mut tx.link())
            .await
            .of(&path)?;
        digest::stamp(&mut tx.link(), &[&token]).await.of(&path)?;
    }
    let concerned = concerned(&mut tx.link()).await.of(&path)?;
    let words: Vec<(String, String, i64)> =
        db::query_as("select cast(hash as text), text, written_at from unsealed_words")
            .fetch_all(&mut tx.link())
            .await
            .of(&path)?;
    let nobody = BTreeSet::from([SITE.to_owned()]);
    for (hash, text, written_at) in words {
        for token in concerned.get(&hash).unwrap_or(&nobody) {
            let hash = Sha::stored(hash.clone());
            seal_words(vault, &mut tx.link(), (&hash, token), &text, written_at).await?;
        }
    }
    for sql in ["delete from unsealed_household", "delete from unsealed_words"] {
        db::query(sql).execute(&mut tx.link()).await.of(&path)?;
    }
    tx.commit().await.of(&path)?;
    tracing::info!("doors, residents and people's words are sealed from now on");
    Ok(true)
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
