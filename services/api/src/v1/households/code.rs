//! POST /api/v1/households/{id}/code

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use hemu_ledger::people::{NewCode, Purpose};
use hemu_people::{HOUSEHOLD_CODE_DAYS, Secret};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::api::Api;
use crate::extract::{Acting, Body, Id};
use crate::problem::Problem;
use crate::v1::accounts::CodeMade;

const CODE_MS: i64 = HOUSEHOLD_CODE_DAYS * 86_400_000;

/// Whom the code is for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct For {
    /// The account of somebody else that is to act for the household; without it, somebody of the household.
    delegate: Option<String>,
}

/// Makes a code with which somebody logs in for a household, once, within thirty days. One made before and not used is
/// void, and so is this one when somebody else moves in.
#[utoipa::path(post, path = "/api/v1/households/{id}/code", tag = "people", request_body = For,
    params(("id" = String, Path, description = "token")),
    responses((status = 201, body = CodeMade), (status = 404, body = Problem, description = "no such household or account"),
        (status = 422, body = Problem, description = "the delegate is no resident")))]
pub(crate) async fn post(
    State(api): State<Arc<Api>>,
    Acting(by): Acting,
    Id(token): Id,
    Body(asked): Body<For>,
) -> Result<(StatusCode, Json<CodeMade>), Problem> {
    let code = Secret::code(api.people.random()?);
    let now = api.people.clock.now();
    let until = now.saturating_add(CODE_MS);
    let delegate = asked.delegate.as_deref();
    let new = NewCode {
        digest: code.digest(),
        purpose: delegate.map_or(Purpose::Resident, |_| Purpose::Delegate),
        account: delegate,
        token: Some(&token),
    };
    api.ledger.make_codes(&by, now, until, &[new]).await?;
    Ok((StatusCode::CREATED, Json(CodeMade::new(&code, until))))
}
