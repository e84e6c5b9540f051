//! The server in the world: the endpoint's greeting and session without a socket, and behind them the real committer,
//! projector and receipts, each moved one step at a time by the scheduler. A crash drops all of it but the disk.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::BytesMut;
use firmware_sim::device::Receipt;
use hemu_endpoint::codec::frame_length;
use hemu_endpoint::greeting::greet;
use hemu_endpoint::session::{Session, Step};
use hemu_endpoint::{DeviceId, Limits, Up};
use hemu_ingest::{Clock, Committer, Intake, Metrics, Submission, accept, fold, receipts};
use hemu_ledger::registry::key_digest;
use hemu_ledger::{Folder, Ledger, Lock, Projector};
use hemu_rules::Zone;
use prometheus::Registry;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::disk::Disk;
use crate::plan::Sabotage;

type Outcome<T> = Result<T, hemu_ledger::Error>;

/// Something is stored, and somebody waits to hear it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stored {
    Chunk { who: usize, link: u64 },
    Mail(u64),
}

/// What a connection has to say for itself.
#[derive(Debug, Default)]
pub(crate) struct Said {
    pub(crate) output: Vec<u8>,
    pub(crate) closed: bool,
}

struct Call {
    link: u64,
    input: BytesMut,
    session: Option<Session>,
}

pub(crate) struct Server {
    pub(crate) ledger: Ledger,
    committer: Committer,
    intake: Intake,
    projector: Projector,
    _projecting: Lock,
    _checkpoints: watch::Sender<u64>,
    pub(crate) generation: u64,
    /// Where the world's time is counted from.
    began: Instant,
    calls: BTreeMap<usize, Call>,
    stored: Arc<Mutex<Vec<Stored>>>,
    /// Orders the committer has not taken.
    pub(crate) waiting: bool,
    sabotage: Sabotage,
    /// The largest number seen of each device and boot; for the sabotage alone.
    largest: HashMap<(String, u64), u64>,
}

impl Server {
    /// As `hemu serve` starts: catches up, then takes calls.
    pub(crate) async fn start(disk: &Disk, clock: Clock, sabotage: Sabotage) -> Outcome<Self> {
        let ledger = Ledger::open(&Folder::open(disk.path())?, Zone::SHANGHAI).await?;
        let (mut projector, projecting) = ledger.projector().await?;
        fold::catch_up(&mut projector, |_| {}).await?;
        let metrics = Metrics::new(&Registry::new())
            .map_err(|error| hemu_ledger::Error::Rejected(error.to_string()))?;
        let (checkpoints, seen) = watch::channel(0);
        let (committer, intake, _) = Committer::new(&ledger, clock, metrics, seen).await?;
        Ok(Self {
            generation: ledger.generation().await?,
            began: Instant::now(),
            ledger,
            committer,
            intake,
            projector,
            _projecting: projecting,
            _checkpoints: checkpoints,
            calls: BTreeMap::new(),
            stored: Arc::default(),
            waiting: false,
            sabotage,
            largest: HashMap::new(),
        })
    }

    /// Nothing is left of the process; the folder's files are closed, so that the next one may have them.
    pub(crate) async fn die(self) -> Outcome<()> {
        let Self {
            ledger, projector, ..
        } = self;
        projector.close().await?;
        ledger.close().await;
        Ok(())
    }

    /// Bytes came on a connection. A newer connection of a device ends the older one.
    pub(crate) async fn hear(&mut self, who: usize, link: u64, bytes: &[u8]) -> Outcome<Said> {
        let call = self.calls.entry(who).or_insert_with(|| Call::new(link));
        if call.link > link {
            return Ok(Said {
                closed: true,
                ..Said::default()
            });
        }
        if call.link < link {
            *call = Call::new(link);
        }
        call.input.extend_from_slice(bytes);
        if call.session.is_none() && !self.take_call(who).await? {
            self.calls.remove(&who);
            return Ok(Said {
                closed: true,
                ..Said::default()
            });
        }
        self.converse(who).await
    }

    /// The CONNECT, when it is whole: the key is the registry's. False when the call is not taken.
    async fn take_call(&mut self, who: usize) -> Outcome<bool> {
        let limits = Limits::default();
        let Some(call) = self.calls.get_mut(&who) else {
            return Ok(false);
        };
        let length = match frame_length(&call.input, limits.connect_bytes) {
            Ok(Some(length)) if length <= call.input.len() => length,
            Ok(_) => return Ok(true),
            Err(_) => return Ok(false),
        };
        let Ok(caller) = greet(&call.input.split_to(length)) else {
            return Ok(false);
        };
        let known = self.ledger.device_key(caller.device.as_str()).await?;
        if known != Some(key_digest(caller.key.as_bytes())) {
            return Ok(false);
        }
        let device = caller.device.clone();
        call.session = Some(caller.accept(&limits).0);
        self.intake.greet(device.as_str()).await;
        self.waiting = true;
        Ok(true)
    }

    async fn converse(&mut self, who: usize) -> Outcome<Said> {
        let mut said = Said::default();
        while let Some((link, session, input)) = self.calls.get_mut(&who).and_then(Call::open) {
            match session.step(input) {
                Step::Read | Step::Wait => break,
                Step::Commands => session.commands(&[]),
                Step::CommandAcknowledged(_) => {}
                Step::Close(_) => {
                    said.closed = true;
                    break;
                }
                Step::Deliver(publishes) => {
                    let device = session.device().clone();
                    if self.sabotage == Sabotage::AckBeforeCommit {
                        session.stored();
                    }
                    let brief = session.is_brief();
                    let payloads = publishes.iter().map(|publish| (publish.up, &publish.payload[..]));
                    let whom = Stored::Chunk { who, link };
                    self.submit(&device, payloads, brief, whom).await;
                }
            }
        }
        if let Some((_, session, _)) = self.calls.get_mut(&who).and_then(Call::open) {
            said.output = session.output().split().to_vec();
        }
        if said.closed {
            self.calls.remove(&who);
        }
        Ok(said)
    }

