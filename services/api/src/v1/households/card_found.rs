//! POST /api/v1/households/{id}/card-found

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::acts::Act;

use crate::api::Api;
use crate::extract::{Acting, Found};
use crate::problem::Problem;
use crate::v1::acts::{Done, Refusals};

/// Notes that the card was found: its readings count again.
#[utoipa::path(post, path = "/api/v1/households/{id}/card-found", tag = "households",
    params(("id" = String, Path, description = "token")),
    responses((status = 200, body = Done), Refusals))]
pub(crate) async fn post(
    State(api): State<Arc<Api>>,
    Acting(actor): Acting,
    Found(seen): Found,
) -> Result<Json<Done>, Problem> {
    let act = Act::CardFound {
        token: seen.into_row().token,
    };
    Ok(Json(api.done(&actor, act).await?))
}
