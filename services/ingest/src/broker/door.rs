//! The door's life: connect, serve, and when that ends, wait and connect again with a new client. An acknowledgement or
//! a packet id never outlives its connection.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hemu_ledger::Ledger;
use hemu_wire::Down;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::client::{self, Ack, Client, Session};
use super::poll::{Poll, Waiting};
use super::registered::Registered;
use super::uplink::Uplink;
use super::watch::Counters;
use super::{Dice, Downlink, Metrics, RECEIPTS, Receipt, Settings, Trouble, tls};
use crate::commit::Intake;

/// The first wait before connecting again, and the longest.
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);
/// A connection that held for so long was a good one: the next wait is the first again.
const STEADY: Duration = Duration::from_secs(10);
/// Publishes between the queue and the socket.
pub(super) const PLACES: usize = 256;
/// Messages that MQTT lets be unacknowledged.
const PACKET_IDS: usize = 65_535;
/// Messages of `QoS` 0 that may wait beside those in flight.
const UNCOUNTED: usize = 1_024;
/// How long the end may take: what is not stored by then was not acknowledged.
const ENDS_WITHIN: Duration = Duration::from_secs(3);
/// How long a rise of the broker's losses is a problem to be told.
const ALARM: Duration = Duration::from_mins(10);

/// What a door works with.
#[derive(Debug)]
pub struct Parts {
    pub ledger: Ledger,
    pub intake: Intake,
    pub ingest: crate::Metrics,
    pub metrics: Metrics,
}

/// A front door behind a broker; [`Door::run`] opens it.
pub struct Door {
    settings: Settings,
    uplink: Uplink,
    receipts: mpsc::Receiver<Receipt>,
    counters: Counters,
    board: Board,
    metrics: Metrics,
    dice: Dice,
}

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Door")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// How the door stands; read by whoever asks.
#[derive(Debug, Clone)]
pub struct View(watch::Receiver<State>);

/// The same, written by the door.
#[derive(Debug, Clone)]
pub(super) struct Board {
    state: watch::Sender<State>,
    metrics: Metrics,
}

#[derive(Debug)]
struct State {
    address: String,
    link: Link,
    watched: bool,
    /// Messages the broker dropped since we watch, and when it last did.
    dropped: Option<(u64, Instant)>,
}

#[derive(Debug)]
enum Link {
    Connecting,
    Granted,
    Lost(Trouble),
}

impl Door {
    /// A door, the way down through it, and the view of it. `dice` spreads the waits, so that servers do not come back
    /// all at once.
    pub fn new(settings: Settings, parts: Parts, dice: Dice) -> (Self, Downlink, View) {
        let (sender, receipts) = mpsc::channel(RECEIPTS);
        let (state, view) = watch::channel(State {
            address: settings.address.to_string(),
            link: Link::Connecting,
            watched: false,
            dropped: None,
        });
        let Parts {
            ledger,
            intake,
            ingest,
            metrics,
        } = parts;
        let door = Self {
            settings,
            uplink: Uplink {
                registered: Registered::new(ledger),
                intake,
                ingest,
                metrics: metrics.clone(),
            },
            receipts,
            counters: Counters::default(),
            board: Board {
                state,
                metrics: metrics.clone(),
            },
            metrics: metrics.clone(),
            dice,
        };
        let downlink = Downlink {
            receipts: sender,
            metrics,
        };
        (door, downlink, View(view))
    }

    /// Serves until `shutdown`, then has stored and acknowledged what it took in.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let mut failures = 0;
        loop {
            let began = Instant::now();
            let Err(trouble) = self.connection(&shutdown).await else {
                return;
            };
            if began.elapsed() >= STEADY {
                failures = 0;
            }
            let pause = pause(failures, &mut self.dice);
            failures += 1;
            self.metrics.reconnects.inc();
            let wait_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
            tracing::error!(%trouble, wait_ms, "the broker's door is closed; it is tried again");
            self.board.lost(trouble);
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = shutdown.cancelled() => return,
            }
        }
    }

    /// One connection from its beginning to its end; `Ok` when told to end.
    async fn connection(&mut self, shutdown: &CancellationToken) -> Result<(), Trouble> {
        let tunnel = tokio::select! {
            tunnel = tls::Tunnel::open_if_needed(&self.settings, &mut self.dice) => tunnel?,
            () = shutdown.cancelled() => return Ok(()),
        };
        let (client, events) = client::new(
            &self.settings,
            Session::Kept,
            tunnel.as_ref(),
            PACKET_IDS + PLACES,
        );
        let (inbox, messages) = mpsc::channel(PACKET_IDS + UNCOUNTED);
        let (acks, owed) = mpsc::channel(PACKET_IDS);
        let waiting = Waiting::new(usize::from(self.settings.receive_maximum) * hemu_wire::MAX_PACKET);
        let (in_flight, left) = watch::channel(0);
        // None before the subscriptions are granted: what is sent into a login that fails is lost.
        let places = Arc::new(Semaphore::new(0));
        let poll = Poll {
            client: client.clone(),
            events,
            filters: self.settings.filters(),
            waiting: waiting.clone(),
            inbox,
            in_flight,
            places: Arc::clone(&places),
            board: self.board.clone(),
            counters: std::mem::take(&mut self.counters),
            watched: false,
            metrics: self.metrics.clone(),
            closing: shutdown.clone(),
        };
        // A task of its own: it may not wait for the others, and when the library panics the door outlives it.
        let mut polling = AbortOnDropHandle::new(tokio::spawn(poll.run()));
        let publishing = publish(&client, owed, &mut self.receipts, &places, &self.metrics);
        let uplink = self.uplink.run(messages, acks, &waiting);
        // Both end when their channels do, which is after the polling task has; and that one knows why.
        let working = async {
            tokio::join!(publishing, uplink);
            std::future::pending::<Infallible>().await
        };
        let ended = tokio::select! {
            ended = &mut polling => match ended {
                Ok((outcome, counters)) => {
                    self.counters = counters;
                    outcome
                }
                Err(error) => Err(Trouble::Broken(if error.is_panic() { "it panicked" } else { "it was ended" }.to_owned())),
            },
            never = working => match never {},
            () = end(&client, left, shutdown) => Ok(()),
        };
        self.metrics.in_flight.set(0);
        ended
    }
}

