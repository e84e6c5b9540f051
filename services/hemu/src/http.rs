//! The HTTP listeners: the dashboards with their API, and the metrics.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use hemu_api::live;
use hemu_api::{
    Activity, Api, Check, Door, DryRuns, Inspections, Live, Pace, People, Places, Presence, PublicEnds,
    Screens, Site, Standings, Turnouts,
};
use hemu_ingest::broker::View;
use hemu_ledger::read::SiteKey;
use hemu_ledger::{Ledger, Position};
use hemu_rules::Plan;
use hemu_series::Series;
use prometheus::Registry;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::backend::Connected;
use crate::broker;
use crate::clock;
use crate::config::Config;
use crate::disk;
use crate::server::Occasion;
use crate::site;

const DAY_MS: i64 = 86_400_000;
/// How long scores are shown before the journal is asked whether they moved.
const SCORES_FRESH_FOR: Duration = Duration::from_secs(10);
/// How long what public screens show is kept: they ask every five seconds.
const SCREEN_FRESH_FOR: Duration = Duration::from_secs(3);
/// How long the ends of tokens on a public list are kept: whoever is registered makes them longer, seldom.
const ENDS_FRESH_FOR: Duration = Duration::from_mins(1);
/// How long the choice of a bag waits for the newest readings to be folded.
const FOLDED_WITHIN: Duration = Duration::from_secs(2);
/// Batches the projections may be behind before the site is not ready.
const LAG: u64 = 1_000;

/// What the HTTP side is built from.
pub(crate) struct Parts<'a> {
    pub(crate) config: &'a Config,
    pub(crate) occasion: &'a Occasion,
    pub(crate) ledger: Ledger,
    /// This process's name, for the lease of an edition.
    pub(crate) holder: String,
    pub(crate) jobs: hemu_api::Jobs,
    pub(crate) series: Series,
    pub(crate) key: SiteKey,
    pub(crate) registry: &'a Registry,
    pub(crate) applied: watch::Receiver<Position>,
    pub(crate) doors: DoorsView,
}

/// Where people come in.
pub(crate) struct Pages {
    pub(crate) plain: TcpListener,
    pub(crate) encrypted: Option<(TcpListener, TlsAcceptor)>,
    pub(crate) places: Places,
}

/// What is shown of this process's doors; a node without any shows none.
#[derive(Default)]
pub(crate) struct DoorsView {
    pub(crate) connected: Connected,
    pub(crate) healthy: Option<watch::Receiver<bool>>,
    pub(crate) broker: Option<View>,
    /// Where what people graded goes.
    pub(crate) intake: hemu_api::Intake,
}

/// Serves until shutdown.
pub(crate) fn serve(
    parts: Parts<'_>,
    pages: Pages,
    shutdown: &CancellationToken,
) -> Result<Vec<JoinHandle<()>>> {
    let applied = parts.applied.clone();
    let api = Arc::new(api(parts)?);
    let mut tasks = vec![tokio::spawn(live::run(api.clone(), applied, shutdown.clone()))];
    let encrypted = pages.encrypted.map(|(listener, tls)| (listener, Some(tls)));
    for (listener, tls) in [(pages.plain, None)].into_iter().chain(encrypted) {
        let pages = hemu_api::serve(listener, tls, pages.places.clone(), api.clone(), shutdown.clone());
        tasks.push(tokio::spawn(async { log("dashboards", pages.await) }));
    }
    Ok(tasks)
}

fn api(parts: Parts<'_>) -> Result<Api> {
    let checks = checks(&parts);
    let (config, occasion, key) = (parts.config, parts.occasion, parts.key);
    let clock = occasion.clock.clone();
    let clock = hemu_api::Clock::new(move || clock());
    // People wait for real: their sessions run out by the machine's clock, also where the demo's is fast.
    let wall = clock::system();
    let wall = hemu_api::Clock::new(move || wall());
    let connected = parts.doors.connected;
    Ok(Api {
        standings: Standings::new(parts.ledger.clone(), clock.clone(), SCORES_FRESH_FOR),
        ledger: parts.ledger,
        series: parts.series,
        clock,
        raw_shown_ms: i64::from(config.keep_quarantine_bytes_days) * DAY_MS,
        people: People::new(key, wall, site::fill),
        site: Site {
            name: occasion.site_name.clone(),
            speed: f64::from(occasion.speed),
            demo: occasion.demo,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        },
        holder: parts.holder,
        presence: Presence::new(move |device| connected.is(device)),
        door: Door {
            allow_remote: config.serves_others(),
            hosts: config.hosts.clone(),
            proxies: config.trusted_proxies.clone(),
        },
        pace: Pace::default(),
        checks,
        inspections: Inspections::new(key, Plan::V1, FOLDED_WITHIN),
        intake: parts.doors.intake,
        dry_runs: DryRuns::default(),
        jobs: parts.jobs,
        activity: Activity::default(),
        screens: Screens::new(SCREEN_FRESH_FOR),
        ends: PublicEnds::new(ENDS_FRESH_FOR),
        turnouts: Turnouts::default(),
        live: Live::new(live::Limits::default()),
        metrics: hemu_api::Metrics::new(parts.registry)?,
    })
}

/// What has to hold for the site to be ready.
fn checks(parts: &Parts<'_>) -> Vec<Check> {
    let (ledger, doors) = (&parts.ledger, &parts.doors);
    let disk_least = parts.config.disk_free_mb << 20;
    let mut checks = vec![Check::store(ledger), Check::lag(ledger, LAG)];
    checks.push(disk::check(ledger.folder().path().to_owned(), disk_least));
    checks.extend(doors.healthy.clone().map(writable));
    checks.extend(doors.broker.clone().map(broker::check));
    checks
}

/// Serves the metrics until shutdown.
pub(crate) fn serve_metrics(
    listener: TcpListener,
    registry: Registry,
    shutdown: &CancellationToken,
) -> JoinHandle<()> {
    let metrics = hemu_api::serve_metrics(listener, registry, shutdown.clone());
    tokio::spawn(async { log("metrics", metrics.await) })
}

/// Whether acknowledgements flow.
fn writable(healthy: watch::Receiver<bool>) -> Check {
    Check::new("journal", move || {
        let healthy = *healthy.borrow();
        async move {
            if healthy {
                Ok("batches are stored and acknowledged".to_owned())
            } else {
                Err("the journal cannot be written; acknowledgements are withheld until it can: make room on the disk, or start the database again".to_owned())
            }
        }
    })
}

fn log(what: &str, outcome: std::io::Result<()>) {
    if let Err(error) = outcome {
        tracing::error!(%error, "the {what} listener ended");
    }
}
