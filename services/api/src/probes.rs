//! What supervisors ask: is the process alive, can it do its work.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use futures::future::join_all;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;

pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(healthz))
        .routes(routes!(readyz))
}

/// Whether the server can do its work.
#[derive(Debug, Serialize, ToSchema)]
struct Readiness {
    ready: bool,
    checks: Vec<CheckResult>,
}

#[derive(Debug, Serialize, ToSchema)]
struct CheckResult {
    name: &'static str,
    ok: bool,
    /// What was found.
    detail: String,
}

/// The process answers.
#[utoipa::path(get, path = "/healthz", tag = "probes", responses((status = 200, body = String, content_type = "text/plain")))]
async fn healthz() -> &'static str {
    "ok"
}

/// Store, endpoint, migrations and projections are well.
#[utoipa::path(get, path = "/readyz", tag = "probes",
    responses((status = 200, body = Readiness), (status = 503, body = Readiness, description = "something is not well")))]
async fn readyz(State(api): State<Arc<Api>>) -> (StatusCode, Json<Readiness>) {
    let outcomes = join_all(
        api.checks
            .iter()
            .map(|check| async move { (check.name, check.run().await) }),
    )
    .await;
    let checks: Vec<CheckResult> = outcomes
        .into_iter()
        .map(|(name, outcome)| {
            let ok = outcome.is_ok();
            CheckResult {
                name,
                ok,
                detail: outcome.unwrap_or_else(|why| why),
            }
        })
        .collect();
    let ready = checks.iter().all(|check| check.ok);
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(Readiness { ready, checks }))
}

#[cfg(test)]
mod tests {
    use crate::Check;
    use crate::testing::Site;

    #[tokio::test]
    async fn alive_is_not_ready() {
        let mut site = Site::empty().await;
        site.checks(vec![
            Check::store(&site.ledger),
            Check::new("endpoint", || async { Err("listens no more".to_owned()) }),
        ]);
        assert_eq!(site.text("/healthz").await, (200, "ok".to_owned()));
        let (status, body) = site.get("/readyz").await;
        assert_eq!((status, &body["ready"]), (503, &false.into()));
        assert_eq!(body["checks"][0]["ok"], true);
        assert_eq!(body["checks"][1]["detail"], "listens no more");
    }

    #[tokio::test]
    async fn projections_far_behind_are_not_ready() {
        let mut site = Site::empty().await;
        site.checks(vec![Check::lag(&site.ledger, 0)]);
        assert_eq!(site.get("/readyz").await.0, 200);
        site.append_unfolded().await;
        assert_eq!(site.get("/readyz").await.0, 503);
        site.fold().await;
        assert_eq!(site.get("/readyz").await.0, 200);
    }
}
