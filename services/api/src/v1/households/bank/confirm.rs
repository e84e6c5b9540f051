//! POST /api/v1/households/{id}/bank/confirm

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::bank::Deal;
use serde::Deserialize;
use utoipa::ToSchema;

use super::Refusals;
use crate::api::Api;
use crate::extract::{Acting, Body, Found};
use crate::problem::Problem;
use crate::v1::acts::Done;

/// Which service, and whether it was so.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Confirm {
    /// 8 to 64 letters, digits, `_` and `-`, drawn anew for every request. Sent again, it gets the first one's answer.
    #[schema(example = "q3bR0w7yZkd4")]
    key: String,
    /// Its `id`.
    service: u64,
    /// Whether it was so. If not, nobody gets anything.
    agreed: bool,
}

/// The household that was helped says whether it was so: by itself, or with an officer who did not record the service.
#[utoipa::path(post, path = "/api/v1/households/{id}/bank/confirm", tag = "bank", request_body = Confirm,
    params(("id" = String, Path, description = "token")),
    responses((status = 200, body = Done), Refusals))]
pub(crate) async fn post(
    State(api): State<Arc<Api>>,
    Acting(actor): Acting,
    Found(seen): Found,
    Body(asked): Body<Confirm>,
) -> Result<Json<Done>, Problem> {
    let deal = Deal::Confirm {
        key: asked.key,
        token: seen.into_row().token,
        service: asked.service,
        agreed: asked.agreed,
    };
    Ok(Json(api.deal(&actor, deal).await?))
}
