//! GET /api/v1/stations, /api/v1/stations/{id}

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hemu_ledger::read::{BinRow, DayTally};
use hemu_ledger::registry;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::words::{StreamWord, share};
use crate::api::Api;
use crate::extract::{Id, Limit, Params};
use crate::fleet::{self, Fleet};
use crate::page::Page;
use crate::problem::Problem;

/// A place with bins.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Station {
    id: String,
    name: String,
    estate: String,
    /// Metres on the estate's plan from its left edge; null when not drawn.
    x: Option<f64>,
    /// Metres from its upper edge.
    y: Option<f64>,
    devices: Vec<String>,
    /// The best of its devices'.
    state: fleet::State,
    /// Event time of the latest record, ms since 1970 UTC.
    last_at: Option<i64>,
    bins: Vec<Bin>,
    /// Deposits of the local day.
    deposits_today: u64,
    /// Those of them that name a household.
    attributed_today: u64,
    /// Event time of the latest deposit, ms since 1970 UTC; null when it is not among the site's newest 1,000.
    last_deposit_at: Option<i64>,
}

/// A bin as last reported.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Bin {
    pub(crate) stream: StreamWord,
    /// 0..=1.
    pub(crate) fill: Option<f64>,
    pub(crate) weight_g: Option<u32>,
    /// When it was so, ms since 1970 UTC.
    pub(crate) at: i64,
}

/// What every station is drawn from, each read once.
struct Seen {
    fleet: Fleet,
    /// Of today, by device.
    tallies: HashMap<String, DayTally>,
    /// The latest of the newest deposits, by device.
    latest: HashMap<String, i64>,
}

impl Seen {
    async fn read(api: &Api) -> Result<Self, Problem> {
        let today = api.clock.today(api.ledger.zone());
        let mut latest = HashMap::new();
        for deposit in api.live.recent(usize::MAX) {
            let at: &mut i64 = latest.entry(deposit.device).or_insert(deposit.at);
            *at = deposit.at.max(*at);
        }
        Ok(Self {
            fleet: Fleet::read(api).await?,
            tallies: api.ledger.day_tallies(today).await?,
            latest,
        })
    }
}

fn station(seen: &Seen, now: i64, row: registry::Station) -> Station {
    let Seen {
        fleet,
        tallies,
        latest,
    } = seen;
    let members: Vec<_> = fleet.at(&row.id).collect();
    let devices: Vec<String> = members.iter().map(|(name, _)| (*name).to_owned()).collect();
    let tally: DayTally = devices.iter().filter_map(|name| tallies.get(name)).copied().sum();
    // Of two devices that see one bin, the later is right.
    let mut bins = BTreeMap::<u8, BinRow>::new();
    for bin in members.iter().flat_map(|(_, member)| member.bins()) {
        let latest = bins.entry(bin.stream.code()).or_insert(*bin);
        if bin.at > latest.at {
            *latest = *bin;
        }
    }
    let bin = |bin: BinRow| Bin {
        stream: bin.stream.into(),
        fill: share(bin.fill),
        weight_g: bin.weight_g,
        at: bin.at,
    };
    let state = members.iter().map(|(_, member)| member.state(now)).max();
    let last_at = members.iter().filter_map(|(_, member)| member.last_at()).max();
    let last_deposit_at = devices.iter().filter_map(|name| latest.get(name)).max().copied();
    Station {
        id: row.id,
        name: row.name,
        estate: row.estate,
        x: row.x,
        y: row.y,
        devices,
        state: state.unwrap_or(fleet::State::Offline),
        last_at,
        bins: bins.into_values().map(bin).collect(),
        deposits_today: tally.deposits,
        attributed_today: tally.attributed,
        last_deposit_at,
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Find {
    /// Stations of one estate.
    estate: Option<String>,
    /// The `next` of the part before.
    after: Option<String>,
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000)]
    limit: Limit,
}

