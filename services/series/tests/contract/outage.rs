//! What an engine's death costs: nothing.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use hemu_rules::{Millis, Stream};
use hemu_series::{Error, Line, Measure, Point, Query, Series, Step, Trouble};
use jiff::Timestamp;

use crate::places::{Kind, NOW};
use crate::victoria::{Victoria, until};
use crate::{AGGS, DAY, HOUR, MIDNIGHT};

const DEVICES: [&str; 3] = ["C1", "C2", "scale-3"];
/// Ten days of an hour each.
pub(crate) const STRETCHES: i64 = 240;

/// The points of a stretch of the journal, some of them late.
pub(crate) fn stretch(nth: i64) -> Vec<Point<'static>> {
    let mut points = Vec::new();
    for (device, number) in DEVICES.into_iter().zip(1..) {
        for minute in 0..10 {
            let late = if minute == 9 { 30 * HOUR } else { 0 };
            let at = MIDNIGHT + nth * HOUR + minute * 360_000 - late;
            let point = |measure, stream, value| Point {
                device,
                measure,
                stream,
                at: Millis::clamped(at),
                value,
            };
            let value = (nth * 37 + minute * 113 + number * 71) % 10_000;
            points.push(point(Measure::Fill, Some(Stream::Food), value));
            points.push(point(Measure::DepositWeight, Some(Stream::Residual), value));
            points.push(point(Measure::Rssi, None, -value % 120));
        }
    }
    points
}

pub(crate) async fn charts(read: impl AsyncFn(Query) -> Vec<Line>) -> Vec<Vec<Line>> {
    let mut charts = Vec::new();
    for measure in Measure::ALL {
        for step in [Step::Hour, Step::Day] {
            for agg in AGGS {
                let query = Query {
                    devices: DEVICES.map(str::to_owned).to_vec(),
                    measure,
                    stream: None,
                    from: MIDNIGHT - 3 * DAY,
                    to: MIDNIGHT + 20 * DAY,
                    step,
                    agg,
                    limit: 10_000,
                };
                charts.push(read(query).await);
            }
        }
    }
    charts
}

/// The charts of whoever was fed the same without an engine.
pub(crate) async fn expected() -> Vec<Vec<Line>> {
    let place = Kind::Sqlite.place();
    let store = place.open().await;
    for nth in 0..STRETCHES {
        let position = nth.cast_unsigned();
        assert!(
            store
                .series
                .write(position, position + 1, &stretch(nth))
                .await
                .unwrap()
        );
    }
    charts(async |query| store.read(&query).await.unwrap()).await
}

/// It tells when it was started in whole seconds: two starts within one would look like one.
fn second_is_over(server: &Victoria) {
    let metrics = server.get("/metrics").unwrap();
    let started = metrics
        .lines()
        .find_map(|line| line.strip_prefix("vm_app_start_timestamp "));
    let started: i64 = started.unwrap().trim().parse().unwrap();
    until(|| Timestamp::now().as_second() > started);
}

