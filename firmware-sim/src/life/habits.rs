//! What a household is like: how often it comes, when, how well it sorts, whether it shows its card.
//! Must not: look at a device.

use crate::draw::{Dice, mix};
use crate::estate::Household;
use crate::reading::Stream;

/// The five types of household a programme meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// 45 %: sorts well from the start.
    Reliable,
    /// 35 %: from .60 to .85 as the weeks go by.
    Learning,
    /// 14 %: hardly better than unsorted.
    Careless,
    /// 4 %: comes out of hours and never shows a card.
    Evader,
    /// 2 %: hardly ever at home.
    Absent,
}

/// Bags a day by stream, in the order of [`Stream::ALL`].
const BAGS_A_DAY: [f64; 4] = [0.85, 0.15, 0.004, 0.85];
/// Median grams of a bag and the spread of their logarithm, in the same order.
const BAG_GRAMS: [(f64, f64); 4] = [(750.0, 0.45), (1_200.0, 0.70), (80.0, 0.50), (450.0, 0.45)];
/// Average residents behind a door.
const USUAL_SIZE: f64 = 2.736;

/// One household's habits, drawn once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Habits {
    /// Its type.
    pub kind: Kind,
    /// Chance that it shows its card at a deposit.
    pub shows_card: f64,
    /// Personal shift of sorting quality, in logits.
    pub offset: f64,
    frequency: f64,
    weight: f64,
    salt: u64,
}

/// Habits of every household, in order.
pub(super) fn all(seed: u64, households: &[Household]) -> Vec<Habits> {
    let mut dice = Dice::new(seed, "habits", 0);
    households
        .iter()
        .map(|household| Habits::draw(household, &mut dice))
        .collect()
}

impl Habits {
    fn draw(household: &Household, dice: &mut Dice) -> Self {
        let kind = match dice.below(100) {
            0..45 => Kind::Reliable,
            45..80 => Kind::Learning,
            80..94 => Kind::Careless,
            94..98 => Kind::Evader,
            _ => Kind::Absent,
        };
        let renter = dice.chance(0.25);
        let shows_card = match kind {
            Kind::Evader => 0.0,
            _ if renter => dice.between(0.70, 0.90),
            _ => dice.between(0.86, 0.99),
        };
        let size = f64::from(household.residents) / USUAL_SIZE;
        Self {
            kind,
            shows_card,
            offset: dice.normal(0.0, 0.25),
            frequency: dice.lognormal(0.956, 0.30),
            weight: dice.lognormal(0.94, 0.35) * libm::pow(size, 0.7),
            salt: dice.bits(),
        }
    }

    /// Expected bags of `stream` on `day`.
    pub(super) fn rate(&self, stream: Stream, day: i32) -> f64 {
        let usual = BAGS_A_DAY.get(stream.index()).copied().unwrap_or(0.0) * self.frequency;
        match self.kind {
            Kind::Absent => usual * 0.03,
            _ if self.away(day) => 0.0,
            _ => usual,
        }
    }

    /// One household in eight leaves for one to three weeks in a quarter.
    fn away(&self, day: i32) -> bool {
        let (quarter, within) = (day.div_euclid(90), day.rem_euclid(90));
        let fate = mix(self.salt ^ u64::from(quarter.unsigned_abs()));
        let (start, length) = ((fate >> 8) % 90, 7 + (fate >> 16) % 14);
        fate.is_multiple_of(8) && (start..start + length).contains(&u64::from(within.unsigned_abs()))
    }

    /// Milliseconds after local midnight: two humps, a flat rest, Saturdays and Sundays later.
    pub(super) fn minute(&self, day: i32, dice: &mut Dice) -> i64 {
        let weekend = (day + 3).rem_euclid(7) >= 5;
        let minutes = match (self.kind, dice.unit()) {
            (Kind::Evader, u) if u < 0.8 => evasive_minute(dice),
            (_, u) if u < 0.38 => dice.normal(if weekend { 515.0 } else { 470.0 }, 35.0),
            (_, u) if u < 0.85 => dice.normal(1_145.0, 45.0),
            _ => dice.between(360.0, 1_380.0),
        };
        (minutes.clamp(300.0, 1_400.0) * 60_000.0) as i64
    }

    /// Expected quality on the `since`-th day of the programme, before the personal shift.
    pub fn usual_quality(&self, since: i32) -> f64 {
        match self.kind {
            Kind::Reliable => 0.93,
            Kind::Learning => 0.85 - 0.25 * libm::exp(-f64::from(since.max(0)) / 30.0),
            Kind::Careless => 0.45,
            Kind::Evader => 0.40,
            Kind::Absent => 0.80,
        }
    }

    /// Expected quality of this household's bags on the `since`-th day.
    pub fn true_quality(&self, since: i32) -> f64 {
        let usual = self.usual_quality(since);
        let logit = libm::log(usual / (1.0 - usual)) + self.offset;
        1.0 / (1.0 + libm::exp(-logit))
    }

    pub(super) fn bag_quality(&self, stream: Stream, since: i32, dice: &mut Dice) -> f64 {
        let by_stream = match stream {
            Stream::Food => 0.01,
            Stream::Residual => -0.02,
            Stream::Recyclable => 0.02,
            Stream::Hazardous => 0.0,
        };
        dice.beta((self.true_quality(since) + by_stream).clamp(0.02, 0.985), 9.0)
    }

    pub(super) fn bag_weight(&self, stream: Stream, dice: &mut Dice) -> u32 {
        let (median, sigma) = BAG_GRAMS.get(stream.index()).copied().unwrap_or((500.0, 0.4));
        dice.lognormal(median * self.weight, sigma).clamp(5.0, 30_000.0) as u32
    }
}

/// After the shift has gone home, or at lunch.
fn evasive_minute(dice: &mut Dice) -> f64 {
    if dice.chance(0.65) {
        dice.between(1_275.0, 1_390.0)
    } else {
        dice.between(600.0, 1_020.0)
    }
}
