//! POST /api/v1/login/password

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use hemu_ledger::people::Purpose;
use hemu_people::{Trying, code_digest};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{code, kept};
use crate::api::Api;
use crate::extract::Body;
use crate::people::Caller;
use crate::problem::Problem;

/// The code that an admin gave somebody, and the password they choose.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Choice {
    #[schema(example = "ABCD-EFGH-JKLM")]
    code: String,
    /// 10 to 128 characters.
    password: String,
}

/// Sets the password of the account that a code is for; then log in with it.
#[utoipa::path(post, path = "/api/v1/login/password", tag = "people", request_body = Choice,
    responses((status = 204, description = "set"),
        (status = 401, body = Problem, description = "no such code, or it was used or has run out"),
        (status = 422, body = Problem, description = "a password that is too easy")))]
pub(crate) async fn post(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Body(asked): Body<Choice>,
) -> Result<StatusCode, Problem> {
    let attempt = api.attempt(&[Trying::Address(caller.peer)]).await?;
    let now = api.people.clock.now();
    let digest = code_digest(&asked.code).ok_or_else(code::not_good)?;
    let known = api.ledger.code(&digest, now).await?;
    let known = known
        .filter(|code| code.purpose == Purpose::Password)
        .and_then(|code| code.account);
    let name = known.ok_or_else(code::not_good)?;
    let password = kept(&api, &name, asked.password).await?;
    let set = api.ledger.set_password_by_code(&digest, now, &password).await?;
    set.ok_or_else(code::not_good)?;
    api.forgive(attempt).await?;
    Ok(StatusCode::NO_CONTENT)
}
