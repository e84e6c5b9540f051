//! What went wrong, as a caller reads it: `application/problem+json` (RFC 9457).
//!
//! Must not carry what only the operator should see: causes are logged here, once, and not sent.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hemu_ledger::acts::{self, Refused, Why};
use serde::Serialize;
use utoipa::ToSchema;

/// Seconds after which trying again makes sense when the store is busy or all places are taken.
const RETRY_AFTER_S: u16 = 5;

/// The same where a day's limit is reached: it may be over within the hour.
const A_WHILE_S: u16 = 3_600;

/// An error answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    #[serde(rename = "type")]
    #[schema(example = "about:blank")]
    kind: &'static str,
    #[schema(example = "bad request")]
    title: &'static str,
    #[schema(example = 400)]
    status: u16,
    /// What was expected, what came, and what to do.
    detail: String,
    /// The rule of the due process that was broken, a stable word; only where an act was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "already_decided")]
    rule: Option<&'static str>,
    /// Who was faster; only where somebody was.
    #[serde(skip_serializing_if = "Option::is_none")]
    winner: Option<Box<Winner>>,
    #[serde(skip)]
    retry_after_s: Option<u16>,
}

/// The act that was faster than the one refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
struct Winner {
    /// The account that did it.
    actor: String,
    /// ms since 1970 UTC.
    at: i64,
    /// What it did, a stable word.
    #[schema(example = "decide_objection")]
    what: String,
    /// Where it stands in the journal.
    position: u64,
}

impl From<acts::Winner> for Winner {
    fn from(winner: acts::Winner) -> Self {
        let acts::Winner {
            actor,
            at,
            what,
            position,
        } = winner;
        Self {
            actor,
            at,
            what,
            position,
        }
    }
}

impl Problem {
    fn new(status: StatusCode, title: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank",
            title,
            status: status.as_u16(),
            detail: detail.into(),
            rule: None,
            winner: None,
            retry_after_s: None,
        }
    }

    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad request", detail)
    }

    /// The body is not what is needed.
    pub(crate) fn malformed(detail: impl Into<String>) -> Self {
        Self::broken(Why::Malformed, detail)
    }

    /// Too often; with Retry-After.
    pub(crate) fn too_many(wait_ms: i64) -> Self {
        let seconds = (wait_ms.max(0) + 999) / 1_000;
        let detail = format!("too many attempts failed; try again in {seconds} s");
        Self {
            retry_after_s: Some(u16::try_from(seconds).unwrap_or(u16::MAX)),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "too many requests", detail)
        }
    }

    /// Nobody is named who asks; with WWW-Authenticate.
    pub(crate) fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
    }

    pub(crate) fn unsupported(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported media type",
            detail,
        )
    }

    pub(crate) fn too_long(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too long", detail)
    }

    /// Refused by a rule of the due process.
    pub(crate) fn broken(why: Why, detail: impl Into<String>) -> Self {
        let (status, title) = answer_to(why);
        Self {
            rule: Some(why.as_str()),
            retry_after_s: matches!(why, Why::TooOften).then_some(A_WHILE_S),
            ..Self::new(status, title, detail)
        }
    }

    /// Too many requests; with Retry-After.
    pub(crate) fn too_fast(detail: impl Into<String>) -> Self {
        Self {
            retry_after_s: Some(1),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "too many requests", detail)
        }
    }

    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// There is no such object, or it is none of the caller's business: the same answer.
    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not found", detail)
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method not allowed",
            "expected one of the methods that the header Allow names, came another",
        )
    }

    /// A place in the journal that the journal does not have.
    pub(crate) fn gone(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::GONE, "gone", detail)
    }

    /// Our failure, and nothing the caller can mend.
    pub(crate) fn internal() -> Self {
        let detail = "the server failed at this request; its log says why";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error", detail)
    }

    /// Not now; with Retry-After.
    pub(crate) fn unavailable(detail: impl Into<String>) -> Self {
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail);
        Self {
            retry_after_s: Some(RETRY_AFTER_S),
            ..problem
        }
    }

    fn store() -> Self {
        Self::unavailable("the database does not answer; try again in a few seconds")
    }
}

/// The status of a refusal: whether the caller can mend the request, should look who was faster, or must wait.
const fn answer_to(why: Why) -> (StatusCode, &'static str) {
    match why {
        Why::UnknownHousehold
        | Why::UnknownEdition
        | Why::UnknownObjection
        | Why::UnknownRule
        | Why::NoSuchReading
        | Why::UnknownAccount
        | Why::UnknownToken
        | Why::UnknownPool
        | Why::UnknownEntry => (StatusCode::NOT_FOUND, "not found"),
        Why::NotAPerson | Why::NotYourDuty => (StatusCode::FORBIDDEN, "forbidden"),
        Why::TooOften => (StatusCode::TOO_MANY_REQUESTS, "too many requests"),
        Why::Malformed => (StatusCode::UNPROCESSABLE_ENTITY, "malformed"),
        Why::AlreadyDecided
        | Why::NameTaken
        | Why::NotYet
        | Why::NotFolded
        | Why::CameLater
        | Why::NameOutdated
        | Why::NameAlike
        | Why::InTheFuture
        | Why::WindowClosed
        | Why::SamePerson
        | Why::NotEnough
        | Why::KeyTaken
        | Why::Stopped
        | Why::WrongState => (StatusCode::CONFLICT, "conflict"),
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        Self {
            winner: refused.winner.map(|winner| Box::new(winner.into())),
            ..Self::broken(refused.why, refused.sentence)
        }
    }
}

impl From<hemu_ledger::Error> for Problem {
    fn from(error: hemu_ledger::Error) -> Self {
        // The caller's to mend, and nothing for a log.
        if let Some(refused) = error.refused() {
            return refused.clone().into();
        }
        tracing::error!(%error, "the ledger failed a request");
        match error {
            hemu_ledger::Error::Database { .. }
            | hemu_ledger::Error::Folder { .. }
            | hemu_ledger::Error::InUse(_)
            | hemu_ledger::Error::FilesInUse(_)
            | hemu_ledger::Error::Replaced(_) => Self::store(),
            hemu_ledger::Error::KeyFile { .. }
            | hemu_ledger::Error::Newer { .. }
            | hemu_ledger::Error::OtherVersion(_)
            | hemu_ledger::Error::Damaged { .. }
            | hemu_ledger::Error::Score(_)
            | hemu_ledger::Error::Refused(_)
            | hemu_ledger::Error::Rejected(_) => Self::internal(),
        }
    }
}

impl From<hemu_series::Error> for Problem {
    fn from(error: hemu_series::Error) -> Self {
        match error {
            hemu_series::Error::TooMany { .. } => Self::bad_request(error.to_string()),
            hemu_series::Error::Engine { engine, .. } => {
                tracing::warn!(%error, "a chart could not be read");
                Self::unavailable(format!(
                    "the charts' engine, {engine}, cannot be read just now; everything else goes on, and the charts are \
                     whole when it is back: try again in a few seconds"
                ))
            }
            hemu_series::Error::Store(_)
            | hemu_series::Error::Damaged { .. }
            | hemu_series::Error::Newer { .. } => {
                tracing::error!(%error, "the series failed a request");
                Self::store()
            }
        }
    }
}

impl From<hemu_rules::BetaError> for Problem {
    fn from(error: hemu_rules::BetaError) -> Self {
        tracing::error!(%error, "a score could not be computed");
        Self::internal()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let (retry_after, nobody) = (self.retry_after_s, status == StatusCode::UNAUTHORIZED);
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if nobody {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
