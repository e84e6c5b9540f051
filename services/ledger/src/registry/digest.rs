//! A digest in every household's row of the row itself: whoever is called something else after a bit flipped on the disk
//! would be on a list under another's name. It finds accidents; somebody who writes the row can write the digest too.
//!
//! Whoever changes a row takes its digest away in the same statement, and only rows without one get one: what merely names a
//! household, as an import does, must not vouch for a row that a bit changed.

use futures::TryStreamExt;
use sha2::{Digest, Sha256};

use crate::db;
use crate::error::{InFile, Result};
use crate::ledger::Ledger;
use crate::rows::Rows;

/// The first bits of a SHA-256 of all other columns, each with its length and whether it is there.
fn digest(row: &db::Row) -> db::Outcome<i64> {
    let mut hasher = Sha256::new();
    let mut take = |bytes: Option<&[u8]>| {
        let length = bytes.map_or(u64::MAX, |bytes| bytes.len() as u64);
        hasher.update(length.to_be_bytes());
        hasher.update(bytes.unwrap_or_default());
    };
    for column in ["token", "estate", "building", "unit", "station"] {
        take(
            row.try_get::<Option<String>, _>(column)?
                .as_deref()
                .map(str::as_bytes),
        );
    }
    take(row.try_get::<Option<Vec<u8>>, _>("sealed")?.as_deref());
    take(Some(&row.try_get::<i64, _>("created_at")?.to_be_bytes()));
    let first = hasher.finalize().into_iter().take(8);
    Ok(first.fold(0, |bits, byte| (bits << 8) | i64::from(byte)))
}

/// For those of the households that have none. To be called in the transaction that wrote their rows.
pub(crate) async fn stamp(link: &mut db::Link<'_>, tokens: &[&str]) -> db::Outcome {
    let wanted = Rows::new(
        "with wanted (token) as (",
        1,
        ") select household.* from wanted join household using (token) where digest is null",
    );
    let found = wanted.fetch(link, tokens, |b, token| {
        b.add(*token);
    });
    let rows = found.await?;
    write(link, &rows).await
}

async fn write(link: &mut db::Link<'_>, rows: &[db::Row]) -> db::Outcome {
    let digests: Vec<(String, i64)> = rows
        .iter()
        .map(|row| Ok((row.try_get("token")?, digest(row)?)))
        .collect::<db::Outcome<_>>()?;
    let update = Rows::new(
        "with stamped (token, digest) as (",
        2,
        ") update household set digest = stamped.digest from stamped where household.token = stamped.token",
    );
    let stamped = update.write(link, &digests, |b, (token, digest)| {
        b.add(token.clone()).add(*digest);
    });
    stamped.await
}

/// Fills in what an earlier build left out. Must be done before the first write of this one.
pub(crate) async fn stamp_all(truth: &db::Pool, path: &std::path::Path) -> Result<()> {
    let missing = "select exists (select 1 from household where digest is null)";
    if !db::query_scalar::<bool>(missing)
        .fetch_one(truth)
        .await
        .of(path)?
    {
        return Ok(());
    }
    let mut tx = truth.begin_alone().await.of(path)?;
    let rows = db::query("select * from household where digest is null")
        .fetch_all(&mut tx.link())
        .await
        .of(path)?;
    write(&mut tx.link(), &rows).await.of(path)?;
    tx.commit().await.of(path)
}

impl Ledger {
    /// The first household whose row is not what was written, by the end of its token.
    pub(crate) async fn verify_register(&self) -> Result<Option<String>> {
        let path = self.folder().truth();
        let mut rows = db::query("select * from household order by token").fetch(&self.truth);
        while let Some(row) = rows.try_next().await.of(&path)? {
            let stored: Option<i64> = row.try_get("digest").of(&path)?;
            if stored != Some(digest(&row).of(&path)?) {
                let token: String = row.try_get("token").of(&path)?;
                let end: String = token
                    .chars()
                    .skip(token.chars().count().saturating_sub(4))
                    .collect();
                return Ok(Some(format!(
                    "table household: the row of the household whose token ends in {end} is not what was written; \
                     look at it and import the households' file again, or restore a backup"
                )));
            }
        }
        Ok(None)
    }
}
