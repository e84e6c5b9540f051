//! Keeps the projections behind the journal, as closely as the store allows.

use std::time::Duration;

use hemu_ledger::{Ledger, Lock, Position, Projector};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;

/// How often to look for batches that another process appended.
const LOOK: Duration = Duration::from_millis(250);
/// Pause after a failure.
const PAUSE: Duration = Duration::from_secs(1);
/// After a step that took all there was, so that the next one shares its pages with more: most of a step's cost is pages, and
/// a page is written once however many of its rows are new.
const REST: Duration = Duration::from_secs(1);
/// After one of few records: a quiet site sees its readings sooner.
const SHORT_REST: Duration = Duration::from_millis(300);
const QUIET: u64 = 500;

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

/// What a projector follows, and whom it tells.
#[derive(Debug)]
pub struct Watches {
    /// The last committed batch of this process; others' are looked for by the clock.
    pub committed: watch::Receiver<Position>,
    /// Told how far everything is folded, by whomever.
    pub applied: watch::Sender<Position>,
    pub metrics: Metrics,
    pub shutdown: CancellationToken,
}

/// Folds whatever is committed until shutdown. Where several nodes share their tables one of them folds; the others
/// stand by, and one goes on where it stopped.
pub async fn keep(ledger: Ledger, mut projector: Option<(Projector, Lock)>, mut watches: Watches) {
    let mut told = false;
    while !watches.shutdown.is_cancelled() {
        if let Some((projector, lock)) = projector.take() {
            told = false;
            run(projector, &mut watches).await;
            drop(lock);
            continue;
        }
        look(&ledger, &watches).await;
        match ledger.projector().await {
            Ok(ours) => {
                tracing::info!("this node folds the journal from now on");
                projector = Some(ours);
            }
            Err(hemu_ledger::Error::InUse(_)) => wait(&watches.shutdown, LOOK).await,
            Err(error) => {
                if !std::mem::replace(&mut told, true) {
                    tracing::error!(%error, "the projections cannot be opened to fold; readings are safe in the journal");
                }
                watches.metrics.fold_failures.inc();
                wait(&watches.shutdown, PAUSE).await;
            }
        }
    }
}

/// Tells how far others have folded, until shutdown: for a node that never folds.
pub async fn follow(ledger: Ledger, watches: Watches) {
    while !watches.shutdown.is_cancelled() {
        look(&ledger, &watches).await;
        wait(&watches.shutdown, LOOK).await;
    }
}

async fn look(ledger: &Ledger, watches: &Watches) {
    if let Ok(progress) = ledger.progress().await {
        watches.metrics.applied(progress.applied, 0);
        watches.applied.send_if_modified(|applied| {
            let moved = *applied != progress.applied;
            *applied = progress.applied;
            moved
        });
    }
}

/// Folds until shutdown, or until another node does.
async fn run(mut projector: Projector, watches: &mut Watches) {
    let Watches {
        committed,
        applied,
        metrics,
        shutdown,
    } = watches;
    let mut failing = false;
    metrics.applied(*applied.borrow(), 0);
    while !shutdown.is_cancelled() {
        let step = projector.step().await;
        if step.is_ok() && std::mem::take(&mut failing) {
            tracing::info!("the projections can be written again");
        }
        match step {
            Ok(step) if step.records > 0 => {
                metrics.applied(step.applied, step.records);
                applied.send_replace(step.applied);
                if !step.more {
                    let rest = if step.records < QUIET { SHORT_REST } else { REST };
                    wait(shutdown, rest).await;
                }
                continue;
            }
            Ok(_) => {}
            Err(hemu_ledger::Error::InUse(_)) => {
                tracing::info!("another node folds the journal now; this one stands by");
                return;
            }
            Err(error) => {
                // Told once: it is tried again every second, for as long as it takes.
                if !std::mem::replace(&mut failing, true) {
                    tracing::error!(%error, "the projections cannot be written; readings are safe in the journal");
                }
                metrics.fold_failures.inc();
                wait(shutdown, PAUSE).await;
            }
        }
        tokio::select! {
            changed = committed.changed() => {
                // No committer here, or it has ended; look on by the clock until told to stop.
                if changed.is_err() {
                    wait(shutdown, LOOK).await;
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
