//! What an edition needs of one household, as sums over days (docs/rule.md, 2.4).
//!
//! A store of day buckets is read day by day, all households of a day together. So everything here is a sum: days
//! may come in any order and in any shards, and 112 bytes a household are enough however much it threw away.
//! Nothing is compared with a threshold here.

use crate::calibrate::{Calibration, rdiv};
use crate::day::Day;
use crate::decay::DECAY;
use crate::evidence::Bucket;
use crate::id::{Source, Stream};
use crate::participation::Participation;
use crate::quantity::Bp;
use crate::rule::Rule;
use crate::score::{Totals, fade, judge};

/// One household at one edition. Every window is the rule's, and ends the day before the edition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Decayed evidence, good part not clamped: days may contradict each other before they are summed.
    pub evidence: Totals,
    /// The part of it that inspectors saw.
    pub inspected: Totals,
    /// Undecayed evidence of the redemption window, in 1/[`Rule::day`] days, and its good part in 1/10000 of that.
    pub recent_e: i64,
    pub recent_a: i64,
    /// Grams of the activity window.
    pub grams: i64,
    /// Days of the inspection window with any inspected weight.
    pub inspected_days: u32,
    /// Days with a bag, in the deposit, activity and redemption windows.
    pub deposit_days: u32,
    pub active_days: u32,
    pub recent_days: u32,
    /// Days with a bag of food waste, in the activity window.
    pub food_days: u32,
}

/// Evidence of one day of one household before decay: everybody's, and the inspectors'.
#[derive(Debug, Clone, Copy, Default)]
struct DaySums {
    all: (i64, i64),
    inspected: (i64, i64),
    inspected_weight: bool,
}

impl Tally {
    /// Adds ALL buckets of one day, in any order, by source or split by stream too: sources share a day, so a day
    /// cannot be added in parts. A day outside every window adds nothing.
    pub fn add_evidence(&mut self, calibration: &Calibration, day: Day, buckets: &[(Source, Bucket)]) {
        let (rule, age) = (calibration.rule(), age(calibration.edition(), day));
        if age == 0 {
            return;
        }
        let sums = day_sums(calibration, day, buckets);
        let fade = i128::from(fade(&DECAY, calibration.edition(), day));
        let faded = |(e, a): (i64, i64)| Totals {
            e: i128::from(e) * fade,
            a: i128::from(a) * fade,
        };
        self.evidence += faded(sums.all);
        self.inspected += faded(sums.inspected);
        self.inspected_days += u32::from(sums.inspected_weight && age <= rule.inspection_window);
        if age <= rule.redemption_window {
            self.recent_e += sums.all.0;
            self.recent_a += sums.all.1;
        }
    }

    /// Adds all bags of one day. A day outside every window adds nothing.
    pub fn add_bags(&mut self, calibration: &Calibration, day: Day, bags: &Participation) {
        let (rule, age) = (calibration.rule(), age(calibration.edition(), day));
        if age == 0 || bags.bags() <= 0 {
            return;
        }
        self.deposit_days += u32::from(age <= rule.deposit_window);
        self.recent_days += u32::from(age <= rule.redemption_window);
        if age <= rule.activity_window {
            self.active_days += 1;
            self.food_days += u32::from(bags.bags_of(Stream::Food) > 0);
            self.grams += bags.grams;
        }
    }

    /// Evidence as scores use it.
    pub fn totals(&self) -> Totals {
        self.evidence.clamped()
    }

    /// Decayed mean of what inspectors saw, in basis points; `None` where none looked.
    pub fn inspector_mean(&self) -> Option<Bp> {
        mean(self.inspected.a, self.inspected.e)
    }

    /// Undecayed mean of the redemption window, in basis points; `None` without evidence.
    pub fn recent_mean(&self) -> Option<Bp> {
        mean(self.recent_a.into(), self.recent_e.into())
    }

