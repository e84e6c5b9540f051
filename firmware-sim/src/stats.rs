//! Counting how long things took. Must not: read a clock.

use std::time::Duration;

use serde::Serialize;

/// Sixteenths of a power of two: a quantile is at most 6 % too high.
const FINE: u32 = 4;

/// A histogram of durations in microseconds.
#[derive(Debug, Clone)]
pub struct Latencies {
    buckets: Vec<u64>,
    count: u64,
    max_us: u64,
}

/// A few quantiles, microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Quantiles {
    /// Half were faster.
    pub p50: u64,
    /// 99 in 100 were faster.
    pub p99: u64,
    /// The slowest.
    pub max: u64,
}

impl Default for Latencies {
    fn default() -> Self {
        Self {
            buckets: vec![0; 64 << FINE],
            count: 0,
            max_us: 0,
        }
    }
}

impl Latencies {
    /// Counts one.
    pub fn record(&mut self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        if let Some(bucket) = self.buckets.get_mut(bucket_of(us)) {
            *bucket += 1;
        }
        self.count += 1;
        self.max_us = self.max_us.max(us);
    }

    /// Adds another histogram.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine += theirs;
        }
        self.count += other.count;
        self.max_us = self.max_us.max(other.max_us);
    }

    /// The report's figures.
    pub fn quantiles(&self) -> Quantiles {
        Quantiles {
            p50: self.quantile(50),
            p99: self.quantile(99),
            max: self.max_us,
        }
    }

    fn quantile(&self, percent: u64) -> u64 {
        let wanted = (self.count * percent).div_ceil(100);
        let mut seen = 0;
        for (index, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= wanted && seen > 0 {
                return upper_edge(index).min(self.max_us);
            }
        }
        0
    }
}

fn bucket_of(us: u64) -> usize {
    let power = us.max(1).ilog2();
    let fine = if power >= FINE {
        (us >> (power - FINE)) & ((1 << FINE) - 1)
    } else {
        0
    };
    usize::try_from((u64::from(power) << FINE) | fine).unwrap_or(usize::MAX)
}

fn upper_edge(index: usize) -> u64 {
    let (power, fine) = ((index >> FINE) as u32, (index & ((1 << FINE) - 1)) as u64);
    if power < FINE {
        return (2 << power) - 1;
    }
    let step = 1_u64 << (power - FINE);
    (1_u64 << power).saturating_add((fine + 1).saturating_mul(step)) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_within_a_sixteenth() {
        let mut all = Latencies::default();
        let mut half = Latencies::default();
        for us in 1..=1_000 {
            if us % 2 == 0 { &mut all } else { &mut half }.record(Duration::from_micros(us));
        }
        all.merge(&half);
        let got = all.quantiles();
        assert!((500..=532).contains(&got.p50), "{got:?}");
        assert!((990..=1_000).contains(&got.p99), "{got:?}");
        assert_eq!(got.max, 1_000);
    }

    #[test]
    fn nothing_measured_is_zero() {
        assert_eq!(
            Latencies::default().quantiles(),
            Quantiles {
                p50: 0,
                p99: 0,
                max: 0
            }
        );
    }
}
