//! The committer: one task between all front doors and the journal.
//!
//! Natural group commit: whatever queued while the last batch was on its way to the disk is the next batch. There is
//! no timer to wait for and nothing to tune. Back-pressure is the bounded queue and the acknowledgement not given.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hemu_ledger::cursor::{Cursor, Known};
use hemu_ledger::segment::{Mark, Segment};
use hemu_ledger::{Journal, Ledger, Position};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::Clock;
use crate::cursors::{Cursors, Owed};
use crate::metrics::Metrics;
use crate::receipts;

/// Submissions that may wait in one lane; a front door that finds it full waits too.
const QUEUE: usize = 1_024;
/// KiB of memory that submissions may hold while they wait or are being stored.
const BULK_KIB: u32 = 56 * 1_024;
/// The same for brief ones, which have room of their own.
const BRIEF_KIB: u32 = 8 * 1_024;
/// Records of a batch before which brief ones go first; then it is the others' turn.
const BRIEF_RECORDS: u64 = BATCH_RECORDS as u64 / 2;
/// Records after which a batch is closed.
const BATCH_RECORDS: usize = 10_000;
/// Bytes after which a batch is closed.
const BATCH_BYTES: usize = 4 << 20;
/// Pauses between attempts while the store fails.
const RETRY: [Duration; 4] = [
    Duration::from_millis(50),
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(2),
];

/// Records to store, and whom to tell when they are.
pub struct Submission {
    pub segments: Vec<Segment>,
    /// Whether whoever sends it has little waiting: it need not wait behind those who bring much.
    pub brief: bool,
    /// Called once the records are on the disk; dropped uncalled when the server ends first.
    pub stored: Box<dyn FnOnce() + Send>,
}

impl fmt::Debug for Submission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Submission")
            .field("segments", &self.segments.len())
            .field("brief", &self.brief)
            .finish_non_exhaustive()
    }
}

#[derive(Debug)]
enum Order {
    Store(Submission, OwnedSemaphorePermit),
    /// A device came online and should hear where it stands.
    Greet(String),
    /// Whoever sends the receipts asks for those that are owed.
    Settle(Instant, oneshot::Sender<Vec<Owed>>),
}

/// The front doors' end of the queue. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Intake {
    brief: Lane,
    bulk: Lane,
}

/// One of two queues into the committer. A thousand devices that come back with weeks of readings fill one of them; in the
/// other a bag that was thrown in now is at the front.
#[derive(Debug, Clone)]
struct Lane {
    orders: mpsc::Sender<Order>,
    room: Arc<Semaphore>,
    room_kib: u32,
}

impl Lane {
    fn new(room_kib: u32) -> (Self, mpsc::Receiver<Order>) {
        let (orders, taken) = mpsc::channel(QUEUE);
        let room = Arc::new(Semaphore::new(room_kib as usize));
        let lane = Self {
            orders,
            room,
            room_kib,
        };
        (lane, taken)
    }

    /// Waits for room. The committer is gone only while the server ends; nothing is acknowledged then.
    async fn store(&self, submission: Submission) {
        let memory: usize = submission.segments.iter().map(Segment::memory).sum();
        let kib = u32::try_from(memory / 1_024 + 1).unwrap_or(u32::MAX);
        let room = self.room.clone().acquire_many_owned(kib.min(self.room_kib));
        if let Ok(room) = room.await {
            self.order(Order::Store(submission, room)).await;
        }
    }

    async fn order(&self, order: Order) {
        drop(self.orders.send(order).await);
    }
}

impl Intake {
    /// Queues a submission, waiting for room. Dropped when the committer has ended.
    pub async fn submit(&self, submission: Submission) {
        let lane = if submission.brief { &self.brief } else { &self.bulk };
        lane.store(submission).await;
    }

    /// Asks for a receipt for a device that came online.
    pub async fn greet(&self, device: &str) {
        self.brief.order(Order::Greet(device.to_owned())).await;
    }

    /// Where every device stands that had something stored, or came online, since it was told, and was told nothing in the
    /// second before `now`. Waits while a batch is on its way to the disk; `None` when the committer has ended.
    pub async fn owed(&self, now: Instant) -> Option<Vec<Owed>> {
        let (answer, owed) = oneshot::channel();
        self.brief.order(Order::Settle(now, answer)).await;
        owed.await.ok()
    }
}

