//! What moved a household's score away from the city's mean, exactly (docs/rule.md, 2.5).
//!
//! `score - prior` in points is `100 (A - m0 E) / (K0 + E)`: a sum over whatever evidence is made of, over one
//! denominator. So it can be split by stream and time, by who looked, and by day, and every split adds up to the
//! last digit. Nothing here is rounded but by the calls that say so, and nothing is chosen or worded.

use serde::{Serialize, Serializer};

use crate::calibrate::{Calibration, rdiv};
use crate::day::Day;
use crate::decay::DECAY;
use crate::evidence::Bucket;
use crate::id::{Source, Stream};
use crate::quantity::Bp;
use crate::rule::Rule;
use crate::score::{Totals, fade, judge};

/// One stored bucket of a household.
pub type StoredBucket = (Day, Source, Stream, Bucket);

/// When evidence is from: the rule's redemption window, or before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    Recent,
    Older,
}

/// What a stream said in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct StreamPart {
    pub stream: Stream,
    pub period: Period,
    pub part: Part,
}

/// What a day said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DayPart {
    pub day: Day,
    pub part: Part,
}

/// Some of a household's evidence, and what it adds to the score: points are `numerator` over the denominator all
/// parts share. In JSON the integers are texts, because most readers of JSON have no numbers that long.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Part {
    #[serde(serialize_with = "text")]
    pub numerator: i128,
    /// Decayed evidence as in [`Totals`].
    #[serde(serialize_with = "text")]
    pub e: i128,
    /// Its good part, not clamped.
    #[serde(serialize_with = "text")]
    pub a: i128,
}

impl Part {
    fn of(totals: Totals, prior: Bp) -> Self {
        let Totals { e, a } = totals;
        let numerator = a - e * i128::from(i64::from(prior));
        Self { numerator, e, a }
    }

    /// Mean corrected quality in basis points, from below 0 to above 10000; `None` without evidence.
    pub fn quality(&self) -> Option<i64> {
        (self.e > 0).then(|| i64::try_from(rdiv(self.a, self.e)).ok())?
    }
}

/// Two parts of one household.
impl std::ops::Add for Part {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            numerator: self.numerator + other.numerator,
            e: self.e + other.e,
            a: self.a + other.a,
        }
    }
}

impl std::iter::Sum for Part {
    fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
        parts.fold(Self::default(), |sum, part| sum + part)
    }
}

/// All of a household's evidence, split three ways. The numerators of `streams`, those of `cameras` and
/// `inspectors`, and those of `days` each add up, with `clamped`, to `total`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Contributions {
    /// Of every numerator; above 0.
    #[serde(serialize_with = "text")]
    pub denominator: i128,
    /// `score - prior`, before the score is rounded.
    #[serde(serialize_with = "text")]
    pub total: i128,
    /// What is left over where evidence as a whole was beyond none or all good and was brought back; nearly always 0.
    #[serde(serialize_with = "text")]
    pub clamped: i128,
    /// Every stream in both periods, in that order.
    pub streams: Vec<StreamPart>,
    pub cameras: Part,
    pub inspectors: Part,
    /// Days with evidence, in order.
    pub days: Vec<DayPart>,
    /// Days whose every weight came from cameras that have no say, for want of pairs.
    pub silent_days: u32,
    /// Days an inspector looked.
    pub inspected_days: u32,
}

impl Contributions {
    /// Splits a household's buckets of the calibration's edition; they may come in any order and in parts.
    pub fn of(buckets: &[StoredBucket], calibration: &Calibration, prior: Bp) -> Self {
        let mut sums = Sums::default();
        let mut rows = buckets.to_vec();
        rows.sort_unstable_by_key(|(day, source, stream, _)| (*day, *source, *stream));
        for day in rows.chunk_by(|a, b| a.0 == b.0) {
            sums.add_day(day, calibration);
        }
        sums.split(calibration.rule(), prior)
    }

