//! How a bag is seen: the camera's biased and noisy guess, the inspector's steps of 0.05, and whom the
//! inspectors follow up. Must not: decide what a reading is worth.

use crate::draw::Dice;

/// Share of camera readings that are plainly wrong.
const GROSS: f64 = 0.03;

/// One station's camera and the inspector who works beside it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Camera {
    bias: f64,
    slope: f64,
    strictness: f64,
}

impl Camera {
    pub(super) fn new(dice: &mut Dice) -> Self {
        Self {
            bias: dice.normal(0.12, 0.08),
            slope: dice.normal(0.80, 0.04),
            strictness: dice.normal(0.0, 0.02),
        }
    }

    /// `bias + slope * quality + noise` in 1/10,000 and the camera's confidence in 1/1,000.
    pub(super) fn look(&self, quality: f64, dice: &mut Dice) -> (u16, u16) {
        let confidence = dice.beta(0.8, 10.0);
        let noise = dice.normal(0.0, 0.08 + 0.30 * (1.0 - confidence));
        let seen = if dice.chance(GROSS) {
            dice.unit()
        } else {
            self.bias + self.slope * quality + noise
        };
        (share(seen, 10_000.0), share(confidence, 1_000.0))
    }

    /// The inspector's grade in 1/10,000, in steps of 500.
    pub(super) fn inspector_grade(&self, quality: f64, dice: &mut Dice) -> u16 {
        let judged = quality + self.strictness + dice.normal(0.0, 0.05);
        share(judged, 20.0) * 500
    }
}

/// `value` clamped to 0..=1, in whole parts of `1/parts`.
fn share(value: f64, parts: f64) -> u16 {
    libm::round(value.clamp(0.0, 1.0) * parts) as u16
}

/// Last week's worst twentieth by raw camera mean is looked at more often this week.
#[derive(Debug, Clone)]
pub(super) struct FollowUp {
    seen: Vec<(u32, u64)>,
    chosen: Vec<bool>,
}

/// Chance that a followed-up household's bag is inspected.
const FOLLOWED: f64 = 0.25;

impl FollowUp {
    pub(super) fn new(households: usize) -> Self {
        Self {
            seen: vec![(0, 0); households],
            chosen: vec![false; households],
        }
    }

    pub(super) fn saw(&mut self, household: usize, quality_bp: u16) {
        if let Some((count, sum)) = self.seen.get_mut(household) {
            *count += 1;
            *sum += u64::from(quality_bp);
        }
    }

    pub(super) fn chance(&self, household: usize, usual: f64) -> f64 {
        if self.chosen.get(household).copied().unwrap_or(false) {
            FOLLOWED
        } else {
            usual
        }
    }

    /// Closes the week: marks the worst and starts counting afresh.
    pub(super) fn choose(&mut self) {
        let mean = |&(count, sum): &(u32, u64)| (count > 0).then(|| sum / u64::from(count.max(1)));
        let mut means: Vec<u64> = self.seen.iter().filter_map(mean).collect();
        means.sort_unstable();
        let line = means.get(means.len() / 20).copied();
        for (chosen, seen) in self.chosen.iter_mut().zip(&mut self.seen) {
            *chosen = mean(seen).zip(line).is_some_and(|(mean, line)| mean < line);
            *seen = (0, 0);
        }
    }
}
