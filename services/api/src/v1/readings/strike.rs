//! POST /api/v1/readings/{id}/strike

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::acts::Act;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::api::Api;
use crate::extract::{Acting, Body, ReadingAt};
use crate::problem::Problem;
use crate::v1::acts::{Done, Refusals};

/// Why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Strike {
    /// In a person's own words, 1 to 4000 characters.
    reason: String,
}

/// Takes a reading out: it counts for nobody. Editions that looked at its day are computed again.
#[utoipa::path(post, path = "/api/v1/readings/{id}/strike", tag = "readings", request_body = Strike,
    params(("id" = String, Path, description = "the reading's `place`, such as 4711.0")),
    responses((status = 200, body = Done), Refusals))]
pub(crate) async fn post(
    State(api): State<Arc<Api>>,
    ReadingAt(place): ReadingAt,
    Acting(actor): Acting,
    Body(asked): Body<Strike>,
) -> Result<Json<Done>, Problem> {
    let act = Act::strike(place.pair(), asked.reason);
    Ok(Json(api.done(&actor, act).await?))
}
