//! The dashboards, embedded when the crate is built: one program is the whole site.

use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use rust_embed::{Embed, EmbeddedFile};

use crate::problem::Problem;

#[derive(Embed)]
#[folder = "../../dashboards/web/dist"]
struct Files;

const NOT_FOUND: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Hemu: not found</title>\
    <p>There is no such page. 没有这个页面。 <a href=\"/\">Hemu · 和睦</a></p></html>";

/// Whatever is no route of the API: an embedded file, a page by its name, or nothing.
pub(crate) async fn serve(uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    let page = if path.is_empty() {
        "index.html".to_owned()
    } else {
        format!("{path}.html")
    };
    match [path, &page]
        .into_iter()
        .find_map(|name| Some((name, Files::get(name)?)))
    {
        Some((name, file)) => send(name, file, &headers),
        None => missing(path, &headers),
    }
}

fn send(name: &str, file: EmbeddedFile, headers: &HeaderMap) -> Response {
    let hash = file.metadata.sha256_hash();
    let tag = format!(
        "\"{:032x}\"",
        u128::from_be_bytes(*hash.first_chunk().unwrap_or(&[0; 16]))
    );
    // What the build names by its content never changes; a page must be asked for again.
    let cache = if name.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let fixed = [
        (header::ETAG, tag.clone()),
        (header::CACHE_CONTROL, cache.to_owned()),
    ];
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|known| known.to_str().ok());
    if known.is_some_and(|known| {
        known
            .split(',')
            .any(|known| known.trim().trim_start_matches("W/") == tag)
    }) {
        return (StatusCode::NOT_MODIFIED, fixed).into_response();
    }
    let kind = mime_guess::from_path(name).first_or_octet_stream();
    let kind = if kind.type_() == "text" {
        format!("{kind}; charset=utf-8")
    } else {
        kind.to_string()
    };
    (fixed, [(header::CONTENT_TYPE, kind)], file.data).into_response()
}

fn missing(path: &str, headers: &HeaderMap) -> Response {
    let html = headers
        .get_all(header::ACCEPT)
        .iter()
        .any(|accept| accept.to_str().is_ok_and(|a| a.contains("text/html")));
    if path == "api" || path.starts_with("api/") || !html {
        return Problem::not_found("there is no such resource; /api/openapi.json names those there are")
            .into_response();
    }
    (StatusCode::NOT_FOUND, Html(NOT_FOUND)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(path: &str, name: header::HeaderName, value: &str) -> Response {
        let headers = HeaderMap::from_iter([(name, value.parse().unwrap())]);
        serve(path.parse().unwrap(), headers).await
    }

    #[tokio::test]
    async fn the_page_is_embedded_and_asked_for_again() {
        let page = ask("/", header::ACCEPT, "text/html").await;
        assert_eq!(page.status(), 200);
        assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
        assert_eq!(page.headers()["cache-control"], "no-cache");
        let tag = page.headers()["etag"].to_str().unwrap().to_owned();
        assert_eq!(ask("/", header::IF_NONE_MATCH, &tag).await.status(), 304);
        assert_eq!(ask("/", header::IF_NONE_MATCH, "\"other\"").await.status(), 200);
    }

    #[tokio::test]
    async fn hashed_assets_are_kept_for_ever() {
        let mut assets = Files::iter().filter(|name| name.starts_with("assets/"));
        let name = assets
            .find(|name| name.ends_with(".js"))
            .expect("the page has a script");
        let script = ask(&format!("/{name}"), header::ACCEPT, "*/*").await;
        assert_eq!(script.status(), 200);
        assert_eq!(
            script.headers()["cache-control"],
            "public, max-age=31536000, immutable"
        );
        assert_eq!(script.headers()["content-type"], "text/javascript; charset=utf-8");
    }

    #[tokio::test]
    async fn what_is_not_there_is_a_page_for_people_and_a_problem_for_programs() {
        for (path, accept, kind) in [
            ("/nothing", "text/html", "text/html; charset=utf-8"),
            ("/nothing", "*/*", "application/problem+json"),
            ("/api/v1/nothing", "text/html", "application/problem+json"),
            ("/../Cargo.toml", "text/html", "text/html; charset=utf-8"),
            ("/assets/../index.html", "*/*", "application/problem+json"),
        ] {
            let response = ask(path, header::ACCEPT, accept).await;
            assert_eq!(response.status(), 404, "{path}");
            assert_eq!(response.headers()["content-type"], kind, "{path}");
        }
    }
}
