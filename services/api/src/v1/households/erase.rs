//! POST /api/v1/households/{id}/erase

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::acts::{Act, Words};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::api::Api;
use crate::extract::{Acting, Body, Found};
use crate::problem::Problem;
use crate::v1::acts::{Done, Refusals};

/// Why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Erase {
    /// 1 to 4000 characters. It is kept, so it must not say who they were.
    #[schema(example = "asked for in writing, file 2026/114")]
    reason: String,
}

/// The household is erased: its key, where it lives, and what was written about it. This cannot be undone.
#[utoipa::path(post, path = "/api/v1/households/{id}/erase", tag = "households", request_body = Erase,
    params(("id" = String, Path, description = "token")),
    responses((status = 200, body = Done), Refusals))]
pub(crate) async fn post(
    State(api): State<Arc<Api>>,
    Acting(actor): Acting,
    Found(seen): Found,
    Body(asked): Body<Erase>,
) -> Result<Json<Done>, Problem> {
    let act = Act::Erase {
        token: seen.into_row().token,
        reason: Words::new(asked.reason),
    };
    Ok(Json(api.done(&actor, act).await?))
}
