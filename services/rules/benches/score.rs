//! What a score costs: the parts of one household's, and the fold of a million readings before it.
#![expect(clippy::unwrap_used, reason = "a benchmark of what fails measures nothing")]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use hemu_rules::{
    Bp, Bucket, BucketKey, By, Calibration, Census, DECAY, Day, DeviceNo, EstateNo, Grams, Guard, Household,
    HouseholdNo, Millis, PairSums, Participation, Permille, Ppb, Reading, Rule, Source, State, Stream, Tally,
    beta, calibrate, judge, posterior, totals,
};
use std::collections::HashMap;
use std::hint::black_box;

const EDITION: Day = Day::clamped(20_544);

/// Deterministic numbers below `n`, spread well enough for a benchmark.
fn spread(i: i64, n: i64) -> i64 {
    (i.wrapping_mul(0x5851_F42D_4C95_7F2D) >> 17).rem_euclid(n)
}

fn reading(i: i64, households: i64) -> Reading<'static> {
    let household = spread(i, households);
    Reading {
        household: HouseholdNo(u32::try_from(household).unwrap()),
        device: DeviceNo(u32::try_from(household / 40 * 2 + i % 2).unwrap()),
        at: Millis::MIN,
        day: EDITION.plus(-1 - i32::try_from(spread(i + 1, 90)).unwrap()),
        stream: Stream::from_code(spread(i + 2, 4)).unwrap(),
        grams: Grams::clamped(50 + spread(i + 3, 2_000)),
        quality: Bp::clamped(spread(i + 4, 10_001)),
        confidence: Permille::clamped(400 + spread(i + 5, 601)),
        by: if i % 25 == 0 { By::Inspector } else { By::Camera },
        bag: None,
        counts: true,
    }
}

/// A household that uses two cameras on each of 90 days and meets an inspector every tenth, by stream.
fn household() -> Vec<(Day, Source, Bucket)> {
    let bucket = |i: i64, source| {
        let w = 100_000 + spread(i, 900_000);
        let day = EDITION.plus(-90 + i32::try_from(i).unwrap());
        (
            day,
            source,
            Bucket {
                w,
                g: w * spread(i + 1, 10_001),
                n: 2,
            },
        )
    };
    let of_day = |i: i64| {
        let cameras = (0..2).map(move |n| bucket(i, Source::Camera(DeviceNo(n))));
        cameras.chain((i % 10 == 0).then(|| bucket(i, Source::Inspector)))
    };
    (0..90).flat_map(of_day).collect()
}

fn calibration(devices: u32) -> Calibration {
    let names: Vec<String> = (0..devices).map(|n| format!("C{n:05}")).collect();
    let pairs = pairs(devices);
    calibrate(&Rule::V1, pairs, |d| &names[d.0 as usize], EDITION)
}

/// Twenty days of pairs a device.
fn pairs(devices: u32) -> Vec<(DeviceNo, Day, PairSums)> {
    let of = |(device, k): (u32, i32)| {
        let q = spread(i64::from(device) * 100 + i64::from(k), 10_001);
        let y = (1_000 + q * 8 / 10 + spread(q, 1_000)).min(10_000);
        (
            DeviceNo(device),
            EDITION.plus(-1 - 4 * k),
            PairSums::of_bag(Bp::clamped(y), Bp::clamped(q)),
        )
    };
    (0..devices)
        .flat_map(|d| (0..20).map(move |k| (d, k)))
        .map(of)
        .collect()
}

fn scores(c: &mut Criterion) {
    c.bench_function("beta tail", |b| {
        b.iter(|| beta::tail(black_box(18.7), black_box(33.2), black_box(0.6)));
    });

    let (calibration, mut buckets) = (calibration(2), household());
    buckets.sort_by_key(|(day, source, _)| (*day, *source));
    let one = totals(buckets.iter().copied(), &calibration, &DECAY);
    assert!(one.rated(&Rule::V1));
    c.bench_function(&format!("totals of {} buckets, sorted", buckets.len()), |b| {
        b.iter(|| totals(black_box(&buckets).iter().copied(), &calibration, &DECAY));
    });
    let mut mixed = buckets.clone();
    mixed.sort_by_key(|(_, _, bucket)| bucket.g % 9_973);
    assert!(!mixed.is_sorted_by_key(|(day, ..)| *day));
    c.bench_function(
        &format!("totals of {} buckets, in any order", buckets.len()),
        |b| {
            b.iter(|| totals(black_box(&mixed).iter().copied(), &calibration, &DECAY));
        },
    );
    let m0 = Rule::V1.prior_unrated;
    c.bench_function("posterior", |b| {
        b.iter(|| posterior(&Rule::V1, black_box(one), m0));
    });
    let posterior = posterior(&Rule::V1, one, m0).unwrap();
    c.bench_function("interval", |b| {
        b.iter(|| black_box(&posterior).interval());
    });
}

