//! Checks that the journal is whole and that the projections are what it adds up to; and folds them again.

use std::path::Path;

use futures::TryStreamExt;
use sqlx::sqlite::{SqliteConnection, SqlitePool, SqliteRow};
use sqlx::{AssertSqlSafe, Column, Row, TypeInfo, ValueRef};

use crate::error::{InFile, Result};
use crate::journal::{self, Head, Position};
use crate::ledger::Ledger;
use crate::project::Projector;
use crate::store::{self, Durability, Role};

/// Every table of the projections and the columns its rows are ordered by.
const TABLES: [(&str, &str); 19] = [
    ("device", "no"),
    ("household", "no"),
    ("cursor", "device, boot"),
    ("seen", "device, boot, first_seq"),
    ("imported", "id"),
    ("ignored", "position, idx"),
    ("reading", "day, household, bag, position, idx"),
    ("day_sums", "day, block"),
    ("pair", "device, day"),
    ("shared", "day, inspector, colleague"),
    ("inspected", "inspector, day, household"),
    ("tally", "day, device"),
    ("bin", "device, stream"),
    ("incident", "position, idx"),
    ("lost", "position, idx"),
    ("quarantine", "position, idx"),
    ("lost_card", "token"),
    ("moved", "token, day"),
    ("progress", "one"),
];

impl Ledger {
    /// Walks the hash chain from the first batch; the head it ends with. `progress` gets the position reached.
    /// Batches cut off at the end are missed where the projections know of them.
    pub async fn verify_chain(&self, mut progress: impl FnMut(Position)) -> Result<Head> {
        let mut projections = self
            .projections
            .acquire()
            .await
            .of(&self.folder().projections())?;
        let folded = self.folded_in(&mut projections).await?;
        drop(projections);
        let mut head = Head::default();
        loop {
            let batches = self.batches(head.position, 64).await?;
            if batches.is_empty() {
                journal::anchored(&self.truth, &folded).await?;
                return Ok(head);
            }
            for batch in &batches {
                head = journal::check(&head, batch)?;
            }
            progress(head.position);
        }
    }

    /// Folds the journal again beside the projections and what acts left, and compares every row; the first that differs
    /// is named.
    /// The projections are read as of one moment, so a server may go on folding meanwhile; `Err(InUse)` while another
    /// check runs.
    pub async fn verify_projections(&self, progress: impl FnMut(Position)) -> Result<Option<String>> {
        let _lock = self.folder().lock(Role::Verify)?;
        let mut snapshot = self.projections.begin().await.of(&self.folder().projections())?;
        let applied = self.folded_in(&mut snapshot).await?.position;
        let beside = self.folder().path().join("verify.db");
        store::remove_database(&beside)?;
        self.fold_into(&beside, applied, progress).await?;
        let again = store::pool(&beside, Durability::Whole);
        let outcome = differences(&mut snapshot, &again, &TABLES, applied)
            .await
            .of(&self.folder().projections());
        // Closed before it is removed, or SQLite would tidy up after a file that is another's by then.
        again.close().await;
        store::remove_database(&beside)?;
        match outcome? {
            None => self.verify_acts().await,
            difference => Ok(difference),
        }
    }

    async fn folded_in(&self, projections: &mut SqliteConnection) -> Result<Head> {
        let path = self.folder().projections();
        let row = sqlx::query("select applied, hash from progress").fetch_one(projections);
        journal::folded(&row.await.of(&path)?).of(&path)
    }

    pub(crate) async fn fold_into(
        &self,
        path: &Path,
        until: Position,
        mut progress: impl FnMut(Position),
    ) -> Result<u64> {
        store::migrate_projections(path).await?;
        let connection = store::connect(path, Durability::Whole).await?;
        let mut projector = Projector::open(
            self.truth.clone(),
            path.to_owned(),
            connection,
            self.zone(),
            until,
        )
        .await?;
        let mut records = 0;
        loop {
            let step = projector.step().await?;
            records += step.records;
            progress(step.applied);
            if step.records == 0 {
                projector.close().await?;
                return Ok(records);
            }
        }
    }
}

/// The first row of some tables that is not the same in both files.
pub(crate) async fn differences(
    stored: &mut SqliteConnection,
    again: &SqlitePool,
    tables: &[(&str, &str)],
    position: Position,
) -> std::result::Result<Option<String>, sqlx::Error> {
    for (table, key) in tables {
        let sql = format!("select * from {table} order by {key}");
        let mut ours = sqlx::query(AssertSqlSafe(sql.clone())).fetch(&mut *stored);
        let mut theirs = sqlx::query(AssertSqlSafe(sql)).fetch(again);
        loop {
            let (our, their) = (ours.try_next().await?, theirs.try_next().await?);
            match (our.as_ref().map(show), their.as_ref().map(show)) {
                (None, None) => break,
                (our, their) if our == their => {}
                (our, their) => {
                    let nothing = || "no row".to_owned();
                    return Ok(Some(format!(
                        "table {table} (batch {position}): stored {}, the journal says {}; run `hemu rebuild`",
                        our.unwrap_or_else(nothing),
                        their.unwrap_or_else(nothing)
                    )));
                }
            }
        }
    }
    Ok(None)
}

/// A row as text. Household tokens are hidden: this goes to a terminal.
fn show(row: &SqliteRow) -> String {
    let cell = |column: &sqlx::sqlite::SqliteColumn| -> String {
        let index = column.ordinal();
        let Ok(value) = row.try_get_raw(index) else {
            return "?".into();
        };
        let text = match value.type_info().name() {
            _ if value.is_null() => "null".into(),
            "REAL" => row.try_get::<f64, _>(index).map_or("?".into(), |n| n.to_string()),
            "INTEGER" => row.try_get::<i64, _>(index).map_or("?".into(), |n| n.to_string()),
            "BLOB" => row.try_get::<Vec<u8>, _>(index).map_or("?".into(), |b| {
                format!("{} bytes {:016x}", b.len(), xxhash_rust::xxh3::xxh3_64(&b))
            }),
            _ => row.try_get::<String, _>(index).map_or("?".into(), |t| {
                format!("text {:016x}", xxhash_rust::xxh3::xxh3_64(t.as_bytes()))
            }),
        };
        format!("{}={text}", column.name())
    };
    row.columns().iter().map(cell).collect::<Vec<_>>().join(" ")
}

impl Ledger {
    /// SQLite's own check of both files (`hemu.db`, `projections.db`); what it found wrong.
    pub async fn integrity(&self) -> Result<[Option<String>; 2]> {
        let folder = self.folder();
        let truth = integrity(&self.truth).await.of(&folder.truth())?;
        let projections = integrity(&self.projections).await.of(&folder.projections())?;
        Ok([truth, projections])
    }
}

async fn integrity(pool: &SqlitePool) -> std::result::Result<Option<String>, sqlx::Error> {
    let row = sqlx::query("pragma quick_check(1)").fetch_one(pool).await?;
    let answer: String = row.try_get(0)?;
    Ok((answer != "ok").then_some(answer))
}
