//! POST /api/v1/editions/{id}/retract

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::acts::{Act, Words};
use serde::Deserialize;
use utoipa::ToSchema;

use super::Edition;
use crate::api::Api;
use crate::extract::{Acting, Body, Number};
use crate::problem::Problem;
use crate::v1::acts::Refusals;

/// Why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Retract {
    /// In a person's own words, 1 to 4000 characters.
    reason: String,
}

/// Takes an edition back, at any time before it is over.
#[utoipa::path(post, path = "/api/v1/editions/{id}/retract", tag = "editions", request_body = Retract,
    params(("id" = u64, Path, description = "the edition's number")),
    responses((status = 200, body = Edition), Refusals))]
pub(crate) async fn post(
    State(api): State<Arc<Api>>,
    Number(edition): Number,
    Acting(actor): Acting,
    Body(asked): Body<Retract>,
) -> Result<Json<Edition>, Problem> {
    let reason = Words::new(asked.reason);
    api.act(&actor, Act::Retract { edition, reason }).await?;
    Edition::after(&api, edition).await
}
