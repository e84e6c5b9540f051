//! GET /api/v1/estates/{id}/turnout: how many households of each building took part, where that says nothing of one of
//! them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use hemu_ledger::read::Came;
use hemu_rules::turnout::{self, Turnout as Said};
use hemu_rules::{Day, group};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::time::Instant;
use utoipa::{IntoParams, ToSchema};

use crate::api::Api;
use crate::extract::{Id, Params};
use crate::mask;
use crate::problem::Problem;

/// Times shown: a week of days, two months of weeks.
const DAYS: i32 = 7;
const WEEKS: i32 = 8;
/// Whole days alone are counted: what they come to hardly changes any more.
const FRESH_FOR: Duration = Duration::from_mins(1);

/// The last answers, by estate and length of a time. Whoever asks for one that is being counted waits for it.
#[derive(Debug, Clone, Default)]
pub struct Turnouts(Arc<Mutex<HashMap<Asked, (Instant, Turnout)>>>);

/// An estate and the length of a time.
type Asked = (String, Length);

/// How long a time is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TurnoutLength)]
pub(crate) enum Length {
    Day,
    /// From Monday on.
    Week,
}

/// An estate's buildings by how many of their households took part.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct Turnout {
    estate: String,
    by: Length,
    /// Counted when, ms since 1970 UTC.
    at: i64,
    /// Whole ones, oldest first.
    times: Vec<Time>,
    /// The whole estate; null when it has fewer than 10 households.
    households: Option<u32>,
    /// Households with at least one counted bag, a number a time; null where the count, or what is left of the estate
    /// beside the buildings shown, would say something of one household.
    came: Vec<Option<u32>>,
    /// By name.
    items: Vec<Building>,
}

/// From a local day to before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = TurnoutTime)]
struct Time {
    #[schema(value_type = String, format = Date)]
    from: Day,
    #[schema(value_type = String, format = Date)]
    to: Day,
}

/// A building.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = TurnoutBuilding)]
#[expect(clippy::struct_field_names, reason = "the name that all answers give it")]
struct Building {
    /// Null where the registry names none.
    building: Option<String>,
    #[schema(example = "12幢")]
    label: String,
    /// Fewer than 10 households, or it would give such a building away: then nothing is said.
    too_few: bool,
    /// Registered now.
    households: Option<u32>,
    /// As of the estate; null where fewer than 3 came, or all but fewer than 3.
    came: Vec<Option<u32>>,
}

impl Length {
    /// The whole times before a day.
    fn times(self, today: Day) -> Vec<Time> {
        let (length, count, end) = match self {
            Self::Day => (1, DAYS, today),
            // 1970-01-01 was a Thursday.
            Self::Week => (7, WEEKS, today.plus(-(today.get() + 3).rem_euclid(7))),
        };
        let time = |ago: i32| Time {
            from: end.plus(-length * ago),
            to: end.plus(-length * (ago - 1)),
        };
        (1..=count).rev().map(time).collect()
    }
}

