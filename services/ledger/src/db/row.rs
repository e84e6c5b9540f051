//! What a question is answered with.

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Column, ColumnIndex, TypeInfo, ValueRef};

use super::{Cell, Outcome};

/// One row.
#[derive(Debug)]
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    /// A column by its name or number.
    pub(crate) fn try_get<'r, T, I>(&'r self, column: I) -> Outcome<T>
    where
        T: Cell<'r>,
        I: ColumnIndex<SqliteRow> + ColumnIndex<PgRow>,
    {
        match self {
            Self::Sqlite(row) => T::of_sqlite(row, column),
            Self::Postgres(row) => T::of_postgres(row, column),
        }
    }

    /// The row as text that names no content beyond numbers: for whoever looks for damage.
    pub(crate) fn shown(&self) -> String {
        let cells: Vec<String> = match self {
            Self::Sqlite(row) => shown(row, |index| cell(row, index)),
            Self::Postgres(row) => shown(row, |index| cell(row, index)),
        };
        cells.join(" ")
    }
}

fn shown<R: sqlx::Row>(row: &R, cell: impl Fn(usize) -> String) -> Vec<String> {
    let columns = row.columns().iter();
    columns
        .map(|column| format!("{}={}", column.name(), cell(column.ordinal())))
        .collect()
}

fn cell<R>(row: &R, index: usize) -> String
where
    R: sqlx::Row,
    usize: ColumnIndex<R>,
    for<'r> i64: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    for<'r> f64: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    for<'r> Vec<u8>: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    for<'r> String: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
{
    let Ok(value) = row.try_get_raw(index) else {
        return "?".into();
    };
    let unreadable = || "?".to_owned();
    match value.type_info().name() {
        _ if value.is_null() => "null".into(),
        "REAL" | "FLOAT8" => row
            .try_get::<f64, _>(index)
            .map_or_else(|_| unreadable(), |n| n.to_string()),
        "INTEGER" | "INT8" => row
            .try_get::<i64, _>(index)
            .map_or_else(|_| unreadable(), |n| n.to_string()),
        "BLOB" | "BYTEA" => row.try_get::<Vec<u8>, _>(index).map_or_else(
            |_| unreadable(),
            |b| format!("{} bytes {:016x}", b.len(), xxhash_rust::xxh3::xxh3_64(&b)),
        ),
        _ => row.try_get::<String, _>(index).map_or_else(
            |_| unreadable(),
            |t| format!("text {:016x}", xxhash_rust::xxh3::xxh3_64(t.as_bytes())),
        ),
    }
}
