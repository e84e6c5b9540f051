//! The data folder: its files, its locks, and how each file is opened.
//!
//! Whoever has the files open holds `files.lock` beside the others; whoever migrates or replaces a file holds it alone.
//! So nobody goes on writing into a file that was replaced, or reads one whose tables changed meanwhile.
//!
//! `hemu.db` is the truth (journal and registry, `synchronous=FULL`); `projections.db` can be folded again from it.
//! They are two files so that folding never holds the lock that an acknowledgement waits for
//! (`docs/decisions/0002-two-database-files.md`).

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
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

/// How often a lock that another process holds for a moment (looking at a schema, migrating) is tried, and how long
/// in between: a second in all.
const TRIES: usize = 50;
const PAUSE: Duration = Duration::from_millis(20);

/// The data folder's paths.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

/// Holds a lock of the folder until its last clone is dropped; the operating system drops it with the process, however
/// that ends.
#[derive(Debug, Clone)]
pub struct Lock(Vec<Arc<File>>);

impl Lock {
    /// Holds the other lock too.
    pub(crate) fn and(mut self, other: &Self) -> Self {
        self.0.extend_from_slice(&other.0);
        self
    }
}

/// Which of the folder's locks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// One server a folder.
    Serve,
    /// One projector a folder; an import without a server folds its own rows.
    Project,
    /// One check a folder: it folds into a file of its own.
    Verify,
}

/// How a process has the folder's files open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Files {
    /// With others, none of whom migrates or replaces them.
    Shared,
    /// To migrate or replace them.
    Alone,
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

    /// Takes a lock, or says who cannot have it.
    pub fn lock(&self, role: Role) -> Result<Lock> {
        let name = match role {
            Role::Serve => "lock",
            Role::Project => "projector.lock",
            Role::Verify => "verify.lock",
        };
        let lock = self.try_lock(name, File::try_lock)?;
        lock.ok_or_else(|| Error::InUse(self.0.clone()))
    }

    fn files(&self, how: Files) -> Result<Option<Lock>> {
        let lock = match how {
            Files::Shared => File::try_lock_shared,
            Files::Alone => File::try_lock,
        };
        self.try_lock("files.lock", lock)
    }

    /// `None` while another holds it.
    fn try_lock(
        &self,
        name: &str,
        lock: impl FnOnce(&File) -> std::result::Result<(), TryLockError>,
    ) -> Result<Option<Lock>> {
        let path = self.0.join(name);
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
        match lock(&file) {
            Ok(()) => Ok(Some(Lock(vec![Arc::new(file)]))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}

/// Lets a process in beside others: while the lock is held, the files have this version's schema and stay in place.
/// Migrates them before, which nobody else may see happen.
pub(crate) async fn enter(folder: &Folder) -> Result<Lock> {
    let mut refused = Error::Replaced(folder.0.clone());
    for _ in 0..TRIES {
        refused = match folder.files(Files::Shared)? {
            Some(shared) if is_current(folder).await? => return Ok(shared),
            Some(_) => Error::OtherVersion(folder.0.clone()),
            None => Error::Replaced(folder.0.clone()),
        };
        // The shared lock is gone here, so that of several who find an old schema one gets the lock alone.
        match folder.files(Files::Alone)? {
            Some(_alone) => {
                migrate_truth(&folder.truth()).await?;
                migrate_projections(&folder.projections()).await?;
            }
            None => tokio::time::sleep(PAUSE).await,
        }
    }
    Err(refused)
}

/// Lets a process in that has the files for itself, with the truth's schema current.
pub(crate) async fn enter_alone(folder: &Folder) -> Result<Lock> {
    for _ in 0..TRIES {
        if let Some(alone) = folder.files(Files::Alone)? {
            migrate_truth(&folder.truth()).await?;
            return Ok(alone);
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(Error::FilesInUse(folder.0.clone()))
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

/// Connections for everybody who reads (and for the registry's rare, small writes), made when they are asked for.
pub(crate) fn pool(path: &Path, durability: Durability) -> SqlitePool {
    let options = options(path, durability).pragma("cache_size", "-16384");
    SqlitePoolOptions::new()
        .max_connections(8)
        .connect_lazy_with(options)
}

/// Whether both files are there with this version's schema.
async fn is_current(folder: &Folder) -> Result<bool> {
    Ok(has_schema(&folder.truth(), &TRUTH, Durability::Full).await?
        && has_schema(&folder.projections(), &PROJECTIONS, Durability::Whole).await?)
}

async fn has_schema(path: &Path, migrator: &Migrator, durability: Durability) -> Result<bool> {
    if !path.exists() {
        return Ok(false);
    }
    let mut connection = connect(path, durability).await?;
    let applied = applied(&mut connection).await;
    connection.close().await.of(path)?;
    let applied = applied.of(path)?;
    let known = newest(migrator);
    if let Some((found, _)) = applied.iter().find(|(version, _)| *version > known) {
        return Err(newer(path, *found, migrator));
    }
    let ours = migrator.iter().map(|step| (step.version, step.checksum.to_vec()));
    Ok(ours.eq(applied))
}

/// Version and checksum of every migration a file has been through.
async fn applied(connection: &mut SqliteConnection) -> std::result::Result<Vec<(i64, Vec<u8>)>, sqlx::Error> {
    let table = sqlx::query("select 1 from sqlite_master where name = '_sqlx_migrations'");
    if table.fetch_optional(&mut *connection).await?.is_none() {
        return Ok(Vec::new());
    }
    sqlx::query_as("select version, checksum from _sqlx_migrations where success order by version")
        .fetch_all(connection)
        .await
}

fn newest(migrator: &Migrator) -> i64 {
    migrator.iter().map(|step| step.version).max().unwrap_or_default()
}

fn newer(path: &Path, found: i64, migrator: &Migrator) -> Error {
    Error::Newer {
        path: path.to_owned(),
        found,
        known: newest(migrator),
    }
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
        MigrateError::VersionMissing(found) | MigrateError::VersionTooNew(found, _) => {
            newer(path, found, migrator)
        }
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
