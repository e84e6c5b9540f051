//! Storage that loses power: a byte-addressed memory, a file, and a memory that stops at a chosen byte.
//! Must not: know what is written.

use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Read, Result, Seek, SeekFrom, Write};
use std::path::Path;

/// Byte-addressed storage of fixed size. A write may stop anywhere; what was written before stays.
pub trait Flash {
    /// Size in bytes.
    fn size(&self) -> usize;
    /// Fills `buffer` from `offset`.
    fn read(&mut self, offset: usize, buffer: &mut [u8]) -> Result<()>;
    /// Writes all of `bytes` at `offset`, durably, or fails having written some first part of them.
    fn write(&mut self, offset: usize, bytes: &[u8]) -> Result<()>;
}

impl<F: Flash> Flash for &mut F {
    fn size(&self) -> usize {
        (**self).size()
    }

    fn read(&mut self, offset: usize, buffer: &mut [u8]) -> Result<()> {
        (**self).read(offset, buffer)
    }

    fn write(&mut self, offset: usize, bytes: &[u8]) -> Result<()> {
        (**self).write(offset, bytes)
    }
}

impl<F: Flash + ?Sized> Flash for Box<F> {
    fn size(&self) -> usize {
        (**self).size()
    }

    fn read(&mut self, offset: usize, buffer: &mut [u8]) -> Result<()> {
        (**self).read(offset, buffer)
    }

    fn write(&mut self, offset: usize, bytes: &[u8]) -> Result<()> {
        (**self).write(offset, bytes)
    }
}

/// Flash in memory; with a budget it loses power after that many written bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemFlash {
    bytes: Vec<u8>,
    written: usize,
    budget: Option<usize>,
}

impl MemFlash {
    /// `size` erased bytes.
    pub fn new(size: usize) -> Self {
        Self {
            bytes: vec![0xff; size],
            written: 0,
            budget: None,
        }
    }

    /// Power fails after `budget` more written bytes.
    pub fn cut_after(&mut self, budget: usize) {
        self.budget = Some(budget);
    }

    /// Power is back.
    pub fn restore_power(&mut self) {
        self.budget = None;
    }

    /// Bytes written so far.
    pub fn written(&self) -> usize {
        self.written
    }

    /// Direct access, to damage it.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

fn outside() -> Error {
    Error::new(ErrorKind::UnexpectedEof, "outside the flash")
}

impl Flash for MemFlash {
    fn size(&self) -> usize {
        self.bytes.len()
    }

    fn read(&mut self, offset: usize, buffer: &mut [u8]) -> Result<()> {
        let from = self
            .bytes
            .get(offset..offset + buffer.len())
            .ok_or_else(outside)?;
        buffer.copy_from_slice(from);
        Ok(())
    }

    fn write(&mut self, offset: usize, bytes: &[u8]) -> Result<()> {
        let room = self.budget.unwrap_or(usize::MAX).min(bytes.len());
        let (done, lost) = bytes.split_at(room);
        self.bytes
            .get_mut(offset..offset + done.len())
            .ok_or_else(outside)?
            .copy_from_slice(done);
        self.written += done.len();
        self.budget = self.budget.map(|budget| budget - done.len());
        if lost.is_empty() {
            Ok(())
        } else {
            Err(Error::new(ErrorKind::BrokenPipe, "power cut"))
        }
    }
}

/// Flash in a real file, synced after every write.
#[derive(Debug)]
pub struct FileFlash {
    file: File,
    size: usize,
}

impl FileFlash {
    /// Opens or creates `path` with `size` bytes.
    pub fn open(path: &Path, size: usize) -> Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        file.set_len(size as u64)?;
        Ok(Self { file, size })
    }
}

impl Flash for FileFlash {
    fn size(&self) -> usize {
        self.size
    }

    fn read(&mut self, offset: usize, buffer: &mut [u8]) -> Result<()> {
        self.file.seek(SeekFrom::Start(offset as u64))?;
        self.file.read_exact(buffer)
    }

    fn write(&mut self, offset: usize, bytes: &[u8]) -> Result<()> {
        self.file.seek(SeekFrom::Start(offset as u64))?;
        self.file.write_all(bytes)?;
        self.file.sync_data()
    }
}
