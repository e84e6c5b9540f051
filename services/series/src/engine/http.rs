//! The little HTTP that the engines need: one request at a time, over in a bounded time, and no more of the answer than
//! has a use. It follows no redirect: the token goes where it was meant to go.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use url::form_urlencoded::Serializer;

use super::{Trouble, UrlError};

const CONNECT_WITHIN: Duration = Duration::from_secs(5);
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// Ten thousand points are a tenth of it.
const ANSWER_MOST: usize = 16 << 20;
/// An engine's own words, as far as they are told on.
const WORDS_MOST: usize = 300;
/// As long as any engine is waited for because it asked.
const WAIT_MOST: Duration = Duration::from_mins(10);

/// A server, and how it knows us.
#[derive(Debug)]
pub(super) struct Server {
    client: Client<HttpConnector, Full<Bytes>>,
    base: String,
    authorization: Option<HeaderValue>,
}

/// The type of a body.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Lines,
    Form,
    Json,
}

impl Kind {
    const fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Lines => "text/plain; charset=utf-8",
            Self::Form => "application/x-www-form-urlencoded",
            Self::Json => "application/json",
        })
    }
}

/// An answer, of a server that did what it was asked to.
#[derive(Debug)]
pub(super) enum Answer {
    Body(Bytes),
    /// There is more of it than anybody wants.
    TooLong,
}

impl Server {
    /// `authorization` is the header's value, such as `Bearer ...`.
    pub(super) fn new(base: String, authorization: Option<String>) -> Result<Self, UrlError> {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_WITHIN));
        let authorization = authorization.map(|text| {
            let mut header = HeaderValue::try_from(text).map_err(|_| UrlError::Token)?;
            header.set_sensitive(true);
            Ok(header)
        });
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            base,
            authorization: authorization.transpose()?,
        })
    }

    /// Its address, without a slash at the end.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    pub(super) async fn get(&self, path: &str) -> Result<Answer, Trouble> {
        let request = Request::builder().method(Method::GET).uri(self.uri(path, &[]));
        self.ask(request, Bytes::new()).await
    }

    pub(super) async fn post(
        &self,
        path: &str,
        parameters: &[(&str, &str)],
        kind: Kind,
        body: impl Into<Bytes>,
    ) -> Result<Answer, Trouble> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(self.uri(path, parameters))
            .header(CONTENT_TYPE, kind.header());
        self.ask(request, body.into()).await
    }

    /// A form.
    pub(super) async fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> Result<Answer, Trouble> {
        let form = Serializer::new(String::new()).extend_pairs(fields).finish();
        self.post(path, &[], Kind::Form, form).await
    }

    fn uri(&self, path: &str, parameters: &[(&str, &str)]) -> String {
        let query = Serializer::new(String::new()).extend_pairs(parameters).finish();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{}{path}{mark}{query}", self.base)
    }

    async fn ask(&self, mut request: hyper::http::request::Builder, body: Bytes) -> Result<Answer, Trouble> {
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let request = request
            .body(Full::new(body))
            .map_err(|error| self.unreachable(&error))?;
        let asked = tokio::time::timeout(ANSWER_WITHIN, self.answer(request)).await;
        asked.map_err(|_| Trouble::Slow {
            seconds: ANSWER_WITHIN.as_secs(),
        })?
    }

    async fn answer(&self, request: Request<Full<Bytes>>) -> Result<Answer, Trouble> {
        let response = self.client.request(request).await;
        let response = response.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        let wait = response.headers().get(RETRY_AFTER).and_then(wait);
        let body = match Limited::new(response.into_body(), ANSWER_MOST).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => return Ok(Answer::TooLong),
            Err(error) => return Err(self.unreachable(&*error)),
        };
        if status.is_success() {
            return Ok(Answer::Body(body));
        }
        Err(trouble(status.as_u16(), words(&body), wait))
    }

    fn unreachable(&self, error: &(dyn std::error::Error + 'static)) -> Trouble {
        Trouble::Unreachable {
            address: self.base.clone(),
            why: cause(error),
        }
    }
}

/// The innermost error says most: "Connection refused" rather than "client error".
pub(super) fn cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// What a refusal means.
pub(super) fn trouble(status: u16, text: String, wait: Option<Duration>) -> Trouble {
    match status {
        401 | 403 => Trouble::Token { status },
        404 => Trouble::Unknown { text },
        408 | 429 | 500.. => Trouble::Busy { status, text, wait },
        _ => Trouble::Refused { status, text },
    }
}

/// `Retry-After` in seconds; as a date nobody sends it.
fn wait(header: &HeaderValue) -> Option<Duration> {
    let seconds = header.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(WAIT_MOST))
}

/// What an engine said, on one line.
pub(super) fn words(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let clean = text
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter });
    clean.take(WORDS_MOST).collect::<String>().trim().to_owned()
}
