//! How long what the server makes for people is good, whichever door it is made at.

use crate::session::DAY_MS;

/// Days a household's code is good: it goes by letter.
pub const HOUSEHOLD_CODE_DAYS: i64 = 30;
/// How long a code that sets a password is good.
pub const PASSWORD_CODE_MS: i64 = DAY_MS;
/// Days a program's token lasts at most.
pub const TOKEN_DAYS_MOST: u16 = 366;
