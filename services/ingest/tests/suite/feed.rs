//! The time series behind the journal: every accepted record once, in the hour and day it belongs to, for no household.

use hemu_ingest::feed::catch_up;
use hemu_ledger::Folder;
use hemu_ledger::entry::{BinState, Body, Deposit, Status};
use hemu_ledger::segment::Segment;
use hemu_rules::{Bp, By, Millis, Stream, Zone};
use hemu_series::{Agg, Engine, Line, Measure, Query, Series, Step};
use prometheus::Registry;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::site::{HOUR, MIDNIGHT, NOW, Site, deposit, segment};

async fn series(site: &Site) -> Series {
    let path = site.dir.path().join("series.db");
    Series::open(&path, Zone::SHANGHAI).await.unwrap()
}

async fn chart(series: &Series, measure: Measure, step: Step, agg: Agg) -> Vec<Line> {
    let query = Query {
        devices: ["C1", "C2"].map(str::to_owned).to_vec(),
        measure,
        stream: None,
        from: 0,
        to: 2 * NOW,
        step,
        agg,
        limit: 10_000,
    };
    series.read(&query).await.unwrap()
}

async fn counts(series: &Series, step: Step) -> Vec<Vec<(i64, f64)>> {
    let lines = chart(series, Measure::Deposits, step, Agg::Sum).await;
    lines.into_iter().map(|line| line.points).collect()
}

fn batches() -> Vec<Segment> {
    (0..6)
        .map(|nth| {
            segment(
                if nth % 2 == 0 { "C1" } else { "C2" },
                nth * 40 + 1,
                nth * 40 + 60,
            )
        })
        .collect()
}

#[tokio::test]
async fn every_record_is_fed_once_whenever_the_process_ends() {
    let straight = Site::new().await;
    for batch in batches() {
        straight.append(&batch).await;
    }
    straight.fold().await;
    let straight_series = series(&straight).await;
    catch_up(&straight.ledger, &straight_series, |_, _| {})
        .await
        .unwrap();
    let expected = counts(&straight_series, Step::Hour).await;
    let all: f64 = expected.iter().flatten().map(|(_, n)| n).sum();
    // Batches of one device overlap nowhere; 6 times 60 records.
    assert!((all - 360.0).abs() < 0.1, "{all}");

    let site = Site::new().await;
    for batch in batches() {
        site.append(&batch).await;
        // Repeats are in the journal too, and count for nothing.
        site.append(&batch).await;
        site.fold().await;
        // Two feeders at once (a server and an import) and a new process every time.
        let (one, other) = (series(&site).await, series(&site).await);
        let (first, second) = tokio::join!(
            catch_up(&site.ledger, &one, |_, _| {}),
            catch_up(&site.ledger, &other, |_, _| {})
        );
        first.unwrap();
        second.unwrap();
        one.close().await;
        other.close().await;
    }
    let again = series(&site).await;
    assert_eq!(counts(&again, Step::Hour).await, expected);
    assert_eq!(again.position().await.unwrap(), site.ledger.head().await.unwrap());
}

#[tokio::test]
async fn what_is_not_folded_is_not_fed() {
    let site = Site::new().await;
    let series = series(&site).await;
    site.append(&segment("C1", 1, 5)).await;
    catch_up(&site.ledger, &series, |_, _| {}).await.unwrap();
    assert_eq!(series.position().await.unwrap(), 0);
    site.fold().await;
    let mut steps = Vec::new();
    catch_up(&site.ledger, &series, |position, records| {
        steps.push((position, records));
    })
    .await
    .unwrap();
    assert_eq!(steps, [(1, 5)]);
}

#[tokio::test]
async fn late_points_land_in_their_hour_and_their_local_day() {
    let site = Site::new().await;
    let series = series(&site).await;
    let mut days = Vec::new();
    for (seq, at) in [
        (1, MIDNIGHT + 30 * 24 * HOUR),
        (2, MIDNIGHT),
        (3, MIDNIGHT - 1),
        (4, MIDNIGHT + 24 * HOUR - 1),
        // A clock that runs ahead draws no chart of the future.
        (5, NOW + 24 * HOUR),
    ] {
        let mut late = Segment::of_device("C1", 1, 1);
        let minutes = (at - MIDNIGHT).div_euclid(60_000);
        late.push(seq, &deposit("H1", minutes));
        site.append(&late).await;
        site.fold().await;
        catch_up(&site.ledger, &series, |_, _| {}).await.unwrap();
        days = counts(&series, Step::Day).await;
    }
    let day = 24 * HOUR;
    assert_eq!(
        days,
        [vec![
            (MIDNIGHT - day, 1.0),
            (MIDNIGHT, 2.0),
            (MIDNIGHT + 30 * day, 1.0)
        ]]
    );
    let hours = counts(&series, Step::Hour).await;
    let starts: Vec<i64> = hours[0].iter().map(|(at, _)| *at).collect();
    assert_eq!(
        starts,
        [
            MIDNIGHT - HOUR,
            MIDNIGHT,
            MIDNIGHT + 23 * HOUR,
            MIDNIGHT + 30 * day
        ]
    );
}

