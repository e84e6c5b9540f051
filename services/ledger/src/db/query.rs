//! A question and its parameters, put to either engine.

use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{StreamExt, TryFutureExt, TryStreamExt};
use sqlx::{AssertSqlSafe, Executor, PgExecutor, Postgres, Sqlite, SqliteExecutor};

use super::value::{by_column, for_postgres, for_sqlite};
use super::{Bind, Cell, FromRow, Link, Outcome, Pool, Row, Value};

/// Text that no outside hand wrote.
pub(crate) trait SqlText {
    fn text(self) -> Arc<str>;
}

impl SqlText for &'static str {
    fn text(self) -> Arc<str> {
        self.into()
    }
}

impl SqlText for AssertSqlSafe<String> {
    fn text(self) -> Arc<str> {
        self.0.into()
    }
}

/// A question with its parameters in order.
#[derive(Debug)]
pub(crate) struct Query {
    sql: Arc<str>,
    values: Vec<Value>,
    /// For PostgreSQL: the values are whole rows of this many, each column one array.
    rows_of: Option<usize>,
}

/// Rows that an order changed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Done(pub(super) u64);

impl Done {
    pub(crate) fn rows_affected(self) -> u64 {
        self.0
    }
}

pub(crate) fn query(sql: impl SqlText) -> Query {
    Query::new(sql.text(), Vec::new(), None)
}

impl Query {
    pub(crate) fn new(sql: Arc<str>, values: Vec<Value>, rows_of: Option<usize>) -> Self {
        Self { sql, values, rows_of }
    }

    pub(crate) fn bind(mut self, value: impl Bind) -> Self {
        self.values.push(value.value());
        self
    }

    pub(crate) async fn execute<'e>(self, on: impl Runner<'e>) -> Outcome<Done> {
        on.execute(self).await
    }

    pub(crate) async fn fetch_all<'e>(self, on: impl Runner<'e>) -> Outcome<Vec<Row>> {
        on.fetch(self).try_collect().await
    }

    pub(crate) async fn fetch_optional<'e>(self, on: impl Runner<'e>) -> Outcome<Option<Row>> {
        on.fetch_optional(self).await
    }

    pub(crate) async fn fetch_one<'e>(self, on: impl Runner<'e>) -> Outcome<Row> {
        self.fetch_optional(on).await?.ok_or(sqlx::Error::RowNotFound)
    }

    /// Row by row: for answers that need not fit into memory.
    pub(crate) fn fetch<'e>(self, on: impl Runner<'e>) -> BoxStream<'e, Outcome<Row>> {
        on.fetch(self)
    }

    fn sqlite(self) -> Outcome<sqlx::query::Query<'static, Sqlite, sqlx::sqlite::SqliteArguments>> {
        let arguments = for_sqlite(self.values)?;
        Ok(sqlx::query_with(AssertSqlSafe(self.sql), arguments))
    }

    fn postgres(self) -> Outcome<sqlx::query::Query<'static, Postgres, sqlx::postgres::PgArguments>> {
        let arguments = match self.rows_of {
            None => for_postgres(self.values)?,
            Some(width) => by_column(self.values, width)?,
        };
        Ok(sqlx::query_with(AssertSqlSafe(numbered(&self.sql)), arguments))
    }
}

/// PostgreSQL's placeholders for SQLite's: `?` counts on, `?2` is the second.
fn numbered(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len() + 16);
    let (mut last, mut parts) = (0, sql.split('?'));
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        out.push('$');
        if !part.starts_with(|c: char| c.is_ascii_digit()) {
            last += 1;
            out.push_str(&last.to_string());
        }
        out.push_str(part);
    }
    out
}

/// A question whose rows are read as something.
#[derive(Debug)]
pub(crate) struct QueryAs<T> {
    query: Query,
    read: fn(&Row) -> Outcome<T>,
}

pub(crate) fn query_as<T: FromRow>(sql: impl SqlText) -> QueryAs<T> {
    QueryAs {
        query: query(sql),
        read: T::from_row,
    }
}

/// Its first column alone.
pub(crate) fn query_scalar<T: for<'r> Cell<'r>>(sql: impl SqlText) -> QueryAs<T> {
    QueryAs {
        query: query(sql),
        read: |row| row.try_get::<T, usize>(0),
    }
}

impl<T> QueryAs<T> {
    pub(crate) fn bind(mut self, value: impl Bind) -> Self {
        self.query = self.query.bind(value);
        self
    }

    pub(crate) async fn fetch_all<'e>(self, on: impl Runner<'e>) -> Outcome<Vec<T>> {
        let rows = self.query.fetch_all(on).await?;
        rows.iter().map(self.read).collect()
    }

    pub(crate) async fn fetch_optional<'e>(self, on: impl Runner<'e>) -> Outcome<Option<T>> {
        let row = self.query.fetch_optional(on).await?;
        row.as_ref().map(self.read).transpose()
    }

    pub(crate) async fn fetch_one<'e>(self, on: impl Runner<'e>) -> Outcome<T> {
        (self.read)(&self.query.fetch_one(on).await?)
    }
}

