//! GET /api/v1/households/{id}/export

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::Value;

use crate::api::Api;
use crate::extract::{Found, missing};
use crate::problem::Problem;

/// Everything that is held about the present occupant, as one document of the form `hemu-household-1`: register, readings,
/// lists with objections, consents, trail and who looked.
#[utoipa::path(get, path = "/api/v1/households/{id}/export", tag = "households",
    params(("id" = String, Path, description = "token")),
    responses((status = 200, body = Object, description = "the document"), (status = 404, body = Problem)))]
pub(crate) async fn get(State(api): State<Arc<Api>>, Found(seen): Found) -> Result<Json<Value>, Problem> {
    let subject = seen.subject(api.clock.now()).await?;
    subject.map(Json).ok_or_else(missing)
}
