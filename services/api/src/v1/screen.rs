//! GET /api/v1/screen: what a public screen shows. Everybody who passes by reads it, so nothing in it is of one household:
//! counters of the whole site, and buildings in the form of an edition that is public to all. A token with the one scope
//! `see_screen` opens this and nothing else.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hemu_ledger::acts::{Audience, EditionQuery, EditionRow, EditionState};
use hemu_ledger::registry;
use hemu_rules::{Day, Millis, Stream};
use hemu_series::{Agg, Measure, Query, Step};
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::Instant;
use utoipa::ToSchema;

use super::estates::{StoredBuilding, StoredPlan};
use super::groups::{self, Division, Groups};
use super::words::StreamWord;
use super::{overview, site};
use crate::api::Api;
use crate::fleet::{self, Fleet};
use crate::problem::Problem;

/// Days whose sums are shown: two whole weeks, and today.
const DAYS: i32 = 15;
/// Points that the sums are made of, at most: those of some ten thousand devices.
const POINTS_MOST: usize = 1_000_000;
/// Published editions looked through for the newest that is public to all.
const EDITIONS: u32 = 100;

/// What a public screen shows.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Screen {
    site: site::Site,
    #[serde(flatten)]
    figures: Figures,
}

/// All of it but the time.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ScreenFigures)]
struct Figures {
    /// Local days in their order, the last is today.
    days: Vec<DaySums>,
    /// Bags of today that an inspector opened.
    inspected_today: u64,
    households: Households,
    devices: Devices,
    stations: usize,
    /// Records since the journal began.
    records: u64,
    estates: Vec<Estate>,
}

/// Deposits of a local day, as far as the charts have them.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ScreenDay)]
struct DaySums {
    #[schema(value_type = String, format = Date)]
    day: Day,
    /// What the streams add up to.
    deposits: u64,
    weight_kg: u64,
    streams: Vec<StreamSums>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ScreenStream)]
struct StreamSums {
    stream: StreamWord,
    deposits: u64,
    /// In whole kilograms: who stands beside a bin is not to read a neighbour's bag off the screen.
    weight_kg: u64,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ScreenHouseholds)]
struct Households {
    registered: u64,
    /// Those that brought something in the last 28 days.
    active_28d: u64,
}

/// Devices in use.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ScreenDevices)]
struct Devices {
    known: usize,
    online: usize,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ScreenEstate)]
struct Estate {
    id: String,
    name: String,
    households: u64,
    /// Null when the estate has none.
    plan: Option<Plan>,
    /// Its buildings as `/api/v1/estates/{id}/groups` shows them of the newest edition that is public to all; null where
    /// none is.
    groups: Option<Groups>,
}

/// A drawing in metres from its upper left corner.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ScreenPlan)]
struct Plan {
    width: f64,
    height: f64,
    buildings: Vec<Building>,
}

/// A building; groups name it by its id or its label.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ScreenBuilding)]
struct Building {
    id: String,
    label: String,
    x: f64,
    y: f64,
    w: f64,
    h: f64,
}

/// The newest answer: every screen asks every few seconds, and it is computed once in that time.
#[derive(Debug)]
pub struct Screens {
    fresh_for: Duration,
    newest: Mutex<Option<Kept>>,
}

#[derive(Debug, Clone)]
struct Kept {
    at: Instant,
    figures: Arc<Figures>,
    tag: HeaderValue,
}

impl Screens {
    /// `fresh_for` is real time.
    pub fn new(fresh_for: Duration) -> Self {
        Self {
            fresh_for,
            newest: Mutex::default(),
        }
    }

    async fn newest(&self, api: &Api) -> Result<Kept, Problem> {
        // Held while reading, so that only one reads.
        let mut newest = self.newest.lock().await;
        if let Some(kept) = &*newest
            && kept.at.elapsed() < self.fresh_for
        {
            return Ok(kept.clone());
        }
        let figures = Arc::new(read(api).await?);
        let mut hasher = DefaultHasher::new();
        let text = serde_json::to_string(&*figures).map_err(|_| Problem::internal())?;
        text.hash(&mut hasher);
        let tag = HeaderValue::from_str(&format!("\"{:016x}\"", hasher.finish()))
            .map_err(|_| Problem::internal())?;
        let at = Instant::now();
        let kept = Kept { at, figures, tag };
        *newest = Some(kept.clone());
        Ok(kept)
    }
}

/// What a public screen shows: counters of the site, and its buildings where nothing is said of one household.
#[utoipa::path(get, path = "/api/v1/screen", tag = "site",
    responses((status = 200, body = Screen),
        (status = 304, description = "nothing but the time is other than under the ETag that `If-None-Match` names")))]
