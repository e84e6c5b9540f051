//! POST /api/v1/editions/{id}/lift

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::acts::{Act, Words};
use serde::Deserialize;
use utoipa::ToSchema;

use super::places::EditionPlace;
use crate::api::Api;
use crate::extract::{Acting, Body, Number, Sees};
use crate::problem::Problem;
use crate::v1::acts::Refusals;

/// Whose, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lift {
    /// The household's token.
    household: String,
    /// In a person's own words, 1 to 4000 characters.
    reason: String,
}

/// Takes a black name or a warning off; one person may.
#[utoipa::path(post, path = "/api/v1/editions/{id}/lift", tag = "editions", request_body = Lift,
    params(("id" = u64, Path, description = "the edition's number")),
    responses((status = 200, body = EditionPlace), Refusals))]
pub(crate) async fn post(
    State(api): State<Arc<Api>>,
    Number(edition): Number,
    Sees(sight): Sees,
    Acting(actor): Acting,
    Body(asked): Body<Lift>,
) -> Result<Json<EditionPlace>, Problem> {
    let token = asked.household;
    let act = Act::Lift {
        edition,
        token: token.clone(),
        reason: Words::new(asked.reason),
    };
    api.act(&actor, act).await?;
    EditionPlace::after(&sight, edition, &token, &actor).await
}