#[tokio::test]
async fn a_status_becomes_its_lines_in_their_units() {
    let site = Site::new().await;
    let series = series(&site).await;
    let mut said = Segment::of_device("C1", 1, 1);
    let bin = |stream, fill, weight_g| BinState {
        stream,
        fill: Some(Bp::clamped(fill)),
        weight_g,
    };
    said.push(
        1,
        &Body::Status(Status {
            at: Millis::clamped(MIDNIGHT),
            bins: vec![
                bin(Stream::Food, 2_500, None),
                bin(Stream::Residual, 5_000, Some(40_000)),
            ],
            battery_mv: Some(3_700),
            rssi_dbm: Some(-71),
            temperature_cc: Some(-1_250),
            firmware: None,
            queued: None,
        }),
    );
    site.append(&said).await;
    site.fold().await;
    catch_up(&site.ledger, &series, |_, _| {}).await.unwrap();
    for (measure, values) in [
        (Measure::Fill, vec![0.25, 0.5]),
        (Measure::BinWeight, vec![40_000.0]),
        (Measure::Battery, vec![3_700.0]),
        (Measure::Rssi, vec![-71.0]),
        (Measure::Temperature, vec![-12.5]),
        (Measure::Deposits, vec![]),
    ] {
        let lines = chart(&series, measure, Step::Hour, Agg::Last).await;
        let found: Vec<f64> = lines
            .iter()
            .flat_map(|line| &line.points)
            .map(|(_, v)| *v)
            .collect();
        assert_eq!(found, values, "{measure:?}");
    }
}

#[tokio::test]
async fn the_series_know_how_many_deposits_name_a_household() {
    let site = Site::new().await;
    let series = series(&site).await;
    let mut said = Segment::of_device("C1", 1, 1);
    for (seq, household) in [(1, Some("H1")), (2, None), (3, Some("H2")), (4, None), (5, None)] {
        let Body::Deposit(of) = deposit("H1", 5) else {
            unreachable!()
        };
        said.push(seq, &Body::Deposit(Deposit { household, ..of }));
    }
    site.append(&said).await;
    site.fold().await;
    catch_up(&site.ledger, &series, |_, _| {}).await.unwrap();
    for (agg, value) in [(Agg::Sum, 2.0), (Agg::Count, 5.0), (Agg::Mean, 0.4)] {
        let lines = chart(&series, Measure::Attributed, Step::Day, agg).await;
        assert_eq!(lines[0].points, [(MIDNIGHT, value)], "{agg:?}");
    }
}

#[tokio::test]
async fn no_household_is_anywhere_in_the_series() {
    let site = Site::new().await;
    let series = series(&site).await;
    let mut said = Segment::of_device("C1", 1, 1);
    said.push(1, &deposit("TOKEN-OF-SOMEONE", 5));
    site.append(&said).await;
    site.fold().await;
    catch_up(&site.ledger, &series, |_, _| {}).await.unwrap();
    series.close().await;
    let mut files = 0;
    for entry in std::fs::read_dir(site.dir.path()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let bytes = std::fs::read(&path).unwrap();
        let named = bytes.windows(16).any(|window| window == b"TOKEN-OF-SOMEONE");
        if name.starts_with("series.db") {
            files += 1;
            assert!(!named, "{name} names a household");
        }
    }
    assert!(files > 0);
    assert!(Folder::open(site.dir.path()).unwrap().projections().exists());
}

#[tokio::test]
async fn an_engine_that_is_away_holds_up_no_feeding_and_is_told_of() {
    let site = Site::new().await;
    let path = site.dir.path().join("series.db");
    // Nobody listens on the port for discarding.
    let away = Engine::new("victoriametrics+http://127.0.0.1:9/", None, "site").unwrap();
    let series = Series::open_with(&path, Zone::SHANGHAI, Some(away))
        .await
        .unwrap();
    let (_applied, seen) = watch::channel(0);
    let metrics = hemu_ingest::Metrics::new(&Registry::new()).unwrap();
    let stop = CancellationToken::new();
    for batch in batches() {
        site.append(&batch).await;
    }
    site.fold().await;
    let feeding = tokio::spawn(hemu_ingest::feed::run(
        site.ledger.clone(),
        series.clone(),
        seen,
        std::sync::Arc::new(|| NOW),
        metrics.clone(),
        stop.clone(),
    ));
    let head = site.ledger.head().await.unwrap();
    let fed = async {
        while series.position().await.unwrap() < head || metrics.engine_unsent.get() == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_mins(1), fed)
        .await
        .unwrap();
    assert!(metrics.engine_failures.get() > 0);
    assert!(series.unsent().await.unwrap() > 0);
    stop.cancel();
    feeding.await.unwrap();
}

#[tokio::test]
async fn an_inspector_s_look_at_a_bag_that_was_weighed_is_no_deposit_more() {
    let site = Site::new().await;
    let mut segment = Segment::of_device("C1", 1, 1);
    let by = [
        (By::Camera, Some("B1")),
        (By::Inspector, Some("B1")),
        (By::Inspector, None),
    ];
    let Body::Deposit(plain) = deposit("H1", 1) else {
        unreachable!("a deposit is one")
    };
    for (seq, (by, bag)) in (1..).zip(by) {
        segment.push(seq, &Body::Deposit(Deposit { bag, by, ..plain }));
    }
    site.append(&segment).await;
    site.fold().await;
    let series = series(&site).await;
    catch_up(&site.ledger, &series, |_, _| {}).await.unwrap();
    assert_eq!(counts(&series, Step::Day).await, [[(MIDNIGHT, 2.0)]]);
    let judged = chart(&series, Measure::Quality, Step::Day, Agg::Count).await;
    assert_eq!(judged.len(), 1);
}
