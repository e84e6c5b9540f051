//! From stored sums to a score (docs/rule.md, 2.3): day evidence, decay, posterior.
//!
//! Integers until [`posterior`], the one step in floats; whatever is compared afterwards is an integer again.

use crate::beta::{self, BetaError};
use crate::calibrate::{Calibration, rdiv};
use crate::day::Day;
use crate::evidence::Bucket;
use crate::id::Source;
use crate::quantity::{Bp, Ppb};
use crate::rule::Rule;

/// A household's decayed evidence. Exact, and a sum: the same for any order and sharding of what it came from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Evidence, in 1/[`Rule::unit`] days.
    pub e: i128,
    /// The part of it that is good, in 1/10000 of that; 0 to 10000 `e`.
    pub a: i128,
}

impl std::ops::Add for Totals {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            e: self.e + other.e,
            a: self.a + other.a,
        }
    }
}

impl std::ops::AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Totals {
    /// Evidence in days.
    pub fn days(&self, rule: &Rule) -> f64 {
        self.e as f64 / rule.unit() as f64
    }

    /// The same with good evidence brought into its range: a corrected quality may lie beyond none and all.
    #[must_use]
    pub fn clamped(self) -> Self {
        let a = self.a.clamp(0, self.e * 10_000);
        Self { a, ..self }
    }

    /// Whether there is enough evidence to rate, compared as integers.
    pub const fn rated(&self, rule: &Rule) -> bool {
        self.e >= rule.unit() * rule.rated_days as i128
    }
}

/// Evidence of one household's buckets at the calibration's edition. `decay[k]` is what evidence `k` days older
/// than the last day before the edition is worth, in 2^-32; anything older is nothing ([`crate::DECAY`],
/// [`crate::FLAT14`]). Buckets may come in any order and split by stream or otherwise.
pub fn totals(
    buckets: impl IntoIterator<Item = (Day, Source, Bucket)>,
    calibration: &Calibration,
    decay: &[u64],
) -> Totals {
    let rows = gather(buckets, calibration.edition(), decay.len());
    let mut sum = Totals::default();
    for (day, rows) in days(&rows) {
        let fade = i128::from(fade(decay, calibration.edition(), day));
        let cameras = camera_weight(rows);
        for row in rows {
            let (e, q) = judge(row.day, row.source, row.sums, cameras, calibration);
            let e = i128::from(e) * fade;
            sum.e += e;
            sum.a += e * i128::from(q);
        }
    }
    sum.clamped()
}

/// What one day says of a household.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayEvidence {
    pub day: Day,
    /// Evidence before decay, in 1/[`Rule::day`] days.
    pub e: i64,
    /// The same after decay, in 1/[`Rule::unit`] days.
    pub decayed: i128,
    /// Mean corrected quality in basis points, from below 0 to above 10000; `None` without evidence.
    pub quality: Option<i64>,
    /// In order of [`Source`].
    pub sources: Vec<SourceEvidence>,
}

/// What one source says of that day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceEvidence {
    pub source: Source,
    pub readings: i64,
    /// Mean quality as read, in basis points.
    pub raw: i64,
    /// The same corrected; `None` for a camera whose word does not count, for want of pairs.
    pub quality: Option<i64>,
    /// Evidence before decay, in 1/[`Rule::day`] days.
    pub e: i64,
}

/// The days behind [`totals`], in order: its sums are theirs. A day of nothing but weightless bags is not there.
pub fn day_evidence(
    buckets: impl IntoIterator<Item = (Day, Source, Bucket)>,
    calibration: &Calibration,
    decay: &[u64],
) -> Vec<DayEvidence> {
    let rows = gather(buckets, calibration.edition(), decay.len());
    let view = |(day, rows): (Day, &[Row])| {
        let cameras = camera_weight(rows);
        let sources: Vec<SourceEvidence> = rows
            .iter()
            .map(|row| view_source(row, cameras, calibration))
            .collect();
        let e: i64 = sources.iter().map(|s| s.e).sum();
        let good: i128 = sources
            .iter()
            .map(|s| i128::from(s.e) * i128::from(s.quality.unwrap_or(0)))
            .sum();
        let decayed = i128::from(e) * i128::from(fade(decay, calibration.edition(), day));
        DayEvidence {
            day,
            e,
            decayed,
            quality: (e > 0).then(|| narrow(rdiv(good, e.into()))),
            sources,
        }
    };
    days(&rows).map(view).collect()
}

