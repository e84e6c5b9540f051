//! The store as it lies on the disk, read by queries of our own. One type, so that another store needs one more variant.
//! Must not: write, but for the logins that would take a process each ([`register`]); ask the server anything.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use firmware_sim::device::key_digest;
use firmware_sim::keys::Key;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection, Row};

use crate::journal::{self, Batch, Sums};

/// Batches fetched at once.
const STRETCH: i64 = 64;
/// Households in one row of `day_sums`.
const BLOCK: u64 = 64;

/// Day since 1970 in Shanghai, token, source (a camera's device, or empty for the inspectors), stream.
pub type EvidenceKey = (i64, String, String, u8);

/// What the projections count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Last batch folded.
    pub applied: i64,
    /// Records that count.
    pub accepted: i64,
    /// Known before with the same content.
    pub repeats: i64,
    /// Known before with other content.
    pub conflicts: i64,
    /// Kept aside.
    pub quarantined: i64,
}

/// A store that nobody writes to any more.
#[derive(Debug)]
pub enum Store {
    /// `hemu.db` and `projections.db` of a data folder.
    Sqlite {
        /// The journal and the registry.
        truth: SqliteConnection,
        /// What is folded from it.
        projections: SqliteConnection,
    },
}

async fn sqlite(path: PathBuf, writable: bool) -> Result<SqliteConnection> {
    let options = SqliteConnectOptions::new().filename(&path).read_only(!writable);
    let connection = options.disable_statement_logging().connect().await;
    connection.with_context(|| format!("{} cannot be opened", path.display()))
}

/// Puts logins into the registry of a folder that no server has open: a command each would take minutes for thousands.
pub async fn register(data: &Path, keys: &[Key]) -> Result<()> {
    let mut connection = sqlite(data.join("hemu.db"), true).await?;
    let mut transaction = connection.begin().await?;
    for Key { device, key } in keys {
        sqlx::query("insert into device (id, key_digest, created_at) values (?, ?, 0)")
            .bind(device)
            .bind(&key_digest(key)[..])
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(connection.close().await?)
}

impl Store {
    /// Opens the files of a data folder to read them.
    pub async fn open(data: &Path) -> Result<Self> {
        Ok(Self::Sqlite {
            truth: sqlite(data.join("hemu.db"), false).await?,
            projections: sqlite(data.join("projections.db"), false).await?,
        })
    }

    /// Closes the files.
    pub async fn close(self) -> Result<()> {
        let Self::Sqlite { truth, projections } = self;
        truth.close().await?;
        Ok(projections.close().await?)
    }

    /// Every batch of the journal in order.
    pub async fn each_batch(&mut self, mut take: impl FnMut(Batch) -> Result<()>) -> Result<()> {
        let Self::Sqlite { truth, .. } = self;
        let mut last = i64::MIN;
        loop {
            let rows = sqlx::query(
                "select position, at, records, hash, body from journal where position > ? order by position limit ?",
            )
            .bind(last)
            .bind(STRETCH)
            .fetch_all(&mut *truth)
            .await?;
            if rows.is_empty() {
                return Ok(());
            }
            for row in &rows {
                last = row.try_get("position")?;
                take(Batch {
                    position: last,
                    at: row.try_get("at")?,
                    records: row.try_get("records")?,
                    hash: row.try_get("hash")?,
                    body: row.try_get("body")?,
                })?;
            }
        }
    }

    /// Records that the server does not count, by batch and place in it, and why.
    pub async fn ignored(&mut self) -> Result<HashMap<(i64, i64), String>> {
        let Self::Sqlite { projections, .. } = self;
        let rows: Vec<(i64, i64, String)> = sqlx::query_as("select position, idx, why from ignored")
            .fetch_all(projections)
            .await?;
        Ok(rows
            .into_iter()
            .map(|(position, idx, why)| ((position, idx), why))
            .collect())
    }

    /// What the projections count.
    pub async fn progress(&mut self) -> Result<Progress> {
        let Self::Sqlite { projections, .. } = self;
        let (applied, accepted, repeats, conflicts, quarantined) =
            sqlx::query_as("select applied, accepted, repeats, conflicts, quarantined from progress")
                .fetch_one(projections)
                .await?;
        Ok(Progress {
            applied,
            accepted,
            repeats,
            conflicts,
            quarantined,
        })
    }

    /// Readings flagged because their device's clock was ahead.
    pub async fn flagged(&mut self) -> Result<i64> {
        let Self::Sqlite { projections, .. } = self;
        let flagged = sqlx::query_scalar("select count(*) from reading where clock_ahead <> 0");
        Ok(flagged.fetch_one(projections).await?)
    }

    /// Every evidence sum.
    pub async fn evidence(&mut self) -> Result<BTreeMap<EvidenceKey, Sums>> {
        let Self::Sqlite { projections, .. } = self;
        let households: HashMap<i64, String> =
            sqlx::query_as::<_, (i64, String)>("select no, token from household")
                .fetch_all(&mut *projections)
                .await?
                .into_iter()
                .collect();
        let devices: HashMap<i64, String> = sqlx::query_as::<_, (i64, String)>("select no, name from device")
            .fetch_all(&mut *projections)
            .await?
            .into_iter()
            .collect();
        let rows: Vec<(i64, i64, Vec<u8>)> = sqlx::query_as("select day, block, sums from day_sums")
            .fetch_all(projections)
            .await?;
        let mut evidence = BTreeMap::new();
        for (day, block, sums) in rows {
            let rows = journal::day_sums(&sums)
                .with_context(|| format!("day {day}, block {block} cannot be read"))?;
            for (place, source, stream, sums) in rows {
                let household = block.saturating_mul(BLOCK.cast_signed()) + place.cast_signed();
                let token = households
                    .get(&household)
                    .context("a sum of no household")?
                    .clone();
                let source = match source {
                    0 => String::new(),
                    camera => devices.get(&(camera - 1)).context("a sum of no device")?.clone(),
                };
                let before = evidence.insert((day, token, source, stream), sums);
                ensure!(before.is_none(), "a sum stands twice");
            }
        }
        Ok(evidence)
    }

    /// SQLite's own word on both files: `ok`, or what it found.
    pub async fn integrity(&mut self) -> Result<String> {
        let Self::Sqlite { truth, projections } = self;
        for connection in [truth, projections] {
            let word: String = sqlx::query_scalar("pragma integrity_check(1)")
                .fetch_one(connection)
                .await?;
            if word != "ok" {
                return Ok(word);
            }
        }
        Ok("ok".to_owned())
    }
}