fn folds(c: &mut Criterion) {
    const READINGS: u32 = 1_000_000;
    let mut group = c.benchmark_group("fold");
    group.sample_size(10);

    let readings: Vec<_> = (0..READINGS).map(|i| reading(i.into(), 20_000)).collect();
    group.throughput(Throughput::Elements(READINGS.into()));
    group.bench_function("1,000,000 readings into buckets", |b| {
        b.iter(|| {
            let mut buckets = HashMap::<BucketKey, Bucket>::new();
            for (key, bucket) in black_box(&readings).iter().filter_map(Bucket::of) {
                *buckets.entry(key).or_default() += bucket;
            }
            buckets.len()
        });
    });

    let (names, pairs): (Vec<String>, _) = ((0..10_000).map(|n| format!("C{n:05}")).collect(), pairs(10_000));
    group.throughput(Throughput::Elements(pairs.len() as u64));
    group.bench_function("calibration of 10,000 cameras", |b| {
        let run = |pairs| calibrate(&Rule::V1, pairs, |d| &names[d.0 as usize], EDITION);
        b.iter_batched(|| pairs.clone(), run, BatchSize::LargeInput);
    });
    group.finish();
}

/// The steps of an edition, for one household each: its days, the count of everybody, the verdict, the guard.
fn lists(c: &mut Criterion) {
    let (calibration, buckets) = (calibration(2), household());
    let day_of = |day: Day| {
        let own = buckets.iter().filter(|(d, ..)| *d == day);
        own.map(|(_, source, bucket)| (*source, *bucket))
            .collect::<Vec<_>>()
    };
    let days: Vec<_> = (1..=90)
        .map(|age| EDITION.plus(-age))
        .map(|day| (day, day_of(day)))
        .collect();
    let bags = Participation::of_bag(Stream::Food, Grams::clamped(700));
    let add_days = || {
        let mut tally = Tally::default();
        for (day, buckets) in black_box(&days) {
            tally.add_evidence(&calibration, *day, buckets);
            tally.add_bags(&calibration, *day, &bags);
        }
        tally
    };
    c.bench_function("tally of 90 days", |b| b.iter(add_days));

    let tally = add_days();
    let mut census = Census::default();
    census.add(&Rule::V1, EstateNo(0), &tally);
    c.bench_function("census, one household", |b| {
        b.iter_batched_ref(
            Census::default,
            |census| census.add(&Rule::V1, EstateNo(0), black_box(&tally)),
            BatchSize::SmallInput,
        );
    });
    let city = census.city(&Rule::V1, EDITION);
    let household = Household {
        tally: &tally,
        estate: EstateNo(0),
        first_deposit: Some(EDITION.plus(-200)),
        before: State::default(),
        inspections_doubted: false,
    };
    c.bench_function("judge and settle, one household", |b| {
        let guard = Guard::default();
        b.iter(|| judge(&city, black_box(&household)).unwrap().settle(&guard, "H0"));
    });
    let tokens: Vec<String> = (0..10_000).map(|n| format!("H{n:05}")).collect();
    let doubt = |n: i64| Ppb::clamped(spread(n, 20_000_000));
    c.bench_function("guard over 10,000 candidates", |b| {
        b.iter(|| {
            Guard::of(
                Rule::V1.guard_doubt_most,
                (0..).map(doubt).zip(tokens.iter().map(String::as_str)),
            )
        });
    });
}

criterion_group!(benches, scores, lists, folds);
criterion_main!(benches);
