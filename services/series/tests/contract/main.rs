//! What every series store must do, written against [`Series`](hemu_series::Series) alone: a new one joins as a
//! [`Kind`](places::Kind).
#![expect(
    clippy::unwrap_used,
    reason = "a test whose data cannot be prepared has failed"
)]

mod faults;
mod influx;
mod outage;
mod places;
mod victoria;

use hemu_rules::{Millis, Stream};
use hemu_series::{Agg, Error, Line, Measure, Point, Query, Step};
use proptest::prelude::*;

use influx::Fake;
use places::{Kind, NOW};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
/// 2026-01-01 00:00 in Shanghai: 16:00 of the day before in UTC.
const MIDNIGHT: i64 = 20_454 * DAY - 8 * HOUR;
const AGGS: [Agg; 6] = [Agg::Mean, Agg::Min, Agg::Max, Agg::Sum, Agg::Count, Agg::Last];

/// Each sentence of the contract is a test of each store.
macro_rules! contract {
    ($($sentence:ident,)*) => {
        contract! { @of sqlite, Some(super::Kind::Sqlite); $($sentence,)* }
        contract! { @of victoria_metrics, super::Kind::victoria(); $($sentence,)* }
        contract! { @of influxdb, Some(super::Kind::Influx(super::Fake::start())); $($sentence,)* }
        contract! { @of influxdb_itself, super::Kind::real_influx(); $($sentence,)* }
    };
    (@of $name:ident, $kind:expr; $($sentence:ident,)*) => {
        mod $name {
            $(#[tokio::test]
            async fn $sentence() {
                if let Some(kind) = $kind {
                    super::$sentence(&kind).await;
                }
            })*

            #[test]
            fn order_and_cuts_change_no_chart() {
                if let Some(kind) = $kind {
                    super::order_and_cuts_change_no_chart(&kind);
                }
            }
        }
    };
}

contract! {
    days_begin_at_local_midnight_and_hours_on_the_hour,
    an_hour_that_midnight_cuts_is_one_bucket_of_two_days,
    every_aggregate_is_that_of_the_points,
    a_chart_has_the_buckets_that_begin_in_its_time,
    lines_are_apart_by_device_measure_and_stream,
    charts_are_in_the_units_they_name,
    deposits_are_the_points_of_their_weight,
    what_was_written_before_is_refused_whole,
    two_writers_of_one_stretch_write_it_once,
    a_new_file_is_opened_by_many_at_once,
    a_chart_too_long_is_refused_with_advice,
    clearing_forgets_points_lines_and_position,
    a_store_that_another_has_cleared_gets_its_lines_anew,
    a_line_without_points_in_the_charts_time_is_not_in_it,
    a_bucket_shows_all_its_points_however_late_they_came,
}

fn fill(at: i64, value: i64) -> Point<'static> {
    Point {
        device: "C1",
        measure: Measure::Fill,
        stream: Some(Stream::Food),
        at: Millis::clamped(at),
        value,
    }
}

fn query(step: Step, agg: Agg) -> Query {
    Query {
        devices: vec!["C1".into()],
        measure: Measure::Fill,
        stream: None,
        from: MIDNIGHT - 10 * DAY,
        to: MIDNIGHT + 10 * DAY,
        step,
        agg,
        limit: 1_000,
    }
}

async fn days_begin_at_local_midnight_and_hours_on_the_hour(kind: &Kind) {
    let place = kind.place();
    let store = place
        .written(&[
            fill(MIDNIGHT - 1, 1_000),
            fill(MIDNIGHT, 2_000),
            fill(MIDNIGHT + HOUR - 1, 3_000),
            fill(MIDNIGHT + HOUR, 4_000),
            fill(MIDNIGHT + DAY - 1, 5_000),
            fill(MIDNIGHT + DAY, 6_000),
        ])
        .await;
    let count = |step| query(step, Agg::Count);
    assert_eq!(
        store.points(&count(Step::Day)).await,
        [(MIDNIGHT - DAY, 1.0), (MIDNIGHT, 4.0), (MIDNIGHT + DAY, 1.0)]
    );
    assert_eq!(
        store.points(&count(Step::Hour)).await,
        [
            (MIDNIGHT - HOUR, 1.0),
            (MIDNIGHT, 2.0),
            (MIDNIGHT + HOUR, 1.0),
            (MIDNIGHT + DAY - HOUR, 1.0),
            (MIDNIGHT + DAY, 1.0)
        ]
    );
}