fn view_source(row: &Row, cameras: i64, calibration: &Calibration) -> SourceEvidence {
    let (e, q) = judge(row.day, row.source, row.sums, cameras, calibration);
    let silent = matches!(row.source, Source::Camera(device) if calibration.reliability(device) == 0);
    SourceEvidence {
        source: row.source,
        readings: row.sums.n,
        raw: narrow(rdiv(row.sums.g.into(), row.sums.w.into())),
        quality: (!silent).then_some(q),
        e,
    }
}

/// The city's mean quality: good evidence over evidence of all rated households.
pub fn prior(rule: &Rule, households: impl IntoIterator<Item = Totals>) -> Bp {
    let rated = households.into_iter().filter(|t| t.rated(rule));
    prior_of(rule, rated.fold(Totals::default(), |sum, t| sum + t))
}

/// The city's mean, from the sum of what all rated households have.
pub(crate) fn prior_of(rule: &Rule, rated: Totals) -> Bp {
    if rated.e <= 0 {
        return rule.prior_unrated;
    }
    Bp::clamped(narrow(rdiv(rated.a, rated.e))).clamp(rule.prior_least, rule.prior_most)
}

/// What is believed of a household's share of well sorted waste: a Beta distribution, and its two tails.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Posterior {
    /// Evidence, in days.
    pub e: f64,
    /// Mean, 0..=1.
    pub mu: f64,
    /// Shapes of the Beta distribution with that mean and the rule's variance.
    pub a: f64,
    pub b: f64,
    /// How likely the household sorts no better than not at all.
    pub p_black: Ppb,
    /// How likely it sorts well.
    pub p_red: Ppb,
    /// The mean in whole points, 0..=100; halves to even.
    pub score: u8,
}

/// The posterior of a household with `totals` in a city with mean `m0`.
pub fn posterior(rule: &Rule, totals: Totals, m0: Bp) -> Result<Posterior, BetaError> {
    let e = totals.days(rule);
    let good = totals.a as f64 / (rule.unit() * 10_000) as f64;
    let weight = rule.prior_days + e;
    let mu = (rule.prior_days * m0.share() + good) / weight;
    let variance = rule.day_variance / weight + rule.drift_variance;
    let n = (mu * (1.0 - mu) / variance - 1.0).max(1.0);
    let (a, b) = (mu * n, (1.0 - mu) * n);
    let not_red = Bp::clamped(10_000 - i64::from(rule.theta_red));
    let p_black = Ppb::from_probability(beta::tail(a, b, rule.theta_black.share())?);
    let p_red = Ppb::from_probability(beta::tail(b, a, not_red.share())?);
    Ok(Posterior {
        e,
        mu,
        a,
        b,
        p_black,
        p_red,
        score: points(mu),
    })
}

impl Posterior {
    /// The central 90 % interval: the least basis points below which lie at least 5 % and 95 %. Costs some thirty
    /// tails, and so is not part of every posterior.
    pub fn interval(&self) -> Result<(Bp, Bp), BetaError> {
        Ok((self.quantile(0.05)?, self.quantile(0.95)?))
    }

    fn quantile(&self, p: f64) -> Result<Bp, BetaError> {
        let (mut below, mut at) = (-1, i64::from(Bp::MAX));
        while at - below > 1 {
            let middle = i64::midpoint(below, at);
            if beta::tail(self.a, self.b, Bp::clamped(middle).share())? >= p {
                at = middle;
            } else {
                below = middle;
            }
        }
        Ok(Bp::clamped(at))
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a mean lies in 0..=1"
)]
fn points(mu: f64) -> u8 {
    (100.0 * mu).round_ties_even() as u8
}

/// Buckets of one day and source, summed over streams.
#[derive(Debug, Clone, Copy)]
struct Row {
    day: Day,
    source: Source,
    sums: Bucket,
}

