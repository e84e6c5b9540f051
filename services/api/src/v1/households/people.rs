//! GET /api/v1/households/{id}/people, DELETE /api/v1/households/{id}/people/{account}

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use hemu_ledger::people::Resident;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::Api;
use crate::extract::{Acting, Found, Named, Viewing};
use crate::problem::Problem;

/// Somebody who acts for a household.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Person {
    /// The account, under a name that was drawn for it.
    #[schema(example = "r-7k2mp9qd4w")]
    account: String,
    /// Since when, ms since 1970 UTC.
    since: i64,
    /// Whether it is the account of somebody else, who acts for those without a phone.
    delegate: bool,
    /// Whether it is the account that asks.
    own: bool,
    /// Whether the one who asks may end that it acts for the household.
    may_end: bool,
}

/// Who acts for a household.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct People {
    /// Since the longest first.
    items: Vec<Person>,
}

/// Who acts for a household: those of its own, and their delegates. A delegate is told of itself alone.
#[utoipa::path(get, path = "/api/v1/households/{id}/people", tag = "people",
    params(("id" = String, Path, description = "token")),
    responses((status = 200, body = People), (status = 404, body = Problem)))]
pub(crate) async fn list(Viewing(viewer): Viewing, Found(seen): Found) -> Result<Json<People>, Problem> {
    let asker = viewer.actor.name();
    let own = (!viewer.role.is_staff()).then_some(asker);
    let person = |(resident, may_end): (Resident, bool)| Person {
        own: resident.account == asker,
        account: resident.account,
        since: resident.since,
        delegate: resident.delegate,
        may_end,
    };
    let residents = seen.residents(own).await?;
    Ok(Json(People {
        items: residents.into_iter().map(person).collect(),
    }))
}

/// Ends that an account acts for a household, at once, and voids the code it was to do so by. The account itself stays, with
/// its other households. An account of the household ends it for itself and for a delegate, a delegate for itself, and
/// whoever prints the household's codes for anybody.
#[utoipa::path(delete, path = "/api/v1/households/{id}/people/{account}", tag = "people",
    params(("id" = String, Path, description = "token"),
        ("account" = String, Path, description = "the account, as the list gives it")),
    responses((status = 204, description = "ended"),
        (status = 403, body = Problem, description = "not the asker's to end"),
        (status = 404, body = Problem, description = "no such household, or the account does not act for it")))]
pub(crate) async fn delete(
    State(api): State<Arc<Api>>,
    Acting(by): Acting,
    Found(seen): Found,
    Named(account): Named,
) -> Result<StatusCode, Problem> {
    let now = api.people.clock.now();
    let token = seen.into_row().token;
    api.ledger.revoke_access(&by, now, &token, &account).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests;