    /// A stream in both periods.
    pub fn stream(&self, stream: Stream) -> Part {
        let own = self.streams.iter().filter(|s| s.stream == stream);
        own.map(|s| s.part).sum()
    }

    /// All streams in one period.
    pub fn period(&self, period: Period) -> Part {
        let own = self.streams.iter().filter(|s| s.period == period);
        own.map(|s| s.part).sum()
    }

    /// A numerator in tenths of a point, halves up.
    pub fn tenths(&self, numerator: i128) -> i64 {
        i64::try_from(rdiv(10 * numerator, self.denominator)).unwrap_or(0)
    }

    /// Whether a numerator is at least one point, up or down.
    pub const fn matters(&self, numerator: i128) -> bool {
        numerator.abs() >= self.denominator
    }
}

/// The splits while they are summed.
#[derive(Debug, Default)]
struct Sums {
    streams: [[Totals; 2]; 4],
    cameras: Totals,
    inspectors: Totals,
    days: Vec<(Day, Totals)>,
    silent_days: u32,
    inspected_days: u32,
}

impl Sums {
    /// `rows` are all of one day, sorted by source and stream.
    fn add_day(&mut self, rows: &[StoredBucket], calibration: &Calibration) {
        let Some(&(day, ..)) = rows.first() else { return };
        let fade = i128::from(fade(&DECAY, calibration.edition(), day));
        if fade == 0 {
            return;
        }
        let cameras = rows.iter().filter(|(_, source, ..)| *source != Source::Inspector);
        let cameras = cameras.map(|(.., bucket)| bucket.w).sum();
        let recent = calibration.edition().since(day) <= calibration.rule().redemption_window;
        let (mut all, mut weight) = (Totals::default(), 0);
        for rows in rows.chunk_by(|a, b| a.1 == b.1) {
            let Some(&(_, source, ..)) = rows.first() else {
                continue;
            };
            let sums: Bucket = rows.iter().map(|(.., bucket)| *bucket).sum();
            if sums.w <= 0 {
                continue;
            }
            weight += sums.w;
            let (e, q) = judge(day, source, sums, cameras, calibration);
            let slope = match source {
                Source::Inspector => 10_000,
                Source::Camera(_) => calibration.slope(),
            };
            let mut sum = Totals::default();
            for (stream, totals) in by_stream(rows, sums, (e, q), slope) {
                let totals = Totals {
                    e: totals.e * fade,
                    a: totals.a * fade,
                };
                self.streams[usize::from(stream.code())][usize::from(!recent)] += totals;
                sum += totals;
            }
            all += sum;
            match source {
                Source::Inspector => {
                    self.inspectors += sum;
                    self.inspected_days += 1;
                }
                Source::Camera(_) => self.cameras += sum,
            }
        }
        if all.e > 0 {
            self.days.push((day, all));
        } else if weight > 0 {
            self.silent_days += 1;
        }
    }

    fn split(self, rule: &Rule, prior: Bp) -> Contributions {
        let part = |totals| Part::of(totals, prior);
        let all = self.cameras + self.inspectors;
        let clamped = all.clamped().a - all.a;
        let both = [Period::Recent, Period::Older];
        let streams = Stream::ALL
            .into_iter()
            .zip(self.streams)
            .flat_map(|(stream, periods)| {
                both.into_iter()
                    .zip(periods)
                    .map(move |(period, totals)| StreamPart {
                        stream,
                        period,
                        part: part(totals),
                    })
            });
        Contributions {
            denominator: 100 * (prior_weight(rule) + all.e),
            total: part(all).numerator + clamped,
            clamped,
            streams: streams.collect(),
            cameras: part(self.cameras),
            inspectors: part(self.inspectors),
            days: self
                .days
                .into_iter()
                .map(|(day, totals)| DayPart {
                    day,
                    part: part(totals),
                })
                .collect(),
            silent_days: self.silent_days,
            inspected_days: self.inspected_days,
        }
    }
}

