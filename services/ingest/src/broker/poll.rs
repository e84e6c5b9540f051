//! The task that polls one connection: takes in, lets out, and never waits for anything else. Must not publish, and must
//! not call the committer: whoever polls and waits for room deadlocks with himself.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::client::{Client, Event, Events, KEEP_ALIVE, Message};
use super::door::{Board, PLACES};
use super::watch::{COUNTERS, Counters};
use super::{Metrics, Trouble};

/// A connection as its polling task sees it.
pub(super) struct Poll {
    pub(super) client: Client,
    pub(super) events: Events,
    pub(super) filters: Vec<String>,
    pub(super) waiting: Waiting,
    pub(super) inbox: mpsc::Sender<Message>,
    pub(super) in_flight: watch::Sender<usize>,
    /// Places for publishes between the queue and the socket.
    pub(super) places: Arc<Semaphore>,
    pub(super) board: Board,
    pub(super) counters: Counters,
    /// Whether the broker lets us read them.
    pub(super) watched: bool,
    pub(super) metrics: Metrics,
    /// Take nothing more in: the broker keeps it for the next connection.
    pub(super) closing: CancellationToken,
}

/// Bytes taken in and not handed to the committer yet. A broker may send more than it was asked for: Mosquitto does when
/// it has no limit of its own.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    most: usize,
    bytes: Arc<AtomicUsize>,
}

impl Waiting {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            bytes: Arc::default(),
        }
    }

    fn takes(&self, bytes: usize) -> bool {
        let fits = self.bytes.load(Ordering::Relaxed) + bytes <= self.most;
        if fits {
            self.bytes.fetch_add(bytes, Ordering::Relaxed);
        }
        fits
    }

    pub(super) fn gone(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// How often the counters are asked for again. A broker whose queue for us is full drops its own word that it dropped, and
/// says it again only when the figure moves; whoever subscribes anew is told the figure that stands,
/// where the broker keeps any (the shipped Mosquitto keeps nothing, and waits for the next drop).
const ASK_AGAIN: Duration = Duration::from_secs(10);

/// Which subscription the broker has not answered yet: one after the other, so that an answer is never mistaken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    Nothing,
    Records,
    Counters,
}

impl Poll {
    /// Polls until the goodbye is said; the counters come back for the next connection to go on from.
    pub(super) async fn run(mut self) -> (Result<(), Trouble>, Counters) {
        let outcome = self.poll().await;
        self.metrics
            .in_flight
            .sub(self.in_flight.borrow().cast_signed() as i64);
        (outcome, self.counters)
    }

    async fn poll(&mut self) -> Result<(), Trouble> {
        let mut asked = Asked::Nothing;
        let mut told = Instant::now();
        let silence = KEEP_ALIVE * 2;
        loop {
            if asked == Asked::Nothing && self.watched && told.elapsed() > ASK_AGAIN {
                (asked, told) = (self.ask_for_counters()?, Instant::now());
            }
            // The client pings by itself; no event at all means that it cannot even write.
            let event = tokio::time::timeout(silence, self.events.poll())
                .await
                .map_err(|_| Trouble::Silent(silence.as_secs()))??;
            match event {
                Event::Connected { session_present } => {
                    tracing::debug!(session_present, "the broker let us in");
                    // Whether or not it kept our session: its answer is the only word that the subscription holds.
                    self.client.subscribe(&self.filters, 1)?;
                    asked = Asked::Records;
                }
                Event::Subscribed(answers) => asked = self.answered(asked, &answers)?,
                Event::Message(message) => self.take(message)?,
                Event::Acknowledged => self.count(|in_flight| in_flight.saturating_sub(1)),
                Event::Published => self.places.add_permits(1),
                Event::SaidGoodbye => return Ok(()),
                Event::Other => {}
            }
        }
    }

    fn ask_for_counters(&self) -> Result<Asked, Trouble> {
        self.client.subscribe(&COUNTERS.map(str::to_owned), 0)?;
        Ok(Asked::Counters)
    }

    fn answered(&mut self, asked: Asked, answers: &[Result<u8, String>]) -> Result<Asked, Trouble> {
        if asked == Asked::Counters {
            let watched = answers.iter().all(Result::is_ok);
            if !watched {
                tracing::warn!(
                    "the broker does not let us read what it dropped; losses in its queues go unseen"
                );
            }
            self.watched = watched;
            self.board.watched(watched);
            return Ok(Asked::Nothing);
        }
        let mut refused = None;
        for (index, filter) in self.filters.iter().enumerate() {
            let answer = match answers.get(index) {
                Some(Ok(1..)) => continue,
                Some(Ok(qos)) => format!("QoS {qos}"),
                Some(Err(refusal)) => refusal.clone(),
                None => "nothing".to_owned(),
            };
            self.metrics.refused.inc();
            refused.get_or_insert(Trouble::Refused {
                filter: filter.clone(),
                answer,
            });
        }
        if let Some(refused) = refused {
            return Err(refused);
        }
        self.board.granted();
        self.places.add_permits(PLACES);
        self.ask_for_counters()
    }

    fn take(&mut self, message: Message) -> Result<(), Trouble> {
        if Counters::is_one(&message.topic) {
            let rise = self
                .counters
                .rise(&message.topic, &message.payload, message.retained);
            self.board.dropped(rise);
            return Ok(());
        }
        if self.closing.is_cancelled() {
            return Ok(());
        }
        self.metrics.messages.inc();
        let counted = message.ack.is_some();
        if !self.waiting.takes(message.payload.len()) {
            if counted {
                return Err(Trouble::Flooded(self.waiting.most));
            }
            self.metrics.unacknowledgeable.inc();
            return Ok(());
        }
        // As many places as there are packet ids, and some for messages without one.
        match self.inbox.try_send(message) {
            Ok(()) if counted => self.count(|in_flight| in_flight + 1),
            Ok(()) => {}
            Err(_) if counted => return Err(Trouble::Flooded(self.waiting.most)),
            Err(error) => {
                self.waiting.gone(error.into_inner().payload.len());
                self.metrics.unacknowledgeable.inc();
            }
        }
        Ok(())
    }

    fn count(&self, change: impl FnOnce(usize) -> usize) {
        self.in_flight.send_modify(|in_flight| {
            *in_flight = change(*in_flight);
            self.metrics.in_flight.set(in_flight.cast_signed() as i64);
        });
    }
}
