//! What a request asks, parsed once at the edge. Whatever does not parse becomes a problem that teaches the form.

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use hemu_rules::Day;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::page::Place;
use crate::problem::Problem;

/// Most days a request may span.
pub(crate) const DAYS_MOST: i32 = 400;
/// Most of what came that is shown back.
const ECHOED: usize = 64;

/// Query parameters. A name the resource does not know is refused: a misspelt filter must not answer everything.
#[derive(Debug)]
pub(crate) struct Params<T>(pub(crate) T);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Query::try_from_uri(&parts.uri)
            .map(|Query(params)| Self(params))
            .map_err(|refused| {
                let text = refused.body_text();
                Problem::bad_request(
                    text.strip_prefix("Failed to deserialize query string: ")
                        .unwrap_or(&text),
                )
            })
    }
}

/// The id in a path.
#[derive(Debug)]
pub(crate) struct Id(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let id = Path::<String>::from_request_parts(parts, state).await;
        id.map(|Path(id)| Self(id)).map_err(|_| {
            Problem::bad_request(
                "expected an id in percent-encoded UTF-8 as the path's last part, came other bytes",
            )
        })
    }
}

/// Size of a page, 1..=1000.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Limit(u16);

impl Limit {
    pub(crate) const MOST: u16 = 1_000;

    pub(crate) fn get(self) -> usize {
        self.0.into()
    }

    /// One more than a page, to see whether there is more.
    pub(crate) fn probe(self) -> u32 {
        u32::from(self.0) + 1
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(100)
    }
}

impl TryFrom<String> for Limit {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let limit = text
            .parse()
            .ok()
            .filter(|limit| (1..=Self::MOST).contains(limit))
            .map(Self);
        limit.ok_or_else(|| {
            format!(
                "expected a whole number from 1 to {}, came {:?}; ask for the rest with `after`",
                Self::MOST,
                echo(&text)
            )
        })
    }
}

/// An instant, ms since 1970 UTC.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Ms(pub(crate) i64);

impl TryFrom<String> for Ms {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let ms = text.parse().ok().and_then(|ms| hemu_rules::Millis::new(ms).ok());
        let ms = ms.map(|ms| Self(ms.get()));
        ms.ok_or_else(|| {
            format!(
                "expected milliseconds since 1970 UTC, such as 1767196800000, came {:?}",
                echo(&text)
            )
        })
    }
}

/// Where a list of journal records goes on.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct After(pub(crate) Place);

impl TryFrom<String> for After {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        echo(&text).parse().map(Self)
    }
}

/// The days `from..=to` of a request; what is not given reaches `days` back from `last`.
pub(crate) fn span(from: Option<Day>, to: Option<Day>, last: Day, days: i32) -> Result<(Day, Day), Problem> {
    let to = to.unwrap_or(last);
    let from = from.unwrap_or_else(|| to.plus(1 - days));
    if from > to {
        return Err(Problem::bad_request(format!(
            "expected from <= to, came from={from} and to={to}"
        )));
    }
    if to.since(from) >= DAYS_MOST {
        return Err(Problem::bad_request(format!(
            "expected at most {DAYS_MOST} days, came {}; ask for a shorter time, then for the one before it",
            to.since(from) + 1
        )));
    }
    Ok((from, to))
}

fn echo(text: &str) -> String {
    text.chars().take(ECHOED).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    #[test]
    fn limits_and_instants_are_whole_numbers_in_range() {
        for good in ["1", "1000"] {
            assert!(Limit::try_from(good.to_owned()).is_ok(), "{good}");
        }
        for bad in ["0", "1001", "-1", "ten", "", "1.5"] {
            assert!(Limit::try_from(bad.to_owned()).is_err(), "{bad}");
        }
        for bad in ["-1", "now", "999999999999999999", "1e3"] {
            assert!(Ms::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_span_has_an_order_and_an_end() {
        let last = day("2026-05-20");
        assert_eq!(span(None, None, last, 90).unwrap(), (day("2026-02-20"), last));
        assert_eq!(span(Some(last), None, last, 90).unwrap(), (last, last));
        assert!(span(Some(day("2026-05-21")), None, last, 90).is_err());
        assert!(span(Some(last.plus(-399)), Some(last), last, 90).is_ok());
        assert!(span(Some(last.plus(-400)), Some(last), last, 90).is_err());
    }
}