/// The prior's weight in units of evidence: exact for a rule whose prior is a whole number of days.
#[expect(
    clippy::cast_possible_truncation,
    reason = "at most 1000 days of a unit below 1e21"
)]
fn prior_weight(rule: &Rule) -> i128 {
    ((rule.prior_days * rule.unit() as f64).round() as i128).max(1)
}

/// Splits one source's evidence of one day, `judged`, among its streams. A stream has the evidence of its share of
/// the weight, and the source's quality moved by how far the stream lay from the source's mean, corrected by the slope:
/// the intercept, the clamp and the rounding of that mean are everybody's alike.
///
/// Differences of rounded running sums: so the parts are integers and add up to the whole whatever is rounded.
fn by_stream(
    rows: &[StoredBucket],
    sums: Bucket,
    judged: (i64, i64),
    slope: i64,
) -> impl Iterator<Item = (Stream, Totals)> {
    let [e, q, slope] = [judged.0, judged.1, slope].map(i128::from);
    let [all_w, all_g] = [sums.w, sums.g].map(i128::from);
    let running = move |w: i128, g: i128| {
        let part = e * w / all_w;
        let apart = g - rdiv(w * all_g, all_w);
        Totals {
            e: part,
            a: part * q + (e * 10_000 * apart).div_euclid(slope * all_w),
        }
    };
    let mut before = (Bucket::default(), Totals::default());
    rows.iter().map(move |(_, _, stream, bucket)| {
        let until = before.0 + *bucket;
        let so_far = running(until.w.into(), until.g.into());
        let part = Totals {
            e: so_far.e - before.1.e,
            a: so_far.a - before.1.a,
        };
        before = (until, so_far);
        (*stream, part)
    })
}