/// Whoever a question can be put to.
pub(crate) trait Runner<'e>: Send + Sized {
    fn execute(self, query: Query) -> BoxFuture<'e, Outcome<Done>>;
    fn fetch(self, query: Query) -> BoxStream<'e, Outcome<Row>>;
    fn fetch_optional(self, query: Query) -> BoxFuture<'e, Outcome<Option<Row>>>;
}

fn failed<'e, T: Send + 'e>(error: sqlx::Error) -> BoxFuture<'e, Outcome<T>> {
    Box::pin(std::future::ready(Err(error)))
}

fn no_rows<'e>(error: sqlx::Error) -> BoxStream<'e, Outcome<Row>> {
    futures::stream::once(std::future::ready(Err(error))).boxed()
}

fn execute_on_sqlite<'e>(on: impl SqliteExecutor<'e> + 'e, query: Query) -> BoxFuture<'e, Outcome<Done>> {
    match query.sqlite() {
        Ok(query) => Box::pin(Executor::execute(on, query).map_ok(|done| Done(done.rows_affected()))),
        Err(error) => failed(error),
    }
}

fn execute_on_postgres<'e>(on: impl PgExecutor<'e> + 'e, query: Query) -> BoxFuture<'e, Outcome<Done>> {
    match query.postgres() {
        Ok(query) => Box::pin(Executor::execute(on, query).map_ok(|done| Done(done.rows_affected()))),
        Err(error) => failed(error),
    }
}

impl<'e> Runner<'e> for &'e Pool {
    fn execute(self, query: Query) -> BoxFuture<'e, Outcome<Done>> {
        match self {
            Pool::Sqlite(pool, _) => execute_on_sqlite(pool, query),
            Pool::Postgres(pool, _) => execute_on_postgres(pool, query),
        }
    }

    fn fetch(self, query: Query) -> BoxStream<'e, Outcome<Row>> {
        match self {
            Pool::Sqlite(pool, _) => fetch_on_sqlite(pool, query),
            Pool::Postgres(pool, _) => fetch_on_postgres(pool, query),
        }
    }

    fn fetch_optional(self, query: Query) -> BoxFuture<'e, Outcome<Option<Row>>> {
        match self {
            Pool::Sqlite(pool, _) => one_on_sqlite(pool, query),
            Pool::Postgres(pool, _) => one_on_postgres(pool, query),
        }
    }
}

impl<'e> Runner<'e> for &'e mut Link<'_> {
    fn execute(self, query: Query) -> BoxFuture<'e, Outcome<Done>> {
        match self {
            Link::Sqlite(connection) => execute_on_sqlite(&mut **connection, query),
            Link::Postgres(connection) => execute_on_postgres(&mut **connection, query),
        }
    }

    fn fetch(self, query: Query) -> BoxStream<'e, Outcome<Row>> {
        match self {
            Link::Sqlite(connection) => fetch_on_sqlite(&mut **connection, query),
            Link::Postgres(connection) => fetch_on_postgres(&mut **connection, query),
        }
    }

    fn fetch_optional(self, query: Query) -> BoxFuture<'e, Outcome<Option<Row>>> {
        match self {
            Link::Sqlite(connection) => one_on_sqlite(&mut **connection, query),
            Link::Postgres(connection) => one_on_postgres(&mut **connection, query),
        }
    }
}

fn fetch_on_sqlite<'e>(on: impl SqliteExecutor<'e> + 'e, query: Query) -> BoxStream<'e, Outcome<Row>> {
    match query.sqlite() {
        Ok(query) => Executor::fetch(on, query).map_ok(Row::Sqlite).boxed(),
        Err(error) => no_rows(error),
    }
}

fn fetch_on_postgres<'e>(on: impl PgExecutor<'e> + 'e, query: Query) -> BoxStream<'e, Outcome<Row>> {
    match query.postgres() {
        Ok(query) => Executor::fetch(on, query).map_ok(Row::Postgres).boxed(),
        Err(error) => no_rows(error),
    }
}

fn one_on_sqlite<'e>(on: impl SqliteExecutor<'e> + 'e, query: Query) -> BoxFuture<'e, Outcome<Option<Row>>> {
    match query.sqlite() {
        Ok(query) => Box::pin(Executor::fetch_optional(on, query).map_ok(|row| row.map(Row::Sqlite))),
        Err(error) => failed(error),
    }
}

fn one_on_postgres<'e>(on: impl PgExecutor<'e> + 'e, query: Query) -> BoxFuture<'e, Outcome<Option<Row>>> {
    match query.postgres() {
        Ok(query) => Box::pin(Executor::fetch_optional(on, query).map_ok(|row| row.map(Row::Postgres))),
        Err(error) => failed(error),
    }
}

#[cfg(test)]
mod tests {
    use super::numbered;

    #[test]
    fn placeholders_are_numbered_as_sqlite_counts_them() {
        assert_eq!(numbered("select ?, ?, ?"), "select $1, $2, $3");
        assert_eq!(numbered("?2 is null or a = ?1"), "$2 is null or a = $1");
        assert_eq!(numbered("select 1"), "select 1");
    }
}
