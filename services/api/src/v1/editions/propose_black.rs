//! POST /api/v1/editions/{id}/propose-black

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
pub(crate) struct ProposeBlack {
    /// The household's token.
    household: String,
}

/// Says, as the first of two persons, that a black name which the rule proposed stands.
#[utoipa::path(post, path = "/api/v1/editions/{id}/propose-black", tag = "editions", request_body = ProposeBlack,
    params(("id" = u64, Path, description = "the edition's number")),
    responses((status = 200, body = EditionPlace), Refusals))]
pub(crate) async fn post(
    State(api): State<Arc<Api>>,
    Number(edition): Number,
    Sees(sight): Sees,
    Acting(actor): Acting,
    Body(asked): Body<ProposeBlack>,
) -> Result<Json<EditionPlace>, Problem> {
    let token = asked.household;
    let act = Act::ProposeBlack {
        edition,
        token: token.clone(),
    };
    api.act(&actor, act).await?;
    EditionPlace::after(&sight, edition, &token, &actor).await
}
