//! What a server looks after by itself beside its work: room on the disk, backups, and the end of what is over. Must not stop anything: what goes
//! wrong here is told once, counted, and tried again.

use std::ops::Range;
use std::time::Duration;

use anyhow::Result;
use hemu_ingest::Clock;
use hemu_ledger::{Folder, Ledger};
use prometheus::{IntCounter, IntGauge, Registry};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::backup::schedule::Plan;
use crate::clock;
use crate::config::Config;
use crate::disk;
use crate::retention::{Keep, Retention};
use crate::words::{Language, Words};

/// Between two looks.
const LOOK: Duration = Duration::from_secs(5);
/// From a backup that failed to the next try, ms.
const RETRY_MS: i64 = 60_000;
/// Of a large site's time, copies take a tenth: each is followed by so many times as long as it took.
const REST: i64 = 9;

/// What it counts.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    disk_free: IntGauge,
    backup_age: IntGauge,
    backup_failures: IntCounter,
}

impl Metrics {
    fn new(registry: &Registry) -> prometheus::Result<Self> {
        let metrics = Self {
            disk_free: IntGauge::new("hemu_disk_free_bytes", "Free on the disk of the data folder.")?,
            backup_age: IntGauge::new(
                "hemu_backup_age_seconds",
                "Since the newest backup was begun, or since the start when there is none; 0 without backup_to.",
            )?,
            backup_failures: IntCounter::new(
                "hemu_backup_failures_total",
                "Backups that could not be made.",
            )?,
        };
        registry.register(Box::new(metrics.disk_free.clone()))?;
        registry.register(Box::new(metrics.backup_age.clone()))?;
        registry.register(Box::new(metrics.backup_failures.clone()))?;
        Ok(metrics)
    }
}

/// What is looked after, ready to begin.
pub(crate) struct Upkeep {
    folder: Folder,
    retention: Retention,
    plan: Option<Plan>,
    least_free: u64,
    metrics: Metrics,
    language: Language,
    /// What was told and still holds.
    nearly_full: bool,
    failed: Option<String>,
    /// None is made meanwhile, ms. A clock that is set back ends it.
    rest: Range<i64>,
}

impl Upkeep {
    /// Of a folder; a demo's is not backed up.
    pub(crate) fn new(
        config: &Config,
        ledger: Ledger,
        demo: bool,
        registry: &Registry,
        words: &Words,
    ) -> Result<Self> {
        Ok(Self {
            folder: ledger.folder().clone(),
            retention: Retention::new(ledger, Keep::new(config)),
            plan: Plan::new(config, words)?.filter(|_| !demo),
            least_free: config.disk_free_mb << 20,
            metrics: Metrics::new(registry)?,
            language: words.language(),
            nearly_full: false,
            failed: None,
            rest: 0..0,
        })
    }

    /// Looks until shutdown.
    pub(crate) async fn run(mut self, clock: Clock, shutdown: CancellationToken) {
        let (words, began, machine) = (Words::new(self.language), clock(), clock::system());
        while !shutdown.is_cancelled() {
            self.look_at_the_disk();
            self.look_at_backups(began, clock(), &words).await;
            self.retention.look(clock(), machine()).await;
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = shutdown.cancelled() => {}
            }
        }
    }

    fn look_at_the_disk(&mut self) {
        let path = self.folder.path();
        let Ok(free) = disk::free(path) else { return };
        self.metrics.disk_free.set(free.try_into().unwrap_or(i64::MAX));
        let nearly_full = free < self.least_free;
        if nearly_full && !self.nearly_full {
            tracing::error!(
                free_bytes = free,
                folder = %path.display(),
                "the disk of the data folder is nearly full: make room; when it is full, deleting the file `{}` there gives a little",
                disk::RESERVE
            );
        } else if !nearly_full && let Err(error) = disk::reserve(path) {
            tracing::debug!(%error, "no place is held in reserve");
        }
        self.nearly_full = nearly_full;
    }

    async fn look_at_backups(&mut self, began: i64, now: i64, words: &Words) {
        let Some(plan) = &self.plan else { return };
        if !self.rest.contains(&now) {
            let copying = Instant::now();
            let outcome = plan.step(&self.folder, now, words).await;
            match outcome {
                Ok(made) => {
                    if let Some(made) = made {
                        let (records, bytes) = (made.contents.records, made.bytes);
                        let took = copying.elapsed();
                        tracing::info!(records, bytes, took_s = took.as_secs(), "a backup is made");
                        self.rest = rest_after(now, took);
                    }
                    self.failed = None;
                }
                Err(error) => {
                    self.rest = now..now + RETRY_MS;
                    self.metrics.backup_failures.inc();
                    let why = format!("{error:#}");
                    if self.failed.as_ref() != Some(&why) {
                        tracing::error!(error = why, to = %plan.to.display(), "no backup can be made; it is tried every minute");
                        self.failed = Some(why);
                    }
                }
            }
        }
        let newest = plan.newest().ok().flatten().unwrap_or(began);
        self.metrics.backup_age.set((now - newest).max(0) / 1_000);
    }
}

/// When no copy is made, after one that was begun at an instant.
fn rest_after(began: i64, took: Duration) -> Range<i64> {
    let took = i64::try_from(took.as_millis()).unwrap_or(i64::MAX);
    began..began.saturating_add(took.saturating_mul(1 + REST))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// 2026-03-02 in Shanghai.
    const NOW: i64 = 1_772_380_800_000;
    const MINUTE: i64 = 60_000;

    fn backups(folder: &Path) -> usize {
        let names = std::fs::read_dir(folder).unwrap();
        names
            .filter(|name| name.as_ref().unwrap().path().extension().is_some())
            .count()
    }

    #[tokio::test]
    async fn a_copy_that_takes_long_is_followed_by_nine_times_as_long_a_rest() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(&dir.path().join("data")).unwrap();
        let to = dir.path().join("backups");
        let config = Config {
            backup_to: Some(to.clone()),
            backup_minutes: 5,
            ..Config::default()
        };
        let (ledger, words) = (
            Ledger::open(&folder, None).await.unwrap(),
            Words::new(Language::English),
        );
        let mut upkeep = Upkeep::new(&config, ledger, false, &Registry::new(), &words).unwrap();
        let mut minute = async |minute: i64, took: u64| {
            let now = NOW + minute * MINUTE;
            upkeep.look_at_backups(NOW, now, &words).await;
            if took > 0 {
                upkeep.rest = rest_after(now, Duration::from_mins(took));
            }
            backups(&to)
        };
        // Each line: the minute, how long a copy takes just then, and how many there are afterwards.
        for (at, took, there) in [
            (0, 2, 1),
            (5, 0, 1),
            (19, 0, 1),
            (20, 0, 2),
            (24, 0, 2),
            (25, 60, 3),
            (300, 0, 3),
            // The clock is set back.
            (-60, 0, 4),
        ] {
            assert_eq!(minute(at, took).await, there, "minute {at}");
        }
    }
}
