//! A device's own log of what it was promised, on the disk before it acts on it: one line a promise. Must not: be shared
//! by two devices, or forget.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Somebody said that these records are stored.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Promise {
    /// Device id.
    pub device: String,
    /// Boot of the records.
    pub boot: u64,
    /// First and last number.
    pub range: (u64, u64),
}

/// The log of one device, being written.
#[derive(Debug)]
pub struct Witness {
    path: PathBuf,
    /// The file, where it stays open.
    open: Option<File>,
}

impl Witness {
    /// Appends to the log at `path`, which stays open or is opened for each promise.
    pub fn open(path: PathBuf, stays: bool) -> std::io::Result<Self> {
        let open = Some(appending(&path)?).filter(|_| stays);
        Ok(Self { path, open })
    }

    /// Notes PUBACKs and waits for the disk.
    pub fn acked(&mut self, identities: &[(u64, u64)]) -> std::io::Result<()> {
        let mut runs: Vec<(u64, u64, u64)> = Vec::new();
        for &(boot, seq) in identities {
            match runs.last_mut() {
                Some((of, _, to)) if *of == boot && *to + 1 == seq => *to = seq,
                _ => runs.push((boot, seq, seq)),
            }
        }
        let lines = runs
            .iter()
            .map(|(boot, from, to)| format!("acked {boot} {from} {to}\n"));
        self.write(&lines.collect::<String>())
    }

    /// Notes a receipt that covers everything up to `upto`, and waits for the disk.
    pub fn receipted(&mut self, boot: u64, upto: u64) -> std::io::Result<()> {
        self.write(&format!("receipted {boot} 1 {upto}\n"))
    }

    fn write(&mut self, lines: &str) -> std::io::Result<()> {
        let mut opened = None;
        let file = match &mut self.open {
            Some(file) => file,
            None => opened.insert(appending(&self.path)?),
        };
        file.write_all(lines.as_bytes())?;
        file.sync_data()
    }
}

fn appending(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

/// Reads a log back; a last line cut short is no promise.
pub fn read(device: &str, path: &Path) -> Result<Vec<Promise>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let mut promises: Vec<Promise> = Vec::new();
    for line in whole.lines() {
        let mut words = line.split(' ').skip(1).map(str::parse::<u64>);
        let mut word = || {
            words
                .next()
                .and_then(Result::ok)
                .with_context(|| format!("not a promise: {line}"))
        };
        promises.push(Promise {
            device: device.to_owned(),
            boot: word()?,
            range: (word()?, word()?),
        });
    }
    Ok(union(promises))
}

/// The same promises in order, none of a number twice: receipts are cumulative, so that most cover what others did.
pub fn union(mut promises: Vec<Promise>) -> Vec<Promise> {
    // The first receipt of a boot may cover nothing.
    promises.retain(|promise| promise.range.0 <= promise.range.1);
    promises.sort_unstable();
    promises.dedup_by(|next, last| {
        let joins = (&next.device, next.boot) == (&last.device, last.boot)
            && next.range.0 <= last.range.1.saturating_add(1);
        if joins {
            last.range.1 = last.range.1.max(next.range.1);
        }
        joins
    });
    promises
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promises_come_back_and_half_a_line_is_none() {
        let folder = tempfile::tempdir().unwrap();
        for stays in [true, false] {
            let path = folder.path().join(format!("log-{stays}"));
            let mut witness = Witness::open(path.clone(), stays).unwrap();
            witness.acked(&[(7, 1), (7, 2), (7, 4)]).unwrap();
            witness.receipted(8, 3).unwrap();
            witness.receipted(8, 9).unwrap();
            witness.write("receipted 7 1 5000").unwrap();
            let ranges: Vec<_> = read("d", &path).unwrap().into_iter().map(|p| p.range).collect();
            assert_eq!(ranges, [(1, 2), (4, 4), (1, 9)]);
        }
    }

    #[test]
    fn of_promises_that_overlap_each_number_stays_once() {
        let promise = |device: &str, boot, range| Promise {
            device: device.into(),
            boot,
            range,
        };
        let promises = vec![
            promise("b", 7, (4, 4)),
            promise("a", 7, (9, 9)),
            promise("a", 7, (1, 3)),
            promise("a", 8, (4, 5)),
            promise("a", 7, (2, 2)),
            promise("a", 7, (1, 6)),
            promise("a", 7, (7, 7)),
            promise("c", 7, (1, 0)),
        ];
        let whole = [
            promise("a", 7, (1, 7)),
            promise("a", 7, (9, 9)),
            promise("a", 8, (4, 5)),
            promise("b", 7, (4, 4)),
        ];
        assert_eq!(union(promises), whole);
    }
}
