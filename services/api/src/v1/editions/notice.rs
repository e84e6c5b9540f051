//! POST /api/v1/editions/{id}/notice

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::acts::{Act, WINDOW_DAYS};
use serde::Deserialize;
use utoipa::ToSchema;

use super::Edition;
use crate::api::Api;
use crate::extract::{Acting, Body, Number};
use crate::problem::Problem;
use crate::v1::acts::Refusals;

/// How long households may object.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Notice {
    /// How long the window is open, 1 to 90 days; 7 without it.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 90)]
    days: Option<u16>,
}

/// Notes that the households were told in private: the objection window is open from now on.
#[utoipa::path(post, path = "/api/v1/editions/{id}/notice", tag = "editions", request_body = Notice,
    params(("id" = u64, Path, description = "the edition's number")),
    responses((status = 200, body = Edition), Refusals))]
pub(crate) async fn post(
    State(api): State<Arc<Api>>,
    Number(edition): Number,
    Acting(actor): Acting,
    Body(asked): Body<Notice>,
) -> Result<Json<Edition>, Problem> {
    let days = asked.days.unwrap_or(WINDOW_DAYS);
    api.act(&actor, Act::Notice { edition, days }).await?;
    Edition::after(&api, edition).await
}
