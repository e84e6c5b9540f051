//! POST /api/v1/households/{id}/bank/transfer

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::bank::Deal;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{HelpWord, Refusals};
use crate::api::Api;
use crate::extract::{Acting, Body, Found};
use crate::problem::Problem;
use crate::v1::acts::Done;

/// Minutes for help.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Transfer {
    /// 8 to 64 letters, digits, `_` and `-`, drawn anew for every request. Sent again, it gets the first one's answer.
    #[schema(example = "q3bR0w7yZkd5")]
    key: String,
    /// The token of the household that helped.
    to: String,
    #[schema(minimum = 1, maximum = 100_000)]
    minutes: u32,
    help: HelpWord,
}

/// A household gives minutes to another one as the price of help.
#[utoipa::path(post, path = "/api/v1/households/{id}/bank/transfer", tag = "bank", request_body = Transfer,
    params(("id" = String, Path, description = "token")),
    responses((status = 200, body = Done), Refusals))]
pub(crate) async fn post(
    State(api): State<Arc<Api>>,
    Acting(actor): Acting,
    Found(seen): Found,
    Body(asked): Body<Transfer>,
) -> Result<Json<Done>, Problem> {
    let deal = Deal::Transfer {
        key: asked.key,
        token: seen.into_row().token,
        to: asked.to,
        minutes: asked.minutes,
        help: asked.help.into(),
    };
    Ok(Json(api.deal(&actor, deal).await?))
}