    /// Whether a good fortnight has redeemed the household: often enough, and good enough.
    pub fn redeemed(&self, rule: &Rule) -> bool {
        let (e, a) = (i128::from(self.recent_e), i128::from(self.recent_a));
        self.recent_days >= rule.redemption_days_least
            && e > 0
            && a >= e * i128::from(i64::from(rule.redemption_quality))
    }
}

/// Two tallies of one household over disjoint days.
impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.evidence += other.evidence;
        self.inspected += other.inspected;
        self.recent_e += other.recent_e;
        self.recent_a += other.recent_a;
        self.grams += other.grams;
        self.inspected_days += other.inspected_days;
        self.deposit_days += other.deposit_days;
        self.active_days += other.active_days;
        self.recent_days += other.recent_days;
        self.food_days += other.food_days;
    }
}

/// 1 for the day before the edition; 0 for a day that is not before it or beyond the decay table, the longest
/// window there is.
fn age(edition: Day, day: Day) -> i32 {
    let age = edition.since(day);
    let known = usize::try_from(age).is_ok_and(|age| age <= DECAY.len());
    if known { age } else { 0 }
}

fn mean(a: i128, e: i128) -> Option<Bp> {
    let mean = (e > 0).then(|| rdiv(a, e))?;
    Some(Bp::clamped(i64::try_from(mean.clamp(0, 10_000)).ok()?))
}

