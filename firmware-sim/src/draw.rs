//! Seeded chance: every random figure of the simulator comes from a [`Dice`] somebody seeded.
//!
//! Must not: read a clock, an environment or the operating system's entropy. The transcendental functions
//! are `libm`'s, so that the same seed gives the same bytes on every machine.

use rand::Rng;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// A seeded source of the distributions the estate needs.
#[derive(Debug, Clone)]
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// Dice for one purpose: `seed` is the run's, `purpose` keeps streams apart, `index` numbers them.
    pub fn new(seed: u64, purpose: &str, index: u64) -> Self {
        let mut state = mix(seed);
        for byte in purpose.bytes() {
            state = mix(state ^ u64::from(byte));
        }
        Self(ChaCha8Rng::seed_from_u64(mix(state ^ mix(index))))
    }

    /// 64 uniform bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform in `[0, 1)` with 53 bits.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// True with probability `p`.
    pub fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// Uniform integer in `0..n`; 0 when `n` is 0.
    pub fn below(&mut self, n: u32) -> u32 {
        let wide = u64::from(n) * (self.bits() >> 32);
        u32::try_from(wide >> 32).unwrap_or(0)
    }

    /// Uniform real in `[from, to)`.
    pub fn between(&mut self, from: f64, to: f64) -> f64 {
        from + (to - from) * self.unit()
    }

    /// One of `items`; the first when every draw fails to index, `None` only for an empty slice.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let n = u32::try_from(items.len()).unwrap_or(u32::MAX);
        items.get(usize::try_from(self.below(n)).unwrap_or(0))
    }

    /// Normal with the given mean and standard deviation (Box and Muller, one of the pair).
    pub fn normal(&mut self, mean: f64, sd: f64) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.unit()));
        mean + sd * radius * libm::cos(core::f64::consts::TAU * self.unit())
    }

    /// Lognormal by its median and the standard deviation of its logarithm.
    pub fn lognormal(&mut self, median: f64, sigma: f64) -> f64 {
        median * libm::exp(self.normal(0.0, sigma))
    }

    /// Poisson for small rates (Knuth's product of uniforms); capped at 50.
    pub fn poisson(&mut self, rate: f64) -> u32 {
        let floor = libm::exp(-rate);
        let mut product = self.unit();
        let mut count = 0;
        while product > floor && count < 50 {
            product *= self.unit();
            count += 1;
        }
        count
    }

    /// Beta by its mean and concentration (`a + b`), from two gammas.
    pub fn beta(&mut self, mean: f64, concentration: f64) -> f64 {
        let a = self.gamma(mean * concentration);
        let b = self.gamma((1.0 - mean) * concentration);
        if a + b > 0.0 { a / (a + b) } else { mean }
    }

    /// Gamma with unit scale (Marsaglia and Tsang 2000; boosted below shape 1).
    fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let boost = libm::pow(1.0 - self.unit(), 1.0 / shape.max(1e-3));
            return self.gamma(shape + 1.0) * boost;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / libm::sqrt(9.0 * d);
        loop {
            let x = self.normal(0.0, 1.0);
            let root = 1.0 + c * x;
            if root <= 0.0 {
                continue;
            }
            let scale = root * root * root;
            let accept = libm::log(1.0 - self.unit());
            if accept < 0.5 * x * x + d - d * scale + d * libm::log(scale) {
                return d * scale;
            }
        }
    }
}

/// A strong 64-bit mixer (the finaliser of `SplitMix64`): equal in, equal out, no state.
pub const fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean_of(n: u32, mut draw: impl FnMut(&mut Dice) -> f64) -> f64 {
        let mut dice = Dice::new(7, "test", 0);
        (0..n).map(|_| draw(&mut dice)).sum::<f64>() / f64::from(n)
    }

    #[test]
    fn same_seed_gives_same_bits_and_purposes_differ() {
        let draw = |purpose: &str| {
            let mut dice = Dice::new(1, purpose, 3);
            [dice.bits(), dice.bits(), dice.bits()]
        };
        assert_eq!(draw("a"), draw("a"));
        assert_ne!(draw("a"), draw("b"));
    }

    #[test]
    fn distributions_have_the_means_they_promise() {
        let close = |got: f64, want: f64| assert!((got - want).abs() < 0.02, "got {got}, want {want}");
        close(mean_of(40_000, |d| d.normal(2.0, 0.5)), 2.0);
        close(mean_of(40_000, |d| f64::from(d.poisson(0.85))), 0.85);
        close(mean_of(40_000, |d| d.beta(0.8, 9.0)), 0.8);
        close(mean_of(40_000, |d| d.beta(0.05, 9.0)), 0.05);
        close(mean_of(40_000, |d| d.lognormal(1.0, 0.4)), libm::exp(0.08));
        close(mean_of(40_000, |d| f64::from(d.below(10))), 4.5);
    }

    #[test]
    fn below_zero_choices_is_zero() {
        assert_eq!(Dice::new(1, "x", 0).below(0), 0);
    }
}
