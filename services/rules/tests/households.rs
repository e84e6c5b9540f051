//! Forty simulated households from readings to probabilities, against the oracle; and the same in other orders,
//! other shards and under other numbers.
#![expect(
    clippy::unwrap_used,
    reason = "a golden file that cannot be read fails the test"
)]

use hemu_rules::{
    BetaError, Bp, Bucket, BucketKey, By, Calibration, Contributions, DECAY, Day, DeviceNo, FLAT14, Grams,
    HouseholdNo, Millis, PairSums, Participation, Permille, Reading, Rule, Source, Stream, Totals, Zone,
    calibrate, day_evidence, fold_bag, posterior, prior, totals,
};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::ops::AddAssign;

/// A row of the golden file under its names; numbers are given by the estate that takes it in.
#[derive(Debug, Clone)]
struct Row {
    bag: String,
    household: u32,
    device: String,
    at: Millis,
    stream: Stream,
    grams: Grams,
    by: By,
    quality: Bp,
    confidence: Permille,
}

fn golden() -> (Value, Vec<Row>) {
    let path = format!("{}/golden/households.json", env!("CARGO_MANIFEST_DIR"));
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let first = Day::new(file["first_day"].as_i64().unwrap())
        .unwrap()
        .start(Zone::SHANGHAI);
    let row = |r: &Value| {
        let int = |i: usize| r[i].as_i64().unwrap();
        Row {
            bag: format!("B{}", int(0)),
            household: u32::try_from(int(1)).unwrap(),
            at: first.saturating_add(int(2) * 60_000),
            stream: file["streams"][usize::try_from(int(3)).unwrap()]
                .as_str()
                .unwrap()
                .parse()
                .unwrap(),
            grams: Grams::new(int(4)).unwrap(),
            device: r[5].as_str().unwrap().to_owned(),
            by: r[6].as_str().unwrap().parse().unwrap(),
            quality: Bp::new(int(7)).unwrap(),
            confidence: Permille::new(int(8)).unwrap(),
        }
    };
    let rows = file["readings"].as_array().unwrap().iter().map(row).collect();
    (file, rows)
}

/// What a ledger keeps, in memory.
#[derive(Debug, Clone, Default, PartialEq)]
struct Estate {
    buckets: BTreeMap<BucketKey, Bucket>,
    participation: BTreeMap<(HouseholdNo, Day), Participation>,
    pairs: BTreeMap<(DeviceNo, Day), PairSums>,
}

/// Device names in the order of their numbers.
fn arrival<'r>(rows: impl IntoIterator<Item = &'r Row>) -> Vec<&'r str> {
    let mut names: Vec<&str> = Vec::new();
    for row in rows {
        if !names.contains(&row.device.as_str()) {
            names.push(&row.device);
        }
    }
    names
}

fn add<K: Ord, V: Default + AddAssign>(map: &mut BTreeMap<K, V>, key: K, value: V) {
    *map.entry(key).or_default() += value;
}

