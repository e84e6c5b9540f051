//! One device on its connection: tells its records, keeps them in its ring file, notes each promise, then erases.

use std::collections::{BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Result;
use firmware_sim::device::{
    Appended, BEHIND_A_BROKER, Device, DeviceError, Receipt, Received, RingError, key_digest,
    payload as payload_of,
};
use firmware_sim::draw::Dice;
use firmware_sim::faults::{Faults, Plan};
use firmware_sim::keys::Key;
use firmware_sim::mqtt::{Next, Traffic};
use firmware_sim::reading::Topic;
use tokio::time::Instant;

use super::flash::Torn;
use super::{Manners, Member, Tally, Trust, count};
use crate::said::FIRST;
use crate::witness::Witness;

/// Records appended at one turn.
const TURN: u64 = 32;
/// Bytes a record and a header take at most: a power cut falls somewhere in them.
const WITHIN: u32 = 600;

/// The [`Traffic`] of one device.
pub struct Bin {
    member: Member,
    manners: Manners,
    boot: u64,
    dice: Dice,
    noise: Faults,
    tally: Arc<Tally>,
    device: Option<Device<Torn>>,
    witness: Witness,
    /// Acknowledged numbers beyond what is erased, for a device that trusts PUBACKs.
    acked: BTreeSet<u64>,
    /// When the last record of a publish was acknowledged, until a receipt covers it.
    waiting: VecDeque<(u64, Instant)>,
    began: Instant,
    progress: Instant,
    /// When something was promised last, or there was nothing to promise.
    promised: Instant,
    /// Why the device ended, if it did.
    pub failed: Option<anyhow::Error>,
}

impl Bin {
    pub(super) fn start(
        member: Member,
        manners: Manners,
        boot: u64,
        dice: Dice,
        tally: Arc<Tally>,
    ) -> Result<Self> {
        let (now, witness) = (
            Instant::now(),
            Witness::open(log(&manners, &member), manners.files_stay_open)?,
        );
        let noise = Faults::new(Plan::default(), manners.seed, member.goal);
        let mut bin = Self {
            member,
            manners,
            boot,
            dice,
            noise,
            tally,
            device: None,
            witness,
            acked: BTreeSet::new(),
            waiting: VecDeque::new(),
            began: now,
            progress: now,
            promised: now,
            failed: None,
        };
        bin.device = Some(bin.open(None)?);
        Ok(bin)
    }

    fn open(&self, budget: Option<usize>) -> Result<Device<Torn>> {
        let path = self
            .manners
            .folder
            .join(format!("{}.ring", self.member.key.device));
        let flash = Torn::open(path, self.manners.ring, budget, self.manners.files_stay_open)?;
        let Key { device, key } = &self.member.key;
        let window = if self.manners.puback_promises {
            u64::MAX
        } else {
            BEHIND_A_BROKER
        };
        Ok(Device::start(device, key, flash, self.boot, FIRST)?.with_window(window))
    }

    /// Its login.
    pub fn key(&self) -> &Key {
        &self.member.key
    }

    /// What it says.
    pub fn member(&self) -> &Member {
        &self.member
    }

    /// The boot of its records, and the last number it used.
    pub fn told(&self) -> (u64, u64) {
        self.device
            .as_ref()
            .map_or((self.boot, 0), |device| (device.boot(), device.next_seq() - 1))
    }

    /// Records it still holds because nobody promised anything.
    pub fn held(&self) -> u64 {
        self.device.as_ref().map_or(0, Device::held)
    }

    /// Where its promises are.
    pub fn log(&self) -> PathBuf {
        log(&self.manners, &self.member)
    }

    /// A device that trusts PUBACKs does not ask for receipts.
    pub(super) fn listens(&self) -> bool {
        self.member.trust == Trust::Receipt
    }

    /// Records what is due, as far as the ring has room: nothing is ever overwritten here.
    fn record(&mut self) -> Result<(), RingError> {
        let lived = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let pace = self
            .member
            .lasting
            .map(|lasting| u64::try_from(lasting.as_millis()).unwrap_or(u64::MAX));
        let due = match pace {
            Some(lasting) if lived < lasting => self.member.goal.saturating_mul(lived) / lasting,
            _ => self.member.goal,
        };
        let Some(device) = &mut self.device else {
            return Ok(());
        };
        let room = (self.manners.ring as u64).saturating_sub(device.held() + 2);
        let last = due.min(device.next_seq() - 1 + room.min(TURN));
        while device.next_seq() <= last {
            let (at, body) = (self.member.says)(device.next_seq());
            if device.append(at, &body)? == Appended::Thinned {
                break;
            }
            count(&self.tally.told, 1);
        }
        Ok(())
    }

    /// Power fails in the middle of the next record, and comes back.
    fn power_cut(&mut self) -> Result<()> {
        count(&self.tally.power_cuts, 1);
        self.device = None;
        self.acked.clear();
        self.waiting.clear();
        let budget = self.dice.below(WITHIN) as usize;
        let mut torn = self.open(Some(budget))?;
        if torn.next_seq() <= self.member.goal && torn.held() + 2 < self.manners.ring as u64 {
            let (at, body) = (self.member.says)(torn.next_seq());
            // Whole or torn, as it falls: what was torn was never sent.
            if torn.append(at, &body).is_ok() {
                count(&self.tally.told, 1);
            }
        }
        drop(torn);
        self.device = Some(self.open(None)?);
        Ok(())
    }

    fn turn(&mut self, payload: &mut Vec<u8>) -> Result<Next<Sent>> {
        if self.dice.chance(self.manners.power_cuts) {
            self.power_cut()?;
            return Ok(Next::Hangup);
        }
        if self.dice.chance(self.manners.noise) {
            count(&self.tally.noise, 1);
            payload.extend_from_slice(&self.noise.noise());
            return Ok(Next::Publish(Topic::Deposit, Vec::new()));
        }
        self.record()?;
        let Some(device) = &mut self.device else {
            return Ok(Next::Done);
        };
        if device.held() == 0 {
            self.promised = Instant::now();
            if device.next_seq() > self.member.goal {
                return Ok(Next::Done);
            }
        }
        let stood = u64::try_from(self.promised.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.tally.stood.fetch_max(stood, Ordering::Relaxed);
        if device.waits() && self.progress.elapsed() > self.manners.patience {
            device.reconnected();
            self.progress = Instant::now();
        }
        let frames = device.to_send(self.manners.batch)?;
        let Some(first) = frames.first() else {
            return Ok(Next::Wait);
        };
        let identities = frames.iter().map(|frame| (frame.boot, frame.seq)).collect();
        payload.extend_from_slice(&payload_of(&frames));
        Ok(Next::Publish(first.topic, identities))
    }

    fn noted(&mut self, identities: &[(u64, u64)], waited: Duration) -> Result<()> {
        if identities.is_empty() || !self.manners.puback_promises {
            return Ok(());
        }
        self.witness.acked(identities)?;
        count(&self.tally.acked, identities.len() as u64);
        if let Ok(mut times) = self.tally.puback.lock() {
            times.record(waited);
        }
        if let Some(&(_, last)) = identities.last() {
            self.waiting.push_back((last, Instant::now()));
        }
        if self.member.trust == Trust::Puback {
            self.acked.extend(identities.iter().map(|(_, seq)| *seq));
            self.erase_acked()?;
        }
        Ok(())
    }

    /// Erasing goes through the shipping code, which takes receipts only: the device writes itself one.
    fn erase_acked(&mut self) -> Result<()> {
        let Some(device) = &mut self.device else {
            return Ok(());
        };
        let before = device.next_seq() - device.held() - 1;
        let mut upto = before;
        while self.acked.remove(&(upto + 1)) {
            upto += 1;
        }
        if upto > before {
            let (missing, generation) = (Vec::new(), 1);
            let own = Receipt {
                boot: device.boot(),
                upto,
                missing,
                generation,
            };
            let erased = device.on_receipt(&own.signed(&key_digest(&self.member.key.key)), FIRST)?;
            self.progress = Instant::now();
            if let Received::Released(records) = erased {
                count(&self.tally.erased, records);
                self.promised = self.progress;
            }
        }
        Ok(())
    }

    fn receipt(&mut self, json: &[u8]) -> Result<()> {
        let Some(device) = &mut self.device else {
            return Ok(());
        };
        let Ok(receipt) = Receipt::verify(json, &key_digest(&self.member.key.key)) else {
            count(&self.tally.refused_receipts, 1);
            return Ok(());
        };
        if receipt.boot == device.boot() && receipt.upto < device.next_seq() {
            self.witness.receipted(receipt.boot, receipt.upto)?;
        }
        match device.on_receipt(json, FIRST) {
            Ok(Received::Released(records)) => {
                count(&self.tally.erased, records);
                self.progress = Instant::now();
                self.promised = self.progress;
            }
            Ok(Received::Rewound | Received::Nothing) => {}
            Err(DeviceError::Ring(error)) => return Err(error.into()),
            Err(_) => count(&self.tally.refused_receipts, 1),
        }
        let Ok(mut times) = self.tally.receipt.lock() else {
            return Ok(());
        };
        while let Some((_, since)) = self.waiting.pop_front_if(|(last, _)| *last <= receipt.upto) {
            times.record(since.elapsed());
        }
        Ok(())
    }

    fn keep(&mut self, outcome: Result<()>) {
        if let Err(error) = outcome {
            self.failed = Some(error);
        }
    }
}

fn log(manners: &Manners, member: &Member) -> PathBuf {
    manners.folder.join(format!("{}.log", member.key.device))
}

/// Identities in a publish.
type Sent = Vec<(u64, u64)>;

impl Traffic for Bin {
    type Token = Sent;

    fn connected(&mut self) {
        count(&self.tally.connections, 1);
        self.progress = Instant::now();
        if let Some(device) = &mut self.device {
            device.reconnected();
        }
    }

    fn next(&mut self, payload: &mut Vec<u8>) -> Next<Sent> {
        if self.failed.is_some() {
            return Next::Done;
        }
        self.turn(payload).unwrap_or_else(|error| {
            self.failed = Some(error);
            Next::Done
        })
    }

    fn acked(&mut self, identities: Sent, reason: u8, waited: Duration) {
        if reason < 0x80 {
            let noted = self.noted(&identities, waited);
            self.keep(noted);
        }
    }

    fn dropped(&mut self, _identities: Sent) {}

    fn message(&mut self, topic: &[u8], payload: &[u8]) {
        if topic.ends_with(b"/receipt") {
            let taken = self.receipt(payload);
            self.keep(taken);
        }
    }

    async fn ready(&mut self) {
        tokio::time::sleep(self.manners.look).await;
    }
}

impl std::fmt::Debug for Bin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Bin({}, {} held)", self.member.key.device, self.held())
    }
}
