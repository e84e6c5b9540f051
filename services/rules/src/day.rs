//! Local calendar days: which day an event belongs to, and how a day is written.
//!
//! Pure integer arithmetic on the proleptic Gregorian calendar. No time-zone database: a zone is one fixed
//! offset. Asia/Shanghai has been UTC+8 without summer time since 1991; its summer times of 1986-1991 are out
//! of scope, and so is every zone that still has them.

use crate::quantity::{Millis, OutOfRange};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

const DAY_MS: i64 = 86_400_000;

/// A local calendar day: days since 1970-01-01, years 0000 to 9999. Written `YYYY-MM-DD`, also in JSON.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Day(i32);

impl Day {
    /// 0000-01-01
    pub const MIN: Self = Self(-719_528);
    /// 9999-12-31
    pub const MAX: Self = Self(2_932_896);

    pub const fn new(days_since_1970: i64) -> Result<Self, OutOfRange> {
        let (least, most) = (Self::MIN.0 as i64, Self::MAX.0 as i64);
        if days_since_1970 < least || days_since_1970 > most {
            return Err(OutOfRange {
                what: "days since 1970",
                least,
                most,
                got: days_since_1970,
            });
        }
        Ok(Self::clamped(days_since_1970))
    }

    /// The nearest day of years 0000 to 9999.
    #[expect(clippy::cast_possible_truncation, reason = "brought into a range that fits")]
    pub const fn clamped(days_since_1970: i64) -> Self {
        if days_since_1970 < Self::MIN.0 as i64 {
            Self::MIN
        } else if days_since_1970 > Self::MAX.0 as i64 {
            Self::MAX
        } else {
            Self(days_since_1970 as i32)
        }
    }

    /// The local day an event belongs to.
    pub const fn of(at: Millis, zone: Zone) -> Self {
        Self::clamped((at.get() + zone.offset_ms()).div_euclid(DAY_MS))
    }

    /// The instant this day begins in `zone`; days before 1970 begin at the first instant there is.
    pub const fn start(self, zone: Zone) -> Millis {
        Millis::clamped(self.0 as i64 * DAY_MS - zone.offset_ms())
    }

    /// Days since 1970-01-01.
    pub const fn get(self) -> i32 {
        self.0
    }

    /// The day `days` later (earlier when negative), kept in range.
    #[must_use]
    pub const fn plus(self, days: i32) -> Self {
        Self::clamped(self.0 as i64 + days as i64)
    }

    /// Days from `earlier` to this day; negative when `earlier` is later.
    pub const fn since(self, earlier: Self) -> i32 {
        self.0 - earlier.0
    }

    /// The day of a year, a month 1..=12 and a day of the month; `None` when there is no such day.
    pub fn from_civil(year: i32, month: i32, day: i32) -> Option<Self> {
        if !(0..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return None;
        }
        // Years begin in March, so that the leap day is a year's last and months need no table.
        let y = if month > 2 { year } else { year - 1 };
        let (era, y) = (y.div_euclid(400), y.rem_euclid(400));
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let found = Self(era * 146_097 + y * 365 + y / 4 - y / 100 + day_of_year - 719_468);
        (found.civil() == (year, month, day)).then_some(found)
    }

    /// Year, month 1..=12, day of the month.
    pub const fn civil(self) -> (i32, i32, i32) {
        let days = self.0 + 719_468;
        let (era, d) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let y = (d - d / 1_460 + d / 36_524 - d / 146_096) / 365;
        let day_of_year = d - (365 * y + y / 4 - y / 100);
        let m = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * m + 2) / 5 + 1;
        let month = if m < 10 { m + 3 } else { m - 9 };
        (era * 400 + y + (month <= 2) as i32, month, day)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (y, m, d) = self.civil();
        write!(f, "{y:04}-{m:02}-{d:02}")
    }
}

/// Text that is no day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a day is written YYYY-MM-DD and must exist, such as 2026-03-01; came {0:?}")]
pub struct DayError(String);

impl FromStr for Day {
    type Err = DayError;

    fn from_str(text: &str) -> Result<Self, DayError> {
        parse_day(text).ok_or_else(|| DayError(text.chars().take(32).collect()))
    }
}

fn parse_day(text: &str) -> Option<Day> {
    let mut parts = text.split('-');
    let (y, m, d) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    Day::from_civil(digits(y, 4)?, digits(m, 2)?, digits(d, 2)?)
}

/// Exactly `count` ASCII digits, because `parse` alone would take a sign.
fn digits(text: &str, count: usize) -> Option<i32> {
    if text.len() != count || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

impl TryFrom<String> for Day {
    type Error = DayError;

    fn try_from(text: String) -> Result<Self, DayError> {
        text.parse()
    }
}

impl From<Day> for String {
    fn from(day: Day) -> String {
        day.to_string()
    }
}

/// A zone of local time: one fixed offset from UTC, whole minutes, at most 18 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone {
    minutes: i16,
}

impl Zone {
    pub const SHANGHAI: Self = Self { minutes: 480 };
    pub const UTC: Self = Self { minutes: 0 };

    /// Milliseconds to add to UTC for local time.
    pub const fn offset_ms(self) -> i64 {
        self.minutes as i64 * 60_000
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self::SHANGHAI
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::SHANGHAI => f.write_str("Asia/Shanghai"),
            Self::UTC => f.write_str("UTC"),
            Self { minutes } => {
                let sign = if minutes < 0 { '-' } else { '+' };
                write!(f, "{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
            }
        }
    }
}

/// Text that is no zone this crate can compute with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a zone is Asia/Shanghai, UTC, or an offset such as +08:00 (no summer time); came {0:?}")]
pub struct ZoneError(String);