impl Estate {
    fn of<'r>(rows: impl IntoIterator<Item = &'r Row>, names: &[&str]) -> Self {
        let (mut estate, mut bags) = (Self::default(), HashMap::<_, Vec<_>>::new());
        for (nth, row) in rows.into_iter().enumerate() {
            let number = names.iter().position(|&n| n == row.device).unwrap();
            let reading = Reading {
                household: HouseholdNo(row.household),
                device: DeviceNo(u32::try_from(number).unwrap()),
                at: row.at,
                day: Day::of(row.at, Zone::SHANGHAI),
                stream: row.stream,
                grams: row.grams,
                quality: row.quality,
                confidence: row.confidence,
                by: row.by,
                bag: Some(&row.bag),
                counts: true,
            };
            let (key, bucket) = Bucket::of(&reading).unwrap();
            add(&mut estate.buckets, key, bucket);
            let bag = (reading.household, reading.day, &row.bag);
            bags.entry(bag).or_default().push(((&row.device, nth), reading));
        }
        for ((household, day, _), readings) in bags {
            let fold = fold_bag(readings);
            add(&mut estate.participation, (household, day), fold.participation);
            if let Some((camera, sums)) = fold.pair {
                add(&mut estate.pairs, (camera, day), sums);
            }
        }
        estate
    }

    fn merge(&mut self, other: Self) {
        other
            .buckets
            .into_iter()
            .for_each(|(k, v)| add(&mut self.buckets, k, v));
        other
            .participation
            .into_iter()
            .for_each(|(k, v)| add(&mut self.participation, k, v));
        other
            .pairs
            .into_iter()
            .for_each(|(k, v)| add(&mut self.pairs, k, v));
    }

    fn calibrate(&self, names: &[&str], edition: Day) -> Calibration {
        let pairs = self
            .pairs
            .iter()
            .map(|(&(device, day), &sums)| (device, day, sums));
        calibrate(&Rule::V1, pairs, |device| names[device.0 as usize], edition)
    }

    fn buckets_of(&self, household: u32) -> impl Iterator<Item = (Day, Source, Bucket)> {
        let own = self
            .buckets
            .iter()
            .filter(move |(key, _)| key.household == HouseholdNo(household));
        own.map(|(key, &bucket)| (key.day, key.source, bucket))
    }

    fn totals_of(&self, household: u32, calibration: &Calibration) -> Totals {
        totals(self.buckets_of(household), calibration, &DECAY)
    }
}

/// Every device's slope, intercept and reliability under its name, and every household's totals.
fn result(estate: &Estate, names: &[&str], edition: Day) -> String {
    let calibration = estate.calibrate(names, edition);
    let mut devices: Vec<_> = (0_u32..)
        .zip(names)
        .map(|(n, name)| (name, DeviceNo(n)))
        .collect();
    devices.sort_unstable();
    let devices = devices.into_iter().map(|(name, d)| {
        let epochs = (0..90)
            .map(|k| calibration.epoch_intercept(d, edition.plus(-k)))
            .collect::<Vec<_>>();
        format!(
            "{name} {:?} {epochs:?} {}\n",
            calibration.intercept(d),
            calibration.reliability(d)
        )
    });
    let households = (0..40).map(|h| format!("{h} {:?}\n", estate.totals_of(h, &calibration)));
    format!("{}\n", calibration.slope()) + &devices.chain(households).collect::<String>()
}

/// Deterministic shuffle: order by a multiplicative hash.
fn shuffled(rows: &[Row], seed: u64) -> Vec<&Row> {
    let mut keyed: Vec<_> = (1_u64..).zip(rows).collect();
    let hash = |n: u64| {
        (n ^ (seed << 32))
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .rotate_left(31)
    };
    keyed.sort_by_key(|&(n, _)| hash(hash(n)));
    keyed.into_iter().map(|(_, row)| row).collect()
}

fn editions(file: &Value) -> impl Iterator<Item = (Day, &Value)> {
    let all = file["editions"].as_array().unwrap().iter();
    all.map(|e| (Day::new(e["day"].as_i64().unwrap()).unwrap(), e))
}

#[test]
fn calibration_is_the_oracles() {
    let (file, rows) = golden();
    let names = arrival(&rows);
    let estate = Estate::of(&rows, &names);
    for (edition, expected) in editions(&file) {
        let got = estate.calibrate(&names, edition);
        assert_eq!(got.slope(), expected["slope"]);
        for (n, name) in (0..).zip(&names) {
            let device = DeviceNo(n);
            assert_eq!(
                got.intercept(device),
                expected["intercepts"][name].as_i64(),
                "{name}"
            );
            let reliability = expected["reliability"][name].as_i64().unwrap_or(0);
            assert_eq!(got.reliability(device), reliability, "{name}");
            for day in (1..=90).map(|k| edition.plus(-k)) {
                let epoch = &expected["epoch_intercepts"][format!("{name}@{}", day.get().div_euclid(14))];
                let intercept = epoch.as_i64().or(got.intercept(device));
                assert_eq!(got.epoch_intercept(device, day), intercept, "{name} {day}");
            }
        }
    }
}

