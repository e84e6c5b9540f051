//! A site's truth from one store to another: journal, registry and what people decided, row by row in one transaction.
//!
//! The journal goes over byte for byte, so that the chain holds there as it did here. What is folded is not copied: it is
//! folded again there. This module must not know what a table means.

use futures::TryStreamExt;
use sqlx::AssertSqlSafe;

use crate::db::{self, Bind, Value};
use crate::error::{Error, InFile, Result};
use crate::ledger::Ledger;
use crate::restore::next_generation;
use crate::rows::{Binds, Rows};

/// Every table of the truth, those that others refer to first.
const TABLES: [&str; 38] = [
    "meta",
    "site_key",
    "estate",
    "station",
    "device",
    "household",
    "household_key",
    "command",
    "journal",
    "words",
    "act",
    "struck",
    "clock_checked",
    "lost_card",
    "red_opt_in",
    "moved",
    "erased",
    "look",
    "roll",
    "edition",
    "place",
    "edition_groups",
    "objection",
    "lease",
    "rule_version",
    "shadow_rule",
    "shadow_edition",
    "shadow_place",
    "bank_key",
    "bank_account",
    "bank_entry",
    "bank_service",
    "account",
    "session",
    "api_token",
    "one_time_code",
    "resident",
    "throttle",
];

/// Bytes of rows that wait to be written.
const AT_ONCE: usize = 8 << 20;
/// And their number.
const ROWS: usize = 4_096;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Int,
    Real,
    Text,
    Bytes,
}

impl Kind {
    fn named(name: &str) -> Self {
        match name.to_ascii_lowercase().as_str() {
            "integer" | "bigint" => Self::Int,
            "real" | "double precision" => Self::Real,
            "blob" | "bytea" => Self::Bytes,
            _ => Self::Text,
        }
    }

    fn read(self, row: &db::Row, index: usize) -> db::Outcome<Value> {
        Ok(match self {
            Self::Int => row.try_get::<Option<i64>, usize>(index)?.value(),
            Self::Real => row.try_get::<Option<f64>, usize>(index)?.value(),
            Self::Text => row.try_get::<Option<String>, usize>(index)?.value(),
            Self::Bytes => row.try_get::<Option<Vec<u8>>, usize>(index)?.value(),
        })
    }
}

impl Ledger {
    /// Copies everything that cannot be folded into another, empty, store; how many batches went over. All or nothing.
    /// The copy has a generation of its own: where it takes the place of a store that has gone on since, devices send again
    /// what they still hold.
    /// Whoever calls sees to it that nobody appends here meanwhile, and folds there afterwards. `progress` gets the
    /// position reached in the journal.
    pub async fn copy_to(&self, target: &Self, now: i64, mut progress: impl FnMut(u64)) -> Result<u64> {
        target.must_be_empty().await?;
        let (here, there) = (self.folder().truth(), target.folder().truth());
        let mut from = self.truth.snapshot().await.of(&here)?;
        let mut to = target.truth.begin_alone().await.of(&there)?;
        let mut batches = 0;
        for table in TABLES {
            let columns = match &target.truth {
                db::Pool::Postgres(..) => columns(&mut to.link(), table).await.of(&there)?,
                db::Pool::Sqlite(..) => columns(&mut from.link(), table).await.of(&here)?,
            };
            let copied = |rows: u64| {
                if table == "journal" {
                    batches = rows;
                    progress(rows);
                }
            };
            copy_table(&mut from.link(), &mut to.link(), table, &columns, copied)
                .await
                .of(&there)?;
        }
        number_on(&mut to.link()).await.of(&there)?;
        let generation = next_generation(self.generation().await?, now).to_string();
        db::query(
            "insert into meta (key, value) values ('generation', ?)
             on conflict (key) do update set value = excluded.value",
        )
        .bind(generation)
        .execute(&mut to.link())
        .await
        .of(&there)?;
        to.commit().await.of(&there)?;
        Ok(batches)
    }

    async fn must_be_empty(&self) -> Result<()> {
        let empty = self.head().await? == 0
            && self.devices().await?.is_empty()
            && self.count_households(None).await? == 0;
        if empty {
            return Ok(());
        }
        Err(Error::Rejected(format!(
            "{} holds a site already; give an empty one to copy into",
            self.folder().truth().display()
        )))
    }
}

/// A table's columns in order.
async fn columns(link: &mut db::Link<'_>, table: &'static str) -> db::Outcome<Vec<(String, Kind)>> {
    let sql = match link {
        db::Link::Sqlite(_) => "select name, type from pragma_table_info(?) order by cid",
        db::Link::Postgres(_) => {
            "select column_name::text, data_type::text from information_schema.columns
             where table_schema = current_schema() and table_name = ? order by ordinal_position"
        }
    };
    let rows: Vec<(String, String)> = db::query_as(sql).bind(table).fetch_all(link).await?;
    Ok(rows
        .into_iter()
        .map(|(name, kind)| (name, Kind::named(&kind)))
        .collect())
}

async fn copy_table(
    from: &mut db::Link<'_>,
    to: &mut db::Link<'_>,
    table: &'static str,
    columns: &[(String, Kind)],
    mut copied: impl FnMut(u64),
) -> db::Outcome {
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    let names = names.join(", ");
    // What a store fills in by itself when it is new gives way to what was chosen.
    let tail = match table {
        "meta" => "on conflict (key) do update set value = excluded.value",
        "site_key" => "on conflict (one) do update set key = excluded.key",
        _ => "",
    };
    let insert = Rows::new(&format!("insert into {table} ({names})"), columns.len(), tail);
    // Batches follow each other: each is stored on the one before.
    let order = if table == "journal" {
        " order by position"
    } else {
        ""
    };
    let select = AssertSqlSafe(format!("select {names} from {table}{order}"));
    let mut rows = db::query(select).fetch(from);
    let (mut waiting, mut bytes, mut done) = (Vec::new(), 0, 0);
    while let Some(row) = rows.try_next().await? {
        let cells = columns.iter().enumerate();
        let cells: Vec<Value> = cells
            .map(|(index, (_, kind))| kind.read(&row, index))
            .collect::<db::Outcome<_>>()?;
        bytes += cells.iter().map(size).sum::<usize>();
        waiting.push(cells);
        if waiting.len() == ROWS || bytes >= AT_ONCE {
            done += waiting.len() as u64;
            insert.write(to, &waiting, all).await?;
            copied(done);
            waiting.clear();
            bytes = 0;
        }
    }
    done += waiting.len() as u64;
    insert.write(to, &waiting, all).await?;
    copied(done);
    Ok(())
}

fn all(binds: &mut Binds, cells: &Vec<Value>) {
    for cell in cells {
        binds.add(cell.clone());
    }
}

fn size(value: &Value) -> usize {
    match value {
        Value::Text(Some(text)) => text.len(),
        Value::Bytes(Some(bytes)) => bytes.len(),
        _ => 8,
    }
}

/// Commands made from now on get numbers of their own; SQLite sees to that by itself.
async fn number_on(to: &mut db::Link<'_>) -> db::Outcome {
    if let db::Link::Postgres(_) = to {
        db::query(
            "select setval(pg_get_serial_sequence('command', 'id'), greatest((select max(id) from command), 1))",
        )
        .fetch_one(to)
        .await?;
    }
    Ok(())
}
