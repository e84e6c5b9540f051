//! Pools, connections and transactions of either engine.

use std::sync::Arc;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnection, PgPool};
use sqlx::sqlite::{SqliteConnection, SqlitePool};
use sqlx::{Connection as _, Postgres, Sqlite};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::Outcome;

/// Connections that are made when they are asked for.
#[derive(Debug, Clone)]
pub(crate) enum Pool {
    Sqlite(SqlitePool, Turn),
    Postgres(PgPool, Turn),
}

/// Whose turn it is to be alone with the journal. Whoever waits here waits in order and without a connection; in the
/// database they would hold one each, which readers lack, and SQLite's waiting is sleeping and looking again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Turn(Arc<Mutex<()>>);

/// One's own turn, until it is dropped.
pub(crate) type Mine = OwnedMutexGuard<()>;

impl Turn {
    async fn mine(&self) -> Mine {
        Arc::clone(&self.0).lock_owned().await
    }
}

/// A connection of one owner.
#[derive(Debug)]
pub(crate) enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// A connection lent by a pool.
pub(crate) enum Pooled {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

/// Everything until `commit`, or nothing; with the turn of whoever is alone.
pub(crate) enum Transaction<'c> {
    Sqlite(sqlx::Transaction<'c, Sqlite>, Option<Mine>),
    Postgres(sqlx::Transaction<'c, Postgres>, Option<Mine>),
}

/// A connection as a question sees it, whoever owns it.
pub(crate) enum Link<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
}

/// What a snapshot begins with: without it each statement of PostgreSQL's sees a moment of its own.
const SNAPSHOT: &str = "begin isolation level repeatable read read only";

impl Pool {
    /// Reads as of one moment.
    pub(crate) async fn snapshot(&self) -> Outcome<Transaction<'static>> {
        Ok(match self {
            Self::Sqlite(pool, _) => Transaction::Sqlite(pool.begin().await?, None),
            Self::Postgres(pool, _) => Transaction::Postgres(pool.begin_with(SNAPSHOT).await?, None),
        })
    }

    /// A transaction that writes, and during which nobody else appends to the journal: what it saw stays true.
    pub(crate) async fn begin_alone(&self) -> Outcome<Transaction<'static>> {
        match self {
            Self::Sqlite(pool, turn) => {
                let mine = turn.mine().await;
                let transaction = pool.begin_with("begin immediate").await?;
                Ok(Transaction::Sqlite(transaction, Some(mine)))
            }
            Self::Postgres(pool, turn) => {
                let mine = turn.mine().await;
                let mut transaction = pool.begin().await?;
                sqlx::query("lock table journal in share row exclusive mode")
                    .execute(&mut *transaction)
                    .await?;
                Ok(Transaction::Postgres(transaction, Some(mine)))
            }
        }
    }

    /// Keeps everybody waiting who wants to be alone with the journal, until it is dropped.
    pub(crate) async fn hold(&self) -> Mine {
        match self {
            Self::Sqlite(_, turn) | Self::Postgres(_, turn) => turn.mine().await,
        }
    }

    pub(crate) async fn acquire(&self) -> Outcome<Pooled> {
        Ok(match self {
            Self::Sqlite(pool, _) => Pooled::Sqlite(pool.acquire().await?),
            Self::Postgres(pool, _) => Pooled::Postgres(pool.acquire().await?),
        })
    }

    /// Opens every connection to a file that there may be, one after the other.
    pub(crate) async fn open_all(&self) -> Outcome<()> {
        let Self::Sqlite(pool, _) = self else {
            return Ok(());
        };
        let mut held = Vec::new();
        while pool.size() < pool.options().get_max_connections() {
            held.push(pool.acquire().await?);
        }
        Ok(())
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(pool, _) => pool.close().await,
            Self::Postgres(pool, _) => pool.close().await,
        }
    }
}

impl Connection {
    pub(crate) fn link(&mut self) -> Link<'_> {
        match self {
            Self::Sqlite(connection) => Link::Sqlite(connection),
            Self::Postgres(connection) => Link::Postgres(connection),
        }
    }

    /// Whether it still leads anywhere, with no transaction left on it: call it between two.
    pub(crate) async fn answers(&mut self) -> bool {
        match self {
            Self::Sqlite(connection) => at_rest(connection).await,
            Self::Postgres(connection) => connection.ping().await.is_ok(),
        }
    }

    /// Waits until whatever this connection can see is as safe as what it commits. A database that started again after a
    /// crash shows commits that nobody was ever told of, and its synchronous standby may lack them: nothing may be promised
    /// because of them before.
    pub(crate) async fn secure(&mut self) -> Outcome {
        let Self::Postgres(connection) = self else {
            return Ok(());
        };
        // The smallest commit there is, for the log alone: it waits for everything before it, and for the standby.
        sqlx::query(
            "select set_config('synchronous_commit', 'on', true), pg_logical_emit_message(true, 'hemu', ''::text)",
        )
        .execute(connection)
        .await
        .map(|_| ())
    }

    pub(crate) async fn begin(&mut self) -> Outcome<Transaction<'_>> {
        Ok(match self {
            Self::Sqlite(connection) => Transaction::Sqlite(connection.begin().await?, None),
            Self::Postgres(connection) => Transaction::Postgres(connection.begin().await?, None),
        })
    }

    pub(crate) async fn close(self) -> Outcome {
        match self {
            Self::Sqlite(connection) => connection.close().await,
            Self::Postgres(connection) => connection.close().await,
        }
    }
}

/// Whether a connection is in no transaction. SQLite ends one by itself where the disk is full; what is rolled back after
/// that fails, and the driver goes on counting a transaction that is none: everything later on that connection would be
/// refused, or stay without an end. Such a connection is given up.
pub(crate) async fn at_rest(connection: &mut SqliteConnection) -> bool {
    // A transaction that was dropped is rolled back behind whoever dropped it, and before this is answered.
    !connection.is_in_transaction() || (connection.ping().await.is_ok() && !connection.is_in_transaction())
}

impl Pooled {
    pub(crate) fn link(&mut self) -> Link<'_> {
        match self {
            Self::Sqlite(connection) => Link::Sqlite(connection),
            Self::Postgres(connection) => Link::Postgres(connection),
        }
    }
}

impl Transaction<'_> {
    pub(crate) fn link(&mut self) -> Link<'_> {
        match self {
            Self::Sqlite(transaction, _) => Link::Sqlite(transaction),
            Self::Postgres(transaction, _) => Link::Postgres(transaction),
        }
    }

    pub(crate) async fn commit(self) -> Outcome {
        match self {
            Self::Sqlite(transaction, _turn) => transaction.commit().await,
            Self::Postgres(transaction, _turn) => transaction.commit().await,
        }
    }
}
