//! Columns and rows as Rust values: numbers are 64-bit integers in both engines and checked into what is asked for.

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{ColumnIndex, Row as _, TypeInfo, ValueRef};

use super::{Outcome, Row};

/// What a column can be read as.
pub(crate) trait Cell<'r>: Sized {
    fn of_sqlite(row: &'r SqliteRow, column: impl ColumnIndex<SqliteRow>) -> Outcome<Self>;
    fn of_postgres(row: &'r PgRow, column: impl ColumnIndex<PgRow>) -> Outcome<Self>;
}

macro_rules! as_it_is {
    ($($type:ty),*) => {$(
        impl<'r> Cell<'r> for $type {
            fn of_sqlite(row: &'r SqliteRow, column: impl ColumnIndex<SqliteRow>) -> Outcome<Self> {
                row.try_get(column)
            }
            fn of_postgres(row: &'r PgRow, column: impl ColumnIndex<PgRow>) -> Outcome<Self> {
                row.try_get(column)
            }
        }
        impl<'r> Cell<'r> for Option<$type> {
            fn of_sqlite(row: &'r SqliteRow, column: impl ColumnIndex<SqliteRow>) -> Outcome<Self> {
                row.try_get(column)
            }
            fn of_postgres(row: &'r PgRow, column: impl ColumnIndex<PgRow>) -> Outcome<Self> {
                row.try_get(column)
            }
        }
    )*};
}
as_it_is!(f64, String, Vec<u8>, &'r str, &'r [u8]);

/// A number, as PostgreSQL has it: a literal is 32 bits wide there, and a truth is no number.
fn integer(row: &PgRow, index: usize) -> Outcome<Option<i64>> {
    let name = row.try_get_raw(index)?.type_info().name().to_owned();
    match name.as_str() {
        "BOOL" => row.try_get::<Option<bool>, _>(index).map(|it| it.map(i64::from)),
        "INT4" => row.try_get::<Option<i32>, _>(index).map(|it| it.map(i64::from)),
        _ => row.try_get(index),
    }
}

fn null(column: usize) -> sqlx::Error {
    sqlx::Error::ColumnDecode {
        index: column.to_string(),
        source: "expected a number, came null".into(),
    }
}

impl<'r> Cell<'r> for Option<i64> {
    fn of_sqlite(row: &'r SqliteRow, column: impl ColumnIndex<SqliteRow>) -> Outcome<Self> {
        row.try_get(column)
    }

    fn of_postgres(row: &'r PgRow, column: impl ColumnIndex<PgRow>) -> Outcome<Self> {
        integer(row, column.index(row)?)
    }
}

impl<'r> Cell<'r> for i64 {
    fn of_sqlite(row: &'r SqliteRow, column: impl ColumnIndex<SqliteRow>) -> Outcome<Self> {
        row.try_get(column)
    }

    fn of_postgres(row: &'r PgRow, column: impl ColumnIndex<PgRow>) -> Outcome<Self> {
        let column = column.index(row)?;
        integer(row, column)?.ok_or_else(|| null(column))
    }
}

macro_rules! narrower {
    ($($type:ty),*) => {$(
        impl<'r> Cell<'r> for $type {
            fn of_sqlite(row: &'r SqliteRow, column: impl ColumnIndex<SqliteRow>) -> Outcome<Self> {
                let column = column.index(row)?;
                narrow(i64::of_sqlite(row, column)?, column)
            }
            fn of_postgres(row: &'r PgRow, column: impl ColumnIndex<PgRow>) -> Outcome<Self> {
                let column = column.index(row)?;
                narrow(i64::of_postgres(row, column)?, column)
            }
        }
        impl<'r> Cell<'r> for Option<$type> {
            fn of_sqlite(row: &'r SqliteRow, column: impl ColumnIndex<SqliteRow>) -> Outcome<Self> {
                let column = column.index(row)?;
                let found = Option::<i64>::of_sqlite(row, column)?;
                found.map(|found| narrow(found, column)).transpose()
            }
            fn of_postgres(row: &'r PgRow, column: impl ColumnIndex<PgRow>) -> Outcome<Self> {
                let column = column.index(row)?;
                let found = Option::<i64>::of_postgres(row, column)?;
                found.map(|found| narrow(found, column)).transpose()
            }
        }
    )*};
}
narrower!(i32, u32, u16, u8);

fn narrow<T: TryFrom<i64>>(found: i64, column: usize) -> Outcome<T> {
    T::try_from(found).map_err(|_| sqlx::Error::ColumnDecode {
        index: column.to_string(),
        source: format!("{found} is out of range").into(),
    })
}

impl<'r> Cell<'r> for bool {
    fn of_sqlite(row: &'r SqliteRow, column: impl ColumnIndex<SqliteRow>) -> Outcome<Self> {
        i64::of_sqlite(row, column).map(|it| it != 0)
    }

    fn of_postgres(row: &'r PgRow, column: impl ColumnIndex<PgRow>) -> Outcome<Self> {
        i64::of_postgres(row, column).map(|it| it != 0)
    }
}

/// What a whole row can be read as.
pub(crate) trait FromRow: Sized {
    fn from_row(row: &Row) -> Outcome<Self>;
}

macro_rules! tuples {
    ($(($($name:ident $index:literal),+);)*) => {$(
        impl<$($name: for<'r> Cell<'r>),+> FromRow for ($($name,)+) {
            fn from_row(row: &Row) -> Outcome<Self> {
                Ok(($(row.try_get::<$name, usize>($index)?,)+))
            }
        }
    )*};
}
tuples! {
    (A 0);
    (A 0, B 1);
    (A 0, B 1, C 2);
    (A 0, B 1, C 2, D 3);
}

/// Reads a struct's fields from columns of the same names.
macro_rules! from_columns {
    ($type:ident { $($field:ident),+ $(,)? }) => {
        impl $crate::db::FromRow for $type {
            fn from_row(row: &$crate::db::Row) -> $crate::db::Outcome<Self> {
                Ok(Self { $($field: row.try_get(stringify!($field))?,)+ })
            }
        }
    };
}
pub(crate) use from_columns;
