//! The only place that asks what time it is, and how an instant is written.

use std::sync::Arc;

use hemu_ingest::Clock;
use jiff::Timestamp;

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

/// An instant in ms since 1970 as RFC 3339 in UTC; the number itself where the calendar ends.
pub(crate) fn rfc3339(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |at| at.to_string())
}

/// The same of what may not have been yet: a dash.
pub(crate) fn rfc3339_or_dash(ms: Option<i64>) -> String {
    ms.map_or_else(|| "-".to_owned(), rfc3339)
}

#[expect(clippy::disallowed_methods, reason = "this is the room the time comes from")]
fn now() -> i64 {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_written_in_utc_and_beyond_the_calendar_as_its_number() {
        assert_eq!(rfc3339(EARLIEST), "2025-01-01T00:00:00Z");
        assert_eq!(rfc3339(EARLIEST + 5), "2025-01-01T00:00:00.005Z");
        assert_eq!(rfc3339(i64::MAX), i64::MAX.to_string());
        assert_eq!(rfc3339_or_dash(None), "-");
        assert_eq!(rfc3339_or_dash(Some(0)), "1970-01-01T00:00:00Z");
    }
}
