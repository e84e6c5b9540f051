//! Keeps the projections behind the journal, as closely as the store allows.

use std::time::Duration;

use hemu_ledger::{Ledger, Position, Projector};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;

/// How often to look for batches that another process appended.
const LOOK: Duration = Duration::from_millis(250);
/// Pause after a failure.
const PAUSE: Duration = Duration::from_secs(1);
/// A step that was not full is followed by a rest, so that the next one shares its pages with more: most of a step's cost
/// is pages, and a page is written once however many of its rows are new. A quiet site sees its readings sooner.
const FULL: u64 = 20_000;
const QUIET: u64 = 500;
const REST: Duration = Duration::from_secs(1);
const SHORT_REST: Duration = Duration::from_millis(300);

/// Folds everything there is, calling `progress` with the records of each step.
pub async fn catch_up(projector: &mut Projector, mut progress: impl FnMut(u64)) -> hemu_ledger::Result<()> {
    loop {
        let step = projector.step().await?;
        if step.records == 0 {
            return Ok(());
        }
        progress(step.records);
    }
}

/// Waits until everything up to a position is folded, folding it here when no other process does.
pub async fn settle(ledger: &Ledger, upto: Position) -> hemu_ledger::Result<()> {
    while ledger.progress().await?.applied < upto {
        match ledger.projector().await {
            Ok((mut projector, _lock)) => {
                catch_up(&mut projector, |_| {}).await?;
                projector.close().await?;
            }
            Err(hemu_ledger::Error::InUse(_)) => tokio::time::sleep(LOOK).await,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Folds whatever is committed until shutdown; tells `applied` how far.
pub async fn run(
    mut projector: Projector,
    mut committed: watch::Receiver<Position>,
    applied: watch::Sender<Position>,
    metrics: Metrics,
    shutdown: CancellationToken,
) {
    let mut failing = false;
    while !shutdown.is_cancelled() {
        let step = projector.step().await;
        if step.is_ok() && std::mem::take(&mut failing) {
            tracing::info!("the projections can be written again");
        }
        match step {
            Ok(step) if step.records > 0 => {
                metrics.applied(step.applied, step.records);
                applied.send_replace(step.applied);
                if step.records < QUIET {
                    wait(&shutdown, SHORT_REST).await;
                } else if step.records < FULL {
                    wait(&shutdown, REST).await;
                }
                continue;
            }
            Ok(_) => {}
            Err(error) => {
                // Told once: it is tried again every second, for as long as it takes.
                if !std::mem::replace(&mut failing, true) {
                    tracing::error!(%error, "the projections cannot be written; readings are safe in the journal");
                }
                metrics.fold_failures.inc();
                wait(&shutdown, PAUSE).await;
            }
        }
        tokio::select! {
            changed = committed.changed() => {
                // The committer has ended; look on by the clock until told to stop.
                if changed.is_err() {
                    wait(&shutdown, LOOK).await;
                }
            }
            () = tokio::time::sleep(LOOK) => {}
            () = shutdown.cancelled() => {}
        }
    }
    if let Err(error) = projector.close().await {
        tracing::warn!(%error, "the projections could not be closed in order; they are read again at the next start");
    }
}

async fn wait(shutdown: &CancellationToken, pause: Duration) {
    tokio::select! {
        () = tokio::time::sleep(pause) => {}
        () = shutdown.cancelled() => {}
    }
}
