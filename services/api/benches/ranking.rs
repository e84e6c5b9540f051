//! What the ranking costs in a large city, through the whole router: the best hundred, and a household's rank.
//!
//! ```text
//! cargo bench -p hemu-api --bench ranking                           # ten thousand households, in seconds
//! cargo bench -p hemu-api --bench ranking -- --households 1000000
//! ```
//!
//! `--data FOLDER` takes a city that is there already, as the ledger's `edition` bench makes it with `--make FOLDER`.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a benchmark whose data cannot be prepared has failed"
)]

#[path = "../../ledger/benches/city/mod.rs"]
mod city;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, header};
use hemu_api::{
    Activity, Api, Clock, Door, DryRuns, Inspections, Intake, Live, Metrics, Pace, People, Presence, Screens,
    Site, Standings, live,
};
use hemu_ledger::acts::Actor;
use hemu_ledger::people::NewToken;
use hemu_ledger::{Folder, Ledger};
use hemu_people::Role;
use hemu_rules::{Plan, Zone};
use hemu_series::Series;
use tokio::time::Instant;
use tower::ServiceExt;

/// Requests of each kind.
const ROUNDS: u32 = 1_000;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let told = |name| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1)
    };
    let households = told("--households").map_or(10_000, |text| text.parse().unwrap());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    match told("--data") {
        Some(folder) => runtime.block_on(run(Path::new(folder), households)),
        None => runtime.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            city::make(folder.path(), households, 90).await;
            run(folder.path(), households).await;
        }),
    }
}

async fn run(folder: &Path, households: u32) {
    let api = Arc::new(api(folder).await);
    // A large city's first standing takes longer than a request may; it goes on without the request.
    let began = Instant::now();
    while asked(&api, "/api/v1/ranking?limit=1").await.is_none() {}
    let first = began.elapsed();
    println!("ranking/{households}: the first answer, with the standing behind it, {first:.1?}");
    let estate = |round: u32| format!("E{:05}", round % households.div_ceil(80));
    measure(&api, "top 100", households, |_| {
        "/api/v1/ranking?limit=100".to_owned()
    })
    .await;
    measure(&api, "top 100 of an estate", households, |round| {
        format!("/api/v1/ranking?limit=100&estate={}", estate(round))
    })
    .await;
    let token = |round: u32| city::token(round.wrapping_mul(2_654_435_761) % households);
    measure(&api, "a rank", households, |round| {
        format!("/api/v1/households/{}/rank", token(round))
    })
    .await;
    measure(&api, "a household with evidence and rank", households, |round| {
        format!("/api/v1/households/{}", token(round))
    })
    .await;
}

async fn measure(api: &Arc<Api>, what: &str, households: u32, path: impl Fn(u32) -> String) {
    let mut took = Vec::new();
    for round in 0..ROUNDS {
        took.push(asked(api, &path(round)).await.unwrap());
    }
    took.sort_unstable();
    let (median, late) = (took[took.len() / 2], took[took.len() * 99 / 100]);
    println!("ranking/{households}: {what}: median {median:.0?}, 99 of 100 within {late:.0?}");
}

/// How long an answer took; `None` when the api is not ready to give it.
async fn asked(api: &Arc<Api>, path: &str) -> Option<Duration> {
    let request = Request::get(path)
        .header("authorization", format!("Bearer {TOKEN}"))
        .header(header::HOST, "localhost")
        .extension(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 9))));
    let request = request.body(Body::empty()).unwrap();
    let router = hemu_api::router(api.clone());
    let began = Instant::now();
    let response = router.oneshot(request).await.unwrap();
    if response.status() == 503 {
        return None;
    }
    assert_eq!(response.status(), 200, "{path}");
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    let took = began.elapsed();
    assert!(!body.is_empty());
    Some(took)
}

/// What the bench asks with.
const TOKEN: &str = "bench";

/// Lets the bench in.
async fn let_in(ledger: &Ledger) {
    let (by, name) = (Actor::operator(), "bench".parse().unwrap());
    let role = Role::Auditor;
    ledger.add_account(&by, 0, (&name, role), None).await.unwrap();
    let token = NewToken {
        id: "bench",
        digest: hemu_people::digest(TOKEN),
        account: "bench",
        label: "bench",
        scopes: role.rights(),
        until: i64::MAX,
    };
    ledger.add_token(&by, 0, &token).await.unwrap();
}

async fn api(folder: &Path) -> Api {
    let ledger = Ledger::open(&Folder::open(folder).unwrap(), Zone::SHANGHAI)
        .await
        .unwrap();
    let series = Series::open(&folder.join("series.db"), Zone::SHANGHAI)
        .await
        .unwrap();
    let_in(&ledger).await;
    // Noon of the last day.
    let noon = city::EDITION.start(Zone::SHANGHAI).get() - 43_200_000;
    let clock = Clock::new(move || noon);
    Api {
        ledger: ledger.clone(),
        series,
        people: People::new(ledger.site_key([7; 32]).await.unwrap(), clock.clone(), |_| Ok(())),
        clock: clock.clone(),
        raw_shown_ms: i64::MAX,
        site: Site {
            name: "city".into(),
            speed: 1.0,
            demo: false,
            version: "0".into(),
        },
        holder: "bench".into(),
        presence: Presence::new(|_| false),
        door: Door::default(),
        pace: Pace::default(),
        checks: Vec::new(),
        inspections: Inspections::new(ledger.site_key([7; 32]).await.unwrap(), Plan::V1, Duration::ZERO),
        standings: Standings::new(ledger, clock, Duration::from_hours(10)),
        intake: Intake::default(),
        dry_runs: DryRuns::default(),
        activity: Activity::default(),
        screens: Screens::new(Duration::ZERO),
        live: Live::new(live::Limits::default()),
        metrics: Metrics::new(&prometheus::Registry::new()).unwrap(),
    }
}
