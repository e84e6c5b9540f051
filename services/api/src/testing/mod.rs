//! A small site on a real data folder, asked without a socket.

mod ask;
mod desk;
mod hostile;
mod lists;
mod people;
#[expect(dead_code, reason = "the other test programs need the rest")]
#[path = "../../../ledger/tests/suite/postgres_server.rs"]
mod postgres_server;
mod store;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use hemu_ledger::entry::{BinState, Body as Entry, Deposit, Incident, Quarantined, Status};
use hemu_ledger::registry::{Estate, Household, Station};
use hemu_ledger::segment::Segment;
use hemu_ledger::{Journal, Ledger, Lock, Projector};
use hemu_rules::{Bp, By, Day, Grams, Millis, Permille, Plan, Stream, Zone};
use hemu_series::Series;
use prometheus::Registry;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::live::{Feed, Limits};
use crate::{
    Activity, Api, Check, Clock, Door, DryRuns, Inspections, Intake, Jobs, Live, Metrics, Pace, Presence,
    PublicEnds, Screens, Standings, Turnouts,
};

pub(crate) use ask::{Reader, acting, anonymous, answer, body, ending, looking, request};
pub(crate) use desk::Desk;
pub(crate) use people::cookie;

/// The local day it is.
pub(crate) const TODAY: &str = "2026-05-20";
/// Noon of it in Shanghai, ms since 1970 UTC.
pub(crate) const NOON: i64 = 1_779_249_600_000;

/// What the site's draws are made with.
pub(crate) const KEY: [u8; 32] = [7; 32];

/// A day in ms.
pub(crate) const DAY: i64 = 24 * HOUR;
const HOUR: i64 = 3_600_000;

pub(crate) fn day(text: &str) -> Day {
    text.parse().unwrap()
}

pub(crate) struct Site {
    pub(crate) ledger: Ledger,
    pub(crate) series: Series,
    api: Arc<Api>,
    registry: Registry,
    clock: Arc<AtomicI64>,
    writer: Mutex<Writer>,
    folder: tempfile::TempDir,
}

struct Writer {
    journal: Journal,
    projector: Projector,
    _lock: Lock,
    /// Of `insp1`'s records.
    seq: u64,
}

/// A camera's deposit of 500 g food.
fn deposit(at: i64, household: Option<&str>, quality: i64) -> Deposit<'_> {
    Deposit {
        at: Millis::clamped(at),
        household,
        bag: None,
        stream: Stream::Food,
        weight: Grams::clamped(500),
        quality: Bp::clamped(quality),
        confidence: Permille::clamped(900),
        by: By::Camera,
    }
}

pub(crate) fn inspected(at: i64, household: &str, quality: i64) -> Entry<'_> {
    Entry::Deposit(Deposit {
        by: By::Inspector,
        confidence: Permille::MAX,
        ..deposit(at, Some(household), quality)
    })
}

impl Site {
    /// Nothing in it.
    pub(crate) async fn empty() -> Self {
        Box::pin(Self::open(Limits::default())).await
    }

    /// Two estates, two stations, four devices, four households, and records of every kind.
    pub(crate) async fn filled() -> Self {
        Self::with(Limits::default()).await
    }

    pub(crate) async fn with(limits: Limits) -> Self {
        let site = Box::pin(Self::open(limits)).await;
        site.register().await;
        site.inspectors().await;
        site.bins().await;
        site
    }

    async fn open(limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tables = postgres_server::folder(folder.path()).await;
        let ledger = Ledger::open(&tables, Zone::SHANGHAI).await.unwrap();
        let series = Series::open(&folder.path().join("series.db"), Zone::SHANGHAI)
            .await
            .unwrap();
        let journal = ledger.journal().await.unwrap();
        let (projector, lock) = ledger.projector().await.unwrap();
        let now = Arc::new(AtomicI64::new(NOON));
        let told = now.clone();
        let clock = Clock::new(move || told.load(Ordering::SeqCst));
        let registry = Registry::new();
        let api = Box::pin(Self::beside(&ledger, &series, clock, &registry, limits)).await;
        Box::pin(people::let_in_all(&ledger)).await;
        Self {
            ledger,
            series,
            api: Arc::new(api),
            registry,
            clock: now,
            writer: Mutex::new(Writer {
                journal,
                projector,
                _lock: lock,
                seq: 0,
            }),
            folder,
        }
    }

