//! The ring in flash: record `seq` lives in slot `seq mod slots`, framed and checksummed; two header
//! sectors are written in turn, so that a power cut at any byte leaves one of them whole.
//!
//! Slots are not erased: moving the header's mark releases them, and they are overwritten in their turn.
//! Must not: overwrite a record above the mark that has not been declared lost.

use crate::reading::Topic;

use super::checksum::{seal, sealed};
use super::flash::Flash;

/// Bytes of one slot; a record's JSON may take [`SLOT_BYTES`] minus the frame's head.
pub const SLOT_BYTES: usize = 512;
const HEAD: usize = 32;
/// Longest record, bytes of JSON.
const RECORD_MAX: usize = SLOT_BYTES - HEAD;
const SECTOR: usize = 512;
const HEADER: usize = 36;
/// No receipt has been seen yet.
const NO_GENERATION: u64 = u64::MAX;
/// Fewer slots than this leave no room to drop and declare.
const FEWEST: usize = 16;

/// One record as it lies in flash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Boot it was numbered in.
    pub boot: u64,
    /// Its number.
    pub seq: u64,
    /// Where it is to be sent.
    pub topic: Topic,
    /// The record as JSON.
    pub payload: Vec<u8>,
    lost_through: u64,
}

/// The payload of one publish: a record, or an array of them. All are for one topic, as [`super::Device::to_send`]
/// gives them.
pub fn payload(frames: &[Frame]) -> Vec<u8> {
    if let [one] = frames {
        return one.payload.clone();
    }
    let mut array = vec![b'['];
    for (index, frame) in frames.iter().enumerate() {
        if index > 0 {
            array.push(b',');
        }
        array.extend_from_slice(&frame.payload);
    }
    array.push(b']');
    array
}

