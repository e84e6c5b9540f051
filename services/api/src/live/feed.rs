//! The one reader of the journal: turns what is new into events, and samples when too much comes at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hemu_ledger::{Error, Position};
use tokio::time::Instant;

use super::event::LiveDevice;
use super::{Message, RECENT, translate};
use crate::api::Api;
use crate::fleet::{Fleet, State};
use crate::page::Place;
use crate::v1::overview::{self, Overview};

/// Events of one kind a second; the overview counts the others.
const EVENTS_A_SECOND: u32 = 50;
/// Batches read again after a pause or a flood; what is older is only counted.
const BATCHES_BEHIND: u64 = 256;
/// Records decoded at a time.
const RECORDS_AT_ONCE: u64 = 2_000;
/// Which station a device belongs to changes rarely.
const FLEET_FRESH_FOR: Duration = Duration::from_secs(10);

/// How far the journal was read, and what was last said about it.
#[derive(Debug)]
pub(crate) struct Feed {
    api: Arc<Api>,
    /// `None` until the first look.
    seen: Option<Position>,
    fleet: Fleet,
    fleet_read: Option<Instant>,
    states: BTreeMap<String, State>,
    overview: Option<Overview>,
    samplers: BTreeMap<&'static str, Sampler>,
}

impl Feed {
    pub(crate) fn new(api: Arc<Api>) -> Self {
        Self {
            api,
            seen: None,
            fleet: Fleet::default(),
            fleet_read: None,
            states: BTreeMap::new(),
            overview: None,
            samplers: BTreeMap::new(),
        }
    }

    /// Tells the listeners what is new in the journal; whether there is more. The first look only remembers the
    /// newest deposits.
    pub(crate) async fn catch_up(&mut self, now: Instant) -> Result<bool, Error> {
        let applied = self.api.ledger.progress().await?.applied;
        let Some(seen) = self.seen else {
            self.remember_newest(now, applied).await?;
            return Ok(false);
        };
        if seen == applied {
            return Ok(false);
        }
        self.know_the_fleet(now).await?;
        let from = seen.max(applied.saturating_sub(BATCHES_BEHIND));
        let read = self.read(from, RECORDS_AT_ONCE, Some(now)).await?;
        self.seen = Some(read);
        Ok(read < applied)
    }

    /// Fills the live list from the journal's end, without telling anybody.
    async fn remember_newest(&mut self, now: Instant, applied: Position) -> Result<(), Error> {
        self.know_the_fleet(now).await?;
        let mut back = 1;
        while back < applied.min(BATCHES_BEHIND)
            && self.api.ledger.records_after(applied - back).await? < RECENT as u64
        {
            back *= 2;
        }
        self.seen = Some(self.read(applied.saturating_sub(back), u64::MAX, None).await?);
        Ok(())
    }

    /// Reads on from a position; the last position read. Listeners are told when `told` says when it is.
    async fn read(&mut self, from: Position, records: u64, told: Option<Instant>) -> Result<Position, Error> {
        let tail = self.api.ledger.tail(from, records).await?;
        let live = &self.api.live;
        let told = told.filter(|_| live.has_listeners());
        let (fleet, samplers, metrics) = (&self.fleet, &mut self.samplers, &self.api.metrics);
        tail.for_each(|batch, index, entry| {
            let place = Place {
                position: batch.position,
                index,
            };
            let Some((message, deposit)) = translate(fleet, place, &entry) else {
                return;
            };
            if let Some(deposit) = deposit {
                live.remember(deposit);
            }
            let Some(now) = told else { return };
            if samplers
                .entry(message.name)
                .or_insert(Sampler::new(now))
                .admits(now)
            {
                live.send(message);
            } else {
                metrics.live_sampled_out.inc();
            }
        })?;
        Ok(tail.last().unwrap_or(from))
    }

    async fn know_the_fleet(&mut self, now: Instant) -> Result<(), Error> {
        if self
            .fleet_read
            .is_none_or(|read| now.duration_since(read) >= FLEET_FRESH_FOR)
        {
            self.fleet = Fleet::read(&self.api).await?;
            self.fleet_read = Some(now);
        }
        Ok(())
    }

    /// Tells the listeners, if there are any, how things stand: changed device states and a changed overview.
    pub(crate) async fn beat(&mut self) -> Result<(), Error> {
        if !self.api.live.has_listeners() {
            return Ok(());
        }
        let fleet = Fleet::read(&self.api).await?;
        let now = self.api.clock.now();
        for (device, member) in fleet.iter() {
            let state = member.state(now);
            let before = self.states.insert(device.to_owned(), state);
            if before.is_some_and(|before| before != state) {
                self.api
                    .live
                    .send(Message::of("device", None, &LiveDevice { device, state }));
            }
        }
        let overview = overview::site(&self.api, &fleet).await?;
        let news = self.overview.as_ref().is_none_or(|known| overview.differs(known));
        if news {
            self.api.live.send(Message::of("overview", None, &overview));
            self.overview = Some(overview);
        }
        Ok(())
    }
}

/// Lets so many a second pass.
#[derive(Debug, Clone, Copy)]
struct Sampler {
    began: Instant,
    passed: u32,
}

impl Sampler {
    fn new(now: Instant) -> Self {
        Self {
            began: now,
            passed: 0,
        }
    }

    fn admits(&mut self, now: Instant) -> bool {
        if now.duration_since(self.began) >= Duration::from_secs(1) {
            *self = Self::new(now);
        }
        self.passed = self.passed.saturating_add(1);
        self.passed <= EVENTS_A_SECOND
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifty_a_second_pass() {
        let start = Instant::now();
        let mut sampler = Sampler::new(start);
        let mut passed = |ms: u64, times: u32| {
            (0..times)
                .filter(|_| sampler.admits(start + Duration::from_millis(ms)))
                .count()
        };
        assert_eq!(passed(0, 49), 49);
        assert_eq!(passed(999, 10), 1);
        assert_eq!(passed(1_000, 70), 50);
    }
}