    async fn beside(
        ledger: &Ledger,
        series: &Series,
        clock: Clock,
        registry: &Registry,
        limits: Limits,
    ) -> Api {
        Api {
            ledger: ledger.clone(),
            series: series.clone(),
            clock: clock.clone(),
            raw_shown_ms: i64::from(u16::MAX) * 86_400_000,
            people: people::logging_in(ledger).await,
            site: crate::Site {
                name: "和睦新村".into(),
                speed: 1.0,
                demo: false,
                version: "0.1.0".into(),
            },
            holder: "server-1".into(),
            presence: Presence::new(|device| device == "st01"),
            door: Door::default(),
            pace: Pace::default(),
            checks: Vec::new(),
            // Old enough never to be replaced: what a test sees depends on no timer.
            standings: Standings::new(ledger.clone(), clock.clone(), Duration::from_hours(1)),
            inspections: Inspections::new(ledger.site_key(KEY).await.unwrap(), Plan::V1, Duration::ZERO),
            intake: Intake::default(),
            dry_runs: DryRuns::default(),
            jobs: Jobs::new("server-1", clock.clone()),
            activity: Activity::default(),
            screens: Screens::new(Duration::ZERO),
            ends: PublicEnds::new(Duration::ZERO),
            turnouts: Turnouts::default(),
            live: Live::new(limits),
            metrics: Metrics::new(registry).unwrap(),
        }
    }