    /// A message of a broker's.
    pub(crate) async fn mail(&mut self, number: u64, device: &DeviceId, up: Up, payload: &[u8]) {
        self.submit(device, [(up, payload)], false, Stored::Mail(number))
            .await;
    }

    async fn submit<'p>(
        &mut self,
        device: &DeviceId,
        payloads: impl IntoIterator<Item = (Up, &'p [u8])>,
        brief: bool,
        whom: Stored,
    ) {
        let accepted = accept(device, payloads);
        for segment in &accepted.segments {
            let seqs = segment.marks().iter().filter_map(|mark| mark.seq);
            if let Some((boot, most)) = segment.boot().zip(seqs.max()) {
                let largest = self.largest.entry((device.to_string(), boot)).or_default();
                *largest = most.max(*largest);
            }
        }
        let told = Arc::clone(&self.stored);
        let stored = Box::new(move || told.lock().unwrap_or_else(PoisonError::into_inner).push(whom));
        let segments = accepted.segments;
        let submission = Submission {
            segments,
            brief,
            stored,
        };
        self.intake.submit(submission).await;
        self.waiting = true;
    }

    /// One batch of the committer's; whom it stored something for.
    pub(crate) async fn commit(&mut self) -> Vec<Stored> {
        if std::mem::take(&mut self.waiting) {
            self.committer.step(&CancellationToken::new()).await;
        }
        self.told()
    }

    fn told(&self) -> Vec<Stored> {
        let mut told = self.stored.lock().unwrap_or_else(PoisonError::into_inner);
        told.drain(..)
            .filter(|whom| self.sabotage != Sabotage::AckBeforeCommit || matches!(whom, Stored::Mail(_)))
            .collect()
    }

    /// The oldest chunk of a connection is stored.
    pub(crate) async fn redeem(&mut self, who: usize, link: u64) -> Outcome<Said> {
        match self.calls.get_mut(&who).and_then(Call::open) {
            Some((of, session, _)) if of == link => session.stored(),
            _ => return Ok(Said::default()),
        }
        self.converse(who).await
    }

    /// One step of the projector's; whether there was something to fold.
    pub(crate) async fn fold(&mut self) -> Outcome<bool> {
        Ok(self.projector.step().await?.records > 0)
    }

    /// The receipts owed at a time of the world, signed, and whom a batch was stored for meanwhile.
    pub(crate) async fn receipts(&mut self, now: i64) -> (Vec<(DeviceId, String)>, Vec<Stored>) {
        let signed = Mutex::new(Vec::new());
        let send = |device: &DeviceId, receipt: Option<String>| {
            let mut signed = signed.lock().unwrap_or_else(PoisonError::into_inner);
            signed.extend(receipt.map(|receipt| (device.clone(), receipt)));
        };
        let never = CancellationToken::new();
        let now = self.began + Duration::from_millis(now.unsigned_abs());
        let round = receipts::round(&self.intake, &self.ledger, self.generation, now, &send);
        futures::future::join(round, self.committer.step(&never)).await;
        self.waiting = false;
        let mut signed = signed.into_inner().unwrap_or_else(PoisonError::into_inner);
        if self.sabotage == Sabotage::MaximumReceipt {
            for (device, receipt) in &mut signed {
                self.exaggerate(device, receipt);
            }
        }
        (signed, self.told())
    }

    fn exaggerate(&self, device: &DeviceId, signed: &mut String) {
        let keys = crate::plan::devices();
        let key = keys.iter().find(|(name, _)| name == device.as_str());
        let digest = key_digest(key.map(|(_, key)| key.as_bytes()).unwrap_or_default());
        let Ok(receipt) = Receipt::verify(signed.as_bytes(), &digest) else {
            return;
        };
        let largest = self.largest.get(&(device.to_string(), receipt.boot)).copied();
        let exaggerated = hemu_wire::Receipt {
            boot: receipt.boot,
            upto: largest.unwrap_or(receipt.upto),
            missing: Vec::new(),
            generation: receipt.generation,
        };
        *signed = hemu_wire::sign(&exaggerated, &digest);
    }

    /// The bytes of a receipt on the way to a device at the endpoint: its connection and what is written there.
    pub(crate) fn receipt(&mut self, who: usize, receipt: &str) -> Option<(u64, Vec<u8>)> {
        let (link, session, _) = self.calls.get_mut(&who).and_then(Call::open)?;
        session.receipt(receipt.as_bytes());
        Some((link, session.output().split().to_vec()))
    }

    /// The connection is no more.
    pub(crate) fn hung_up(&mut self, who: usize, link: u64) {
        if self.calls.get(&who).is_some_and(|call| call.link == link) {
            self.calls.remove(&who);
        }
    }
}

impl Call {
    fn new(link: u64) -> Self {
        Self {
            link,
            input: BytesMut::new(),
            session: None,
        }
    }

    fn open(&mut self) -> Option<(u64, &mut Session, &mut BytesMut)> {
        let session = self.session.as_mut()?;
        Some((self.link, session, &mut self.input))
    }
}
