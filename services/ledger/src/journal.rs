//! The journal: append-only batches, each chained to the one before by its hash.
//!
//! Appending is one statement and one fsync. Several processes may append to one folder (a server and an import):
//! the statement takes effect only on the head it was computed for, and the writer that lost the race reads the
//! head again. This module must not know what entries mean.

use std::path::PathBuf;

use sha2::{Digest, Sha256};
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use crate::error::{Error, InFile, Result};
use crate::segment::Entries;

/// The number of a batch; the first is 1, and 0 is before all.
pub type Position = u64;

/// SHA-256 of a batch and everything before it.
pub type Hash = [u8; 32];

/// Where the journal ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Head {
    pub position: Position,
    pub hash: Hash,
}

/// One stored batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    pub position: Position,
    /// When it was committed, ms since 1970 UTC by the server's clock.
    pub at: i64,
    pub records: u64,
    pub hash: Hash,
    pub body: Vec<u8>,
}

impl Batch {
    /// The batch's records in order.
    pub fn entries(&self) -> Entries<'_> {
        Entries::of(&self.body)
    }

    /// The hash this batch must have after the given one.
    pub fn chained(&self, previous: &Hash) -> Hash {
        chain(previous, self.position, self.at, self.records, &self.body)
    }
}

fn chain(previous: &Hash, position: Position, at: i64, records: u64, body: &[u8]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(previous);
    hasher.update(position.to_be_bytes());
    hasher.update(at.to_be_bytes());
    hasher.update(records.to_be_bytes());
    hasher.update(body);
    hasher.finalize().into()
}

/// Appends batches. One a process; the committer owns it.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    connection: SqliteConnection,
    head: Head,
}

impl Journal {
    pub(crate) async fn open(path: PathBuf, mut connection: SqliteConnection) -> Result<Self> {
        let head = head(&mut connection).await.of(&path)?;
        Ok(Self {
            path,
            connection,
            head,
        })
    }

    /// The last batch this writer knows of.
    pub fn head(&self) -> Head {
        self.head
    }

    /// Stores a batch durably; after this returns `Ok`, it survives a power cut.
    /// On an error nothing was stored that this writer counts on; the same batch may be appended again.
    pub async fn append(&mut self, at: i64, records: u64, body: &[u8]) -> Result<Head> {
        loop {
            let position = self.head.position + 1;
            let hash = chain(&self.head.hash, position, at, records, body);
            let stored = sqlx::query(
                "insert into journal (position, at, records, hash, body)
                 select ?1, ?2, ?3, ?4, ?5
                 where coalesce((select max(position) from journal), 0) = ?1 - 1",
            )
            .bind(position.cast_signed())
            .bind(at)
            .bind(records.cast_signed())
            .bind(&hash[..])
            .bind(body)
            .execute(&mut self.connection)
            .await
            .of(&self.path);
            match stored {
                Ok(done) if done.rows_affected() == 1 => {
                    self.head = Head { position, hash };
                    return Ok(self.head);
                }
                // Another process appended first.
                Ok(_) => self.head = head(&mut self.connection).await.of(&self.path)?,
                Err(error) => {
                    // A commit whose answer was lost may still have happened; never store the same batch twice.
                    let now = head(&mut self.connection).await.of(&self.path)?;
                    if now == (Head { position, hash }) {
                        self.head = now;
                        return Ok(now);
                    }
                    return Err(error);
                }
            }
        }
    }

    /// Lets the write-ahead log start again from its beginning. Cheap when [`crate::Ledger::checkpoint`] has
    /// just moved the bulk; called between two batches, so that the log cannot grow for ever under steady load.
    pub async fn restart_log(&mut self) -> Result<()> {
        sqlx::query("pragma wal_checkpoint(passive)")
            .execute(&mut self.connection)
            .await
            .of(&self.path)?;
        Ok(())
    }
}

async fn head(connection: &mut SqliteConnection) -> std::result::Result<Head, sqlx::Error> {
    let row = sqlx::query("select position, hash from journal order by position desc limit 1")
        .fetch_optional(connection)
        .await?;
    row.map_or(Ok(Head::default()), |row| {
        let hash: Vec<u8> = row.try_get("hash")?;
        Ok(Head {
            position: row.try_get::<i64, _>("position")?.cast_unsigned(),
            hash: to_hash(&hash),
        })
    })
}

/// A hash column of another length can only be damage; it then matches nothing.
fn to_hash(bytes: &[u8]) -> Hash {
    bytes.try_into().unwrap_or_default()
}

pub(crate) fn batch(row: &SqliteRow) -> std::result::Result<Batch, sqlx::Error> {
    let hash: Vec<u8> = row.try_get("hash")?;
    Ok(Batch {
        position: row.try_get::<i64, _>("position")?.cast_unsigned(),
        at: row.try_get("at")?,
        records: row.try_get::<i64, _>("records")?.cast_unsigned(),
        hash: to_hash(&hash),
        body: row.try_get("body")?,
    })
}

/// Checks a batch against the one before it: position, hash, readable bytes, number of records.
pub fn check(previous: &Head, batch: &Batch) -> Result<Head> {
    let damaged = |what: String| Error::Damaged {
        position: batch.position,
        what,
    };
    if batch.position != previous.position + 1 {
        return Err(damaged(format!(
            "expected batch {} here, a batch is missing",
            previous.position + 1
        )));
    }
    if batch.chained(&previous.hash) != batch.hash {
        return Err(damaged(
            "its hash does not follow from its content and the batch before it".into(),
        ));
    }
    let mut records = 0;
    for entry in batch.entries() {
        entry.map_err(|error| damaged(error.to_string()))?;
        records += 1;
    }
    if records != batch.records {
        return Err(damaged(format!(
            "it says it holds {} records and holds {records}",
            batch.records
        )));
    }
    Ok(Head {
        position: batch.position,
        hash: batch.hash,
    })
}
