//! POST /api/v1/households/{id}/bank/award

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

/// Points out of a pool, and what for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Award {
    /// 8 to 64 letters, digits, `_` and `-`, drawn anew for every request. Sent again, it gets the first one's answer.
    #[schema(example = "q3bR0w7yZkd1")]
    key: String,
    #[schema(example = "spring")]
    pool: String,
    /// 1 to 1000; a household gets at most 2000 a day.
    #[schema(minimum = 1, maximum = 1000)]
    points: u32,
    reason: String,
}

/// A household gets points out of a pool.
#[utoipa::path(post, path = "/api/v1/households/{id}/bank/award", tag = "bank", request_body = Award,
    params(("id" = String, Path, description = "token")),
    responses((status = 200, body = Done), Refusals))]
pub(crate) async fn post(
    State(api): State<Arc<Api>>,
    Acting(actor): Acting,
    Found(seen): Found,
    Body(asked): Body<Award>,
) -> Result<Json<Done>, Problem> {
    let deal = Deal::Award {
        key: asked.key,
        pool: asked.pool,
        token: seen.into_row().token,
        points: asked.points,
        reason: Words::new(asked.reason),
    };
    Ok(Json(api.deal(&actor, deal).await?))
}
