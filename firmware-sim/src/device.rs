//! A virtual device: it numbers what it has to say, keeps every record in flash until a valid receipt
//! covers it, and declares what it had to drop.
//!
//! A state machine over [`Flash`]; must not open a socket, read a clock or forget a record for any other
//! reason than a receipt or a declared loss.

mod checksum;
mod flash;
mod patience;
mod receipt;
mod ring;

pub(crate) use checksum::{seal, sealed};
pub use flash::{FileFlash, Flash, MemFlash};
pub use patience::Patience;
pub use receipt::{Receipt, ReceiptError, key_digest};
pub use ring::{Frame, RingError, SLOT_BYTES, payload};

use std::collections::VecDeque;

use crate::reading::{Body, Stamp, Topic, encode};
use ring::Ring;

/// Records on their way without a receipt behind a broker.
pub const BEHIND_A_BROKER: u64 = 50;

/// What became of something the device was told to record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// It is in flash under this number.
    Stored(u64),
    /// The ring is nearly full: telemetry was not recorded at all, so no number is missing.
    Thinned,
}

/// What a receipt changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// This many records are no longer kept.
    Released(u64),
    /// The server was restored from a backup: everything still held after its mark is sent again.
    Rewound,
    /// Nothing new: an older or repeated receipt, or one of another boot.
    Nothing,
}

/// One bin's electronics, apart from its radio.
#[derive(Debug)]
pub struct Device<F> {
    id: String,
    key_digest: [u8; 32],
    ring: Ring<F>,
    cursor: u64,
    window: u64,
    again: Vec<(u64, u64)>,
    /// Declared losses to be sent ahead of their turn: without them no receipt gets past what is lost, and a window
    /// would stay full for ever.
    losses: VecDeque<u64>,
    reported_missing: Vec<(u64, u64)>,
    encoded: Vec<u8>,
}

impl<F: Flash> Device<F> {
    /// Starts from what `flash` holds. `fresh_boot` is taken only if the sequence cannot be continued.
    /// `now` stamps the declaration of records that the flash has lost.
    pub fn start(id: &str, key: &str, flash: F, fresh_boot: u64, now: i64) -> Result<Self, RingError> {
        Self::recover(id.to_owned(), key_digest(key), flash, fresh_boot, now)
    }

    fn recover(
        id: String,
        key_digest: [u8; 32],
        flash: F,
        fresh_boot: u64,
        now: i64,
    ) -> Result<Self, RingError> {
        let (ring, holes) = Ring::open(flash, fresh_boot)?;
        let cursor = ring.first_held();
        let (again, reported_missing, encoded) = (Vec::new(), Vec::new(), Vec::new());
        let losses = ring.losses().collect();
        let mut device = Self {
            id,
            key_digest,
            ring,
            cursor,
            window: u64::MAX,
            again,
            losses,
            reported_missing,
            encoded,
        };
        for (from, to) in holes {
            device.append(now, &Body::Lost(from, to))?;
        }
        Ok(device)
    }

    /// The device id, also its login name.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The boot its new records carry.
    pub fn boot(&self) -> u64 {
        self.ring.boot()
    }

    /// The number its next record will get.
    pub fn next_seq(&self) -> u64 {
        self.ring.next_seq()
    }

    /// Records kept because no receipt covers them yet.
    pub fn held(&self) -> u64 {
        self.ring.held()
    }

    /// Records not sent since the last [`Device::reconnected`].
    pub fn unsent(&self) -> u64 {
        self.ring.next_seq() - self.cursor
    }

    /// At most so many records may be on their way without a receipt: behind a broker, where a PUBACK promises
    /// nothing and whatever the broker forgets has to be sent again, [`BEHIND_A_BROKER`].
    #[must_use]
    pub fn with_window(self, window: u64) -> Self {
        Self { window, ..self }
    }

    /// There is something no receipt covers, and nothing of it may be sent before one comes or [`Patience`] ends.
    pub fn waits(&self) -> bool {
        (self.held() > 0 || self.ring.has_orphans()) && self.peek().is_none()
    }

    /// Writes a record to flash. A full ring first drops its oldest eighth and declares it lost; telemetry
    /// stops being recorded well before that, so that it is never what pushes a deposit out.
    pub fn append(&mut self, at: i64, body: &Body) -> Result<Appended, RingError> {
        if matches!(body, Body::Status(_)) && self.ring.free() < self.ring.capacity() / 4 {
            return Ok(Appended::Thinned);
        }
        if self.ring.free() <= 1 {
            let (from, to) = self.ring.oldest(self.ring.capacity() / 8);
            self.store(at, &Body::Lost(from, to))?;
            self.ring.drop_through(to);
            self.cursor = self.cursor.max(to + 1);
        }
        self.store(at, body).map(Appended::Stored)
    }

    fn store(&mut self, at: i64, body: &Body) -> Result<u64, RingError> {
        let stamp = Stamp {
            boot: self.ring.boot(),
            seq: self.ring.next_seq(),
            at,
        };
        self.encoded.clear();
        encode(&mut self.encoded, stamp, body);
        let lost = match body {
            Body::Lost(_, to) => Some(*to),
            _ => None,
        };
        // A hole in the middle drops nothing of what is held before it.
        let is_oldest = matches!(body, Body::Lost(from, _) if *from <= self.ring.first_held());
        let through = lost.filter(|_| is_oldest).unwrap_or(0);
        let seq = self.ring.push(body.topic(), through, &self.encoded)?;
        if lost.is_some() {
            self.losses.push_back(seq);
        }
        Ok(seq)
    }

