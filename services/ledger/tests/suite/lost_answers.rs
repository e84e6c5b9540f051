//! A PostgreSQL whose answers are lost: what was committed all the same is stored once, however often it is tried again.

use std::time::Duration;

use hemu_ledger::entry::Body;
use hemu_ledger::{Folder, Head, Journal, Ledger, Result};
use hemu_rules::Zone;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::line::Line;
use crate::postgres_server::{Server, database, programs, wait_for_standby};
use crate::site::{NOW, batch, deposit, segment};

/// What statements wait for, as PostgreSQL calls it.
const LOCK: &str = "wait_event_type = 'Lock'";
const STANDBY: &str = "wait_event = 'SyncRep'";
/// Not to store anything, but to be sure of what it sees.
const TO_BE_SURE: &str = "wait_event = 'SyncRep' and query like '%pg_logical_emit_message%'";

/// A ledger at the other end of a line, and a way to its database beside the line.
struct Distant {
    line: Line,
    ledger: Ledger,
    options: PgConnectOptions,
    beside: PgConnection,
    server: Server,
    _dir: TempDir,
}

impl Distant {
    /// With the writer of its journal, which has written one batch; `None` where there is no PostgreSQL.
    async fn with_a_batch() -> Option<(Self, Journal)> {
        let server = Server::start(&programs()?, false);
        let url = database(&server.url(), "distant").await;
        let line = Line::to(&url).await;
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path()).unwrap();
        let folder = folder.with_postgres(&line.of(&url)).unwrap();
        let ledger = Ledger::open(&folder, Zone::SHANGHAI).await.unwrap();
        let mut journal = ledger.journal().await.unwrap();
        append(&mut journal, NOW, 1).await.unwrap();
        let options: PgConnectOptions = url.parse().unwrap();
        let options = options.options([("search_path", "truth")]);
        let distant = Self {
            line,
            ledger,
            beside: options.connect().await.unwrap(),
            options,
            server,
            _dir: dir,
        };
        Some((distant, journal))
    }

    /// Position and time of every batch.
    async fn batches(&mut self) -> Vec<(i64, i64)> {
        let all = sqlx::query_as("select position, at from journal order by position");
        all.fetch_all(&mut self.beside).await.unwrap()
    }

    /// Until so many statements wait for something.
    async fn until_waiting(&mut self, wanted: i64, what: &str) {
        let waiting = format!("select count(*) from pg_stat_activity where {what}");
        let mut tries = 0;
        loop {
            let found = sqlx::query_scalar::<_, i64>(AssertSqlSafe(waiting.as_str()));
            let found = found.fetch_one(&mut self.beside).await.unwrap();
            if found == wanted {
                return;
            }
            tries += 1;
            assert!(
                tries < 1_200,
                "{found} statements wait for {what}, and {wanted} were to"
            );
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    async fn ends_with(&self, journal: &Journal, position: u64) {
        assert_eq!(journal.head().position, position);
        assert_eq!(self.ledger.verify_chain(|_| ()).await.unwrap(), journal.head());
    }
}

/// Appends the batch of one deposit.
async fn append(journal: &mut Journal, at: i64, seq: u64) -> Result<Head> {
    let minutes = i64::try_from(seq).unwrap();
    let (records, body) = batch(&[segment("C1", [(seq, Body::Deposit(deposit("H1", minutes)))])]);
    journal.append(at, records, &body).await
}

/// The same beside whatever else is done.
fn appending(mut journal: Journal, at: i64, seq: u64) -> JoinHandle<(Journal, Result<Head>)> {
    tokio::spawn(async move {
        let outcome = append(&mut journal, at, seq).await;
        (journal, outcome)
    })
}

#[tokio::test]
async fn a_batch_whose_answer_was_lost_is_stored_once_however_often_it_is_tried() {
    let Some((mut distant, mut journal)) = Distant::with_a_batch().await else {
        return;
    };
    distant.line.swallow_the_next_answer();
    for later in 1..4 {
        let lost = append(&mut journal, NOW + later, 2).await;
        assert!(lost.is_err(), "{lost:?}");
    }
    assert_eq!(distant.batches().await, [(1, NOW), (2, NOW + 1)]);

    distant.line.mend();
    append(&mut journal, NOW + 8, 2).await.unwrap();
    append(&mut journal, NOW + 9, 3).await.unwrap();
    assert_eq!(distant.batches().await, [(1, NOW), (2, NOW + 1), (3, NOW + 9)]);
    distant.ends_with(&journal, 3).await;
}

#[tokio::test]
async fn a_batch_that_is_still_on_its_way_when_it_is_tried_again_is_stored_once() {
    let Some((mut distant, journal)) = Distant::with_a_batch().await else {
        return;
    };
    let mut other = distant.options.connect().await.unwrap();
    let mut held = other.begin().await.unwrap();
    sqlx::query("lock table journal in exclusive mode")
        .execute(&mut *held)
        .await
        .unwrap();

    let lost = appending(journal, NOW + 1, 2);
    distant.until_waiting(1, LOCK).await;
    // The database does not notice, and does what it was told when it can.
    distant.line.cut();
    let (journal, lost) = lost.await.unwrap();
    assert!(lost.is_err(), "{lost:?}");
    distant.line.mend();
    let again = appending(journal, NOW + 2, 2);
    distant.until_waiting(2, LOCK).await;
    held.commit().await.unwrap();

    let (journal, stored) = again.await.unwrap();
    assert_eq!(stored.unwrap(), journal.head());
    assert_eq!(distant.batches().await, [(1, NOW), (2, NOW + 1)]);
    distant.ends_with(&journal, 2).await;
}

#[tokio::test]
async fn what_another_appended_meanwhile_is_not_taken_for_what_was_tried() {
    let Some((mut distant, mut journal)) = Distant::with_a_batch().await else {
        return;
    };
    let mut another = distant.ledger.journal().await.unwrap();
    append(&mut another, NOW + 1, 7).await.unwrap();
    distant.line.cut();
    assert!(append(&mut journal, NOW + 2, 2).await.is_err());
    distant.line.mend();
    append(&mut journal, NOW + 3, 2).await.unwrap();
    assert_eq!(distant.batches().await.len(), 3);
    distant.ends_with(&journal, 3).await;
}

/// A database that crashed while it waited for its standby shows, once it is back, what the standby never had.
#[tokio::test]
async fn what_the_standby_may_lack_is_neither_acknowledged_nor_folded() {
    let Some((mut distant, journal)) = Distant::with_a_batch().await else {
        return;
    };
    let server = distant.server.url();
    wait_for_standby(&server, "somebody").await;
    let lost = appending(journal, NOW + 1, 2);
    distant.until_waiting(1, STANDBY).await;
    let end = "select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'";
    sqlx::query(end).execute(&mut distant.beside).await.unwrap();

    // The connection is gone, and the batch is there: the writer finds it by itself, and waits all the same.
    distant.until_waiting(1, TO_BE_SURE).await;
    assert_eq!(distant.batches().await, [(1, NOW), (2, NOW + 1)]);
    let ledger = distant.ledger.clone();
    let projector = tokio::spawn(async move { ledger.projector().await.map(|_| ()) });
    distant.until_waiting(2, TO_BE_SURE).await;
    assert!(!lost.is_finished() && !projector.is_finished());

    wait_for_standby(&server, "").await;
    let (journal, stored) = lost.await.unwrap();
    assert_eq!(stored.unwrap(), journal.head());
    projector.await.unwrap().unwrap();
    distant.ends_with(&journal, 2).await;
}
