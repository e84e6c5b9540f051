//! What a request asks, parsed once at the edge. Whatever does not parse becomes a problem that teaches the form.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, MatchedPath, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use hemu_ledger::acts::{Actor, Why};
use hemu_ledger::{Seen, Sight};
use hemu_people::Scope;
use hemu_rules::Day;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::api::Api;
use crate::page::{Place, number};
use crate::problem::Problem;
use crate::viewer::Viewer;

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
#[derive(Debug, Deserialize)]
pub(crate) struct Id(pub(crate) String);

#[derive(Deserialize)]
struct WithId {
    id: Id,
}

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<WithId>::from_request_parts(parts, state).await;
        path.map(|Path(WithId { id })| id).map_err(|_| of_path("an id"))
    }
}

/// The account in a path, behind an id.
#[derive(Debug, Deserialize)]
pub(crate) struct Named(pub(crate) String);

#[derive(Deserialize)]
struct WithName {
    account: Named,
}

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<WithName>::from_request_parts(parts, state).await;
        path.map(|Path(WithName { account })| account)
            .map_err(|_| of_path("an account's name"))
    }
}

fn of_path(expected: &str) -> Problem {
    Problem::bad_request(format!(
        "expected {expected} in percent-encoded UTF-8 in the path, came other bytes"
    ))
}

/// The ledger as the one who asks may see it.
#[derive(Debug)]
pub(crate) struct Sees(pub(crate) Sight);

impl FromRequestParts<Arc<Api>> for Sees {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Infallible> {
        let scope = parts.extensions.get::<Scope>().cloned();
        Ok(Self(api.ledger.seen_by(scope.unwrap_or(Scope::nobody()))))
    }
}

/// The household in a path, which one outside the scope is not told from one that nobody registered.
#[derive(Debug)]
pub(crate) struct Found(pub(crate) Seen);

impl FromRequestParts<Arc<Api>> for Found {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let Id(token) = Id::from_request_parts(parts, api).await?;
        let Ok(Sees(sight)) = Sees::from_request_parts(parts, api).await;
        let seen = found(&sight, &token).await?;
        note_look(parts, api, &token).await?;
        Ok(Self(seen))
    }
}

/// Notes that staff looked at a household's page; a household reading of itself is not noted. What it does is in the trail.
async fn note_look(parts: &Parts, api: &Api, token: &str) -> Result<(), Problem> {
    let viewer = parts.extensions.get::<Viewer>();
    let staff = viewer.filter(|viewer| viewer.role.is_staff());
    // What a HEAD answers, its length too, is what the page would say.
    let looks = [Method::GET, Method::HEAD].contains(&parts.method);
    let Some(person) = staff.filter(|_| looks) else {
        return Ok(());
    };
    let page = parts.extensions.get::<MatchedPath>().map(MatchedPath::as_str);
    let page = page.and_then(|path| path.rsplit('/').next()).unwrap_or("{id}");
    let page = if page == "{id}" { "household" } else { page };
    Ok(api
        .ledger
        .note_look(token, person.actor.name(), page, api.clock.now())
        .await?)
}

/// What a token that is nobody's is answered with.
pub(crate) fn missing() -> Problem {
    let detail = "there is no such household; /api/v1/households finds those registered";
    Problem::broken(Why::UnknownHousehold, detail)
}

/// A household that a request names.
pub(crate) async fn found(sight: &Sight, token: &str) -> Result<Seen, Problem> {
    sight.household(token).await?.ok_or_else(missing)
}

/// The number in a path that an edition or an objection is known by.
#[derive(Debug)]
pub(crate) struct Number(pub(crate) u64);

impl<S: Send + Sync> FromRequestParts<S> for Number {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Id(text) = Id::from_request_parts(parts, state).await?;
        number(&text).map(Self).ok_or_else(|| {
            let came = echo(&text);
            Problem::not_found(format!(
                "expected a number as the list gives it as `id`, such as 4711, came {came:?}"
            ))
        })
    }
}

/// The place in a path that a reading is known by.
#[derive(Debug)]
pub(crate) struct ReadingAt(pub(crate) Place);

impl<S: Send + Sync> FromRequestParts<S> for ReadingAt {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Id(text) = Id::from_request_parts(parts, state).await?;
        text.parse().map(Self).map_err(|_: String| {
            let came = echo(&text);
            let detail =
                format!("expected a reading's `place` as its household's deposits give it, such as 4711.0, came {came:?}");
            Problem::broken(Why::NoSuchReading, detail)
        })
    }
}

/// Who is logged in. Only behind a route that wants somebody to be (`access`).
#[derive(Debug)]
pub(crate) struct Viewing(pub(crate) Viewer);

impl<S: Sync> FromRequestParts<S> for Viewing {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let viewer = parts.extensions.get::<Viewer>().cloned();
        // A route of the table's public ones asked for somebody: a bug, and no way in.
        viewer.map(Self).ok_or_else(Problem::internal)
    }
}

/// The account that acts: a person's, or a program's with its token.
#[derive(Debug)]
pub(crate) struct Acting(pub(crate) Actor);

impl<S: Sync> FromRequestParts<S> for Acting {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Viewing(viewer) = Viewing::from_request_parts(parts, state).await?;
        Ok(Self(viewer.actor))
    }
}

/// The account that looks; nobody in particular at what is public.
#[derive(Debug)]
pub(crate) struct Looking(pub(crate) Option<Actor>);

impl<S: Sync> FromRequestParts<S> for Looking {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(Self(
            parts
                .extensions
                .get::<Viewer>()
                .map(|viewer| viewer.actor.clone()),
        ))
    }
}

/// A request's body as JSON. A name the act does not know is refused: a misspelt one must not be passed over.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let body = Json::<T>::from_request(request, state).await;
        body.map(|Json(body)| Self(body))
            .map_err(|refused| match refused {
                JsonRejection::MissingJsonContentType(_) => {
                    Problem::unsupported("expected a body with the header Content-Type: application/json")
                }
                JsonRejection::JsonDataError(error) => {
                    Problem::broken(Why::Malformed, of_json(&error.body_text()))
                }
                other if other.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                    Problem::too_long("the body: expected at most 64 KiB, came more")
                }
                other => Problem::bad_request(of_json(&other.body_text())),
            })
    }
}

fn of_json(text: &str) -> String {
    let told = text.split_once(": ").map_or(text, |(_, told)| told);
    format!("the body: {told}")
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

/// Where a list of what has a number goes on.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct NumberAfter(pub(crate) u64);

impl NumberAfter {
    /// The rank after which a list goes on; a number beyond all ranks is its end.
    pub(crate) fn rank(after: Option<Self>) -> u32 {
        after.map_or(0, |Self(rank)| u32::try_from(rank).unwrap_or(u32::MAX))
    }
}

impl TryFrom<String> for NumberAfter {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let expected = || "expected the `next` of the part before, came something else".to_owned();
        number(&text).map(Self).ok_or_else(expected)
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
