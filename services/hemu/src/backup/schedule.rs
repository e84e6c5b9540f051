//! Backups by the clock: which are there, whether one is due, and which may go. Must not delete a file whose name is not
//! one of its own.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::Result;
use hemu_ledger::Folder;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::seal::Seal;
use super::{Made, make, stamp};
use crate::config::Config;
use crate::words::Words;

/// What the configuration asks for.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) to: PathBuf,
    /// From one to the next, ms.
    pub(crate) every: i64,
    pub(crate) keep: usize,
    pub(crate) seal: Seal,
}

impl Plan {
    /// `None` when no folder is named.
    pub(crate) fn new(config: &Config, words: &Words) -> Result<Option<Self>> {
        let Some(to) = &config.backup_to else {
            return Ok(None);
        };
        Ok(Some(Self {
            to: to.clone(),
            every: i64::from(config.backup_minutes) * 60_000,
            keep: usize::from(config.backup_keep).max(1),
            seal: Seal::new(config.backup_recipient.as_slice(), None, words)?,
        }))
    }

    /// When the newest one was begun, ms since 1970; `None` when there is none.
    pub(crate) fn newest(&self) -> io::Result<Option<i64>> {
        Ok(self.there()?.last().map(|(at, _)| *at))
    }

    /// Makes one if it is due at an instant, and then lets the oldest go.
    pub(crate) async fn step(&self, folder: &Folder, now: i64, words: &Words) -> Result<Option<Made>> {
        std::fs::create_dir_all(&self.to)?;
        // One from the future is of a clock that was wrong, and says nothing of when the next is due.
        let newest = self.newest()?.filter(|newest| *newest <= now);
        if newest.is_some_and(|newest| now - newest < self.every) {
            return Ok(None);
        }
        let suffix = if self.seal.is_open() { "gz" } else { "gz.age" };
        let file = self.to.join(format!("hemu-{}.{suffix}", stamp(now)?));
        let made = make(folder, &file, self.seal.clone(), words, false).await?;
        let there = self.there()?;
        for (_, old) in there.iter().take(there.len().saturating_sub(self.keep)) {
            std::fs::remove_file(old)?;
        }
        Ok(Some(made))
    }

    /// Those there are with when they were begun, oldest first.
    fn there(&self) -> io::Result<Vec<(i64, PathBuf)>> {
        let entries = match std::fs::read_dir(&self.to) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut there = Vec::new();
        for entry in entries {
            let path = entry?.path();
            there.extend(begun(&path).map(|at| (at, path)));
        }
        there.sort();
        Ok(there)
    }
}

/// When a file was begun, by its name, if that is one of ours.
fn begun(path: &Path) -> Option<i64> {
    let name = path.file_name()?.to_str()?.strip_prefix("hemu-")?;
    let time = name
        .strip_suffix(".gz")
        .or_else(|| name.strip_suffix(".gz.age"))?;
    let time = DateTime::strptime("%Y%m%dT%H%M%S%.fZ", time).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Language;

    /// 2026-03-02 in Shanghai.
    const NOW: i64 = 1_772_380_800_000;
    const MINUTE: i64 = 60_000;

    fn plan(to: PathBuf) -> Plan {
        Plan {
            to,
            every: 5 * MINUTE,
            keep: 3,
            seal: Seal::Open,
        }
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[tokio::test]
    async fn one_is_made_when_it_is_due_and_the_oldest_go_and_nothing_else_does() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(&dir.path().join("data")).unwrap();
        hemu_ledger::Ledger::open(&folder, None)
            .await
            .unwrap()
            .close()
            .await;
        let to = dir.path().join("backups");
        let (plan, words) = (plan(to.clone()), Words::new(Language::English));
        std::fs::create_dir(&to).unwrap();
        for other in ["hemu-old.gz", "hemu-20200101T000000.000Z.gz.part", "readme"] {
            std::fs::write(to.join(other), "somebody's").unwrap();
        }
        let mut made = Vec::new();
        for minute in 0..=20 {
            let now = NOW + minute * MINUTE;
            if plan.step(&folder, now, &words).await.unwrap().is_some() {
                made.push(minute);
            }
        }
        assert_eq!(made, [0, 5, 10, 15, 20]);
        assert_eq!(plan.newest().unwrap(), Some(NOW + 20 * MINUTE));
        assert_eq!(
            names(&to),
            [
                "hemu-20200101T000000.000Z.gz.part",
                "hemu-20260301T161000.000Z.gz",
                "hemu-20260301T161500.000Z.gz",
                "hemu-20260301T162000.000Z.gz",
                "hemu-old.gz",
                "readme"
            ]
        );
        // A clock that was set back does not stop them.
        assert!(plan.step(&folder, NOW - MINUTE, &words).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn where_none_can_be_written_the_old_ones_stay() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(&dir.path().join("data")).unwrap();
        hemu_ledger::Ledger::open(&folder, None)
            .await
            .unwrap()
            .close()
            .await;
        let plan = plan(dir.path().join("backups"));
        let words = Words::new(Language::English);
        plan.step(&folder, NOW, &words).await.unwrap();
        // The journal's file is gone, as if its disk were.
        std::fs::remove_file(folder.truth()).unwrap();
        std::fs::create_dir(folder.truth()).unwrap();
        for minute in [5, 6, 20] {
            assert!(plan.step(&folder, NOW + minute * MINUTE, &words).await.is_err());
        }
        assert_eq!(names(&plan.to), ["hemu-20260301T160000.000Z.gz"]);
    }
}
