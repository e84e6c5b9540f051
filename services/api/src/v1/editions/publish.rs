//! POST /api/v1/editions/{id}/publish

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::acts::Act;

use super::Edition;
use crate::api::Api;
use crate::extract::{Acting, Number};
use crate::problem::Problem;
use crate::v1::acts::Refusals;

/// Publishes, as the second person, what a first proposed to publish.
#[utoipa::path(post, path = "/api/v1/editions/{id}/publish", tag = "editions",
    params(("id" = u64, Path, description = "the edition's number")),
    responses((status = 200, body = Edition), Refusals))]
pub(crate) async fn post(
    State(api): State<Arc<Api>>,
    Number(edition): Number,
    Acting(actor): Acting,
) -> Result<Json<Edition>, Problem> {
    api.act(&actor, Act::Publish { edition }).await?;
    Edition::after(&api, edition).await
}
