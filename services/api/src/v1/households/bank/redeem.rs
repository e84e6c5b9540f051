//! POST /api/v1/households/{id}/bank/redeem

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::acts::Words;
use hemu_ledger::bank::Deal;
use serde::Deserialize;
use utoipa::ToSchema;

use super::Refusals;
use crate::api::Api;
use crate::extract::{Acting, Body, Found};
use crate::problem::Problem;
use crate::v1::acts::Done;

/// Points for something.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Redeem {
    /// 8 to 64 letters, digits, `_` and `-`, drawn anew for every request. Sent again, it gets the first one's answer.
    #[schema(example = "q3bR0w7yZkd2")]
    key: String,
    #[schema(example = "spring")]
    pool: String,
    #[schema(minimum = 1, maximum = 100_000)]
    points: u32,
    /// What for.
    reason: String,
}

/// A household spends points: by itself, or with an officer who records it.
#[utoipa::path(post, path = "/api/v1/households/{id}/bank/redeem", tag = "bank", request_body = Redeem,
    params(("id" = String, Path, description = "token")),
    responses((status = 200, body = Done), Refusals))]
pub(crate) async fn post(
    State(api): State<Arc<Api>>,
    Acting(actor): Acting,
    Found(seen): Found,
    Body(asked): Body<Redeem>,
) -> Result<Json<Done>, Problem> {
    let deal = Deal::Redeem {
        key: asked.key,
        token: seen.into_row().token,
        pool: asked.pool,
        points: asked.points,
        reason: Words::new(asked.reason),
    };
    Ok(Json(api.deal(&actor, deal).await?))
}