/// Sorted rows of the `window` days before `edition`, one for each day and source with any weight.
fn gather(buckets: impl IntoIterator<Item = (Day, Source, Bucket)>, edition: Day, window: usize) -> Vec<Row> {
    let window = i32::try_from(window).unwrap_or(i32::MAX);
    let inside = |day: Day| day < edition && edition.since(day) <= window;
    let buckets = buckets.into_iter().filter(|(day, ..)| inside(*day));
    // A filter promises no length, and growing the list step by step costs a good part of the whole.
    let mut rows = Vec::with_capacity(buckets.size_hint().1.unwrap_or(0).min(512));
    rows.extend(buckets.map(|(day, source, sums)| Row { day, source, sums }));
    if !rows.is_sorted_by_key(|r| (r.day, r.source)) {
        rows.sort_unstable_by_key(|r| (r.day, r.source));
    }
    rows.dedup_by(|next, kept| {
        let same = (next.day, next.source) == (kept.day, kept.source);
        if same {
            kept.sums += next.sums;
        }
        same
    });
    rows.retain(|r| r.sums.w > 0);
    rows
}

fn days(rows: &[Row]) -> impl Iterator<Item = (Day, &[Row])> {
    rows.chunk_by(|a, b| a.day == b.day)
        .filter_map(|rows| Some((rows.first()?.day, rows)))
}

pub(crate) fn fade(decay: &[u64], edition: Day, day: Day) -> u64 {
    let age = usize::try_from(edition.since(day) - 1);
    age.ok().and_then(|k| decay.get(k)).copied().unwrap_or(0)
}

/// Weight all cameras together saw on a day: they share one day's evidence, the reliable and the others.
fn camera_weight(rows: &[Row]) -> i64 {
    rows.iter()
        .filter(|r| r.source != Source::Inspector)
        .map(|r| r.sums.w)
        .sum()
}

/// Undecayed evidence of one source on one day, streams summed, and its quality in basis points. `cameras` is the
/// weight all cameras of that day saw; `sums` has some weight.
pub(crate) fn judge(
    day: Day,
    source: Source,
    sums: Bucket,
    cameras: i64,
    calibration: &Calibration,
) -> (i64, i64) {
    let rule = calibration.rule();
    let Bucket { w, g, .. } = sums;
    let Source::Camera(device) = source else {
        return (1_000 * w.min(rule.full_weight), narrow(rdiv(g.into(), w.into())));
    };
    let reliability = calibration.reliability(device);
    let Some(intercept) = calibration
        .epoch_intercept(device, day)
        .filter(|_| reliability > 0)
    else {
        return (0, 0);
    };
    let share = if cameras <= rule.full_weight {
        w
    } else {
        share_of(w, rule.full_weight, cameras)
    };
    let (w, g, intercept) = (i128::from(w), i128::from(g), i128::from(intercept));
    let corrected = narrow(rdiv(
        (g - intercept * w) * 10_000,
        i128::from(calibration.slope()) * w,
    ));
    (
        reliability * share,
        corrected.clamp(rule.quality_least, rule.quality_most),
    )
}

/// `w * full / total`, rounded down.
fn share_of(w: i64, full: i64, total: i64) -> i64 {
    narrow(i128::from(w) * i128::from(full) / i128::from(total))
}

