//! POST /api/v1/accounts/{id}/disable, /enable, /role, /code, /second-factor/remove

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use hemu_ledger::acts::Why;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{AccountLine, CodeMade, password_code, staff};
use crate::api::Api;
use crate::extract::{Acting, Body, Id};
use crate::problem::Problem;

/// Another role.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRole {
    #[schema(example = "grid_officer")]
    role: String,
}

async fn line(api: &Api, name: &str) -> Result<Json<AccountLine>, Problem> {
    let account = api.ledger.account(name).await?;
    account
        .map(|account| Json(account.into()))
        .ok_or_else(Problem::internal)
}

/// Ends an account's right to log in, and its sessions and tokens with it. What it did stays.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/disable", tag = "people",
    params(("id" = String, Path, description = "the account's name")),
    responses((status = 200, body = AccountLine), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "it is disabled, or the only admin")))]
pub(crate) async fn disable(
    State(api): State<Arc<Api>>,
    Acting(by): Acting,
    Id(name): Id,
) -> Result<Json<AccountLine>, Problem> {
    api.ledger
        .enable_account(&by, api.people.clock.now(), &name, false)
        .await?;
    line(&api, &name).await
}

/// Gives it back.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/enable", tag = "people",
    params(("id" = String, Path, description = "the account's name")),
    responses((status = 200, body = AccountLine), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "it is not disabled")))]
pub(crate) async fn enable(
    State(api): State<Arc<Api>>,
    Acting(by): Acting,
    Id(name): Id,
) -> Result<Json<AccountLine>, Problem> {
    api.ledger
        .enable_account(&by, api.people.clock.now(), &name, true)
        .await?;
    line(&api, &name).await
}

/// Gives an account another role; whoever is logged in with it logs in again.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/role", tag = "people", request_body = NewRole,
    params(("id" = String, Path, description = "the account's name")),
    responses((status = 200, body = AccountLine), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "it has the role, or is the only admin"),
        (status = 422, body = Problem, description = "no role of staff")))]
pub(crate) async fn role(
    State(api): State<Arc<Api>>,
    Acting(by): Acting,
    Id(name): Id,
    Body(asked): Body<NewRole>,
) -> Result<Json<AccountLine>, Problem> {
    let role = staff(&asked.role)?;
    api.ledger
        .set_role(&by, api.people.clock.now(), &name, role)
        .await?;
    line(&api, &name).await
}

/// Makes a code with which somebody sets the password of their account, once, within a day.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/code", tag = "people",
    params(("id" = String, Path, description = "the account's name")),
    responses((status = 201, body = CodeMade), (status = 404, body = Problem)))]
pub(crate) async fn code(
    State(api): State<Arc<Api>>,
    Acting(by): Acting,
    Id(name): Id,
) -> Result<(StatusCode, Json<CodeMade>), Problem> {
    let made = password_code(&api, &by, &name).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Takes away the second factor of somebody who lost the phone; whoever is logged in with the account logs in again. The own
/// one goes with its digits, under `/me`: a browser that was left open must not be enough.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/second-factor/remove", tag = "people",
    params(("id" = String, Path, description = "the account's name")),
    responses((status = 200, body = AccountLine), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "it has none, or is the own account")))]
pub(crate) async fn remove_second_factor(
    State(api): State<Arc<Api>>,
    Acting(by): Acting,
    Id(name): Id,
) -> Result<Json<AccountLine>, Problem> {
    if by.name() == name {
        let detail = "expected another account's second factor, came the own; take it away with its digits, or ask \
             another admin, or run `hemu user totp NAME --remove` on the server";
        return Err(Problem::broken(Why::SamePerson, detail));
    }
    api.ledger
        .set_totp(&by, api.people.clock.now(), &name, None)
        .await?;
    line(&api, &name).await
}
