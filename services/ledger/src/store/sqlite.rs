//! SQLite files: how they are opened, migrated and removed.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection};

use super::Durability;
use crate::db::{self, Outcome};
use crate::error::{Error, InFile, Result};

pub(super) static TRUTH: Migrator = sqlx::migrate!("./migrations/truth");
pub(super) static PROJECTIONS: Migrator = sqlx::migrate!("./migrations/projections");

/// What the truth's write-ahead log is cut back to when it starts again; a longer one wants a checkpoint.
pub const LOG_BYTES: u64 = 16 << 20;

/// Connections that read, of one file.
const READERS: u32 = 8;

/// How often it is tried to empty the log beside whoever reads.
const WIPES: usize = 10;

fn options(path: &Path, durability: Durability) -> SqliteConnectOptions {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .busy_timeout(Duration::from_secs(30))
        .foreign_keys(true)
        // The projector's statements in all their shapes, and what else a connection is asked.
        .statement_cache_capacity(256)
        .disable_statement_logging();
    match durability {
        // The committer's file is checkpointed beside the commit path, never inside it.
        Durability::Full => options
            .synchronous(SqliteSynchronous::Full)
            // What is erased is written over, not only unlinked.
            .pragma("secure_delete", "on")
            .pragma("wal_autocheckpoint", "0")
            .pragma("journal_size_limit", LOG_BYTES.to_string()),
        Durability::Whole => options
            .synchronous(SqliteSynchronous::Normal)
            .pragma("wal_autocheckpoint", "8000")
            .pragma("cache_size", "-131072"),
    }
}

pub(super) async fn connect(path: &Path, durability: Durability) -> Outcome<SqliteConnection> {
    options(path, durability).connect().await
}

pub(super) fn pool(path: &Path, durability: Durability) -> SqlitePool {
    // Readers take turns, so that each of them fills its own: the system keeps what they read as well.
    let options = options(path, durability).pragma("cache_size", "-4096");
    SqlitePoolOptions::new()
        .max_connections(READERS)
        // One that is open stays: there is nothing to win by opening a file again.
        .idle_timeout(None)
        .max_lifetime(None)
        .after_release(|connection, _| Box::pin(async { Ok(db::at_rest(connection).await) }))
        .connect_lazy_with(options)
}

/// Version and checksum of every migration a file has been through.
pub(super) async fn applied(path: &Path, durability: Durability) -> Outcome<Vec<(i64, Vec<u8>)>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let mut connection = connect(path, durability).await?;
    let applied = applied_in(&mut connection).await;
    connection.close().await?;
    applied
}

async fn applied_in(connection: &mut SqliteConnection) -> Outcome<Vec<(i64, Vec<u8>)>> {
    let table = sqlx::query("select 1 from sqlite_master where name = '_sqlx_migrations'");
    if table.fetch_optional(&mut *connection).await?.is_none() {
        return Ok(Vec::new());
    }
    sqlx::query_as("select version, checksum from _sqlx_migrations where success order by version")
        .fetch_all(connection)
        .await
}

pub(super) async fn migrate(
    path: &Path,
    durability: Durability,
    migrator: &Migrator,
) -> Outcome<std::result::Result<(), MigrateError>> {
    let mut connection = connect(path, durability).await?;
    let outcome = migrator.run(&mut connection).await;
    connection.close().await?;
    Ok(outcome)
}

/// Has everything of a database in its one file, on the disk, with nothing open.
pub(crate) async fn settle(path: &Path) -> Result<()> {
    let mut connection = connect(path, Durability::Full).await.of(path)?;
    let moved = sqlx::query("pragma wal_checkpoint(truncate)")
        .fetch_one(&mut connection)
        .await;
    connection.close().await.of(path)?;
    moved.of(path)?;
    let synced = File::open(path).and_then(|file| file.sync_all());
    synced.map_err(|source| Error::Folder {
        path: path.to_owned(),
        source,
    })
}

/// Empties the write-ahead log of a file that others have open; whether nobody was in the way.
pub(crate) async fn truncate_log(place: &super::Place) -> Result<bool> {
    let mut connection = place.connect().await?;
    let emptied = emptied(&mut connection.link()).await;
    connection.close().await.of(&place.shown())?;
    emptied.of(&place.shown())
}

async fn emptied(link: &mut db::Link<'_>) -> Outcome<bool> {
    // Whoever appends waits meanwhile, so it is not held up for long.
    db::query("pragma busy_timeout = 200").execute(&mut *link).await?;
    for _ in 0..WIPES {
        let row = db::query("pragma wal_checkpoint(truncate)")
            .fetch_one(&mut *link)
            .await?;
        if row.try_get::<i64, usize>(0)? == 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Deletes a database file with what SQLite keeps beside it.
pub(crate) fn remove(path: &Path) -> Result<()> {
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