/// Where days do not begin with an hour.
async fn an_hour_that_midnight_cuts_is_one_bucket_of_two_days(kind: &Kind) {
    let place = kind.place();
    let store = place.open_in("+05:45".parse().unwrap()).await;
    let midnight = 20_454 * DAY - 5 * HOUR - 45 * 60_000;
    let hour = midnight - 15 * 60_000;
    let points = [
        fill(midnight - 1, 1_000),
        fill(midnight, 9_000),
        fill(midnight + 45 * 60_000 - 1, 5_000),
        fill(midnight + DAY - 1, 3_000),
    ];
    assert!(store.series.write(0, 1, &points).await.unwrap());
    let chart = async |step, agg| store.points(&query(step, agg)).await;
    let of_hours = [(hour, 3.0), (hour + DAY, 1.0)];
    assert_eq!(chart(Step::Hour, Agg::Count).await, of_hours);
    assert_eq!(
        chart(Step::Hour, Agg::Last).await,
        [(hour, 0.5), (hour + DAY, 0.3)]
    );
    assert_eq!(
        chart(Step::Hour, Agg::Min).await,
        [(hour, 0.1), (hour + DAY, 0.3)]
    );
    let of_days = [(midnight - DAY, 1.0), (midnight, 3.0)];
    assert_eq!(chart(Step::Day, Agg::Count).await, of_days);
    assert_eq!(
        chart(Step::Day, Agg::Last).await,
        [(midnight - DAY, 0.1), (midnight, 0.3)]
    );
    // What begins within the chart's time is in it whole.
    let to = Query {
        to: hour + 1,
        ..query(Step::Hour, Agg::Count)
    };
    assert_eq!(store.points(&to).await, [(hour, 3.0)]);
}

async fn every_aggregate_is_that_of_the_points(kind: &Kind) {
    let place = kind.place();
    // The last by event time is not the last written; of one instant the larger is kept.
    let store = place
        .written(&[
            fill(MIDNIGHT + 50, 7_000),
            fill(MIDNIGHT + 60, 1_000),
            fill(MIDNIGHT + 60, 2_500),
            fill(MIDNIGHT + 10, 9_500),
        ])
        .await;
    for step in [Step::Hour, Step::Day] {
        for (agg, value) in [
            (Agg::Mean, 0.5),
            (Agg::Min, 0.1),
            (Agg::Max, 0.95),
            (Agg::Sum, 2.0),
            (Agg::Count, 4.0),
            (Agg::Last, 0.25),
        ] {
            assert_eq!(
                store.points(&query(step, agg)).await,
                [(MIDNIGHT, value)],
                "{agg:?}"
            );
        }
    }
}

async fn a_chart_has_the_buckets_that_begin_in_its_time(kind: &Kind) {
    let place = kind.place();
    let store = place
        .written(&[
            fill(MIDNIGHT, 1),
            fill(MIDNIGHT + HOUR, 2),
            fill(MIDNIGHT + 2 * HOUR, 3),
            fill(MIDNIGHT + DAY, 4),
        ])
        .await;
    let starts = async |step, from: i64, to: i64| {
        let query = Query {
            from,
            to,
            ..query(step, Agg::Last)
        };
        let found = store.points(&query).await;
        found
            .into_iter()
            .map(|(at, _)| (at - MIDNIGHT) / HOUR)
            .collect::<Vec<_>>()
    };
    assert_eq!(starts(Step::Hour, MIDNIGHT, MIDNIGHT + 2 * HOUR).await, [0, 1]);
    assert_eq!(
        starts(Step::Hour, MIDNIGHT + 1, MIDNIGHT + 2 * HOUR + 1).await,
        [1, 2]
    );
    assert_eq!(starts(Step::Day, MIDNIGHT, MIDNIGHT + DAY).await, [0]);
    assert_eq!(starts(Step::Day, MIDNIGHT + 1, MIDNIGHT + DAY + 1).await, [24]);
    assert_eq!(starts(Step::Hour, MIDNIGHT + DAY, MIDNIGHT).await, [0i64; 0]);
    assert_eq!(starts(Step::Hour, i64::MIN, i64::MAX).await, [0, 1, 2, 24]);
    assert_eq!(starts(Step::Day, i64::MIN, i64::MAX).await, [0, 24]);
}

