//! What works on what is stored, behind everything else: the projections, and what follows them.

use anyhow::Result;
use hemu_ingest::{Metrics, conflicts, feed, fold};
use hemu_ledger::Position;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::opened::Opened;
use crate::clock;
use crate::config::Config;
use crate::roles::Role;

impl Opened {
    /// Folds the journal, or follows whoever does; gives what does so, and the last batch in the projections.
    pub(super) async fn project(
        &mut self,
        config: &Config,
        committed: watch::Receiver<Position>,
        metrics: &Metrics,
        stop: &CancellationToken,
    ) -> Result<(JoinHandle<()>, watch::Receiver<Position>)> {
        let (applied, applied_seen) = watch::channel(self.ledger.progress().await?.applied);
        let watches = fold::Watches {
            committed,
            applied,
            metrics: metrics.clone(),
            shutdown: stop.clone(),
        };
        let ledger = self.unhurried.clone();
        let task = if config.roles.has(Role::Projector) {
            self.behind
                .run(fold::keep(ledger, self.projector.take(), watches))
        } else {
            self.behind.run(fold::follow(ledger, watches))
        };
        Ok((task, applied_seen))
    }

    /// Counts readings whose identity came twice, and says so.
    pub(super) fn watch_conflicts(
        &self,
        applied: &watch::Receiver<Position>,
        metrics: &Metrics,
        stop: &CancellationToken,
    ) -> JoinHandle<()> {
        let (ledger, applied) = (self.unhurried.clone(), applied.clone());
        self.behind
            .run(conflicts::run(ledger, applied, metrics.clone(), stop.clone()))
    }

    /// Brings what is accepted into the charts.
    pub(super) fn feed_charts(
        &self,
        applied: &watch::Receiver<Position>,
        metrics: &Metrics,
        stop: &CancellationToken,
    ) -> JoinHandle<()> {
        let feeder = feed::run(
            self.unhurried.clone(),
            self.series.clone(),
            applied.clone(),
            clock::system(),
            metrics.clone(),
            stop.clone(),
        );
        self.behind.run(feeder)
    }
}