/// The flash cannot serve as a ring.
#[derive(Debug, thiserror::Error)]
pub enum RingError {
    /// Reading or writing failed; a power cut looks like this.
    #[error("flash: {0}")]
    Flash(#[from] std::io::Error),
    /// Too few slots.
    #[error("expected a flash of at least {least} bytes, came {came}")]
    Small {
        /// Bytes needed.
        least: usize,
        /// Bytes offered.
        came: usize,
    },
    /// A record longer than a slot.
    #[error("a record may take {RECORD_MAX} bytes, came {0}")]
    Long(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Header {
    count: u64,
    boot: u64,
    upto: u64,
    generation: u64,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Ring<F> {
    flash: F,
    slots: u64,
    header: Header,
    next: u64,
    dropped: u64,
    losses: Vec<u64>,
    orphans: Vec<(u64, u64)>,
}

/// Runs of records that should be held but cannot be read.
pub(super) type Holes = Vec<(u64, u64)>;

impl<F: Flash> Ring<F> {
    /// Recovers, or formats with `fresh_boot` when neither header can be read.
    pub(super) fn open(flash: F, fresh_boot: u64) -> Result<(Self, Holes), RingError> {
        let slots = flash.size().saturating_sub(2 * SECTOR) / SLOT_BYTES;
        if slots < FEWEST {
            let least = 2 * SECTOR + FEWEST * SLOT_BYTES;
            return Err(RingError::Small {
                least,
                came: flash.size(),
            });
        }
        let blank = Header {
            count: 0,
            boot: fresh_boot,
            upto: 0,
            generation: NO_GENERATION,
        };
        let (losses, orphans) = (Vec::new(), Vec::new());
        let mut ring = Self {
            flash,
            slots: slots as u64,
            header: blank,
            next: 1,
            dropped: 0,
            losses,
            orphans,
        };
        let found = ring
            .read_header(0)?
            .into_iter()
            .chain(ring.read_header(1)?)
            .max_by_key(|h| h.count);
        if let Some(header) = found {
            ring.header = header;
        } else {
            ring.write_header(blank)?;
        }
        let holes = ring.scan()?;
        Ok((ring, holes))
    }

    /// Finds the next number, what was dropped, what an earlier boot left, and what is unreadable.
    fn scan(&mut self) -> Result<Holes, RingError> {
        let (mut newest, mut readable) = (self.header.upto, Vec::new());
        for slot in 0..self.slots {
            let Some(frame) = self.read_slot(slot)? else {
                continue;
            };
            if frame.boot == self.header.boot {
                newest = newest.max(frame.seq);
                self.dropped = self.dropped.max(frame.lost_through);
                if frame.lost_through > 0 {
                    self.losses.push(frame.seq);
                }
                readable.push(frame.seq);
            } else {
                self.orphans.push((frame.boot, slot));
            }
        }
        self.next = newest + 1;
        readable.sort_unstable();
        let mut holes: Holes = Vec::new();
        for seq in self.first_held()..self.next {
            if readable.binary_search(&seq).is_err() {
                match holes.last_mut() {
                    Some((_, to)) if *to + 1 == seq => *to = seq,
                    _ => holes.push((seq, seq)),
                }
            }
        }
        Ok(holes)
    }

    pub(super) fn boot(&self) -> u64 {
        self.header.boot
    }

    /// The server's generation as of the last receipt.
    pub(super) fn generation(&self) -> Option<u64> {
        (self.header.generation != NO_GENERATION).then_some(self.header.generation)
    }

    pub(super) fn next_seq(&self) -> u64 {
        self.next
    }

    pub(super) fn capacity(&self) -> u64 {
        self.slots
    }

    /// The oldest record that must be kept (the next number if there is none).
    pub(super) fn first_held(&self) -> u64 {
        self.header.upto.max(self.dropped) + 1
    }

    pub(super) fn held(&self) -> u64 {
        self.next - self.first_held()
    }

    /// Held records that declare others lost.
    pub(super) fn losses(&self) -> impl Iterator<Item = u64> {
        let held = self.first_held();
        self.losses.iter().copied().filter(move |loss| *loss >= held)
    }

    pub(super) fn free(&self) -> u64 {
        self.slots.saturating_sub(self.held())
    }

    /// The loss to declare when the `count` oldest held records go: it starts at the mark, so that it also
    /// covers earlier declarations that go with them.
    pub(super) fn oldest(&self, count: u64) -> (u64, u64) {
        (self.header.upto + 1, self.first_held() + count.max(1) - 1)
    }

    /// Call only after the loss has been declared in the ring itself: the declaration is what makes the
    /// drop survive a power cut.
    pub(super) fn drop_through(&mut self, seq: u64) {
        self.dropped = self.dropped.max(seq);
    }

    pub(super) fn push(&mut self, topic: Topic, lost_through: u64, payload: &[u8]) -> Result<u64, RingError> {
        let Ok(length) = u16::try_from(payload.len()) else {
            return Err(RingError::Long(payload.len()));
        };
        if payload.len() > RECORD_MAX {
            return Err(RingError::Long(payload.len()));
        }
        let seq = self.next;
        let mut frame = vec![0; 4];
        frame.extend_from_slice(&length.to_le_bytes());
        frame.extend_from_slice(&[topic.index() as u8, 0xa5]);
        for word in [self.header.boot, seq, lost_through] {
            frame.extend_from_slice(&word.to_le_bytes());
        }
        frame.extend_from_slice(payload);
        seal(&mut frame);
        let slot = seq % self.slots;
        self.flash.write(Self::offset(slot), &frame)?;
        self.orphans.retain(|(_, orphan)| *orphan != slot);
        self.next += 1;
        if lost_through > 0 {
            let held = self.first_held();
            self.losses.retain(|loss| *loss >= held);
            self.losses.push(seq);
        }
        Ok(seq)
    }

    /// The record, unless it is no longer held.
    pub(super) fn read(&mut self, seq: u64) -> Result<Option<Frame>, RingError> {
        if seq < self.first_held() {
            return Ok(None);
        }
        let frame = self.read_slot(seq % self.slots)?;
        Ok(frame.filter(|frame| frame.seq == seq && frame.boot == self.header.boot))
    }

    /// Moves the mark; gives how many records that releases.
    pub(super) fn release(&mut self, upto: u64) -> Result<u64, RingError> {
        let before = self.held();
        if upto > self.header.upto {
            self.write_header(Header { upto, ..self.header })?;
        }
        Ok(before - self.held())
    }

    /// How far back a mark can go towards `upto`: as far as slots still hold their records; three stay free for
    /// declaring what is gone.
    pub(super) fn reach(&mut self, upto: u64) -> Result<u64, RingError> {
        let mut oldest = self.next;
        while oldest > upto + 1 && self.next - oldest < self.slots - 3 {
            let frame = self.read_slot((oldest - 1) % self.slots)?;
            if frame.is_none_or(|f| f.seq != oldest - 1 || f.boot != self.header.boot) {
                break;
            }
            oldest -= 1;
        }
        Ok(upto.max(oldest - 1))
    }

    /// A receipt of another generation: the mark goes back to what [`Ring::reach`] said.
    pub(super) fn rewind(&mut self, generation: u64, upto: u64) -> Result<(), RingError> {
        self.write_header(Header {
            upto,
            generation,
            ..self.header
        })
    }

    /// The generation of the first receipt ever seen.
    pub(super) fn learn(&mut self, generation: u64) -> Result<(), RingError> {
        self.write_header(Header {
            generation,
            ..self.header
        })
    }

    pub(super) fn orphans(&mut self) -> Result<Vec<Frame>, RingError> {
        let mut frames = Vec::new();
        for (boot, slot) in self.orphans.clone() {
            frames.extend(self.read_slot(slot)?.filter(|frame| frame.boot == boot));
        }
        frames.sort_by_key(|frame| (frame.boot, frame.seq));
        Ok(frames)
    }

    pub(super) fn has_orphans(&self) -> bool {
        !self.orphans.is_empty()
    }

    pub(super) fn release_orphans(&mut self, boot: u64, upto: u64) {
        let slots = self.slots;
        let mut kept = std::mem::take(&mut self.orphans);
        kept.retain(|&(of, slot)| {
            let covered = |frame: Frame| frame.boot == boot && frame.seq <= upto && frame.seq % slots == slot;
            of != boot || !self.read_slot(slot).ok().flatten().is_some_and(covered)
        });
        self.orphans = kept;
    }

    pub(super) fn into_flash(self) -> F {
        self.flash
    }

    fn offset(slot: u64) -> usize {
        2 * SECTOR + usize::try_from(slot).unwrap_or(usize::MAX / SLOT_BYTES) * SLOT_BYTES
    }

    fn read_slot(&mut self, slot: u64) -> Result<Option<Frame>, RingError> {
        let mut bytes = [0; SLOT_BYTES];
        let offset = Self::offset(slot);
        self.flash.read(offset, &mut bytes)?;
        Ok(parse_frame(&bytes))
    }

    fn read_header(&mut self, sector: usize) -> Result<Option<Header>, RingError> {
        let mut bytes = [0; HEADER];
        self.flash.read(sector * SECTOR, &mut bytes)?;
        let word = |index: usize| word(&bytes, 4 + 8 * index);
        let header = (|| {
            Some(Header {
                count: word(0)?,
                boot: word(1)?,
                upto: word(2)?,
                generation: word(3)?,
            })
        })();
        Ok(header.filter(|header| sealed(bytes.get(..36).unwrap_or_default()) && header.count > 0))
    }

    /// Writes the header into the sector that does not hold the current one.
    fn write_header(&mut self, header: Header) -> Result<(), RingError> {
        let header = Header {
            count: self.header.count + 1,
            ..header
        };
        let mut bytes = vec![0; 4];
        for word in [header.count, header.boot, header.upto, header.generation] {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        seal(&mut bytes);
        let sector = if header.count.is_multiple_of(2) { 0 } else { SECTOR };
        self.flash.write(sector, &bytes)?;
        self.header = header;
        Ok(())
    }
}

fn parse_frame(bytes: &[u8]) -> Option<Frame> {
    let length = usize::from(u16::from_le_bytes(bytes.get(4..6)?.try_into().ok()?));
    let frame = bytes.get(..HEAD + length)?;
    let topic = *Topic::ALL.get(usize::from(*frame.get(6)?))?;
    if !sealed(frame) {
        return None;
    }
    Some(Frame {
        boot: word(frame, 8)?,
        seq: word(frame, 16)?,
        lost_through: word(frame, 24)?,
        topic,
        payload: frame.get(HEAD..)?.to_vec(),
    })
}

fn word(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}
