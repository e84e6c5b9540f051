//! GET /api/v1/site

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::Api;

/// What this installation says of itself.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Site {
    #[schema(example = "和睦新村")]
    name: String,
    /// The zone of local days.
    #[schema(example = "Asia/Shanghai")]
    zone: String,
    /// The server's clock, ms since 1970 UTC.
    now: i64,
    /// Seconds of the server's clock in one second: 1, but for a demo.
    speed: f64,
    demo: bool,
    version: String,
}

/// Name, zone and clock.
#[utoipa::path(get, path = "/api/v1/site", tag = "site", responses((status = 200, body = Site)))]
pub(crate) async fn get(State(api): State<Arc<Api>>) -> Json<Site> {
    Json(of(&api))
}

/// What it says in this moment.
pub(super) fn of(api: &Api) -> Site {
    let site = &api.site;
    Site {
        name: site.name.clone(),
        zone: api.ledger.zone().to_string(),
        now: api.clock.now(),
        speed: site.speed,
        demo: site.demo,
        version: site.version.clone(),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Site;

    #[tokio::test]
    async fn the_site_names_its_zone_and_clock() {
        insta::assert_json_snapshot!(Site::filled().await.json("/api/v1/site").await);
    }
}
