//! Where the ledger's tables live, who may have them open, and how they are opened.
//!
//! A data folder keeps them in two SQLite files: `hemu.db` is the truth (journal and registry, every commit on the disk
//! before it returns); `projections.db` can be folded again from it. They are two so that folding never holds the lock
//! that an acknowledgement waits for (`docs/decisions/0002-two-database-files.md`). A folder that was given a PostgreSQL
//! keeps them there, in two schemas, for several nodes at once (`docs/decisions/0016-postgresql.md`).
//!
//! Whoever has the files open holds `files.lock` beside them; whoever migrates or replaces a file holds it alone. So
//! nobody goes on writing into a file that was replaced, or reads one whose tables changed meanwhile.

mod place;
mod postgres;
mod sqlite;

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};

use crate::dice::Dice;
use crate::error::{Error, Result};
use crate::privacy;
use crate::restore;
pub(crate) use place::{Place, Tables};
pub(crate) use postgres::{try_lock, unlock};
pub use sqlite::LOG_BYTES;
pub(crate) use sqlite::{remove as remove_file, settle, truncate_log};

/// How often a lock that another process holds for a moment (looking at a schema, migrating) is tried, and how long
/// in between: a second in all.
const TRIES: usize = 50;
const PAUSE: Duration = Duration::from_millis(20);
/// The same where nodes share a database; each waits for a lock as long as all of the above.
const SHARED_TRIES: usize = 10;

/// A data folder; its tables may live in a PostgreSQL instead of its files.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
    postgres: Option<Arc<PgConnectOptions>>,
    secrets: PathBuf,
    dice: Dice,
}

/// Holds locks of the folder or its database until its last clone is dropped. However a process ends, the operating
/// system drops its file locks and the database those of its connections.
#[derive(Debug, Clone)]
pub struct Lock(Vec<Held>);

#[derive(Debug, Clone)]
#[expect(dead_code, reason = "held, never looked at")]
enum Held {
    File(Arc<File>),
    Session(Arc<PgConnection>),
}

impl Lock {
    /// Holds the other lock too.
    pub(crate) fn and(mut self, other: &Self) -> Self {
        self.0.extend_from_slice(&other.0);
        self
    }

    pub(crate) fn none() -> Self {
        Self(Vec::new())
    }

    fn of_file(file: File) -> Self {
        Self(vec![Held::File(Arc::new(file))])
    }

    pub(crate) fn of_session(connection: PgConnection) -> Self {
        Self(vec![Held::Session(Arc::new(connection))])
    }
}

