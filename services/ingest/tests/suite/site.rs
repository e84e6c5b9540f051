//! A data folder of a test with a committer at work.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use hemu_ingest::commit::Signals;
use hemu_ingest::{Clock, Committer, Intake, Metrics, Owed, Submission, fold};
use hemu_ledger::entry::{Body, Deposit};
use hemu_ledger::segment::Segment;
use hemu_ledger::{Folder, Ledger};
use hemu_rules::{Bp, By, Grams, Millis, Permille, Stream, Zone};
use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tempfile::TempDir;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// 2026-01-01 00:00 in Shanghai.
pub(crate) const MIDNIGHT: i64 = 20_454 * 86_400_000 - 8 * 3_600_000;
pub(crate) const HOUR: i64 = 3_600_000;
/// Where every test's clock stands: a year later.
pub(crate) const NOW: i64 = MIDNIGHT + 365 * 24 * HOUR;

pub(crate) fn clock() -> Clock {
    Arc::new(|| NOW)
}

pub(crate) struct Site {
    pub(crate) dir: TempDir,
    pub(crate) ledger: Ledger,
}

impl Site {
    pub(crate) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path()).unwrap();
        let ledger = Ledger::open(&folder, Zone::SHANGHAI).await.unwrap();
        Self { dir, ledger }
    }

    /// Another process's view of the same folder.
    pub(crate) async fn beside(&self) -> Ledger {
        Ledger::open(self.ledger.folder(), Zone::SHANGHAI).await.unwrap()
    }

    /// A connection that does to the journal what the ledger never would.
    pub(crate) async fn truth(&self) -> SqliteConnection {
        connect(self.ledger.folder().truth()).await
    }

    /// The same for the projections.
    pub(crate) async fn projections(&self) -> SqliteConnection {
        connect(self.ledger.folder().projections()).await
    }

    pub(crate) async fn append(&self, segment: &Segment) {
        let mut body = Vec::new();
        let records = segment.write(&mut body, |_| true);
        let mut journal = self.ledger.journal().await.unwrap();
        journal.append(NOW, records, &body).await.unwrap();
    }

    pub(crate) async fn fold(&self) {
        let (mut projector, _lock) = self.ledger.projector().await.unwrap();
        fold::catch_up(&mut projector, |_| {}).await.unwrap();
        projector.close().await.unwrap();
    }

    pub(crate) async fn commit(&self) -> Desk {
        let (desk, held) = self.commit_held().await;
        held.send(()).unwrap();
        desk
    }

    /// The same, but it begins only when told: until then everything submitted waits.
    pub(crate) async fn commit_held(&self) -> (Desk, oneshot::Sender<()>) {
        let metrics = Metrics::new(&prometheus::Registry::new()).unwrap();
        let (_checkpoints, seen) = watch::channel(0);
        let (committer, intake, signals) = Committer::new(&self.ledger, clock(), metrics.clone(), seen)
            .await
            .unwrap();
        let abandon = CancellationToken::new();
        let (release, held) = oneshot::channel();
        let task = tokio::spawn({
            let abandon = abandon.clone();
            async move {
                held.await.unwrap();
                committer.run(abandon).await;
            }
        });
        let desk = Desk {
            intake,
            signals,
            metrics,
            abandon,
            task,
            asked: AtomicU32::new(0),
        };
        (desk, release)
    }
}

async fn connect(file: PathBuf) -> SqliteConnection {
    SqliteConnectOptions::new()
        .filename(file)
        .connect()
        .await
        .unwrap()
}

/// A committer at work.
pub(crate) struct Desk {
    pub(crate) intake: Intake,
    pub(crate) signals: Signals,
    pub(crate) metrics: Metrics,
    pub(crate) abandon: CancellationToken,
    pub(crate) task: JoinHandle<()>,
    /// How often it was asked who is owed a receipt.
    asked: AtomicU32,
}

impl Desk {
    /// Submits a segment; the receiver hears the position of the last commit at the time of the acknowledgement.
    pub(crate) async fn submit(&self, segment: Segment) -> oneshot::Receiver<u64> {
        self.submit_as(false, segment).await
    }

    /// The same from somebody who has little waiting, or much.
    pub(crate) async fn submit_as(&self, brief: bool, segment: Segment) -> oneshot::Receiver<u64> {
        let (told, hear) = oneshot::channel();
        let committed = self.signals.committed.clone();
        let submission = Submission {
            segments: vec![segment],
            brief,
            stored: Box::new(move || {
                let position = *committed.borrow();
                told.send(position).unwrap();
            }),
        };
        self.intake.submit(submission).await;
        hear
    }

    /// Who is owed a receipt, a second after this was asked before.
    pub(crate) async fn owed(&self) -> Vec<Owed> {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
        let now = Instant::now() + Duration::from_secs(asked.into());
        self.intake.owed(now).await.unwrap()
    }

    /// Ends in order; what was queued is stored first.
    pub(crate) async fn end(self) {
        drop(self.intake);
        self.task.await.unwrap();
    }
}

/// Lets every other task get as far as it can: some dozens of turns, and of answers from the database's thread.
pub(crate) async fn settle(ledger: &Ledger) {
    for _ in 0..20 {
        tokio::task::yield_now().await;
        ledger.head().await.unwrap();
    }
}

/// A deposit of 700 g of food, read by a camera, some minutes past 2026-01-01 00:00 in Shanghai.
pub(crate) fn deposit(household: &str, minutes: i64) -> Body<'_> {
    Body::Deposit(Deposit {
        at: Millis::clamped(MIDNIGHT + minutes * 60_000),
        household: Some(household),
        bag: None,
        stream: Stream::Food,
        weight: Grams::clamped(700),
        quality: Bp::clamped(8_000),
        confidence: Permille::MAX,
        by: By::Camera,
    })
}

/// Records `from..=to` of boot 1 of a device.
pub(crate) fn segment(device: &str, from: u64, to: u64) -> Segment {
    of_boot(device, 1, from, to)
}

pub(crate) fn of_boot(device: &str, boot: u64, from: u64, to: u64) -> Segment {
    let mut segment = Segment::of_device(device, boot, from);
    for seq in from..=to {
        segment.push(seq, &deposit("H1", seq.cast_signed()));
    }
    segment
}
