//! Live events: one task reads the journal, everybody who listens gets what it says.
//!
//! Every length is bounded: the listeners, the events waiting for one of them, the deposits remembered, the events a
//! second. Whoever is too slow is told how many it missed; nothing here can hold the journal up.

mod event;
mod feed;
mod homes;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use prometheus::IntGauge;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast, watch};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::api::Api;
use crate::v1::deposits::LiveDeposit;
use homes::Homes;

pub(crate) use event::{Lag, LiveDevice, LiveIncident, LiveStatus, Message, name_of, translate};
pub(crate) use feed::Feed;
pub(crate) use homes::Listener;

/// Deposits remembered for the live list's first fill.
const RECENT: usize = 1_000;
/// Between two looks at the journal while it grows faster than it is read.
const PAUSE: Duration = Duration::from_millis(100);
/// Overview and device states, at most this often.
const BEAT: Duration = Duration::from_secs(1);

/// How much live events may hold.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Clients at once.
    pub clients: usize,
    /// Listeners for one household at once, beside those.
    pub homes: usize,
    /// Events waiting for a slow client.
    pub waiting: usize,
    /// How long a client may go on after its session or token ended.
    pub after_the_end: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            clients: 256,
            homes: 1_024,
            waiting: 1_024,
            after_the_end: Duration::from_secs(2),
        }
    }
}

/// Where events go out. Cheap to clone; every clone is the same.
#[derive(Debug, Clone)]
pub struct Live {
    sender: broadcast::Sender<Message>,
    recent: Arc<Mutex<VecDeque<LiveDeposit>>>,
    seats: Arc<Semaphore>,
    homes: Arc<Homes>,
    closed: CancellationToken,
    after_the_end: Duration,
}

/// A client's place among the listeners, given back when dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    _permit: OwnedSemaphorePermit,
    taken: IntGauge,
}

impl Seat {
    /// One of the places that are left.
    fn take(seats: &Arc<Semaphore>, taken: &IntGauge) -> Option<Self> {
        let permit = seats.clone().try_acquire_owned().ok()?;
        taken.inc();
        Some(Self {
            _permit: permit,
            taken: taken.clone(),
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.taken.dec();
    }
}

impl Live {
    pub fn new(limits: Limits) -> Self {
        Self {
            sender: broadcast::Sender::new(limits.waiting),
            recent: Arc::default(),
            seats: Arc::new(Semaphore::new(limits.clients)),
            homes: Arc::new(Homes::new(limits.homes)),
            closed: CancellationToken::new(),
            after_the_end: limits.after_the_end,
        }
    }

    /// A place among the listeners; `None` when all are taken.
    pub(crate) fn seat(&self, taken: &IntGauge) -> Option<Seat> {
        Seat::take(&self.seats, taken)
    }

    /// A place for an account that listens for a household; `None` when all are taken, or those of this account.
    pub(crate) fn at_home(&self, account: &str, token: &str, gauge: &IntGauge) -> Option<Listener> {
        self.homes.listener(account, token, gauge, self.closed.clone())
    }

    /// Everything sent from now on, and the end of it.
    pub(crate) fn listen(&self) -> (broadcast::Receiver<Message>, CancellationToken) {
        (self.sender.subscribe(), self.closed.clone())
    }

    /// How often it is asked whether a client is still in.
    pub(crate) const fn after_the_end(&self) -> Duration {
        self.after_the_end
    }

    fn has_listeners(&self) -> bool {
        self.sender.receiver_count() > 0
    }

    /// Whether anybody waits for what the journal says next.
    fn is_heard(&self) -> bool {
        self.has_listeners() || self.homes.any()
    }

    fn send(&self, message: Message) {
        // An error only says that nobody listens.
        drop(self.sender.send(message));
    }

    fn remember(&self, deposit: LiveDeposit) {
        let mut recent = self.remembered();
        if recent.len() == RECENT {
            recent.pop_back();
        }
        recent.push_front(deposit);
    }

    /// The newest deposits, last arrived first.
    pub(crate) fn recent(&self, limit: usize) -> Vec<LiveDeposit> {
        self.remembered().iter().take(limit).cloned().collect()
    }

    fn remembered(&self) -> MutexGuard<'_, VecDeque<LiveDeposit>> {
        // Every change is one push: a panic elsewhere leaves it whole.
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Follows the journal until `shutdown`, then ends every client's stream. Run it once. `applied` says that the
/// projector moved; without it the journal is looked at once a second.
pub async fn run(api: Arc<Api>, mut applied: watch::Receiver<u64>, shutdown: CancellationToken) {
    let live = api.live.clone();
    let mut feed = Feed::new(api);
    let mut beat = tokio::time::interval(BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Looked at before anything is told: what arrives after the first overview is news, never the past.
    let mut behind = log(feed.catch_up(tokio::time::Instant::now()).await, false);
    while !shutdown.is_cancelled() {
        tokio::select! {
            () = shutdown.cancelled() => break,
            _ = beat.tick() => log(feed.beat(tokio::time::Instant::now()).await, ()),
            () = tokio::time::sleep(PAUSE), if behind => {}
            Ok(()) = applied.changed(), if !behind => {}
        }
        behind = log(feed.catch_up(tokio::time::Instant::now()).await, false);
    }
    live.closed.cancel();
}

fn log<T>(outcome: Result<T, hemu_ledger::Error>, otherwise: T) -> T {
    outcome
        .inspect_err(|error| tracing::error!(%error, "live events cannot follow the ledger; trying again"))
        .unwrap_or(otherwise)
}
