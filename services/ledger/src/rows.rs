//! Many rows in one statement: the difference between 100 and 10 microseconds a row.

use std::sync::Arc;

use crate::db::{Bind, Link, Outcome, Query, Row, Value};

/// Rows a statement of SQLite's; each shape is prepared once and kept. A statement goes to SQLite's thread and back, so the
/// largest is as large as the number of parameters allows.
const SHAPES: [usize; 4] = [1_024, 128, 16, 1];
/// Rows a statement of PostgreSQL's: one array a column, whatever their number.
const UNNESTED: usize = 4_096;

/// A statement that takes any number of rows: `head values (...), (...) tail`, and for PostgreSQL
/// `head select * from unnest(...) tail`.
#[derive(Debug)]
pub(crate) struct Rows {
    width: usize,
    shapes: [(usize, Arc<str>); 4],
    unnested: Arc<str>,
}

/// Collects the parameters of a statement.
#[derive(Default)]
pub(crate) struct Binds(Vec<Value>);

impl Binds {
    pub(crate) fn add(&mut self, value: impl Bind) -> &mut Self {
        self.0.push(value.value());
        self
    }

    /// Integers are signed in both engines; the bits are kept.
    pub(crate) fn bits(&mut self, value: u64) -> &mut Self {
        self.add(value.cast_signed())
    }
}

impl Rows {
    /// `head` ends before `values`; `tail` is what follows the rows (an `on conflict` clause, or the end of a
    /// `with` query). Both are of this crate's making: no outside text ever becomes SQL.
    pub(crate) fn new(head: &str, width: usize, tail: &str) -> Self {
        let marks = vec!["?"; width].join(", ");
        let row = format!("({marks})");
        // Whoever writes many rows takes the whole transaction back when a statement fails. So SQLite need not be able to take
        // back the one statement, for which it would copy every page before changing it.
        let unguarded = head.replacen("insert into", "insert or fail into", 1);
        Self {
            width,
            shapes: SHAPES.map(|count| {
                let rows = vec![row.as_str(); count].join(", ");
                (count, format!("{unguarded} values {rows} {tail}").into())
            }),
            unnested: format!("{head} select * from unnest({marks}) {tail}").into(),
        }
    }

    /// The statements for these rows, each with its parameters: made one after the other, for together they would be several
    /// times what the rows are.
    fn statements<'r, T>(
        &self,
        unnested: bool,
        mut rows: &'r [T],
        bind: impl Fn(&mut Binds, &'r T),
    ) -> impl Iterator<Item = Query> {
        std::iter::from_fn(move || {
            let (count, sql, rows_of) = if unnested {
                (rows.len().min(UNNESTED), &self.unnested, Some(self.width))
            } else {
                let (count, sql) = self.shapes.iter().find(|(count, _)| *count <= rows.len())?;
                (*count, sql, None)
            };
            let (some, rest) = rows.split_at_checked(count).filter(|_| count > 0)?;
            rows = rest;
            let mut binds = Binds(Vec::with_capacity(count * self.width));
            for row in some {
                bind(&mut binds, row);
            }
            Some(Query::new(sql.clone(), binds.0, rows_of))
        })
    }

    /// Runs the statement for all rows. Only inside a transaction that an error takes back: some rows may be in it by then.
    pub(crate) async fn write<'r, T>(
        &self,
        connection: &mut Link<'_>,
        rows: &'r [T],
        bind: impl Fn(&mut Binds, &'r T),
    ) -> Outcome {
        for query in self.statements(matches!(connection, Link::Postgres(_)), rows, bind) {
            query.execute(&mut *connection).await?;
        }
        Ok(())
    }

    /// Runs the statement for all rows and collects what it answers.
    pub(crate) async fn fetch<'r, T>(
        &self,
        connection: &mut Link<'_>,
        rows: &'r [T],
        bind: impl Fn(&mut Binds, &'r T),
    ) -> Outcome<Vec<Row>> {
        let mut found = Vec::new();
        for query in self.statements(matches!(connection, Link::Postgres(_)), rows, bind) {
            found.extend(query.fetch_all(&mut *connection).await?);
        }
        Ok(found)
    }
}
