//! What went wrong, as a caller reads it: `application/problem+json` (RFC 9457).
//!
//! Must not carry what only the operator should see: causes are logged here, once, and not sent.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// Seconds after which trying again makes sense when the store is busy or all places are taken.
const RETRY_AFTER_S: u16 = 5;

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
    #[serde(skip)]
    retry_after_s: Option<u16>,
}

impl Problem {
    fn new(status: StatusCode, title: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank",
            title,
            status: status.as_u16(),
            detail: detail.into(),
            retry_after_s: None,
        }
    }

    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad request", detail)
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
            "this resource is only read: use GET",
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

impl From<hemu_ledger::Error> for Problem {
    fn from(error: hemu_ledger::Error) -> Self {
        tracing::error!(%error, "the ledger failed a request");
        match error {
            hemu_ledger::Error::Database { .. }
            | hemu_ledger::Error::Folder { .. }
            | hemu_ledger::Error::InUse(_)
            | hemu_ledger::Error::FilesInUse(_)
            | hemu_ledger::Error::Replaced(_) => Self::store(),
            hemu_ledger::Error::Newer { .. }
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
            hemu_series::Error::Store(_) => {
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
        let retry_after = self.retry_after_s;
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
