//! POST /api/v1/objections/{id}/decide

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::acts::{Act, Words};
use serde::Deserialize;
use utoipa::ToSchema;

use super::ObjectionDetail;
use crate::api::Api;
use crate::extract::{Acting, Body, Number, Sees};
use crate::problem::Problem;
use crate::v1::acts::Refusals;

/// How it is decided, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Decide {
    /// True strikes the readings, and the edition is computed again without them.
    upheld: bool,
    /// In a person's own words, 1 to 4000 characters.
    reason: String,
}

/// Decides on an objection: not for who raised it, nor for the inspector who made one of the readings.
#[utoipa::path(post, path = "/api/v1/objections/{id}/decide", tag = "objections", request_body = Decide,
    params(("id" = u64, Path, description = "the objection's number")),
    responses((status = 200, body = ObjectionDetail), Refusals))]
pub(crate) async fn post(
    State(api): State<Arc<Api>>,
    Number(id): Number,
    Sees(sight): Sees,
    Acting(actor): Acting,
    Body(asked): Body<Decide>,
) -> Result<Json<ObjectionDetail>, Problem> {
    let act = Act::DecideObjection {
        objection: id,
        upheld: asked.upheld,
        reason: Words::new(asked.reason),
    };
    api.act(&actor, act).await?;
    Ok(Json(ObjectionDetail::read(&api, &sight, id, Some(&actor)).await?))
}
