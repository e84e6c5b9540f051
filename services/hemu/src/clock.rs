//! The only place that asks what time it is.

use std::sync::Arc;

use hemu_ingest::Clock;

/// 2025-01-01, before which no clock of a machine that runs this can be right.
pub(crate) const EARLIEST: i64 = 1_735_689_600_000;

/// The machine's clock.
pub(crate) fn system() -> Clock {
    Arc::new(now)
}

/// A clock that runs `speed` times as fast from now on; the demo's.
pub(crate) fn fast(speed: u32) -> Clock {
    let start = now();
    Arc::new(move || start + (now() - start) * i64::from(speed))
}

#[expect(clippy::disallowed_methods, reason = "this is the room the time comes from")]
fn now() -> i64 {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
