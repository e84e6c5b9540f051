use std::collections::{HashMap, HashSet};

use super::*;

fn history(seed: u64, days: u16) -> History {
    History::new(seed, Arc::new(Estate::hemu_xincun(54).unwrap()), 20_000, days)
}

fn all(mut history: History) -> Vec<Reading> {
    let mut readings = Vec::new();
    while let Some(day) = history.next_day() {
        readings.extend(day.readings);
    }
    readings
}

fn deposits(readings: &[Reading], by: By) -> Vec<(Reading, Deposit)> {
    let pick = |r: &Reading| match r.body {
        Body::Deposit(d) if d.by == by => Some((*r, d)),
        _ => None,
    };
    readings.iter().filter_map(pick).collect()
}

#[track_caller]
fn near(got: f64, want: f64, slack: f64) {
    assert!(
        (got - want).abs() <= slack,
        "expected {want} within {slack}, got {got}"
    );
}

#[test]
fn same_seed_gives_the_same_days_and_another_seed_others() {
    assert_eq!(all(history(1, 3)), all(history(1, 3)));
    assert_ne!(all(history(1, 3)), all(history(2, 3)));
}

#[test]
fn a_history_that_goes_on_gives_the_days_a_longer_one_would() {
    let mut short = history(4, 2);
    while short.next_day().is_some() {}
    short.without_end();
    let mut long = history(4, 3);
    long.next_day();
    long.next_day();
    assert_eq!(short.next_day(), long.next_day());
    assert!(short.next_day().is_some() && long.next_day().is_none());
}

#[test]
fn days_are_in_time_order_and_inside_their_day() {
    let mut history = history(1, 5);
    assert_eq!(history.remaining(), all(history.clone()).len() as u64);
    while let Some(day) = history.next_day() {
        assert!(day.readings.is_sorted_by_key(|r| (r.at, r.device)));
        assert!(day.readings.iter().all(|r| day_of(r.at) == day.day));
    }
}

#[test]
fn household_types_have_their_shares() {
    let history = history(9, 1);
    let share = |kind| history.habits().iter().filter(|h| h.kind == kind).count() as f64 / 3_566.0;
    near(share(Kind::Reliable), 0.45, 0.03);
    near(share(Kind::Learning), 0.35, 0.03);
    near(share(Kind::Careless), 0.14, 0.02);
    near(share(Kind::Evader), 0.04, 0.012);
    near(share(Kind::Absent), 0.02, 0.01);
}

#[test]
fn bags_a_day_streams_and_attribution_are_as_planned() {
    let readings = all(history(3, 14));
    let bags = deposits(&readings, By::Camera);
    let per_day = |stream| bags.iter().filter(|(_, d)| d.stream == stream).count() as f64 / (3_566.0 * 14.0);
    near(per_day(Stream::Food), 0.82, 0.04);
    near(per_day(Stream::Residual), 0.82, 0.04);
    near(per_day(Stream::Recyclable), 0.145, 0.01);
    near(per_day(Stream::Hazardous), 0.004, 0.001_5);
    let unattributed = bags.iter().filter(|(_, d)| d.household.is_none()).count() as f64 / bags.len() as f64;
    assert!(
        (0.05..0.25).contains(&unattributed),
        "unattributed share {unattributed}"
    );
    let food: f64 = bags
        .iter()
        .filter(|(_, d)| d.stream == Stream::Food)
        .map(|(_, d)| f64::from(d.weight_g))
        .sum();
    near(food / (3_566.0 * 14.0), 750.0, 120.0);
}

#[test]
fn bags_come_in_two_humps_and_later_on_weekends() {
    let readings = all(history(3, 14));
    let bags = deposits(&readings, By::Camera);
    let minute = |r: &Reading| (r.at - midnight(day_of(r.at))) / 60_000;
    let share = |from, to| {
        bags.iter()
            .filter(|(r, _)| (from..to).contains(&minute(r)))
            .count() as f64
            / bags.len() as f64
    };
    near(share(360, 600), 0.40, 0.04);
    near(share(1_000, 1_290), 0.51, 0.04);
    let morning = |weekend: bool| {
        let of_day = |r: &Reading| ((day_of(r.at) + 3).rem_euclid(7) >= 5) == weekend;
        let early: Vec<_> = bags
            .iter()
            .map(|(r, _)| r)
            .filter(|r| of_day(r) && minute(r) < 660)
            .collect();
        early.iter().map(|r| minute(r) as f64).sum::<f64>() / early.len() as f64
    };
    near(morning(true) - morning(false), 42.0, 8.0);
}

#[test]
fn an_inspection_repeats_bag_and_household_at_the_same_station_in_steps() {
    let readings = all(history(5, 14));
    let cameras = deposits(&readings, By::Camera);
    let by_bag: HashMap<_, _> = cameras.iter().map(|(r, d)| (d.bag, (r, d))).collect();
    assert_eq!(by_bag.len(), cameras.len(), "bag numbers are unique");
    let checks = deposits(&readings, By::Inspector);
    near(checks.len() as f64 / cameras.len() as f64, 0.035, 0.015);
    let mut first = HashSet::new();
    for (reading, check) in &checks {
        let (seen, bag) = by_bag[&check.bag];
        // A bag's second check is a colleague's.
        assert_eq!(reading.device == seen.device + 12, first.insert(check.bag));
        assert!((12..24).contains(&reading.device));
        assert_eq!(
            (check.household, check.stream, check.weight_g),
            (bag.household, bag.stream, bag.weight_g)
        );
        assert!(reading.at > seen.at && check.quality_bp % 500 == 0 && check.confidence_pm == 1_000);
    }
}

