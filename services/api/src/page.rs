//! Lists in pages. A cursor names the last object seen, never a count: what is added meanwhile moves nothing.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A part of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    /// What to pass as `after` for the next part; null at the end.
    pub(crate) next: Option<String>,
}

impl<T> Page<T> {
    /// The first `limit` of `rows`, which hold one more when there are more.
    pub(crate) fn cut<R>(
        mut rows: Vec<R>,
        limit: usize,
        cursor: impl Fn(&R) -> String,
        item: impl FnMut(R) -> T,
    ) -> Self {
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(cursor);
        Self {
            items: rows.into_iter().map(item).collect(),
            next,
        }
    }
}

/// A record's place in the journal, written `position.index`, also in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Place {
    pub(crate) position: u64,
    pub(crate) index: u32,
}

impl Place {
    pub(crate) fn of((position, index): (u64, u32)) -> Self {
        Self { position, index }
    }

    pub(crate) fn pair(self) -> (u64, u32) {
        (self.position, self.index)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.position, self.index)
    }
}

impl From<Place> for String {
    fn from(place: Place) -> Self {
        place.to_string()
    }
}

impl TryFrom<String> for Place {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let expected = |_| "expected a record's place as this server gives it, such as \"4711.0\"".to_owned();
        text.parse().map_err(expected)
    }
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text
            .split_once('.')
            .and_then(|(a, b)| Some((number(a)?, number(b)?)));
        let place = parts.and_then(|(position, index)| {
            Some(Self {
                position,
                index: index.try_into().ok()?,
            })
        });
        place.ok_or_else(|| format!("expected a cursor this server gave out, such as 4711.0, came {text:?}"))
    }
}

/// Digits alone, because `parse` would take a sign; and no more than the journal's signed positions hold.
pub(crate) fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse::<u64>()
        .ok()
        .filter(|&number| digits && i64::try_from(number).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_lead_back_and_others_are_refused() {
        let place = Place {
            position: 4711,
            index: 12,
        };
        assert_eq!(place.to_string().parse(), Ok(place));
        for bad in [
            "",
            ".",
            "1",
            "1.",
            ".1",
            "-1.0",
            "+1.0",
            "1.0.0",
            "9223372036854775808.0",
            "1.4294967296",
            "a.b",
        ] {
            assert!(bad.parse::<Place>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_page_names_its_end_only_when_there_is_more() {
        let page = |rows: Vec<u32>| Page::cut(rows, 2, u32::to_string, |row| row);
        assert_eq!(page(vec![1, 2, 3]).next.as_deref(), Some("2"));
        assert_eq!(page(vec![1, 2, 3]).items, [1, 2]);
        assert_eq!(page(vec![1, 2]).next, None);
        assert_eq!(page(vec![]).next, None);
    }
}
