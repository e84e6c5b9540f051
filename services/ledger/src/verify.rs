//! Checks that the journal is whole and that the projections are what it adds up to; and folds them again.

use futures::TryStreamExt;
use sqlx::AssertSqlSafe;

use crate::anchor::Anchors;
use crate::db;
use crate::error::{InFile, Result};
use crate::journal::{self, Head, Position};
use crate::ledger::Ledger;
use crate::project::{Guard, Projector};
use crate::store::{Place, Role, Tables};

/// Every table of the projections and the columns its rows are ordered by.
const TABLES: [(&str, &str); 20] = [
    ("device", "no"),
    ("household", "no"),
    ("cursor", "device, boot"),
    ("seen", "device, boot, block"),
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
    ("conflicting", "device, boot"),
    ("progress", "one"),
];

impl Ledger {
    /// Walks the hash chain from the first batch; the head it ends with. `progress` gets the position reached.
    /// Batches cut off at the end are missed where the projections know of them, or a head noted outside the database.
    pub async fn verify_chain(&self, mut progress: impl FnMut(Position)) -> Result<Head> {
        let mut projections = self
            .projections
            .acquire()
            .await
            .of(&self.folder().projections())?;
        let folded = self.folded_in(&mut projections.link()).await?;
        drop(projections);
        let anchors = Anchors::of(self.folder())?;
        let mut head = Head::default();
        loop {
            let batches = self.batches(head.position, 64).await?;
            if batches.is_empty() {
                anchors.reached(&head)?;
                journal::anchored(&self.truth, &folded).await?;
                return Ok(head);
            }
            for batch in &batches {
                head = journal::check(&head, batch)?;
                anchors.check(&head)?;
            }
            progress(head.position);
        }
    }

    /// Folds the journal again beside the projections and what acts left, and compares every row; then each household's row
    /// with its digest. The first that differs is named.
    /// The projections are read as of one moment, so a server may go on folding meanwhile; `Err(InUse)` while another
    /// check runs.
    pub async fn verify_projections(&self, progress: impl FnMut(Position)) -> Result<Option<String>> {
        let _lock = self.folder().lock_tables(Role::Verify).await?;
        let mut snapshot = self
            .projections
            .snapshot()
            .await
            .of(&self.folder().projections())?;
        let applied = self.folded_in(&mut snapshot.link()).await?.position;
        let beside = self.folder().place_named(Tables::Projections, "verify");
        beside.remove().await?;
        self.fold_into(&beside, applied, progress).await?;
        let again = beside.pool();
        let outcome = differences(&mut snapshot.link(), &again, &TABLES, applied)
            .await
            .of(&self.folder().projections());
        // Closed before it is removed, or SQLite would tidy up after a file that is another's by then.
        again.close().await;
        beside.remove().await?;
        match outcome? {
            None => {}
            difference => return Ok(difference),
        }
        match self.verify_acts().await? {
            None => self.verify_register().await,
            difference => Ok(difference),
        }
    }

    async fn folded_in(&self, projections: &mut db::Link<'_>) -> Result<Head> {
        let path = self.folder().projections();
        let row = db::query("select applied, hash from progress").fetch_one(projections);
        journal::folded(&row.await.of(&path)?).of(&path)
    }

    pub(crate) async fn fold_into(
        &self,
        place: &Place,
        until: Position,
        mut progress: impl FnMut(Position),
    ) -> Result<u64> {
        place.migrate().await?;
        let truth = self.truth.clone();
        let mut projector = Projector::open(truth, place.clone(), Guard::Lock, self.zone(), until).await?;
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
    stored: &mut db::Link<'_>,
    again: &db::Pool,
    tables: &[(&str, &str)],
    position: Position,
) -> std::result::Result<Option<String>, sqlx::Error> {
    for (table, key) in tables {
        let sql = format!("select * from {table} order by {key}");
        let mut ours = db::query(AssertSqlSafe(sql.clone())).fetch(&mut *stored);
        let mut theirs = db::query(AssertSqlSafe(sql)).fetch(again);
        loop {
            let (our, their) = (ours.try_next().await?, theirs.try_next().await?);
            match (
                our.as_ref().map(db::Row::shown),
                their.as_ref().map(db::Row::shown),
            ) {
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

impl Ledger {
    /// The engine's own check of truth and projections; what it found wrong.
    pub async fn integrity(&self) -> Result<[Option<String>; 2]> {
        let folder = self.folder();
        let truth = integrity(&self.truth).await.of(&folder.truth())?;
        let projections = integrity(&self.projections).await.of(&folder.projections())?;
        Ok([truth, projections])
    }
}

async fn integrity(pool: &db::Pool) -> db::Outcome<Option<String>> {
    if let db::Pool::Postgres(..) = pool {
        // Its own tools look after its pages; that it answers is all there is to ask.
        return db::query("select 1").fetch_one(pool).await.map(|_| None);
    }
    let answer: String = db::query_scalar("pragma quick_check(1)").fetch_one(pool).await?;
    Ok((answer != "ok").then_some(answer))
}
