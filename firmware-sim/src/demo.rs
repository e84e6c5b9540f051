//! The estate for `hemu demo`: days of history in arrays as fast as the server takes them, then the same
//! devices going on, number after number, at the pace of a given clock.
//!
//! Must not: pile up in memory (every queue is bounded) or look at a wall clock for event times.

mod pump;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::draw::Dice;
use crate::keys::{Keys, KeysError};
use crate::life::{History, Reading};
use crate::mqtt::{Backoff, MqttError, Options, keep_driving};
use crate::reading::{Stamp, boot_number, encode};

pub use pump::Payload;
use pump::Pump;

/// Records a publish may hold, by the contract.
const MOST_RECORDS: u32 = 256;
/// Bytes a publish may hold with room for its head.
const MOST_BYTES: usize = 60_000;
/// Publishes queued for one device before generation waits.
const QUEUE: usize = 8;
/// Failures in a row after which a device is given up, about a minute and a half.
const ATTEMPTS: u32 = 20;
/// How often live mode looks whether something is due.
const LOOK: Duration = Duration::from_millis(200);
/// At the end of live mode, how long to wait for acknowledgements.
const FAREWELL: Duration = Duration::from_secs(3);

/// All devices of an estate and the history they report, handed from backfill to live mode.
#[derive(Debug, Clone)]
pub struct Fleet {
    history: History,
    devices: Vec<Counter>,
    /// Readings of a day that live mode began.
    left: Vec<Reading>,
}

#[derive(Debug, Clone)]
struct Counter {
    device: String,
    boot: u64,
    next: u64,
}

/// What a backfill did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Records acknowledged.
    pub records: u64,
    /// Records the server refused.
    pub refused: u64,
    /// Publishes they travelled in.
    pub publishes: u64,
    /// From the first connection to the last acknowledgement.
    pub seconds: f64,
    /// Records a second.
    pub records_per_s: f64,
    /// Connections lost and replaced.
    pub reconnects: u64,
}

