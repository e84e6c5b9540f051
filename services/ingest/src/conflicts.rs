//! The alarm for conflicts: one identity with two contents, as when two devices use one key. The projector keeps the
//! first, sets the other aside and scores it for nobody; this tells people, once a device, and judges nothing.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use hemu_ledger::{Ledger, Position, Result};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;

/// How the quarantine names them.
const REASON: &str = "conflict";
/// Set-aside records looked at together.
const PAGE: u32 = 100;
/// Pages looked at for one alarm; whoever is beyond them is met at the next.
const PAGES: u32 = 10;
/// Between two looks, at least.
const PAUSE: Duration = Duration::from_secs(1);

/// Watches what is folded until shutdown.
pub async fn run(
    ledger: Ledger,
    mut applied: watch::Receiver<Position>,
    metrics: Metrics,
    shutdown: CancellationToken,
) {
    let mut told = HashSet::new();
    // What came before this process was told by the one before it.
    let mut looked = *applied.borrow_and_update();
    while !shutdown.is_cancelled() {
        match look(&ledger, &metrics, looked, &mut told).await {
            Ok(upto) => looked = upto,
            // Looked at again with the next readings.
            Err(error) => tracing::warn!(%error, "conflicts could not be counted"),
        }
        tokio::select! {
            changed = applied.changed() => if changed.is_err() { return; },
            () = shutdown.cancelled() => return,
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            () = shutdown.cancelled() => return,
        }
    }
}

/// Counts what there is and names the devices that are new among it; how far it looked.
async fn look(
    ledger: &Ledger,
    metrics: &Metrics,
    looked: Position,
    told: &mut HashSet<String>,
) -> Result<Position> {
    let progress = ledger.progress().await?;
    let conflicts = progress.counters.conflicts.cast_signed();
    if conflicts != metrics.conflicts.get() {
        metrics.conflicts.set(conflicts);
        let of_device = newest(ledger, |place, _| place > looked).await?;
        for (device, conflicts) in of_device {
            if told.insert(device.clone()) {
                tracing::error!(
                    device.id = device,
                    conflicts,
                    "records came under identities that other content has; they are kept aside and count for nobody: \
                     if two devices use this key, rotate it"
                );
            }
        }
    }
    Ok(progress.applied)
}

/// Conflicts by device among the newest records that were set aside, as long as `wanted` says so of the journal position
/// and the time of arrival.
pub async fn newest(
    ledger: &Ledger,
    wanted: impl Fn(Position, i64) -> bool,
) -> Result<BTreeMap<String, u64>> {
    let (mut of_device, mut before) = (BTreeMap::new(), None);
    for _ in 0..PAGES {
        let rows = ledger.quarantine(before, PAGE).await?;
        let Some(last) = rows.last() else { break };
        before = Some(last.place);
        for row in rows {
            if !wanted(row.place.0, row.at) {
                return Ok(of_device);
            }
            if row.reason == REASON {
                *of_device.entry(row.device).or_default() += 1;
            }
        }
    }
    Ok(of_device)
}
