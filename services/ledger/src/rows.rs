//! Many rows in one statement: the difference between 100 and 10 microseconds a row.

use std::sync::Arc;

use sqlx::error::BoxDynError;
use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{Arguments, AssertSqlSafe, Encode, Sqlite, Type};

/// Rows a statement; each shape is prepared once and kept.
const SHAPES: [usize; 3] = [128, 16, 1];

/// One statement with its parameters.
type Statement = (AssertSqlSafe<Arc<str>>, SqliteArguments);

/// A statement that takes any number of rows: `head values (...), (...) tail`.
#[derive(Debug)]
pub(crate) struct Rows {
    shapes: [(usize, Arc<str>); 3],
}

/// Collects the parameters of a statement; the first failure is kept.
#[derive(Default)]
pub(crate) struct Binds {
    arguments: SqliteArguments,
    failed: Option<BoxDynError>,
}

impl Binds {
    pub(crate) fn add<'v, T: Encode<'v, Sqlite> + Type<Sqlite> + 'v>(&mut self, value: T) -> &mut Self {
        if let Err(error) = self.arguments.add(value) {
            self.failed.get_or_insert(error);
        }
        self
    }

    /// SQLite's integers are signed; the bits are kept.
    pub(crate) fn bits(&mut self, value: u64) -> &mut Self {
        self.add(value.cast_signed())
    }

    pub(crate) fn done(self) -> Result<SqliteArguments, sqlx::Error> {
        self.failed
            .map_or(Ok(self.arguments), |error| Err(sqlx::Error::Encode(error)))
    }
}

impl Rows {
    /// `head` ends before `values`; `tail` is what follows the rows (an `on conflict` clause, or the end of a
    /// `with` query). Both are literals of this crate: no outside text ever becomes SQL.
    pub(crate) fn new(head: &'static str, width: usize, tail: &'static str) -> Self {
        let row = format!("({})", vec!["?"; width].join(", "));
        Self {
            shapes: SHAPES.map(|count| {
                let rows = vec![row.as_str(); count].join(", ");
                (count, format!("{head} values {rows} {tail}").into())
            }),
        }
    }

    /// The statements and parameters for these rows.
    pub(crate) fn split<'r, T>(
        &self,
        mut rows: &'r [T],
        bind: impl Fn(&mut Binds, &'r T),
    ) -> Result<Vec<Statement>, sqlx::Error> {
        let mut statements = Vec::new();
        for (count, sql) in &self.shapes {
            while let Some((head, rest)) = rows.split_at_checked(*count) {
                let mut binds = Binds::default();
                for row in head {
                    bind(&mut binds, row);
                }
                statements.push((AssertSqlSafe(sql.clone()), binds.done()?));
                rows = rest;
            }
        }
        Ok(statements)
    }

    /// Runs the statement for all rows.
    pub(crate) async fn write<'r, T>(
        &self,
        connection: &mut SqliteConnection,
        rows: &'r [T],
        bind: impl Fn(&mut Binds, &'r T),
    ) -> Result<(), sqlx::Error> {
        for (sql, arguments) in self.split(rows, bind)? {
            sqlx::query_with(sql, arguments).execute(&mut *connection).await?;
        }
        Ok(())
    }

    /// Runs the statement for all rows and collects what it answers.
    pub(crate) async fn fetch<'r, T>(
        &self,
        connection: &mut SqliteConnection,
        rows: &'r [T],
        bind: impl Fn(&mut Binds, &'r T),
    ) -> Result<Vec<sqlx::sqlite::SqliteRow>, sqlx::Error> {
        let mut found = Vec::new();
        for (sql, arguments) in self.split(rows, bind)? {
            found.extend(
                sqlx::query_with(sql, arguments)
                    .fetch_all(&mut *connection)
                    .await?,
            );
        }
        Ok(found)
    }
}