/// Means of basis points and shares of a full day fit by far; what would not is brought to the end of the range.
fn narrow(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::calibrate;
    use crate::decay::{DECAY, FLAT14};
    use crate::id::DeviceNo;
    use crate::pairs::PairSums;
    use proptest::prelude::*;

    const EDITION: Day = Day::clamped(20_500);
    const RULE: Rule = Rule::V1;
    const DAY: i64 = RULE.day();

    /// Camera 0 is exact, camera 1 was never paired.
    fn calibration() -> Calibration {
        let exact: PairSums = (0..=10)
            .map(|i| Bp::clamped(i * 1_000))
            .map(|q| PairSums::of_bag(q, q))
            .sum();
        calibrate(&RULE, [(DeviceNo(0), EDITION.plus(-1), exact)], |_| "C0", EDITION)
    }

    fn bucket(day: i32, source: Source, w: i64, quality: i64) -> (Day, Source, Bucket) {
        (
            EDITION.plus(day),
            source,
            Bucket {
                w,
                g: w * quality,
                n: 1,
            },
        )
    }

    const EXACT: Source = Source::Camera(DeviceNo(0));
    const UNPAIRED: Source = Source::Camera(DeviceNo(1));

    fn flat(buckets: &[(Day, Source, Bucket)]) -> (i128, i128) {
        let sum = totals(buckets.iter().copied(), &calibration(), &FLAT14);
        assert_eq!((sum.e % (1 << 32), sum.a % (1 << 32)), (0, 0));
        (sum.e >> 32, sum.a >> 32)
    }

    #[test]
    fn a_day_is_at_most_one_inspectors_and_one_of_all_cameras() {
        let day = i128::from(DAY);
        assert_eq!(
            flat(&[bucket(-1, Source::Inspector, 9_000_000, 5_000)]),
            (day, day * 5_000)
        );
        assert_eq!(
            flat(&[bucket(-1, Source::Inspector, 125_000, 5_000)]),
            (day / 2, day * 2_500)
        );
        assert_eq!(flat(&[bucket(-1, EXACT, 9_000_000, 8_000)]), (day, day * 8_000));
        let both = [
            bucket(-1, EXACT, 9_000_000, 8_000),
            bucket(-1, Source::Inspector, 9_000_000, 5_000),
        ];
        assert_eq!(flat(&both), (2 * day, day * 13_000));
    }

    #[test]
    fn an_unpaired_camera_gives_no_evidence_and_still_shares_the_day() {
        assert_eq!(flat(&[bucket(-1, UNPAIRED, 250_000, 0)]), (0, 0));
        let shared = [
            bucket(-1, EXACT, 250_000, 8_000),
            bucket(-1, UNPAIRED, 750_000, 0),
        ];
        assert_eq!(flat(&shared).0, i128::from(DAY / 4));
    }

    #[test]
    fn good_evidence_is_clamped_to_none_and_to_all() {
        // Reads 3000 too high, so that 0 becomes -2500 and 10000 becomes 7000 or less; and the other way round.
        let biased = |shift: i64| {
            let pair = |q: i64| PairSums::of_bag(Bp::clamped(q + shift), Bp::clamped(q));
            let sums: PairSums = (0..200).map(|i| 3_000 + i % 5 * 1_000).map(pair).sum();
            calibrate(&RULE, [(DeviceNo(0), EDITION.plus(-1), sums)], |_| "C0", EDITION)
        };
        let of = |shift, quality| totals([bucket(-1, EXACT, 250_000, quality)], &biased(shift), &FLAT14);
        let day = RULE.unit();
        assert_eq!(of(3_000, 0), Totals { e: day, a: 0 });
        assert_eq!(
            of(3_000, 10_000),
            Totals {
                e: day,
                a: day * 7_000
            }
        );
        assert_eq!(
            of(-3_000, 10_000),
            Totals {
                e: day,
                a: day * 10_000
            }
        );
        assert_eq!(
            of(-3_000, 0),
            Totals {
                e: day,
                a: day * 3_000
            }
        );
    }

    #[test]
    fn streams_of_one_source_are_summed_before_they_are_divided() {
        // Alone 5000.5 rounds up for either stream; together the mean is 5000.25.
        let (a, b) = (bucket(-1, EXACT, 2, 5_000), bucket(-1, EXACT, 2, 5_000));
        let a = (a.0, a.1, Bucket { g: 10_001, ..a.2 });
        let (e, good) = flat(&[a, b]);
        assert_eq!((e, good), (4 * 1_000, 4 * 1_000 * 5_000));
    }

    #[test]
    fn evidence_is_strictly_before_the_edition_and_within_the_table() {
        let one = |day| flat(&[bucket(day, Source::Inspector, 250_000, 5_000)]).0;
        assert_eq!(
            [one(-15), one(-14), one(-1), one(0), one(1)].map(|e| e > 0),
            [false, true, true, false, false]
        );
        let oldest = totals(
            [bucket(-90, Source::Inspector, 250_000, 0)],
            &calibration(),
            &DECAY,
        );
        assert_eq!(oldest.e, i128::from(DAY) * i128::from(DECAY[89]));
        let older = totals(
            [bucket(-91, Source::Inspector, 250_000, 0)],
            &calibration(),
            &DECAY,
        );
        assert_eq!(older, Totals::default());
    }

    #[test]
    fn rated_is_three_days_to_the_unit() {
        let e = RULE.unit() * 3;
        assert!(Totals { e, a: 0 }.rated(&RULE));
        assert!(!Totals { e: e - 1, a: 0 }.rated(&RULE));
    }

    #[test]
    fn the_prior_is_the_rated_mean_within_its_range() {
        let one = |days: i128, bp: i128| Totals {
            e: RULE.unit() * days,
            a: RULE.unit() * days * bp,
        };
        let prior_of = |households: &[Totals]| prior(&RULE, households.iter().copied()).get();
        assert_eq!(prior_of(&[]), 7_500);
        assert_eq!(prior_of(&[one(2, 100)]), 7_500, "two days are not rated");
        assert_eq!(prior_of(&[one(3, 6_000), one(9, 8_000), one(2, 0)]), 7_500);
        assert_eq!(prior_of(&[one(10, 1_000)]), 5_000);
        assert_eq!(prior_of(&[one(10, 9_900)]), 9_000);
    }

    #[test]
    fn the_interval_narrows_with_evidence_and_holds_the_mean() {
        let of = |days: i128| {
            let sums = Totals {
                e: RULE.unit() * days,
                a: RULE.unit() * days * 4_000,
            };
            let p = posterior(&RULE, sums, Bp::clamped(7_500)).unwrap();
            let (low, high) = p.interval().unwrap();
            assert!(low.share() < p.mu && p.mu < high.share());
            for (end, at) in [(low, 0.05), (high, 0.95)] {
                assert!(beta::tail(p.a, p.b, end.share()).unwrap() >= at);
                assert!(beta::tail(p.a, p.b, end.share() - 1e-4).unwrap() < at);
            }
            high.get() - low.get()
        };
        assert!(of(2) > of(5) && of(5) > of(20));
    }

    #[test]
    fn scores_round_halves_to_even() {
        assert_eq!(
            [0.125, 0.135, 0.5, 0.985, 1.0, 0.0].map(points),
            [12, 14, 50, 98, 100, 0]
        );
    }

    prop_compose! {
        fn any_bucket()(
            day in -95..3_i32, source in 0..3_i64, readings in 1..5_i64, w in 0..=12_000_000_i64, q in 0..=10_000_i64,
        ) -> (Day, Source, Bucket) {
            let sums = Bucket { w: w * readings, g: w * readings * q, n: readings };
            (EDITION.plus(day), Source::from_code(source).unwrap(), sums)
        }
    }

    proptest! {
        #[test]
        fn good_evidence_lies_within_evidence_and_order_changes_nothing(
            (buckets, shuffled) in prop::collection::vec(any_bucket(), 0..40)
                .prop_flat_map(|b| (Just(b.clone()), Just(b).prop_shuffle()))
        ) {
            let calibration = calibration();
            let sum = totals(buckets.iter().copied(), &calibration, &DECAY);
            prop_assert!(0 <= sum.a && sum.a <= sum.e * 10_000);
            prop_assert_eq!(sum, totals(shuffled, &calibration, &DECAY));
            let days = day_evidence(buckets, &calibration, &DECAY);
            prop_assert_eq!(days.iter().map(|d| d.decayed).sum::<i128>(), sum.e);
            prop_assert!(posterior(&RULE, sum, Bp::clamped(7_500)).is_ok());
        }

        #[test]
        fn every_posterior_has_tails(days in 0.0..400.0_f64, bp in 0..=10_000_i32, m0 in 5_000..=9_000_i64) {
            #[expect(clippy::cast_possible_truncation, reason = "4e20 fits i128")]
            let e = (days * RULE.unit() as f64) as i128;
            let p = posterior(&RULE, Totals { e, a: e * i128::from(bp) }, Bp::clamped(m0)).unwrap();
            prop_assert!(p.a > 0.0 && p.b > 0.0 && p.a + p.b < 160.0);
            prop_assert!((p.p_black.probability() + p.p_red.probability()) <= 1.0 + 1e-8);
            prop_assert_eq!(p.score, points(p.mu));
        }

        #[test]
        fn a_corrected_mean_keeps_to_its_range(w in 1..=12_000_000_i64, q in 0..=10_000_i64) {
            let rare: PairSums = [(9_000, 0), (10_000, 1_000)].repeat(5).into_iter()
                .map(|(y, q)| PairSums::of_bag(Bp::clamped(y), Bp::clamped(q))).sum();
            let biased = calibrate(&RULE, [(DeviceNo(0), EDITION.plus(-1), rare)], |_| "C0", EDITION);
            let days = day_evidence([bucket(-1, EXACT, w, q)], &biased, &DECAY);
            let quality = days[0].sources[0].quality.unwrap();
            prop_assert!((-2_500..=12_500).contains(&quality), "{}", quality);
        }
    }
}
