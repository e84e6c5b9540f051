//! What people wrote in their own words, sealed beside the journal, which has the hashes.

use super::act::Sha;
use crate::db;
use crate::error::{InFile, Result};
use crate::ledger::Ledger;
use crate::privacy::{KEYS, SITE, Vault, Wrapped};

/// Words by their hash, and the household they are about.
type Named<'a> = (&'a Sha, &'a str);

/// Keeps what was written, under the key of whom it is about.
pub(crate) async fn seal_words(
    vault: &Vault,
    link: &mut db::Link<'_>,
    (hash, token): Named<'_>,
    text: &str,
    now: i64,
) -> Result<()> {
    let sealed = vault
        .seal(link, token, about(hash, token), text.as_bytes())
        .await?;
    db::query(
        "insert into words (hash, token, sealed, written_at) values (?, ?, ?, ?)
         on conflict (hash, token) do update set written_at = excluded.written_at",
    )
    .bind(hash.as_str())
    .bind(token)
    .bind(sealed)
    .bind(now)
    .execute(link)
    .await
    .of(std::path::Path::new("words"))?;
    Ok(())
}

impl Ledger {
    /// What a person wrote about a household, or about nobody in particular, by its hash; `None` when it was erased.
    pub async fn words(&self, hash: &Sha, token: Option<&str>) -> Result<Option<String>> {
        let path = self.folder().truth();
        let token = token.unwrap_or(SITE);
        let sql = concat!(
            "select sealed, wrapped, master from words ",
            KEYS!("words.token"),
            " where words.hash = ? and words.token = ?"
        );
        let row = db::query(sql)
            .bind(hash.as_str())
            .bind(token)
            .fetch_optional(&self.truth)
            .await
            .of(&path)?;
        let Some(row) = row else { return Ok(None) };
        let key = <Wrapped as db::FromRow>::from_row(&row).of(&path)?;
        let sealed: Vec<u8> = row.try_get("sealed").of(&path)?;
        let plain = self.vault.read(token, &key, about(hash, token), &sealed);
        Ok(plain.and_then(|plain| String::from_utf8(plain).ok()))
    }

    /// Erases what a person wrote, whomever it is about. That it was written, when and by whom stays; whether there was
    /// anything to erase.
    pub async fn erase_words(&self, hash: &Sha) -> Result<bool> {
        let done = db::query("delete from words where hash = ?")
            .bind(hash.as_str())
            .execute(&self.truth)
            .await
            .of(&self.folder().truth())?;
        Ok(done.rows_affected() > 0)
    }
}

/// One text of one household: neither the household nor the text may be another.
fn about<'a>(hash: &'a Sha, token: &'a str) -> [&'a str; 3] {
    ["words", hash.as_str(), token]
}
