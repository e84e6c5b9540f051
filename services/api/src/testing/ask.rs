//! Asking the site as a client does, and reading its live events.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, Method, Request, Response, header};
use futures::{FutureExt, StreamExt};
use serde_json::Value;
use tower::ServiceExt;

use super::Site;
use super::people::cookie;
use crate::{metrics_router, router};

impl Site {
    pub(crate) async fn send(&self, request: Request<Body>) -> Response<Body> {
        router(self.api()).oneshot(request).await.unwrap()
    }

    /// Asks for an act as an account; the status and what came.
    pub(crate) async fn post(&self, account: &str, path: &str, asked: Value) -> (u16, Value) {
        answer(self.send(acting(account, path, &asked)).await).await
    }

    /// The same, which must be done.
    pub(crate) async fn does(&self, account: &str, path: &str, asked: Value) -> Value {
        let (status, json) = self.post(account, path, asked).await;
        assert!((200..300).contains(&status), "{path}: {json}");
        json
    }

    /// The same, which must be refused by a rule, without a trace but that of an attempt that came too late.
    pub(crate) async fn forbids(
        &self,
        account: &str,
        path: &str,
        asked: Value,
        status: u16,
        rule: &str,
    ) -> Value {
        let before = self.truth().await;
        let response = self.send(acting(account, path, &asked)).await;
        assert_eq!(
            response.headers()[header::CONTENT_TYPE],
            "application/problem+json",
            "{path}"
        );
        let (came, problem) = answer(response).await;
        assert_eq!(
            (came, &problem["rule"]),
            (status, &rule.into()),
            "{path}: {problem}"
        );
        assert_eq!(problem["status"], status);
        let (mut before, mut after) = (before, self.truth().await);
        if rule == "already_decided" {
            before.retain(|row| !notes_an_attempt(row));
            after.retain(|row| !notes_an_attempt(row));
        }
        assert_eq!(after, before, "{path}");
        problem
    }

    /// What a person sees who acts.
    pub(crate) async fn seen(&self, account: &str, path: &str) -> Value {
        let (status, json) = answer(self.send(looking(account, path)).await).await;
        assert_eq!(status, 200, "{path}: {json}");
        json
    }

    async fn ask(&self, path: &str) -> Response<Body> {
        self.send(request(path)).await
    }

    pub(crate) async fn text(&self, path: &str) -> (u16, String) {
        let response = self.ask(path).await;
        (response.status().as_u16(), body(response).await)
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        let (status, text) = self.text(path).await;
        (
            status,
            serde_json::from_str(&text).unwrap_or_else(|_| panic!("{path}: {text}")),
        )
    }

    pub(crate) async fn json(&self, path: &str) -> Value {
        let (status, json) = self.get(path).await;
        assert_eq!(status, 200, "{path}: {json}");
        json
    }

    /// Follows `next` to the end; one field of every item.
    pub(crate) async fn walk(&self, path: &str, field: &str) -> Vec<String> {
        let mut found = Vec::new();
        let mut next = path.to_owned();
        loop {
            let page = self.json(&next).await;
            let items = page["items"].as_array().unwrap();
            found.extend(items.iter().map(|item| item[field].as_str().unwrap().to_owned()));
            let Some(after) = page["next"].as_str() else {
                return found;
            };
            assert!(!items.is_empty() && found.len() < 1_000, "{path} does not end");
            next = format!(
                "{path}{}after={after}",
                if path.contains('?') { '&' } else { '?' }
            );
        }
    }

    /// The path answers with a problem of this status, whose detail says this.
    pub(crate) async fn refuses(&self, path: &str, status: u16, says: &str) {
        let response = self.ask(path).await;
        assert_eq!(response.status(), status, "{path}");
        assert_eq!(
            response.headers()[header::CONTENT_TYPE],
            "application/problem+json",
            "{path}"
        );
        let problem: Value = serde_json::from_str(&body(response).await).unwrap();
        assert_eq!(problem["status"], status);
        assert!(
            problem["detail"].as_str().unwrap().contains(says),
            "{path}: {problem}"
        );
    }

    pub(crate) async fn metrics(&self) -> String {
        let router = metrics_router(self.registry.clone());
        body(router.oneshot(request("/metrics")).await.unwrap()).await
    }

    /// Opens the live stream.
    pub(crate) async fn listen(&self, last: Option<&str>) -> Reader {
        self.listen_as(resuming(last)).await
    }