/// Stores submissions in batches.
#[derive(Debug)]
pub struct Committer {
    journal: Journal,
    orders: Orders,
    cursors: Cursors,
    clock: Time,
    committed: watch::Sender<Position>,
    healthy: watch::Sender<bool>,
    metrics: Metrics,
    checkpoints: watch::Receiver<u64>,
    checkpoint_seen: u64,
}

/// The committer's end of both lanes.
#[derive(Debug)]
struct Orders {
    brief: mpsc::Receiver<Order>,
    bulk: mpsc::Receiver<Order>,
}

impl Orders {
    /// Waits for the next one; `None` when every [`Intake`] is dropped and nothing is left.
    async fn next(&mut self) -> Option<Order> {
        tokio::select! {
            biased;
            Some(order) = self.brief.recv() => Some(order),
            order = self.bulk.recv() => match order {
                Some(order) => Some(order),
                None => self.brief.recv().await,
            },
        }
    }

    /// One that waits already.
    fn waiting(&mut self, brief_first: bool) -> Option<Order> {
        let (first, second) = if brief_first {
            (&mut self.brief, &mut self.bulk)
        } else {
            (&mut self.bulk, &mut self.brief)
        };
        first.try_recv().or_else(|_| second.try_recv()).ok()
    }
}

/// A clock that can stand in a `Debug` struct.
#[derive(Clone)]
struct Time(Clock);

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// What the rest of the server hears from the committer.
#[derive(Debug, Clone)]
pub struct Signals {
    /// The last committed batch.
    pub committed: watch::Receiver<Position>,
    /// False while the store fails and acknowledgements are withheld.
    pub healthy: watch::Receiver<bool>,
}

/// Records of a batch on their way into the journal.
#[derive(Default)]
struct Batch {
    body: Vec<u8>,
    records: u64,
    repeats: u64,
    stored: Vec<Box<dyn FnOnce() + Send>>,
    room: Vec<OwnedSemaphorePermit>,
    /// Who hears where devices stand once the batch is stored, and not before: the cursors are ahead of the disk
    /// until then.
    asked: Vec<(Instant, oneshot::Sender<Vec<Owed>>)>,
}

impl Committer {
    /// A committer for a ledger whose projections are up to date: what they lack only costs a repeat in the journal.
    pub async fn new(
        ledger: &Ledger,
        clock: Clock,
        metrics: Metrics,
        checkpoints: watch::Receiver<u64>,
    ) -> hemu_ledger::Result<(Self, Intake, Signals)> {
        let journal = ledger.journal().await?;
        let head = journal.head().position;
        metrics.head(head);
        let (brief, brief_orders) = Lane::new(BRIEF_KIB);
        let (bulk, bulk_orders) = Lane::new(BULK_KIB);
        let (committed, committed_seen) = watch::channel(journal.head().position);
        let (healthy, healthy_seen) = watch::channel(true);
        let writer = Self {
            journal,
            orders: Orders {
                brief: brief_orders,
                bulk: bulk_orders,
            },
            cursors: Cursors::new(ledger.clone(), head),
            clock: Time(clock),
            committed,
            healthy,
            metrics,
            checkpoints,
            checkpoint_seen: 0,
        };
        Ok((
            writer,
            Intake { brief, bulk },
            Signals {
                committed: committed_seen,
                healthy: healthy_seen,
            },
        ))
    }

    /// Runs until every [`Intake`] is dropped, or until `abandon`; what is not stored by then was never acknowledged.
    pub async fn run(mut self, abandon: CancellationToken) {
        while self.step(&abandon).await {}
    }

    /// One batch: waits for something to do, takes what has queued with it, stores it and lets everybody know. False
    /// when there will be no other.
    pub async fn step(&mut self, abandon: &CancellationToken) -> bool {
        let first = tokio::select! {
            biased;
            first = self.orders.next() => first,
            () = abandon.cancelled() => None,
        };
        let Some(first) = first else { return false };
        let mut batch = Batch::default();
        self.take(&mut batch, first).await;
        // Connections that are ready now come into this batch rather than wait for its fsync.
        tokio::task::yield_now().await;
        while batch.records < BATCH_RECORDS as u64 && batch.body.len() < BATCH_BYTES {
            let Some(next) = self.orders.waiting(batch.records < BRIEF_RECORDS) else {
                break;
            };
            self.take(&mut batch, next).await;
        }
        if !self.store(batch, abandon).await {
            return false;
        }
        self.tidy().await;
        true
    }

