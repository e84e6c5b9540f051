//! A disk that fails when told: the C library of `shim/disk.c`, preloaded into the server, its orders, and the power cut.
//! Must not: touch a store while a process has it open.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

const SHIM: &str = include_str!("../shim/disk.c");
/// Bytes of the control file: four orders of four bytes, four counters of eight.
const CONTROL: u64 = 48;
/// Where each order is.
const FULL: u64 = 0;
const STALL: u64 = 4;
const LIE: u64 = 8;

/// Orders and undo logs of one store.
#[derive(Debug)]
pub struct Disk {
    folder: PathBuf,
    control: File,
}

/// What the library counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counters {
    /// Writes that went through.
    pub writes: u64,
    /// fsyncs asked for.
    pub syncs: u64,
    /// Writes that found the disk full.
    pub refused: u64,
    /// fsyncs that were made to wait.
    pub stalled: u64,
}

/// What a power cut took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Taken {
    /// Writes that no fsync had made durable.
    pub writes: u64,
    /// Files they were in.
    pub files: u64,
}

impl Disk {
    /// Whether there is a C compiler to build the library with.
    pub fn can_be_built() -> bool {
        Command::new("cc")
            .arg("--version")
            .output()
            .is_ok_and(|output| output.status.success())
    }

    /// Builds the library in `folder`, which it also keeps its logs in.
    pub fn build(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let source = folder.join("disk.c");
        std::fs::write(&source, SHIM)?;
        let built = Command::new("cc")
            .args(["-O2", "-shared", "-fPIC", "-o"])
            .arg(folder.join("disk.so"))
            .arg(&source)
            .args(["-ldl", "-lpthread"])
            .output()
            .context("cc cannot be run")?;
        ensure!(
            built.status.success(),
            "cc: {}",
            String::from_utf8_lossy(&built.stderr)
        );
        let control = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(folder.join("control"))?;
        control.set_len(CONTROL)?;
        Ok(Self {
            folder: folder.to_owned(),
            control,
        })
    }

    /// What a process needs in its environment so that its files under `root` are on this disk.
    pub fn environment(&self, root: &Path) -> Vec<(String, String)> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        vec![
            ("LD_PRELOAD".into(), text(&self.folder.join("disk.so"))),
            ("HEMU_DISK_CONTROL".into(), text(&self.folder.join("control"))),
            ("HEMU_DISK_ROOT".into(), text(root)),
        ]
    }

    fn order(&self, place: u64, value: u32) -> Result<()> {
        Ok(self.control.write_all_at(&value.to_ne_bytes(), place)?)
    }

    /// From now on every write fails for want of space, or no longer.
    pub fn full(&self, full: bool) -> Result<()> {
        self.order(FULL, full.into())
    }

    /// From now on every fsync takes this much longer.
    pub fn stall(&self, pause: Duration) -> Result<()> {
        self.order(STALL, u32::try_from(pause.as_millis())?)
    }

    /// From now on an fsync does nothing and says that it did, or no longer.
    pub fn lie(&self, lie: bool) -> Result<()> {
        self.order(LIE, lie.into())
    }

    /// What happened so far.
    pub fn counters(&self) -> Result<Counters> {
        let number = |place| -> Result<u64> {
            let mut bytes = [0; 8];
            self.control.read_exact_at(&mut bytes, place)?;
            Ok(u64::from_ne_bytes(bytes))
        };
        Ok(Counters {
            writes: number(16)?,
            syncs: number(24)?,
            refused: number(32)?,
            stalled: number(40)?,
        })
    }

    /// What a power cut leaves of `root`, whose process is gone: everything not synced is taken back.
    pub fn power_cut(&self, root: &Path) -> Result<Taken> {
        let mut taken = Taken::default();
        for entry in std::fs::read_dir(&self.folder)? {
            let log = entry?.path();
            let name = log.file_stem().map(|name| root.join(name));
            if let (Some("undo"), Some(file)) = (log.extension().and_then(|end| end.to_str()), name) {
                let writes = take_back(&log, &file)?;
                taken.writes += writes;
                taken.files += u64::from(writes > 0);
                std::fs::remove_file(log)?;
            }
        }
        for entry in std::fs::read_dir(root)? {
            let path = entry?.path();
            if path.to_string_lossy().ends_with("-shm") {
                std::fs::remove_file(path)?;
            }
        }
        Ok(taken)
    }
}

/// Puts back what the log saved, newest first; how many writes that were.
fn take_back(log: &Path, file: &Path) -> Result<u64> {
    let log = std::fs::read(log)?;
    let number = |at: usize| log.get(at..at + 8)?.try_into().ok().map(u64::from_ne_bytes);
    let mut at = usize::try_from(number(0).unwrap_or(8))?;
    let mut saved = Vec::new();
    // A record that the kill cut short was of a write that never came.
    while let (Some(size), Some(offset), Some(kept)) = (number(at), number(at + 8), number(at + 16)) {
        let end = at + 24 + usize::try_from(kept)?;
        let Some(bytes) = log.get(at + 24..end) else { break };
        saved.push((size, offset, bytes));
        at = end;
    }
    if saved.is_empty() || !file.exists() {
        return Ok(0);
    }
    let file = OpenOptions::new().write(true).open(file)?;
    for (size, offset, bytes) in saved.iter().rev() {
        file.write_all_at(bytes, *offset)?;
        file.set_len(*size)?;
    }
    Ok(saved.len() as u64)
}
