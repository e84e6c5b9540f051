//! POST /api/v1/households/{id}/bank/reverse

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

/// Which entry, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reverse {
    /// 8 to 64 letters, digits, `_` and `-`, drawn anew for every request. Sent again, it gets the first one's answer.
    #[schema(example = "q3bR0w7yZkd6")]
    key: String,
    /// The first number of its `place`.
    entry: u64,
    reason: String,
}

/// An entry is taken back by its opposite; both stay. Not while whoever got it has spent it.
#[utoipa::path(post, path = "/api/v1/households/{id}/bank/reverse", tag = "bank", request_body = Reverse,
    params(("id" = String, Path, description = "token")),
    responses((status = 200, body = Done), Refusals))]
pub(crate) async fn post(
    State(api): State<Arc<Api>>,
    Acting(actor): Acting,
    Found(seen): Found,
    Body(asked): Body<Reverse>,
) -> Result<Json<Done>, Problem> {
    let deal = Deal::Reverse {
        key: asked.key,
        token: seen.into_row().token,
        entry: asked.entry,
        reason: Words::new(asked.reason),
    };
    Ok(Json(api.deal(&actor, deal).await?))
}
