//! Two slots and the boot loader between them: a new image goes into the one that does not run, is tried, and is
//! given up when it does not confirm itself.
//!
//! Each step is one write of the state, which a power cut leaves undone or done. Must not: make a slot bootable before
//! all of it was checked where it lies, or write to the slot that runs.

use std::io::{ErrorKind, Read, Result as IoResult};

use sha2::{Digest, Sha256};

use super::keys::Trusted;
use super::manifest::Manifest;
use super::package::{HEAD_BYTES, Head, Package};
use super::refusal::{BootError, InstallError, Refusal};
use super::state::{STATE_BYTES, Side, State, TRIAL_BOOTS, Trial};
use crate::device::Flash;

/// Bytes taken from a package, or read from a slot, at a time.
const CHUNK: usize = 4096;

/// The flash that a device needs for images of up to `image_bytes`.
pub fn flash_bytes(image_bytes: u32) -> usize {
    STATE_BYTES + 2 * (HEAD_BYTES + image_bytes as usize)
}

/// What the boot loader started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Booted {
    /// Its version.
    pub version: u32,
    /// It has to confirm itself, or the one before it comes back.
    pub on_trial: bool,
    /// An image on trial was given up at this start.
    pub fell_back: bool,
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Slots<F> {
    pub(super) flash: F,
    count: u64,
    state: State,
    on_trial: bool,
}

impl<F: Flash> Slots<F> {
    /// Sets a blank flash up as a maker does: with the keys to trust and a first image, whose model is the device's.
    pub fn factory(flash: F, trusted: Trusted, package: &[u8]) -> Result<Self, InstallError> {
        let manifest = Package::decode(package)?.verify(&trusted)?;
        let state = State {
            model: manifest.model,
            trusted,
            confirmed: 0,
            side: Side::B,
            head: [0; 32],
            trial: None,
        };
        let (count, on_trial) = (0, false);
        let mut slots = Self {
            flash,
            count,
            state,
            on_trial,
        };
        let (manifest, head) = slots.receive(&mut &*package)?;
        slots.write(State {
            confirmed: manifest.version,
            side: Side::A,
            head,
            ..state
        })?;
        Ok(slots)
    }

    /// Power is on; nothing runs before [`Slots::boot`].
    pub fn open(mut flash: F) -> Result<Self, BootError> {
        if flash.size() < STATE_BYTES {
            return Err(BootError::NoState);
        }
        let (count, state) = State::read(&mut flash)?.ok_or(BootError::NoState)?;
        let on_trial = false;
        Ok(Self {
            flash,
            count,
            state,
            on_trial,
        })
    }

    /// What the boot loader does: starts an image that waits for its trial, as long as it has starts left and is whole,
    /// and the confirmed one otherwise.
    pub fn boot(&mut self) -> Result<Booted, BootError> {
        if let Some((trial, version)) = self.next_trial()? {
            let trial = Some(trial);
            // Before the image is entered: one that hangs or burns the battery down has used up a start, too.
            self.write(State { trial, ..self.state })?;
            self.on_trial = true;
            let (on_trial, fell_back) = (true, false);
            return Ok(Booted {
                version,
                on_trial,
                fell_back,
            });
        }
        let fell_back = self.state.trial.is_some();
        if fell_back {
            self.write(State {
                trial: None,
                ..self.state
            })?;
        }
        self.on_trial = false;
        let (version, on_trial) = (self.state.confirmed, false);
        let whole = self.whole(self.state.side, self.state.head)?;
        whole.ok_or(BootError::Damaged(version))?;
        Ok(Booted {
            version,
            on_trial,
            fell_back,
        })
    }

    /// The image on trial has read its records, reached its server, and stays: from now on nothing older is taken, and
    /// its manifest's word on keys counts. Nothing happens if what runs is not on trial.
    pub fn confirm(&mut self) -> Result<(), BootError> {
        let Some(trial) = self.state.trial.filter(|_| self.on_trial) else {
            return Ok(());
        };
        let side = self.state.side.other();
        let manifest = self
            .head(side, trial.head)?
            .ok_or(BootError::Damaged(self.state.confirmed))?;
        self.write(State {
            trusted: self.state.trusted.after(manifest.key, manifest.next_key),
            confirmed: manifest.version,
            side,
            head: trial.head,
            trial: None,
            ..self.state
        })?;
        self.on_trial = false;
        Ok(())
    }

    /// Takes a package from anywhere. When this returns, the next start tries it; when it fails, the device goes on as
    /// it was.
    pub fn install(&mut self, source: &mut impl Read) -> Result<Manifest, InstallError> {
        if self.state.trial.is_some() {
            return Err(Refusal::OnTrial.into());
        }
        let (manifest, head) = self.receive(source)?;
        let boots_left = TRIAL_BOOTS;
        let trial = Some(Trial { head, boots_left });
        self.write(State { trial, ..self.state })?;
        Ok(manifest)
    }

    /// The image that runs.
    pub fn image(&mut self) -> Result<Vec<u8>, BootError> {
        let trial = self.state.trial.filter(|_| self.on_trial);
        let (side, head) = match trial {
            Some(trial) => (self.state.side.other(), trial.head),
            None => (self.state.side, self.state.head),
        };
        let manifest = self
            .head(side, head)?
            .ok_or(BootError::Damaged(self.state.confirmed))?;
        let mut image = Vec::with_capacity(manifest.image_bytes as usize);
        self.each_chunk(side, manifest.image_bytes as usize, |chunk| {
            image.extend_from_slice(chunk);
        })?;
        Ok(image)
    }

