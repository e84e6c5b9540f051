//! The tables of a site as somebody with the files, or the database, in hand sees them.

use hemu_ledger::Folder;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ColumnIndex, ConnectOptions, Decode, Row, Type};

use crate::postgres_server;

/// A connection that the ledger knows nothing of.
pub(crate) enum Raw {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Raw {
    /// For what only a file can be made to hold.
    pub(crate) fn file(&mut self) -> Option<&mut SqliteConnection> {
        match self {
            Self::Sqlite(connection) => Some(connection),
            Self::Postgres(_) => None,
        }
    }
}

pub(crate) async fn connect(folder: &Folder, projections: bool) -> Raw {
    if let Some(server) = postgres_server::given() {
        let schema = if projections { "projections" } else { "truth" };
        let options: PgConnectOptions = postgres_server::url_for(&server, folder.path()).parse().unwrap();
        let options = options.options([("search_path", schema)]);
        return Raw::Postgres(options.connect().await.unwrap());
    }
    let file = if projections {
        folder.projections()
    } else {
        folder.truth()
    };
    let options = SqliteConnectOptions::new().filename(file);
    Raw::Sqlite(options.connect().await.unwrap())
}

/// Runs SQL that the ledger itself would never run; whether it was done.
pub(crate) async fn attempt(connection: &mut Raw, sql: &str) -> Result<(), sqlx::Error> {
    let sql = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
    match connection {
        Raw::Sqlite(connection) => sql.execute(connection).await.map(|_| ()),
        Raw::Postgres(connection) => sql.execute(connection).await.map(|_| ()),
    }
}

/// The same, of what must be done.
pub(crate) async fn run(connection: &mut Raw, sql: &str) {
    attempt(connection, sql).await.unwrap();
}

/// Every row of an answer as text.
pub(crate) async fn rows(connection: &mut Raw, sql: &str) -> Vec<String> {
    let query = AssertSqlSafe(sql.to_owned());
    match connection {
        Raw::Sqlite(connection) => {
            let found = sqlx::query(query).fetch_all(connection).await.unwrap();
            found.iter().map(text).collect()
        }
        Raw::Postgres(connection) => {
            let found = sqlx::query(query).fetch_all(connection).await.unwrap();
            found.iter().map(text).collect()
        }
    }
}

fn text<R>(row: &R) -> String
where
    R: Row,
    usize: ColumnIndex<R>,
    for<'r> i64: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> String: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> Vec<u8>: Decode<'r, R::Database> + Type<R::Database>,
{
    let cell = |index: usize| {
        row.try_get::<Option<i64>, _>(index)
            .map(|value| format!("{value:?}"))
            .or_else(|_| {
                let text = row.try_get::<Option<String>, _>(index);
                text.map(|text| text.unwrap_or_else(|| "None".into()))
            })
            .or_else(|_| row.try_get::<Vec<u8>, _>(index).map(|bytes| format!("{bytes:?}")))
            .unwrap()
    };
    (0..row.len()).map(cell).collect::<Vec<_>>().join(" ")
}
