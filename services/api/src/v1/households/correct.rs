//! POST /api/v1/households/{id}/correct

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::acts::{Correction, Why};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::api::Api;
use crate::extract::{Acting, Body, Found};
use crate::problem::Problem;
use crate::v1::acts::{Done, Refusals};

/// Characters of a building, a unit or a door, at most.
const MOST: usize = 64;
/// Residents at most.
const RESIDENTS: std::ops::RangeInclusive<i64> = 0..=99;

/// What is right; what is left out stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Correct {
    building: Option<String>,
    unit: Option<String>,
    #[schema(example = "302")]
    door: Option<String>,
    /// 0 to 99.
    residents: Option<i64>,
}

impl Correct {
    fn checked(self) -> Result<Correction, Problem> {
        let text = |text: Option<String>| -> Result<Option<String>, Problem> {
            let Some(text) = text else { return Ok(None) };
            let text = text.trim();
            let fits = (1..=MOST).contains(&text.chars().count()) && !text.chars().any(char::is_control);
            fits.then(|| Some(text.to_owned())).ok_or_else(|| {
                let detail = format!("expected 1 to {MOST} characters of a building, unit or door");
                Problem::broken(Why::Malformed, detail)
            })
        };
        if self
            .residents
            .is_some_and(|residents| !RESIDENTS.contains(&residents))
        {
            return Err(Problem::broken(Why::Malformed, "expected residents of 0 to 99"));
        }
        Ok(Correction {
            building: text(self.building)?,
            unit: text(self.unit)?,
            door: text(self.door)?,
            residents: self.residents,
        })
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
    let position = api.ledger.correct(&actor, at, token, asked.checked()?).await?;
    Ok(Json(Done { position, at }))
}