async fn lines_are_apart_by_device_measure_and_stream(kind: &Kind) {
    let place = kind.place();
    let battery = Point {
        measure: Measure::Battery,
        stream: None,
        ..fill(MIDNIGHT, 3_700)
    };
    let residual = Point {
        stream: Some(Stream::Residual),
        ..fill(MIDNIGHT, 500)
    };
    let other = Point {
        device: "C2",
        ..fill(MIDNIGHT, 900)
    };
    let store = place
        .written(&[fill(MIDNIGHT, 100), battery, residual, other])
        .await;
    let line = |device: &str, stream, value| Line {
        device: device.to_owned(),
        stream,
        points: vec![(MIDNIGHT, value)],
    };
    let (food, residual) = (Some(Stream::Food), Some(Stream::Residual));
    let all = Query {
        devices: vec!["C2".into(), "C1".into(), "nobody".into()],
        ..query(Step::Day, Agg::Mean)
    };
    let lines = [
        line("C2", food, 0.09),
        line("C1", food, 0.01),
        line("C1", residual, 0.05),
    ];
    assert_eq!(store.read(&all).await.unwrap(), lines);
    let one = Query {
        stream: residual,
        ..all.clone()
    };
    assert_eq!(store.read(&one).await.unwrap(), lines[2..]);
    let voltage = Query {
        measure: Measure::Battery,
        ..all
    };
    assert_eq!(store.read(&voltage).await.unwrap(), [line("C1", None, 3_700.0)]);
}

async fn charts_are_in_the_units_they_name(kind: &Kind) {
    for measure in Measure::ALL {
        let place = kind.place();
        let kept = match measure {
            Measure::Deposits => Measure::DepositWeight,
            kept => kept,
        };
        let store = place
            .written(&[Point {
                measure: kept,
                ..fill(MIDNIGHT, 5_000)
            }])
            .await;
        let found = store
            .points(&Query {
                measure,
                ..query(Step::Day, Agg::Last)
            })
            .await;
        let value = match measure.unit() {
            "ratio" => 0.5,
            "C" => 50.0,
            "1" => 1.0,
            _ => 5_000.0,
        };
        assert_eq!(found, [(MIDNIGHT, value)], "{measure:?}");
        assert_eq!(measure.as_str().parse(), Ok(measure));
    }
    assert!("households".parse::<Measure>().is_err());
}

async fn deposits_are_the_points_of_their_weight(kind: &Kind) {
    let place = kind.place();
    let weight = |minutes: i64, value| Point {
        measure: Measure::DepositWeight,
        ..fill(MIDNIGHT + minutes * 60_000, value)
    };
    let store = place
        .written(&[weight(1, 700), weight(2, 300), weight(70, 0)])
        .await;
    for (agg, hours) in [
        (Agg::Sum, [2.0, 1.0]),
        (Agg::Count, [2.0, 1.0]),
        (Agg::Max, [1.0, 1.0]),
    ] {
        let chart = Query {
            measure: Measure::Deposits,
            ..query(Step::Hour, agg)
        };
        let found = store.points(&chart).await;
        assert_eq!(
            found.iter().map(|(_, value)| *value).collect::<Vec<_>>(),
            hours,
            "{agg:?}"
        );
    }
}

