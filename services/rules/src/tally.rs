//! What an edition needs of one household, as sums over days (rule, section 2.4).
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
