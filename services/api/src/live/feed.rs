//! The one reader of the journal: turns what is new into events, and samples when too much comes at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hemu_ledger::entry::Body;
use hemu_ledger::{Error, Position};
use tokio::time::Instant;

use super::event::LiveDevice;
use super::{Message, RECENT, name_of, translate};
use crate::api::Api;
use crate::fleet::{Fleet, State};
use crate::page::Place;
use crate::v1::deposits::LiveDeposit;
use crate::v1::overview::{self, Overview};

/// Events of one kind a second; the overview counts the others.
const EVENTS_A_SECOND: u32 = 50;
/// Records read at one look while somebody listens; what is older than these is only counted.
const HEARD: u64 = 20_000;
/// With nobody listening, the newest deposits are remembered this often.
const IDLE: Duration = Duration::from_secs(1);
/// Which station a device belongs to changes rarely.
const FLEET_FRESH_FOR: Duration = Duration::from_secs(10);

/// How far the journal was read, and what was last said about it.
#[derive(Debug)]
pub(crate) struct Feed {
    api: Arc<Api>,
    /// `None` until the first look.
    seen: Option<Position>,
    looked: Option<Instant>,
    fleet: Fleet,
    fleet_read: Option<Instant>,
    states: BTreeMap<String, State>,
    overview: Option<Overview>,
    counted: Option<Instant>,
    samplers: BTreeMap<&'static str, Sampler>,
}

impl Feed {
    pub(crate) fn new(api: Arc<Api>) -> Self {
        Self {
            api,
            seen: None,
            looked: None,
            fleet: Fleet::default(),
            fleet_read: None,
            states: BTreeMap::new(),
            overview: None,
            counted: None,
            samplers: BTreeMap::new(),
        }
    }

    /// Tells the listeners what is new in the journal; whether there is more. The first look only remembers the
    /// newest deposits.
    pub(crate) async fn catch_up(&mut self, now: Instant) -> Result<bool, Error> {
        let idle = self
            .looked
            .is_some_and(|looked| now.duration_since(looked) < IDLE);
        if idle && !self.api.live.is_heard() {
            return Ok(true);
        }
        self.looked = Some(now);
        let applied = self.api.ledger.progress().await?.applied;
        if self.seen == Some(applied) {
            return Ok(false);
        }
        self.know_the_fleet(now).await?;
        let seen = self.seen.unwrap_or(0);
        let most = if self.api.live.is_heard() && self.seen.is_some() {
            HEARD
        } else {
            RECENT as u64
        };
        let from = self.api.ledger.newest(seen, applied, most).await?;
        let read = self.read(from, self.seen.map(|_| now)).await?;
        if self.seen.is_some() {
            self.tell_homes(seen, from, read).await?;
        }
        self.seen = Some(read);
        Ok(read < applied)
    }

    /// Reads on from a position; the last position read. Listeners are told when `told` says when it is.
    async fn read(&mut self, from: Position, told: Option<Instant>) -> Result<Position, Error> {
        let tail = self.api.ledger.tail(from, u64::MAX).await?;
        let live = &self.api.live;
        let (at_home, told) = (told.is_some(), told.filter(|_| live.has_listeners()));
        let (fleet, samplers, metrics) = (&self.fleet, &mut self.samplers, &self.api.metrics);
        tail.for_each(|batch, index, entry| {
            let place = Place {
                position: batch.position,
                index,
            };
            if let Body::Deposit(deposit) = &entry.body {
                let device = entry.origin.device();
                let station = fleet.station_of(device);
                live.remember(LiveDeposit::of(place, device, station, deposit));
                if let Some(token) = deposit.household.filter(|_| at_home) {
                    live.homes.tell(token, batch.position);
                }
            }
            let (Some(now), Some(name)) = (told, name_of(&entry.body)) else {
                return;
            };
            if !samplers.entry(name).or_insert(Sampler::new(now)).admits(now) {
                metrics.live_sampled_out.inc();
                return;
            }
            if let Some(message) = translate(fleet, place, &entry) {
                live.send(message);
            }
        })?;
        Ok(tail.last().unwrap_or(from))
    }

    /// Tells households of the acts about them up to what was `read`. What was passed over may have been anybody's.
    async fn tell_homes(&self, seen: Position, from: Position, read: Position) -> Result<(), Error> {
        let homes = &self.api.live.homes;
        if !homes.any() {
            return Ok(());
        }
        if from > seen {
            homes.tell_all(read);
        }
        homes.tell_touched(&self.api.ledger.touched(from, read).await?, read);
        Ok(())
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

    /// Counts the devices by state, and tells the listeners, if there are any, how things stand: changed device states
    /// and a changed overview.
    pub(crate) async fn beat(&mut self, moment: Instant) -> Result<(), Error> {
        let heard = self.api.live.has_listeners();
        let counted = self
            .counted
            .is_some_and(|counted| moment.duration_since(counted) < FLEET_FRESH_FOR);
        if counted && !heard {
            return Ok(());
        }
        let fleet = Fleet::read(&self.api).await?;
        let now = self.api.clock.now();
        self.api.metrics.count_devices(&fleet, now);
        self.counted = Some(moment);
        if !heard {
            return Ok(());
        }
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
