//! How long what is stored waits until it is folded: pages show what was so long ago.

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::Result;
use tokio::time::Instant;

use crate::child::Server;
use crate::plan::Size;
use crate::report::Report;
use crate::times::Times;

const COMMITTED: &str = "hemu_ingest_committed_position";
const APPLIED: &str = "hemu_ingest_applied_position";
/// What is not folded by then, when there was enough, will not be.
const PATIENCE: Duration = Duration::from_mins(1);

/// Poison and time hold up nothing longer than that, 99 of 100 batches, ms. How fast it is is for the release size to say.
const WITHIN_MS: f64 = 2_000.0;

/// Looks on, so often, until it is enough, and until all that was stored by then is folded.
pub async fn watched(server: &Server, look: Duration, mut enough: impl FnMut() -> bool) -> Result<Times> {
    let (mut times, mut waiting, mut last) = (Times::default(), VecDeque::new(), 0);
    loop {
        let [committed, applied] = server.gauges([COMMITTED, APPLIED])?;
        let now = Instant::now();
        let waited = |since: Instant| now.duration_since(since);
        if committed > last {
            waiting.push_back((committed, now));
            last = committed;
        }
        let mut over = |since| waited(since) >= PATIENCE && enough();
        while let Some(&(position, since)) = waiting.front() {
            if position > applied && !over(since) {
                break;
            }
            times.record(waited(since));
            waiting.pop_front();
        }
        if waiting.is_empty() && enough() {
            return Ok(times);
        }
        tokio::time::sleep(look).await;
    }
}

/// Puts into a report how long it was, and whether that was too long.
pub fn reported(report: &mut Report, lag: &Times, size: Size) {
    let [half, most, longest] = [50, 99, 100].map(|percent| lag.quantile_ms(percent));
    let figures = [("p50", half), ("p99", most), ("max", longest)];
    report
        .figures
        .extend(figures.map(|(name, figure)| (format!("lag_{name}_ms"), figure)));
    report.require(longest < PATIENCE.as_secs_f64() * 1e3, || {
        format!("folding stood still: something stored waited {longest} ms")
    });
    report.require(size == Size::Ci || most < WITHIN_MS, || {
        format!("99 of 100 batches were folded within {most} ms")
    });
}
