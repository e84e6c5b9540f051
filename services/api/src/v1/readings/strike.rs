//! POST /api/v1/readings/{id}/strike

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::acts::Act;

use crate::api::Api;
use crate::extract::{Acting, ReadingAt};
use crate::problem::Problem;
use crate::v1::acts::{Done, Refusals};

/// Takes a reading out: it counts for nobody. Editions that looked at its day are computed again.
#[utoipa::path(post, path = "/api/v1/readings/{id}/strike", tag = "readings",
    params(("id" = String, Path, description = "the reading's `place`, such as 4711.0")),
    responses((status = 200, body = Done), Refusals))]
pub(crate) async fn post(
    State(api): State<Arc<Api>>,
    ReadingAt(place): ReadingAt,
    Acting(actor): Acting,
) -> Result<Json<Done>, Problem> {
    let act = Act::Strike {
        reading: place.pair(),
    };
    Ok(Json(api.done(&actor, act).await?))
}
