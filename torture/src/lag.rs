//! How long what is stored waits until it is folded: pages show what was so long ago.

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::Result;
use tokio::time::Instant;

use crate::child::Server;
use crate::times::Times;

const COMMITTED: &str = "hemu_ingest_committed_position";
const APPLIED: &str = "hemu_ingest_applied_position";
const LOOK: Duration = Duration::from_millis(10);

/// Looks on until it is enough, and until all that was stored by then is folded.
pub async fn watched(server: &Server, mut enough: impl FnMut() -> bool) -> Result<Times> {
    let (mut times, mut waiting, mut last) = (Times::default(), VecDeque::new(), 0);
    loop {
        let [committed, applied] = server.gauges([COMMITTED, APPLIED])?;
        let now = Instant::now();
        if committed > last {
            waiting.push_back((committed, now));
            last = committed;
        }
        while waiting.front().is_some_and(|(position, _)| *position <= applied) {
            if let Some((_, since)) = waiting.pop_front() {
                times.record(now.duration_since(since));
            }
        }
        if waiting.is_empty() && enough() {
            return Ok(times);
        }
        tokio::time::sleep(LOOK).await;
    }
}
