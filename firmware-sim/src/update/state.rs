//! What a device knows of its slots: one record, written into two sectors in turn, so that a power cut at any byte
//! leaves the one before it. Must not: lie in a slot, where an image would bring its own.

use std::io::Result;

use super::keys::{PublicKey, Trusted};
use super::manifest::Model;
use super::take;
use crate::device::{Flash, seal, sealed};

/// How often an image may start without confirming itself: more than once, for a power cut is no fault of an image.
pub const TRIAL_BOOTS: u8 = 3;
const SECTOR: usize = 512;
/// Where the slots begin.
pub(super) const STATE_BYTES: usize = 2 * SECTOR;
const RECORD: usize = 180;

/// One of the two slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    A,
    B,
}

impl Side {
    pub(super) fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

/// An image that has not confirmed itself; it lies in the slot that does not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Trial {
    /// SHA-256 of its head, as it was checked.
    pub(super) head: [u8; 32],
    pub(super) boots_left: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct State {
    pub(super) model: Model,
    pub(super) trusted: Trusted,
    /// The highest version that has confirmed itself: nothing at or below it is taken.
    pub(super) confirmed: u32,
    pub(super) side: Side,
    /// SHA-256 of the head in that slot.
    pub(super) head: [u8; 32],
    pub(super) trial: Option<Trial>,
}

impl State {
    /// The newer of the two copies and its number.
    pub(super) fn read(flash: &mut impl Flash) -> Result<Option<(u64, Self)>> {
        let mut newest: Option<(u64, Self)> = None;
        for sector in [0, SECTOR] {
            let mut bytes = [0; RECORD];
            flash.read(sector, &mut bytes)?;
            let found =
                Self::decode(&bytes).filter(|(count, _)| newest.is_none_or(|(known, _)| known < *count));
            newest = found.or(newest);
        }
        Ok(newest)
    }

    /// Writes it as number `count`, into the sector that does not hold the one before.
    pub(super) fn write(&self, count: u64, flash: &mut impl Flash) -> Result<()> {
        let sector = if count.is_multiple_of(2) { 0 } else { SECTOR };
        flash.write(sector, &self.encode(count))
    }

    fn encode(&self, count: u64) -> Vec<u8> {
        let mut bytes = vec![0; 4];
        bytes.extend_from_slice(&count.to_le_bytes());
        bytes.extend_from_slice(&self.confirmed.to_le_bytes());
        let (trial, boots_left) = self
            .trial
            .map_or(([0; 32], 0), |trial| (trial.head, trial.boots_left));
        let side = u8::from(self.side == Side::B);
        bytes.extend_from_slice(&[side, self.trial.is_some().into(), boots_left, 0]);
        for part in [
            self.head,
            trial,
            PublicKey::to_bytes(Some(self.trusted.current)),
            PublicKey::to_bytes(self.trusted.next),
            self.model.to_bytes(),
        ] {
            bytes.extend_from_slice(&part);
        }
        seal(&mut bytes);
        bytes
    }

    fn decode(bytes: &[u8; RECORD]) -> Option<(u64, Self)> {
        if !sealed(bytes) {
            return None;
        }
        let mut rest = bytes.get(4..)?;
        let count = u64::from_le_bytes(take(&mut rest)?);
        let confirmed = u32::from_le_bytes(take(&mut rest)?);
        let [side, on_trial, boots_left, _] = take(&mut rest)?;
        let head = take(&mut rest)?;
        let trial = Trial {
            head: take(&mut rest)?,
            boots_left,
        };
        let state = Self {
            confirmed,
            side: if side == 0 { Side::A } else { Side::B },
            head,
            trial: (on_trial == 1).then_some(trial),
            trusted: Trusted {
                current: PublicKey::from_bytes(take(&mut rest)?)?,
                next: PublicKey::from_bytes(take(&mut rest)?),
            },
            model: Model::from_bytes(take(&mut rest)?)?,
        };
        Some((count, state))
    }
}
