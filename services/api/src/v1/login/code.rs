//! POST /api/v1/login/code

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use hemu_ledger::acts::Actor;
use hemu_people::{Role, Trying, code_digest, opaque_name};
use serde::Deserialize;
use utoipa::ToSchema;

use super::enter;
use crate::api::Api;
use crate::extract::Body;
use crate::people::Caller;
use crate::problem::Problem;
use crate::v1::me::Me;

/// A code as it was printed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Code {
    #[schema(example = "ABCD-EFGH-JKLM")]
    code: String,
}

/// Somebody of a household logs in with its code, once, under a new name that says nothing of them. A delegate's code is good
/// for whoever is logged in with the account it is for, and gives that account the household too.
#[utoipa::path(post, path = "/api/v1/login/code", tag = "people", request_body = Code,
    responses((status = 200, body = Me, description = "with the session as a cookie"),
        (status = 401, body = Problem, description = "no such code, or it was used or has run out")))]
pub(crate) async fn post(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Body(asked): Body<Code>,
) -> Result<Response, Problem> {
    let attempt = api.attempt(&[Trying::Address(caller.peer)]).await?;
    let digest = code_digest(&asked.code).ok_or_else(not_good)?;
    let fresh: Actor = opaque_name(api.people.random()?)
        .parse()
        .map_err(|_| Problem::internal())?;
    let now = api.people.clock.now();
    let session = match &caller.session {
        Some(session) => api.ledger.session(session, now).await?,
        None => None,
    };
    let logged_in = session.as_ref().map(|session| session.account.as_str());
    let entered = api.ledger.enter(&digest, now, &fresh, logged_in).await?;
    let name = entered.ok_or_else(not_good)?;
    api.forgive(attempt).await?;
    enter(&api, &caller, &name, Role::Resident).await
}

/// One answer for whatever was wrong.
pub(super) fn not_good() -> Problem {
    Problem::unauthorized(
        "expected a code that is good once and was not used yet, came another; ask for a new one",
    )
}
