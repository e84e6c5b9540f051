//! Who stands where among the rated households, of the city and of an estate.
//!
//! What ranks is the lower bound of the score (docs/rule.md, 2.4): the mean less 1.645 standard deviations of what
//! is believed of the household, the point that a normal belief with this mean and variance exceeds with 95 %. So little
//! evidence ranks below much of the same quality. It is computed from the integer sums of the evidence by integers alone,
//! in 1e-9; equal bounds share a rank, and the next one below counts all of them. Nobody is listed or published here.

use std::collections::HashMap;
use std::sync::Arc;

use hemu_rules::{Bp, EstateNo, Ppb, Rule, Totals};
use serde::Serialize;
use utoipa::ToSchema;

/// One-sided 95 % of a normal distribution, times 1000.
const Z: i128 = 1_645;
const BILLION: i128 = 1_000_000_000;

/// A rated household.
#[derive(Debug, Clone)]
pub(crate) struct Ranked {
    pub(crate) token: Arc<str>,
    pub(crate) score: u8,
    pub(crate) bound: Ppb,
}

/// A place among ranked households.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Place {
    /// 1 is the best; equals share a rank, and the next counts all of them.
    pub(crate) rank: usize,
    /// How many are ranked.
    pub(crate) of: usize,
}

/// The rated households of one edition, best first. Built once; a place is a binary search.
#[derive(Debug, Default)]
pub(crate) struct Ranking {
    rows: Vec<Ranked>,
    /// Numbers of rows by estate, best first.
    estates: HashMap<String, Vec<u32>>,
}

impl Ranking {
    /// Ranks households; `estates` names their estates by number.
    pub(crate) fn of(mut rated: Vec<(Ranked, EstateNo)>, estates: &[String]) -> Self {
        rated.sort_unstable_by(|(a, _), (b, _)| b.bound.cmp(&a.bound).then_with(|| a.token.cmp(&b.token)));
        let mut by_estate = vec![Vec::new(); estates.len()];
        for (row, (_, EstateNo(estate))) in (0..).zip(&rated) {
            if let Some(rows) = by_estate.get_mut(*estate as usize) {
                rows.push(row);
            }
        }
        let named = estates.iter().cloned().zip(by_estate);
        Self {
            rows: rated.into_iter().map(|(row, _)| row).collect(),
            estates: named
                .filter(|(name, rows)| !name.is_empty() && !rows.is_empty())
                .collect(),
        }
    }

    /// The best of the city, or of an estate, with their ranks there.
    pub(crate) fn top(&self, estate: Option<&str>, limit: usize) -> (Vec<(usize, &Ranked)>, usize) {
        let Some(estate) = estate else {
            return (ranks(self.rows.iter(), limit), self.rows.len());
        };
        let rows = self.estates.get(estate).map_or(&[][..], Vec::as_slice);
        let best = rows.iter().filter_map(|&row| self.rows.get(row as usize));
        (ranks(best, limit), rows.len())
    }

    /// Where a bound of this ranking stands in the city.
    pub(crate) fn place(&self, bound: Ppb) -> Place {
        Place {
            rank: 1 + self.rows.partition_point(|row| row.bound > bound),
            of: self.rows.len(),
        }
    }

    /// Where it stands in an estate; `None` where nobody is ranked.
    pub(crate) fn place_in(&self, estate: &str, bound: Ppb) -> Option<Place> {
        let rows = self.estates.get(estate)?;
        let better = |&row: &u32| self.rows.get(row as usize).is_some_and(|row| row.bound > bound);
        Some(Place {
            rank: 1 + rows.partition_point(better),
            of: rows.len(),
        })
    }
}

/// Rows in their order with their ranks: as many as are better, and one.
fn ranks<'r>(rows: impl Iterator<Item = &'r Ranked>, limit: usize) -> Vec<(usize, &'r Ranked)> {
    let mut rank = (0, None);
    (1..)
        .zip(rows.take(limit))
        .map(|(nth, row)| {
            if rank.1 != Some(row.bound) {
                rank = (nth, Some(row.bound));
            }
            (rank.0, row)
        })
        .collect()
}

