//! GET /api/v1/households/{id}/editions

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::acts::{Actor, Standing};
use hemu_ledger::registry::Household;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::Api;
use crate::extract::{Found, Limit, Looking, NumberAfter, Params};
use crate::page::Page;
use crate::problem::Problem;
use crate::v1::editions::Edition;
use crate::v1::editions::places::EditionPlace;
use crate::v1::objections::Objection;

/// A household in an edition that households were told of.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HouseholdEdition {
    edition: Edition,
    /// Null: on no list, and not warned.
    place: Option<EditionPlace>,
    objections: Vec<Objection>,
    /// Until when it might or may object, ms since 1970 UTC; null while an objection of it is pending, for then the
    /// window stands still.
    deadline: Option<i64>,
}

impl HouseholdEdition {
    fn of(standing: Standing, home: &Household, now: i64, looking: Option<&Actor>) -> Self {
        let objections = standing.objections.iter();
        Self {
            objections: objections.map(|row| Objection::of(row, looking)).collect(),
            edition: Edition::of(standing.edition, now),
            place: standing
                .place
                .map(|row| EditionPlace::of(row, Some(home), looking)),
            deadline: standing.deadline,
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Find {
    /// The `next` of the part before.
    #[param(value_type = Option<String>)]
    after: Option<NumberAfter>,
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000)]
    limit: Limit,
}

/// One household's places over the editions it was told of, newest first.
#[utoipa::path(get, path = "/api/v1/households/{id}/editions", tag = "households",
    params(("id" = String, Path, description = "token"), Find),
    responses((status = 200, body = Page<HouseholdEdition>), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Found(seen): Found,
    Looking(person): Looking,
    Params(find): Params<Find>,
) -> Result<Json<Page<HouseholdEdition>>, Problem> {
    let before = find.after.map(|NumberAfter(id)| id);
    let rows = seen.editions(before, find.limit.probe()).await?;
    let now = api.clock.now();
    Ok(Json(Page::cut(
        rows,
        find.limit.get(),
        |row| row.edition.id.to_string(),
        |row| HouseholdEdition::of(row, seen.row(), now, person.as_ref()),
    )))
}
