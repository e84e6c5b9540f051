//! Devices with real ring files, each on a connection of its own: firmware-sim's state machine, with a log of every
//! promise written before the device acts on it. Must not: forget a record for another reason than a promise.

mod bin;
mod flash;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use firmware_sim::draw::Dice;
use firmware_sim::keys::Key;
use firmware_sim::mqtt::{Backoff, Options, keep_driving};
use firmware_sim::reading::boot_number;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use bin::Bin;
pub use flash::preload;

use crate::said::Says;
use crate::times::Times;

/// Whose word makes a device erase a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// The PUBACK's: at the embedded endpoint acknowledged means stored.
    Puback,
    /// The receipt's alone.
    Receipt,
}

/// One device.
#[derive(Clone)]
pub struct Member {
    /// Its login.
    pub key: Key,
    /// What it says.
    pub says: Says,
    /// How many records it has to tell.
    pub goal: u64,
    /// Whose word it believes.
    pub trust: Trust,
    /// How long it takes to tell them, evenly; as fast as its ring has room if absent.
    pub lasting: Option<Duration>,
    /// Where it connects, if not where all do.
    pub addr: Option<SocketAddr>,
}

/// How the devices behave.
#[derive(Debug, Clone)]
pub struct Manners {
    /// Server or proxy.
    pub addr: SocketAddr,
    /// Folder for ring files and logs.
    pub folder: PathBuf,
    /// Everything is drawn from it.
    pub seed: u64,
    /// Unacknowledged publishes a connection.
    pub window: u16,
    /// Records a publish.
    pub batch: usize,
    /// Records a ring holds.
    pub ring: usize,
    /// Whether each device keeps its ring and its log open: two files more than its connection.
    pub files_stay_open: bool,
    /// Whether a PUBACK promises anything: not behind a broker.
    pub puback_promises: bool,
    /// Share of turns at which a device loses power.
    pub power_cuts: f64,
    /// Share of publishes beside which noise is sent, which is no record at all.
    pub noise: f64,
    /// Silence after which everything unpromised is sent again.
    pub patience: Duration,
    /// How often an idle device looks what there is to do.
    pub look: Duration,
}

/// Counters, readable while it goes on.
#[derive(Debug, Default)]
pub struct Tally {
    pub(crate) told: AtomicU64,
    pub(crate) acked: AtomicU64,
    pub(crate) erased: AtomicU64,
    pub(crate) refused_receipts: AtomicU64,
    pub(crate) power_cuts: AtomicU64,
    pub(crate) connections: AtomicU64,
    pub(crate) noise: AtomicU64,
    /// The longest that a device held something and nothing of it was promised, ms.
    pub(crate) stood: AtomicU64,
    /// From sending to PUBACK.
    pub(crate) puback: Mutex<Times>,
    /// From PUBACK to the receipt that covers it.
    pub(crate) receipt: Mutex<Times>,
}

impl Tally {
    /// Records erased because of a promise.
    pub fn erased(&self) -> u64 {
        self.erased.load(Ordering::Relaxed)
    }

    /// Records in acknowledged publishes, repeats included.
    pub fn acked(&self) -> u64 {
        self.acked.load(Ordering::Relaxed)
    }

    /// Connections made.
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// Times a device lost power.
    pub fn power_cuts(&self) -> u64 {
        self.power_cuts.load(Ordering::Relaxed)
    }

    /// Receipts that were not believed.
    pub fn refused_receipts(&self) -> u64 {
        self.refused_receipts.load(Ordering::Relaxed)
    }

    /// The longest that a device held something and nothing of it was promised.
    pub fn stood(&self) -> Duration {
        Duration::from_millis(self.stood.load(Ordering::Relaxed))
    }

    /// Publishes of noise.
    pub fn noise(&self) -> u64 {
        self.noise.load(Ordering::Relaxed)
    }
}

/// Adds to a counter.
pub(crate) fn count(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}

/// Devices at work.
#[derive(Debug)]
pub struct Fleet {
    tasks: JoinSet<Result<Bin>>,
    /// What happens.
    pub tally: Arc<Tally>,
    stop: CancellationToken,
    /// Records it has to tell in all.
    pub goal: u64,
}

impl Fleet {
    /// Starts every device on its own task.
    pub fn start(members: &[Member], manners: &Manners) -> Result<Self> {
        Self::start_with(&Handle::current(), members, manners)
    }

    /// The same on threads of their own.
    pub fn start_on(threads: &Threads, members: &[Member], manners: &Manners) -> Result<Self> {
        let handle = threads.0.as_ref().context("threads that have ended")?.handle();
        Self::start_with(handle, members, manners)
    }

    fn start_with(threads: &Handle, members: &[Member], manners: &Manners) -> Result<Self> {
        let (tally, stop, mut tasks) = (
            Arc::new(Tally::default()),
            CancellationToken::new(),
            JoinSet::new(),
        );
        for (index, member) in (0..).zip(members) {
            let boot = boot_number(manners.seed, &member.key.device, 0);
            let dice = Dice::new(manners.seed, "device", index);
            let bin = Bin::start(member.clone(), manners.clone(), boot, dice, tally.clone());
            let bin = bin.with_context(|| member.key.device.clone())?;
            let backoff = Dice::new(manners.seed, "backoff", index);
            tasks.spawn_on(live(bin, manners.clone(), backoff, stop.clone()), threads);
        }
        let goal = members.iter().map(|member| member.goal).sum();
        Ok(Self {
            tasks,
            tally,
            stop,
            goal,
        })
    }

    /// Whether every device has told and erased everything.
    pub fn is_done(&self) -> bool {
        self.tally.erased() >= self.goal
    }

    /// Waits until every record of every device was promised, at most so long; gives the devices either way.
    pub async fn finish(mut self, patience: Duration) -> Result<Vec<Bin>> {
        let deadline = Instant::now() + patience;
        let mut bins = Vec::new();
        loop {
            tokio::select! {
                joined = self.tasks.join_next() => match joined {
                    None => return Ok(bins),
                    Some(bin) => bins.push(bin??),
                },
                () = tokio::time::sleep_until(deadline), if !self.stop.is_cancelled() => self.stop.cancel(),
            }
        }
    }
}

/// A thread for some of the devices. A device waits for its disk as a device does, and keeps whoever shares its thread
/// waiting with it.
#[derive(Debug)]
pub struct Threads(Option<Runtime>);

impl Threads {
    /// Starts it.
    pub fn start() -> std::io::Result<Self> {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1).enable_all().build().map(Some).map(Self)
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

async fn live(mut bin: Bin, manners: Manners, dice: Dice, stop: CancellationToken) -> Result<Bin> {
    let key = bin.key().clone();
    let options = Options {
        window: manners.window,
        subscribe: bin.listens(),
        keep_alive_s: 10,
        ..Options::new(bin.member().addr.unwrap_or(manners.addr), &key.device, &key.key)
    };
    let mut backoff = Backoff::new(dice, Duration::from_millis(50), Duration::from_secs(1));
    keep_driving(&options, &mut bin, &mut backoff, &stop).await?;
    if let Some(error) = bin.failed.take() {
        bail!("{}: {error}", key.device);
    }
    Ok(bin)
}

impl std::fmt::Debug for Member {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Member({:?}, {} records, {:?})",
            self.key, self.goal, self.trust
        )
    }
}