async fn what_was_written_before_is_refused_whole(kind: &Kind) {
    let place = kind.place();
    let store = place.written(&[fill(MIDNIGHT, 1)]).await;
    for (after, upto) in [(0, 1), (0, 2), (2, 3)] {
        let again = store.series.write(after, upto, &[fill(MIDNIGHT, 1)]).await;
        assert!(!again.unwrap());
    }
    assert_eq!(store.series.position().await.unwrap(), 1);
    let count = query(Step::Day, Agg::Count);
    assert_eq!(store.points(&count).await, [(MIDNIGHT, 1.0)]);
    // A stretch without points moves on as well; a restart does not.
    assert!(store.series.write(1, 5, &[]).await.unwrap());
    store.series.close().await;
    let store = place.open().await;
    assert_eq!(store.series.position().await.unwrap(), 5);
    let more = [fill(MIDNIGHT + 1, 1)];
    assert!(store.series.write(5, 6, &more).await.unwrap());
    assert_eq!(store.points(&count).await, [(MIDNIGHT, 2.0)]);
}

async fn two_writers_of_one_stretch_write_it_once(kind: &Kind) {
    let place = kind.place();
    let (store, other) = (place.open().await, place.open().await);
    let points_of = [fill(MIDNIGHT, 1)];
    let (one, two) = tokio::join!(
        store.series.write(0, 9, &points_of),
        other.series.write(0, 9, &points_of)
    );
    assert_ne!(one.unwrap(), two.unwrap());
    let count = query(Step::Day, Agg::Count);
    assert_eq!(store.points(&count).await, [(MIDNIGHT, 1.0)]);
}

async fn a_new_file_is_opened_by_many_at_once(kind: &Kind) {
    let place = kind.place();
    let stores = futures::future::join_all((0..8).map(|_| place.open())).await;
    for (position, store) in (0..).zip(stores) {
        let points = [fill(MIDNIGHT, 1)];
        assert!(store.series.write(position, position + 1, &points).await.unwrap());
    }
}

async fn a_chart_too_long_is_refused_with_advice(kind: &Kind) {
    let place = kind.place();
    let many: Vec<Point<'_>> = (0..30).map(|hour| fill(MIDNIGHT + hour * HOUR, 1)).collect();
    let store = place.written(&many).await;
    let limited = |step, limit| Query {
        limit,
        ..query(step, Agg::Mean)
    };
    assert_eq!(store.points(&limited(Step::Hour, 30)).await.len(), 30);
    let refused = store.read(&limited(Step::Hour, 29)).await;
    assert!(matches!(refused, Err(Error::TooMany { limit: 29 })));
    assert!(refused.unwrap_err().to_string().contains("days instead of hours"));
    assert_eq!(store.points(&limited(Step::Day, 2)).await.len(), 2);
    // Over all lines together.
    let twice = Query {
        devices: vec!["C1".into(), "C1".into()],
        ..limited(Step::Day, 3)
    };
    let refused = store.read(&twice).await;
    assert!(matches!(refused, Err(Error::TooMany { limit: 3 })));
}

async fn clearing_forgets_points_lines_and_position(kind: &Kind) {
    let place = kind.place();
    let store = place.written(&[fill(MIDNIGHT, 1), fill(MIDNIGHT, 3)]).await;
    let count = query(Step::Day, Agg::Count);
    assert_eq!(store.points(&count).await, [(MIDNIGHT, 2.0)]);
    store.series.clear().await.unwrap();
    assert_eq!(store.series.position().await.unwrap(), 0);
    assert!(store.read(&count).await.unwrap().is_empty());
    assert!(store.series.write(0, 1, &[fill(MIDNIGHT, 2)]).await.unwrap());
    assert_eq!(store.points(&count).await, [(MIDNIGHT, 1.0)]);
}

