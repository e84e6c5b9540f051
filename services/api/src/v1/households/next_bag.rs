//! GET /api/v1/households/{id}/next-bag

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_rules::Day;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::Api;
use crate::extract::Found;
use crate::problem::Problem;
use crate::v1::words::LookWord;

/// What to do with the bag that a household brings now. Why is not said: the household stands beside.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NextBag {
    /// The local day.
    #[schema(value_type = String, format = Date)]
    day: Day,
    /// How many bags it brought today before this one.
    ordinal: u32,
    look: LookWord,
}

/// The answer for a scan at the bin. Ask before looking at the camera's value, and before the bag is thrown in: a bag that
/// a camera has read counts as brought, and the answer is about the next one.
#[utoipa::path(get, path = "/api/v1/households/{id}/next-bag", tag = "inspections", params(("id" = String, Path, description = "token")),
    responses((status = 200, body = NextBag), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn get(
    State(api): State<Arc<Api>>,
    Found(household): Found,
) -> Result<Json<NextBag>, Problem> {
    let rule = *api.standings.newest().await?.standing.rule();
    let day = api.clock.today(api.ledger.zone());
    api.inspections.caught_up(&api.ledger).await?;
    let follow_ups = api.inspections.follow_ups(&api.ledger, &rule, day).await?;
    let seen = household.bags_seen(day).await?;
    let draw = api.inspections.draw(&follow_ups, &household.row().token, seen);
    Ok(Json(NextBag {
        day,
        ordinal: draw.ordinal,
        look: draw.look.into(),
    }))
}
