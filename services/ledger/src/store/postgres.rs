//! Schemas of a PostgreSQL: how they are opened, migrated, locked and replaced.

use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use super::{Durability, Lock, Role};
use crate::db::Outcome;
use crate::error::{Error, InFile, Result};

pub(super) static TRUTH: Migrator = sqlx::migrate!("./migrations/postgres/truth");
pub(super) static PROJECTIONS: Migrator = sqlx::migrate!("./migrations/postgres/projections");

/// Advisory locks are numbers of one database; these are ours.
const MIGRATE: i64 = 0x6865_6d75_0000_0001;
const PROJECT: i64 = 0x6865_6d75_0000_0002;
const VERIFY: i64 = 0x6865_6d75_0000_0003;

/// How long whoever asks waits for a database that does not answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a URL says, without what it must not decide.
pub(super) fn options(url: &str) -> Result<PgConnectOptions> {
    PgConnectOptions::from_str(url)
        .map(|options| options.application_name("hemu").statement_cache_capacity(512))
        // The error could quote the URL, and with it the password.
        .map_err(|_| {
            Error::Rejected(
                "expected a store like postgres://user:password@host:5432/database, and it could not be read as one"
                    .into(),
            )
        })
}

fn in_schema(options: &PgConnectOptions, schema: &str, durability: Durability) -> PgConnectOptions {
    let synchronous = match durability {
        // Also waits for the synchronous standby, where there is one.
        Durability::Full => "on",
        Durability::Whole => "off",
    };
    options
        .clone()
        .options([("search_path", schema), ("synchronous_commit", synchronous)])
        .disable_statement_logging()
}

pub(super) async fn connect(
    options: &PgConnectOptions,
    schema: &str,
    durability: Durability,
) -> Outcome<PgConnection> {
    in_schema(options, schema, durability).connect().await
}

pub(super) fn pool(options: &PgConnectOptions, schema: &str, durability: Durability) -> PgPool {
    PgPoolOptions::new()
        .max_connections(8)
        .acquire_timeout(PATIENCE)
        .connect_lazy_with(in_schema(options, schema, durability))
}

/// Version and checksum of every migration a schema has been through.
pub(super) async fn applied(options: &PgConnectOptions, schema: &str) -> Outcome<Vec<(i64, Vec<u8>)>> {
    let mut connection = connect(options, schema, Durability::Full).await?;
    let table =
        sqlx::query("select 1 from pg_tables where schemaname = $1 and tablename = '_sqlx_migrations'")
            .bind(schema)
            .fetch_optional(&mut connection)
            .await?;
    if table.is_none() {
        return Ok(Vec::new());
    }
    sqlx::query_as("select version, checksum from _sqlx_migrations where success order by version")
        .fetch_all(&mut connection)
        .await
}

/// One node migrates, the others wait and find it done.
pub(super) async fn migrate(
    options: &PgConnectOptions,
    schema: &str,
    migrator: &Migrator,
) -> Outcome<std::result::Result<(), MigrateError>> {
    let mut connection = connect(options, schema, Durability::Full).await?;
    let encoding: String = sqlx::query_scalar("show server_encoding")
        .fetch_one(&mut connection)
        .await?;
    if encoding != "UTF8" {
        return Err(sqlx::Error::Configuration(
            format!("expected a database made with encoding UTF8, and this one has {encoding}").into(),
        ));
    }
    sqlx::query("select pg_advisory_lock($1)")
        .bind(MIGRATE)
        .execute(&mut connection)
        .await?;
    let make = AssertSqlSafe(format!("create schema if not exists {schema}"));
    sqlx::query(make).execute(&mut connection).await?;
    let outcome = migrator.run(&mut connection).await;
    connection.close().await?;
    Ok(outcome)
}

/// A lock that lives as long as a connection of its own; `None` while another has it.
pub(super) async fn lock(options: &PgConnectOptions, role: Role) -> Result<Option<Lock>> {
    let place = std::path::Path::new("postgres");
    let mut connection = connect(options, "truth", Durability::Full).await.of(place)?;
    let taken = try_lock(&mut connection, role).await.of(place)?;
    Ok(taken.then(|| Lock::of_session(connection)))
}

/// Takes a lock for as long as a connection lives, so that whoever lost the connection lost the lock with it.
pub(crate) async fn try_lock(connection: &mut PgConnection, role: Role) -> Outcome<bool> {
    let number = match role {
        // Every node serves, and none copies tables of a database.
        Role::Serve | Role::Backup => return Ok(true),
        Role::Project => PROJECT,
        Role::Verify => VERIFY,
    };
    sqlx::query_scalar("select pg_try_advisory_lock($1)")
        .bind(number)
        .fetch_one(connection)
        .await
}

/// Gives its locks back before it ends: a database notices an end a moment later.
pub(crate) async fn unlock(connection: &mut PgConnection) -> Outcome {
    let all = sqlx::query("select pg_advisory_unlock_all()");
    all.execute(connection).await.map(|_| ())
}

pub(super) async fn remove(options: &PgConnectOptions, schema: &str) -> Outcome {
    let mut connection = connect(options, schema, Durability::Full).await?;
    let drop = AssertSqlSafe(format!("drop schema if exists {schema} cascade"));
    sqlx::query(drop).execute(&mut connection).await?;
    connection.close().await
}

/// All or nothing; whoever asks meanwhile sees the one or the other.
pub(super) async fn replace(options: &PgConnectOptions, new: &str, old: &str) -> Outcome {
    let mut connection = connect(options, old, Durability::Full).await?;
    let mut transaction = connection.begin().await?;
    for sql in [
        format!("drop schema if exists {old} cascade"),
        format!("alter schema {new} rename to {old}"),
    ] {
        sqlx::query(AssertSqlSafe(sql)).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    connection.close().await
}
