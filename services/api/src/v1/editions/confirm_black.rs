//! POST /api/v1/editions/{id}/confirm-black

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::acts::Act;
use serde::Deserialize;
use utoipa::ToSchema;

use super::places::EditionPlace;
use crate::api::Api;
use crate::extract::{Acting, Body, Number, Sees};
use crate::problem::Problem;
use crate::v1::acts::Refusals;

/// Whose.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfirmBlack {
    /// The household's token.
    household: String,
}

/// Says the same as the second person: only then is the name black.
#[utoipa::path(post, path = "/api/v1/editions/{id}/confirm-black", tag = "editions", request_body = ConfirmBlack,
    params(("id" = u64, Path, description = "the edition's number")),
    responses((status = 200, body = EditionPlace), Refusals))]
pub(crate) async fn post(
    State(api): State<Arc<Api>>,
    Number(edition): Number,
    Sees(sight): Sees,
    Acting(actor): Acting,
    Body(asked): Body<ConfirmBlack>,
) -> Result<Json<EditionPlace>, Problem> {
    let token = asked.household;
    let act = Act::ConfirmBlack {
        edition,
        token: token.clone(),
    };
    api.act(&actor, act).await?;
    EditionPlace::after(&sight, edition, &token, &actor).await
}
