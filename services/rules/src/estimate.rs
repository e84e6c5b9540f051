//! What the readings say of the constants that a site should re-estimate after eight weeks.
//!
//! Both are moment estimates over households. Evidence of odd and of even days is of the same habit, so the square of the
//! difference of their means is, on average, `day_variance * (1 / E_odd + 1 / E_even)`. What the two halves of the time
//! differ by beyond that is drift, of each half: twice `drift_variance`. A household that truly changed its ways is in it
//! too, so it is an upper estimate. Estimates rank nobody, hence floats.

use crate::day::Day;
use crate::rule::Rule;

/// Days below which an estimate is too early.
pub const DAYS_LEAST: i32 = 56;
/// Days of evidence that each side of a difference must have.
const EVIDENCE_LEAST: f64 = 2.0;

/// Evidence of some days, not decayed: in 1/[`Rule::day`] days, and its good part in 1/10000 of that.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Part {
    pub e: i64,
    pub a: i64,
}

impl std::ops::Add for Part {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            e: self.e + other.e,
            a: self.a + other.a,
        }
    }
}

/// One household's evidence in four: of even and odd days, each of the earlier and the later half.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Parts([[Part; 2]; 2]);

impl Parts {
    /// Adds what a day said, which is one of the later half or of the earlier.
    pub fn add(&mut self, day: Day, later: bool, said: Part) {
        let [[even_earlier, even_later], [odd_earlier, odd_later]] = &mut self.0;
        let part = match (day.get() % 2 == 0, later) {
            (true, false) => even_earlier,
            (true, true) => even_later,
            (false, false) => odd_earlier,
            (false, true) => odd_later,
        };
        *part = *part + said;
    }

    pub fn even(&self) -> Part {
        let [[earlier, later], _] = self.0;
        earlier + later
    }

    pub fn odd(&self) -> Part {
        let [_, [earlier, later]] = self.0;
        earlier + later
    }

    pub fn earlier(&self) -> Part {
        let [[even, _], [odd, _]] = self.0;
        even + odd
    }

    pub fn later(&self) -> Part {
        let [[_, even], [_, odd]] = self.0;
        even + odd
    }
}

/// A variance, and how many households it is of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// `None` where no household has evidence enough.
    pub variance: Option<f64>,
    pub households: usize,
}

/// What the constants of a rule are estimated to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimates {
    pub day_variance: Estimate,
    pub drift_variance: Estimate,
}

impl Estimates {
    /// From everybody's evidence, as a calibration of this rule reads it.
    pub fn of(rule: &Rule, parts: &[Parts]) -> Self {
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
            day_variance: Estimate {
                variance: day,
                households: by_parity.len(),
            },
            drift_variance: Estimate {
                variance: drift,
                households: by_time.len(),
            },
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

    fn by_one(variance: f64) -> Estimate {
        Estimate {
            variance: Some(variance),
            households: 1,
        }
    }

    #[test]
    fn a_day_counts_in_its_parity_and_its_half() {
        let mut parts = Parts::default();
        for (day, later, days) in [(10, false, 1), (11, false, 2), (12, true, 4), (13, true, 8)] {
            parts.add(Day::clamped(day), later, part(days, 5_000));
        }
        let sums = [parts.even(), parts.odd(), parts.earlier(), parts.later()];
        assert_eq!(sums, [5, 10, 3, 12].map(|days| part(days, 5_000)));
    }

    #[test]
    fn what_odd_and_even_days_differ_by_is_the_variance_of_days() {
        // Means of 20 days each that differ by 0.04: 0.0016 = v (1/20 + 1/20).
        let parts = [household([[7_000, 7_000], [7_400, 7_400]])];
        let estimates = Estimates::of(&Rule::V1, &parts);
        let day = estimates.day_variance;
        assert!(
            (day.variance.unwrap() - 0.016).abs() < 1e-9 && day.households == 1,
            "{day:?}"
        );
        assert_eq!(
            estimates.drift_variance,
            by_one(0.0),
            "what days explain is no drift"
        );
    }

    #[test]
    fn what_the_halves_differ_by_beyond_days_is_drift() {
        let parts = [household([[7_000, 8_000], [7_000, 8_000]])];
        let estimates = Estimates::of(&Rule::V1, &parts);
        assert_eq!(estimates.day_variance, by_one(0.0));
        let drift = estimates.drift_variance;
        assert!((drift.variance.unwrap() - 0.005).abs() < 1e-9, "{drift:?}");
    }

    #[test]
    fn households_with_little_evidence_are_left_out() {
        let little = Parts([
            [part(1, 9_000), Part::default()],
            [Part::default(), part(30, 1_000)],
        ]);
        let none = Estimate {
            variance: None,
            households: 0,
        };
        let expected = Estimates {
            day_variance: none,
            drift_variance: none,
        };
        assert_eq!(Estimates::of(&Rule::V1, &[little]), expected);
    }
}
