//! How long somebody stays logged in.

use crate::role::Role;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
pub(crate) const DAY_MS: i64 = 24 * HOUR_MS;

/// How long a session lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lasting {
    /// Without anything asked.
    pub idle_ms: i64,
    /// However much is asked.
    pub most_ms: i64,
}

impl Role {
    /// Staff log in every day; a resident looks in now and then, on an own phone.
    pub const fn session(self) -> Lasting {
        if self.is_staff() {
            Lasting {
                idle_ms: 30 * MINUTE_MS,
                most_ms: 12 * HOUR_MS,
            }
        } else {
            Lasting {
                idle_ms: 7 * DAY_MS,
                most_ms: 30 * DAY_MS,
            }
        }
    }
}
