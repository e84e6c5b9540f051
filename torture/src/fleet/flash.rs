//! A ring file that loses power in the middle of a write. Must not: know what is written.

use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};

use firmware_sim::device::{Device, FileFlash, Flash, MemFlash, SLOT_BYTES};

use super::Member;

/// Bytes of a file for so many records.
pub(super) fn size(ring: usize) -> usize {
    1_024 + ring * SLOT_BYTES
}

/// A write-through file, and the bytes it may still write before its power fails.
pub(super) struct Torn {
    path: PathBuf,
    size: usize,
    /// The file, where it stays open.
    open: Option<FileFlash>,
    budget: Option<usize>,
}

impl Torn {
    pub(super) fn open(path: PathBuf, ring: usize, budget: Option<usize>, stays: bool) -> Result<Self> {
        let size = size(ring);
        let file = FileFlash::open(&path, size)?;
        let open = stays.then_some(file);
        Ok(Self {
            path,
            size,
            open,
            budget,
        })
    }

    fn file<T>(&mut self, act: impl FnOnce(&mut FileFlash) -> Result<T>) -> Result<T> {
        match &mut self.open {
            Some(file) => act(file),
            None => act(&mut FileFlash::open(&self.path, self.size)?),
        }
    }
}

impl Flash for Torn {
    fn size(&self) -> usize {
        self.size
    }

    fn read(&mut self, offset: usize, buffer: &mut [u8]) -> Result<()> {
        self.file(|file| file.read(offset, buffer))
    }

    fn write(&mut self, offset: usize, bytes: &[u8]) -> Result<()> {
        let room = self.budget.unwrap_or(usize::MAX).min(bytes.len());
        let (done, lost) = bytes.split_at(room);
        if !done.is_empty() {
            self.file(|file| file.write(offset, done))?;
        }
        self.budget = self.budget.map(|budget| budget - room);
        if lost.is_empty() {
            Ok(())
        } else {
            Err(Error::new(ErrorKind::BrokenPipe, "power cut"))
        }
    }
}

/// Fills a ring file with everything a device has to tell, as weeks without a connection would have, at once.
pub fn preload(path: &Path, ring: usize, member: &Member, boot: u64) -> anyhow::Result<()> {
    let mut device = Device::start(
        &member.key.device,
        &member.key.key,
        MemFlash::new(size(ring)),
        boot,
        0,
    )?;
    for seq in 1..=member.goal {
        let (at, body) = (member.says)(seq);
        device.append(at, &body)?;
    }
    let mut flash = device.into_flash();
    Ok(std::fs::write(path, flash.bytes_mut())?)
}
