//! The data folder: its files, its locks, and how each file is opened.
//!
//! `hemu.db` is the truth (journal and registry, `synchronous=FULL`); `projections.db` can be folded again from it.
//! They are two files so that folding never holds the lock that an acknowledgement waits for
//! (`docs/decisions/0002-two-database-files.md`).

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection};

use crate::error::{Error, InFile, Result};

static TRUTH: Migrator = sqlx::migrate!("./migrations/truth");
static PROJECTIONS: Migrator = sqlx::migrate!("./migrations/projections");

/// What the truth's write-ahead log is cut back to when it starts again; a longer one wants a checkpoint.
pub const LOG_BYTES: u64 = 16 << 20;

/// The data folder's paths.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

/// Holds a lock of the folder until dropped; the operating system drops it with the process, however that ends.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "held, not read: closing it gives the lock back")] File);

/// Which of the folder's locks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// One server a folder.
    Serve,
    /// One projector a folder; an import without a server folds its own rows.
    Project,
}

impl Folder {
    /// Makes the folder if it is not there and checks that it can be written.
    pub fn open(path: &Path) -> Result<Self> {
        let failed = |source| Error::Folder {
            path: path.to_owned(),
            source,
        };
        std::fs::create_dir_all(path).map_err(failed)?;
        OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join("lock"))
            .map_err(failed)?;
        Ok(Self(path.to_owned()))
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Journal and registry.
    pub fn truth(&self) -> PathBuf {
        self.0.join("hemu.db")
    }

    /// What can be folded again.
    pub fn projections(&self) -> PathBuf {
        self.0.join("projections.db")
    }

    /// Deletes every database file of the folder. For a demo's folder; nothing else may call this.
    pub fn clear(&self) -> Result<()> {
        for name in ["hemu.db", "projections.db", "series.db"] {
            remove_database(&self.0.join(name))?;
        }
        Ok(())
    }

    /// Takes a lock, or says who cannot have it.
    pub fn lock(&self, role: Role) -> Result<Lock> {
        let path = self.0.join(match role {
            Role::Serve => "lock",
            Role::Project => "projector.lock",
        });
        let failed = |source| Error::Folder {
            path: path.clone(),
            source,
        };
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Lock(file)),
            Err(std::fs::TryLockError::WouldBlock) => Err(Error::InUse(self.0.clone())),
            Err(std::fs::TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}

/// How hard a file holds on to what it was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Every commit is on the disk before it returns.
    Full,
    /// A power cut may take the newest commits; the file stays whole. For what can be folded again.
    Whole,
}

fn options(path: &Path, durability: Durability) -> SqliteConnectOptions {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .busy_timeout(Duration::from_secs(30))
        .foreign_keys(true)
        .disable_statement_logging();
    match durability {
        // The committer's file is checkpointed beside the commit path, never inside it.
        Durability::Full => options
            .synchronous(SqliteSynchronous::Full)
            .pragma("wal_autocheckpoint", "0")
            .pragma("journal_size_limit", LOG_BYTES.to_string()),
        Durability::Whole => options
            .synchronous(SqliteSynchronous::Normal)
            .pragma("wal_autocheckpoint", "8000")
            .pragma("cache_size", "-131072"),
    }
}

/// One connection for the file's only writer.
pub(crate) async fn connect(path: &Path, durability: Durability) -> Result<SqliteConnection> {
    options(path, durability).connect().await.of(path)
}

/// Connections for everybody who reads (and for the registry's rare, small writes).
pub(crate) async fn pool(path: &Path, durability: Durability) -> Result<SqlitePool> {
    let options = options(path, durability).pragma("cache_size", "-16384");
    SqlitePoolOptions::new()
        .max_connections(8)
        .connect_with(options)
        .await
        .of(path)
}

/// Brings the truth's schema up to this version, in one transaction a step.
pub(crate) async fn migrate_truth(path: &Path) -> Result<()> {
    migrate(path, &TRUTH, Durability::Full).await
}

/// Brings the projections' schema up to this version.
pub(crate) async fn migrate_projections(path: &Path) -> Result<()> {
    migrate(path, &PROJECTIONS, Durability::Whole).await
}

async fn migrate(path: &Path, migrator: &Migrator, durability: Durability) -> Result<()> {
    let mut connection = connect(path, durability).await?;
    let outcome = migrator.run(&mut connection).await;
    connection.close().await.of(path)?;
    outcome.map_err(|error| match error {
        MigrateError::VersionMissing(found) | MigrateError::VersionTooNew(found, _) => Error::Newer {
            path: path.to_owned(),
            found,
            known: migrator.iter().map(|m| m.version).max().unwrap_or_default(),
        },
        other => Error::Database {
            path: path.to_owned(),
            source: sqlx::Error::Migrate(Box::new(other)),
        },
    })
}

/// Deletes a database file with what SQLite keeps beside it.
pub(crate) fn remove_database(path: &Path) -> Result<()> {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match std::fs::remove_file(&name) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::Folder {
                    path: path.to_owned(),
                    source,
                });
            }
            _ => {}
        }
    }
    Ok(())
}
