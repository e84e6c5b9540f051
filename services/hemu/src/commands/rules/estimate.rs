//! `hemu rules estimate`: what the readings say of the constants that a site should re-estimate after eight weeks.
//!
//! Both are moment estimates over households. Evidence of odd and of even days is of the same habit, so the square of the
//! difference of their means is, on average, `day_variance * (1 / E_odd + 1 / E_even)`. What the two halves of the time
//! differ by beyond that is drift, of each half: twice `drift_variance`. A household that truly changed its ways is in it
//! too, so it is an upper estimate. Estimates rank nobody, hence floats.

use anyhow::{Result, bail};
use hemu_ingest::fold;
use hemu_ledger::read::{Part, Parts};
use hemu_rules::{DECAY, Rule};

use crate::cli::Estimate;
use crate::config::Config;
use crate::output::out;
use crate::site::Site;
use crate::words::Words;

/// Days of evidence that each side of a difference must have.
const EVIDENCE_LEAST: f64 = 2.0;
/// Days below which an estimate is too early.
const DAYS_LEAST: i32 = 56;

pub(super) async fn run(config: &Config, options: &Estimate, words: &Words) -> Result<()> {
    let days = options.to.since(options.from) + 1;
    let most = i32::try_from(DECAY.len()).unwrap_or(i32::MAX);
    if !(2..=most).contains(&days) {
        bail!(words.say("estimate-days-wrong", &[("days", &days), ("most", &most)]));
    }
    let site = Site::open(config).await?;
    fold::settle(&site.ledger, site.ledger.head().await?).await?;
    let rule = site.ledger.rule_in_force(options.to.plus(1)).await?;
    let parts = site.ledger.parts(&rule, options.from, options.to.plus(1)).await?;
    out!(
        "{}",
        words.say(
            "estimate-days",
            &[("days", &days), ("from", &options.from), ("to", &options.to)]
        )
    );
    let estimates = Estimates::of(&rule, &parts);
    let rows = [
        ("day_variance", estimates.day, rule.day_variance),
        ("drift_variance", estimates.drift, rule.drift_variance),
    ];
    for (name, (variance, households), value) in rows {
        let variance = variance.map_or_else(|| "-".to_owned(), |variance| format!("{variance:.4}"));
        out!(
            "{}",
            words.say(
                "estimate-row",
                &[
                    ("name", &name),
                    ("estimate", &variance),
                    ("value", &value),
                    ("households", &households),
                ]
            )
        );
    }
    if days < DAYS_LEAST {
        out!("{}", words.say("estimate-early", &[("least", &DAYS_LEAST)]));
    }
    Ok(())
}

/// Variances, each with the number of households behind it.
#[derive(Debug, PartialEq)]
struct Estimates {
    day: (Option<f64>, usize),
    drift: (Option<f64>, usize),
}

impl Estimates {
    fn of(rule: &Rule, parts: &[Parts]) -> Self {
        let by_parity = differences(rule, parts.iter().map(|parts| [parts.odd(), parts.even()]));
        let by_time = differences(rule, parts.iter().map(|parts| [parts.earlier(), parts.later()]));
        let sum = |of: fn(&(f64, f64)) -> f64, all: &[(f64, f64)]| all.iter().map(of).sum::<f64>();
        let (square, spread): (fn(&_) -> _, fn(&_) -> _) = (|(square, _)| *square, |(_, spread)| *spread);
        let day = (!by_parity.is_empty()).then(|| sum(square, &by_parity) / sum(spread, &by_parity));
        let drift = day.filter(|_| !by_time.is_empty()).map(|day| {
            let beyond = sum(square, &by_time) - day * sum(spread, &by_time);
            (beyond / by_time.len() as f64 / 2.0).max(0.0)
        });
        Self {
            day: (day, by_parity.len()),
            drift: (drift, by_time.len()),
        }
    }
}

/// Squares of what two parts' means differ by, and how much of it one day's variance makes.
fn differences(rule: &Rule, pairs: impl Iterator<Item = [Part; 2]>) -> Vec<(f64, f64)> {
    let days = |part: Part| part.e as f64 / rule.day() as f64;
    let mean = |part: Part| part.a as f64 / part.e as f64 / 10_000.0;
    pairs
        .filter(|pair| pair.iter().all(|&part| days(part) >= EVIDENCE_LEAST))
        .map(|[one, other]| {
            let difference = mean(one) - mean(other);
            (difference * difference, 1.0 / days(one) + 1.0 / days(other))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A part of so many days' evidence with a mean in basis points.
    fn part(days: i64, mean: i64) -> Part {
        let e = Rule::V1.day() * days;
        Part { e, a: e * mean }
    }

    fn household(means: [[i64; 2]; 2]) -> Parts {
        Parts(means.map(|halves| halves.map(|mean| part(10, mean))))
    }

    #[test]
    fn what_odd_and_even_days_differ_by_is_the_variance_of_days() {
        // Means of 20 days each that differ by 0.04: 0.0016 = v (1/20 + 1/20).
        let parts = [household([[7_000, 7_000], [7_400, 7_400]])];
        let Estimates { day, drift } = Estimates::of(&Rule::V1, &parts);
        assert!((day.0.unwrap() - 0.016).abs() < 1e-9 && day.1 == 1, "{day:?}");
        assert_eq!(drift, (Some(0.0), 1), "what days explain is no drift");
    }

    #[test]
    fn what_the_halves_differ_by_beyond_days_is_drift() {
        let parts = [household([[7_000, 8_000], [7_000, 8_000]])];
        let Estimates { day, drift } = Estimates::of(&Rule::V1, &parts);
        assert_eq!(day, (Some(0.0), 1));
        assert!((drift.0.unwrap() - 0.005).abs() < 1e-9, "{drift:?}");
    }

    #[test]
    fn households_with_little_evidence_are_left_out() {
        let little = Parts([
            [part(1, 9_000), Part::default()],
            [Part::default(), part(30, 1_000)],
        ]);
        let none = (None, 0);
        let expected = Estimates {
            day: none,
            drift: none,
        };
        assert_eq!(Estimates::of(&Rule::V1, &[little]), expected);
    }
}