/// Sends acknowledgements as they come due, and receipts when there is room, until the client is gone.
async fn publish(
    client: &Client,
    mut owed: mpsc::Receiver<Vec<Ack>>,
    receipts: &mut mpsc::Receiver<Receipt>,
    places: &Semaphore,
    metrics: &Metrics,
) {
    let mut next = async || {
        // Given back by whoever polls, when the receipt went out.
        let place = places.acquire().await.ok();
        (receipts.recv().await, place)
    };
    loop {
        let sent = tokio::select! {
            Some(acks) = owed.recv() => acknowledge(client, &acks).await,
            (Some(receipt), place) = next() => {
                if let Some(place) = place {
                    place.forget();
                }
                metrics.receipts.inc();
                let topic = hemu_wire::down_topic(&receipt.device, Down::Receipt);
                client.publish(topic, receipt.payload).await
            }
            else => return,
        };
        if sent.is_err() {
            return;
        }
    }
}

async fn acknowledge(client: &Client, acks: &[Ack]) -> Result<(), Trouble> {
    for ack in acks {
        client.ack(*ack).await?;
    }
    Ok(())
}

/// Waits to be told to end, until all that was taken in is stored and acknowledged, and says goodbye.
async fn end(client: &Client, mut left: watch::Receiver<usize>, shutdown: &CancellationToken) {
    shutdown.cancelled().await;
    let orderly = async {
        // An error means that the connection has ended by itself.
        if left.wait_for(|in_flight| *in_flight == 0).await.is_ok() && client.disconnect().is_ok() {
            std::future::pending::<()>().await;
        }
    };
    let _ = tokio::time::timeout(ENDS_WITHIN, orderly).await;
}

/// Doubling, over the upper half of it at random.
fn pause(failures: u32, dice: &mut Dice) -> Duration {
    let whole = FIRST.saturating_mul(1 << failures.min(10)).min(LONGEST);
    let half = whole / 2;
    let spread = u64::try_from(half.as_millis()).unwrap_or(u64::MAX);
    half + Duration::from_millis(dice(spread.max(1)))
}

impl Board {
    pub(super) fn granted(&self) {
        tracing::info!("the broker granted every subscription");
        self.metrics.connected.set(1);
        self.state.send_modify(|state| state.link = Link::Granted);
    }

    pub(super) fn watched(&self, watched: bool) {
        self.state.send_modify(|state| state.watched = watched);
    }

    pub(super) fn dropped(&self, rise: u64) {
        if rise == 0 {
            return;
        }
        self.metrics.dropped.inc_by(rise);
        tracing::error!(
            messages = rise,
            "the broker dropped messages: its queue is full; devices send again what no receipt covers"
        );
        self.state.send_modify(|state| {
            let before = state.dropped.map_or(0, |(count, _)| count);
            state.dropped = Some((before + rise, Instant::now()));
        });
    }

    fn lost(&self, trouble: Trouble) {
        self.metrics.connected.set(0);
        self.state.send_modify(|state| state.link = Link::Lost(trouble));
    }
}

impl View {
    /// What a supervisor should know: all is well, or what is not.
    pub fn check(&self) -> Result<String, String> {
        let state = self.0.borrow();
        let address = &state.address;
        match &state.link {
            Link::Connecting => Err(format!("{address}: connecting")),
            Link::Lost(trouble) => Err(format!("{address}: {trouble}")),
            Link::Granted => match state.dropped {
                Some((count, at)) if at.elapsed() < ALARM => Err(format!(
                    "{address}: the broker dropped {count} messages since this server watches, the last within {} minutes: raise its max_queued_messages or find out why ingest is slow",
                    ALARM.as_secs() / 60
                )),
                _ if state.watched => Ok(format!("{address}: subscribed, and what it drops is watched")),
                _ => Ok(format!("{address}: subscribed; it does not say what it drops")),
            },
        }
    }

    /// Waits until the subscriptions are granted; false when the door has ended.
    pub async fn granted(&mut self) -> bool {
        self.0
            .wait_for(|state| matches!(state.link, Link::Granted))
            .await
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_limit_and_spread_over_their_upper_half() {
        let mut least: Dice = Box::new(|_| 0);
        let mut most: Dice = Box::new(|below| below - 1);
        let ms = |failures, dice: &mut Dice| pause(failures, dice).as_millis();
        let shortest: Vec<u128> = [0, 1, 2, 20].map(|n| ms(n, &mut least)).to_vec();
        let longest: Vec<u128> = [0, 1, 2, 20].map(|n| ms(n, &mut most)).to_vec();
        assert_eq!(shortest, [250, 500, 1_000, 15_000]);
        assert_eq!(longest, [499, 999, 1_999, 29_999]);
    }
}
