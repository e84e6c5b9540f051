//! GET /api/v1/households/{id}/consents

use axum::Json;
use hemu_ledger::privacy::{ConsentRow, RED_LIST_PUBLIC};
use serde::Serialize;
use utoipa::ToSchema;

use crate::extract::Found;
use crate::problem::Problem;

/// What holds of a purpose now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Consent {
    /// `red_list_public`: to be praised in public. Nothing else needs a consent of its own.
    #[schema(example = "red_list_public")]
    purpose: &'static str,
    given: bool,
    /// Since when, ms since 1970 UTC; null where it was never given.
    since: Option<i64>,
}

/// A consent given or withdrawn.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConsentStep {
    purpose: &'static str,
    given: bool,
    /// The account that recorded it.
    by: String,
    at: i64,
    /// Where it stands in the journal.
    position: u64,
}

/// What the present occupant agreed to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Consents {
    current: Vec<Consent>,
    /// Oldest first.
    history: Vec<ConsentStep>,
}

impl Consents {
    fn of(rows: Vec<ConsentRow>) -> Self {
        let last = rows.last();
        let current = Consent {
            purpose: RED_LIST_PUBLIC,
            given: last.is_some_and(|row| row.given),
            since: last.map(|row| row.at),
        };
        let step = |row: ConsentRow| ConsentStep {
            purpose: row.purpose,
            given: row.given,
            by: row.by,
            at: row.at,
            position: row.position,
        };
        Self {
            current: vec![current],
            history: rows.into_iter().map(step).collect(),
        }
    }
}

/// What a household agreed to, now and before.
#[utoipa::path(get, path = "/api/v1/households/{id}/consents", tag = "households",
    params(("id" = String, Path, description = "token")),
    responses((status = 200, body = Consents), (status = 404, body = Problem)))]
pub(crate) async fn get(Found(seen): Found) -> Result<Json<Consents>, Problem> {
    Ok(Json(Consents::of(seen.consents().await?)))
}
