//! POST /api/v1/objections

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use hemu_ledger::acts::{Act, EditionId, Words};
use serde::Deserialize;
use utoipa::ToSchema;

use super::ObjectionDetail;
use crate::api::Api;
use crate::extract::{Acting, Body, Sees, found};
use crate::page::Place;
use crate::problem::Problem;
use crate::v1::acts::Refusals;

/// What a household objects to, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Object {
    edition: EditionId,
    /// The household's token.
    household: String,
    /// Places of 1 to 32 readings of its own, as its deposits give them.
    #[schema(value_type = Vec<String>, example = json!(["4711.0"]))]
    readings: Vec<Place>,
    /// In a person's own words, 1 to 4000 characters.
    words: String,
}

/// A household objects to what some of its readings say, while its window is open. Until it is decided the household is
/// on no black list, and its window stands still.
#[utoipa::path(post, path = "/api/v1/objections", tag = "objections", request_body = Object,
    responses((status = 201, body = ObjectionDetail), Refusals))]
pub(crate) async fn post(
    State(api): State<Arc<Api>>,
    Sees(sight): Sees,
    Acting(actor): Acting,
    Body(asked): Body<Object>,
) -> Result<(StatusCode, Json<ObjectionDetail>), Problem> {
    let household = found(&sight, &asked.household).await?.into_row();
    let act = Act::Object {
        edition: asked.edition,
        token: household.token,
        readings: asked.readings.into_iter().map(Place::pair).collect(),
        words: Words::new(asked.words),
    };
    let id = api.act(&actor, act).await?;
    let objection = ObjectionDetail::read(&api, &sight, id, Some(&actor)).await?;
    Ok((StatusCode::CREATED, Json(objection)))
}