/// Sends until told to stop, and through every failure.
async fn send(series: &Series, stop: &AtomicBool, failures: &AtomicUsize) {
    while !stop.load(Ordering::Relaxed) {
        match series.push(NOW).await {
            Ok(pushed) if pushed.sent > 0 => {}
            Ok(_) => tokio::task::yield_now().await,
            Err(Error::Engine { .. }) => {
                failures.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
            Err(other) => unreachable!("{other}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_killed_under_load_misses_nothing_and_doubles_nothing() {
    let Some(mut server) = Victoria::start() else {
        return;
    };
    let kind = Kind::at(server.url());
    let place = kind.place();
    let store = place.open().await;
    let (stop, failures) = (AtomicBool::new(false), AtomicUsize::new(0));
    let feed = async {
        for nth in 0..STRETCHES {
            let position = nth.cast_unsigned();
            assert!(
                store
                    .series
                    .write(position, position + 1, &stretch(nth))
                    .await
                    .unwrap()
            );
            if nth == STRETCHES / 3 {
                second_is_over(&server);
                // What it took a moment ago is in its memory alone.
                server.kill();
                let query = Query {
                    limit: 1,
                    ..crate::query(Step::Day, AGGS[0])
                };
                let refused = store.series.read(&query).await.unwrap_err();
                let told = refused.to_string();
                assert!(
                    told.contains("VictoriaMetrics, does not answer at http://127.0.0.1"),
                    "{told}"
                );
            }
            if nth == 2 * STRETCHES / 3 {
                while failures.load(Ordering::Relaxed) == 0 {
                    tokio::task::yield_now().await;
                }
                server.restart();
            }
            tokio::task::yield_now().await;
        }
        stop.store(true, Ordering::Relaxed);
    };
    tokio::join!(feed, send(&store.series, &stop, &failures));

    while store.series.push(NOW).await.unwrap().unsent > 0 {}
    // As long as it takes it to write to its disk.
    let later = store.series.push(NOW + 60_000).await.unwrap();
    assert!(later.is_done(), "{later:?}");
    server.flush();
    let found = charts(async |query| store.series.read(&query).await.unwrap()).await;
    assert_eq!(found, expected().await);
    assert_eq!(store.series.forgotten().await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_to_a_run_that_ended_is_sent_to_the_next() {
    let Some(mut server) = Victoria::start() else {
        return;
    };
    let kind = Kind::at(server.url());
    let place = kind.place();
    let store = place.written(&stretch(0)).await;
    let sent = store.series.push(NOW).await.unwrap();
    assert!(
        sent.sent > 0 && sent.unsent == 0 && sent.unsure == sent.sent as u64,
        "{sent:?}"
    );
    second_is_over(&server);
    server.kill();
    assert!(store.series.push(NOW).await.is_err());
    server.restart();
    let again = store.series.push(NOW).await.unwrap();
    assert_eq!(again.sent, sent.sent);
    let idle = store.series.push(NOW).await.unwrap();
    assert_eq!((idle.sent, idle.unsure), (0, sent.unsure));
    let sure = store.series.push(NOW + 60_000).await.unwrap();
    assert!(sure.is_done() && sure.sent == 0, "{sure:?}");
}

#[tokio::test]
async fn an_engine_new_to_a_file_gets_everything_and_so_does_one_that_is_filled_again() {
    let Some(server) = Victoria::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("series.db");
    let zone = hemu_rules::Zone::SHANGHAI;
    let alone = Series::open(&path, zone).await.unwrap();
    for nth in 0..STRETCHES {
        let position = nth.cast_unsigned();
        assert!(alone.write(position, position + 1, &stretch(nth)).await.unwrap());
    }
    let expected = charts(async |query| alone.read(&query).await.unwrap()).await;
    alone.close().await;

    let engine = || Some(hemu_series::Engine::new(&server.url(), None, "one").unwrap());
    let series = Series::open_with(&path, zone, engine()).await.unwrap();
    let all = series.refill().await.unwrap();
    let mut sent = 0;
    loop {
        let pushed = series.push(NOW).await.unwrap();
        sent += pushed.sent as u64;
        if pushed.unsent == 0 {
            break;
        }
    }
    assert_eq!(sent, all);
    server.flush();
    let found = charts(async |query| series.read(&query).await.unwrap()).await;
    assert_eq!(found, expected);

    // Opened again it lacks nothing; filled again it gets everything once more, and the charts are the same.
    series.close().await;
    let series = Series::open_with(&path, zone, engine()).await.unwrap();
    assert_eq!(series.push(NOW + 60_000).await.unwrap().sent, 0);
    assert_eq!(series.refill().await.unwrap(), all);
    while series.push(NOW).await.unwrap().unsent > 0 {}
    server.flush();
    let found = charts(async |query| series.read(&query).await.unwrap()).await;
    assert_eq!(found, expected);
}

#[tokio::test]
async fn an_engine_that_is_not_there_is_named_with_what_to_do() {
    let kind = Kind::at("victoriametrics+http://127.0.0.1:9/");
    let place = kind.place();
    let store = place.written(&stretch(0)).await;
    let refused = store.series.push(NOW).await.unwrap_err();
    assert!(matches!(
        &refused,
        Error::Engine {
            trouble: Trouble::Unreachable { .. },
            ..
        }
    ));
    assert!(
        refused.to_string().contains("set series_url to where it is"),
        "{refused}"
    );
    // The points are safe.
    assert_eq!(store.series.position().await.unwrap(), 1);
}
