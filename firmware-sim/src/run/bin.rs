//! One device on its radio: records what it hears, sends what is in flash, suffers its faults.
//! Must not: keep anything that matters outside the ring (the log's notes are the simulator's own).

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{AnyFlash, Clock, Tally};
use crate::device::{Appended, Device, DeviceError, Frame, Patience, Received, RingError, payload};
use crate::draw::Dice;
use crate::faults::{Faults, Mishap, Outage};
use crate::life::{Reading, day_of};
use crate::load::Log;
use crate::mqtt::{Next, Traffic};
use crate::oracle::{Content, Fate, content, log_line};
use crate::reading::{Body, Topic};

/// Records in one publish.
const BATCH: usize = 16;

/// What connects a device with the simulation around it.
pub(super) struct Heard {
    pub(super) inbox: mpsc::Receiver<Reading>,
    pub(super) clock: Clock,
    pub(super) tally: Arc<Tally>,
    pub(super) log: Option<Log>,
}

/// Ready to go: topic, payload, identities inside.
type Parcel = (Topic, Vec<u8>, Vec<(u64, u64)>);

/// The [`Traffic`] of one device.
pub(super) struct Bin {
    device: Option<Device<AnyFlash>>,
    faults: Faults,
    heard: Heard,
    /// Readings the device gets to record later, by when and a running number.
    later: BTreeMap<(i64, u64), (i64, Body)>,
    order: u64,
    outages: VecDeque<Outage>,
    planned_through: i32,
    silent_until: i64,
    /// Parcels made and not yet handed over: repeats, overtaken ones, noise, orphans.
    pending: VecDeque<Parcel>,
    held_back: Option<Parcel>,
    contents: HashMap<(u64, u64), Content>,
    began: Instant,
    patience: Patience,
    /// Why the device ended, if it did.
    pub(super) failed: Option<RingError>,
}

impl Bin {
    /// `dice` spread the resends of an estate.
    pub(super) fn new(device: Device<AnyFlash>, faults: Faults, heard: Heard, dice: Dice) -> Self {
        let planned_through = day_of((heard.clock)()) - 1;
        Self {
            device: Some(device),
            faults,
            heard,
            later: BTreeMap::new(),
            order: 0,
            outages: VecDeque::new(),
            planned_through,
            silent_until: i64::MIN,
            pending: VecDeque::new(),
            held_back: None,
            contents: HashMap::new(),
            began: Instant::now(),
            patience: Patience::new(dice, 0),
            failed: None,
        }
    }

    fn now(&self) -> i64 {
        (self.heard.clock)()
    }

