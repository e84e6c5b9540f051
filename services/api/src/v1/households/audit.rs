//! GET /api/v1/households/{id}/audit

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::Api;
use crate::extract::{After, Found, Limit, Looking, Params};
use crate::page::{Page, Place};
use crate::problem::Problem;
use crate::v1::audit::{Look, TrailLine};

/// Looks shown at most: those of the newest days.
const LOOKS: u32 = 1_000;

/// What was done about a household, and who looked at it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HouseholdTrail {
    /// Newest first.
    acts: Page<TrailLine>,
    /// Newest day first; the household's own looks at itself are not noted.
    looks: Vec<Look>,
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

/// What was done about the present occupant of a household, and who looked.
#[utoipa::path(get, path = "/api/v1/households/{id}/audit", tag = "audit",
    params(("id" = String, Path, description = "token"), Find),
    responses((status = 200, body = HouseholdTrail), (status = 404, body = Problem)))]
pub(crate) async fn get(
    State(_api): State<Arc<Api>>,
    Found(seen): Found,
    Looking(person): Looking,
    Params(find): Params<Find>,
) -> Result<Json<HouseholdTrail>, Problem> {
    let before = find.after.map(|After(place)| place.pair());
    let rows = seen.trail(before, find.limit.probe()).await?;
    let acts = Page::cut(
        rows,
        find.limit.get(),
        |row| Place::of(row.act.place).to_string(),
        |row| TrailLine::of(row, person.as_ref()),
    );
    let looks = if person.is_some() {
        seen.looks(LOOKS).await?
    } else {
        Vec::new()
    };
    Ok(Json(HouseholdTrail {
        acts,
        // Whoever asks this is noted by asking it.
        looks: looks
            .into_iter()
            .filter(|look| look.what != "audit")
            .map(Look::of)
            .collect(),
    }))
}
