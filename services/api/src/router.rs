//! All routes under one roof, and what surrounds every one of them.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::header;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::api::Api;
use crate::problem::Problem;
use crate::{access, asker, dashboards, describe, door, headers, live, metrics, pace, probes, v1};

/// Until an answer must have begun. A stream that has begun may last.
const PATIENCE: Duration = Duration::from_secs(30);
/// Most bytes of a request's body.
const BODY_MOST: usize = 64 << 10;

#[derive(Debug, OpenApi)]
#[openapi(
    info(
        title = "Hemu",
        description = "Household waste sorting: stations, deposits, households and their scores.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(
        Problem,
        v1::deposits::LiveDeposit,
        live::LiveStatus,
        live::LiveIncident,
        live::LiveDevice,
        live::Lag
    ))
)]
struct Document;

fn documented() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::with_openapi(Document::openapi())
        .merge(probes::routes())
        .merge(v1::routes())
}

/// The document of every route, OpenAPI 3.1.
pub fn openapi() -> utoipa::openapi::OpenApi {
    describe::secured(documented().into_openapi())
}

/// The public side: the API, the probes and the dashboards. Serve it with the peer's address
/// (`into_make_service_with_connect_info::<SocketAddr>()`), or the door lets nobody in.
pub fn router(api: Arc<Api>) -> Router {
    let (routes, document) = documented().split_for_parts();
    let document: Arc<str> = describe::secured(document).to_json().unwrap_or_default().into();
    let answer = move || async move { ([(header::CONTENT_TYPE, "application/json")], document.to_string()) };
    routes
        .route("/api/openapi.json", get(answer))
        .fallback(dashboards::serve)
        .with_state(api.clone())
        .layer(DefaultBodyLimit::max(BODY_MOST))
        .layer(from_fn_with_state(api.clone(), access::guard))
        .layer(CompressionLayer::new())
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(in_time))
        .layer(from_fn_with_state(api.clone(), door::guard))
        .layer(from_fn_with_state(api.clone(), pace::keep))
        .layer(from_fn_with_state(api.clone(), asker::name))
        .layer(from_fn(headers::secure))
        .layer(from_fn_with_state(api, metrics::observe))
}

#[expect(clippy::needless_pass_by_value, reason = "the layer hands the panic over")]
fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or(panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(panic = text, "a request handler panicked");
    Problem::internal().into_response()
}

