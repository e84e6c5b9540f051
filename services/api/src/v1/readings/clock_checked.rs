//! POST /api/v1/readings/{id}/clock-checked

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::acts::Act;

use crate::api::Api;
use crate::extract::{Acting, ReadingAt};
use crate::problem::Problem;
use crate::v1::acts::{Done, Refusals};

/// Notes that a person looked: a reading whose clock was ahead counts after all.
#[utoipa::path(post, path = "/api/v1/readings/{id}/clock-checked", tag = "readings",
    params(("id" = String, Path, description = "the reading's `place`, such as 4711.0")),
    responses((status = 200, body = Done), Refusals))]
pub(crate) async fn post(
    State(api): State<Arc<Api>>,
    ReadingAt(place): ReadingAt,
    Acting(actor): Acting,
) -> Result<Json<Done>, Problem> {
    let act = Act::ClockChecked {
        reading: place.pair(),
    };
    Ok(Json(api.done(&actor, act).await?))
}
