//! Every documented operation by everybody there is: who is let in, who is told to log in, who is told that they may not,
//! and that nobody reads of a household that is not theirs.

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderValue, Method, header};
use axum::routing::get;
use serde_json::Value;
use std::net::SocketAddr;
use tower::ServiceExt;

use super::*;
use crate::openapi;
use crate::testing::{NOON, Site, anonymous, body, cookie};

const HOUR: i64 = 3_600_000;
/// The resident's household, and another one with what must not be read of it: its token, its door, its words.
const OWN: &str = "hh-poor-0002";
const OTHER: &str = "hh-good-0001";
const OTHERS: [&str; 3] = [OTHER, "\"301\"", "not ours"];

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Nobody,
    Is(Role),
    Expired,
    RevokedToken,
    Disabled,
}

fn everybody() -> Vec<Who> {
    let strangers = [Who::Nobody, Who::Expired, Who::RevokedToken, Who::Disabled];
    strangers.into_iter().chain(Role::ALL.map(Who::Is)).collect()
}

/// Every documented operation.
fn operations() -> Vec<(String, String)> {
    let document: Value = serde_json::from_str(&openapi().to_json().unwrap()).unwrap();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            operations.push((method.to_uppercase(), path.clone()));
        }
    }
    operations
}

#[test]
fn the_table_holds_every_documented_operation_and_nothing_else() {
    let mut documented = operations();
    documented.push(("GET".into(), "/api/openapi.json".into()));
    let mut table: Vec<_> = TABLE
        .iter()
        .map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned()))
        .collect();
    documented.sort();
    table.sort();
    assert_eq!(table, documented);
    table.dedup();
    assert_eq!(table.len(), TABLE.len(), "each once");
}

#[test]
fn the_committed_page_is_this_table() {
    let committed = include_str!("../../../../docs/access.md");
    assert!(
        committed == page(),
        "run `cargo run -p hemu-api --example access > docs/access.md`"
    );
}

#[test]
fn every_operation_that_is_not_public_says_how_to_log_in_and_how_it_refuses() {
    let document: Value = serde_json::from_str(&openapi().to_json().unwrap()).unwrap();
    for (method, path) in operations() {
        let operation = &document["paths"][&path][method.to_lowercase()];
        if access(&method, &path) == Some(Public) {
            assert!(operation["security"].is_null(), "{method} {path}");
            continue;
        }
        assert_eq!(
            operation["security"].as_array().unwrap().len(),
            2,
            "{method} {path}"
        );
        for status in ["401", "403"] {
            let content = &operation["responses"][status]["content"]["application/problem+json"];
            assert_eq!(
                content["schema"]["$ref"], "#/components/schemas/Problem",
                "{method} {path} {status}"
            );
        }
    }
}

/// The path with ids that are there; of the own household or of another.
fn filled(path: &str, household: &str, (edition, objection): (u64, u64)) -> String {
    let id = match path.split('/').nth(3) {
        Some("estates") => "hemu".to_owned(),
        Some("stations") => "s1".to_owned(),
        Some("devices") => "st01".to_owned(),
        Some("editions") => edition.to_string(),
        Some("objections") => objection.to_string(),
        Some("readings") => "1.0".to_owned(),
        Some("accounts") => "r2".to_owned(),
        Some("tokens") => "no-such-token".to_owned(),
        _ => household.to_owned(),
    };
    let query = match path {
        "/api/v1/series" => "?station=s1&measure=fill&from=0&to=3600000",
        "/api/v1/estates/{id}/groups" => "?by=unit",
        "/api/v1/editions/{id}/places" | "/api/v1/editions/{id}/public" => "?status=RED",
        _ => "",
    };
    let path = path.replace("{id}", &id).replace("{account}", "nobody");
    format!("{path}{query}")
}

/// Lets somebody in and asks as they do.
async fn asked(site: &Site, who: Who, method: &str, path: &str) -> Request {
    let mut request = anonymous(path);
    *request.method_mut() = method.parse().unwrap();
    if method == "POST" {
        *request.body_mut() = Body::from("{}");
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(header::CONTENT_TYPE, json);
    }
    let (name, role, until) = match who {
        Who::Nobody => return request,
        Who::RevokedToken => {
            let token = HeaderValue::from_static("Bearer hemu_revoked");
            request.headers_mut().insert(header::AUTHORIZATION, token);
            return request;
        }
        Who::Expired => ("expired", Role::GridOfficer, NOON),
        Who::Disabled => ("disabled", Role::GridOfficer, NOON + HOUR),
        Who::Is(role) => (role.as_str(), role, NOON + HOUR),
    };
    site.let_in(name, role, until).await;
    let headers = request.headers_mut();
    headers.insert(header::COOKIE, cookie(name));
    headers.insert("sec-fetch-site", HeaderValue::from_static("same-origin"));
    request
}

async fn prepared() -> (Site, (u64, u64)) {
    let site = Site::filled().await;
    let ids = site.published_edition().await;
    site.let_in("disabled", Role::GridOfficer, NOON + HOUR).await;
    let by = "p1".parse().unwrap();
    site.ledger
        .enable_account(&by, NOON, "disabled", false)
        .await
        .unwrap();
    site.revoked_token("hemu_revoked").await;
    (site, ids)
}