    /// The next records to send, at most `most` and all for one topic: first what the server asked for
    /// again and what declares others lost, then what was never sent.
    pub fn to_send(&mut self, most: usize) -> Result<Vec<Frame>, RingError> {
        let mut frames: Vec<Frame> = Vec::new();
        let fits = |frames: &[Frame], topic: Topic| frames.first().is_none_or(|first| first.topic == topic);
        while frames.len() < most {
            let Some(seq) = self.peek() else { break };
            match self.ring.read(seq)? {
                Some(frame) if !fits(&frames, frame.topic) => break,
                Some(frame) => frames.push(frame),
                None => {}
            }
            self.advance();
        }
        Ok(frames)
    }

    fn peek(&self) -> Option<u64> {
        let end = self
            .ring
            .next_seq()
            .min(self.ring.first_held().saturating_add(self.window));
        let unsent = || (self.cursor < end).then_some(self.cursor);
        let asked = self.again.first().map(|(from, _)| *from);
        asked.or(self.losses.front().copied()).or_else(unsent)
    }

    fn advance(&mut self) {
        match self.again.first_mut() {
            Some((from, to)) if *from >= *to => {
                self.again.remove(0);
            }
            Some((from, _)) => *from += 1,
            None if self.losses.pop_front().is_some() => {}
            None => self.cursor += 1,
        }
    }

    /// Frames of an earlier boot that are still readable after the sequence was lost.
    pub fn orphans(&mut self) -> Result<Vec<Frame>, RingError> {
        self.ring.orphans()
    }

    /// A new connection begins: everything not receipted counts as unsent.
    pub fn reconnected(&mut self) {
        self.cursor = self.ring.first_held();
        self.again.clear();
        self.losses = self.ring.losses().collect();
        self.reported_missing.clear();
    }

    /// Takes a receipt from the down-topic; a forged or foreign one changes nothing. `now` stamps the
    /// declaration of what a rewound device can no longer send.
    pub fn on_receipt(&mut self, json: &[u8], now: i64) -> Result<Received, DeviceError> {
        let receipt = Receipt::verify(json, &self.key_digest)?;
        if receipt.boot != self.ring.boot() {
            self.ring.release_orphans(receipt.boot, receipt.upto);
            return Ok(Received::Nothing);
        }
        if receipt.upto >= self.ring.next_seq() {
            return Err(DeviceError::Ahead {
                upto: receipt.upto,
                next: self.ring.next_seq(),
            });
        }
        match self.ring.generation() {
            None => self.ring.learn(receipt.generation)?,
            Some(known) if known != receipt.generation => return self.rewind(&receipt, now),
            Some(_) => {}
        }
        let released = self.ring.release(receipt.upto)?;
        self.cursor = self.cursor.max(self.ring.first_held());
        self.ask_again(receipt.missing);
        Ok(if released > 0 {
            Received::Released(released)
        } else {
            Received::Nothing
        })
    }

    fn rewind(&mut self, receipt: &Receipt, now: i64) -> Result<Received, DeviceError> {
        let mark = self.ring.reach(receipt.upto)?;
        if mark > receipt.upto {
            // Before the header says so: a power cut in between costs a second declaration, and no silence.
            self.append(now, &Body::Lost(receipt.upto + 1, mark))?;
        }
        self.ring.rewind(receipt.generation, mark)?;
        self.reconnected();
        Ok(Received::Rewound)
    }

    /// A gap named by two receipts in a row is not just still on its way: send it again.
    fn ask_again(&mut self, missing: Vec<(u64, u64)>) {
        let held = self.ring.first_held();
        let twice =
            |gap: &&(u64, u64)| self.reported_missing.contains(gap) && gap.0 >= held && gap.1 < self.cursor;
        self.again = missing.iter().filter(twice).copied().collect();
        self.reported_missing = missing;
    }

    /// Loses power and starts again from flash.
    pub fn restart(self, now: i64) -> Result<Self, RingError> {
        let fresh_boot = crate::draw::mix(self.boot() ^ self.next_seq()) >> 16;
        let (id, key_digest, window) = (self.id, self.key_digest, self.window);
        let device = Self::recover(id, key_digest, self.ring.into_flash(), fresh_boot.max(1), now)?;
        Ok(device.with_window(window))
    }

    /// Gives the flash back, as a power cut would.
    pub fn into_flash(self) -> F {
        self.ring.into_flash()
    }
}

/// A receipt that cannot be true.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// Not a receipt of ours.
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
    /// The flash refused.
    #[error(transparent)]
    Ring(#[from] RingError),
    /// It covers records that do not exist yet.
    #[error("the receipt covers up to {upto}, but the next record is {next}; the key is used by two devices")]
    Ahead {
        /// What the receipt says.
        upto: u64,
        /// The number the next record will get.
        next: u64,
    },
}

#[cfg(test)]
mod tests;