/// Which of the folder's locks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// One server a folder.
    Serve,
    /// One projector of the same tables; an import without a server folds its own rows.
    Project,
    /// One check of the same tables: it folds beside them.
    Verify,
    /// One backup a folder: it copies into a file of its own.
    Backup,
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
    /// Makes the folder if it is not there, for this user alone, and checks that it can be written.
    pub fn open(path: &Path) -> Result<Self> {
        let failed = |source| Error::Folder {
            path: path.to_owned(),
            source,
        };
        // Hashes of passwords and the site's key lie in it, whatever the umask leaves to others.
        let mut folder = DirBuilder::new();
        folder.recursive(true).mode(0o700).create(path).map_err(failed)?;
        OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join("lock"))
            .map_err(failed)?;
        Ok(Self {
            path: path.to_owned(),
            postgres: None,
            secrets: path.join("secrets.key"),
            dice: Dice::system(),
        })
    }

    /// The folder, with its master key in another file; nodes that share a PostgreSQL need the same one each.
    #[must_use]
    pub fn with_secrets(mut self, file: &Path) -> Self {
        file.clone_into(&mut self.secrets);
        self
    }

    /// The folder, with keys and nonces drawn from other dice than the operating system's.
    #[must_use]
    pub fn with_dice(mut self, dice: Dice) -> Self {
        self.dice = dice;
        self
    }

    /// The folder, with its tables in the PostgreSQL that a URL names (`postgres://user@host:port/database`).
    pub fn with_postgres(mut self, url: &str) -> Result<Self> {
        self.postgres = Some(Arc::new(postgres::options(url)?));
        Ok(self)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file with the master key, which the first start makes.
    pub fn secrets(&self) -> &Path {
        &self.secrets
    }

    /// Gives another folder this one's master key, so that rows that are copied there can be opened there.
    pub fn copy_secrets_to(&self, other: &Self) -> Result<()> {
        privacy::copy_secrets(self, other)
    }

    pub(crate) fn dice(&self) -> &Dice {
        &self.dice
    }

    /// Whether the tables live in a PostgreSQL.
    pub fn is_shared(&self) -> bool {
        self.postgres.is_some()
    }

    /// Journal and registry, for messages: a file, or a schema of a database.
    pub fn truth(&self) -> PathBuf {
        self.place(Tables::Truth).shown()
    }

    /// What can be folded again, for messages.
    pub fn projections(&self) -> PathBuf {
        self.place(Tables::Projections).shown()
    }

    /// Where tables live.
    pub(crate) fn place(&self, tables: Tables) -> Place {
        self.place_named(tables, tables.name())
    }

    /// Where tables of the same shape live for a while, beside.
    pub(crate) fn place_named(&self, tables: Tables, name: &'static str) -> Place {
        match &self.postgres {
            None => Place::file(tables, &self.path, name),
            Some(options) => Place::schema(tables, options, name),
        }
    }

    /// Takes a lock of the folder, or says who cannot have it.
    pub fn lock(&self, role: Role) -> Result<Lock> {
        let name = match role {
            Role::Serve => "lock",
            Role::Project => "projector.lock",
            Role::Verify => "verify.lock",
            Role::Backup => "backup.lock",
        };
        let lock = self.try_lock(name, File::try_lock)?;
        lock.ok_or_else(|| Error::InUse(self.path.clone()))
    }

    /// Takes a lock of the tables, wherever they live.
    pub(crate) async fn lock_tables(&self, role: Role) -> Result<Lock> {
        let Some(options) = &self.postgres else {
            return self.lock(role);
        };
        // A database lets go of a connection that ended a moment later.
        for _ in 0..TRIES {
            if let Some(lock) = postgres::lock(options, role).await? {
                return Ok(lock);
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(Error::InUse(self.truth()))
    }

    fn files(&self, how: Files) -> Result<Option<Lock>> {
        let lock = match how {
            Files::Shared => File::try_lock_shared,
            Files::Alone => File::try_lock,
        };
        let lock = self.try_lock("files.lock", lock)?;
        // A restore that was cut off has replaced some of the files: whoever has them alone ends it before anything else.
        if lock.is_none() || !restore::is_pending(self)? {
            return Ok(lock);
        }
        match how {
            Files::Shared => Ok(None),
            Files::Alone => restore::put_in_place(self).map(|()| lock),
        }
    }

    /// `None` while another holds it.
    fn try_lock(
        &self,
        name: &str,
        lock: impl FnOnce(&File) -> std::result::Result<(), TryLockError>,
    ) -> Result<Option<Lock>> {
        let path = self.path.join(name);
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
            Ok(()) => Ok(Some(Lock::of_file(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// Whether both sets of tables are there with this version's schema.
    async fn is_current(&self) -> Result<bool> {
        Ok(self.place(Tables::Truth).is_current().await?
            && self.place(Tables::Projections).is_current().await?)
    }

    async fn migrate(&self) -> Result<()> {
        self.place(Tables::Truth).migrate().await?;
        self.place(Tables::Projections).migrate().await
    }
}

/// Lets a process in beside others: while the lock is held, the tables have this version's schema and stay in place.
/// Migrates them before, which nobody else may see happen.
pub(crate) async fn enter(folder: &Folder) -> Result<Lock> {
    if folder.is_shared() {
        return enter_shared(folder).await;
    }
    let mut refused = Error::Replaced(folder.path.clone());
    for _ in 0..TRIES {
        refused = match folder.files(Files::Shared)? {
            Some(shared) if folder.is_current().await? => return Ok(shared),
            Some(_) => Error::OtherVersion(folder.path.clone()),
            None => Error::Replaced(folder.path.clone()),
        };
        // The shared lock is gone here, so that of several who find an old schema one gets the lock alone.
        match folder.files(Files::Alone)? {
            Some(_alone) => folder.migrate().await?,
            None => tokio::time::sleep(PAUSE).await,
        }
    }
    Err(refused)
}

/// A schema is migrated in one transaction a step, and nobody's tables are replaced under him. But whoever folds would go on
/// from where it was in tables that are empty now, so those of the projections change only while nobody does.
async fn enter_shared(folder: &Folder) -> Result<Lock> {
    let (truth, projections) = (folder.place(Tables::Truth), folder.place(Tables::Projections));
    if !truth.is_current().await? {
        truth.migrate().await?;
    }
    for _ in 0..SHARED_TRIES {
        if projections.is_current().await? {
            return Ok(Lock::none());
        }
        match folder.lock_tables(Role::Project).await {
            Ok(_nobody_folds) => projections.migrate().await?,
            // Another node migrates, or one of another version folds.
            Err(Error::InUse(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Err(Error::OtherVersion(folder.path.clone()))
}

/// Lets a process in that has the tables for itself, with the truth's schema current.
pub(crate) async fn enter_alone(folder: &Folder) -> Result<Lock> {
    if folder.is_shared() {
        folder.place(Tables::Truth).migrate().await?;
        return folder.lock_tables(Role::Project).await;
    }
    let alone = alone(folder).await?;
    folder.place(Tables::Truth).migrate().await?;
    Ok(alone)
}

/// A folder's files for this process alone, as they are.
pub(crate) async fn alone(folder: &Folder) -> Result<Lock> {
    for _ in 0..TRIES {
        if let Some(alone) = folder.files(Files::Alone)? {
            return Ok(alone);
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(Error::FilesInUse(folder.path.clone()))
}

/// How hard tables hold on to what they were told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Every commit is on the disk before it returns.
    Full,
    /// A power cut may take the newest commits; the tables stay whole. For what can be folded again.
    Whole,
}
