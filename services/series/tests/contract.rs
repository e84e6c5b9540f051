//! What every series store must do, written against [`Series`] alone: a new backend joins by adding its `store`.
#![expect(
    clippy::unwrap_used,
    reason = "a test whose data cannot be prepared has failed"
)]

use hemu_rules::{Millis, Stream, Zone};
use hemu_series::{Agg, Error, Line, Measure, Point, Query, Series, Step};
use proptest::prelude::*;
use tempfile::TempDir;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
/// 2026-01-01 00:00 in Shanghai: 16:00 of the day before in UTC.
const MIDNIGHT: i64 = 20_454 * DAY - 8 * HOUR;

/// A store of the backend under test.
async fn store(dir: &TempDir) -> Series {
    Series::open(&dir.path().join("series.db"), Zone::SHANGHAI)
        .await
        .unwrap()
}

async fn new() -> (TempDir, Series) {
    let dir = tempfile::tempdir().unwrap();
    let series = store(&dir).await;
    (dir, series)
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

async fn points(series: &Series, query: &Query) -> Vec<(i64, f64)> {
    let lines = series.read(query).await.unwrap();
    lines.into_iter().flat_map(|line| line.points).collect()
}

async fn written(points: &[Point<'_>]) -> (TempDir, Series) {
    let (dir, series) = new().await;
    assert!(series.write(0, 1, points).await.unwrap());
    (dir, series)
}

#[tokio::test]
async fn days_begin_at_local_midnight_and_hours_on_the_hour() {
    let (_dir, series) = written(&[
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
        points(&series, &count(Step::Day)).await,
        [(MIDNIGHT - DAY, 1.0), (MIDNIGHT, 4.0), (MIDNIGHT + DAY, 1.0)]
    );
    assert_eq!(
        points(&series, &count(Step::Hour)).await,
        [
            (MIDNIGHT - HOUR, 1.0),
            (MIDNIGHT, 2.0),
            (MIDNIGHT + HOUR, 1.0),
            (MIDNIGHT + DAY - HOUR, 1.0),
            (MIDNIGHT + DAY, 1.0)
        ]
    );
}

#[tokio::test]
async fn every_aggregate_is_that_of_the_points() {
    // The last by event time is not the last written; of one instant the larger is kept.
    let (_dir, series) = written(&[
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
                points(&series, &query(step, agg)).await,
                [(MIDNIGHT, value)],
                "{agg:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_chart_has_the_buckets_that_begin_in_its_time() {
    let (_dir, series) = written(&[
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
        let found = points(&series, &query).await;
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

#[tokio::test]
async fn lines_are_apart_by_device_measure_and_stream() {
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
    let (_dir, series) = written(&[fill(MIDNIGHT, 100), battery, residual, other]).await;
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
    assert_eq!(series.read(&all).await.unwrap(), lines);
    let one = Query {
        stream: residual,
        ..all.clone()
    };
    assert_eq!(series.read(&one).await.unwrap(), lines[2..]);
    let voltage = Query {
        measure: Measure::Battery,
        ..all
    };
    assert_eq!(series.read(&voltage).await.unwrap(), [line("C1", None, 3_700.0)]);
}

#[tokio::test]
async fn charts_are_in_the_units_they_name() {
    for measure in Measure::ALL {
        let kept = match measure {
            Measure::Deposits => Measure::DepositWeight,
            kept => kept,
        };
        let (_dir, series) = written(&[Point {
            measure: kept,
            ..fill(MIDNIGHT, 5_000)
        }])
        .await;
        let found = points(
            &series,
            &Query {
                measure,
                ..query(Step::Day, Agg::Last)
            },
        )
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

#[tokio::test]
async fn deposits_are_the_points_of_their_weight() {
    let weight = |minutes: i64, value| Point {
        measure: Measure::DepositWeight,
        ..fill(MIDNIGHT + minutes * 60_000, value)
    };
    let (_dir, series) = written(&[weight(1, 700), weight(2, 300), weight(70, 0)]).await;
    for (agg, hours) in [
        (Agg::Sum, [2.0, 1.0]),
        (Agg::Count, [2.0, 1.0]),
        (Agg::Max, [1.0, 1.0]),
    ] {
        let chart = Query {
            measure: Measure::Deposits,
            ..query(Step::Hour, agg)
        };
        let found = points(&series, &chart).await;
        assert_eq!(
            found.iter().map(|(_, value)| *value).collect::<Vec<_>>(),
            hours,
            "{agg:?}"
        );
    }
}

#[tokio::test]
async fn what_was_written_before_is_refused_whole() {
    let (dir, series) = written(&[fill(MIDNIGHT, 1)]).await;
    for (after, upto) in [(0, 1), (0, 2), (2, 3)] {
        assert!(!series.write(after, upto, &[fill(MIDNIGHT, 1)]).await.unwrap());
    }
    assert_eq!(series.position().await.unwrap(), 1);
    assert_eq!(
        points(&series, &query(Step::Day, Agg::Count)).await,
        [(MIDNIGHT, 1.0)]
    );
    // A stretch without points moves on as well; a restart does not.
    assert!(series.write(1, 5, &[]).await.unwrap());
    series.close().await;
    let series = store(&dir).await;
    assert_eq!(series.position().await.unwrap(), 5);
    assert!(series.write(5, 6, &[fill(MIDNIGHT + 1, 1)]).await.unwrap());
    assert_eq!(
        points(&series, &query(Step::Day, Agg::Count)).await,
        [(MIDNIGHT, 2.0)]
    );
}

#[tokio::test]
async fn two_writers_of_one_stretch_write_it_once() {
    let (dir, series) = new().await;
    let other = store(&dir).await;
    let points_of = [fill(MIDNIGHT, 1)];
    let (one, two) = tokio::join!(series.write(0, 9, &points_of), other.write(0, 9, &points_of));
    assert_ne!(one.unwrap(), two.unwrap());
    assert_eq!(
        points(&series, &query(Step::Day, Agg::Count)).await,
        [(MIDNIGHT, 1.0)]
    );
}

#[tokio::test]
async fn a_new_file_is_opened_by_many_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("series.db");
    let opening: Vec<_> = (0..8)
        .map(|_| path.clone())
        .map(|path| tokio::spawn(async move { Series::open(&path, Zone::SHANGHAI).await }))
        .collect();
    for (position, opening) in (0..).zip(opening) {
        let series = opening.await.unwrap().unwrap();
        assert!(
            series
                .write(position, position + 1, &[fill(MIDNIGHT, 1)])
                .await
                .unwrap()
        );
    }
}

#[tokio::test]
async fn a_chart_too_long_is_refused_with_advice() {
    let many: Vec<Point<'_>> = (0..30).map(|hour| fill(MIDNIGHT + hour * HOUR, 1)).collect();
    let (_dir, series) = written(&many).await;
    let limited = |step, limit| Query {
        limit,
        ..query(step, Agg::Mean)
    };
    assert_eq!(points(&series, &limited(Step::Hour, 30)).await.len(), 30);
    let refused = series.read(&limited(Step::Hour, 29)).await;
    assert!(matches!(refused, Err(Error::TooMany { limit: 29 })));
    assert!(refused.unwrap_err().to_string().contains("days instead of hours"));
    assert_eq!(points(&series, &limited(Step::Day, 2)).await.len(), 2);
    // Over all lines together.
    let twice = Query {
        devices: vec!["C1".into(), "C1".into()],
        ..limited(Step::Day, 3)
    };
    assert!(matches!(
        series.read(&twice).await,
        Err(Error::TooMany { limit: 3 })
    ));
}

#[tokio::test]
async fn clearing_forgets_points_lines_and_position() {
    let (_dir, series) = written(&[fill(MIDNIGHT, 1)]).await;
    series.clear().await.unwrap();
    assert_eq!(series.position().await.unwrap(), 0);
    assert!(
        series
            .read(&query(Step::Day, Agg::Mean))
            .await
            .unwrap()
            .is_empty()
    );
    assert!(series.write(0, 1, &[fill(MIDNIGHT, 2)]).await.unwrap());
    assert_eq!(
        points(&series, &query(Step::Day, Agg::Count)).await,
        [(MIDNIGHT, 1.0)]
    );
}

type Said = Vec<(i64, i64, usize)>;

/// Points, and two orders in two cuts.
#[tokio::test]
async fn a_store_that_another_has_cleared_gets_its_lines_anew() {
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (store(&dir).await, store(&dir).await);
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
    assert!(one.write(0, 1, &[food, residual]).await.unwrap());
    let expected = charts().await;

    other.clear().await.unwrap();
    assert!(one.write(0, 1, &[food, residual]).await.unwrap());
    assert_eq!(charts().await, expected);

    // Filled again to the same position, so that nothing but the clearing tells that the numbers are others.
    other.clear().await.unwrap();
    assert!(other.write(0, 1, &[residual]).await.unwrap());
    assert!(one.write(1, 2, &[food]).await.unwrap());
    assert_eq!(charts().await, expected);
}

fn orders() -> impl Strategy<Value = (Said, Said)> {
    let one = (0..3 * DAY / HOUR, 0..10_000i64, 0..3usize)
        .prop_map(|(hour, value, cut)| (hour * HOUR / 2, value, cut));
    prop::collection::vec(one, 1..30).prop_flat_map(|list| (Just(list.clone()), Just(list).prop_shuffle()))
}

async fn play(said: &Said) -> Vec<Vec<(i64, f64)>> {
    let (_dir, series) = new().await;
    for (position, cut) in (0..).zip(said.chunk_by(|a, b| a.2 == b.2)) {
        let points: Vec<Point<'_>> = cut
            .iter()
            .map(|&(after, value, _)| fill(MIDNIGHT + after, value))
            .collect();
        assert!(series.write(position, position + 1, &points).await.unwrap());
    }
    let mut charts = Vec::new();
    for step in [Step::Hour, Step::Day] {
        for agg in [Agg::Mean, Agg::Min, Agg::Max, Agg::Sum, Agg::Count, Agg::Last] {
            charts.push(points(&series, &query(step, agg)).await);
        }
    }
    charts
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn order_and_cuts_change_no_chart((sorted, shuffled) in orders()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (one, other) = runtime.block_on(async { (play(&sorted).await, play(&shuffled).await) });
        prop_assert_eq!(one, other);
    }
}
