//! What the machine does for the lists, ready to begin, and where people see it at work. What it does is in `jobs`.

use anyhow::Result;
use hemu_ingest::Clock;
use hemu_ledger::Ledger;
use prometheus::Registry;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::Occasion;
use crate::config::Config;
use crate::jobs::{self, Schedule};
use crate::roles::Role;
use crate::threads::Behind;
use crate::upkeep::Upkeep;
use crate::words::Words;

const WEEK_MS: i64 = 7 * 86_400_000;

/// The lists' schedule with what it needs.
pub(super) struct Machine {
    ledger: Ledger,
    schedule: Schedule,
    clock: Clock,
    speed: u32,
    metrics: jobs::Metrics,
    upkeep: Upkeep,
}

impl Machine {
    /// `None` on a node that leaves them to another.
    pub(super) fn wanted(
        config: &Config,
        occasion: &Occasion,
        ledger: Ledger,
        registry: &Registry,
        (words, name, jobs): (&Words, &str, hemu_api::Jobs),
    ) -> Result<Option<Self>> {
        if !config.roles.has(Role::Jobs) {
            return Ok(None);
        }
        Ok(Some(Self {
            upkeep: Upkeep::new(config, ledger.clone(), occasion.demo, registry, words)?,
            ledger,
            schedule: occasion.schedule(config, name, jobs),
            clock: occasion.clock.clone(),
            speed: occasion.speed,
            metrics: jobs::Metrics::new(registry)?,
        }))
    }

    /// Has it work until shutdown, behind everything else.
    pub(super) fn begin(self, behind: &Behind, stop: &CancellationToken) -> [JoinHandle<()>; 2] {
        let (upkeep, clock, until) = (self.upkeep, self.clock.clone(), stop.clone());
        let upkeep = behind.make(move || upkeep.run(clock, until));
        let keeping = jobs::run(
            self.ledger,
            self.schedule,
            self.clock,
            self.speed,
            self.metrics,
            stop.clone(),
        );
        [upkeep, behind.run(keeping)]
    }
}

impl Occasion {
    /// Nobody lives in a demo: there the machine gives the notices too, those of the week before included, so that the
    /// lists can be seen at work.
    fn schedule(&self, config: &Config, name: &str, jobs: hemu_api::Jobs) -> Schedule {
        Schedule {
            weekday: config.lists_weekday,
            notices: config.lists_notices || self.demo,
            // Another than that of people's own requests, so that one of the two computes a day.
            holder: format!("{name}-lists"),
            past: if self.demo { WEEK_MS } else { 0 },
            jobs,
        }
    }
}

/// Where long jobs are shown, with what the run before this one left undone.
pub(super) async fn long_jobs(ledger: &Ledger, name: &str, occasion: &Occasion) -> Result<hemu_api::Jobs> {
    let clock = occasion.clock.clone();
    let jobs = hemu_api::Jobs::new(name, hemu_api::Clock::new(move || clock()));
    for lease in ledger.broken_off().await? {
        tracing::info!(day = %lease.day, "the edition that the last run was computing was not stored");
        jobs.broken_off(lease.day, lease.since);
    }
    Ok(jobs)
}