    async fn register(&self) {
        let plan = r#"{"width": 640, "height": 500, "stations": [], "buildings": [{"id": "b12", "label": "12", "units": 4,
            "floors": 6, "households": 3, "x": 10, "y": 20.5, "w": 40, "h": 12}]}"#;
        let ledger = &self.ledger;
        for (id, name, plan) in [("hemu", "和睦新村", Some(plan)), ("east", "东苑", None)] {
            let estate = Estate {
                id: id.into(),
                name: name.into(),
                plan: plan.map(str::to_owned),
            };
            ledger.put_estate(&estate).await.unwrap();
        }
        for (id, name, x, y) in [
            ("s1", "1号集置点", Some(30.0), Some(40.0)),
            ("s2", "2号集置点", None, None),
        ] {
            let station = Station {
                id: id.into(),
                estate: "hemu".into(),
                name: name.into(),
                x,
                y,
            };
            ledger.put_station(&station).await.unwrap();
        }
        for (id, station) in [
            ("st01", Some("s1")),
            ("st02", Some("s2")),
            ("st03", None),
            ("insp1", None),
        ] {
            ledger
                .add_device(id, &[7; 32], Some("hemu"), station, NOON - 90 * DAY)
                .await
                .unwrap();
        }
        let household = |token: &str, estate: &str, unit: &str, door: &str| Household {
            token: token.into(),
            estate: Some(estate.into()),
            building: Some("12".into()),
            unit: Some(unit.into()),
            door: Some(door.into()),
            residents: Some(3),
            station: None,
            created_at: NOON - 90 * DAY,
        };
        let households = [
            household("hh-good-0001", "hemu", "1", "301"),
            household("hh-poor-0002", "hemu", "1", "302"),
            household("hh-cam-0003", "hemu", "2", "101"),
            household("hh-east-0004", "east", "1", "601"),
        ];
        ledger.put_households(&households).await.unwrap();
    }

    /// Five inspected days of two households.
    async fn inspectors(&self) {
        let qualities = [
            ("hh-good-0001", [9_000, 9_200, 9_400, 9_000, 9_600]),
            ("hh-poor-0002", [3_000, 3_500, 2_500, 3_000, 4_000]),
        ];
        let mut segment = Segment::of_device("insp1", 1, 1);
        let mut seq = 0;
        for (household, days) in qualities {
            for (ago, quality) in (1..).zip(days) {
                seq += 1;
                segment.push(seq, &inspected(NOON - ago * DAY, household, quality));
            }
        }
        self.writer.lock().await.seq = seq;
        self.append(&[segment]).await;
    }

    /// What the bins sent today: with a gap, a repeat, a clock that runs ahead, and bytes that mean nothing.
    async fn bins(&self) {
        let camera = Entry::Deposit(Deposit {
            bag: Some("B1"),
            ..deposit(NOON - HOUR, Some("hh-cam-0003"), 8_000)
        });
        let bins = [
            (Stream::Food, 4_200, Some(31_000)),
            (Stream::Residual, 9_700, None),
        ];
        let status = Status {
            at: Millis::clamped(NOON - 60_000),
            bins: bins
                .map(|(stream, fill, weight_g)| BinState {
                    stream,
                    fill: Some(Bp::clamped(fill)),
                    weight_g,
                })
                .to_vec(),
            battery_mv: Some(12_100),
            rssi_dbm: Some(-71),
            temperature_cc: Some(2_345),
            firmware: Some("1.4.2"),
            queued: Some(0),
        };
        let incident = |kind, stream, note| {
            Entry::Incident(Incident {
                at: Millis::clamped(NOON - 30_000),
                kind,
                stream,
                note,
                photo: None,
            })
        };
        let mut first = Segment::of_device("st01", 7, 1);
        first.push(1, &camera);
        first.push(2, &Entry::Deposit(deposit(NOON - HOUR + 5_000, None, 6_000)));
        first.push(3, &Entry::Status(status));
        first.push(4, &incident("overflow", Some(Stream::Food), Some("lid open")));
        first.push(
            6,
            &Entry::Deposit(deposit(NOON - HOUR + 9_000, Some("hh-unregistered"), 5_000)),
        );
        let mut second = Segment::of_device("st02", 1, 1);
        second.push(1, &incident("smoke", None, None));
        second.push(
            2,
            &quarantined(
                "wrong_type",
                "weight_g: expected an integer of grams 0..200000, got \"5\"",
            ),
        );
        second.push(
            3,
            &Entry::Deposit(deposit(NOON + 10 * 60_000, Some("hh-cam-0003"), 7_000)),
        );
        let mut unreadable = Segment::unidentified("st02");
        unreadable.push_unidentified(&quarantined(
            "malformed",
            "expected a JSON object, got other bytes",
        ));
        let mut repeated = Segment::of_device("st01", 7, 1);
        repeated.push(1, &camera);
        self.append(&[first]).await;
        self.append(&[second, unreadable]).await;
        self.append(&[repeated]).await;
    }

    /// One more inspected bag, today.
    pub(crate) async fn inspect(&self, household: &str, quality: i64) {
        let seq = self.next_seq(1).await;
        let mut segment = Segment::of_device("insp1", 1, seq);
        segment.push(seq, &inspected(NOON - 60_000, household, quality));
        self.append(&[segment]).await;
    }

    /// Households of `hemu` by building, unit, number and quality, each with five inspected days.
    pub(crate) async fn settle(&self, units: &[(&str, &str, usize, i64)]) {
        let base = self
            .next_seq(units.iter().map(|(.., count, _)| 5 * *count as u64).sum())
            .await;
        let mut segment = Segment::of_device("insp1", 1, base);
        let mut seq = base;
        for (building, unit, count, quality) in units {
            for nth in 0..*count {
                let token = format!("hh-{building}-{unit}-{nth:04}");
                let household = Household {
                    token: token.clone(),
                    estate: Some("hemu".into()),
                    building: Some((*building).into()),
                    unit: Some((*unit).into()),
                    door: Some(format!("{}", 300 + nth)),
                    residents: None,
                    station: None,
                    created_at: NOON - 90 * DAY,
                };
                self.ledger.put_households(&[household]).await.unwrap();
                for ago in 1..=5 {
                    segment.push(seq, &inspected(NOON - ago * DAY, &token, *quality));
                    seq += 1;
                }
            }
        }
        self.append(&[segment]).await;
    }

    /// A bag, read now.
    pub(crate) async fn bag(&self, device: &'static str, by: By, household: &str, bag: &str) {
        let seq = self.next_seq(1).await;
        let mut segment = Segment::of_device(device, 2, seq);
        let deposit = Deposit {
            bag: Some(bag),
            by,
            ..deposit(self.clock.load(Ordering::SeqCst), Some(household), 5_000)
        };
        segment.push(seq, &Entry::Deposit(deposit));
        self.append(&[segment]).await;
    }

    /// Many households of a station, `hh-crowd-0000` and on.
    pub(crate) async fn crowd(&self, station: &str, count: usize) {
        let household = |nth| Household {
            token: format!("hh-crowd-{nth:04}"),
            estate: Some("hemu".into()),
            building: Some("3".into()),
            unit: Some("1".into()),
            door: Some(format!("{}", 100 + nth)),
            residents: None,
            station: Some(station.into()),
            created_at: NOON - 90 * DAY,
        };
        let households: Vec<_> = (0..count).map(household).collect();
        self.ledger.put_households(&households).await.unwrap();
    }

    /// So many inspected days of one household before today.
    pub(crate) async fn looked_at(&self, household: &str, days: i64, quality: i64) {
        let base = self.next_seq(days.unsigned_abs()).await;
        let mut segment = Segment::of_device("insp1", 1, base);
        for (seq, ago) in (base..).zip(1..=days) {
            segment.push(seq, &inspected(NOON - ago * DAY, household, quality));
        }
        self.append(&[segment]).await;
    }

    /// Bags of `hh-good-0001`, one a day up to yesterday, that `insp1` judged so much above `insp2`.
    pub(crate) async fn disagree(&self, bags: i64, apart: i64) {
        for (device, quality) in [("insp1", 5_000 + apart), ("insp2", 5_000)] {
            let base = self.next_seq(bags.unsigned_abs()).await;
            let mut segment = Segment::of_device(device, 1, base);
            for (seq, ago) in (base..).zip(1..=bags) {
                let bag = format!("S{ago}");
                let deposit = Deposit {
                    bag: Some(&bag),
                    by: By::Inspector,
                    ..deposit(NOON - ago * DAY, Some("hh-good-0001"), quality)
                };
                segment.push(seq, &Entry::Deposit(deposit));
            }
            self.append(&[segment]).await;
        }
    }

    /// Many unattributed deposits in one batch.
    pub(crate) async fn flood(&self, records: u64) {
        let base = self.next_seq(records).await;
        let mut segment = Segment::of_device("insp1", 1, base);
        (base..base + records).for_each(|seq| segment.push(seq, &Entry::Deposit(deposit(NOON, None, 5_000))));
        self.append(&[segment]).await;
    }

    /// A number that `insp1` used already, with a bag of nobody under it.
    pub(crate) async fn contradict(&self, seq: u64) {
        let mut segment = Segment::of_device("insp1", 1, seq);
        segment.push(seq, &Entry::Deposit(deposit(NOON - HOUR, None, 1)));
        self.append(&[segment]).await;
    }

    async fn next_seq(&self, count: u64) -> u64 {
        let mut writer = self.writer.lock().await;
        writer.seq += count;
        writer.seq + 1 - count
    }

    pub(crate) async fn append(&self, segments: &[Segment]) {
        let mut body = Vec::new();
        let records = segments
            .iter()
            .map(|segment| segment.write(&mut body, |_| true))
            .sum();
        self.writer
            .lock()
            .await
            .journal
            .append(NOON, records, &body)
            .await
            .unwrap();
        self.fold().await;
    }

    pub(crate) async fn append_unfolded(&self) {
        let mut segment = Segment::of_device("st09", 1, 1);
        segment.push(1, &Entry::Deposit(deposit(NOON, None, 1)));
        let mut body = Vec::new();
        let records = segment.write(&mut body, |_| true);
        self.writer
            .lock()
            .await
            .journal
            .append(NOON, records, &body)
            .await
            .unwrap();
    }

    pub(crate) async fn fold(&self) {
        let projector = &mut self.writer.lock().await.projector;
        while projector.step().await.unwrap().records > 0 {}
    }

    pub(crate) fn pass_ms(&self, ms: i64) {
        self.clock.fetch_add(ms, Ordering::SeqCst);
    }

    pub(crate) fn api(&self) -> Arc<Api> {
        self.api.clone()
    }

    pub(crate) fn checks(&mut self, checks: Vec<Check>) {
        self.parts().checks = checks;
    }

    /// The parts, while nothing else holds them.
    pub(crate) fn parts(&mut self) -> &mut Api {
        Arc::get_mut(&mut self.api).unwrap()
    }

    /// A feed that has read everything there is.
    pub(crate) async fn feed(&self) -> Feed {
        let mut feed = Feed::new(self.api());
        self.catch_up(&mut feed).await;
        feed
    }

    pub(crate) async fn catch_up(&self, feed: &mut Feed) {
        let now = Instant::now();
        while feed.catch_up(now).await.unwrap() {}
    }
}

fn quarantined(reason: &'static str, detail: &'static str) -> Entry<'static> {
    Entry::Quarantined(Quarantined {
        reason,
        detail,
        raw: b"{\"weight_g\":\"5\"\xff}",
        raw_len: 17,
    })
}

/// Every page and resource, on a PostgreSQL.
#[test]
fn the_whole_face_is_the_same_on_postgresql() {
    postgres_server::hold_there_too(&[]);
}