/// Stations by id.
#[utoipa::path(get, path = "/api/v1/stations", tag = "stations", params(Find),
    responses((status = 200, body = Page<Station>), (status = 400, body = Problem)))]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Params(find): Params<Find>,
) -> Result<Json<Page<Station>>, Problem> {
    let seen = Seen::read(&api).await?;
    let now = api.clock.now();
    let after = find.after.unwrap_or_default();
    let all = api.ledger.stations(find.estate.as_deref()).await?;
    let rows: Vec<_> = all
        .into_iter()
        .filter(|row| row.id > after)
        .take(find.limit.get() + 1)
        .collect();
    Ok(Json(Page::cut(
        rows,
        find.limit.get(),
        |row| row.id.clone(),
        |row| station(&seen, now, row),
    )))
}

/// One station.
#[utoipa::path(get, path = "/api/v1/stations/{id}", tag = "stations", params(("id" = String, Path, description = "station id")),
    responses((status = 200, body = Station), (status = 404, body = Problem)))]
pub(crate) async fn get(State(api): State<Arc<Api>>, Id(id): Id) -> Result<Json<Station>, Problem> {
    let row = api
        .ledger
        .stations(None)
        .await?
        .into_iter()
        .find(|row| row.id == id);
    let row =
        row.ok_or_else(|| Problem::not_found("there is no such station; /api/v1/stations lists them"))?;
    Ok(Json(station(&Seen::read(&api).await?, api.clock.now(), row)))
}

#[cfg(test)]
mod tests {
    use crate::testing::Site;

    #[tokio::test]
    async fn a_station_shows_its_bins_and_todays_deposits() {
        let site = Site::filled().await;
        insta::assert_json_snapshot!(site.json("/api/v1/stations/s1").await);
    }

    #[tokio::test]
    async fn stations_are_listed_by_estate_and_in_pages() {
        let site = Site::filled().await;
        assert_eq!(site.walk("/api/v1/stations?limit=1", "id").await, ["s1", "s2"]);
        assert_eq!(
            site.walk("/api/v1/stations?estate=hemu", "id").await,
            ["s1", "s2"]
        );
        assert!(site.walk("/api/v1/stations?estate=east", "id").await.is_empty());
    }

    #[tokio::test]
    async fn every_station_counts_the_deposits_of_its_own_devices() {
        let site = Site::filled().await;
        let all = site.json("/api/v1/stations").await;
        for station in all["items"].as_array().unwrap() {
            let id = station["id"].as_str().unwrap();
            let alone = site.json(&format!("/api/v1/stations/{id}")).await;
            assert_eq!(station["deposits_today"], alone["deposits_today"], "{id}");
        }
        let counts = |nth: usize| all["items"][nth]["deposits_today"].as_u64().unwrap();
        assert_eq!((counts(0), counts(1)), (3, 1));
    }

    #[tokio::test]
    async fn a_station_says_how_many_of_todays_deposits_name_a_household_and_when_the_latest_was() {
        let site = Site::filled().await;
        site.feed().await;
        let all = site.json("/api/v1/stations").await;
        let newest = site.json("/api/v1/deposits").await;
        let overview = site.json("/api/v1/overview").await;
        let mut attributed = 0;
        for station in all["items"].as_array().unwrap() {
            let mine = newest["items"].as_array().unwrap().iter();
            let mine = mine.filter(|deposit| deposit["station"] == station["id"]);
            let latest = mine.map(|deposit| deposit["at"].as_i64().unwrap()).max();
            assert_eq!(station["last_deposit_at"].as_i64(), latest, "{station}");
            attributed += station["attributed_today"].as_u64().unwrap();
        }
        assert_eq!(attributed, overview["today"]["attributed"].as_u64().unwrap());
        assert!(attributed < overview["today"]["deposits"].as_u64().unwrap());
        assert!(all["items"][0]["last_deposit_at"].is_i64());
    }

    #[tokio::test]
    async fn unknown_stations_are_a_problem() {
        let site = Site::filled().await;
        site.refuses("/api/v1/stations/s9", 404, "there is no such station")
            .await;
        site.refuses(
            "/api/v1/stations?limit=many",
            400,
            "limit: expected a whole number",
        )
        .await;
    }
}
