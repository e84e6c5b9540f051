//! POST /api/v1/households/{id}/bank/service

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

/// Whom somebody of the household helped, how, and from when to when.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Serve {
    /// 8 to 64 letters, digits, `_` and `-`, drawn anew for every request. Sent again, it gets the first one's answer.
    #[schema(example = "q3bR0w7yZkd3")]
    key: String,
    /// The token of the household that was helped.
    helped: String,
    help: HelpWord,
    /// Sign-in and sign-out, ms since 1970 UTC: 1 to 480 minutes of the last 31 days.
    began: i64,
    ended: i64,
}

/// Records a service that somebody of the household did. It gets the minutes once the household that was helped confirms.
#[utoipa::path(post, path = "/api/v1/households/{id}/bank/service", tag = "bank", request_body = Serve,
    params(("id" = String, Path, description = "token")),
    responses((status = 200, body = Done), Refusals))]
pub(crate) async fn post(
    State(api): State<Arc<Api>>,
    Acting(actor): Acting,
    Found(seen): Found,
    Body(asked): Body<Serve>,
) -> Result<Json<Done>, Problem> {
    let deal = Deal::Serve {
        key: asked.key,
        token: seen.into_row().token,
        helped: asked.helped,
        help: asked.help.into(),
        began: asked.began,
        ended: asked.ended,
    };
    Ok(Json(api.deal(&actor, deal).await?))
}
