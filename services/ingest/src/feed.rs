//! Feeds the time series from the journal, by position: after an outage of any length it goes on where it was.

use std::time::Duration;

use hemu_ledger::entry::{Body, Entry};
use hemu_ledger::{CLOCK_AHEAD_MS, Ledger, Position};
use hemu_rules::Bp;
use hemu_series::{Measure, Point, Series};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;

/// Records read at once.
const STRETCH: u64 = 100_000;
/// Pause after a failure.
const PAUSE: Duration = Duration::from_secs(2);
/// Rest between two stretches: a chart need not be newer, and a stretch of seconds touches few rows.
const REST: Duration = Duration::from_secs(5);

/// What went wrong with feeding.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Ledger(#[from] hemu_ledger::Error),
    #[error(transparent)]
    Series(#[from] hemu_series::Error),
}

/// Feeds until shutdown.
pub async fn run(
    ledger: Ledger,
    series: Series,
    mut applied: watch::Receiver<Position>,
    metrics: Metrics,
    shutdown: CancellationToken,
) {
    let feed = async {
        if let Ok(position) = series.position().await {
            metrics.fed(position);
        }
        loop {
            applied.mark_unchanged();
            match step(&ledger, &series).await {
                Ok(Some(fed)) => {
                    metrics.fed(fed.position);
                    if fed.records < STRETCH {
                        tokio::time::sleep(REST).await;
                    }
                }
                // The projector has ended when this fails, and the server is about to.
                Ok(None) => drop(applied.changed().await),
                Err(error) => {
                    tracing::warn!(%error, "the time series cannot be fed; charts go on from here when they can");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    };
    tokio::select! {
        () = feed => {}
        () = shutdown.cancelled() => {}
    }
}

/// Feeds everything that is folded, calling `progress` with the position reached and the records read.
pub async fn catch_up(
    ledger: &Ledger,
    series: &Series,
    mut progress: impl FnMut(Position, u64),
) -> Result<(), Error> {
    while let Some(fed) = step(ledger, series).await? {
        progress(fed.position, fed.records);
    }
    Ok(())
}

/// How far a stretch went.
struct Fed {
    position: Position,
    records: u64,
}

/// Feeds the next stretch; `None` when everything folded is in the series.
async fn step(ledger: &Ledger, series: &Series) -> Result<Option<Fed>, Error> {
    let after = series.position().await?;
    let tail = ledger.tail(after, STRETCH).await?;
    let Some(upto) = tail.last() else { return Ok(None) };
    let mut points = Vec::new();
    tail.for_each(|batch, _, entry| take(&mut points, batch.at, &entry))?;
    series.write(after, upto, &points).await?;
    Ok(Some(Fed {
        position: upto,
        records: tail.records(),
    }))
}

/// The points of a record. A clock that runs ahead would draw a chart of the future, so its points are left out.
fn take<'e>(points: &mut Vec<Point<'e>>, received_at: i64, entry: &Entry<'e>) {
    let Some(at) = entry
        .body
        .at()
        .filter(|at| at.get() <= received_at.saturating_add(CLOCK_AHEAD_MS))
    else {
        return;
    };
    let device = entry.origin.device();
    let mut add = |measure, stream, value| {
        points.push(Point {
            device,
            measure,
            stream,
            at,
            value,
        });
    };
    match &entry.body {
        Body::Deposit(deposit) => {
            let stream = Some(deposit.stream);
            add(Measure::DepositWeight, stream, deposit.weight.into());
            add(Measure::Quality, stream, deposit.quality.into());
            let named = deposit.household.map_or(Bp::MIN, |_| Bp::MAX);
            add(Measure::Attributed, stream, named.into());
        }
        Body::Status(status) => {
            for bin in &status.bins {
                let stream = Some(bin.stream);
                bin.fill
                    .into_iter()
                    .for_each(|fill| add(Measure::Fill, stream, fill.into()));
                bin.weight_g
                    .into_iter()
                    .for_each(|grams| add(Measure::BinWeight, stream, grams.into()));
            }
            status
                .battery_mv
                .into_iter()
                .for_each(|mv| add(Measure::Battery, None, mv.into()));
            status
                .rssi_dbm
                .into_iter()
                .for_each(|dbm| add(Measure::Rssi, None, dbm.into()));
            status
                .temperature_cc
                .into_iter()
                .for_each(|cc| add(Measure::Temperature, None, cc.into()));
        }
        Body::Incident(_) | Body::Lost { .. } | Body::Quarantined(_) | Body::Act(_) | Body::Proposal(_) => {}
    }
}
