//! GET /api/v1/estates, /api/v1/estates/{id}

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::read::EstateGroups;
use hemu_ledger::registry;
use hemu_rules::GroupView;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::Api;
use crate::extract::{Id, Limit, Params};
use crate::page::Page;
use crate::problem::Problem;

/// An estate in numbers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Estate {
    id: String,
    name: String,
    households: u64,
    stations: usize,
}

/// An estate with its drawing.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EstateDetail {
    #[serde(flatten)]
    estate: Estate,
    /// Null when the estate has none.
    plan: Option<Plan>,
}

/// A drawing in metres from its upper left corner.
#[derive(Debug, Serialize, ToSchema)]
struct Plan {
    width: f64,
    height: f64,
    buildings: Vec<Building>,
    stations: Vec<PlanStation>,
}

/// A building on the plan.
#[derive(Debug, Serialize, ToSchema)]
struct Building {
    /// As households name it: what `/api/v1/households?building=` takes.
    #[schema(example = "12")]
    id: String,
    #[schema(example = "12幢")]
    label: String,
    units: u32,
    floors: u32,
    households: usize,
    x: f64,
    y: f64,
    w: f64,
    h: f64,
    /// Households with enough evidence for a score; null where `/api/v1/estates/{id}/groups` says nothing of the
    /// building either, since it would lead to a household.
    rated: Option<u32>,
    /// Their mean score, 0..=100; null as `rated` is.
    mean_score: Option<u8>,
}

/// A station on the plan.
#[derive(Debug, Serialize, ToSchema)]
struct PlanStation {
    id: String,
    name: String,
    x: f64,
    y: f64,
}

/// The drawing as the registry keeps it; what it says beyond this is not read.
#[derive(Debug, Deserialize)]
pub(super) struct StoredPlan {
    pub(super) width: f64,
    pub(super) height: f64,
    #[serde(default)]
    pub(super) buildings: Vec<StoredBuilding>,
}

#[derive(Debug, Deserialize)]
pub(super) struct StoredBuilding {
    pub(super) id: String,
    pub(super) label: String,
    units: u32,
    floors: u32,
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) w: f64,
    pub(super) h: f64,
}

impl StoredPlan {
    pub(super) fn read(estate: &registry::Estate) -> Option<Self> {
        let plan = serde_json::from_str(estate.plan.as_deref()?);
        plan.inspect_err(
            |error| tracing::warn!(%error, estate.id = estate.id, "the estate's plan cannot be read"),
        )
        .ok()
    }

    fn draw(
        self,
        households: &HashMap<String, usize>,
        said: &Said,
        stations: Vec<registry::Station>,
    ) -> Plan {
        let place = |s: registry::Station| {
            Some(PlanStation {
                x: s.x?,
                y: s.y?,
                id: s.id,
                name: s.name,
            })
        };
        let buildings = self.buildings.into_iter();
        Plan {
            width: self.width,
            height: self.height,
            buildings: buildings
                .map(|building| building.draw(households, said))
                .collect(),
            stations: stations.into_iter().filter_map(place).collect(),
        }
    }
}

/// What may be said of an estate's buildings, by name.
type Said<'g> = HashMap<&'g str, &'g GroupView>;

fn said<'g>(groups: &'g [EstateGroups], estate: &str) -> Said<'g> {
    let of_estate = groups.iter().filter(|groups| groups.estate == estate);
    of_estate
        .flat_map(|groups| groups.names.iter().zip(&groups.form.buildings))
        .filter_map(|(names, building)| Some((names.name.as_deref()?, building.whole.as_ref()?)))
        .collect()
}

impl StoredBuilding {
    fn draw(self, households: &HashMap<String, usize>, said: &Said) -> Building {
        let Self {
            id,
            label,
            units,
            floors,
            x,
            y,
            w,
            h,
        } = self;
        // Households may name a building by its id on the plan or by what is written on it.
        let named = [&id, &label]
            .into_iter()
            .find_map(|name| households.get_key_value(name));
        let view = named.and_then(|(name, _)| said.get(name.as_str()));
        Building {
            id: named.map_or(id, |(name, _)| name.clone()),
            label,
            units,
            floors,
            households: named.map_or(0, |(_, households)| *households),
            x,
            y,
            w,
            h,
            rated: view.map(|view| view.rated),
            mean_score: view.map(|view| view.score),
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Find {
    /// The `next` of the part before.
    after: Option<String>,
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000)]
    limit: Limit,
}

/// Estates by id.
#[utoipa::path(get, path = "/api/v1/estates", tag = "estates", params(Find),
    responses((status = 200, body = Page<Estate>), (status = 400, body = Problem)))]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Params(find): Params<Find>,
) -> Result<Json<Page<Estate>>, Problem> {
    let after = find.after.unwrap_or_default();
    let all = api
        .ledger
        .estates()
        .await?
        .into_iter()
        .filter(|estate| estate.id > after);
    let rows: Vec<_> = all.take(find.limit.get() + 1).collect();
    let Page { items, next } = Page::cut(rows, find.limit.get(), |row| row.id.clone(), |row| row);
    let mut estates = Vec::with_capacity(items.len());
    for row in items {
        let households = api.ledger.count_households(Some(&row.id)).await?;
        let stations = api.ledger.stations(Some(&row.id)).await?.len();
        estates.push(Estate {
            id: row.id,
            name: row.name,
            households,
            stations,
        });
    }
    Ok(Json(Page { items: estates, next }))
}

