//! One set of tables: a SQLite file, or a schema of a PostgreSQL.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::PgConnectOptions;

use super::{Durability, postgres, sqlite};
use crate::db;
use crate::error::{Error, InFile, Result};

/// Which tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tables {
    /// Journal, registry and acts.
    Truth,
    /// What is folded from the journal.
    Projections,
}

impl Tables {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Truth => "truth",
            Self::Projections => "projections",
        }
    }

    fn durability(self) -> Durability {
        match self {
            Self::Truth => Durability::Full,
            Self::Projections => Durability::Whole,
        }
    }
}

/// Where a set of tables lives.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    tables: Tables,
    at: At,
}

#[derive(Debug, Clone)]
enum At {
    File(PathBuf),
    Schema(Arc<PgConnectOptions>, &'static str),
}

impl Place {
    pub(super) fn file(tables: Tables, folder: &Path, name: &str) -> Self {
        // The truth keeps the name it had when it was the only file.
        let name = if name == "truth" { "hemu" } else { name };
        Self {
            tables,
            at: At::File(folder.join(format!("{name}.db"))),
        }
    }

    pub(super) fn schema(tables: Tables, options: &Arc<PgConnectOptions>, name: &'static str) -> Self {
        Self {
            tables,
            at: At::Schema(options.clone(), name),
        }
    }

    /// For messages; a password never shows.
    pub(crate) fn shown(&self) -> PathBuf {
        match &self.at {
            At::File(path) => path.clone(),
            At::Schema(options, name) => {
                let (host, port) = (options.get_host(), options.get_port());
                let database = options.get_database().unwrap_or_default();
                format!("postgres://{host}:{port}/{database} ({name})").into()
            }
        }
    }

    /// One connection for the tables' only writer.
    pub(crate) async fn connect(&self) -> Result<db::Connection> {
        match &self.at {
            At::File(path) => sqlite::connect(path, self.tables.durability())
                .await
                .map(db::Connection::Sqlite),
            At::Schema(options, name) => postgres::connect(options, name, self.tables.durability())
                .await
                .map(db::Connection::Postgres),
        }
        .of(&self.shown())
    }

    /// Connections for everybody who reads (and for the registry's rare, small writes), made when they are asked for.
    pub(crate) fn pool(&self) -> db::Pool {
        match &self.at {
            At::File(path) => {
                let pool = sqlite::pool(path, self.tables.durability());
                db::Pool::Sqlite(pool, db::Turn::default())
            }
            At::Schema(options, name) => {
                let pool = postgres::pool(options, name, self.tables.durability());
                db::Pool::Postgres(pool, db::Turn::default())
            }
        }
    }

    fn migrator(&self) -> &'static Migrator {
        match (&self.at, self.tables) {
            (At::File(_), Tables::Truth) => &sqlite::TRUTH,
            (At::File(_), Tables::Projections) => &sqlite::PROJECTIONS,
            (At::Schema(..), Tables::Truth) => &postgres::TRUTH,
            (At::Schema(..), Tables::Projections) => &postgres::PROJECTIONS,
        }
    }

    /// Whether the tables are there with this version's schema.
    pub(crate) async fn is_current(&self) -> Result<bool> {
        let applied = match &self.at {
            At::File(path) => sqlite::applied(path, self.tables.durability()).await,
            At::Schema(options, name) => postgres::applied(options, name).await,
        };
        let applied = applied.of(&self.shown())?;
        let known = newest(self.migrator());
        if let Some((found, _)) = applied.iter().find(|(version, _)| *version > known) {
            return Err(self.newer(*found));
        }
        let ours = self
            .migrator()
            .iter()
            .map(|step| (step.version, step.checksum.to_vec()));
        Ok(ours.eq(applied))
    }

    /// Brings the schema up to this version, in one transaction a step.
    pub(crate) async fn migrate(&self) -> Result<()> {
        let migrator = self.migrator();
        let outcome = match &self.at {
            At::File(path) => sqlite::migrate(path, self.tables.durability(), migrator).await,
            At::Schema(options, name) => postgres::migrate(options, name, migrator).await,
        };
        match outcome.of(&self.shown())? {
            Ok(()) => Ok(()),
            Err(MigrateError::VersionMissing(found) | MigrateError::VersionTooNew(found, _)) => {
                Err(self.newer(found))
            }
            Err(other) => Err(sqlx::Error::Migrate(Box::new(other))).of(&self.shown()),
        }
    }

    fn newer(&self, found: i64) -> Error {
        Error::Newer {
            path: self.shown(),
            found,
            known: newest(self.migrator()),
        }
    }

    /// Drops the tables with all that is in them.
    pub(crate) async fn remove(&self) -> Result<()> {
        match &self.at {
            At::File(path) => sqlite::remove(path),
            At::Schema(options, name) => postgres::remove(options, name).await.of(&self.shown()),
        }
    }

    /// Takes the place of other tables, which are dropped.
    pub(crate) async fn replace(self, old: &Self) -> Result<()> {
        match (self.at, &old.at) {
            (At::File(new), At::File(old)) => {
                sqlite::remove(old)?;
                std::fs::rename(&new, old).map_err(|source| Error::Folder { path: new, source })
            }
            (At::Schema(options, new), At::Schema(_, name)) => {
                postgres::replace(&options, new, name).await.of(&old.shown())
            }
            _ => Err(Error::Rejected(
                "tables of a file cannot take the place of a schema's".into(),
            )),
        }
    }
}

fn newest(migrator: &Migrator) -> i64 {
    migrator.iter().map(|step| step.version).max().unwrap_or_default()
}