impl FromStr for Zone {
    type Err = ZoneError;

    fn from_str(text: &str) -> Result<Self, ZoneError> {
        match text {
            "Asia/Shanghai" => Ok(Self::SHANGHAI),
            "UTC" => Ok(Self::UTC),
            _ => parse_offset(text).ok_or_else(|| ZoneError(text.chars().take(32).collect())),
        }
    }
}

fn parse_offset(text: &str) -> Option<Zone> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+')?),
    };
    let (h, m) = rest.split_once(':')?;
    let (h, m) = (digits(h, 2)?, digits(m, 2)?);
    let minutes = i16::try_from(sign * (h * 60 + m)).ok()?;
    (m < 60 && minutes.abs() <= 18 * 60).then_some(Zone { minutes })
}

impl TryFrom<String> for Zone {
    type Error = ZoneError;

    fn try_from(text: String) -> Result<Self, ZoneError> {
        text.parse()
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> String {
        zone.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    #[test]
    fn known_days_have_their_numbers() {
        for (text, number) in [
            ("1970-01-01", 0),
            ("1969-12-31", -1),
            ("2000-02-29", 11_016),
            ("2000-03-01", 11_017),
            ("1900-03-01", -25_508),
            ("2026-01-01", 20_454),
            ("0000-01-01", Day::MIN.get()),
            ("0000-02-29", -719_469),
            ("9999-12-31", Day::MAX.get()),
        ] {
            assert_eq!(day(text).get(), number, "{text}");
            assert_eq!(day(text).to_string(), text);
        }
    }

    #[test]
    fn days_follow_each_other_through_four_centuries() {
        let (mut y, mut m, mut d) = (1899, 12, 31);
        for number in day("1899-12-31").get()..=day("2301-01-01").get() {
            assert_eq!(Day(number).civil(), (y, m, d));
            let leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
            let length = [
                31,
                if leap { 29 } else { 28 },
                31,
                30,
                31,
                30,
                31,
                31,
                30,
                31,
                30,
                31,
            ];
            d += 1;
            if d > length[usize::try_from(m - 1).unwrap()] {
                (m, d) = (m + 1, 1);
            }
            if m > 12 {
                (y, m) = (y + 1, 1);
            }
        }
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for bad in [
            "",
            "2026-02-29",
            "1900-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-01-00",
            "2026-04-31",
            "2026-1-01",
            "+026-01-01",
            "2026-01-01 ",
            "2026-01-01-",
            "20260101",
            "\u{ff12}026-01-01",
            "-001-01-01",
        ] {
            assert!(bad.parse::<Day>().is_err(), "{bad:?}");
        }
        assert_eq!(
            "2026-02-30".parse::<Day>().unwrap_err().to_string(),
            "a day is written YYYY-MM-DD and must exist, such as 2026-03-01; came \"2026-02-30\""
        );
    }

    #[test]
    fn the_local_day_turns_at_local_midnight() {
        let midnight = Millis::new(1_767_196_800_000).unwrap(); // 2025-12-31T16:00Z
        assert_eq!(Day::of(midnight, Zone::SHANGHAI), day("2026-01-01"));
        assert_eq!(
            Day::of(midnight.saturating_add(-1), Zone::SHANGHAI),
            day("2025-12-31")
        );
        assert_eq!(Day::of(midnight, Zone::UTC), day("2025-12-31"));
        let west = "-01:00".parse().unwrap();
        assert_eq!(Day::of(Millis::MIN, west), day("1969-12-31"));
        assert_eq!(Day::of(Millis::MAX, "+18:00".parse().unwrap()), Day::MAX);
    }

    #[test]
    fn zones_are_written_as_they_are_read() {
        for text in ["Asia/Shanghai", "UTC", "+05:30", "-03:30", "+18:00"] {
            assert_eq!(text.parse::<Zone>().unwrap().to_string(), text);
        }
        assert_eq!("+08:00".parse::<Zone>().unwrap(), Zone::SHANGHAI);
        for bad in [
            "",
            "Europe/Berlin",
            "08:00",
            "+8:00",
            "+18:01",
            "+05:60",
            "+-5:00",
            "+0530",
        ] {
            assert!(bad.parse::<Zone>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn arithmetic_stays_in_range() {
        assert_eq!(Day::MAX.plus(i32::MAX), Day::MAX);
        assert_eq!(Day::MIN.plus(i32::MIN), Day::MIN);
        assert!(Day::new(i64::MAX).is_err() && Day::new(i64::from(Day::MAX.get()) + 1).is_err());
        assert_eq!(Day::MIN.start(Zone::SHANGHAI), Millis::MIN);
    }

    proptest! {
        #[test]
        fn text_json_and_civil_lead_back(number in Day::MIN.get()..=Day::MAX.get()) {
            let day = Day(number);
            prop_assert_eq!(day.to_string().parse::<Day>().unwrap(), day);
            let (y, m, d) = day.civil();
            prop_assert_eq!(Day::from_civil(y, m, d), Some(day));
            let json = serde_json::to_string(&day).unwrap();
            prop_assert_eq!(serde_json::from_str::<Day>(&json).unwrap(), day);
        }

        #[test]
        fn a_day_holds_its_start_and_its_last_instant(
            number in 1..2_900_000_i64,
            minutes in -1080_i16..=1080,
        ) {
            let (day, zone) = (Day::clamped(number), Zone { minutes });
            let start = day.start(zone);
            prop_assert_eq!(Day::of(start, zone), day);
            prop_assert_eq!(Day::of(start.saturating_add(DAY_MS - 1), zone), day);
            prop_assert_eq!(Day::of(start.saturating_add(DAY_MS), zone), day.plus(1));
        }
    }
}
