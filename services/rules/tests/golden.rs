//! The oracle's vectors: tails, posteriors and five households from readings to probabilities.
#![expect(
    clippy::unwrap_used,
    reason = "a golden file that cannot be read fails the test"
)]

use hemu_rules::{
    BetaError, Bp, Bucket, By, Calibration, DECAY, Day, DeviceNo, Grams, PairSums, Permille, Posterior, Rule,
    Source, Stream, Totals, beta, calibrate, posterior, totals, weight,
};
use serde_json::Value;
use std::fs::read_to_string;

fn golden(name: &str) -> String {
    read_to_string(format!("{}/golden/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// Lines of a CSV file without its header, as fields.
fn rows(csv: &str) -> impl Iterator<Item = Vec<&str>> {
    csv.lines().skip(1).map(|line| line.split(',').collect())
}

#[track_caller]
fn near(got: f64, expected: f64, tolerance: f64, what: &str) {
    assert!(
        (got - expected).abs() <= tolerance,
        "{what}: {got} is not {expected} within {tolerance}"
    );
}

#[test]
fn beta_tails_are_those_of_forty_digits() -> Result<(), BetaError> {
    let (csv, mut count) = (golden("golden_beta.csv"), 0);
    for row in rows(&csv) {
        let v: Vec<f64> = row.iter().map(|field| field.parse().unwrap()).collect();
        let (a, b, x) = (v[0], v[1], v[2]);
        near(beta::tail(a, b, x)?, v[3], 1e-12, &format!("I_{x}({a}, {b})"));
        near(
            beta::tail(b, a, 1.0 - x)?,
            v[4],
            1e-12,
            &format!("1 - I_{x}({a}, {b})"),
        );
        count += 1;
    }
    assert_eq!(count, 80);
    Ok(())
}

#[test]
fn posteriors_are_the_oracles() -> Result<(), BetaError> {
    let (csv, mut count) = (golden("golden_posterior.csv"), 0);
    for row in rows(&csv) {
        let sums = Totals {
            e: row[0].parse().unwrap(),
            a: row[1].parse().unwrap(),
        };
        let got = posterior(&Rule::V1, sums, Bp::new(row[2].parse().unwrap()).unwrap())?;
        let v: Vec<f64> = row.iter().skip(3).map(|field| field.parse().unwrap()).collect();
        check_posterior(&got, &v, &format!("{sums:?}"));
        count += 1;
    }
    assert_eq!(count, 40);
    Ok(())
}

/// `expected`: evidence, mean, shapes, `P_black`, `P_red`.
#[track_caller]
fn check_posterior(got: &Posterior, expected: &[f64], what: &str) {
    let tails = [got.p_black, got.p_red].map(hemu_rules::Ppb::probability);
    let got = [got.e, got.mu, got.a, got.b, tails[0], tails[1]];
    for (got, &expected) in got.into_iter().zip(expected) {
        near(got, expected, 1e-9, what);
    }
}

#[test]
fn the_decay_table_is_the_oracles() {
    let file: Value = serde_json::from_str(&golden("golden_e2e.json")).unwrap();
    let expected: Vec<u64> = file["decay_q32"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_u64().unwrap())
        .collect();
    assert_eq!(DECAY.as_slice(), expected);
}

const CAMERAS: [&str; 4] = ["C1", "C2", "C3", "C4"];

fn camera(name: &str) -> DeviceNo {
    let at = CAMERAS.iter().position(|&c| c == name).unwrap();
    DeviceNo(u32::try_from(at).unwrap())
}

fn calibration_of(file: &Value) -> Calibration {
    let pair = |p: &Value| {
        let bp = |i: usize| Bp::new(p[i].as_i64().unwrap()).unwrap();
        (
            camera(p[0].as_str().unwrap()),
            day_of(&p[1]),
            PairSums::of_bag(bp(2), bp(3)),
        )
    };
    let pairs = file["pairs"].as_array().unwrap().iter().map(pair);
    calibrate(&Rule::V1, pairs, |d| CAMERAS[d.0 as usize], day_of(&file["T"]))
}

fn day_of(value: &Value) -> Day {
    Day::new(value.as_i64().unwrap()).unwrap()
}

#[test]
fn calibration_of_the_golden_pairs_is_the_oracles() {
    let file: Value = serde_json::from_str(&golden("golden_e2e.json")).unwrap();
    let got = calibration_of(&file);
    assert_eq!(got.slope(), file["slope"]);
    for name in CAMERAS {
        assert_eq!(
            got.intercept(camera(name)).unwrap(),
            file["dev_intercept"][name],
            "{name}"
        );
        assert_eq!(got.reliability(camera(name)), file["rho"][name], "{name}");
    }
    for (key, expected) in file["epoch_intercept"].as_object().unwrap() {
        let (name, epoch) = key.split_once('@').unwrap();
        let epoch: i64 = epoch.parse().unwrap();
        for day in [epoch * 14, epoch * 14 + 13] {
            let got = got.epoch_intercept(camera(name), Day::new(day).unwrap());
            assert_eq!(got.unwrap(), *expected, "{key} on day {day}");
        }
    }
}

#[test]
fn five_households_end_to_end_are_the_oracles() -> Result<(), BetaError> {
    let file: Value = serde_json::from_str(&golden("golden_e2e.json")).unwrap();
    let calibration = calibration_of(&file);
    let m0 = Bp::new(file["m0_bp"].as_i64().unwrap()).unwrap();
    for (household, expected) in file["expected"].as_object().unwrap() {
        let readings = file["readings"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|r| r[0] == **household);
        let got = totals(readings.map(bucket_of), &calibration, &DECAY);
        assert_eq!(got.e.to_string(), expected["E_int"], "{household}");
        assert_eq!(got.a.to_string(), expected["A_int"], "{household}");
        let fields = ["E", "mu", "a", "b", "P_le_060", "P_ge_085"].map(|f| expected[f].as_f64().unwrap());
        check_posterior(&posterior(&Rule::V1, got, m0)?, &fields, household);
    }
    Ok(())
}

fn bucket_of(r: &Value) -> (Day, Source, Bucket) {
    let int = |i: usize| r[i].as_i64().unwrap();
    let (source, by) = match r[2].as_str().unwrap() {
        "I" => (Source::Inspector, By::Inspector),
        name => (Source::Camera(camera(name)), By::Camera),
    };
    let stream: Stream = r[3].as_str().unwrap().parse().unwrap();
    let w = weight(
        stream,
        Grams::new(int(4)).unwrap(),
        Permille::new(int(6)).unwrap(),
        by,
    );
    (
        day_of(&r[1]),
        source,
        Bucket {
            w,
            g: w * int(5),
            n: 1,
        },
    )
}
