//! Which bags an inspector opens: a random share of all, and more of the households a black list would need sure
//! knowledge of (docs/rule.md, 2.2 and 5).
//!
//! A bag is chosen before any camera sees it, by household, day and ordinal alone: choosing by what the camera says
//! would bias the very pairs that calibrate it. The draw is a keyed hash, so that it can be repeated by whoever holds
//! the key, foreseen by nobody else, and needs no state.

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::day::Day;
use crate::list::Outcome;
use crate::quantity::{Permille, Ppb};

/// Shares of bags to open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Of everybody's bags.
    pub base: Permille,
    /// Of the bags of a household that is followed up.
    pub follow_up: Permille,
    /// Of the opened bags, those a second inspector judges without knowing the first one's word.
    pub double: Permille,
    /// A household is followed up from this `P_black` on, while it has fewer inspected days than this.
    pub follow_up_from: Ppb,
    pub follow_up_until: u32,
}

/// What to do with a bag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Look {
    Pass,
    Open,
    /// By two inspectors, each for themselves.
    OpenTwice,
}

/// One bag as it is known before it is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextBag<'t> {
    /// The household's token.
    pub household: &'t str,
    pub day: Day,
    /// How many bags of that day came before it.
    pub ordinal: u32,
    pub followed_up: bool,
}

impl Plan {
    /// Some 4 % of all bags; following up lifts the share of the clearly bad that are found from a half to two thirds.
    pub const V1: Self = Self {
        base: Permille::clamped(30),
        follow_up: Permille::clamped(350),
        double: Permille::clamped(50),
        follow_up_from: Ppb::clamped(500_000_000),
        follow_up_until: 3,
    };

    /// Whether a household's bags are opened more often until the next edition: it may be bad and has hardly been
    /// looked at, or it has just been given notice.
    pub const fn follows_up(&self, outcome: &Outcome) -> bool {
        let likely = outcome.p_black.get() >= self.follow_up_from.get();
        outcome.notice || (likely && outcome.inspected_days < self.follow_up_until)
    }

    /// What to do with a household's next bag. `key` is the site's secret.
    pub fn look(&self, key: &[u8; 32], bag: &NextBag<'_>) -> Look {
        let share = if bag.followed_up {
            self.follow_up.max(self.base)
        } else {
            self.base
        };
        match (
            draw(key, "open", bag) < share.get(),
            draw(key, "twice", bag) < self.double.get(),
        ) {
            (false, _) => Look::Pass,
            (true, false) => Look::Open,
            (true, true) => Look::OpenTwice,
        }
    }
}

/// 0..=999, each as likely as the others to one in 2^54.
fn draw(key: &[u8; 32], purpose: &str, bag: &NextBag<'_>) -> u16 {
    let mut block = [0; 64];
    block[..32].copy_from_slice(key);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    // No word of the purpose has a zero, and the token comes last: no two bags read the same.
    mac.update(purpose.as_bytes());
    mac.update(&[0]);
    mac.update(&bag.day.get().to_be_bytes());
    mac.update(&bag.ordinal.to_be_bytes());
    mac.update(bag.household.as_bytes());
    let digest = mac.finalize().into_bytes();
    let head = digest
        .iter()
        .take(8)
        .fold(0_u64, |head, byte| (head << 8) | u64::from(*byte));
    u16::try_from((u128::from(head) * 1_000) >> 64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::Gates;
    use crate::status::Status;

    const KEY: [u8; 32] = [7; 32];

    fn bag(household: &str, day: i64, ordinal: u32, followed_up: bool) -> NextBag<'_> {
        NextBag {
            household,
            day: Day::clamped(day),
            ordinal,
            followed_up,
        }
    }

    /// Looks of 20,000 bags: a hundred households, a hundred days, two bags a day.
    fn looks(key: &[u8; 32], followed_up: bool) -> Vec<Look> {
        let tokens: Vec<String> = (0..100).map(|n| format!("H{n:05}")).collect();
        let days = || (20_000..20_100).flat_map(|day| [(day, 0), (day, 1)]);
        let of = |token: &String| {
            let look = |(day, n)| Plan::V1.look(key, &bag(token, day, n, followed_up));
            days().map(look).collect::<Vec<_>>()
        };
        tokens.iter().flat_map(of).collect()
    }

    fn permille(looks: &[Look], is: impl Fn(Look) -> bool) -> usize {
        1_000 * looks.iter().filter(|&&look| is(look)).count() / looks.len()
    }

    #[test]
    fn shares_are_those_of_the_plan() {
        let opened = |look| look != Look::Pass;
        let (all, followed) = (looks(&KEY, false), looks(&KEY, true));
        assert!(
            (27..=33).contains(&permille(&all, opened)),
            "{}",
            permille(&all, opened)
        );
        assert!(
            (340..=360).contains(&permille(&followed, opened)),
            "{}",
            permille(&followed, opened)
        );
        let of_opened: Vec<Look> = followed.iter().copied().filter(|&look| opened(look)).collect();
        let twice = permille(&of_opened, |look| look == Look::OpenTwice);
        assert!((43..=57).contains(&twice), "{twice}");
    }

    #[test]
    fn a_draw_can_be_repeated_and_another_key_draws_otherwise() {
        assert_eq!(looks(&KEY, true), looks(&KEY, true));
        let (a, b) = (looks(&KEY, true), looks(&[8; 32], true));
        let same = a
            .iter()
            .zip(&b)
            .filter(|(a, b)| **a != Look::Pass && **b != Look::Pass)
            .count();
        // A seventh to an eighth is what chance gives.
        assert!((100..=150).contains(&(1_000 * same / a.len())));
    }

    #[test]
    fn following_up_only_adds() {
        for (base, more) in looks(&KEY, false).into_iter().zip(looks(&KEY, true)) {
            assert!(base == Look::Pass || base == more);
        }
    }

    #[test]
    fn bags_are_told_apart() {
        let all = [
            bag("A", 1, 0, true),
            bag("A", 1, 1, true),
            bag("A", 2, 0, true),
            bag("B", 1, 0, true),
        ];
        let draws = all.map(|bag| draw(&KEY, "open", &bag));
        for (i, draw) in draws.iter().enumerate() {
            assert!(!draws[..i].contains(draw), "{draws:?}");
        }
        assert_ne!(draw(&KEY, "twice", &all[0]), draws[0]);
    }

    #[test]
    fn the_likely_bad_are_followed_up_until_they_were_looked_at_and_after_a_notice() {
        let outcome = |p_black, inspected_days, notice| Outcome {
            status: Status::Grey,
            score: 50,
            p_black: Ppb::clamped(p_black),
            p_red: Ppb::MIN,
            evidence: 5.0,
            deposit_days: 20,
            inspected_days,
            gates: Gates::default(),
            hits: u16::from(notice),
            notice,
            inactive: false,
            cut: false,
        };
        let follows = |p_black, days, notice| Plan::V1.follows_up(&outcome(p_black, days, notice));
        assert!(follows(500_000_000, 2, false) && !follows(499_999_999, 0, false));
        assert!(!follows(990_000_000, 3, false) && follows(990_000_000, 3, true));
    }
}
