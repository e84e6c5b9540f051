//! GET /api/v1/editions/{id}/acts

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::acts::{ActRow, Actor};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::api::Api;
use crate::extract::{After, Limit, Looking, Number, Params, Sees};
use crate::mask;
use crate::page::{Page, Place};
use crate::problem::Problem;

/// One line of the audit trail.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ActLine {
    /// Where it stands in the journal.
    #[schema(value_type = String, example = "4711.0")]
    place: Place,
    /// ms since 1970 UTC.
    at: i64,
    /// The account; `system` is the machine.
    actor: String,
    #[schema(example = "confirm_black")]
    kind: String,
    /// The end of the token; null where it is about the whole edition.
    #[schema(example = "···4f2a")]
    household: Option<String>,
    /// As the journal has it; what people wrote is there as its SHA-256. Null to the public,
    /// for it names households.
    #[schema(value_type = Option<Object>)]
    act: Option<Value>,
}

impl ActLine {
    fn of(row: ActRow, looking: Option<&Actor>) -> Self {
        Self {
            place: Place::of(row.place),
            at: row.at,
            actor: row.actor,
            kind: row.kind,
            household: row.token.as_deref().map(mask::token),
            act: looking.and_then(|_| serde_json::from_str(&row.body).ok()),
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Find {
    /// The `next` of the part before.
    #[param(value_type = Option<String>)]
    after: Option<After>,
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000)]
    limit: Limit,
}

/// What was done about an edition, oldest first.
#[utoipa::path(get, path = "/api/v1/editions/{id}/acts", tag = "editions",
    params(("id" = u64, Path, description = "the edition's number"), Find),
    responses((status = 200, body = Page<ActLine>), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Number(id): Number,
    Sees(sight): Sees,
    Looking(person): Looking,
    Params(find): Params<Find>,
) -> Result<Json<Page<ActLine>>, Problem> {
    api.edition(id).await?;
    let after = find.after.map(|After(place)| place.pair());
    let rows = sight.acts_of(id, after, find.limit.probe()).await?;
    Ok(Json(Page::cut(
        rows,
        find.limit.get(),
        |row| Place::of(row.place).to_string(),
        |row| ActLine::of(row, person.as_ref()),
    )))
}
