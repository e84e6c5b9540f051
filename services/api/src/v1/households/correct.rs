//! POST /api/v1/households/{id}/correct

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::acts::Correction;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::api::Api;
use crate::extract::{Acting, Body, Found};
use crate::problem::Problem;
use crate::v1::acts::{Done, Refusals};

/// What is right; what is left out stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Correct {
    /// This and the next two: 1 to 64 characters that can be printed.
    building: Option<String>,
    unit: Option<String>,
    #[schema(example = "302")]
    door: Option<String>,
    /// 0 to 99.
    residents: Option<i64>,
}

impl From<Correct> for Correction {
    fn from(asked: Correct) -> Self {
        let Correct {
            building,
            unit,
            door,
            residents,
        } = asked;
        Self {
            building,
            unit,
            door,
            residents,
        }
    }
}

/// Where the household lives was wrong in the register.
#[utoipa::path(post, path = "/api/v1/households/{id}/correct", tag = "households", request_body = Correct,
    params(("id" = String, Path, description = "token")),
    responses((status = 200, body = Done), Refusals))]
pub(crate) async fn post(
    State(api): State<Arc<Api>>,
    Acting(actor): Acting,
    Found(seen): Found,
    Body(asked): Body<Correct>,
) -> Result<Json<Done>, Problem> {
    let at = api.clock.now();
    let token = &seen.row().token;
    let position = api.ledger.correct(&actor, at, token, asked.into()).await?;
    Ok(Json(Done { position, at }))
}
