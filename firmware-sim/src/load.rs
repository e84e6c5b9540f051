//! As many realistic deposits as a server takes: a few connections with deep windows, every record a pure
//! function of (seed, device, number), so that a resend repeats it exactly and an oracle can know it.
//!
//! Event time runs ahead at about two deposits a household a day, however fast they are sent, so that no
//! household's day grows absurdly. Must not: skip a number, even over a reconnect.

mod lane;

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::draw::Dice;
use crate::keys::Key;
use crate::mqtt::{Backoff, MqttError, Options, Version, keep_driving};
use crate::stats::{Latencies, Quantiles};

use lane::Lane;
pub use lane::{Crowd, Script};

/// What to send and how.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Server.
    pub addr: SocketAddr,
    /// One device a connection.
    pub devices: Vec<Key>,
    /// Unacknowledged publishes a connection.
    pub window: u16,
    /// Deposits a publish, 1..=256.
    pub batch: u16,
    /// Protocol.
    pub version: Version,
    /// Everything is drawn from it.
    pub seed: u64,
    /// Who drops bags.
    pub crowd: Arc<Crowd>,
    /// Event time of the first deposit, milliseconds since 1970.
    pub from: i64,
    /// End after this long...
    pub time: Option<Duration>,
    /// ...or after this many deposits in all.
    pub records: Option<u64>,
    /// Deposits a second in all; as fast as acknowledged if absent.
    pub rate: Option<f64>,
    /// After the end, wait this long for acknowledgements still owed.
    pub patience: Duration,
}

/// The run in figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Deposits handed to a socket, each counted once.
    pub sent: u64,
    /// Deposits acknowledged.
    pub acked: u64,
    /// Deposits the server refused with a reason (MQTT 5).
    pub refused: u64,
    /// Deposits sent again after a lost connection.
    pub resent: u64,
    /// Publishes acknowledged.
    pub messages: u64,
    /// From the first connection attempt to the last acknowledgement.
    pub seconds: f64,
    /// Publishes a second.
    pub messages_per_s: f64,
    /// Deposits a second.
    pub records_per_s: f64,
    /// From encoding a publish to its acknowledgement.
    pub puback_us: Quantiles,
    /// Connections lost and replaced.
    pub reconnects: u64,
}

/// Counters that a progress display may read while a run goes on.
#[derive(Debug, Default)]
pub struct Gauge {
    pub(crate) stop: AtomicBool,
    acked: AtomicU64,
}

impl Gauge {
    /// Deposits acknowledged so far.
    pub fn acked(&self) -> u64 {
        self.acked.load(Ordering::Relaxed)
    }
}

/// Where acknowledged records are written down, shared by all connections; see [`crate::oracle::log_line`].
pub type Log = Arc<std::sync::Mutex<dyn Write + Send>>;

/// Runs the plan to its end.
pub async fn run(plan: &Plan, log: Option<Log>, gauge: Arc<Gauge>) -> Result<Report, MqttError> {
    let began = Instant::now();
    let stop = CancellationToken::new();
    let mut tasks = JoinSet::new();
    for index in 0..plan.devices.len() {
        if let Some(lane) = Lane::new(plan, index, log.clone(), gauge.clone(), began) {
            tasks.spawn(drive(plan.clone(), index, lane, stop.clone()));
        }
    }
    let deadline = tokio::spawn(end_in_time(plan.time, plan.patience, gauge, stop.clone()));
    let mut sum = Sum::default();
    while let Some(joined) = tasks.join_next().await {
        match joined {
            Ok(Ok(lane)) => sum.add(lane),
            Ok(Err(error)) => return Err(error),
            Err(panic) => return Err(std::io::Error::other(panic).into()),
        }
    }
    deadline.abort();
    Ok(sum.report(began))
}

async fn end_in_time(time: Option<Duration>, patience: Duration, gauge: Arc<Gauge>, stop: CancellationToken) {
    let Some(time) = time else { return };
    tokio::time::sleep(time).await;
    gauge.stop.store(true, Ordering::Relaxed);
    tokio::time::sleep(patience).await;
    stop.cancel();
}

async fn drive(
    plan: Plan,
    index: usize,
    mut lane: Lane,
    stop: CancellationToken,
) -> Result<(Lane, u64, Instant), MqttError> {
    let Some(key) = plan.devices.get(index) else {
        return Ok((lane, 0, Instant::now()));
    };
    let options = Options {
        version: plan.version,
        window: plan.window,
        ..Options::new(plan.addr, &key.device, &key.key)
    };
    let dice = Dice::new(plan.seed, "backoff", index as u64);
    let mut backoff = Backoff::new(dice, Duration::from_millis(50), Duration::from_secs(2)).at_most(60);
    let reconnects = keep_driving(&options, &mut lane, &mut backoff, &stop).await;
    lane.close();
    Ok((lane, reconnects?, Instant::now()))
}

#[derive(Default)]
struct Sum {
    sent: u64,
    acked: u64,
    refused: u64,
    resent: u64,
    messages: u64,
    reconnects: u64,
    latencies: Latencies,
    last: Option<Instant>,
}

impl Sum {
    fn add(&mut self, (lane, reconnects, ended): (Lane, u64, Instant)) {
        self.sent += lane.sent;
        self.acked += lane.acked;
        self.refused += lane.refused;
        self.resent += lane.resent;
        self.messages += lane.messages;
        self.reconnects += reconnects;
        self.latencies.merge(&lane.latencies);
        self.last = self.last.max(Some(lane.last_ack.unwrap_or(ended)));
    }

    fn report(self, began: Instant) -> Report {
        let seconds = self.last.map_or(0.0, |last| (last - began).as_secs_f64());
        let per_second = |count: u64| {
            if seconds > 0.0 {
                (count as f64 / seconds).round()
            } else {
                0.0
            }
        };
        Report {
            sent: self.sent,
            acked: self.acked,
            refused: self.refused,
            resent: self.resent,
            messages: self.messages,
            seconds,
            messages_per_s: per_second(self.messages),
            records_per_s: per_second(self.acked),
            puback_us: self.latencies.quantiles(),
            reconnects: self.reconnects,
        }
    }
}

#[cfg(test)]
mod tests;
