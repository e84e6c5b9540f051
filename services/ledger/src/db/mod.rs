//! The two engines behind one type: SQLite in a file, PostgreSQL in a schema.
//!
//! A question is written once, in the SQL both speak, with SQLite's placeholders (`?`, `?1`). Every number is a 64-bit
//! integer in both. This module must not know what a table means.

mod cell;
mod engine;
mod query;
mod row;
mod value;

pub(crate) use cell::{Cell, FromRow, from_columns};
pub(crate) use engine::{Connection, Link, Pool, Transaction, Turn, at_rest};
pub(crate) use query::{Done, Query, Runner, query, query_as, query_scalar};
pub(crate) use row::Row;
pub(crate) use value::{Bind, Value};

pub(crate) type Outcome<T = ()> = Result<T, sqlx::Error>;