    /// The highest version that has confirmed itself.
    pub fn confirmed(&self) -> u32 {
        self.state.confirmed
    }

    /// The keys it takes packages from.
    pub fn trusted(&self) -> Trusted {
        self.state.trusted
    }

    /// The trial with one start less, and the version tried.
    fn next_trial(&mut self) -> IoResult<Option<(Trial, u32)>> {
        let Some(trial) = self.state.trial else {
            return Ok(None);
        };
        let Some(boots_left) = trial.boots_left.checked_sub(1) else {
            return Ok(None);
        };
        let found = self.whole(self.state.side.other(), trial.head)?;
        Ok(found.map(|manifest| (Trial { boots_left, ..trial }, manifest.version)))
    }

    /// Puts a package into the slot that does not run, and gives its manifest and the digest of its head once all of it
    /// is there and right.
    fn receive(&mut self, source: &mut impl Read) -> Result<(Manifest, [u8; 32]), InstallError> {
        let mut bytes = [0; HEAD_BYTES];
        let came = fill(source, &mut bytes)?;
        if came < HEAD_BYTES {
            let expected = HEAD_BYTES;
            return Err(Refusal::Short { expected, came }.into());
        }
        let head = Head::new(bytes);
        let manifest = self.accept(&head)?;
        let side = self.state.side.other();
        self.flash.write(self.offset(side), head.as_bytes())?;
        self.copy(source, side, manifest.image_bytes as usize)?;
        // What counts is what lies in the slot, not what was sent.
        if self.whole(side, head.digest())?.is_none() {
            return Err(Refusal::Image.into());
        }
        Ok((manifest, head.digest()))
    }

    /// The checks before the first byte is written, the signature before all that is said under it.
    fn accept(&self, head: &Head) -> Result<Manifest, Refusal> {
        let manifest = head.verify(&self.state.trusted)?;
        let (expected, came) = (self.state.model, manifest.model);
        if expected != came {
            return Err(Refusal::Model { expected, came });
        }
        let (confirmed, came) = (self.state.confirmed, manifest.version);
        if came <= confirmed {
            return Err(Refusal::Old { confirmed, came });
        }
        let (room, came) = (self.room(), manifest.image_bytes);
        if came as usize > room {
            return Err(Refusal::Large { room, came });
        }
        Ok(manifest)
    }

    fn copy(&mut self, source: &mut impl Read, side: Side, length: usize) -> Result<(), InstallError> {
        let start = self.offset(side) + HEAD_BYTES;
        let expected = HEAD_BYTES + length;
        let mut chunk = [0; CHUNK];
        for from in (0..length).step_by(CHUNK) {
            let want = chunk.get_mut(..CHUNK.min(length - from)).unwrap_or_default();
            let got = fill(source, want)?;
            if got < want.len() {
                let came = HEAD_BYTES + from + got;
                return Err(Refusal::Short { expected, came }.into());
            }
            self.flash.write(start + from, want)?;
        }
        match fill(source, &mut [0])? {
            0 => Ok(()),
            _ => Err(Refusal::Long(expected).into()),
        }
    }

    /// The manifest in a slot, if the head there is the one that was checked.
    fn head(&mut self, side: Side, digest: [u8; 32]) -> IoResult<Option<Manifest>> {
        let mut bytes = [0; HEAD_BYTES];
        self.flash.read(self.offset(side), &mut bytes)?;
        let head = Head::new(bytes);
        Ok(head.claims().ok().filter(|_| head.digest() == digest))
    }

    /// The manifest in a slot, if head and image there are the ones that were checked.
    fn whole(&mut self, side: Side, digest: [u8; 32]) -> IoResult<Option<Manifest>> {
        let Some(manifest) = self.head(side, digest)? else {
            return Ok(None);
        };
        let mut sum = Sha256::new();
        self.each_chunk(side, manifest.image_bytes as usize, |chunk| sum.update(chunk))?;
        let sum: [u8; 32] = sum.finalize().into();
        Ok(Some(manifest).filter(|manifest| manifest.image_sha256 == sum))
    }

    fn each_chunk(&mut self, side: Side, length: usize, mut work: impl FnMut(&[u8])) -> IoResult<()> {
        let start = self.offset(side) + HEAD_BYTES;
        let mut chunk = [0; CHUNK];
        for from in (0..length).step_by(CHUNK) {
            let part = chunk.get_mut(..CHUNK.min(length - from)).unwrap_or_default();
            self.flash.read(start + from, part)?;
            work(part);
        }
        Ok(())
    }

    fn room(&self) -> usize {
        self.slot_bytes().saturating_sub(HEAD_BYTES)
    }

    fn slot_bytes(&self) -> usize {
        self.flash.size().saturating_sub(STATE_BYTES) / 2
    }

    fn offset(&self, side: Side) -> usize {
        match side {
            Side::A => STATE_BYTES,
            Side::B => STATE_BYTES + self.slot_bytes(),
        }
    }

    fn write(&mut self, state: State) -> IoResult<()> {
        let count = self.count.saturating_add(1);
        state.write(count, &mut self.flash)?;
        self.count = count;
        self.state = state;
        Ok(())
    }
}

/// Fills `buffer` as far as the source goes.
fn fill(source: &mut impl Read, buffer: &mut [u8]) -> Result<usize, InstallError> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match source.read(rest) {
            Ok(0) => break,
            Ok(more) => filled += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(InstallError::Source(error)),
        }
    }
    Ok(filled)
}