    /// Opens it by a request of one's own.
    pub(crate) async fn listen_as(&self, request: Request<Body>) -> Reader {
        let response = self.send(request).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
        let mut reader = Reader {
            body: response.into_body().into_data_stream(),
            text: String::new(),
        };
        let hello = reader.frame().await.unwrap();
        assert!(
            hello.contains(": hello") && hello.contains("retry: 2000"),
            "{hello}"
        );
        reader
    }

    pub(crate) async fn live_problem(&self, last: &str) -> (u16, Value) {
        let response = self.send(resuming(Some(last))).await;
        (
            response.status().as_u16(),
            serde_json::from_str(&body(response).await).unwrap(),
        )
    }
}

/// A request from this machine by somebody who may read everything.
pub(crate) fn request(path: &str) -> Request<Body> {
    looking("a1", path)
}

/// A request from this machine by an account that looks.
pub(crate) fn looking(account: &str, path: &str) -> Request<Body> {
    let mut request = anonymous(path);
    request.headers_mut().insert(header::COOKIE, cookie(account));
    request
}

/// A request from this machine by nobody.
pub(crate) fn anonymous(path: &str) -> Request<Body> {
    let mut request = Request::get(path)
        .header(header::HOST, "localhost:8080")
        .body(Body::empty())
        .unwrap();
    request
        .extensions_mut()
        .insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 40_000))));
    request
}

/// A request from this machine that an account acts by.
pub(crate) fn acting(account: &str, path: &str, asked: &Value) -> Request<Body> {
    let mut request = looking(account, path);
    *request.method_mut() = Method::POST;
    let headers = request.headers_mut();
    headers.insert("sec-fetch-site", HeaderValue::from_static("same-origin"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    *request.body_mut() = asked.to_string().into();
    request
}

/// A request from this machine by which an account ends something.
pub(crate) fn ending(account: &str, path: &str) -> Request<Body> {
    let mut request = looking(account, path);
    *request.method_mut() = Method::DELETE;
    let ours = HeaderValue::from_static("same-origin");
    request.headers_mut().insert("sec-fetch-site", ours);
    request
}

pub(crate) async fn answer(response: Response<Body>) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = body(response).await;
    (
        status,
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}")),
    )
}

fn resuming(last: Option<&str>) -> Request<Body> {
    let mut request = request("/api/v1/live");
    if let Some(last) = last {
        request
            .headers_mut()
            .insert("last-event-id", last.parse().unwrap());
    }
    request
}

pub(crate) async fn body(response: Response<Body>) -> String {
    let bytes = axum::body::to_bytes(response.into_body(), 8 << 20).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A reader of live events.
pub(crate) struct Reader {
    body: axum::body::BodyDataStream,
    text: String,
}

/// An event as it came over the line.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) id: Option<String>,
    pub(crate) data: Value,
}

impl Reader {
    /// Text up to the next empty line; `None` at the end.
    async fn frame(&mut self) -> Option<String> {
        loop {
            if let Some((frame, rest)) = self.text.split_once("\n\n") {
                let (frame, rest) = (frame.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(frame);
            }
            let bytes = self.body.next().await?.unwrap();
            self.text.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }

    pub(crate) async fn next(&mut self) -> Event {
        let frame = self.frame().await.expect("one more event");
        let field = |name: &str| {
            frame
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .map(|v| v.trim().to_owned())
        };
        Event {
            name: field("event:").unwrap(),
            id: field("id:"),
            data: serde_json::from_str(&field("data:").unwrap()).unwrap(),
        }
    }

    /// Nothing is waiting.
    pub(crate) fn idle(&mut self) -> bool {
        match self.frame().now_or_never() {
            None => true,
            Some(None) => panic!("the stream ended"),
            Some(Some(frame)) => {
                self.text.insert_str(0, &format!("{frame}\n\n"));
                false
            }
        }
    }

    /// The names and data of all that comes until the end.
    pub(crate) async fn rest(&mut self) -> Vec<(String, Value)> {
        let mut events = Vec::new();
        while let Some(frame) = self.frame().await {
            self.text.insert_str(0, &format!("{frame}\n\n"));
            let event = self.next().await;
            events.push((event.name, event.data));
        }
        events
    }

    pub(crate) async fn ended(&mut self) -> bool {
        self.frame().await.is_none()
    }
}

/// The act that says who came too late, and how long the journal is with it.
fn notes_an_attempt(row: &str) -> bool {
    let late = row.contains(" 'late' ") || row.contains(",late,");
    row.starts_with("head ") || (row.starts_with("act ") && late)
}
