//! Whether inspectors agree: the weak point of a score is the people its cameras are measured by (docs/rule.md, 5).
//!
//! Bags that two inspectors judged, each without the other's word, say how far one lies from the colleagues. Whose
//! mean lies too far confirms no black name until it is looked into. Who is right is not said here: with two
//! inspectors, both are doubted.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{By, DeviceNo};
use crate::quantity::Bp;
use crate::reading::Reading;
use crate::rule::Rule;
use crate::sums::group;

/// Sums over the bags one inspector shared with any other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SharedBags {
    pub n: i64,
    /// Own quality less the colleague's, in basis points.
    pub apart: i64,
}

group!(SharedBags { n, apart });

impl SharedBags {
    /// What a bag adds for the inspector of `own`; the colleague's is its mirror, `of_bag(other, own)`.
    pub fn of_bag(own: Bp, other: Bp) -> Self {
        Self {
            n: 1,
            apart: i64::from(own) - i64::from(other),
        }
    }

    /// Whether the mean lies further from the colleagues than the rule allows. A few bags say nothing.
    pub fn is_doubted(&self, rule: &Rule) -> bool {
        let most = i128::from(self.n) * i128::from(i64::from(rule.inspector_apart_most));
        self.n >= rule.shared_bags_least && i128::from(self.apart).abs() > most
    }
}

/// Inspectors of one bag whose word is compared, at most: the earliest.
const INSPECTORS_MOST: usize = 8;

/// The readings of one (household, day, bag) that inspectors are compared by: each one's earliest that counts, earliest
/// first. `K` orders those of one instant as for [`crate::fold_bag`]. The same whatever order they came in.
pub fn judged<'a, K: Ord>(readings: impl IntoIterator<Item = (K, Reading<'a>)>) -> Vec<(DeviceNo, Bp)> {
    let mut all: Vec<_> = readings
        .into_iter()
        .filter(|(_, reading)| reading.counts && reading.by == By::Inspector)
        .map(|(key, reading)| (reading.at, key, reading.device, reading.quality))
        .collect();
    all.sort_unstable_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    let mut judged: Vec<(DeviceNo, Bp)> = Vec::new();
    for (_, _, device, quality) in all {
        let known = judged.iter().any(|(inspector, _)| *inspector == device);
        if !known && judged.len() < INSPECTORS_MOST {
            judged.push((device, quality));
        }
    }
    judged
}

/// Inspectors whose word confirms no black name, from their shared bags of the rule's last pair days, in any order
/// and in parts.
pub fn doubted<K: Ord>(rule: &Rule, bags: impl IntoIterator<Item = (K, SharedBags)>) -> BTreeSet<K> {
    let mut by_inspector = BTreeMap::<K, SharedBags>::new();
    for (inspector, sums) in bags {
        *by_inspector.entry(inspector).or_default() += sums;
    }
    let doubted = by_inspector.into_iter().filter(|(_, sums)| sums.is_doubted(rule));
    doubted.map(|(inspector, _)| inspector).collect()
}

