//! GET /api/v1/households, /api/v1/households/{id}

pub(super) mod audit;
pub(super) mod bank;
pub(super) mod building;
pub(super) mod card_found;
pub(super) mod card_lost;
pub(super) mod code;
pub(super) mod consents;
pub(super) mod correct;
pub(super) mod days;
pub(super) mod deposits;
pub(super) mod editions;
pub(super) mod erase;
pub(super) mod export;
mod list;
pub(super) mod live;
pub(super) mod next_bag;
pub(super) mod people;
pub(super) mod rank;
pub(super) mod reasons;
pub(super) mod red_opt_in;
pub(super) mod red_opt_out;
mod score;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::registry;
use hemu_rules::Day;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use self::list::Lists;
use self::score::Score;
use crate::api::Api;
use crate::extract::{Found, Limit, Params, Sees};
use crate::mask;
use crate::page::Page;
use crate::problem::Problem;

/// A registered household; where it lives is shown without the door.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Household {
    /// The token.
    id: String,
    estate: Option<String>,
    building: Option<String>,
    unit: Option<String>,
    #[schema(example = "30*")]
    door: Option<String>,
    #[schema(example = "12幢1单元 30*")]
    label: String,
}

impl Household {
    fn of(row: registry::Household) -> Self {
        Self {
            label: mask::label(&row),
            id: row.token,
            estate: row.estate,
            building: row.building,
            unit: row.unit,
            door: row.door.as_deref().map(mask::door),
        }
    }
}

/// A household and where it stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HouseholdDetail {
    #[serde(flatten)]
    household: Household,
    /// Always true: a token nobody registered is no household.
    registered: bool,
    /// The local day of its first counted deposit.
    #[schema(value_type = Option<String>, format = Date)]
    first_day: Option<Day>,
    score: Score,
    #[serde(flatten)]
    lists: Lists,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Find {
    /// Households of one estate.
    estate: Option<String>,
    /// Households of one building, as `/api/v1/estates/{id}` names it.
    building: Option<String>,
    /// The beginning of a token, or of building, unit and door written together: `12-1-30`.
    q: Option<String>,
    /// The `next` of the part before.
    after: Option<String>,
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000)]
    limit: Limit,
}

/// Registered households by token.
#[utoipa::path(get, path = "/api/v1/households", tag = "households", params(Find),
    responses((status = 200, body = Page<Household>), (status = 400, body = Problem)))]
pub(crate) async fn list(
    Sees(sight): Sees,
    Params(find): Params<Find>,
) -> Result<Json<Page<Household>>, Problem> {
    let text = find.q.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let query = registry::HouseholdQuery {
        estate: find.estate.as_deref(),
        building: find.building.as_deref(),
        text,
        after: find.after.as_deref(),
        only: None,
        limit: find.limit.probe(),
    };
    let rows = sight.households(&query).await?;
    Ok(Json(Page::cut(
        rows,
        find.limit.get(),
        |row| row.token.clone(),
        Household::of,
    )))
}

/// One household and its score.
#[utoipa::path(get, path = "/api/v1/households/{id}", tag = "households", params(("id" = String, Path, description = "token")),
    responses((status = 200, body = HouseholdDetail), (status = 404, body = Problem)))]
pub(crate) async fn get(
    State(api): State<Arc<Api>>,
    Found(seen): Found,
) -> Result<Json<HouseholdDetail>, Problem> {
    let first_day = seen.first_day().await?;
    let score = Score::read(&api, &seen).await?;
    let lists = Lists::of(&seen.listing(api.clock.now()).await?);
    Ok(Json(HouseholdDetail {
        household: Household::of(seen.into_row()),
        registered: true,
        first_day,
        score,
        lists,
    }))
}

#[cfg(test)]
mod tests {
    use crate::testing::Site;

    #[tokio::test]
    async fn households_are_found_by_place_and_token() {
        let site = Site::filled().await;
        insta::assert_json_snapshot!(site.json("/api/v1/households?estate=hemu&building=12").await);
        let all = site.walk("/api/v1/households", "id").await;
        assert_eq!(
            all,
            ["hh-cam-0003", "hh-east-0004", "hh-good-0001", "hh-poor-0002"]
        );
        assert_eq!(site.walk("/api/v1/households?limit=1", "id").await, all);
        assert_eq!(
            site.walk("/api/v1/households?q=hh-g", "id").await,
            ["hh-good-0001"]
        );
        assert_eq!(
            site.walk("/api/v1/households?q=12-1-302", "id").await,
            ["hh-poor-0002"]
        );
        assert!(
            site.walk("/api/v1/households?q=%25", "id").await.is_empty(),
            "a search is a text, not a pattern"
        );
    }

    #[tokio::test]
    async fn doors_are_masked_wherever_a_household_is_shown() {
        let site = Site::filled().await;
        for path in ["/api/v1/households", "/api/v1/households/hh-good-0001"] {
            let (_, text) = site.text(path).await;
            assert!(text.contains("30*") && !text.contains("301"), "{text}");
        }
    }

    #[tokio::test]
    async fn a_household_shows_its_score() {
        let site = Site::filled().await;
        insta::assert_json_snapshot!(site.json("/api/v1/households/hh-good-0001").await);
        insta::assert_json_snapshot!(site.json("/api/v1/households/hh-east-0004").await);
    }

    #[tokio::test]
    async fn a_token_nobody_registered_is_no_household() {
        let site = Site::filled().await;
        for what in ["", "/days", "/deposits", "/rank"] {
            site.refuses(
                &format!("/api/v1/households/hh-nobody{what}"),
                404,
                "there is no such household",
            )
            .await;
            site.refuses(
                &format!("/api/v1/households/hh-unregistered{what}"),
                404,
                "there is no such household",
            )
            .await;
        }
        site.refuses(
            "/api/v1/households?limit=x",
            400,
            "limit: expected a whole number",
        )
        .await;
    }
}
