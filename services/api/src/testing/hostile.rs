//! What no well-meaning client sends, at every operation that the document names.

use std::fmt::Write;

use axum::http::Method;
use serde_json::{Value, json};

use super::{Site, acting, answer, request};
use crate::openapi;

/// Texts that mean something to a database, a shell, a path or a formatter.
const TEXTS: [&str; 26] = [
    "'",
    "\"",
    "' or '1'='1",
    "' or 1=1 --",
    "'; drop table household; --",
    "\"; delete from journal; --",
    "') union select token from household --",
    "1; update account set role='admin'",
    "' and (select count(*) from sqlite_master)>0 --",
    "' || pg_sleep(10) --",
    "'; select load_extension('x'); --",
    "%' or token like '%",
    "_%\\",
    "\\",
    "\0",
    "hh-good-0001\0",
    "../../../etc/passwd",
    "..%2f..%2fhemu.db",
    "$(id)",
    "`id`",
    "{{7*7}}",
    "%s%n%x",
    "=cmd|'/c calc'!A1",
    "\u{202e}\u{0000}\u{feff}",
    "-1",
    "9223372036854775808",
];

struct Operation {
    method: Method,
    path: String,
    /// Names of parameters in the query.
    asks: Vec<String>,
    /// Properties of the body.
    body: Vec<String>,
}

fn operations() -> Vec<Operation> {
    let document: Value = serde_json::from_str(&openapi().to_json().unwrap()).unwrap();
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let none = Vec::new();
            let parameters = operation["parameters"].as_array().unwrap_or(&none);
            let asks = parameters.iter().filter(|parameter| parameter["in"] == "query");
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
            let name = schema.as_str().and_then(|reference| reference.rsplit('/').next());
            let properties = &document["components"]["schemas"][name.unwrap_or_default()]["properties"];
            all.push(Operation {
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                asks: asks
                    .map(|parameter| parameter["name"].as_str().unwrap().to_owned())
                    .collect(),
                body: properties
                    .as_object()
                    .map(|properties| properties.keys().cloned().collect())
                    .unwrap_or_default(),
            });
        }
    }
    all
}

/// Every byte percent-encoded, so that none is lost on the way.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        write!(encoded, "%{byte:02X}").unwrap();
        encoded
    })
}

#[tokio::test]
async fn no_text_in_a_path_or_a_query_is_more_than_text() {
    let site = Site::filled().await;
    let before = site.truth().await;
    let mut asked = 0;
    for operation in operations()
        .iter()
        .filter(|operation| operation.method == Method::GET)
    {
        // Nothing else of it ends.
        if operation.path == "/api/v1/live" {
            continue;
        }
        for text in TEXTS.map(encoded) {
            let path = operation.path.replace("{id}", &text);
            let in_queries = operation.asks.iter().map(|name| {
                let path = operation.path.replace("{id}", "hh-good-0001");
                format!("{path}?{name}={text}")
            });
            for uri in in_queries.chain([path]) {
                let response = site.send(request(&uri)).await;
                assert!(response.status().as_u16() < 500, "{uri}: {}", response.status());
                asked += 1;
            }
        }
    }
    assert!(asked > 2_000, "{asked}");
    assert_eq!(site.truth().await, before);
}

#[tokio::test]
async fn no_text_in_a_body_is_more_than_text_and_no_field_that_is_not_asked_for_is_taken() {
    let site = Site::filled().await;
    let before = site.truth().await;
    let acts = operations();
    for operation in acts.iter().filter(|operation| !operation.body.is_empty()) {
        let path = operation.path.replace("{id}", "1");
        let mut bodies = vec![
            json!({"role": "admin", "score": 100}),
            json!([]),
            json!(null),
            json!({"__proto__": {"role": "admin"}}),
        ];
        for name in &operation.body {
            bodies.extend(TEXTS.iter().map(|text| json!({name: text})));
            bodies.push(json!({name: vec!["x"; 100]}));
        }
        for body in bodies {
            let (status, said) = answer(site.send(acting("p1", &path, &body)).await).await;
            assert!((400..500).contains(&status), "{path} {body}: {status} {said}");
        }
    }
    assert_eq!(site.truth().await, before);
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused_before_it_is_read() {
    let site = Site::filled().await;
    let long = json!({"words": "x".repeat(70_000)});
    let (status, _) = answer(site.send(acting("p1", "/api/v1/objections", &long)).await).await;
    assert_eq!(status, 413);
}
