//! GET /api/v1/deposits: the newest of the site, as the live list begins.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::entry;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::words::{ByWord, StreamWord};
use crate::api::Api;
use crate::extract::{Limit, Params};
use crate::mask;
use crate::page::{Page, Place};
use crate::problem::Problem;

/// A deposit as the site shows it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct LiveDeposit {
    /// The reading's place in the journal, by which acts name it.
    #[schema(value_type = String, example = "4711.0")]
    place: Place,
    /// Event time, ms since 1970 UTC.
    pub(crate) at: i64,
    pub(crate) device: String,
    pub(crate) station: Option<String>,
    stream: StreamWord,
    weight_g: u32,
    /// As read, 0..=1.
    quality: f64,
    by: ByWord,
    /// The end of the token; null for a deposit that names no household.
    #[schema(example = "···4f2a")]
    household: Option<String>,
}

impl LiveDeposit {
    pub(crate) fn of(
        place: Place,
        device: &str,
        station: Option<String>,
        deposit: &entry::Deposit<'_>,
    ) -> Self {
        Self {
            place,
            at: deposit.at.get(),
            device: device.to_owned(),
            station,
            stream: deposit.stream.into(),
            weight_g: deposit.weight.get(),
            quality: deposit.quality.share(),
            by: deposit.by.into(),
            household: deposit.household.map(mask::token),
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Find {
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000)]
    limit: Limit,
}

/// The newest accepted deposits, last arrived first; at most the last 1,000.
#[utoipa::path(get, path = "/api/v1/deposits", tag = "live", params(Find),
    responses((status = 200, body = Page<LiveDeposit>), (status = 400, body = Problem)))]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Params(find): Params<Find>,
) -> Result<Json<Page<LiveDeposit>>, Problem> {
    Ok(Json(Page {
        items: api.live.recent(find.limit.get()),
        next: None,
    }))
}

#[cfg(test)]
mod tests {
    use crate::testing::Site;

    #[tokio::test]
    async fn the_newest_deposits_are_masked() {
        let site = Site::filled().await;
        site.feed().await;
        insta::assert_json_snapshot!(site.json("/api/v1/deposits?limit=3").await);
        let (_, text) = site.text("/api/v1/deposits").await;
        assert!(text.contains("···0001") && !text.contains("hh-"), "{text}");
    }

    #[tokio::test]
    async fn an_unknown_parameter_is_a_problem() {
        let site = Site::filled().await;
        site.refuses(
            "/api/v1/deposits?household=hh-good-0001",
            400,
            "unknown field `household`, expected `limit`",
        )
        .await;
    }
}