fn text<S: Serializer>(number: &i128, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::calibrate;
    use crate::id::DeviceNo;
    use crate::pairs::PairSums;
    use crate::score::{posterior, totals};
    use proptest::prelude::*;

    const EDITION: Day = Day::clamped(20_500);
    const RULE: Rule = Rule::V1;

    /// Camera 0 is exact, camera 1 reads 3000 high, camera 2 was never paired.
    fn calibration() -> Calibration {
        let pairs = |device, shift| {
            let of = |i: i64| PairSums::of_bag(Bp::clamped(i * 700 + shift), Bp::clamped(i * 700));
            let sums: PairSums = (0..=10).map(of).sum();
            (DeviceNo(device), EDITION.plus(-1), sums)
        };
        let names = ["C0", "C1", "C2"];
        calibrate(
            &RULE,
            [pairs(0, 0), pairs(1, 3_000)],
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

    #[test]
    fn streams_are_told_apart_by_what_they_are() {
        // Food all good, residual all bad, half a full day each: 20 points below a prior of 70, from residual alone.
        let rows = [
            (
                EDITION.plus(-1),
                Source::Inspector,
                Stream::Food,
                bucket(125_000, 7_000),
            ),
            (
                EDITION.plus(-1),
                Source::Inspector,
                Stream::Residual,
                bucket(125_000, 0),
            ),
        ];
        let got = Contributions::of(&rows, &calibration(), Bp::clamped(7_000));
        assert_eq!(got.stream(Stream::Food).numerator, 0);
        assert_eq!(got.stream(Stream::Residual).numerator, got.total);
        assert_eq!(got.tenths(got.total), -175);
        assert_eq!(got.stream(Stream::Residual).quality(), Some(0));
        assert_eq!((got.inspected_days, got.silent_days), (1, 0));
        let json = serde_json::to_value(&got).unwrap();
        assert_eq!(json["total"], got.total.to_string());
        assert_eq!(json["streams"][6]["stream"], "residual");
    }

    #[test]
    fn periods_meet_at_the_fortnight() {
        let one = |age: i32| {
            let rows = [(
                EDITION.plus(-age),
                Source::Inspector,
                Stream::Food,
                bucket(250_000, 0),
            )];
            let got = Contributions::of(&rows, &calibration(), Bp::clamped(7_500));
            (got.period(Period::Recent).e > 0, got.period(Period::Older).e > 0)
        };
        assert_eq!(
            [one(0), one(1), one(14), one(15), one(90), one(91)],
            [
                (false, false),
                (true, false),
                (true, false),
                (false, true),
                (false, true),
                (false, false)
            ]
        );
    }

    #[test]
    fn a_day_of_cameras_without_a_say_is_silent() {
        let silent = (
            EDITION.plus(-1),
            Source::Camera(DeviceNo(2)),
            Stream::Food,
            bucket(250_000, 0),
        );
        let got = Contributions::of(&[silent], &calibration(), Bp::clamped(7_500));
        assert_eq!((got.silent_days, got.days.len(), got.total), (1, 0, 0));
    }

    #[test]
    fn what_the_clamp_took_is_named() {
        let low = |age: i32| {
            (
                EDITION.plus(-age),
                Source::Camera(DeviceNo(1)),
                Stream::Food,
                bucket(250_000, 0),
            )
        };
        let got = Contributions::of(&[low(1), low(2)], &calibration(), Bp::clamped(7_500));
        assert!(got.clamped > 0, "{got:?}");
        assert_eq!(got.stream(Stream::Food).numerator + got.clamped, got.total);
    }

    prop_compose! {
        fn any_bucket()(
            age in -1..95_i32, source in 0..4_i64, stream in 0..4_i64, w in 0..=30_000_000_i64, q in 0..=10_000_i64,
        ) -> StoredBucket {
            let (source, stream) = (Source::from_code(source).unwrap(), Stream::from_code(stream).unwrap());
            (EDITION.plus(-age), source, stream, bucket(w, q))
        }
    }

    proptest! {
        #[test]
        fn every_split_adds_up_to_score_minus_prior_exactly(
            (rows, shuffled) in prop::collection::vec(any_bucket(), 0..60)
                .prop_flat_map(|r| (Just(r.clone()), Just(r).prop_shuffle())),
            prior in 5_000..=9_000_i64,
        ) {
            let (calibration, prior) = (calibration(), Bp::clamped(prior));
            let got = Contributions::of(&rows, &calibration, prior);
            prop_assert_eq!(&got, &Contributions::of(&shuffled, &calibration, prior));
            let streams: i128 = got.streams.iter().map(|s| s.part.numerator).sum();
            let days: i128 = got.days.iter().map(|d| d.part.numerator).sum();
            prop_assert_eq!(streams + got.clamped, got.total);
            prop_assert_eq!(days + got.clamped, got.total);
            prop_assert_eq!(got.cameras.numerator + got.inspectors.numerator + got.clamped, got.total);
            let periods = got.period(Period::Recent) + got.period(Period::Older);
            let streams: Part = Stream::ALL.into_iter().map(|s| got.stream(s)).sum();
            prop_assert_eq!(periods, streams);

            // It is the score's own evidence, to the integer, and the score's own mean.
            let sum = totals(rows.iter().map(|&(d, s, _, b)| (d, s, b)), &calibration, &DECAY);
            let m0 = i128::from(i64::from(prior));
            prop_assert_eq!(got.total, sum.a - m0 * sum.e);
            prop_assert_eq!(got.denominator, 100 * (RULE.unit() + sum.e));
            let mu = posterior(&RULE, sum, prior).unwrap().mu;
            let points = got.total as f64 / got.denominator as f64;
            prop_assert!((points - 100.0 * (mu - prior.share())).abs() < 1e-9);
        }

        #[test]
        fn a_stream_never_has_evidence_of_another(rows in prop::collection::vec(any_bucket(), 0..40)) {
            let got = Contributions::of(&rows, &calibration(), Bp::clamped(7_500));
            for stream in Stream::ALL {
                let weight: i64 = rows.iter().filter(|r| r.2 == stream).map(|r| r.3.w).sum();
                let part = got.stream(stream);
                prop_assert!(part.e >= 0);
                if weight == 0 {
                    prop_assert_eq!(part, Part::default());
                }
            }
        }
    }
}