#[test]
fn totals_prior_and_posteriors_are_the_oracles() -> Result<(), BetaError> {
    let (file, rows) = golden();
    let names = arrival(&rows);
    let estate = Estate::of(&rows, &names);
    for (edition, expected) in editions(&file) {
        let calibration = estate.calibrate(&names, edition);
        let m0 = prior(&Rule::V1, (0..40).map(|h| estate.totals_of(h, &calibration)));
        assert_eq!(i64::from(m0), expected["prior"]);
        for (h, expected) in (0..40).zip(expected["households"].as_array().unwrap()) {
            let at = format!("household {h}, {edition}");
            let got = estate.totals_of(h, &calibration);
            assert_eq!(
                (got.e.to_string(), got.a.to_string()),
                texts(expected, "e", "a"),
                "{at}"
            );
            let flat = totals(estate.buckets_of(h), &calibration, &FLAT14);
            assert_eq!(
                (flat.e.to_string(), flat.a.to_string()),
                texts(expected, "e14", "a14"),
                "{at}"
            );
            let got = posterior(&Rule::V1, got, m0)?;
            assert_eq!(got.score, expected["score"], "{at}");
            assert_eq!(got.p_black.get(), expected["p_black"], "{at}");
            assert_eq!(got.p_red.get(), expected["p_red"], "{at}");
        }
    }
    Ok(())
}

fn texts(object: &Value, a: &str, b: &str) -> (String, String) {
    let text = |field: &str| object[field].as_str().unwrap().to_owned();
    (text(a), text(b))
}

#[test]
fn participation_is_the_oracles() {
    let (file, rows) = golden();
    let estate = Estate::of(&rows, &arrival(&rows));
    for (edition, expected) in editions(&file) {
        for (h, expected) in (0..40).zip(expected["households"].as_array().unwrap()) {
            let last = |days: i32| {
                let (from, to) = (edition.plus(-days), edition.plus(-1));
                estate
                    .participation
                    .range((HouseholdNo(h), from)..=(HouseholdNo(h), to))
                    .map(|(_, p)| p)
            };
            let days45 = last(45).filter(|p| p.bags() > 0).count();
            assert_eq!(days45, expected["deposit_days45"], "household {h}, {edition}");
            assert_eq!(last(28).map(|p| p.grams).sum::<i64>(), expected["grams28"]);
            let food = last(28).filter(|p| p.streams().contains(Stream::Food)).count();
            assert_eq!(food, expected["food_days28"]);
        }
    }
}

#[test]
fn the_days_of_a_household_add_up_to_its_totals() {
    let (file, rows) = golden();
    let names = arrival(&rows);
    let estate = Estate::of(&rows, &names);
    for (edition, _) in editions(&file) {
        let calibration = estate.calibrate(&names, edition);
        for h in 0..40 {
            let days = day_evidence(estate.buckets_of(h), &calibration, &DECAY);
            assert!(days.is_sorted_by_key(|d| d.day));
            let e: i128 = days.iter().map(|d| d.decayed).sum();
            assert_eq!(e, estate.totals_of(h, &calibration).e, "household {h}, {edition}");
            for day in days {
                assert_eq!(day.e, day.sources.iter().map(|s| s.e).sum::<i64>());
                assert_eq!(day.quality.is_some(), day.e > 0);
                assert!(
                    day.e <= 2 * Rule::V1.day(),
                    "a day is one inspector's and one of all cameras"
                );
            }
        }
    }
}

