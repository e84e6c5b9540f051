//! GET /api/v1/households/{id}/building: what a household may compare itself with. Never a neighbour, and never the
//! groups of just now, which tell whoever reads them before and after one bag is opened: only what was stored, once a
//! week, with editions that households were told of, and counts nobody on a list.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::acts::{EditionId, EditionState, Standing};
use hemu_ledger::read::EstateGroups;
use hemu_rules::{Bp, Day, GroupView};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::Api;
use crate::extract::Found;
use crate::mask;
use crate::problem::Problem;

/// Editions looked at, newest first; some are of the same week.
const EDITIONS: u32 = 26;
/// Weeks shown: as far as evidence goes back.
const WEEKS: usize = 13;

/// The means of a household's building and estate, week by week.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BuildingWeeks {
    /// The building as people say it; null where the registry names none.
    #[schema(example = "12幢")]
    label: Option<String>,
    /// Oldest first; none before households were told of an edition.
    weeks: Vec<BuildingWeek>,
}

/// As an edition that households were told of has it.
#[derive(Debug, Serialize, ToSchema)]
struct BuildingWeek {
    edition: EditionId,
    /// Evidence is of days before this local day.
    #[schema(value_type = String, format = Date)]
    day: Day,
    /// Null where it would say something of one household, by itself or by what is left of the estate without it.
    building: Option<Mean>,
    /// Null where the estate is too small.
    estate: Option<Mean>,
}

/// The mean of a group that is large enough.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GroupMean)]
struct Mean {
    households: u32,
    /// Those with enough evidence for a score.
    rated: u32,
    /// 0..=100.
    score: u8,
    /// Ends of its 90 % interval in whole points, 0..=100.
    low: u8,
    high: u8,
}

impl Mean {
    fn of(view: &GroupView) -> Self {
        let points = |bp: Bp| u8::try_from((bp.get() + 50) / 100).unwrap_or(100);
        Self {
            households: view.households,
            rated: view.rated,
            score: view.score,
            low: points(view.low),
            high: points(view.high),
        }
    }
}

impl BuildingWeek {
    fn of((edition, day): (EditionId, Day), groups: &EstateGroups, building: Option<&str>) -> Self {
        let mut of_building = groups.names.iter().zip(&groups.form.buildings);
        let found =
            building.and_then(|name| of_building.find(|(names, _)| names.name.as_deref() == Some(name)));
        Self {
            edition,
            day,
            building: found.and_then(|(_, view)| view.whole.as_ref()).map(Mean::of),
            estate: groups.form.whole.as_ref().map(Mean::of),
        }
    }
}

/// How a household's building and estate sorted, week by week, where that says nothing of any one household.
#[utoipa::path(get, path = "/api/v1/households/{id}/building", tag = "households",
    params(("id" = String, Path, description = "token")),
    responses((status = 200, body = BuildingWeeks), (status = 404, body = Problem)))]
pub(crate) async fn get(
    State(api): State<Arc<Api>>,
    Found(seen): Found,
) -> Result<Json<BuildingWeeks>, Problem> {
    let building = seen.row().building.clone();
    let mut weeks = Vec::new();
    if let Some(estate) = seen.row().estate.clone() {
        for edition in told(&seen.editions(None, EDITIONS).await?) {
            if let Some(groups) = api.ledger.stored_groups(edition.0, &estate).await? {
                weeks.push(BuildingWeek::of(edition, &groups, building.as_deref()));
            }
        }
    }
    Ok(Json(BuildingWeeks {
        label: building.map(|name| mask::place(Some(&name), None)),
        weeks,
    }))
}

/// The last word on each of the newest weeks, oldest first.
fn told(standings: &[Standing]) -> Vec<(EditionId, Day)> {
    let over = [EditionState::Superseded, EditionState::Retracted];
    let editions = standings.iter().map(|standing| &standing.edition);
    let stands = editions.filter(|edition| !over.contains(&edition.state));
    // Oldest first: the newest edition of a day is the one that stays.
    let by_day: BTreeMap<Day, EditionId> = stands.rev().map(|edition| (edition.day, edition.id)).collect();
    let skipped = by_day.len().saturating_sub(WEEKS);
    by_day
        .into_iter()
        .skip(skipped)
        .map(|(day, id)| (id, day))
        .collect()
}

#[cfg(test)]
mod tests {
    use hemu_ledger::acts::Act;
    use hemu_rules::Rule;
    use serde_json::Value;

    use crate::testing::{NOON, Site, TODAY, day};

    /// Building 9 is a crowd, building 12 is the two households of the filled site.
    async fn told() -> (Site, u64) {
        let site = Site::filled().await;
        site.settle(&[
            ("7", "1", 14, 9_000),
            ("9", "1", 12, 4_000),
            ("9", "2", 11, 9_500),
        ])
        .await;
        let edition = site
            .ledger
            .propose_edition(&Rule::V1, day(TODAY), NOON, "s")
            .await
            .unwrap();
        (site, edition)
    }

    async fn notice(site: &Site, edition: u64) {
        let notice = Act::Notice { edition, days: 7 };
        let system = "system".parse().unwrap();
        site.ledger.act(&system, NOON, notice).await.unwrap();
    }

    async fn weeks(site: &Site, household: &str) -> Value {
        site.json(&format!("/api/v1/households/{household}/building"))
            .await
    }

    #[tokio::test]
    async fn a_household_is_shown_its_buildings_mean_once_it_was_told_of_an_edition() {
        let (site, edition) = told().await;
        let draft = weeks(&site, "hh-9-1-0000").await;
        assert_eq!(draft["weeks"].as_array().unwrap().len(), 0, "{draft}");
        notice(&site, edition).await;
        insta::assert_json_snapshot!(weeks(&site, "hh-9-1-0000").await);
    }

    #[tokio::test]
    async fn a_building_of_a_few_is_hidden_and_the_estate_is_not() {
        let (site, edition) = told().await;
        notice(&site, edition).await;
        let few = weeks(&site, "hh-poor-0002").await;
        assert_eq!(few["label"], "12幢");
        assert!(few["weeks"][0]["building"].is_null(), "{few}");
        assert!(
            few["weeks"][0]["estate"]["rated"].as_u64().unwrap() >= 10,
            "{few}"
        );
    }

    #[tokio::test]
    async fn a_bag_opened_since_the_week_was_told_changes_nothing() {
        let (site, edition) = told().await;
        notice(&site, edition).await;
        let before = weeks(&site, "hh-9-1-0000").await;
        site.inspect("hh-9-2-0003", 0).await;
        assert_eq!(weeks(&site, "hh-9-1-0000").await, before);
    }
}
