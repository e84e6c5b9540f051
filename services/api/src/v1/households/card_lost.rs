//! POST /api/v1/households/{id}/card-lost

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::acts::Act;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::api::Api;
use crate::extract::{Acting, Body, Found};
use crate::problem::Problem;
use crate::v1::acts::{Done, Refusals};

/// Since when.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CardLost {
    /// ms since 1970 UTC; not one to come.
    since: i64,
}

/// Notes that a household's card is lost: its readings from then on count for nobody.
#[utoipa::path(post, path = "/api/v1/households/{id}/card-lost", tag = "households", request_body = CardLost,
    params(("id" = String, Path, description = "token")),
    responses((status = 200, body = Done), Refusals))]
pub(crate) async fn post(
    State(api): State<Arc<Api>>,
    Acting(actor): Acting,
    Found(seen): Found,
    Body(asked): Body<CardLost>,
) -> Result<Json<Done>, Problem> {
    let since = asked.since;
    let act = Act::CardLost {
        token: seen.into_row().token,
        since,
    };
    Ok(Json(api.done(&actor, act).await?))
}