/// One estate and its drawing, with the mean score of buildings where it leads to no household.
#[utoipa::path(get, path = "/api/v1/estates/{id}", tag = "estates", params(("id" = String, Path, description = "estate id")),
    responses((status = 200, body = EstateDetail), (status = 404, body = Problem)))]
pub(crate) async fn get(State(api): State<Arc<Api>>, Id(id): Id) -> Result<Json<EstateDetail>, Problem> {
    let row = api.ledger.estates().await?.into_iter().find(|row| row.id == id);
    let row = row.ok_or_else(|| Problem::not_found("there is no such estate; /api/v1/estates lists them"))?;
    let stations = api.ledger.stations(Some(&row.id)).await?;
    let estate = Estate {
        households: api.ledger.count_households(Some(&row.id)).await?,
        stations: stations.len(),
        id: row.id.clone(),
        name: row.name.clone(),
    };
    let plan = match StoredPlan::read(&row) {
        None => None,
        Some(plan) => {
            let buildings = api.ledger.buildings(&row.id).await?.into_iter();
            let households = buildings.map(|(name, tokens)| (name, tokens.len())).collect();
            let kept = api.standings.newest().await?;
            Some(plan.draw(&households, &said(&kept.groups, &row.id), stations))
        }
    };
    Ok(Json(EstateDetail { estate, plan }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Site;

    #[tokio::test]
    async fn estates_count_their_households_and_stations() {
        let site = Site::filled().await;
        insta::assert_json_snapshot!(site.json("/api/v1/estates").await);
        assert_eq!(site.walk("/api/v1/estates?limit=1", "id").await, ["east", "hemu"]);
    }

    #[tokio::test]
    async fn an_estate_is_drawn_with_its_buildings() {
        let site = Site::filled().await;
        insta::assert_json_snapshot!(site.json("/api/v1/estates/hemu").await);
        assert!(site.json("/api/v1/estates/east").await["plan"].is_null());
    }

    #[tokio::test]
    async fn unknown_estates_are_a_problem() {
        let site = Site::filled().await;
        site.refuses("/api/v1/estates/nowhere", 404, "there is no such estate")
            .await;
        site.refuses(
            "/api/v1/estates?limit=1001",
            400,
            "limit: expected a whole number",
        )
        .await;
    }

    #[tokio::test]
    async fn a_plan_says_no_more_of_a_building_than_its_groups_do() {
        let site = Site::filled().await;
        // Building 11 has two rated households: with the smallest of the others it is left unsaid.
        let units = [
            ("12", "1", 14, 9_000),
            ("9", "1", 12, 4_000),
            ("10", "1", 12, 9_500),
            ("11", "1", 2, 5_000),
        ];
        site.settle(&units).await;
        let groups = site.json("/api/v1/estates/hemu/groups?by=building").await;
        let kept = site.api().standings.newest().await.unwrap();
        let said = said(&kept.groups, "hemu");
        let households = units
            .map(|(name, _, households, _)| (name.to_owned(), households))
            .into();
        let mut shown = Vec::new();
        for group in groups["items"].as_array().unwrap() {
            let Some(name) = group["building"].as_str() else {
                continue;
            };
            let drawn = building(name).draw(&households, &said);
            let figures = &group["figures"];
            assert_eq!(drawn.rated.map(u64::from), figures["rated"].as_u64(), "{name}");
            assert_eq!(
                drawn.mean_score.map(u64::from),
                figures["score"].as_u64(),
                "{name}"
            );
            shown.push(drawn.rated.is_some());
        }
        assert!(shown.contains(&true) && shown.contains(&false), "{groups}");
    }

    #[test]
    fn a_building_is_found_by_its_id_or_by_its_label() {
        let households = HashMap::from([("12幢".to_owned(), 12)]);
        let drawn = building("12").draw(&households, &Said::new());
        assert_eq!(
            (drawn.id.as_str(), drawn.households, drawn.rated),
            ("12幢", 12, None)
        );
        assert_eq!(building("12").draw(&HashMap::new(), &Said::new()).id, "12");
    }

    fn building(id: &str) -> StoredBuilding {
        StoredBuilding {
            id: id.into(),
            label: format!("{id}幢"),
            units: 4,
            floors: 6,
            x: 0.0,
            y: 0.0,
            w: 1.0,
            h: 1.0,
        }
    }
}
