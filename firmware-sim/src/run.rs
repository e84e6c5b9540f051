//! The estate as it lives: every device with its ring, its faults and its own connection, in simulated
//! time. Must not: send anything that is not in flash first, or forget it before a receipt.

mod bin;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::device::{BEHIND_A_BROKER, Device, FileFlash, Flash, MemFlash, RingError, SLOT_BYTES};
use crate::draw::Dice;
use crate::faults::{Faults, Plan as FaultPlan};
use crate::keys::{Keys, KeysError};
use crate::life::{History, midnight};
use crate::load::Log;
use crate::mqtt::{Backoff, MqttError, Options, keep_driving};
use crate::reading::boot_number;

use bin::{Bin, Heard};

/// Simulated time, milliseconds since 1970.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// A file or a memory.
type AnyFlash = Box<dyn Flash + Send>;

/// How often the estate looks what has happened.
const LOOK: Duration = Duration::from_millis(100);

/// What to run.
#[derive(Clone)]
pub struct Plan {
    /// Server.
    pub addr: SocketAddr,
    /// Logins of all devices of the estate.
    pub keys: Keys,
    /// What goes wrong.
    pub faults: FaultPlan,
    /// Readings from before this moment are not told to the devices, milliseconds since 1970.
    pub from: i64,
    /// The server is a broker: few records may be on their way without a receipt, for its PUBACK promises nothing.
    pub behind_a_broker: bool,
    /// Records a device's flash holds.
    pub ring_records: usize,
    /// Folder of ring files; in memory if absent.
    pub flash: Option<PathBuf>,
    /// Where acknowledged deposits are written down.
    pub log: Option<Log>,
}

/// What happened so far; readable while it goes on.
#[derive(Debug, Default)]
pub struct Tally {
    /// Readings recorded in flash.
    pub recorded: AtomicU64,
    /// Records in publishes, repeats included.
    pub sent: AtomicU64,
    /// Records in acknowledged publishes, repeats included.
    pub acked: AtomicU64,
    /// Records that receipts released.
    pub receipted: AtomicU64,
    /// Telemetry not recorded for want of room.
    pub thinned: AtomicU64,
    /// Publishes of noise.
    pub garbage: AtomicU64,
    /// Times a device lost its power.
    pub power_cuts: AtomicU64,
    /// Receipts that were not believed.
    pub bad_receipts: AtomicU64,
    /// Commands received.
    pub commands: AtomicU64,
    /// Connections made.
    pub connections: AtomicU64,
}

/// [`Tally`] at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Figures {
    /// See [`Tally::recorded`].
    pub recorded: u64,
    /// See [`Tally::sent`].
    pub sent: u64,
    /// See [`Tally::acked`].
    pub acked: u64,
    /// See [`Tally::receipted`].
    pub receipted: u64,
    /// See [`Tally::thinned`].
    pub thinned: u64,
    /// See [`Tally::garbage`].
    pub garbage: u64,
    /// See [`Tally::power_cuts`].
    pub power_cuts: u64,
    /// See [`Tally::bad_receipts`].
    pub bad_receipts: u64,
    /// See [`Tally::commands`].
    pub commands: u64,
    /// See [`Tally::connections`].
    pub connections: u64,
}

impl Tally {
    /// All counters now.
    pub fn figures(&self) -> Figures {
        let now = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Figures {
            recorded: now(&self.recorded),
            sent: now(&self.sent),
            acked: now(&self.acked),
            receipted: now(&self.receipted),
            thinned: now(&self.thinned),
            garbage: now(&self.garbage),
            power_cuts: now(&self.power_cuts),
            bad_receipts: now(&self.bad_receipts),
            commands: now(&self.commands),
            connections: now(&self.connections),
        }
    }
}

