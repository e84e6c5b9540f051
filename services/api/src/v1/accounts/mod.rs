//! GET, POST /api/v1/accounts

pub(super) mod keep;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use hemu_ledger::acts::Actor;
use hemu_ledger::people::{Account, NewCode, Purpose};
use hemu_people::{PASSWORD_CODE_MS, Role, Secret};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::Api;
use crate::extract::{Acting, Body};
use crate::problem::Problem;

/// Somebody who may log in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccountLine {
    name: String,
    #[schema(example = "inspector")]
    role: &'static str,
    /// ms since 1970 UTC.
    created_at: i64,
    disabled_at: Option<i64>,
    has_password: bool,
    has_second_factor: bool,
}

impl From<Account> for AccountLine {
    fn from(account: Account) -> Self {
        Self {
            name: account.name,
            role: account.role.as_str(),
            created_at: account.created_at,
            disabled_at: account.disabled_at,
            has_password: account.has_password,
            has_second_factor: account.has_totp,
        }
    }
}

/// Whom to add.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAccount {
    /// Letters, digits and any of `_-.@:`, at most 64.
    name: String,
    #[schema(example = "inspector")]
    role: String,
}

/// A code to be told to whom it is for. It is shown only here.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CodeMade {
    #[schema(example = "ABCD-EFGH-JKLM")]
    code: String,
    /// ms since 1970 UTC, by the machine's clock.
    until: i64,
}

impl CodeMade {
    pub(super) fn new(code: &Secret, until: i64) -> Self {
        Self {
            code: code.tell().to_owned(),
            until,
        }
    }
}

/// All accounts by name.
#[utoipa::path(get, path = "/api/v1/accounts", tag = "people", responses((status = 200, body = Vec<AccountLine>)))]
pub(crate) async fn list(State(api): State<Arc<Api>>) -> Result<Json<Vec<AccountLine>>, Problem> {
    let accounts = api.ledger.accounts().await?;
    Ok(Json(accounts.into_iter().map(AccountLine::from).collect()))
}

/// Adds an account without a password; the code answered sets one, within a day, at `/api/v1/login/password`.
#[utoipa::path(post, path = "/api/v1/accounts", tag = "people", request_body = NewAccount,
    responses((status = 201, body = CodeMade), (status = 409, body = Problem, description = "the name is taken"),
        (status = 422, body = Problem, description = "not a name, or no role of staff")))]
pub(crate) async fn post(
    State(api): State<Arc<Api>>,
    Acting(by): Acting,
    Body(asked): Body<NewAccount>,
) -> Result<(StatusCode, Json<CodeMade>), Problem> {
    let name: Actor = asked
        .name
        .parse()
        .map_err(|error| Problem::malformed(format!("{error}")))?;
    let role = staff(&asked.role)?;
    api.ledger
        .add_account(&by, api.people.clock.now(), (&name, role), None)
        .await?;
    let made = password_code(&api, &by, name.name()).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// A role that an admin gives; a resident's comes with a household's code.
fn staff(word: &str) -> Result<Role, Problem> {
    let role: Role = word
        .parse()
        .map_err(|error| Problem::malformed(format!("{error}")))?;
    if role.is_staff() {
        return Ok(role);
    }
    Err(Problem::malformed(
        "expected a role of staff, came resident; a resident's account is made by a household's code",
    ))
}

async fn password_code(api: &Api, by: &Actor, name: &str) -> Result<CodeMade, Problem> {
    let code = Secret::code(api.people.random()?);
    let now = api.people.clock.now();
    let until = now.saturating_add(PASSWORD_CODE_MS);
    let new = NewCode {
        digest: code.digest(),
        purpose: Purpose::Password,
        account: Some(name),
        token: None,
    };
    api.ledger.make_codes(by, now, until, &[new]).await?;
    Ok(CodeMade::new(&code, until))
}
