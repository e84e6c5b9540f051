//! POST /api/v1/login

pub(super) mod code;
pub(super) mod first;
pub(super) mod password;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use hemu_ledger::people::{Proof, SecondFactor};
use hemu_people::{Role, Secret, Trying, check_password, hash_password, verify_password};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::api::Api;
use crate::extract::Body;
use crate::people::Caller;
use crate::problem::Problem;
use crate::v1::me::Me;

/// What somebody logs in with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Login {
    name: String,
    password: String,
    /// The six digits of the second factor, where the account has one.
    totp: Option<String>,
}

/// Logs in. An account that is not there, a wrong password, wrong digits and a disabled account are answered alike.
#[utoipa::path(post, path = "/api/v1/login", tag = "people", request_body = Login,
    responses((status = 200, body = Me, description = "with the session as a cookie"),
        (status = 401, body = Problem, description = "not these")))]
pub(crate) async fn post(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Body(asked): Body<Login>,
) -> Result<Response, Problem> {
    let Login { name, password, totp } = asked;
    let attempt = api
        .attempt(&[Trying::Address(caller.peer), Trying::Account(&name)])
        .await?;
    let keys = api.ledger.keys(&name).await?;
    let kept = keys.as_ref().and_then(|keys| keys.password.clone());
    let fits = kept.clone();
    let right = api
        .people
        .aside(move || verify_password(&password, kept.as_deref()))
        .await?;
    let (Some(keys), Some(fits)) = (keys.filter(|_| right), fits) else {
        return Err(refused());
    };
    let step = match &keys.second {
        SecondFactor::None => None,
        SecondFactor::Totp(secret, last) => {
            let digits = totp.as_deref().unwrap_or_default();
            let step = secret.step(digits, api.people.clock.now(), *last);
            Some(step.ok_or_else(refused)?)
        }
        SecondFactor::Locked => {
            tracing::warn!(
                "a second factor was sealed with a key that is not here; take it away with `hemu user totp NAME --remove`"
            );
            return Err(refused());
        }
    };
    let session = Secret::session(api.people.random()?);
    let (now, who) = (api.people.clock.now(), (name.as_str(), keys.role));
    let proof = Proof {
        password: &fits,
        totp_step: step,
    };
    if !api
        .ledger
        .begin_session(&session.digest(), who, Some(proof), now)
        .await?
    {
        return Err(refused());
    }
    api.forgive(attempt).await?;
    welcome(&api, &caller, &session, &name).await
}

/// One answer for whatever was wrong.
fn refused() -> Problem {
    Problem::unauthorized(
        "expected the name and password of an account, and the digits of its second factor where it has one; came others",
    )
}

/// Logs in an account that proved itself in another way.
async fn enter(api: &Api, caller: &Caller, name: &str, role: Role) -> Result<Response, Problem> {
    let session = Secret::session(api.people.random()?);
    let now = api.people.clock.now();
    if !api
        .ledger
        .begin_session(&session.digest(), (name, role), None, now)
        .await?
    {
        return Err(refused());
    }
    welcome(api, caller, &session, name).await
}

/// Hands the session over; the one that the browser had before is over.
async fn welcome(api: &Api, caller: &Caller, session: &Secret, name: &str) -> Result<Response, Problem> {
    if let Some(before) = &caller.session {
        api.ledger.end_session(before).await?;
    }
    let account = api.ledger.account(name).await?.ok_or_else(refused)?;
    let lasting = account.role.session();
    let until = api.people.clock.now().saturating_add(lasting.most_ms);
    let me = Me::of_account(api, &account, until).await?;
    let cookie = [(header::SET_COOKIE, caller.keep(session, lasting))];
    Ok((cookie, Json(me)).into_response())
}

/// The form in which a password that may be an account's is kept.
pub(super) async fn kept(api: &Api, name: &str, password: String) -> Result<String, Problem> {
    check_password(name, &password).map_err(|weak| Problem::malformed(weak.to_string()))?;
    let salt = api.people.random()?;
    let hashed = api.people.aside(move || hash_password(&password, salt)).await?;
    hashed.map_err(|_| Problem::internal())
}

#[cfg(test)]
mod tests;