#[test]
fn some_bags_are_judged_by_two_who_do_not_know_of_each_other() {
    let readings = all(history(5, 60));
    let mut by_bag: HashMap<_, Vec<(Reading, Deposit)>> = HashMap::new();
    for (reading, check) in deposits(&readings, By::Inspector) {
        by_bag.entry(check.bag).or_default().push((reading, check));
    }
    assert!(by_bag.values().all(|checks| checks.len() <= 2));
    let twice: Vec<_> = by_bag.values().filter(|checks| checks.len() == 2).collect();
    near(twice.len() as f64 / by_bag.len() as f64, 0.05, 0.012);
    let apart: Vec<f64> = twice
        .iter()
        .map(|checks| f64::from(checks[0].1.quality_bp) - f64::from(checks[1].1.quality_bp))
        .collect();
    let mean = apart.iter().sum::<f64>() / apart.len() as f64;
    let variance = apart.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / apart.len() as f64;
    // Two grades with a spread of 0.05 each, the inspectors' own of 0.02, and steps of 0.05.
    near(variance.sqrt() / 10_000.0, 0.076, 0.015);
    assert!(
        twice
            .iter()
            .all(|checks| checks[0].0.device != checks[1].0.device),
        "nobody checks themselves"
    );
    let pairs: HashSet<_> = twice
        .iter()
        .map(|checks| (checks[0].0.device, checks[1].0.device))
        .collect();
    assert!(pairs.len() > 60, "inspectors rotate: {} pairs", pairs.len());
}

#[test]
fn follow_ups_look_at_the_worst_more_often_but_not_at_the_unnamed() {
    let history = history(6, 28);
    let careless: HashSet<_> = history
        .habits()
        .iter()
        .zip(&history.estate().households)
        .filter_map(|(habits, household)| (habits.kind == Kind::Careless).then_some(household.token))
        .collect();
    let readings = all(history);
    let rate = |by| {
        let all = deposits(&readings, by);
        let of = |careless_wanted: bool| {
            all.iter()
                .filter(|(_, d)| {
                    d.household
                        .is_some_and(|h| careless.contains(&h) == careless_wanted)
                })
                .count()
        };
        (of(true) as f64, of(false) as f64)
    };
    let (checked, seen) = (rate(By::Inspector), rate(By::Camera));
    assert!(
        checked.0 / seen.0 > 1.5 * checked.1 / seen.1,
        "{checked:?} of {seen:?}"
    );
}

#[test]
fn cameras_rank_types_and_learners_improve() {
    let history = history(7, 60);
    let kinds: HashMap<_, _> = history
        .habits()
        .iter()
        .zip(&history.estate().households)
        .map(|(habits, household)| (household.token, habits.kind))
        .collect();
    let bags = deposits(&all(history), By::Inspector);
    let mean = |kind, days: std::ops::Range<i32>| {
        let of = |(r, d): &(Reading, Deposit)| {
            let fits =
                d.household.is_some_and(|h| kinds[&h] == kind) && days.contains(&(day_of(r.at) - 20_000));
            fits.then_some(f64::from(d.quality_bp) / 10_000.0)
        };
        let grades: Vec<f64> = bags.iter().filter_map(of).collect();
        grades.iter().sum::<f64>() / grades.len() as f64
    };
    near(mean(Kind::Reliable, 0..60), 0.91, 0.04);
    near(mean(Kind::Careless, 0..60), 0.45, 0.05);
    assert!(mean(Kind::Learning, 45..60) > mean(Kind::Learning, 0..10) + 0.08);
}

#[test]
fn stations_report_every_half_hour_and_bins_are_emptied() {
    let readings = all(history(8, 7));
    let statuses: Vec<_> = readings
        .iter()
        .filter_map(|r| match r.body {
            Body::Status(status) => Some((r.device, status)),
            _ => None,
        })
        .collect();
    assert_eq!(statuses.len(), 12 * 48 * 7);
    for station in 0..12 {
        let fills: Vec<u16> = statuses
            .iter()
            .filter(|(d, _)| *d == station)
            .map(|(_, s)| s.bins[3].fill_pm)
            .collect();
        let emptied = fills.windows(2).filter(|w| w[0] > w[1] + 100).count();
        assert!(
            emptied >= 7,
            "residual bin of station {station} was emptied {emptied} times in a week"
        );
        assert!(fills.iter().all(|&f| f <= 1_000));
    }
    assert!(
        statuses
            .iter()
            .all(|(_, s)| s.bins.iter().all(|b| b.weight_g <= 200_000))
    );
}

#[test]
fn incidents_are_rare_and_of_the_contract() {
    let readings = all(history(8, 30));
    let kinds: Vec<_> = readings
        .iter()
        .filter_map(|r| match r.body {
            Body::Incident(incident) => Some(incident.kind),
            _ => None,
        })
        .collect();
    assert!(
        (3..200).contains(&kinds.len()),
        "{} incidents in 30 days",
        kinds.len()
    );
    assert!(
        kinds
            .iter()
            .all(|k| ["overflow", "dumping", "smoke", "tilt", "tamper", "fault"].contains(k))
    );
}