/// The demonstration cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// A device has no key.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The server refused a login.
    #[error(transparent)]
    Mqtt(#[from] MqttError),
    /// A task of ours died.
    #[error("simulator task: {0}")]
    Task(#[from] tokio::task::JoinError),
}

impl Fleet {
    /// Devices at number 1; the boot depends on seed and first day, so that the same history repeats itself
    /// exactly and another one never claims its numbers.
    pub fn new(history: History) -> Self {
        let life = u64::from(history.first_day().unsigned_abs());
        let counter = |(device, _): (&str, _)| Counter {
            device: device.to_owned(),
            boot: boot_number(history.seed(), device, life),
            next: 1,
        };
        let devices = history.estate().devices().map(counter).collect();
        Self {
            history,
            devices,
            left: Vec::new(),
        }
    }

    /// The history, as far as it has come.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Numbers `readings` (in time order) and packs them into publishes, device by device and topic by
    /// topic, arrays of up to 256; each comes with its device's index.
    pub fn pack(&mut self, readings: &[Reading]) -> Vec<(usize, Payload)> {
        let mut open: Vec<[Option<Payload>; 3]> = Vec::new();
        open.resize_with(self.devices.len(), || [None, None, None]);
        let mut packed = Vec::new();
        for reading in readings {
            let index = usize::from(reading.device);
            let topic = reading.body.topic();
            let Some(counter) = self.devices.get_mut(index) else {
                continue;
            };
            let Some(slot) = open
                .get_mut(index)
                .and_then(|topics| topics.get_mut(topic.index()))
            else {
                continue;
            };
            let stamp = Stamp {
                boot: counter.boot,
                seq: counter.next,
                at: reading.at,
            };
            counter.next += 1;
            let payload = slot.get_or_insert_with(|| Payload::new(topic));
            payload.push(|out| encode(out, stamp, &reading.body));
            if payload.count() >= MOST_RECORDS || payload.len() > MOST_BYTES {
                packed.extend(slot.take().map(|payload| (index, payload)));
            }
        }
        for (index, topics) in open.into_iter().enumerate() {
            packed.extend(topics.into_iter().flatten().map(|payload| (index, payload)));
        }
        packed
    }
}

/// Sends the rest of the fleet's history, one connection a device, each device's days in order.
/// `progress(done, total)` is called a few times a second with acknowledged and expected records.
pub async fn backfill(
    addr: SocketAddr,
    keys: &Keys,
    mut fleet: Fleet,
    progress: impl Fn(u64, u64),
) -> Result<(Fleet, Report), DemoError> {
    let began = Instant::now();
    let total = fleet.history.remaining();
    let mut lines = Lines::open(addr, keys, &fleet, &CancellationToken::new())?;
    let senders = lines.senders.clone();
    lines.senders.clear();
    let generator = tokio::task::spawn_blocking(move || {
        while let Some(day) = fleet.history.next_day() {
            for (index, payload) in fleet.pack(&day.readings) {
                // A closed queue means that its connection failed for good; the join below says why.
                if senders
                    .get(index)
                    .is_some_and(|sender| sender.blocking_send(payload).is_err())
                {
                    return fleet;
                }
            }
        }
        fleet
    });
    let mut tick = tokio::time::interval(Duration::from_millis(100));
    while !lines.tasks.is_empty() {
        tokio::select! {
            Some(joined) = lines.tasks.join_next() => lines.ended(joined)?,
            _ = tick.tick() => progress(lines.acked(), total),
        }
    }
    let fleet = generator.await?;
    progress(lines.acked(), total);
    Ok((fleet, lines.report(began.elapsed())))
}

/// Goes on where the fleet stands, in the time of `clock` (milliseconds since 1970), until `shutdown`.
/// A reading is sent when the clock has passed it; a clock that runs fast simply makes more of them due.
pub async fn live(
    addr: SocketAddr,
    keys: &Keys,
    mut fleet: Fleet,
    clock: impl Fn() -> i64,
    shutdown: CancellationToken,
) -> Result<Fleet, DemoError> {
    fleet.history.without_end();
    let stop = CancellationToken::new();
    let mut lines = Lines::open(addr, keys, &fleet, &stop)?;
    while !shutdown.is_cancelled() {
        let due = fleet.due(clock());
        for (index, payload) in fleet.pack(&due) {
            if let Some(sender) = lines.senders.get(index) {
                tokio::select! {
                    _ = sender.send(payload) => {}
                    () = shutdown.cancelled() => {}
                }
            }
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(LOOK) => {}
            Some(joined) = lines.tasks.join_next() => lines.ended(joined)?,
        }
    }
    lines.senders.clear();
    let farewell = tokio::time::sleep(FAREWELL);
    tokio::pin!(farewell);
    while !lines.tasks.is_empty() {
        tokio::select! {
            Some(joined) = lines.tasks.join_next() => lines.ended(joined)?,
            () = &mut farewell, if !stop.is_cancelled() => stop.cancel(),
        }
    }
    Ok(fleet)
}

impl Fleet {
    /// Takes what happened up to `now`, at most one day and its remainder at a time.
    fn due(&mut self, now: i64) -> Vec<Reading> {
        if self.left.is_empty() && crate::life::midnight(self.history.upcoming()) <= now {
            self.left = self
                .history
                .next_day()
                .map(|day| day.readings)
                .unwrap_or_default();
        }
        let passed = self.left.partition_point(|reading| reading.at <= now);
        let rest = self.left.split_off(passed);
        std::mem::replace(&mut self.left, rest)
    }
}

/// One connection and one bounded queue for each device.
struct Lines {
    senders: Vec<mpsc::Sender<Payload>>,
    tasks: JoinSet<Result<Ended, MqttError>>,
    done: Arc<AtomicU64>,
    sum: Ended,
}

#[derive(Debug, Clone, Copy, Default)]
struct Ended {
    records: u64,
    refused: u64,
    publishes: u64,
    reconnects: u64,
}

impl Lines {
    fn open(
        addr: SocketAddr,
        keys: &Keys,
        fleet: &Fleet,
        stop: &CancellationToken,
    ) -> Result<Self, DemoError> {
        keys.require(fleet.devices.iter().map(|counter| counter.device.as_str()))?;
        let done = Arc::new(AtomicU64::new(0));
        let (mut senders, mut tasks) = (Vec::new(), JoinSet::new());
        for (index, counter) in fleet.devices.iter().enumerate() {
            let (sender, receiver) = mpsc::channel(QUEUE);
            senders.push(sender);
            let options = Options::new(
                addr,
                &counter.device,
                keys.get(&counter.device).unwrap_or_default(),
            );
            let dice = Dice::new(fleet.history.seed(), "backoff", index as u64);
            tasks.spawn(carry(
                options,
                Pump::new(receiver, done.clone()),
                dice,
                stop.clone(),
            ));
        }
        Ok(Self {
            senders,
            tasks,
            done,
            sum: Ended::default(),
        })
    }

    fn acked(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    fn ended(
        &mut self,
        joined: Result<Result<Ended, MqttError>, tokio::task::JoinError>,
    ) -> Result<(), DemoError> {
        let one = joined??;
        self.sum.records += one.records;
        self.sum.refused += one.refused;
        self.sum.publishes += one.publishes;
        self.sum.reconnects += one.reconnects;
        Ok(())
    }

    fn report(&self, took: Duration) -> Report {
        let Ended {
            records,
            refused,
            publishes,
            reconnects,
        } = self.sum;
        let seconds = took.as_secs_f64();
        Report {
            records,
            refused,
            publishes,
            seconds,
            records_per_s: (records as f64 / seconds).round(),
            reconnects,
        }
    }
}

async fn carry(
    options: Options,
    mut pump: Pump,
    dice: Dice,
    stop: CancellationToken,
) -> Result<Ended, MqttError> {
    let mut backoff =
        Backoff::new(dice, Duration::from_millis(100), Duration::from_secs(5)).at_most(ATTEMPTS);
    let reconnects = keep_driving(&options, &mut pump, &mut backoff, &stop).await?;
    Ok(Ended {
        records: pump.records,
        refused: pump.refused,
        publishes: pump.publishes,
        reconnects,
    })
}

#[cfg(test)]
mod tests;
