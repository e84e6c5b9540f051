//! All routes under one roof, and what surrounds every one of them.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::header;
use axum::middleware::{Next, from_fn, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::api::Api;
use crate::problem::Problem;
use crate::{dashboards, door, headers, live, metrics, probes, v1};

/// Until an answer must have begun. A stream that has begun may last.
const PATIENCE: Duration = Duration::from_secs(30);
/// Most bytes of a request's body.
const BODY_MOST: usize = 64 << 10;

#[derive(Debug, OpenApi)]
#[openapi(
    info(title = "Hemu", description = "Household waste sorting: stations, deposits, households and their scores.",
         license(name = "Apache-2.0", identifier = "Apache-2.0")),
    components(schemas(Problem, v1::deposits::LiveDeposit, live::LiveStatus, live::LiveIncident, live::LiveDevice, live::Lag))
)]
struct Document;

fn documented() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::with_openapi(Document::openapi()).merge(probes::routes()).merge(v1::routes())
}

/// The document of every route, OpenAPI 3.1.
pub fn openapi() -> utoipa::openapi::OpenApi {
    documented().into_openapi()
}

/// The public side: the API, the probes and the dashboards. Serve it with the peer's address
/// (`into_make_service_with_connect_info::<SocketAddr>()`), or the door lets nobody in.
pub fn router(api: Arc<Api>) -> Router {
    let (routes, document) = documented().split_for_parts();
    let document: Arc<str> = document.to_json().unwrap_or_default().into();
    let answer = move || async move { ([(header::CONTENT_TYPE, "application/json")], document.to_string()) };
    routes
        .route("/api/openapi.json", get(answer))
        .fallback(dashboards::serve)
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .with_state(api.clone())
        .layer(DefaultBodyLimit::max(BODY_MOST))
        .layer(CompressionLayer::new())
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(in_time))
        .layer(from_fn_with_state(api.clone(), door::guard))
        .layer(map_response(headers::secure))
        .layer(from_fn_with_state(api, metrics::observe))
}

#[expect(clippy::needless_pass_by_value, reason = "the layer hands the panic over")]
fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let text = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(panic = text, "a request handler panicked");
    Problem::internal().into_response()
}

async fn in_time(request: Request, next: Next) -> Result<Response, Problem> {
    let late = |_| {
        let seconds = PATIENCE.as_secs();
        Problem::unavailable(format!("no answer within {seconds} s; ask for a shorter time or a smaller page"))
    };
    tokio::time::timeout(PATIENCE, next.run(request)).await.map_err(late)
}
