//! How long things took, in tenths of a millisecond. Must not: read a clock.

use std::time::Duration;

/// Longest time told apart: 60 s.
const LONGEST: usize = 600_000;

/// A histogram fine enough to hold a figure against a limit of a second.
#[derive(Debug, Clone, Default)]
pub struct Times {
    buckets: Vec<u32>,
    count: u64,
}

impl Times {
    /// Counts one.
    pub fn record(&mut self, took: Duration) {
        if self.buckets.is_empty() {
            self.buckets = vec![0; LONGEST + 1];
        }
        let bucket = usize::try_from(took.as_micros() / 100)
            .unwrap_or(LONGEST)
            .min(LONGEST);
        self.buckets[bucket] = self.buckets[bucket].saturating_add(1);
        self.count += 1;
    }

    /// Counts what another counted.
    pub fn add(&mut self, other: &Self) {
        if self.buckets.is_empty() {
            self.buckets.clone_from(&other.buckets);
        } else {
            for (bucket, more) in self.buckets.iter_mut().zip(&other.buckets) {
                *bucket = bucket.saturating_add(*more);
            }
        }
        self.count += other.count;
    }

    /// How many.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Milliseconds within which so many of a hundred were; 0 if there were none.
    pub fn quantile_ms(&self, percent: u64) -> f64 {
        let wanted = (self.count * percent).div_ceil(100).max(1);
        let mut seen = 0;
        let bucket = self.buckets.iter().position(|count| {
            seen += u64::from(*count);
            seen >= wanted
        });
        bucket.map_or(0.0, |bucket| (bucket + 1) as f64 / 10.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_exact_to_a_tenth_of_a_millisecond() {
        let mut times = Times::default();
        assert!(times.quantile_ms(99) < f64::EPSILON);
        (1..=1_000).for_each(|ms| times.record(Duration::from_millis(ms)));
        assert!((times.quantile_ms(50) - 500.1).abs() < 0.01);
        assert!((times.quantile_ms(99) - 990.1).abs() < 0.01);
    }
}
