//! GET /api/v1/households/{id}/rank

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::registry::Household;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::Api;
use crate::extract::Found;
use crate::problem::Problem;
use crate::rank::{Place, lower_bound};
use crate::standings::Kept;

/// Where a household stands among the rated ones, by the lower bound of the score (`/api/v1/ranking`).
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct Rank {
    city: Place,
    /// Null when the household is of no estate.
    estate: Option<Place>,
}

impl Rank {
    /// `None` for a household that is not ranked.
    pub(super) fn of(kept: &Kept, household: &Household) -> Option<Self> {
        let standing = &kept.standing;
        let totals = *standing.totals.get(&household.token)?;
        if !totals.rated(standing.rule()) {
            return None;
        }
        let bound = lower_bound(standing.rule(), totals, standing.prior);
        Some(Self {
            city: kept.ranking.place(bound),
            estate: household
                .estate
                .as_deref()
                .and_then(|estate| kept.ranking.place_in(estate, bound)),
        })
    }
}

/// One household's rank without its evidence; null when it is not rated. Of some seconds ago.
#[utoipa::path(get, path = "/api/v1/households/{id}/rank", tag = "households", params(("id" = String, Path, description = "token")),
    responses((status = 200, body = Option<Rank>), (status = 404, body = Problem)))]
pub(crate) async fn get(
    State(api): State<Arc<Api>>,
    Found(seen): Found,
) -> Result<Json<Option<Rank>>, Problem> {
    let kept = api.standings.newest().await?;
    Ok(Json(Rank::of(&kept, seen.row())))
}