#[test]
fn the_streams_of_a_household_add_up_to_its_score() -> Result<(), BetaError> {
    let (file, rows) = golden();
    let names = arrival(&rows);
    let estate = Estate::of(&rows, &names);
    for (edition, expected) in editions(&file) {
        let calibration = estate.calibrate(&names, edition);
        let m0 = Bp::new(expected["prior"].as_i64().unwrap()).unwrap();
        for (h, expected) in (0..40).zip(expected["households"].as_array().unwrap()) {
            let own = estate
                .buckets
                .iter()
                .filter(|(key, _)| key.household == HouseholdNo(h));
            let own: Vec<_> = own
                .map(|(key, &sums)| (key.day, key.source, key.stream, sums))
                .collect();
            let got = Contributions::of(&own, &calibration, m0);
            let streams: i128 = got.streams.iter().map(|s| s.part.numerator).sum();
            assert_eq!(streams + got.clamped, got.total, "household {h}, {edition}");
            let (e, a) = texts(expected, "e", "a");
            let (e, a): (i128, i128) = (e.parse().unwrap(), a.parse().unwrap());
            assert_eq!(
                got.total,
                a - e * i128::from(i64::from(m0)),
                "household {h}, {edition}"
            );
            let mu = posterior(&Rule::V1, Totals { e, a }, m0)?.mu;
            let points = 100.0 * m0.share() + got.total as f64 / got.denominator as f64;
            assert!((points - 100.0 * mu).abs() < 1e-9, "household {h}, {edition}");
        }
    }
    Ok(())
}

#[test]
fn order_and_shards_change_no_bit() {
    let (file, rows) = golden();
    let names = arrival(&rows);
    let base = Estate::of(&rows, &names);
    for shards in 1..=16_u32 {
        let rows = shuffled(&rows, shards.into());
        let mut merged = Estate::default();
        for shard in (0..shards).rev() {
            // Readings of one bag belong together: shards are of households.
            merged.merge(Estate::of(
                rows.iter().copied().filter(|r| r.household % shards == shard),
                &names,
            ));
        }
        assert_eq!(merged, base, "{shards} shards");
        // Evidence knows no bags: there any split will do.
        let mut split = BTreeMap::new();
        for shard in (0..shards as usize).rev() {
            let part = rows.iter().copied().skip(shard).step_by(shards as usize);
            Estate::of(part, &names)
                .buckets
                .into_iter()
                .for_each(|(k, v)| add(&mut split, k, v));
        }
        assert_eq!(split, base.buckets, "{shards} shards");
        for (edition, _) in editions(&file) {
            assert_eq!(result(&merged, &names, edition), result(&base, &names, edition));
        }
    }
}

#[test]
fn numbers_given_in_another_order_change_no_bit() {
    let (file, rows) = golden();
    let names = arrival(&rows);
    let base = Estate::of(&rows, &names);
    for seed in 1..=8 {
        let order = shuffled(&rows, seed);
        let renumbered = arrival(order.iter().copied());
        assert_ne!(renumbered, names, "seed {seed} must give other numbers");
        let estate = Estate::of(order, &renumbered);
        for (edition, _) in editions(&file) {
            assert_eq!(
                result(&estate, &renumbered, edition),
                result(&base, &names, edition)
            );
        }
    }
}

#[test]
fn what_was_added_and_taken_back_leaves_nothing() {
    let (_, rows) = golden();
    let names = arrival(&rows);
    let base = Estate::of(&rows, &names);
    let extra = Estate::of(rows.iter().step_by(3), &names);
    let mut changed = base.clone();
    changed.merge(extra.clone());
    assert_ne!(changed, base);
    changed.merge(Estate {
        buckets: extra.buckets.into_iter().map(|(k, v)| (k, -v)).collect(),
        participation: extra.participation.into_iter().map(|(k, v)| (k, -v)).collect(),
        pairs: extra.pairs.into_iter().map(|(k, v)| (k, -v)).collect(),
    });
    assert_eq!(changed, base);
    for bucket in base.buckets.values() {
        let mut bucket = *bucket;
        bucket -= bucket;
        assert!(bucket.is_zero());
    }
}