/// The lower bound of the score of some evidence in a city with mean `m0`, 0 where it would lie below.
pub(crate) fn lower_bound(rule: &Rule, totals: Totals, m0: Bp) -> Ppb {
    let unit = rule.unit();
    let prior = billionths(rule.prior_days) * unit / BILLION;
    let weight = prior + totals.e;
    let good = prior * i128::from(i64::from(m0)) + totals.a;
    let mean = good * (BILLION / 10_000) / weight;
    // In 1e-18, so that its root is in 1e-9; multiplied in this order, no rule's constants overflow.
    let of_days = billionths(rule.day_variance) * 1_000 * unit / weight * 1_000_000;
    let variance = of_days + billionths(rule.drift_variance) * BILLION;
    let deviation = variance.max(0).isqrt();
    let bound = mean - Z * deviation / 1_000;
    Ppb::clamped(i64::try_from(bound).unwrap_or_default())
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a valid rule's constants lie below 1000"
)]
fn billionths(constant: f64) -> i128 {
    (constant * 1e9).round() as i128
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(days: i128, mean: i128) -> Totals {
        let e = Rule::V1.unit() * days;
        Totals { e, a: e * mean }
    }

    fn bound(days: i128, mean: i128) -> i64 {
        lower_bound(&Rule::V1, totals(days, mean), Bp::clamped(7_500)).into()
    }

    fn ranked(token: &str, bound: i64) -> Ranked {
        Ranked {
            token: token.into(),
            score: 50,
            bound: Ppb::clamped(bound),
        }
    }

    fn ranking() -> Ranking {
        let estates = ["a", "b", "", "empty"].map(str::to_owned);
        let rows = [
            ("t1", 5, 0),
            ("t4", 9, 1),
            ("t2", 9, 0),
            ("t3", 9, 0),
            ("t5", 1, 1),
            ("t6", 3, 2),
        ];
        let rated = rows.map(|(token, bound, estate)| (ranked(token, bound), EstateNo(estate)));
        Ranking::of(rated.to_vec(), &estates)
    }

    fn shown(ranking: &Ranking, estate: Option<&str>, limit: usize) -> Vec<(usize, String)> {
        let (rows, _) = ranking.top(estate, limit);
        rows.into_iter()
            .map(|(rank, row)| (rank, row.token.to_string()))
            .collect()
    }

    fn places(rows: &[(usize, &str)]) -> Vec<(usize, String)> {
        rows.iter()
            .map(|&(rank, token)| (rank, token.to_owned()))
            .collect()
    }

    #[test]
    fn ties_share_a_rank_and_the_next_counts_all_of_them() {
        let ranking = ranking();
        assert_eq!(
            shown(&ranking, None, 10),
            places(&[(1, "t2"), (1, "t3"), (1, "t4"), (4, "t1"), (5, "t6"), (6, "t5")])
        );
        assert_eq!(shown(&ranking, None, 2), places(&[(1, "t2"), (1, "t3")]));
        assert_eq!(
            shown(&ranking, Some("a"), 9),
            places(&[(1, "t2"), (1, "t3"), (3, "t1")])
        );
        assert_eq!(shown(&ranking, Some("b"), 9), places(&[(1, "t4"), (2, "t5")]));
        assert!(shown(&ranking, Some("empty"), 9).is_empty() && shown(&ranking, Some(""), 9).is_empty());
    }

    #[test]
    fn a_place_is_the_one_the_top_shows() {
        let ranking = ranking();
        for estate in [None, Some("a"), Some("b")] {
            let (rows, of) = ranking.top(estate, 10);
            for (rank, row) in rows {
                let place = estate.map_or_else(
                    || Some(ranking.place(row.bound)),
                    |estate| ranking.place_in(estate, row.bound),
                );
                assert_eq!(place, Some(Place { rank, of }), "{estate:?} {}", row.token);
            }
        }
        assert_eq!(ranking.place_in("nowhere", Ppb::clamped(1)), None);
    }

    #[test]
    fn the_bound_is_the_mean_less_what_is_not_known() {
        // By hand: 9 days of 0.9 and one of 0.75 are 0.885; the variance is 0.03 / 10 + 0.0016.
        let expected = 0.885 - 1.645 * 0.0046_f64.sqrt();
        assert!((bound(9, 9_000) as f64 / 1e9 - expected).abs() < 3e-9);
        assert!(
            bound(30, 9_000) > bound(9, 9_000),
            "more of the same evidence ranks higher"
        );
        assert!(bound(9, 9_001) > bound(9, 9_000));
        assert_eq!(bound(9, 0), 0);
        assert!(bound(1_000, 10_000) > 0, "the largest sums there can be");
    }
}
