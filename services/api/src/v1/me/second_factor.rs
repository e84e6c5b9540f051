//! POST /api/v1/me/second-factor, /confirm, /remove: the account's own second factor. Whoever lost the phone asks an admin.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use hemu_ledger::acts::Why;
use hemu_ledger::people::{Keys, SecondFactor};
use hemu_people::{Digest, TotpSecret, Trying, verify_password};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::Api;
use crate::extract::{Body, Viewing};
use crate::people::{Attempt, Caller};
use crate::problem::Problem;
use crate::qr;
use crate::viewer::Viewer;

/// How long a secret that was shown can be confirmed.
const OFFERED_MS: i64 = 10 * 60_000;

/// The own password, once more.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Again {
    password: String,
}

/// What a phone scans, or somebody types into it. It is shown only here, and counts for nothing until it is confirmed.
#[derive(Serialize, ToSchema)]
pub(crate) struct Offer {
    /// In base 32.
    secret: String,
    /// `otpauth://totp/...`.
    url: String,
    /// The URL as a picture to scan, in SVG.
    picture: String,
    /// Until when it can be confirmed, ms since 1970 UTC by the machine's clock.
    until: i64,
}

/// What the phone shows.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Digits {
    #[schema(example = "287082")]
    totp: String,
}

/// The own password once more, and what the phone shows.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Both {
    password: String,
    #[schema(example = "287082")]
    totp: String,
}

/// Shows a secret for a phone. Each time another one; the last one shown can be confirmed.
#[utoipa::path(post, path = "/api/v1/me/second-factor", tag = "people", request_body = Again,
    responses((status = 201, body = Offer),
        (status = 409, body = Problem, description = "there is a second factor, or no password"),
        (status = 422, body = Problem, description = "another password"),
        (status = 429, body = Problem, description = "too many tried")))]
pub(crate) async fn begin(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Viewing(viewer): Viewing,
    Body(asked): Body<Again>,
) -> Result<(StatusCode, Json<Offer>), Problem> {
    let name = viewer.actor.name();
    let (attempt, keys) = proven(&api, &caller, name, asked.password).await?;
    api.forgive(attempt).await?;
    if keys.second != SecondFactor::None {
        let detail = "the account has a second factor; take it away before there is another";
        return Err(Problem::broken(Why::WrongState, detail));
    }
    let secret = TotpSecret::new(api.people.random()?);
    let until = api.people.clock.now().saturating_add(OFFERED_MS);
    let url = secret.url(&api.site.name, name).ok_or_else(Problem::internal)?;
    let offer = Offer {
        secret: secret.typed().ok_or_else(Problem::internal)?,
        picture: qr::drawn(&url).ok_or_else(Problem::internal)?,
        url,
        until,
    };
    api.ledger.offer_totp(name, &secret, until).await?;
    Ok((StatusCode::CREATED, Json(offer)))
}

/// Confirms what was shown, by digits of the phone. From now on the account logs in with both; it stays logged in here, and
/// nowhere else.
#[utoipa::path(post, path = "/api/v1/me/second-factor/confirm", tag = "people", request_body = Digits,
    responses((status = 204, description = "set"),
        (status = 409, body = Problem, description = "nothing was shown in the last ten minutes"),
        (status = 422, body = Problem, description = "other digits")))]
pub(crate) async fn confirm(
    State(api): State<Arc<Api>>,
    Viewing(viewer): Viewing,
    Body(asked): Body<Digits>,
) -> Result<StatusCode, Problem> {
    let now = api.people.clock.now();
    let offered = api.ledger.offered_totp(viewer.actor.name(), now).await?;
    let secret = offered.ok_or_else(|| {
        let detail = "no secret was shown in the last ten minutes; begin again";
        Problem::broken(Why::WrongState, detail)
    })?;
    let step = secret.step(&asked.totp, now, None).ok_or_else(other_digits)?;
    let session = in_person(&viewer)?;
    api.ledger
        .change_own_totp(&viewer.actor, now, &session, Some((&secret, step)))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes it away, for whoever has both. It stays logged in here, and nowhere else.
#[utoipa::path(post, path = "/api/v1/me/second-factor/remove", tag = "people", request_body = Both,
    responses((status = 204, description = "taken away"),
        (status = 409, body = Problem, description = "there is none"),
        (status = 422, body = Problem, description = "another password, or other digits"),
        (status = 429, body = Problem, description = "too many tried")))]
pub(crate) async fn remove(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Viewing(viewer): Viewing,
    Body(asked): Body<Both>,
) -> Result<StatusCode, Problem> {
    let (attempt, keys) = proven(&api, &caller, viewer.actor.name(), asked.password).await?;
    let now = api.people.clock.now();
    if let SecondFactor::Totp(secret, last) = &keys.second {
        secret.step(&asked.totp, now, *last).ok_or_else(other_digits)?;
    }
    if keys.second == SecondFactor::Locked {
        return Err(other_digits());
    }
    let session = in_person(&viewer)?;
    api.ledger
        .change_own_totp(&viewer.actor, now, &session, None)
        .await?;
    api.forgive(attempt).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whoever is logged in knows the password too: a browser that was left open is not enough. Counted like a login.
async fn proven(
    api: &Api,
    caller: &Caller,
    name: &str,
    password: String,
) -> Result<(Attempt, Keys), Problem> {
    let attempt = api
        .attempt(&[Trying::Address(caller.peer), Trying::Account(name)])
        .await?;
    let keys = api.ledger.keys(name).await?.ok_or_else(Problem::internal)?;
    let Some(kept) = keys.password.clone() else {
        api.forgive(attempt).await?;
        let detail =
            "the account has no password, and a second factor is second to one; set a password before";
        return Err(Problem::broken(Why::WrongState, detail));
    };
    let right = api
        .people
        .aside(move || verify_password(&password, Some(&kept)))
        .await?;
    if right {
        return Ok((attempt, keys));
    }
    Err(Problem::malformed(
        "expected the account's own password, came another",
    ))
}

fn other_digits() -> Problem {
    Problem::malformed(
        "expected the six digits that the phone shows now, each good once; came others. Is its clock right?",
    )
}

/// The table lets only persons in (`access`).
fn in_person(viewer: &Viewer) -> Result<Digest, Problem> {
    viewer.session().ok_or_else(Problem::internal)
}

#[cfg(test)]
mod tests;
