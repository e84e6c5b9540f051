//! What a server looks after by itself beside its work: room on the disk, backups, and the end of what is over. Must not stop anything: what goes
//! wrong here is told once, counted, and tried again.

use std::time::Duration;

use anyhow::Result;
use hemu_ingest::Clock;
use hemu_ledger::{Folder, Ledger};
use prometheus::{IntCounter, IntGauge, Registry};
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
    /// Not before this, ms.
    again: i64,
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
            again: i64::MIN,
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
        if now >= self.again {
            let outcome = plan.step(&self.folder, now, words).await;
            match outcome {
                Ok(made) => {
                    if let Some(made) = made {
                        let (records, bytes) = (made.contents.records, made.bytes);
                        tracing::info!(records, bytes, "a backup is made");
                    }
                    self.failed = None;
                }
                Err(error) => {
                    self.again = now + RETRY_MS;
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