pub(crate) async fn get(State(api): State<Arc<Api>>, headers: HeaderMap) -> Result<Response, Problem> {
    let Kept { figures, tag, .. } = api.screens.newest(&api).await?;
    if headers.get(header::IF_NONE_MATCH) == Some(&tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    let screen = Screen {
        site: site::of(&api),
        figures: Figures::clone(&figures),
    };
    Ok(([(header::ETAG, tag)], Json(screen)).into_response())
}

async fn read(api: &Api) -> Result<Figures, Problem> {
    let fleet = Fleet::read(api).await?;
    let (now, today) = (api.clock.now(), api.clock.today(api.ledger.zone()));
    let edition = public_edition(api, now).await?;
    let mut estates = Vec::new();
    for estate in api.ledger.estates().await? {
        estates.push(drawn(api, estate, edition.as_ref()).await?);
    }
    Ok(Figures {
        days: days(api, &fleet, today).await?,
        inspected_today: api.ledger.day_tally(today, None).await?.inspected,
        households: Households {
            registered: api.ledger.count_households(None).await?,
            active_28d: overview::active(api).await?,
        },
        devices: Devices {
            known: fleet.iter().filter(|(_, member)| !member.revoked).count(),
            online: fleet.count(fleet::State::Online, now),
        },
        stations: api.ledger.stations(None).await?.len(),
        records: api.ledger.progress().await?.counters.accepted,
        estates,
    })
}

/// The newest edition that everybody may read in this moment.
async fn public_edition(api: &Api, now: i64) -> Result<Option<EditionRow>, Problem> {
    let find = EditionQuery {
        state: Some(EditionState::Published),
        ..EditionQuery::newest(EDITIONS)
    };
    let rows = api.ledger.editions(&find).await?;
    let for_all = |row: &EditionRow| row.is_public(now) && row.audience == Some(Audience::Masked);
    Ok(rows.into_iter().find(for_all))
}

async fn drawn(api: &Api, row: registry::Estate, edition: Option<&EditionRow>) -> Result<Estate, Problem> {
    let building = |building: StoredBuilding| Building {
        id: building.id,
        label: building.label,
        x: building.x,
        y: building.y,
        w: building.w,
        h: building.h,
    };
    let plan = StoredPlan::read(&row).map(|plan| Plan {
        width: plan.width,
        height: plan.height,
        buildings: plan.buildings.into_iter().map(building).collect(),
    });
    let groups = match edition {
        Some(edition) => groups::of_edition(api, edition, &row.id, Division::Building).await?,
        None => None,
    };
    Ok(Estate {
        households: api.ledger.count_households(Some(&row.id)).await?,
        id: row.id,
        name: row.name,
        plan,
        groups,
    })
}

/// The sums of the last days, each from the charts, so that they add up.
async fn days(api: &Api, fleet: &Fleet, today: Day) -> Result<Vec<DaySums>, Problem> {
    let zone = api.ledger.zone();
    let first = today.plus(1 - DAYS);
    let mut sums: HashMap<(Day, Stream, Measure), u64> = HashMap::new();
    for measure in [Measure::Deposits, Measure::DepositWeight] {
        let query = Query {
            devices: fleet.iter().map(|(name, _)| name.to_owned()).collect(),
            measure,
            stream: None,
            from: first.start(zone).get(),
            to: today.plus(1).start(zone).get(),
            step: Step::Day,
            agg: Agg::Sum,
            limit: POINTS_MOST,
        };
        for line in api.series.read(&query).await? {
            for (at, value) in line.points {
                let day = Day::of(Millis::clamped(at), zone);
                let stream = line.stream.unwrap_or(Stream::Residual);
                *sums.entry((day, stream, measure)).or_default() += whole(value);
            }
        }
    }
    let of_day = |day: Day| {
        let of = |stream, measure| sums.get(&(day, stream, measure)).copied().unwrap_or(0);
        let streams: Vec<StreamSums> = Stream::ALL
            .into_iter()
            .map(|stream| StreamSums {
                stream: stream.into(),
                deposits: of(stream, Measure::Deposits),
                weight_kg: (of(stream, Measure::DepositWeight) + 500) / 1_000,
            })
            .collect();
        DaySums {
            day,
            deposits: streams.iter().map(|sums| sums.deposits).sum(),
            weight_kg: streams.iter().map(|sums| sums.weight_kg).sum(),
            streams,
        }
    };
    Ok((0..DAYS).map(|nth| of_day(first.plus(nth))).collect())
}

/// A sum of whole numbers, which charts hold as what can be drawn.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts and grams of one day are far below 2^53"
)]
fn whole(sum: f64) -> u64 {
    sum.max(0.0).round() as u64
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderValue, Request, header};
    use hemu_ledger::people::NewToken;
    use hemu_people::Right;
    use hemu_rules::{Millis, Stream};
    use hemu_series::{Measure, Point};
    use serde_json::{Value, json};

    use crate::openapi;
    use crate::testing::{NOON, Site, TODAY, anonymous, body, request};

    /// A site with buildings that may be shown, one that may not, and an edition that is public.
    async fn published() -> (Site, u64) {
        let site = Site::filled().await;
        site.settle(&[
            ("7", "1", 14, 9_000),
            ("9", "1", 23, 6_000),
            ("11", "1", 2, 5_000),
        ])
        .await;
        let (edition, _) = site.published_edition().await;
        (site, edition)
    }

    fn with_token(mut request: Request<axum::body::Body>) -> Request<axum::body::Body> {
        let token = HeaderValue::from_static("Bearer hemu_screen");
        request.headers_mut().insert(header::AUTHORIZATION, token);
        request
    }

    #[tokio::test]
    async fn buildings_are_those_of_the_edition_that_everybody_may_read() {
        let (site, edition) = published().await;
        let screen = site.json("/api/v1/screen").await;
        let groups = site
            .json(&format!(
                "/api/v1/estates/hemu/groups?by=building&edition={edition}"
            ))
            .await;
        let shown = screen["estates"].as_array().unwrap();
        let hemu = shown.iter().find(|estate| estate["id"] == "hemu").unwrap();
        assert_eq!(hemu["groups"], groups);
        let items = groups["items"].as_array().unwrap();
        assert!(
            items
                .iter()
                .any(|item| item["too_few"] == true && item["figures"].is_null())
        );
        assert!(items.iter().any(|item| item["figures"]["rated"] == 23));
        // The edition runs out a day later.
        site.pass_ms(24 * 3_600_000);
        let later = site.json("/api/v1/screen").await;
        assert!(
            later["estates"]
                .as_array()
                .unwrap()
                .iter()
                .all(|estate| estate["groups"].is_null())
        );
    }

    #[tokio::test]
    async fn nothing_on_a_screen_is_of_one_household() {
        let (site, _) = published().await;
        let (_, text) = site.text("/api/v1/screen").await;
        for word in ["hh-", "\"door\"", "\"token\"", "302", "···"] {
            assert!(!text.contains(word), "{word}: {text}");
        }
    }

    #[tokio::test]
    async fn the_days_add_up_and_the_last_is_today() {
        let site = Site::filled().await;
        let bag = |ago: i64, device, stream, grams| Point {
            device,
            measure: Measure::DepositWeight,
            stream: Some(stream),
            at: Millis::clamped(NOON - ago * 24 * 3_600_000),
            value: grams,
        };
        let points = [
            bag(0, "st01", Stream::Food, 2_400),
            bag(0, "st02", Stream::Food, 1_400),
            bag(0, "st01", Stream::Residual, 600),
            bag(14, "st01", Stream::Food, 9_000),
            bag(15, "st01", Stream::Food, 7_000),
        ];
        assert!(site.series.write(0, 1, &points).await.unwrap());
        let screen = site.json("/api/v1/screen").await;
        let days = screen["days"].as_array().unwrap();
        let told = |day: &Value| {
            (
                day["day"].clone(),
                day["deposits"].clone(),
                day["weight_kg"].clone(),
            )
        };
        assert_eq!(days.len(), 15);
        assert_eq!(told(&days[14]), (TODAY.into(), 3.into(), 5.into()));
        assert_eq!(told(&days[0]), ("2026-05-06".into(), 1.into(), 9.into()));
        assert!(days[1..14].iter().all(|day| day["deposits"] == 0));
        let food = json!({"stream": "food", "deposits": 2, "weight_kg": 4});
        assert_eq!(
            (
                &days[14]["streams"][0],
                days[14]["streams"].as_array().unwrap().len()
            ),
            (&food, 4)
        );
        let overview = site.json("/api/v1/overview").await;
        assert_eq!(screen["inspected_today"], overview["today"]["inspected"]);
    }

    #[tokio::test]
    async fn what_a_screen_knows_is_not_sent_again() {
        let site = Site::filled().await;
        let first = site.send(request("/api/v1/screen")).await;
        let tag = first.headers()[header::ETAG].clone();
        let again = async || {
            let mut request = request("/api/v1/screen");
            request.headers_mut().insert(header::IF_NONE_MATCH, tag.clone());
            site.send(request).await
        };
        let same = again().await;
        assert_eq!((same.status().as_u16(), body(same).await), (304, String::new()));
        // Time alone is no news; that nothing is heard of the devices any more is.
        site.pass_ms(60_000);
        assert_eq!(again().await.status(), 304);
        site.pass_ms(2 * 3_600_000);
        assert_eq!(again().await.status(), 200);
    }

    #[tokio::test]
    async fn a_screens_token_opens_the_screen_and_nothing_else() {
        let (site, edition) = published().await;
        let token = NewToken {
            id: "t1",
            digest: hemu_people::digest("hemu_screen"),
            account: "p1",
            label: "lobby",
            scopes: &[Right::SeeScreen],
            until: NOON + 3_600_000,
        };
        site.ledger
            .add_token(&"p1".parse().unwrap(), NOON, &token)
            .await
            .unwrap();
        let document: Value = serde_json::from_str(&openapi().to_json().unwrap()).unwrap();
        let mut open = Vec::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for method in item.as_object().unwrap().keys() {
                let uri = path.replace("{id}", &edition.to_string());
                let mut request = with_token(anonymous(&uri));
                *request.method_mut() = method.to_uppercase().parse().unwrap();
                let public = crate::access::access(&method.to_uppercase(), path)
                    == Some(crate::access::Access::Public);
                if site.send(request).await.status() != 403 && !public {
                    open.push(format!("{method} {path}"));
                }
            }
        }
        open.sort();
        assert_eq!(
            open,
            ["get /api/v1/me", "get /api/v1/screen", "post /api/v1/logout"]
        );
    }
}
