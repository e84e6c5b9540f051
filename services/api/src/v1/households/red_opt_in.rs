//! POST /api/v1/households/{id}/red-opt-in

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::acts::Act;

use crate::api::Api;
use crate::extract::{Acting, Found};
use crate::problem::Problem;
use crate::v1::acts::{Done, Refusals};

/// The household agrees to be praised in public.
#[utoipa::path(post, path = "/api/v1/households/{id}/red-opt-in", tag = "households",
    params(("id" = String, Path, description = "token")),
    responses((status = 200, body = Done), Refusals))]
pub(crate) async fn post(
    State(api): State<Arc<Api>>,
    Acting(actor): Acting,
    Found(seen): Found,
) -> Result<Json<Done>, Problem> {
    let act = Act::RedOptIn {
        token: seen.into_row().token,
    };
    Ok(Json(api.done(&actor, act).await?))
}
