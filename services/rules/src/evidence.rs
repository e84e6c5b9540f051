//! Evidence of one reading, and the raw sums it goes into (docs/rule.md, 2.1).
//!
//! Raw on purpose: no calibration and no decay. Both are applied when a score is read, so that a late
//! inspection or a late reading changes no sum but its own.

use crate::day::Day;
use crate::id::{By, HouseholdNo, Source, Stream};
use crate::quantity::{Grams, Permille};
use crate::reading::Reading;
use crate::rule::{CONFIDENCE_FLOOR, GRAMS_LEAST, GRAMS_MOST, multiplier};
use crate::sums::group;

/// How much one reading weighs, 0..=12,000,000: grams, times the stream's multiplier, times trust in 1/1000.
pub fn weight(stream: Stream, grams: Grams, confidence: Permille, by: By) -> i64 {
    if grams.get() < GRAMS_LEAST && stream != Stream::Hazardous {
        return 0;
    }
    let trust = match by {
        By::Inspector => 1000,
        By::Camera => (2 * (i64::from(confidence) - CONFIDENCE_FLOOR)).clamp(0, 1000),
    };
    i64::from(grams.get().min(GRAMS_MOST)) * multiplier(stream) * trust
}

/// Where a reading's evidence is kept. The stream is there for the reasons; scores sum over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BucketKey {
    pub household: HouseholdNo,
    pub day: Day,
    pub source: Source,
    pub stream: Stream,
}

/// Sums of readings that share a key. A reading adds at most 1.2e7 to `w` and 1.2e11 to `g`: it takes
/// 76 million readings of one household on one day to leave `i64`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bucket {
    /// Sum of weights.
    pub w: i64,
    /// Sum of weight times quality in basis points.
    pub g: i64,
    /// Readings.
    pub n: i64,
}

group!(Bucket { w, g, n });

impl Bucket {
    /// What `reading` adds, and where; `None` when it does not count.
    pub fn of(reading: &Reading<'_>) -> Option<(BucketKey, Self)> {
        if !reading.counts {
            return None;
        }
        let w = weight(reading.stream, reading.grams, reading.confidence, reading.by);
        let key = BucketKey {
            household: reading.household,
            day: reading.day,
            source: reading.source(),
            stream: reading.stream,
        };
        Some((
            key,
            Self {
                w,
                g: w * i64::from(reading.quality),
                n: 1,
            },
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn weights_are_grams_times_multiplier_times_trust() {
        let check = |stream, grams, confidence, by, expected| {
            let got = weight(stream, Grams::clamped(grams), Permille::clamped(confidence), by);
            assert_eq!(got, expected, "{stream} {grams} g, confidence {confidence}, {by}");
        };
        check(Stream::Food, 700, 1000, By::Camera, 700_000);
        check(Stream::Food, 700, 750, By::Camera, 350_000);
        check(Stream::Food, 700, 500, By::Camera, 0);
        check(Stream::Food, 700, 0, By::Camera, 0);
        check(Stream::Food, 700, 0, By::Inspector, 700_000);
        check(Stream::Residual, 99, 1000, By::Inspector, 0);
        check(Stream::Residual, 100, 1000, By::Inspector, 100_000);
        check(Stream::Recyclable, 100, 1000, By::Camera, 200_000);
        check(Stream::Hazardous, 20, 1000, By::Camera, 80_000);
        check(Stream::Hazardous, 200_000, 1000, By::Inspector, 12_000_000);
    }

    proptest! {
        #[test]
        fn no_reading_weighs_more_than_twelve_million(
            stream in 0..4_i64, grams in 0..=200_000_i64, confidence in 0..=1_000_i64, by in 0..2_i64,
        ) {
            let (stream, by) = (Stream::from_code(stream).unwrap(), By::from_code(by).unwrap());
            let w = weight(stream, Grams::clamped(grams), Permille::clamped(confidence), by);
            prop_assert!((0..=12_000_000).contains(&w));
            let sure = weight(stream, Grams::clamped(grams), Permille::MAX, by);
            prop_assert!(w <= sure);
        }
    }
}
