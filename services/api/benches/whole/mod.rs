//! The whole HTTP face over a folder, asked without a socket.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, header};
use hemu_api::{
    Activity, Api, Clock, Door, DryRuns, Inspections, Intake, Jobs, Live, Metrics, Pace, People, Presence,
    PublicEnds, Screens, Site, Standings, Turnouts, live,
};
use hemu_ledger::acts::Actor;
use hemu_ledger::people::NewToken;
use hemu_ledger::{Folder, Ledger};
use hemu_people::Role;
use hemu_rules::{Plan, Zone};
use hemu_series::Series;
use tokio::time::Instant;
use tower::ServiceExt;

use crate::city;

/// How long an answer to an account took; `None` when the api is not ready to give it.
pub(crate) async fn asked(api: &Arc<Api>, who: &str, path: &str) -> Option<Duration> {
    let request = Request::get(path)
        .header("authorization", format!("Bearer {who}"))
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

/// An account of staff, which asks with its name for a token.
pub(crate) async fn let_in(ledger: &Ledger, account: &str, role: Role) {
    let name = account.parse().unwrap();
    ledger
        .add_account(&Actor::operator(), 0, (&name, role), None)
        .await
        .unwrap();
    token(ledger, account, role).await;
}

/// Its token.
pub(crate) async fn token(ledger: &Ledger, account: &str, role: Role) {
    let token = NewToken {
        id: account,
        digest: hemu_people::digest(account),
        account,
        label: "bench",
        scopes: role.rights(),
        until: i64::MAX,
    };
    ledger.add_token(&Actor::operator(), 0, &token).await.unwrap();
}

/// Built as the product builds it, at noon of the city's last day.
pub(crate) async fn api(folder: &Path) -> Api {
    let ledger = Ledger::open(&Folder::open(folder).unwrap(), Zone::SHANGHAI)
        .await
        .unwrap();
    let series = Series::open(&folder.join("series.db"), Zone::SHANGHAI)
        .await
        .unwrap();
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
        jobs: Jobs::new("bench", clock.clone()),
        turnouts: Turnouts::default(),
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
        ends: PublicEnds::new(Duration::ZERO),
        live: Live::new(live::Limits::default()),
        metrics: Metrics::new(&prometheus::Registry::new()).unwrap(),
    }
}
