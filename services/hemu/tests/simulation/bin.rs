//! A device in the world: its state machine on a flash that may lose power at any byte, and its radio. Holds nothing a
//! power cut would not take, but for the flash.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::io::Result;
use std::rc::Rc;

use firmware_sim::device::{
    BEHIND_A_BROKER, Device, Flash, Frame, MemFlash, Patience, RingError, SLOT_BYTES,
};
use firmware_sim::draw::Dice;

use crate::plan::Way;

/// Publishes without PUBACK on one connection.
const WINDOW: usize = 8;

/// The flash, which outlives the device's power.
#[derive(Debug, Clone)]
pub(crate) struct Chip(Rc<RefCell<MemFlash>>);

impl Flash for Chip {
    fn size(&self) -> usize {
        self.0.borrow().size()
    }

    fn read(&mut self, offset: usize, buffer: &mut [u8]) -> Result<()> {
        self.0.borrow_mut().read(offset, buffer)
    }

    fn write(&mut self, offset: usize, bytes: &[u8]) -> Result<()> {
        self.0.borrow_mut().write(offset, bytes)
    }
}

/// A connection as the device sees it; to a broker it always stands.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) number: u64,
    pub(crate) input: Vec<u8>,
    /// The login succeeded.
    pub(crate) ready: bool,
    /// Identities of each publish without PUBACK.
    pub(crate) flight: BTreeMap<u16, Vec<(u64, u64)>>,
    next: u16,
    /// Bytes of one direction stay in order: nothing arrives before this.
    pub(crate) up_from: i64,
    pub(crate) down_from: i64,
}

impl Link {
    pub(crate) fn new(number: u64) -> Self {
        Self {
            number,
            input: Vec::new(),
            ready: false,
            flight: BTreeMap::new(),
            next: 0,
            up_from: 0,
            down_from: 0,
        }
    }

    pub(crate) fn begin(&mut self, frames: &[Frame]) -> u16 {
        self.next = self.next % u16::MAX + 1;
        let identities = frames.iter().map(|frame| (frame.boot, frame.seq)).collect();
        self.flight.insert(self.next, identities);
        self.next
    }

    fn full(&self) -> bool {
        self.flight.len() >= WINDOW
    }
}

#[derive(Debug)]
pub(crate) struct Bin {
    pub(crate) name: String,
    pub(crate) key: String,
    pub(crate) way: Way,
    chip: Chip,
    pub(crate) device: Option<Device<Chip>>,
    pub(crate) link: Option<Link>,
    /// What an earlier boot left, to be sent before everything else.
    orphans: VecDeque<Frame>,
    patience: Patience,
    dice: Dice,
    boots: u64,
    /// Its radio's turns; those of before a power cut are over.
    pub(crate) turn: u64,
    /// Out of reach until then.
    pub(crate) silent_until: i64,
    /// Bags so far: their numbers.
    pub(crate) bags: u64,
}

impl Bin {
    pub(crate) fn new((name, key): (String, String), way: Way, slots: usize, dice: Dice) -> Self {
        let chip = Chip(Rc::new(RefCell::new(MemFlash::new(1_024 + slots * SLOT_BYTES))));
        Self {
            name,
            key,
            way,
            chip,
            device: None,
            link: None,
            orphans: VecDeque::new(),
            patience: Patience::new(dice.clone(), 0),
            dice,
            boots: 0,
            turn: 0,
            silent_until: 0,
            bags: 0,
        }
    }

    /// Power is there; false when the flash still refuses.
    pub(crate) fn switch_on(&mut self, now: i64) -> std::result::Result<(), RingError> {
        self.chip.0.borrow_mut().restore_power();
        self.boots += 1;
        let fresh_boot = 1_000 + self.boots;
        let device = Device::start(&self.name, &self.key, self.chip.clone(), fresh_boot, now)?;
        self.device = Some(match self.way {
            Way::Endpoint(_) => device,
            Way::Broker => device.with_window(BEHIND_A_BROKER.min(10)),
        });
        self.patience = Patience::new(self.dice.clone(), now);
        self.dice.bits();
        self.offer_again();
        Ok(())
    }

    pub(crate) fn switch_off(&mut self) {
        self.device = None;
        self.link = None;
        self.orphans.clear();
    }

    /// Power will fail after so many more bytes.
    pub(crate) fn fail_after(&mut self, bytes: usize) {
        self.chip.0.borrow_mut().cut_after(bytes);
    }

    /// Both headers become unreadable while the power is off.
    pub(crate) fn lose_headers(&mut self) {
        let mut chip = self.chip.0.borrow_mut();
        for byte in chip.bytes_mut().iter_mut().take(1_024) {
            *byte = 0;
        }
    }

    /// Everything no receipt covers is to be sent.
    pub(crate) fn offer_again(&mut self) {
        if let Some(device) = &mut self.device {
            device.reconnected();
            self.orphans = device.orphans().unwrap_or_default().into();
        }
    }

    pub(crate) fn connected(&mut self, now: i64) {
        self.patience.renewed(now);
        self.offer_again();
    }

    pub(crate) fn rewarded(&mut self, now: i64) {
        self.patience.rewarded(now);
    }

    /// The next publish, if there is one and it may go.
    pub(crate) fn next(&mut self, now: i64) -> std::result::Result<Vec<Frame>, RingError> {
        if self.link.as_ref().is_some_and(|link| !link.ready || link.full()) {
            return Ok(Vec::new());
        }
        if self.device.as_ref().is_some_and(Device::waits) && self.patience.is_over(now) {
            self.offer_again();
        }
        if let Some(orphan) = self.orphans.pop_front() {
            return Ok(vec![orphan]);
        }
        let most = 1 + self.dice.below(5) as usize;
        self.device
            .as_mut()
            .map_or(Ok(Vec::new()), |device| device.to_send(most))
    }
}