#[tokio::test]
async fn everybody_is_let_in_where_the_table_says_and_nobody_reads_of_anothers_household() {
    let (site, ids) = prepared().await;
    for (method, path) in operations() {
        let access = access(&method, &path).unwrap();
        // What those before did is in the journal; a bag is not drawn before it is folded.
        site.fold().await;
        for who in everybody() {
            for household in [OWN, OTHER] {
                let uri = filled(&path, household, ids);
                let what = format!("{method} {uri} by {who:?}");
                let response = site.send(asked(&site, who, &method, &uri).await).await;
                let status = response.status().as_u16();
                match (access, who) {
                    (Public, _) => assert!(![401, 403].contains(&status), "{what}: {status}"),
                    (_, Who::Is(role)) => {
                        let own = ["households", "objections"].map(|of| format!("/api/v1/{of}/{{id}}"));
                        let foreign = household == OTHER && path.starts_with(&own[0]) || path == own[1];
                        if !access.allows(|right| role.may(right)) {
                            assert_eq!(status, 403, "{what}");
                        } else if role == Role::Resident && foreign {
                            assert_eq!(status, 404, "{what}");
                        } else {
                            assert!(![401, 403].contains(&status) && status < 500, "{what}: {status}");
                        }
                    }
                    _ => assert_eq!(status, 401, "{what}"),
                }
                let reads_everything = matches!(who, Who::Is(role) if role.is_staff()) && status < 300;
                let goes_on = path.ends_with("/live") && status < 300;
                if goes_on || reads_everything {
                    continue;
                }
                let text = body(response).await;
                for word in OTHERS {
                    assert!(!text.contains(word), "{what} says {word}: {text}");
                }
            }
        }
    }
}

#[tokio::test]
async fn what_is_not_in_the_table_is_open_to_nobody() {
    let site = Site::empty().await;
    let routes = axum::Router::new()
        .route("/api/v1/new", get(|| async { "a household" }))
        .route("/api/v1/me", axum::routing::delete(|| async { "gone" }))
        .layer(axum::middleware::from_fn_with_state(site.api(), guard));
    let ask = |request: Request| routes.clone().oneshot(request);
    let mut officer = anonymous("/api/v1/new");
    officer.headers_mut().insert(header::COOKIE, cookie("p1"));
    let refused = ask(officer).await.unwrap();
    assert_eq!(refused.status(), 403);
    assert!(!body(refused).await.contains("household"));
    let mut delete = anonymous("/api/v1/me");
    *delete.method_mut() = Method::DELETE;
    let refused = ask(delete).await.unwrap();
    assert_eq!(
        (refused.status().as_u16(), &refused.headers()[header::ALLOW]),
        (405, &HeaderValue::from_static("GET,HEAD"))
    );
}

#[tokio::test]
async fn a_page_of_another_site_cannot_act_with_somebodys_cookie() {
    let site = Site::filled().await;
    let send = async |headers: &[(&'static str, &'static str)], path: &str| {
        let mut request = asked(&site, Who::Is(Role::GridOfficer), "POST", path).await;
        request.headers_mut().remove("sec-fetch-site");
        for (name, value) in headers {
            request
                .headers_mut()
                .insert(*name, HeaderValue::from_static(value));
        }
        site.send(request).await.status().as_u16()
    };
    let act = "/api/v1/households/hh-good-0001/red-opt-in";
    for foreign in [
        &[][..],
        &[("origin", "http://evil.example")],
        &[("origin", "http://localhost:9090")],
        &[("sec-fetch-site", "cross-site")],
        &[
            ("sec-fetch-site", "same-site"),
            ("origin", "http://localhost:8080"),
        ],
    ] {
        assert_eq!(send(foreign, act).await, 403, "{foreign:?}");
        if !foreign.is_empty() {
            assert_eq!(send(foreign, "/api/v1/login").await, 403, "{foreign:?}");
        }
    }
    assert_eq!(send(&[("origin", "http://localhost:8080")], act).await, 200);
    // Reading changes nothing, and the cookie is not sent to begin with.
    let mut read = anonymous("/api/v1/me");
    read.headers_mut().insert(header::COOKIE, cookie("p1"));
    assert_eq!(site.send(read).await.status(), 200);
}

#[tokio::test]
async fn a_token_opens_no_more_than_its_scopes() {
    let site = Site::filled().await;
    let by = "p1".parse().unwrap();
    let token = hemu_ledger::people::NewToken {
        id: "t1",
        digest: hemu_people::digest("hemu_t1"),
        account: "p1",
        label: "display",
        scopes: &[Right::SeeSite],
        until: NOON + HOUR,
    };
    site.ledger.add_token(&by, NOON, &token).await.unwrap();
    let send = async |method: &str, path: &str, authorization: &'static str| {
        let mut request = asked(&site, Who::Nobody, method, path).await;
        let value = HeaderValue::from_static(authorization);
        request.headers_mut().insert(header::AUTHORIZATION, value);
        // A token that is not good is not passed over for a cookie that is.
        request.headers_mut().insert(header::COOKIE, cookie("p1"));
        request
            .extensions_mut()
            .insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 9))));
        site.send(request).await.status().as_u16()
    };
    let good = "Bearer hemu_t1";
    assert_eq!(send("GET", "/api/v1/stations", good).await, 200);
    assert_eq!(send("GET", "/api/v1/households", good).await, 403);
    assert_eq!(
        send("POST", "/api/v1/households/hh-good-0001/red-opt-in", good).await,
        403
    );
    assert_eq!(send("POST", "/api/v1/logout", good).await, 204);
    for wrong in ["Bearer hemu_t2", "Bearer", "Basic cDE6cDE=", ""] {
        assert_eq!(send("GET", "/api/v1/stations", wrong).await, 401, "{wrong}");
    }
}
