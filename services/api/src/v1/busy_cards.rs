//! GET /api/v1/busy-cards: cards with more bags on one day than a household makes, for a person to look at.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_rules::{BAGS_A_DAY_MOST, Day};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::Api;
use crate::extract::Sees;
use crate::mask;
use crate::problem::Problem;

/// Days that are looked at, today among them.
const DAYS: i32 = 7;
/// Most of them that are shown.
const SHOWN: usize = 200;

/// Cards that somebody should ask about. No score and no list knows of this.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BusyCards {
    /// More bags than this on one day are asked about.
    #[schema(example = 12)]
    bags_most: i64,
    /// The local days looked at, both included.
    #[schema(value_type = String, format = Date)]
    from: Day,
    #[schema(value_type = String, format = Date)]
    to: Day,
    /// Registered households.
    households: u64,
    /// How many there are on those days, of cards that nobody registered too; at most 200 are shown.
    found: usize,
    /// Newest day first, then most bags first.
    items: Vec<BusyCard>,
}

/// A card on one day.
#[derive(Debug, Serialize, ToSchema)]
struct BusyCard {
    #[schema(example = "hx00a1b24f2a")]
    household: String,
    #[schema(example = "12幢1单元 30*")]
    label: String,
    #[schema(value_type = String, format = Date)]
    day: Day,
    /// Those that count.
    bags: i64,
}

/// Cards with more bags on one of the last seven days than a household makes: others use the card, it was copied, or a bag
/// was taken apart. Reason to ask, and no more: each bag counts for what it is.
#[utoipa::path(get, path = "/api/v1/busy-cards", tag = "households",
    responses((status = 200, body = BusyCards)))]
pub(crate) async fn list(State(api): State<Arc<Api>>, Sees(sight): Sees) -> Result<Json<BusyCards>, Problem> {
    let to = api.clock.today(api.ledger.zone());
    let from = to.plus(1 - DAYS);
    let (busy, found) = sight.busy_days(from, to.plus(1), SHOWN).await?;
    let items = busy
        .into_iter()
        .map(|(household, busy)| BusyCard {
            label: mask::label(household.row()),
            household: busy.token,
            day: busy.day,
            bags: busy.bags,
        })
        .collect();
    Ok(Json(BusyCards {
        bags_most: BAGS_A_DAY_MOST,
        from,
        to,
        households: api.ledger.count_households(None).await?,
        found,
        items,
    }))
}

#[cfg(test)]
mod tests {
    use hemu_rules::{BAGS_A_DAY_MOST, By};
    use serde_json::Value;

    use crate::testing::{DAY, Site};

    async fn bags(site: &Site, household: &str, count: i64, name: &str) {
        for nth in 0..count {
            site.bag("st01", By::Camera, household, &format!("{name}{nth}"))
                .await;
        }
    }

    #[tokio::test]
    async fn a_card_with_more_bags_a_day_than_a_household_makes_is_shown_and_its_score_stays() {
        let site = Site::filled().await;
        let score = async || site.json("/api/v1/households/hh-poor-0002").await["score"]["score"].clone();
        let before = score().await;
        bags(&site, "hh-good-0001", BAGS_A_DAY_MOST, "A").await;
        let busy = async || site.json("/api/v1/busy-cards").await;
        assert_eq!(busy().await["items"], Value::Array(Vec::new()));
        bags(&site, "hh-good-0001", 1, "B").await;
        bags(&site, "hh-poor-0002", BAGS_A_DAY_MOST + 2, "C").await;
        bags(&site, "hh-nobody", BAGS_A_DAY_MOST + 9, "D").await;
        // An inspector's reading of a bag is no other bag.
        site.bag("insp1", By::Inspector, "hh-good-0001", "B0").await;
        let found = busy().await;
        insta::assert_json_snapshot!(found);
        assert_eq!(found["items"].as_array().unwrap().len(), 2);
        assert!(
            before.is_number() && score().await == before,
            "how many there are is no score"
        );
        site.pass_ms(7 * DAY);
        assert_eq!(busy().await["found"], 0);
    }
}
