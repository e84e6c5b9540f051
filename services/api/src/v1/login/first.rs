//! POST /api/v1/login/first

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use hemu_ledger::acts::Actor;
use hemu_people::{Role, Trying, code_digest};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{code, enter, kept};
use crate::api::Api;
use crate::extract::Body;
use crate::people::Caller;
use crate::problem::Problem;
use crate::v1::me::Me;

/// The code that a server without an admin prints at its start, and who is to be the first.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct First {
    #[schema(example = "ABCD-EFGH-JKLM")]
    code: String,
    /// Letters, digits and any of `_-.@:`, at most 64.
    name: String,
    /// 10 to 128 characters.
    password: String,
}

/// Makes the first admin and logs in as them.
#[utoipa::path(post, path = "/api/v1/login/first", tag = "people", request_body = First,
    responses((status = 200, body = Me, description = "with the session as a cookie"),
        (status = 401, body = Problem, description = "no such code, or there is an admin"),
        (status = 409, body = Problem, description = "the name is taken"),
        (status = 422, body = Problem, description = "not a name, or a password that is too easy")))]
pub(crate) async fn post(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Body(asked): Body<First>,
) -> Result<Response, Problem> {
    let attempt = api.attempt(&[Trying::Address(caller.peer)]).await?;
    let now = api.people.clock.now();
    let digest = code_digest(&asked.code).ok_or_else(code::not_good)?;
    api.ledger.code(&digest, now).await?.ok_or_else(code::not_good)?;
    let name: Actor = asked
        .name
        .parse()
        .map_err(|error| Problem::malformed(format!("{error}")))?;
    let password = kept(&api, name.name(), asked.password).await?;
    if !api.ledger.first_admin(&digest, now, &name, &password).await? {
        return Err(code::not_good());
    }
    api.forgive(attempt).await?;
    enter(&api, &caller, name.name(), Role::Admin).await
}
