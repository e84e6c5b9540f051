//! GET, POST /api/v1/tokens, POST /api/v1/tokens/{id}/revoke

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use hemu_ledger::people::{ApiToken, NewToken};
use hemu_people::{Right, Secret, TOKEN_DAYS_MOST, hex};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::Api;
use crate::extract::{Body, Id, Viewing};
use crate::problem::Problem;
use crate::viewer::Viewer;

const DAY_MS: i64 = 86_400_000;

/// A token as it is listed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokenLine {
    id: String,
    account: String,
    label: String,
    #[schema(value_type = Vec<String>, example = json!(["see_site"]))]
    scopes: Vec<&'static str>,
    /// ms since 1970 UTC, by the machine's clock.
    created_at: i64,
    until: i64,
    revoked_at: Option<i64>,
    /// When a program last used it, to the minute; null where none did since this is noted.
    used_at: Option<i64>,
}

impl From<ApiToken> for TokenLine {
    fn from(token: ApiToken) -> Self {
        Self {
            id: token.id,
            account: token.account,
            label: token.label,
            scopes: token.scopes.iter().map(|right| right.as_str()).collect(),
            created_at: token.created_at,
            until: token.until,
            revoked_at: token.revoked_at,
            used_at: token.used_at,
        }
    }
}

/// What a program is to be allowed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// What it is for, 1 to 64 characters.
    label: String,
    /// Some of the own rights, as `/api/v1/me` names them.
    #[schema(example = json!(["see_site"]))]
    scopes: Vec<String>,
    /// Days until it ends, 1 to 366.
    #[schema(minimum = 1, maximum = 366)]
    days: u16,
}

/// A token. It is shown only here.
#[derive(Serialize, ToSchema)]
pub(crate) struct TokenMade {
    id: String,
    token: String,
    /// ms since 1970 UTC, by the machine's clock.
    until: i64,
}

/// The account's own tokens; those of all for whoever keeps the accounts.
#[utoipa::path(get, path = "/api/v1/tokens", tag = "people", responses((status = 200, body = Vec<TokenLine>)))]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Viewing(viewer): Viewing,
) -> Result<Json<Vec<TokenLine>>, Problem> {
    let tokens = api.ledger.api_tokens(whose(&viewer)).await?;
    Ok(Json(tokens.into_iter().map(TokenLine::from).collect()))
}

/// Lets a program act as the own account, with some of its rights. Only a person who is logged in can.
#[utoipa::path(post, path = "/api/v1/tokens", tag = "people", request_body = Wanted,
    responses((status = 201, body = TokenMade),
        (status = 422, body = Problem, description = "no rights, others than the own ones, or no such days")))]
pub(crate) async fn post(
    State(api): State<Arc<Api>>,
    Viewing(viewer): Viewing,
    Body(asked): Body<Wanted>,
) -> Result<(StatusCode, Json<TokenMade>), Problem> {
    if !(1..=TOKEN_DAYS_MOST).contains(&asked.days) {
        return Err(Problem::malformed(format!(
            "expected 1 to {TOKEN_DAYS_MOST} days, came {}",
            asked.days
        )));
    }
    let scopes: Result<Vec<Right>, _> = asked.scopes.iter().map(|word| word.parse()).collect();
    let scopes = scopes.map_err(|error| Problem::malformed(error.to_string()))?;
    let secret = Secret::token(api.people.random()?);
    let id = hex(&api.people.random::<6>()?);
    let now = api.people.clock.now();
    let new = NewToken {
        id: &id,
        digest: secret.digest(),
        account: viewer.actor.name(),
        label: &asked.label,
        scopes: &scopes,
        until: now.saturating_add(i64::from(asked.days) * DAY_MS),
    };
    api.ledger.add_token(&viewer.actor, now, &new).await?;
    let made = TokenMade {
        token: secret.tell().to_owned(),
        until: new.until,
        id,
    };
    Ok((StatusCode::CREATED, Json(made)))
}

/// Ends a token: an own one, or anybody's for whoever keeps the accounts.
#[utoipa::path(post, path = "/api/v1/tokens/{id}/revoke", tag = "people",
    params(("id" = String, Path, description = "the token's id, as the list gives it")),
    responses((status = 204, description = "ended"), (status = 404, body = Problem)))]
pub(crate) async fn revoke(
    State(api): State<Arc<Api>>,
    Viewing(viewer): Viewing,
    Id(id): Id,
) -> Result<StatusCode, Problem> {
    let now = api.people.clock.now();
    api.ledger
        .revoke_token(&viewer.actor, now, &id, whose(&viewer))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `None`: everybody's.
fn whose(viewer: &Viewer) -> Option<&str> {
    (!viewer.may(Right::KeepAccounts)).then(|| viewer.actor.name())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn the_document_says_the_most_days_there_are() {
        let document: Value = serde_json::from_str(&crate::openapi().to_json().unwrap()).unwrap();
        let asked =
            &document["paths"]["/api/v1/tokens"]["post"]["requestBody"]["content"]["application/json"];
        let name = asked["schema"]["$ref"]
            .as_str()
            .unwrap()
            .rsplit('/')
            .next()
            .unwrap();
        let days = &document["components"]["schemas"][name]["properties"]["days"];
        assert_eq!(
            days["maximum"].as_u64(),
            Some(u64::from(TOKEN_DAYS_MOST)),
            "{days}"
        );
    }
}