fn day_sums(calibration: &Calibration, day: Day, buckets: &[(Source, Bucket)]) -> DaySums {
    let cameras = buckets
        .iter()
        .filter(|(source, _)| *source != Source::Inspector)
        .map(|(_, bucket)| bucket.w)
        .sum();
    let mut sums = DaySums::default();
    let mut add = |run: &[(Source, Bucket)]| {
        let Some(&(source, _)) = run.first() else { return };
        let bucket: Bucket = run.iter().map(|(_, bucket)| *bucket).sum();
        if bucket.w <= 0 {
            return;
        }
        let (e, q) = judge(day, source, bucket, cameras, calibration);
        sums.all.0 += e;
        sums.all.1 += e * q;
        if source == Source::Inspector {
            sums.inspected = (e, e * q);
            sums.inspected_weight = true;
        }
    };
    let same = |a: &(Source, Bucket), b: &(Source, Bucket)| a.0 == b.0;
    if buckets.is_sorted_by_key(|(source, _)| *source) {
        buckets.chunk_by(same).for_each(&mut add);
    } else {
        let mut sorted = buckets.to_vec();
        sorted.sort_unstable_by_key(|(source, _)| *source);
        sorted.chunk_by(same).for_each(&mut add);
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::calibrate;
    use crate::decay::FLAT14;
    use crate::id::DeviceNo;
    use crate::pairs::PairSums;
    use crate::quantity::Grams;
    use crate::score::{posterior, totals};
    use proptest::prelude::*;

    const EDITION: Day = Day::clamped(20_500);
    const RULE: Rule = Rule::V1;

    /// Cameras 0 and 1 are calibrated and differ, camera 2 was never paired.
    fn calibration() -> Calibration {
        let pairs = |device, shift| {
            let of =
                |i: i64| PairSums::of_bag(Bp::clamped(i * 800 + shift + i % 3 * 100), Bp::clamped(i * 900));
            (DeviceNo(device), EDITION.plus(-1), (0..=10).map(of).sum())
        };
        let names = ["C0", "C1", "C2"];
        calibrate(
            &RULE,
            [pairs(0, 0), pairs(1, 900)],
            |d| names[d.0 as usize],
            EDITION,
        )
    }

    fn bucket(w: i64, quality: i64) -> Bucket {
        Bucket {
            w,
            g: w * quality,
            n: 1,
        }
    }

    fn tally(days: &[(Day, Vec<(Source, Bucket)>)]) -> Tally {
        let (calibration, mut tally) = (calibration(), Tally::default());
        for (day, buckets) in days {
            tally.add_evidence(&calibration, *day, buckets);
        }
        tally
    }

    #[test]
    fn bags_are_counted_in_the_windows_they_lie_in() {
        let count = |age: i32, stream| {
            let mut one = Tally::default();
            let bags = Participation::of_bag(stream, Grams::clamped(500));
            one.add_bags(&calibration(), EDITION.plus(-age), &bags);
            [
                one.deposit_days,
                one.active_days,
                one.recent_days,
                one.food_days,
                u32::try_from(one.grams).unwrap(),
            ]
        };
        assert_eq!(count(0, Stream::Food), [0; 5]);
        assert_eq!(count(1, Stream::Food), [1, 1, 1, 1, 500]);
        assert_eq!(count(14, Stream::Residual), [1, 1, 1, 0, 500]);
        assert_eq!(count(15, Stream::Food), [1, 1, 0, 1, 500]);
        assert_eq!(count(28, Stream::Food), [1, 1, 0, 1, 500]);
        assert_eq!(count(29, Stream::Food), [1, 0, 0, 0, 0]);
        assert_eq!(count(45, Stream::Food), [1, 0, 0, 0, 0]);
        assert_eq!(count(46, Stream::Food), [0; 5]);
        let mut none = Tally::default();
        none.add_bags(&calibration(), EDITION.plus(-1), &Participation::default());
        assert_eq!(none, Tally::default(), "a day whose bags were all taken back");
    }

    #[test]
    fn inspected_days_are_those_with_weight_in_sixty_and_the_mean_is_of_ninety() {
        let inspected = |age: i32, w, q| (EDITION.plus(-age), vec![(Source::Inspector, bucket(w, q))]);
        let got = tally(&[
            inspected(1, 250_000, 4_000),
            inspected(60, 250_000, 4_000),
            inspected(61, 9_000_000, 4_000),
            inspected(91, 250_000, 10_000),
            inspected(2, 0, 0),
        ]);
        assert_eq!(
            (got.inspected_days, got.inspector_mean()),
            (2, Some(Bp::clamped(4_000)))
        );
        assert_eq!(got.inspected, got.evidence);
        assert_eq!(Tally::default().inspector_mean(), None);
    }

    #[test]
    fn a_tally_is_small_enough_for_a_city() {
        assert!(size_of::<Tally>() <= 112);
    }

    fn any_source() -> impl Strategy<Value = Source> {
        (0..4_i64).prop_map(|code| Source::from_code(code).unwrap())
    }

    prop_compose! {
        fn any_day()(
            age in -1..95_i32,
            buckets in prop::collection::vec((any_source(), 0..=900_000_i64, 0..=10_000_i64), 0..8),
        ) -> (Day, Vec<(Source, Bucket)>) {
            (EDITION.plus(-age), buckets.into_iter().map(|(s, w, q)| (s, bucket(w, q))).collect())
        }
    }

    /// Days, each once.
    fn any_days() -> impl Strategy<Value = Vec<(Day, Vec<(Source, Bucket)>)>> {
        prop::collection::vec(any_day(), 0..20).prop_map(|mut days| {
            days.sort_by_key(|(day, _)| *day);
            days.dedup_by_key(|(day, _)| *day);
            days
        })
    }

    /// Mean in 1/10000 points, and score, after the evidence of a tally.
    fn standing(tally: &Tally) -> (f64, u8) {
        let p = posterior(&RULE, tally.totals(), Bp::clamped(7_500)).unwrap();
        (p.mu, p.score)
    }

    proptest! {
        #[test]
        fn a_tally_is_the_totals_whatever_the_order_and_the_shards(
            (days, shuffled) in any_days().prop_flat_map(|d| (Just(d.clone()), Just(d).prop_shuffle())),
            shards in 1..5_usize,
        ) {
            let all = tally(&days);
            let mut merged = Tally::default();
            for shard in 0..shards {
                let part: Vec<_> = shuffled.iter().skip(shard).step_by(shards).cloned().map(|(day, mut buckets)| {
                    buckets.reverse();
                    (day, buckets)
                }).collect();
                merged += tally(&part);
            }
            prop_assert_eq!(merged, all);

            let rows = || days.iter().flat_map(|(day, b)| b.iter().map(|&(source, b)| (*day, source, b)));
            prop_assert_eq!(all.totals(), totals(rows(), &calibration(), &DECAY));
            let flat = totals(rows(), &calibration(), &FLAT14);
            let recent = Totals { e: i128::from(all.recent_e) << 32, a: i128::from(all.recent_a) << 32 };
            prop_assert_eq!(recent.clamped(), flat);
            let seen = totals(rows().filter(|(_, s, _)| *s == Source::Inspector), &calibration(), &DECAY);
            prop_assert_eq!(all.inspected, seen);
        }

        /// A reading struck and restored leaves no trace.
        #[test]
        fn strike_and_restore_gives_the_same(days in any_days(), w in 1..=9_000_000_i64, q in 0..=10_000_i64) {
            let before = tally(&days);
            let mut changed = days;
            let reading = bucket(w, q);
            for (_, buckets) in &mut changed {
                buckets.push((Source::Inspector, reading));
                buckets.push((Source::Inspector, -reading));
            }
            prop_assert_eq!(tally(&changed), before);
        }

        /// A bag that an inspector finds no worse than what inspectors saw that day, and no worse than the household's
        /// mean, never lowers the mean, but for the rounding of the day's mean to a basis point.
        #[test]
        fn a_good_inspected_bag_never_lowers_the_mean(
            mut days in any_days(), age in 1..90_i32, w in 1..=9_000_000_i64, better in 0..=100_i64,
        ) {
            let day = EDITION.plus(-age);
            if !days.iter().any(|(d, _)| *d == day) {
                days.push((day, Vec::new()));
            }
            let before = tally(&days);
            prop_assume!(before.totals() == before.evidence);
            let (mu, score) = standing(&before);
            let mean = i64::from(Bp::from_share(mu).unwrap()) + 1;
            let slot = days.iter_mut().find(|(d, _)| *d == day).unwrap();
            let own: Bucket = slot.1.iter().filter(|(s, _)| *s == Source::Inspector).map(|(_, b)| *b).sum();
            let seen = if own.w > 0 { i64::try_from(rdiv(own.g.into(), own.w.into())).unwrap() } else { 0 };
            let least = seen.max(mean).min(10_000);
            let q = least + (10_000 - least) * better / 100;
            slot.1.push((Source::Inspector, bucket(w, q)));
            let (after, score_after) = standing(&tally(&days));
            prop_assert!(after >= mu - 0.5e-4, "{} to {}", mu, after);
            if own.w == 0 || seen >= mean {
                prop_assert!(after >= mu - 1e-12 && score_after >= score);
            }
        }
    }

    #[test]
    fn the_day_cap_lets_one_cameras_bag_thin_out_anothers() {
        // A full day is shared by all cameras: what one adds, another loses. A good bag can cost a better one its
        // weight; and a camera whose word does not count takes weight and gives nothing.
        let camera = |n| Source::Camera(DeviceNo(n));
        let day = |extra: Option<(Source, Bucket)>| {
            let best = (camera(0), bucket(250_000, 9_000));
            vec![(
                EDITION.plus(-1),
                [Some(best), extra].into_iter().flatten().collect(),
            )]
        };
        let alone = standing(&tally(&day(None)));
        let good = standing(&tally(&day(Some((camera(1), bucket(250_000, 8_000))))));
        assert!(good.0 < alone.0, "{good:?} {alone:?}");
        let silent = standing(&tally(&day(Some((camera(2), bucket(250_000, 10_000))))));
        assert!(silent.0 < alone.0, "{silent:?} {alone:?}");
        // Below the cap it adds.
        let thin = |extra: Option<(Source, Bucket)>| {
            let best = (camera(0), bucket(100_000, 8_000));
            vec![(
                EDITION.plus(-1),
                [Some(best), extra].into_iter().flatten().collect(),
            )]
        };
        let more = standing(&tally(&thin(Some((camera(1), bucket(100_000, 9_000))))));
        assert!(more.0 > standing(&tally(&thin(None))).0);
    }
}
