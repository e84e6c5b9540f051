//! GET /api/v1/overview

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use hemu_rules::Day;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::time::Instant;
use utoipa::{IntoParams, ToSchema};

use crate::api::Api;
use crate::extract::Params;
use crate::fleet::{self, Fleet};
use crate::problem::Problem;

/// Days in which a household must have brought something to be active.
const ACTIVE_DAYS: i32 = 28;
/// Counting the active reads a month of everybody: once in this time is enough.
const ACTIVE_FRESH_FOR: Duration = Duration::from_secs(10);

/// The site, or one estate, in numbers.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct Overview {
    /// The server's clock, ms since 1970 UTC.
    at: i64,
    households: Households,
    devices: Devices,
    today: Today,
    ledger: Progress,
    charts: Charts,
}

impl Overview {
    /// Whether anything but the time is other.
    pub(crate) fn differs(&self, other: &Self) -> bool {
        *other
            != Self {
                at: other.at,
                ..self.clone()
            }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = OverviewHouseholds)]
struct Households {
    registered: u64,
    /// Households that brought something in the last 28 days; of the whole site only, null for one of many estates.
    active_28d: Option<u64>,
}

/// Devices not revoked.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = OverviewDevices)]
struct Devices {
    known: usize,
    online: usize,
    silent: usize,
}

/// Deposits of the local day, counted once each.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = OverviewToday)]
struct Today {
    #[schema(value_type = String, format = Date)]
    day: Day,
    deposits: u64,
    weight_g: u64,
    /// Those that name a household.
    attributed: u64,
    /// Those an inspector read.
    inspected: u64,
}

/// The site's ledger: batches, and records by what became of them.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = OverviewLedger)]
struct Progress {
    position: u64,
    /// The batch up to which everything here is counted.
    applied: u64,
    records: u64,
    quarantined: u64,
    conflicts: u64,
    repeats: u64,
}

/// The site's charts, which follow the ledger.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = OverviewCharts)]
struct Charts {
    /// The batch up to which readings are in them.
    applied: u64,
    /// What they are read from, where they are not in the site's own file.
    engine: Option<Engine>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = OverviewEngine)]
struct Engine {
    name: &'static str,
    /// Sums of an hour or a day that it is yet to be sent.
    waiting: u64,
    /// Whether it took what it was last sent. While it does not, charts cannot be read, and nothing is lost.
    answers: bool,
}

impl Charts {
    fn of(progress: hemu_series::Progress) -> Self {
        let engine = progress.engine.map(|engine| Engine {
            name: engine.name,
            waiting: engine.waiting,
            answers: engine.answers,
        });
        Self {
            applied: progress.position,
            engine,
        }
    }
}

/// How many households are active, counted once in a while.
#[derive(Debug, Default)]
pub struct Activity(Mutex<Option<(Instant, Day, u64)>>);

impl Activity {
    async fn households(&self, api: &Api, today: Day) -> hemu_ledger::Result<u64> {
        // Held while counting, so that only one counts.
        let mut kept = self.0.lock().await;
        if let Some((counted, day, households)) = *kept
            && day == today
            && counted.elapsed() < ACTIVE_FRESH_FOR
        {
            return Ok(households);
        }
        let households = api.ledger.active_households(today.plus(1 - ACTIVE_DAYS)).await?;
        *kept = Some((Instant::now(), today, households));
        Ok(households)
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Find {
    /// One estate instead of the whole site.
    estate: Option<String>,
}

/// The site, or one estate, in numbers.
#[utoipa::path(get, path = "/api/v1/overview", tag = "site", params(Find),
    responses((status = 200, body = Overview), (status = 404, body = Problem)))]
pub(crate) async fn get(
    State(api): State<Arc<Api>>,
    Params(find): Params<Find>,
) -> Result<Json<Overview>, Problem> {
    let fleet = Fleet::read(&api).await?;
    let Some(estate) = find.estate else {
        return Ok(Json(site(&api, &fleet).await?));
    };
    let estates = api.ledger.estates().await?;
    if !estates.iter().any(|known| known.id == estate) {
        return Err(Problem::not_found(
            "there is no such estate; /api/v1/estates lists them",
        ));
    }
    // The journal does not know estates: the site's number is an estate's only where there is no other.
    let active = if estates.len() == 1 {
        active(&api).await.map(Some)
    } else {
        Ok(None)
    };
    Ok(Json(read(&api, Some(&estate), active?, &fleet).await?))
}

/// The whole site in numbers.
pub(crate) async fn site(api: &Api, fleet: &Fleet) -> hemu_ledger::Result<Overview> {
    let active = active(api).await?;
    read(api, None, Some(active), fleet).await
}

/// Households that brought something in the last 28 days.
pub(super) async fn active(api: &Api) -> hemu_ledger::Result<u64> {
    api.activity
        .households(api, api.clock.today(api.ledger.zone()))
        .await
}

async fn read(
    api: &Api,
    estate: Option<&str>,
    active_28d: Option<u64>,
    fleet: &Fleet,
) -> hemu_ledger::Result<Overview> {
    let at = api.clock.now();
    let day = api.clock.today(api.ledger.zone());
    let inside = |member: &fleet::Member| estate.is_none() || member.estate.as_deref() == estate;
    let members: Vec<_> = fleet.iter().filter(|(_, member)| inside(member)).collect();
    let in_use = || members.iter().filter(|(_, member)| !member.revoked);
    let count = |state| in_use().filter(|(_, member)| member.state(at) == state).count();
    let devices = Devices {
        known: in_use().count(),
        online: count(fleet::State::Online),
        silent: count(fleet::State::Silent),
    };
    let names: Option<Vec<String>> =
        estate.map(|_| members.iter().map(|(name, _)| (*name).to_owned()).collect());
    let tally = api.ledger.day_tally(day, names.as_deref()).await?;
    let progress = api.ledger.progress().await?;
    Ok(Overview {
        at,
        households: Households {
            registered: api.ledger.count_households(estate).await?,
            active_28d,
        },
        devices,
        today: Today {
            day,
            deposits: tally.deposits,
            weight_g: tally.weight_g,
            attributed: tally.attributed,
            inspected: tally.inspected,
        },
        ledger: Progress {
            position: api.ledger.head().await?,
            applied: progress.applied,
            records: progress.counters.accepted,
            quarantined: progress.counters.quarantined,
            conflicts: progress.counters.conflicts,
            repeats: progress.counters.repeats,
        },
        charts: Charts::of(api.series.progress()),
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::Site;

    #[tokio::test]
    async fn the_overview_counts_every_record_once() {
        let site = Site::filled().await;
        insta::assert_json_snapshot!(site.json("/api/v1/overview").await);
    }

    #[tokio::test]
    async fn an_estate_counts_its_own_devices_and_households() {
        let site = Site::filled().await;
        let all = site.json("/api/v1/overview").await;
        let one = site.json("/api/v1/overview?estate=east").await;
        assert_eq!(
            (&one["households"]["registered"], &one["devices"]["known"]),
            (&1.into(), &0.into())
        );
        assert!(one["households"]["active_28d"].is_null());
        assert_eq!(one["today"]["deposits"], 0);
        assert_eq!(one["ledger"], all["ledger"]);
    }

    #[tokio::test]
    async fn unknown_estates_and_parameters_are_problems() {
        let site = Site::filled().await;
        site.refuses("/api/v1/overview?estate=nowhere", 404, "there is no such estate")
            .await;
        site.refuses(
            "/api/v1/overview?estat=x",
            400,
            "unknown field `estat`, expected `estate`",
        )
        .await;
    }
}
