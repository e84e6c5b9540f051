//! Backups by the clock: which are there, whether one is due, and which may go. Must not delete a file whose name is not
//! one of its own.

use std::collections::BTreeMap;
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

const HOUR: i64 = 3_600_000;

/// What the configuration asks for.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) to: PathBuf,
    /// From one to the next, ms.
    pub(crate) every: i64,
    /// How many are kept of those that are an hour old: of each hour the last.
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

    /// Makes one if it is due at an instant, and then lets go what is not kept.
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
        for old in spare(self.there()?, self.keep, now) {
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

/// Those that may go at an instant, of all that are there, oldest first. All of the last hour stay, and of each hour before
/// it the last that is that old, so many of them; and whatever is of a clock that was ahead.
fn spare(mut there: Vec<(i64, PathBuf)>, keep: usize, now: i64) -> Vec<PathBuf> {
    there.retain(|(at, _)| now - at >= HOUR);
    let mut hours: BTreeMap<i64, PathBuf> = BTreeMap::new();
    let mut may_go: Vec<PathBuf> = there
        .into_iter()
        .filter_map(|(at, path)| hours.insert(at.div_euclid(HOUR), path))
        .collect();
    let too_old = hours.len().saturating_sub(keep);
    may_go.extend(hours.into_values().take(too_old));
    may_go
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
    async fn one_is_made_when_it_is_due_and_what_is_spare_goes_and_nothing_else_does() {
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
        // Two hours later the first hour has left its last.
        plan.step(&folder, NOW + 140 * MINUTE, &words).await.unwrap();
        assert_eq!(
            names(&to),
            [
                "hemu-20200101T000000.000Z.gz.part",
                "hemu-20260301T162000.000Z.gz",
                "hemu-20260301T182000.000Z.gz",
                "hemu-old.gz",
                "readme"
            ]
        );
        // Of the hours before, no more than are kept.
        for hour in 3..=5 {
            plan.step(&folder, NOW + hour * HOUR, &words).await.unwrap();
        }
        assert_eq!(
            names(&to)[1..5],
            ["18:20", "19:00", "20:00", "21:00"]
                .map(|time| format!("hemu-20260301T{}00.000Z.gz", time.replace(':', "")))
        );
        // A clock that was set back does not stop them.
        assert!(plan.step(&folder, NOW - MINUTE, &words).await.unwrap().is_some());
    }

    /// Minutes of those that are kept, where one was made every five minutes up to a minute and each time the spare ones went.
    fn kept(minutes: i64, keep: usize) -> Vec<i64> {
        let name = |minute: i64| PathBuf::from(minute.to_string());
        let mut there: Vec<(i64, PathBuf)> = Vec::new();
        for minute in (0..=minutes).step_by(5) {
            there.push((NOW + minute * MINUTE, name(minute)));
            let gone = spare(there.clone(), keep, NOW + minute * MINUTE);
            there.retain(|(_, path)| !gone.contains(path));
        }
        there.iter().map(|(at, _)| (at - NOW) / MINUTE).collect()
    }

    #[test]
    fn an_hour_is_kept_whole_and_of_the_hours_before_it_the_last_of_each() {
        assert_eq!(kept(55, 3), (0..=55).step_by(5).collect::<Vec<_>>());
        // Of an hour that is only in part so old, the last that is.
        let last_hour = |now: i64| (now - 55..=now).step_by(5);
        assert_eq!(
            kept(90, 3),
            [30].into_iter().chain(last_hour(90)).collect::<Vec<_>>()
        );
        assert_eq!(
            kept(300, 3),
            [175, 235, 240]
                .into_iter()
                .chain(last_hour(300))
                .collect::<Vec<_>>()
        );
        assert_eq!(
            kept(300, 1),
            [240].into_iter().chain(last_hour(300)).collect::<Vec<_>>()
        );
        // What is of a clock that was ahead makes nothing old.
        let ahead = [(NOW, "now"), (NOW + 30 * HOUR, "ahead")].map(|(at, name)| (at, PathBuf::from(name)));
        assert!(spare(ahead.to_vec(), 0, NOW).is_empty() && spare(Vec::new(), 3, NOW).is_empty());
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