/// Whether a household's inspections are doubted ([`crate::Household::inspections_doubted`]): any inspector who judged
/// it in the days an edition looks at is. One wrong day among three moves the mean of them all.
pub fn inspections_doubted<K: Ord>(doubted: &BTreeSet<K>, inspectors: impl IntoIterator<Item = K>) -> bool {
    inspectors
        .into_iter()
        .any(|inspector| doubted.contains(&inspector))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::day::Day;
    use crate::id::{HouseholdNo, Stream};
    use crate::quantity::{Grams, Millis, Permille};
    use proptest::prelude::*;

    const RULE: Rule = Rule::V1;

    /// Both sides of so many bags that `a` judges `by` basis points above `b`.
    fn bags<'k>(a: &'k str, b: &'k str, by: i64, n: usize) -> Vec<(&'k str, SharedBags)> {
        let (high, low) = (Bp::clamped(5_000 + by), Bp::clamped(5_000));
        let both = [
            (a, SharedBags::of_bag(high, low)),
            (b, SharedBags::of_bag(low, high)),
        ];
        both.into_iter().cycle().take(2 * n).collect()
    }

    #[test]
    fn more_than_five_points_apart_is_doubted_and_five_is_not() {
        let check = |by, n, expected: &[&str]| {
            let got = doubted(&RULE, bags("A", "B", by, n));
            assert_eq!(
                got.into_iter().collect::<Vec<_>>(),
                expected,
                "{by} bp on {n} bags"
            );
        };
        check(500, 8, &[]);
        check(501, 8, &["A", "B"]);
        check(-501, 8, &["A", "B"]);
        check(5_000, 7, &[]);
    }

    #[test]
    fn among_three_the_odd_one_stands_out() {
        let mut all = bags("A", "B", 900, 10);
        all.extend(bags("A", "C", 900, 10));
        all.extend(bags("B", "C", 0, 20));
        assert_eq!(doubted(&RULE, all), BTreeSet::from(["A"]));
    }

    #[test]
    fn one_doubted_inspector_is_enough_to_doubt_a_household() {
        let doubted = BTreeSet::from(["A"]);
        assert!(inspections_doubted(&doubted, ["B", "A"]));
        assert!(!inspections_doubted(&doubted, ["B", "C"]) && !inspections_doubted(&doubted, []));
    }

    fn reading(by: By, device: u32, at: i64, quality: i64) -> Reading<'static> {
        Reading {
            household: HouseholdNo(1),
            device: DeviceNo(device),
            at: Millis::clamped(at),
            day: Day::clamped(0),
            stream: Stream::Food,
            grams: Grams::clamped(500),
            quality: Bp::clamped(quality),
            confidence: Permille::MAX,
            by,
            bag: Some("B1"),
            counts: true,
        }
    }

    #[test]
    fn of_a_bag_each_inspectors_first_word_counts_and_no_cameras() {
        let all = [
            reading(By::Inspector, 2, 30, 4_000),
            reading(By::Camera, 1, 10, 9_000),
            reading(By::Inspector, 3, 20, 5_000),
            reading(By::Inspector, 2, 40, 8_000),
            Reading {
                counts: false,
                ..reading(By::Inspector, 4, 5, 1_000)
            },
        ];
        let expected = [
            (DeviceNo(3), Bp::clamped(5_000)),
            (DeviceNo(2), Bp::clamped(4_000)),
        ];
        assert_eq!(judged(all.into_iter().enumerate()), expected);
        assert_eq!(judged(all.into_iter().enumerate().rev()), expected);
        let crowd = (0..20).map(|n| (n, reading(By::Inspector, n, 100 - i64::from(n), 5_000)));
        let first: Vec<u32> = judged(crowd).into_iter().map(|(device, _)| device.0).collect();
        assert_eq!(first, [19, 18, 17, 16, 15, 14, 13, 12]);
    }

    proptest! {
        #[test]
        fn order_and_parts_change_nothing_and_a_struck_bag_leaves_no_trace(
            (bags, shuffled) in prop::collection::vec((0..4_u8, 0..=10_000_i64, 0..=10_000_i64), 0..60)
                .prop_flat_map(|b| (Just(b.clone()), Just(b).prop_shuffle()))
        ) {
            let of = |bags: Vec<(u8, i64, i64)>| bags.into_iter()
                .map(|(who, own, other)| (who, SharedBags::of_bag(Bp::clamped(own), Bp::clamped(other))));
            let expected = doubted(&RULE, of(bags.clone()));
            prop_assert_eq!(&doubted(&RULE, of(shuffled)), &expected);
            let extra = SharedBags::of_bag(Bp::MAX, Bp::MIN);
            let struck = of(bags).chain([(0, extra), (0, -extra)]);
            prop_assert_eq!(&doubted(&RULE, struck), &expected);
        }
    }
}