/// The estate cannot run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A device has no key.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// A ring cannot be opened.
    #[error("{device}: {source}")]
    Ring {
        /// Device id.
        device: String,
        /// What is wrong with it.
        source: RingError,
    },
    /// The server refused a login.
    #[error(transparent)]
    Mqtt(#[from] MqttError),
    /// A task of ours died.
    #[error("simulator task: {0}")]
    Task(#[from] tokio::task::JoinError),
}

/// Runs `history` in the time of `clock` until `stop`. Devices begin where their rings end.
pub async fn run(
    plan: &Plan,
    mut history: History,
    clock: Clock,
    tally: Arc<Tally>,
    stop: CancellationToken,
) -> Result<(), RunError> {
    history.without_end();
    plan.keys
        .require(history.estate().devices().map(|(device, _)| device))?;
    let (mut senders, mut tasks) = (Vec::new(), JoinSet::new());
    let names: Vec<String> = history
        .estate()
        .devices()
        .map(|(device, _)| device.to_owned())
        .collect();
    for (index, name) in names.iter().enumerate() {
        let (sender, receiver) = mpsc::channel(256);
        senders.push(sender);
        let options = Options::new(plan.addr, name, plan.keys.get(name).unwrap_or_default());
        let fresh_boot = boot_number(history.seed(), name, clock().unsigned_abs());
        let device = start(plan, &options, fresh_boot, clock()).map_err(|source| RunError::Ring {
            device: name.clone(),
            source,
        })?;
        let faults = Faults::new(plan.faults.clone(), history.seed(), index as u64);
        let heard = Heard {
            inbox: receiver,
            clock: clock.clone(),
            tally: tally.clone(),
            log: plan.log.clone(),
        };
        let dice = |purpose| Dice::new(history.seed(), purpose, index as u64);
        let bin = Bin::new(device, faults, heard, dice("patience"));
        tasks.spawn(live(options, bin, dice("backoff"), stop.clone()));
    }
    let feeder = feed(history, plan.from, clock, senders, stop.clone());
    tokio::pin!(feeder);
    let mut fed = false;
    loop {
        tokio::select! {
            () = &mut feeder, if !fed => fed = true,
            joined = tasks.join_next() => match joined {
                None => return Ok(()),
                Some(ended) => ended??,
            },
        }
    }
}

/// A device on the flash that the plan gives it.
fn start(plan: &Plan, options: &Options, fresh_boot: u64, now: i64) -> Result<Device<AnyFlash>, RingError> {
    let size = 1_024 + plan.ring_records * SLOT_BYTES;
    let flash: AnyFlash = match &plan.flash {
        Some(folder) => Box::new(FileFlash::open(
            &folder.join(format!("{}.ring", options.device)),
            size,
        )?),
        None => Box::new(MemFlash::new(size)),
    };
    let device = Device::start(&options.device, &options.key, flash, fresh_boot, now)?;
    Ok(if plan.behind_a_broker {
        device.with_window(BEHIND_A_BROKER)
    } else {
        device
    })
}

/// Tells every device what happens to it, when it happens.
async fn feed(
    mut history: History,
    from: i64,
    clock: Clock,
    senders: Vec<mpsc::Sender<crate::life::Reading>>,
    stop: CancellationToken,
) {
    while let Some(day) = history.next_day() {
        for reading in day.readings.into_iter().filter(|reading| reading.at >= from) {
            while reading.at > clock() {
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(LOOK) => {}
                }
            }
            let Some(sender) = senders.get(usize::from(reading.device)) else {
                continue;
            };
            tokio::select! {
                () = stop.cancelled() => return,
                _ = sender.send(reading) => {}
            }
        }
        while midnight(history.upcoming()) > clock() && !stop.is_cancelled() {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }
}

async fn live(options: Options, mut bin: Bin, dice: Dice, stop: CancellationToken) -> Result<(), RunError> {
    let mut backoff = Backoff::new(dice, Duration::from_millis(200), Duration::from_secs(30));
    keep_driving(&options, &mut bin, &mut backoff, &stop).await?;
    match bin.failed {
        Some(source) => Err(RunError::Ring {
            device: options.device,
            source,
        }),
        None => Ok(()),
    }
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Plan({} devices at {}, {:?})",
            self.keys.0.len(),
            self.addr,
            self.faults
        )
    }
}

#[cfg(test)]
mod tests;
