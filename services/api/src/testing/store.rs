//! The tables of a site as somebody with the file, or the database, in hand sees them.

use hemu_ledger::Ledger;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions};

use super::postgres_server;

/// A connection that the ledger knows nothing of.
pub(crate) enum Store {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// What is bound to a statement, whose placeholders are `$1` and so on: both know those.
pub(super) enum Value<'v> {
    Text(&'v str),
    Bytes(&'v [u8]),
    Number(i64),
}

/// The same with either, which sqlx has as two types.
macro_rules! run {
    ($connection:expr, $sql:expr, $values:expr) => {{
        let mut query = sqlx::query($sql);
        for value in $values {
            query = match value {
                Value::Text(text) => query.bind(*text),
                Value::Bytes(bytes) => query.bind(*bytes),
                Value::Number(number) => query.bind(*number),
            };
        }
        query.execute($connection).await.unwrap();
    }};
}

impl Store {
    /// Journal and registry.
    pub(super) async fn of(ledger: &Ledger) -> Self {
        let folder = ledger.folder();
        if let Some(server) = postgres_server::given() {
            let options: PgConnectOptions = postgres_server::url_for(&server, folder.path()).parse().unwrap();
            let options = options.options([("search_path", "truth")]);
            return Self::Postgres(options.connect().await.unwrap());
        }
        let file = SqliteConnectOptions::new().filename(folder.truth());
        Self::Sqlite(file.connect().await.unwrap())
    }

    pub(super) async fn run(&mut self, sql: &'static str, values: &[Value<'_>]) {
        match self {
            Self::Sqlite(connection) => run!(connection, sql, values),
            Self::Postgres(connection) => run!(connection, sql, values),
        }
    }

    /// As the ledger does for an act: nobody else writes until this connection is dropped.
    pub(super) async fn hold_writers(&mut self) {
        match self {
            Self::Sqlite(_) => self.run("begin immediate", &[]).await,
            Self::Postgres(_) => {
                self.run("begin", &[]).await;
                let lock = "lock table journal in share row exclusive mode";
                self.run(lock, &[]).await;
            }
        }
    }

    /// Every row of a table as text.
    pub(super) async fn rows(&mut self, table: &str) -> Vec<String> {
        match self {
            Self::Sqlite(connection) => {
                let columns: Vec<String> =
                    sqlx::query_scalar("select 'quote(' || name || ')' from pragma_table_info(?)")
                        .bind(table)
                        .fetch_all(&mut *connection)
                        .await
                        .unwrap();
                let sql = format!("select {} from {table}", columns.join(" || ' ' || "));
                let rows = sqlx::query_scalar(AssertSqlSafe(sql));
                rows.fetch_all(connection).await.unwrap()
            }
            Self::Postgres(connection) => {
                let sql = format!("select row::text from {table} row order by 1");
                let rows = sqlx::query_scalar(AssertSqlSafe(sql));
                rows.fetch_all(connection).await.unwrap()
            }
        }
    }
}