    /// Real time, ms: a receipt does not come sooner because the estate lives faster.
    fn real(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    /// Takes a reading from the estate; it may be recorded only later, with a wrong clock.
    fn hear(&mut self, reading: Reading) {
        let fate = self.faults.reading(reading.at);
        self.order += 1;
        self.later
            .insert((fate.recorded, self.order), (fate.at, reading.body));
    }

    /// Records what is due, in memory of the flash only.
    fn record(&mut self) -> Result<(), RingError> {
        while let Ok(reading) = self.heard.inbox.try_recv() {
            self.hear(reading);
        }
        let now = self.now();
        let Some(device) = &mut self.device else {
            return Ok(());
        };
        while let Some(entry) = self.later.first_entry() {
            if entry.key().0 > now {
                break;
            }
            let (at, mut body) = entry.remove();
            if let Body::Status(status) = &mut body {
                status.queued = u32::try_from(device.held()).unwrap_or(u32::MAX);
            }
            match device.append(at, &body)? {
                Appended::Thinned => count(&self.heard.tally.thinned, 1),
                Appended::Stored(seq) => {
                    count(&self.heard.tally.recorded, 1);
                    if let (Body::Deposit(deposit), Some(_)) = (&body, &self.heard.log) {
                        self.contents.insert((device.boot(), seq), content(at, deposit));
                    }
                }
            }
        }
        Ok(())
    }

    /// The next interruption whose time has come.
    fn outage(&mut self) -> Option<Outage> {
        let now = self.now();
        while self.planned_through < day_of(now) {
            self.planned_through += 1;
            self.outages.extend(self.faults.outages(self.planned_through));
        }
        self.outages.pop_front_if(|outage| outage.at <= now)
    }

    fn suffer(&mut self, outage: Outage) -> Result<(), RingError> {
        self.silent_until = self.silent_until.max(outage.until);
        if !outage.power {
            return Ok(());
        }
        count(&self.heard.tally.power_cuts, 1);
        // What was on its way out lived in memory; so did what the device had not yet recorded.
        self.pending.clear();
        self.held_back = None;
        let now = self.now();
        if let Some(device) = self.device.take() {
            self.device = Some(device.restart(now)?);
        }
        Ok(())
    }

    /// Makes the next parcel from flash, with whatever faults befall it.
    fn pack(&mut self) -> Result<Option<Parcel>, RingError> {
        let Some(device) = &mut self.device else {
            return Ok(None);
        };
        let frames = device.to_send(BATCH)?;
        let Some(parcel) = parcel(&frames) else {
            return Ok(self.held_back.take());
        };
        let Mishap {
            twice,
            overtaken,
            garbage,
        } = self.faults.publish();
        if twice {
            self.pending.push_back(parcel.clone());
        }
        if garbage {
            count(&self.heard.tally.garbage, 1);
            self.pending
                .push_back((parcel.0, self.faults.noise(), Vec::new()));
        }
        if let Some(earlier) = self.held_back.take() {
            self.pending.push_back(earlier);
        } else if overtaken {
            self.held_back = Some(parcel);
            return self.pack();
        }
        Ok(Some(parcel))
    }

    fn publish(&mut self, payload: &mut Vec<u8>) -> Result<Next<Vec<(u64, u64)>>, RingError> {
        let Some((topic, bytes, identities)) = self.next_parcel()? else {
            return Ok(Next::Wait);
        };
        count(&self.heard.tally.sent, identities.len() as u64);
        payload.extend_from_slice(&bytes);
        Ok(Next::Publish(topic, identities))
    }

    /// Everything that no receipt covers is to be sent, what an earlier boot left first.
    fn offer_again(&mut self) {
        if let Some(device) = &mut self.device {
            device.reconnected();
            let orphans = device.orphans().unwrap_or_default();
            self.pending.extend(orphans.chunks(1).filter_map(parcel));
        }
    }

    fn next_parcel(&mut self) -> Result<Option<Parcel>, RingError> {
        self.record()?;
        if let Some(parcel) = self.pending.pop_front() {
            return Ok(Some(parcel));
        }
        let real = self.real();
        if self.device.as_ref().is_some_and(Device::waits) && self.patience.is_over(real) {
            self.offer_again();
            if let Some(parcel) = self.pending.pop_front() {
                return Ok(Some(parcel));
            }
        }
        self.pack()
    }
}

fn parcel(frames: &[Frame]) -> Option<Parcel> {
    let topic = frames.first()?.topic;
    let identities = frames.iter().map(|frame| (frame.boot, frame.seq)).collect();
    Some((topic, payload(frames), identities))
}

fn count(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}

impl Traffic for Bin {
    /// Identities in the publish.
    type Token = Vec<(u64, u64)>;

    /// Waits out a silence, recording all the while.
    async fn before_connecting(&mut self) {
        // A ring that fails here fails again in `next`, where the device ends.
        while self.record().is_ok() && self.now() < self.silent_until {
            tokio::time::sleep(super::LOOK).await;
        }
    }

    fn connected(&mut self) {
        count(&self.heard.tally.connections, 1);
        self.patience.renewed(self.real());
        self.pending.clear();
        self.held_back = None;
        self.offer_again();
    }

    fn next(&mut self, payload: &mut Vec<u8>) -> Next<Self::Token> {
        let step = match self.outage() {
            Some(outage) => self.suffer(outage).map(|()| Next::Hangup),
            None => self.publish(payload),
        };
        step.unwrap_or_else(|error| {
            self.failed = Some(error);
            Next::Done
        })
    }

    fn acked(&mut self, identities: Self::Token, reason: u8, _waited: Duration) {
        if reason >= 0x80 {
            return;
        }
        count(&self.heard.tally.acked, identities.len() as u64);
        let (Some(log), Some(device)) = (&self.heard.log, &self.device) else {
            return;
        };
        let mut lines = Vec::new();
        for (boot, seq) in identities {
            if let Some(content) = self.contents.remove(&(boot, seq)) {
                log_line(&mut lines, Fate::Acked, device.id(), boot, seq, content);
            }
        }
        if let Ok(mut log) = log.lock() {
            // A log that cannot be written shows up as records the oracle calls unsent.
            let _ = log.write_all(&lines).and_then(|()| log.flush());
        }
    }

    fn dropped(&mut self, _identities: Self::Token) {}

    fn message(&mut self, topic: &[u8], payload: &[u8]) {
        if !topic.ends_with(b"/receipt") {
            return count(&self.heard.tally.commands, 1);
        }
        let (now, real) = (self.now(), self.real());
        let Some(device) = &mut self.device else { return };
        match device.on_receipt(payload, now) {
            Ok(Received::Released(released)) => {
                count(&self.heard.tally.receipted, released);
                self.patience.rewarded(real);
            }
            Ok(Received::Rewound | Received::Nothing) => {}
            Err(DeviceError::Receipt(_) | DeviceError::Ahead { .. } | DeviceError::Ring(_)) => {
                count(&self.heard.tally.bad_receipts, 1);
            }
        }
    }

    async fn ready(&mut self) {
        tokio::select! {
            Some(reading) = self.heard.inbox.recv() => self.hear(reading),
            () = tokio::time::sleep(super::LOOK) => {}
        }
    }
}
