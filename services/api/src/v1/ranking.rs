//! GET /api/v1/ranking

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_rules::Day;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::words::places;
use crate::api::Api;
use crate::extract::{Limit, Params};
use crate::mask;
use crate::problem::Problem;
use crate::rank::Ranked;

/// The best of the rated households, of the city or of one estate. Of some seconds ago.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Top {
    /// Evidence is of days before this local day.
    #[schema(value_type = String, format = Date)]
    edition: Day,
    /// How many households are ranked.
    ranked: usize,
    /// The best first; ties by token.
    items: Vec<Row>,
}

/// A household in a ranking.
#[derive(Debug, Serialize, ToSchema)]
struct Row {
    /// 1 is the best; equals share a rank, and the next counts all of them.
    rank: usize,
    /// The household's token, masked.
    #[schema(example = "···4f2a")]
    household: String,
    /// 0..=100.
    score: u8,
    /// What ranks: the lower bound of the score, 0..=100, the mean less 1.645 standard deviations.
    lower_bound: f64,
}

impl Row {
    fn of((rank, row): (usize, &Ranked)) -> Self {
        Self {
            rank,
            household: mask::token(&row.token),
            score: row.score,
            lower_bound: places(100.0 * row.bound.probability(), 2),
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Find {
    /// Households of one estate, ranked among themselves.
    estate: Option<String>,
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000)]
    limit: Limit,
}

/// The best households, by the lower bound of their score: little evidence ranks below much of the same quality.
#[utoipa::path(get, path = "/api/v1/ranking", tag = "households", params(Find),
    responses((status = 200, body = Top), (status = 400, body = Problem)))]
pub(crate) async fn top(
    State(api): State<Arc<Api>>,
    Params(find): Params<Find>,
) -> Result<Json<Top>, Problem> {
    let kept = api.standings.newest().await?;
    let (best, ranked) = kept.ranking.top(find.estate.as_deref(), find.limit.get());
    Ok(Json(Top {
        edition: kept.standing.edition,
        ranked,
        items: best.into_iter().map(Row::of).collect(),
    }))
}

#[cfg(test)]
mod tests {
    use crate::testing::Site;

    #[tokio::test]
    async fn the_best_come_first_and_are_masked() {
        let site = Site::filled().await;
        insta::assert_json_snapshot!(site.json("/api/v1/ranking").await);
        let (_, text) = site.text("/api/v1/ranking?estate=hemu").await;
        assert!(!text.contains("hh-"), "{text}");
        assert_eq!(
            site.json("/api/v1/ranking?limit=1").await["items"]
                .as_array()
                .unwrap()
                .len(),
            1
        );
        assert_eq!(site.json("/api/v1/ranking?estate=east").await["ranked"], 0);
        site.refuses("/api/v1/ranking?limit=0", 400, "limit: expected a whole number")
            .await;
    }

    #[tokio::test]
    async fn a_households_rank_is_the_one_the_ranking_shows() {
        let site = Site::filled().await;
        for (token, rank) in [("hh-good-0001", 1), ("hh-poor-0002", 2)] {
            let score = site.json(&format!("/api/v1/households/{token}")).await["score"].clone();
            assert_eq!(score["rank"]["city"], serde_json::json!({"rank": rank, "of": 2}));
            assert_eq!(
                score["rank"]["estate"], score["rank"]["city"],
                "both live in one estate"
            );
            let alone = site.json(&format!("/api/v1/households/{token}/rank")).await;
            assert_eq!(alone, score["rank"]);
        }
        let unrated = site.json("/api/v1/households/hh-cam-0003").await;
        assert_eq!(unrated["score"]["rank"], serde_json::Value::Null);
    }
}