async fn a_store_that_another_has_cleared_gets_its_lines_anew(kind: &Kind) {
    let place = kind.place();
    let (one, other) = (place.open().await, place.open().await);
    let (food, residual) = (
        fill(MIDNIGHT, 1_000),
        Point {
            stream: Some(Stream::Residual),
            ..fill(MIDNIGHT, 3_000)
        },
    );
    let charts = async || {
        let lines = one.read(&query(Step::Day, Agg::Sum)).await.unwrap();
        let sum = |line: Line| (line.stream, line.points);
        lines.into_iter().map(sum).collect::<Vec<_>>()
    };
    assert!(one.series.write(0, 1, &[food, residual]).await.unwrap());
    let expected = charts().await;

    other.series.clear().await.unwrap();
    assert!(one.series.write(0, 1, &[food, residual]).await.unwrap());
    assert_eq!(charts().await, expected);

    // Filled again to the same position, so that nothing but the clearing tells that the numbers are others.
    other.series.clear().await.unwrap();
    assert!(other.series.write(0, 1, &[residual]).await.unwrap());
    assert!(one.series.write(1, 2, &[food]).await.unwrap());
    assert_eq!(charts().await, expected);
}

async fn a_line_without_points_in_the_charts_time_is_not_in_it(kind: &Kind) {
    let place = kind.place();
    let residual = Point {
        stream: Some(Stream::Residual),
        ..fill(MIDNIGHT + 20 * DAY, 500)
    };
    let store = place.written(&[fill(MIDNIGHT, 1), residual]).await;
    let lines = store.read(&query(Step::Day, Agg::Count)).await.unwrap();
    let streams: Vec<_> = lines.iter().map(|line| line.stream).collect();
    assert_eq!(streams, [Some(Stream::Food)]);
}

/// Each change of a bucket is seen, though it was sent before.
async fn a_bucket_shows_all_its_points_however_late_they_came(kind: &Kind) {
    let place = kind.place();
    let store = place.open().await;
    for position in 0..5 {
        let at = MIDNIGHT + HOUR - position * 60_000;
        let points = [fill(at - 1, 1_000), fill(at - 1, 4_000)];
        let position = position.cast_unsigned();
        assert!(store.series.write(position, position + 1, &points).await.unwrap());
        let (pairs, last) = (position as f64 + 1.0, [(MIDNIGHT, 0.4)]);
        for (agg, expected) in [(Agg::Count, 2.0 * pairs), (Agg::Mean, 0.25)] {
            let found = store.points(&query(Step::Hour, agg)).await;
            assert_eq!(found, [(MIDNIGHT, expected)], "{agg:?}");
        }
        assert_eq!(store.points(&query(Step::Day, Agg::Last)).await, last);
    }
}

type Said = Vec<(i64, i64, usize)>;

/// Points, and two orders in two cuts.
fn orders() -> impl Strategy<Value = (Said, Said)> {
    let one = (0..3 * DAY / HOUR, 0..10_000i64, 0..3usize)
        .prop_map(|(hour, value, cut)| (hour * HOUR / 2, value, cut));
    prop::collection::vec(one, 1..30).prop_flat_map(|list| (Just(list.clone()), Just(list).prop_shuffle()))
}

async fn play(kind: &Kind, said: &Said) -> Vec<Vec<(i64, f64)>> {
    let place = kind.place();
    let store = place.open().await;
    for (position, cut) in (0..).zip(said.chunk_by(|a, b| a.2 == b.2)) {
        let points: Vec<Point<'_>> = cut
            .iter()
            .map(|&(after, value, _)| fill(MIDNIGHT + after, value))
            .collect();
        assert!(store.series.write(position, position + 1, &points).await.unwrap());
        // The engine sees every state in between.
        store.series.push(NOW).await.unwrap();
    }
    let mut charts = Vec::new();
    for step in [Step::Hour, Step::Day] {
        for agg in AGGS {
            charts.push(store.points(&query(step, agg)).await);
        }
    }
    charts
}

/// Whatever the order and the cuts, and whichever the store, the charts are the embedded one's.
fn order_and_cuts_change_no_chart(kind: &Kind) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(16)
    };
    proptest!(config, |((sorted, shuffled) in orders())| {
        let expected = runtime.block_on(play(&Kind::Sqlite, &sorted));
        prop_assert_eq!(runtime.block_on(play(kind, &shuffled)), expected);
    });
}
