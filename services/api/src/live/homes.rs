//! Who listens for a household. A listener is told that something of its own may have changed, never what: that is asked for
//! as before. Must not hold anything of a household but its token.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hemu_ledger::Position;
use hemu_ledger::read::Touched;
use prometheus::IntGauge;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

use super::Seat;

/// Listeners of one account at once: its telephones and their tabs. One account must not take everybody's places.
const OF_ONE: usize = 8;

/// The households somebody listens for. What comes before a listener has heard the last is one piece of news.
#[derive(Debug)]
pub(super) struct Homes {
    seats: Arc<Semaphore>,
    listening: Mutex<Listening>,
}

#[derive(Debug, Default)]
struct Listening {
    /// By household: how far the journal was read when it last said something of it.
    told: HashMap<String, watch::Sender<Position>>,
    /// By account: its listeners.
    taken: HashMap<String, usize>,
}

/// Somebody's end of the line to a household, given back when dropped.
#[derive(Debug)]
pub(crate) struct Listener {
    homes: Arc<Homes>,
    account: String,
    token: String,
    /// `None` only while it is dropped.
    news: Option<watch::Receiver<Position>>,
    closed: CancellationToken,
    _seat: Seat,
}

impl Homes {
    pub(super) fn new(most: usize) -> Self {
        Self {
            seats: Arc::new(Semaphore::new(most)),
            listening: Mutex::default(),
        }
    }

    /// `None` when all places are taken, or all that the account may have.
    pub(super) fn listener(
        self: &Arc<Self>,
        account: &str,
        token: &str,
        gauge: &IntGauge,
        closed: CancellationToken,
    ) -> Option<Listener> {
        let seat = Seat::take(&self.seats, gauge)?;
        let mut listening = self.listening();
        let own = listening.taken.entry(account.to_owned()).or_default();
        if *own >= OF_ONE {
            return None;
        }
        *own += 1;
        let sender = listening
            .told
            .entry(token.to_owned())
            .or_insert_with(|| watch::Sender::new(0));
        let news = Some(sender.subscribe());
        drop(listening);
        Some(Listener {
            homes: self.clone(),
            account: account.to_owned(),
            token: token.to_owned(),
            news,
            closed,
            _seat: seat,
        })
    }

    pub(super) fn any(&self) -> bool {
        !self.listening().told.is_empty()
    }

    /// Tells a household that the journal said something of it, up to a position.
    pub(super) fn tell(&self, token: &str, upto: Position) {
        if let Some(sender) = self.listening().told.get(token) {
            sender.send_replace(upto);
        }
    }

    pub(super) fn tell_all(&self, upto: Position) {
        for sender in self.listening().told.values() {
            sender.send_replace(upto);
        }
    }

    pub(super) fn tell_touched(&self, touched: &Touched, upto: Position) {
        if touched.everybody {
            self.tell_all(upto);
        } else {
            touched.tokens.iter().for_each(|token| self.tell(token, upto));
        }
    }

    fn listening(&self) -> MutexGuard<'_, Listening> {
        // Every change is one insertion, count or removal: a panic elsewhere leaves it whole.
        self.listening.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listening {
    /// One listener less of an account, and of a household.
    fn leave(&mut self, account: &str, token: &str) {
        let left = self.taken.get_mut(account).map(|own| {
            *own = own.saturating_sub(1);
            *own
        });
        if left == Some(0) {
            self.taken.remove(account);
        }
        let heard = self.told.get(token).map(watch::Sender::receiver_count);
        if heard == Some(0) {
            self.told.remove(token);
        }
    }
}

impl Listener {
    /// Waits for news, and says how far the journal was read then; `None` when the server shuts down.
    pub(crate) async fn changed(&mut self) -> Option<Position> {
        let news = self.news.as_mut()?;
        tokio::select! {
            biased;
            () = self.closed.cancelled() => None,
            heard = news.changed() => heard.ok().map(|()| *news.borrow_and_update()),
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut listening = self.homes.listening();
        // Given back under the lock: the last one to go must see that it is the last.
        self.news = None;
        listening.leave(&self.account, &self.token);
    }
}