    async fn take(&mut self, batch: &mut Batch, order: Order) {
        match order {
            Order::Greet(device) => {
                self.cursors.owe(&device);
            }
            Order::Settle(now, answer) => batch.asked.push((now, answer)),
            Order::Store(Submission { segments, stored, .. }, room) => {
                batch.room.push(room);
                batch.stored.push(stored);
                for segment in &segments {
                    self.copy(batch, segment).await;
                }
            }
        }
    }

    /// Copies a segment into the batch without the records that are surely known.
    async fn copy(&mut self, batch: &mut Batch, segment: &Segment) {
        let Some(boot) = segment.boot() else {
            batch.records += segment.write(&mut batch.body, |_| true);
            return;
        };
        let cursor = self.cursors.of(segment.device(), boot).await;
        let kept = segment.write(&mut batch.body, |mark| take(cursor, mark));
        batch.records += kept;
        batch.repeats += segment.marks().len() as u64 - kept;
    }

    /// Stores the batch and lets everybody know; false when abandoned before it was stored.
    async fn store(&mut self, batch: Batch, abandon: &CancellationToken) -> bool {
        if batch.records > 0 && !self.append(batch.records, &batch.body, abandon).await {
            return false;
        }
        self.metrics
            .committed(batch.records, batch.repeats, batch.body.len());
        for stored in batch.stored {
            stored();
        }
        for (asked_at, asked) in batch.asked {
            // Whoever asked may have waited long for the disk: what is sent late is not followed too soon.
            let now = Instant::now()
                .checked_sub(receipts::LOOK)
                .map_or(asked_at, |at| at.max(asked_at));
            // Nobody listens any more only while the server ends.
            drop(asked.send(self.cursors.settle(now).await));
        }
        true
    }

    /// Tries until it succeeds; false when abandoned before it did.
    async fn append(&mut self, records: u64, body: &[u8], abandon: &CancellationToken) -> bool {
        let mut pauses = RETRY.iter().chain(std::iter::repeat(&RETRY[RETRY.len() - 1]));
        loop {
            let timer = self.metrics.commit_seconds.start_timer();
            let append = self.journal.append((self.clock.0)(), records, body);
            let outcome = tokio::select! {
                outcome = append => outcome,
                () = abandon.cancelled() => return false,
            };
            match outcome {
                Ok(head) => {
                    timer.observe_duration();
                    self.recovered();
                    self.cursors.learn(head.position - 1).await;
                    self.committed.send_replace(head.position);
                    self.metrics.head(head.position);
                    return true;
                }
                Err(error) => {
                    timer.stop_and_discard();
                    self.failed(&error);
                    let pause = pauses.next().copied().unwrap_or_default();
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        () = abandon.cancelled() => return false,
                    }
                }
            }
        }
    }

    fn failed(&self, error: &hemu_ledger::Error) {
        self.metrics.commit_failures.inc();
        if self.healthy.send_replace(false) {
            tracing::error!(%error, "the journal cannot be written; acknowledgements are withheld until it can");
        }
    }

    fn recovered(&self) {
        if !self.healthy.send_replace(true) {
            tracing::info!("the journal can be written again; acknowledgements resume");
        }
    }

    /// After a checkpoint beside us moved the bulk of the log, the short rest lets the log start again.
    async fn tidy(&mut self) {
        let done = *self.checkpoints.borrow();
        if done != self.checkpoint_seen {
            self.checkpoint_seen = done;
            if let Err(error) = self.journal.restart_log().await {
                tracing::warn!(%error, "the write-ahead log could not be restarted; it grows until it can");
            }
        }
    }
}

/// Whether a record has to be written: all but the repeats memory is sure of. The projector judges the rest.
fn take(cursor: &mut Cursor, mark: &Mark) -> bool {
    mark.seq
        .is_none_or(|seq| cover(cursor, seq, mark.hash, mark.lost))
}

/// Notes a record in memory; false for a repeat memory is sure of.
pub(crate) fn cover(cursor: &mut Cursor, seq: u64, hash: u64, lost: Option<(u64, u64)>) -> bool {
    match cursor.check(seq, hash) {
        Known::Repeat => false,
        Known::Conflict | Known::Covered | Known::TooManyGaps => true,
        Known::New => {
            cursor.take(seq, hash);
            if let Some((from, to)) = lost {
                cursor.cover(from, to);
            }
            true
        }
    }
}