impl Turnout {
    fn of(estate: String, by: Length, at: i64, (times, came): (Vec<Time>, &Came)) -> Self {
        let said: Vec<Said> = came
            .came
            .iter()
            .map(|came_then| Said::of(&came.households, came_then))
            .collect();
        let shown = turnout::shown(&came.households);
        let whole: u32 = came.households.iter().sum();
        let buildings = came.buildings.iter().zip(&came.households).zip(shown).enumerate();
        let mut items: Vec<Building> = buildings
            .map(|(nth, ((name, &households), shown))| Building {
                building: name.clone(),
                label: mask::place(name.as_deref(), None),
                too_few: !shown,
                households: shown.then_some(households),
                came: said
                    .iter()
                    .map(|then| then.buildings.get(nth).copied().flatten())
                    .collect(),
            })
            .collect();
        // Numbers in their order, then words.
        items.sort_by_cached_key(|item| {
            let name = item.building.clone();
            name.map(|name| (name.chars().count(), name))
        });
        Self {
            estate,
            by,
            at,
            times,
            households: (whole >= group::HOUSEHOLDS_LEAST).then_some(whole),
            came: said.iter().map(|then| then.whole).collect(),
            items,
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Find {
    #[param(inline)]
    by: Length,
}

/// How many households of each building brought at least one bag in each of the last whole days or weeks, of those that
/// are registered now. Of a building of fewer than ten, and of a count of nearly nobody or nearly everybody, nothing is said.
#[utoipa::path(get, path = "/api/v1/estates/{id}/turnout", tag = "estates",
    params(("id" = String, Path, description = "estate id"), Find),
    responses((status = 200, body = Turnout), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn get(
    State(api): State<Arc<Api>>,
    Id(id): Id,
    Params(Find { by }): Params<Find>,
) -> Result<Json<Turnout>, Problem> {
    if !api.ledger.estates().await?.iter().any(|estate| estate.id == id) {
        return Err(Problem::not_found(
            "there is no such estate; /api/v1/estates lists them",
        ));
    }
    let times = by.times(api.clock.today(api.ledger.zone()));
    let mut kept = api.turnouts.0.lock().await;
    if let Some((counted, turnout)) = kept.get(&(id.clone(), by))
        && turnout.times == times
        && counted.elapsed() < FRESH_FOR
    {
        return Ok(Json(turnout.clone()));
    }
    let days: Vec<_> = times.iter().map(|time| (time.from, time.to)).collect();
    let came = api.ledger.came(&id, &days).await?;
    let turnout = Turnout::of(id.clone(), by, api.clock.now(), (times, &came));
    kept.insert((id, by), (Instant::now(), turnout.clone()));
    Ok(Json(turnout))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::Site;

    #[test]
    fn times_are_whole_and_weeks_begin_on_a_monday() {
        let today: Day = "2026-05-20".parse().unwrap();
        let days = Length::Day.times(today);
        assert_eq!(days.len(), 7);
        assert_eq!(json!(days[6]), json!({"from": "2026-05-19", "to": "2026-05-20"}));
        let weeks = Length::Week.times(today);
        assert_eq!(json!(weeks[7]), json!({"from": "2026-05-11", "to": "2026-05-18"}));
        assert!(weeks.windows(2).all(|pair| pair[0].to == pair[1].from));
        let monday: Day = "2026-05-18".parse().unwrap();
        assert_eq!(Length::Week.times(monday), weeks);
    }

    #[tokio::test]
    async fn a_building_says_how_many_of_how_many_came_and_a_small_one_says_nothing() {
        let site = Site::filled().await;
        // Nine households that brought nothing, and twelve of the same building that did on five days.
        site.crowd("s1", 9).await;
        let units = [
            ("3", "1", 12, 9_000),
            ("7", "1", 14, 9_000),
            ("9", "1", 12, 4_000),
            ("11", "1", 2, 5_000),
        ];
        site.settle(&units).await;
        let came = site.json("/api/v1/estates/hemu/turnout?by=day").await;
        let of = |name: &str| {
            let items = came["items"].as_array().unwrap();
            let item = items.iter().find(|item| item["building"] == name).unwrap();
            (
                item["households"].clone(),
                item["too_few"].clone(),
                item["came"].clone(),
            )
        };
        let nothing = json!(vec![Value::Null; 7]);
        let half = json!([null, null, 12, 12, 12, 12, 12]);
        assert_eq!(of("3"), (json!(21), json!(false), half));
        // Everybody of a building came, or nobody: that would say something of each.
        assert_eq!(of("7"), (json!(14), json!(false), nothing.clone()));
        // Two and three households, and the smallest other building, which would give them away.
        for few in ["11", "12", "9"] {
            assert_eq!(of(few), (Value::Null, json!(true), nothing.clone()), "{few}");
        }
        assert!(!came.to_string().contains("hh-"), "{came}");
    }

    #[tokio::test]
    async fn unknown_estates_and_times_are_a_problem() {
        let site = Site::filled().await;
        site.refuses(
            "/api/v1/estates/nowhere/turnout?by=day",
            404,
            "there is no such estate",
        )
        .await;
        site.refuses(
            "/api/v1/estates/hemu/turnout?by=year",
            400,
            "expected `day` or `week`",
        )
        .await;
    }
}
