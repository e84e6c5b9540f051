//! Feeds the time series from the journal, by position, and brings an engine beside them what it lacks: after an outage of
//! any length both go on where they were.

use std::time::Duration;

use hemu_ledger::entry::{Body, Entry};
use hemu_ledger::{CLOCK_AHEAD_MS, Ledger, Position};
use hemu_rules::Bp;
use hemu_series::{Measure, Point, Series};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::Clock;
use crate::metrics::Metrics;

/// Records read at once.
const STRETCH: u64 = 100_000;
/// Points of a deposit, which most records are.
const DEPOSIT_POINTS: usize = 3;
/// Pause after a failure.
const PAUSE: Duration = Duration::from_secs(2);
/// Rest between two stretches: a chart need not be newer, and a stretch of seconds touches few rows.
const REST: Duration = Duration::from_secs(5);
/// Rest between two rounds with the engine, which keeps every version of a bucket it is sent.
const ENGINE_REST: Duration = Duration::from_secs(30);
/// Pause after one that failed, unless it asked for another.
const ENGINE_PAUSE: Duration = Duration::from_secs(5);

/// What went wrong with feeding.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Ledger(#[from] hemu_ledger::Error),
    #[error(transparent)]
    Series(#[from] hemu_series::Error),
}

/// Feeds until shutdown. The clock is the real one, whatever time the site lives in.
pub async fn run(
    ledger: Ledger,
    series: Series,
    mut applied: watch::Receiver<Position>,
    clock: Clock,
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
        () = push(&series, &clock, &metrics) => {}
        () = shutdown.cancelled() => {}
    }
}

/// Sends the engine, if there is one, what it lacks, for ever. While it is away the points are safe where they are.
async fn push(series: &Series, clock: &Clock, metrics: &Metrics) {
    let Some(engine) = series.engine() else {
        return std::future::pending().await;
    };
    let mut well = true;
    loop {
        let rest = match series.push(clock()).await {
            Ok(pushed) => {
                if !well {
                    tracing::info!(
                        engine,
                        unsent = pushed.unsent,
                        "the charts' engine takes again what it is sent"
                    );
                }
                well = true;
                metrics.engine_unsent.set(pushed.unsent.cast_signed());
                if pushed.unsent > 0 {
                    Duration::ZERO
                } else {
                    ENGINE_REST
                }
            }
            Err(error) => {
                if well {
                    tracing::warn!(%error, "charts cannot be read until it is back; then it gets what it missed");
                }
                well = false;
                metrics.engine_failures.inc();
                if let Ok(unsent) = series.unsent().await {
                    metrics.engine_unsent.set(unsent.cast_signed());
                }
                error.wait().unwrap_or(ENGINE_PAUSE)
            }
        };
        tokio::time::sleep(rest).await;
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
    let mut points = Vec::with_capacity(DEPOSIT_POINTS * tail.records().min(STRETCH) as usize);
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
            add(Measure::Quality, stream, deposit.quality.into());
            if !deposit.is_second_look() {
                add(Measure::DepositWeight, stream, deposit.weight.into());
                let named = deposit.household.map_or(Bp::MIN, |_| Bp::MAX);
                add(Measure::Attributed, stream, named.into());
            }
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