async fn in_time(request: Request, next: Next) -> Result<Response, Problem> {
    let late = |_| {
        let seconds = PATIENCE.as_secs();
        Problem::unavailable(format!(
            "no answer within {seconds} s; ask for a shorter time or a smaller page"
        ))
    };
    tokio::time::timeout(PATIENCE, next.run(request))
        .await
        .map_err(late)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::path::Path;

    use axum::body::Body;
    use axum::extract::ConnectInfo;
    use axum::http::{HeaderMap, HeaderValue, Method, Request};
    use hemu_people::Role;
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{NOON, Site, acting, answer, body, looking, request};
    use crate::{Door, Presence};

    /// Every documented path with ids that exist in a site with a published edition, and its methods.
    fn documented((edition, objection): (u64, u64)) -> Vec<(String, Vec<Method>)> {
        let document: Value = serde_json::from_str(&openapi().to_json().unwrap()).unwrap();
        let fill = |path: &str| match path {
            "/api/v1/estates/{id}" => "/api/v1/estates/hemu".to_owned(),
            "/api/v1/estates/{id}/groups" => "/api/v1/estates/hemu/groups?by=unit".to_owned(),
            "/api/v1/estates/{id}/turnout" => "/api/v1/estates/hemu/turnout?by=week".to_owned(),
            "/api/v1/stations/{id}" => "/api/v1/stations/s1".to_owned(),
            "/api/v1/stations/{id}/inspections" => "/api/v1/stations/s1/inspections".to_owned(),
            "/api/v1/devices/{id}" => "/api/v1/devices/st01".to_owned(),
            "/api/v1/home-code.svg" => format!("{path}?url=http://127.0.0.1/home"),
            "/api/v1/editions/{id}/letters" => {
                format!("{}?about=grey", path.replace("{id}", &edition.to_string()))
            }
            "/api/v1/series" => format!("{path}?station=s1&measure=fill&from=0&to={}", 3_600_000),
            "/api/v1/editions/{id}/places" | "/api/v1/editions/{id}/public" => {
                format!("{}?status=RED", path.replace("{id}", &edition.to_string()))
            }
            path if path.starts_with("/api/v1/editions/") => path.replace("{id}", &edition.to_string()),
            path if path.starts_with("/api/v1/objections/") => path.replace("{id}", &objection.to_string()),
            path if path.starts_with("/api/v1/readings/") => path.replace("{id}", "1.0"),
            household => household
                .replace("{id}", "hh-good-0001")
                .replace("{account}", "nobody"),
        };
        let methods = |item: &Value| {
            let methods = item.as_object().unwrap().keys();
            methods
                .map(|method| method.to_uppercase().parse().unwrap())
                .collect()
        };
        let paths = document["paths"].as_object().unwrap();
        paths
            .iter()
            .map(|(path, item)| (fill(path), methods(item)))
            .collect()
    }

    fn asked(method: &Method, path: &str) -> Request<Body> {
        let mut request = request(path);
        *request.method_mut() = method.clone();
        request
    }

    /// Answers with a problem of this status.
    async fn is_problem(site: &Site, request: Request<Body>, status: u16) -> (HeaderMap, Value) {
        let what = format!("{} {}", request.method(), request.uri());
        let response = site.send(request).await;
        assert_eq!(response.status(), status, "{what}");
        assert_eq!(
            response.headers()["content-type"],
            "application/problem+json",
            "{what}"
        );
        let headers = response.headers().clone();
        (headers, serde_json::from_str(&body(response).await).unwrap())
    }

    #[test]
    fn the_committed_document_is_this_one() {
        let committed: Value = serde_json::from_str(include_str!("../openapi.json")).unwrap();
        let made: Value = serde_json::from_str(&openapi().to_json().unwrap()).unwrap();
        let how = "run `cargo run -p hemu-api --example openapi > services/api/openapi.json`";
        assert!(
            committed == made,
            "openapi.json is not what the routes say; {how}"
        );
        assert_eq!(made["openapi"], "3.1.0");
    }

    /// Of two shapes with one name the document would hold one, and say of the other's answers what they are not.
    #[test]
    fn no_two_shapes_of_the_document_have_one_name() {
        fn sources(folder: &Path, texts: &mut Vec<String>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    sources(&path, texts);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    texts.push(std::fs::read_to_string(path).unwrap());
                }
            }
        }
        let mut texts = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut texts);
        let word = |text: &str| {
            text.split(|c: char| !c.is_alphanumeric())
                .next()
                .map(str::to_owned)
        };
        let mut names = Vec::new();
        let (mut documented, mut other) = (false, None);
        for line in texts.iter().flat_map(|text| text.lines()).map(str::trim) {
            if let Some(derived) = line.strip_prefix("#[derive(") {
                (documented, other) = (derived.contains("ToSchema"), None);
            } else if let Some(name) = line.strip_prefix("#[schema(as = ") {
                other = word(name);
            } else if documented
                && !line.starts_with("//")
                && let Some((_, named)) = line.split_once("struct ").or(line.split_once("enum "))
            {
                names.extend(other.take().or_else(|| word(named)));
                documented = false;
            }
        }
        assert!(names.len() > 150, "{}", names.len());
        names.sort_unstable();
        let twice: Vec<_> = names.windows(2).filter(|pair| pair[0] == pair[1]).collect();
        assert!(twice.is_empty(), "{twice:?}");
    }

    #[tokio::test]
    async fn the_document_is_served_and_every_path_in_it_answers() {
        let site = Site::filled().await;
        let served = site.json("/api/openapi.json").await;
        assert_eq!(
            served,
            serde_json::from_str::<Value>(include_str!("../openapi.json")).unwrap()
        );
        let paths = documented(site.published_edition().await);
        assert_eq!(paths.len(), 107);
        for (path, methods) in &paths {
            for method in [
                Method::GET,
                Method::POST,
                Method::PUT,
                Method::PATCH,
                Method::DELETE,
            ] {
                if methods.contains(&method) {
                    continue;
                }
                let (headers, _) = is_problem(&site, asked(&method, path), 405).await;
                let allowed = headers[header::ALLOW].to_str().unwrap();
                for method in methods {
                    assert!(allowed.contains(method.as_str()), "{path}: {allowed}");
                }
            }
        }
        let read: Vec<_> = of(&paths, &Method::GET).collect();
        assert_eq!(read.len(), 60);
        site.let_in("boss", Role::Admin, i64::MAX).await;
        for path in read {
            let kept = path == "/api/v1/accounts" || path.ends_with("/export") || path.ends_with("/people");
            let printed = path.contains("/letters");
            let reader = match (kept, printed) {
                (true, _) => "boss",
                (false, true) => "p1",
                (false, false) => "a1",
            };
            let response = site.send(looking(reader, path)).await;
            assert_eq!(response.status(), 200, "{path}");
        }
    }

    fn of<'p>(
        paths: &'p [(String, Vec<Method>)],
        method: &Method,
    ) -> impl Iterator<Item = &'p String> + use<'p> {
        let method = method.clone();
        let having = paths.iter().filter(move |(_, methods)| methods.contains(&method));
        having.map(|(path, _)| path)
    }

    /// Whether a path is about the lists, readings and cards, and not about who may log in.
    fn is_act(path: &str) -> bool {
        let people = ["login", "logout", "me", "accounts", "tokens", "jobs"];
        let part = path.split('/').nth(3).unwrap_or_default();
        !people.contains(&part) && !path.ends_with("/code") && path != "/api/v1/inspections"
    }

    #[tokio::test]
    async fn every_act_wants_a_person_and_answers_done_or_which_rule_forbids_it() {
        let site = Site::filled().await;
        let paths = documented(site.published_edition().await);
        let acts: Vec<_> = of(&paths, &Method::POST).filter(|path| is_act(path)).collect();
        assert_eq!(acts.len(), 29);
        let before = site.truth().await;
        for path in &acts {
            let mut nobody = asked(&Method::POST, path);
            nobody.headers_mut().remove(header::COOKIE);
            let (headers, _) = is_problem(&site, nobody, 401).await;
            assert_eq!(headers[header::WWW_AUTHENTICATE], "Bearer");
            is_problem(&site, acting("a1", path, &json!({})), 403).await;
        }
        assert_eq!(site.truth().await, before);
        site.let_in("boss", Role::Admin, i64::MAX).await;
        for path in acts {
            let kept = ["/correct", "/erase"].iter().any(|act| path.ends_with(act));
            let who = if kept { "boss" } else { "p9" };
            let response = site.send(acting(who, path, &json!({}))).await;
            let (status, answer) = answer(response).await;
            let refused = [404, 409, 422].contains(&status) && answer["rule"].is_string();
            assert!(
                refused || [200, 201].contains(&status),
                "{path}: {status} {answer}"
            );
        }
    }

    #[test]
    fn every_act_documents_its_problems() {
        let document: Value = serde_json::from_str(&openapi().to_json().unwrap()).unwrap();
        for (path, item) in document["paths"].as_object().unwrap() {
            let Some(act) = item.get("post").filter(|_| is_act(path)) else {
                continue;
            };
            // A dry run names nothing that there might not be.
            let named = (path != "/api/v1/rules/dry-run").then_some("404");
            for status in ["401", "403", "409", "422"].into_iter().chain(named) {
                let content = &act["responses"][status]["content"]["application/problem+json"];
                assert_eq!(
                    content["schema"]["$ref"], "#/components/schemas/Problem",
                    "{path} {status}"
                );
            }
        }
    }

    #[tokio::test]
    async fn every_answer_carries_the_security_headers() {
        let site = Site::filled().await;
        let mut foreign = request("/api/v1/site");
        foreign
            .headers_mut()
            .insert(header::HOST, HeaderValue::from_static("evil.example"));
        let paths = documented(site.published_edition().await);
        let read = of(&paths, &Method::GET)
            .cloned()
            .chain(["/", "/nothing", "/api/v1/nothing"].map(str::to_owned));
        for request in read.map(|path| request(&path)).chain([foreign]) {
            let uri = request.uri().clone();
            let response = site.send(request).await;
            let headers = response.headers();
            let policy = headers["content-security-policy"].to_str().unwrap();
            assert!(
                policy.starts_with("default-src 'self';") && policy.contains("frame-ancestors 'none'"),
                "{uri}"
            );
            assert_eq!(headers["x-content-type-options"], "nosniff", "{uri}");
            assert_eq!(headers["referrer-policy"], "no-referrer", "{uri}");
            assert_eq!(headers["x-robots-tag"], "noindex, nofollow", "{uri}");
            if uri.path().starts_with("/api/v1/") && !uri.path().ends_with("/live") {
                assert_eq!(headers["cache-control"], "no-store", "{uri}");
            }
        }
    }

    #[tokio::test]
    async fn strangers_stay_outside() {
        let mut site = Site::filled().await;
        let from = |peer: [u8; 4], host: &'static str| {
            let mut request = request("/api/v1/households");
            request
                .extensions_mut()
                .insert(ConnectInfo(SocketAddr::from((peer, 9))));
            request
                .headers_mut()
                .insert(header::HOST, HeaderValue::from_static(host));
            request
        };
        assert_eq!(
            site.send(from([127, 0, 0, 1], "127.0.0.1:8080")).await.status(),
            200
        );
        let mut nobody = request("/");
        nobody.extensions_mut().remove::<ConnectInfo<SocketAddr>>();
        let strangers = [
            (from([10, 0, 0, 7], "localhost"), "from this machine"),
            (from([127, 0, 0, 1], "hemu.example"), "the configured name"),
            (nobody, "from this machine"),
        ];
        for (stranger, says) in strangers {
            let response = site.send(stranger).await;
            assert_eq!(response.status(), 403);
            assert_eq!(response.headers()["content-type"], "application/problem+json");
            let text = body(response).await;
            assert!(text.contains(says) && !text.contains("hh-"), "{text}");
        }
        site.parts().door = Door {
            allow_remote: true,
            hosts: vec!["hemu.example".into()],
            proxies: Vec::new(),
        };
        assert_eq!(site.send(from([10, 0, 0, 7], "hemu.example")).await.status(), 200);
        assert_eq!(site.send(from([10, 0, 0, 7], "evil.example")).await.status(), 403);
    }

    #[tokio::test]
    async fn a_panic_is_a_problem_without_internals() {
        let mut site = Site::filled().await;
        site.parts().presence = Presence::new(|_| panic!("the secret is 42"));
        let (status, problem) = site.get("/api/v1/devices").await;
        assert_eq!((status, &problem["title"]), (500, &"internal error".into()));
        assert!(!problem.to_string().contains("42"), "{problem}");
        assert_eq!(site.get("/api/v1/site").await.0, 200, "the next request is well");
    }

    #[tokio::test]
    async fn a_store_that_does_not_answer_is_unavailable() {
        let site = Site::filled().await;
        site.ledger.close().await;
        let response = site.send(request("/api/v1/overview")).await;
        assert_eq!(
            (response.status().as_u16(), &response.headers()["retry-after"]),
            (503, &HeaderValue::from(5))
        );
        site.refuses(
            "/api/v1/households/hh-good-0001",
            503,
            "the database does not answer",
        )
        .await;
    }

    #[tokio::test]
    async fn metrics_name_routes_and_never_people() {
        let site = Site::filled().await;
        site.json("/api/v1/households/hh-good-0001").await;
        site.get("/api/v1/households/hh-secret").await;
        site.get("/api/v1/nothing/hh-secret").await;
        let text = site.metrics().await;
        let counted = |route: &str, status: &str| {
            format!("hemu_http_requests_total{{route=\"{route}\",status=\"{status}\"}} 1")
        };
        for line in [
            counted("/api/v1/households/{id}", "2xx"),
            counted("/api/v1/households/{id}", "4xx"),
            counted("other", "4xx"),
            "hemu_http_request_seconds_count{route=\"/api/v1/households/{id}\"} 2".to_owned(),
        ] {
            assert!(text.contains(&line), "{line}\n{text}");
        }
        assert!(!text.contains("hh-"), "{text}");
    }

    #[tokio::test]
    async fn answers_are_compressed_and_streams_are_not() {
        let site = Site::filled().await;
        for (path, packed) in [("/api/openapi.json", true), ("/", true), ("/api/v1/live", false)] {
            let mut request = request(path);
            request
                .headers_mut()
                .insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
            let response = site.send(request).await;
            assert_eq!(
                response.headers().contains_key(header::CONTENT_ENCODING),
                packed,
                "{path}"
            );
        }
    }

    #[tokio::test]
    async fn a_head_request_is_answered_without_a_body() {
        let site = Site::filled().await;
        let mut head = request(&format!(
            "/api/v1/series?device=st01&measure=fill&from=0&to={NOON}"
        ));
        *head.method_mut() = Method::HEAD;
        assert_eq!(site.send(head).await.status(), 400, "the checks are those of GET");
        let mut head = request("/api/v1/site");
        *head.method_mut() = Method::HEAD;
        let response = site.send(head).await;
        assert_eq!(response.status(), 200);
        assert_eq!(body(response).await, "");
    }
}
