//! Copies of the truth beside a running server, and what such a file holds. What a copy is packed or sealed in is for
//! whoever asked for it.
//!
//! Must not hold anything that an append waits for: a copy is made by a reader, which in a write-ahead log waits for
//! nobody and keeps nobody waiting. While it lasts the log only grows.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use futures::TryStreamExt;
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

use crate::db;
use crate::error::{Error, InFile, Result};
use crate::journal::{self, Head, Position};
use crate::privacy;
use crate::store::{self, Folder, Lock, Place, Role, Tables};

/// What a copy of the truth holds, every batch of it read and checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contents {
    /// Where its journal ends.
    pub head: Head,
    pub records: u64,
    /// When the last batch was committed, ms since 1970 UTC by the server's clock; `None` for an empty journal.
    pub newest: Option<i64>,
    /// The generation of the data, which changes with every restore.
    pub generation: u64,
}

/// A copy of the truth as of one moment, in a file of the data folder that goes with this value. One at a time.
#[derive(Debug)]
pub struct Snapshot {
    path: PathBuf,
    contents: Contents,
    _one_at_a_time: Lock,
}

impl Snapshot {
    /// Copies and checks; `Err(InUse)` while another copy is being made. `progress` gets the position checked and the
    /// last one. What is sealed stays sealed: the master key is not in it.
    pub async fn take(folder: &Folder, progress: impl FnMut(Position, Position)) -> Result<Self> {
        Self::make(folder, false, progress).await
    }

    /// The same with the master key, for whoever encrypts the whole copy.
    pub async fn take_with_key(folder: &Folder, progress: impl FnMut(Position, Position)) -> Result<Self> {
        Self::make(folder, true, progress).await
    }

    async fn make(folder: &Folder, with_key: bool, progress: impl FnMut(Position, Position)) -> Result<Self> {
        in_files(folder)?;
        let lock = folder.lock(Role::Backup)?;
        let path = folder.path().join("backup.db");
        // One that was cut off may have left its own.
        store::remove_file(&path)?;
        let copied = copy(&folder.place(Tables::Truth), &path).await;
        let copied = match copied {
            Ok(()) if with_key => carry(folder, &path).await,
            other => other,
        };
        let checked = match copied {
            Ok(()) => check(&path, progress).await,
            Err(error) => Err(error),
        };
        match checked {
            Ok(contents) => Ok(Self {
                path,
                contents,
                _one_at_a_time: lock,
            }),
            Err(error) => {
                store::remove_file(&path)?;
                Err(error)
            }
        }
    }

    /// What it holds.
    pub fn contents(&self) -> Contents {
        self.contents
    }

    /// The file, to be read.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        // What cannot be removed now is removed before the next copy.
        let _ = store::remove_file(&self.path);
    }
}

/// Makes a file that only its owner may read; one that is there already is refused.
pub(crate) fn private_file(path: &Path) -> Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|source| Error::Folder {
            path: path.to_owned(),
            source,
        })
}

/// A database that others look after too has copies of its own.
pub(crate) fn in_files(folder: &Folder) -> Result<()> {
    if folder.is_shared() {
        return Err(Error::Rejected(
            "the tables are in a PostgreSQL; stop the servers and copy them into a folder with `hemu copy FOLDER`, which can be backed up and copied back, or use pg_dump (restored by that, devices are not told to send again)"
                .into(),
        ));
    }
    Ok(())
}

async fn copy(truth: &Place, to: &Path) -> Result<()> {
    // An empty file is what the copy may be written into, and this one has its mode from the beginning.
    private_file(to)?;
    let mut connection = truth.connect().await?;
    let copied = db::query("vacuum into ?")
        .bind(to.to_string_lossy().into_owned())
        .execute(&mut connection.link())
        .await;
    connection.close().await.of(&truth.shown())?;
    copied.of(&truth.shown()).map(drop)
}

async fn carry(folder: &Folder, path: &Path) -> Result<()> {
    let file = SqliteConnectOptions::new()
        .filename(path)
        .disable_statement_logging();
    let mut connection = file.connect().await.map(db::Connection::Sqlite).of(path)?;
    let carried = privacy::carry(folder, &mut connection.link(), path).await;
    connection.close().await.of(path)?;
    carried
}

/// Reads a copy of the truth from end to end: SQLite's own check, then every batch against the one before it.
pub(crate) async fn check(path: &Path, progress: impl FnMut(Position, Position)) -> Result<Contents> {
    let file = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .disable_statement_logging();
    let mut connection = file.connect().await.map(db::Connection::Sqlite).of(path)?;
    let found = walk(&mut connection.link(), path, progress).await;
    connection.close().await.of(path)?;
    found
}

async fn walk(
    connection: &mut db::Link<'_>,
    path: &Path,
    mut progress: impl FnMut(Position, Position),
) -> Result<Contents> {
    let sound: String = db::query_scalar("pragma quick_check(1)")
        .fetch_one(&mut *connection)
        .await
        .of(path)?;
    let last = journal::head(connection).await.of(path)?;
    if sound != "ok" {
        return Err(Error::Damaged {
            position: last.position,
            what: sound,
        });
    }
    let mut contents = Contents {
        head: Head::default(),
        records: 0,
        newest: None,
        generation: generation(connection).await.of(path)?,
    };
    let mut rows = db::query("select * from journal order by position").fetch(connection);
    while let Some(row) = rows.try_next().await.of(path)? {
        let batch = journal::batch(path, &row)?;
        contents.head = journal::check(&contents.head, &batch)?;
        contents.records += batch.records;
        contents.newest = Some(batch.at);
        progress(batch.position, last.position);
    }
    Ok(contents)
}

/// The generation that a truth says of itself; see [`crate::Ledger::generation`].
pub(crate) async fn generation(connection: &mut db::Link<'_>) -> db::Outcome<u64> {
    let text: Option<String> = db::query_scalar("select value from meta where key = 'generation'")
        .fetch_optional(connection)
        .await?;
    Ok(text.and_then(|text| text.parse().ok()).unwrap_or(1))
}
