//! GET /api/v1/me, /api/v1/me/sessions, POST /api/v1/me/password

pub(super) mod second_factor;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use hemu_ledger::people::{Account, Session};
use hemu_people::{Right, Scope, Trying, verify_password};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::Api;
use crate::extract::{Body, Viewing};
use crate::people::Caller;
use crate::problem::Problem;
use crate::v1::login;

/// Who is logged in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Me {
    account: String,
    #[schema(example = "inspector")]
    role: &'static str,
    #[schema(value_type = Vec<String>, example = json!(["see_site", "see_households"]))]
    rights: Vec<&'static str>,
    /// The tokens of the own households; of a resident.
    households: Vec<String>,
    /// Whether the account logs in with digits of a phone too.
    has_second_factor: bool,
    /// When the session or the token ends, ms since 1970 UTC by the machine's clock.
    until: i64,
}

impl Me {
    fn new(account: &Account, rights: &[Right], scope: Scope, until: i64) -> Self {
        let households = match scope {
            Scope::Everyone => Vec::new(),
            Scope::Own(tokens) => tokens.into_iter().collect(),
        };
        Self {
            account: account.name.clone(),
            role: account.role.as_str(),
            rights: rights.iter().map(|right| right.as_str()).collect(),
            households,
            has_second_factor: account.has_totp,
            until,
        }
    }

    pub(super) async fn of_account(api: &Api, account: &Account, until: i64) -> Result<Self, Problem> {
        let scope = api.ledger.scope_of(&account.name, account.role).await?;
        Ok(Self::new(account, account.role.rights(), scope, until))
    }
}

/// A session of the account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionLine {
    /// ms since 1970 UTC, by the machine's clock.
    created_at: i64,
    /// To the minute.
    seen_at: i64,
    until: i64,
}

impl From<Session> for SessionLine {
    fn from(session: Session) -> Self {
        Self {
            created_at: session.created_at,
            seen_at: session.seen_at,
            until: session.until,
        }
    }
}

/// A new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Password {
    /// The one there is; of an account that has none, nothing.
    old: Option<String>,
    /// 10 to 128 characters.
    new: String,
}

/// Who is logged in, and what they may do.
#[utoipa::path(get, path = "/api/v1/me", tag = "people", responses((status = 200, body = Me)))]
pub(crate) async fn get(State(api): State<Arc<Api>>, Viewing(viewer): Viewing) -> Result<Json<Me>, Problem> {
    let account = api.ledger.account(viewer.actor.name()).await?;
    let account = account.ok_or_else(Problem::internal)?;
    let me = Me::new(&account, &viewer.rights(), viewer.scope.clone(), viewer.until);
    Ok(Json(me))
}

/// Where the account is logged in, newest first.
#[utoipa::path(get, path = "/api/v1/me/sessions", tag = "people", responses((status = 200, body = Vec<SessionLine>)))]
pub(crate) async fn sessions(
    State(api): State<Arc<Api>>,
    Viewing(viewer): Viewing,
) -> Result<Json<Vec<SessionLine>>, Problem> {
    let sessions = api
        .ledger
        .sessions(viewer.actor.name(), api.people.clock.now())
        .await?;
    Ok(Json(sessions.into_iter().map(SessionLine::from).collect()))
}

/// Changes the own password; every session of the account ends.
#[utoipa::path(post, path = "/api/v1/me/password", tag = "people", request_body = Password,
    responses((status = 204, description = "changed"),
        (status = 422, body = Problem, description = "the old one is another, or the new one too easy")))]
pub(crate) async fn password(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Viewing(viewer): Viewing,
    Body(asked): Body<Password>,
) -> Result<StatusCode, Problem> {
    let name = viewer.actor.name();
    let attempt = api
        .attempt(&[Trying::Address(caller.peer), Trying::Account(name)])
        .await?;
    let keys = api.ledger.keys(name).await?;
    if let Some(kept) = keys.and_then(|keys| keys.password) {
        let old = asked.old.unwrap_or_default();
        let right = api
            .people
            .aside(move || verify_password(&old, Some(&kept)))
            .await?;
        if !right {
            return Err(Problem::malformed(
                "expected the password there is as `old`, came another",
            ));
        }
    }
    let kept = login::kept(&api, name, asked.new).await?;
    api.ledger
        .set_password(&viewer.actor, api.people.clock.now(), name, &kept)
        .await?;
    api.forgive(attempt).await?;
    Ok(StatusCode::NO_CONTENT)
}
