//! The conditions of the lists, each a named fact: passed or not.
//!
//! Facts only. Which of them together make a list is said by [`Gate::BLACK`] and [`Gate::RED`], and used by
//! [`crate::judge`].

use std::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::census::City;
use crate::list::Household;
use crate::score::Posterior;

/// One condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Gate {
    /// Evidence enough to be rated.
    Rated,
    /// `P_black` high enough to be a hit.
    BlackEnter,
    /// `P_black` high enough to stay black.
    BlackStay,
    /// Deposit days enough for any list.
    DepositDays,
    /// Long enough here to be black.
    Tenure,
    /// Days enough on which an inspector looked.
    InspectedDays,
    /// What inspectors alone saw is poor.
    InspectorMean,
    /// Nothing is wrong with those inspectors.
    InspectorsTrusted,
    /// No good fortnight just now.
    NotRedeemed,
    /// `P_red` high enough to become red.
    RedEnter,
    /// `P_red` high enough to stay red.
    RedStay,
    /// Active days enough to be red.
    ActiveDays,
    /// Days with food waste enough to be red.
    FoodDays,
    /// Grams enough to be red.
    Grams,
}

impl Gate {
    pub const ALL: [Self; 14] = [
        Self::Rated,
        Self::BlackEnter,
        Self::BlackStay,
        Self::DepositDays,
        Self::Tenure,
        Self::InspectedDays,
        Self::InspectorMean,
        Self::InspectorsTrusted,
        Self::NotRedeemed,
        Self::RedEnter,
        Self::RedStay,
        Self::ActiveDays,
        Self::FoodDays,
        Self::Grams,
    ];

    /// All that black needs beside `P_black`.
    pub const BLACK: [Self; 7] = [
        Self::Rated,
        Self::DepositDays,
        Self::Tenure,
        Self::InspectedDays,
        Self::InspectorMean,
        Self::InspectorsTrusted,
        Self::NotRedeemed,
    ];

    /// All that red needs beside `P_red`.
    pub const RED: [Self; 5] = [
        Self::Rated,
        Self::DepositDays,
        Self::ActiveDays,
        Self::FoodDays,
        Self::Grams,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rated => "rated",
            Self::BlackEnter => "black_enter",
            Self::BlackStay => "black_stay",
            Self::DepositDays => "deposit_days",
            Self::Tenure => "tenure",
            Self::InspectedDays => "inspected_days",
            Self::InspectorMean => "inspector_mean",
            Self::InspectorsTrusted => "inspectors_trusted",
            Self::NotRedeemed => "not_redeemed",
            Self::RedEnter => "red_enter",
            Self::RedStay => "red_stay",
            Self::ActiveDays => "active_days",
            Self::FoodDays => "food_days",
            Self::Grams => "grams",
        }
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Which gates were passed. In JSON an object of all of them, name to true or false.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Gates(u16);

impl Gates {
    pub(crate) fn of(city: &City, household: &Household<'_>, posterior: &Posterior) -> Self {
        let (rule, tally) = (city.rule(), household.tally);
        let tenure = household.first_deposit.map(|first| city.edition().since(first));
        let grams = i128::from(tally.grams) * 10_000;
        let usual = i128::from(city.usual_grams(household.estate));
        let passed = |gate| match gate {
            Gate::Rated => tally.totals().rated(rule),
            Gate::BlackEnter => posterior.p_black >= rule.p_black_enter,
            Gate::BlackStay => posterior.p_black >= rule.p_black_stay,
            Gate::DepositDays => tally.deposit_days >= rule.deposit_days_least,
            Gate::Tenure => tenure.is_some_and(|days| days >= rule.tenure_days),
            Gate::InspectedDays => tally.inspected_days >= rule.inspection_days_least,
            Gate::InspectorMean => tally
                .inspector_mean()
                .is_some_and(|mean| mean <= rule.inspector_mean_most),
            Gate::InspectorsTrusted => !household.inspections_doubted,
            Gate::NotRedeemed => !tally.redeemed(rule),
            Gate::RedEnter => posterior.p_red >= rule.p_red_enter,
            Gate::RedStay => posterior.p_red >= rule.p_red_stay,
            Gate::ActiveDays => tally.active_days >= rule.red_days_least,
            Gate::FoodDays => tally.food_days >= rule.red_food_days_least,
            Gate::Grams => grams >= usual * i128::from(i64::from(rule.red_grams_share)),
        };
        Gate::ALL.into_iter().filter(|&gate| passed(gate)).collect()
    }

    pub const fn passed(self, gate: Gate) -> bool {
        self.0 & gate.bit() != 0
    }

    pub fn all(self, gates: &[Gate]) -> bool {
        gates.iter().all(|&gate| self.passed(gate))
    }

    /// Every gate with its answer.
    pub fn iter(self) -> impl Iterator<Item = (Gate, bool)> {
        Gate::ALL.into_iter().map(move |gate| (gate, self.passed(gate)))
    }

    /// The number a store keeps: bit k is the k-th of [`Gate::ALL`].
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Bits that are no gate are dropped.
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits & ((1 << Gate::ALL.len()) - 1))
    }
}

impl FromIterator<Gate> for Gates {
    fn from_iter<I: IntoIterator<Item = Gate>>(gates: I) -> Self {
        Self(gates.into_iter().fold(0, |bits, gate| bits | gate.bit()))
    }
}

impl Serialize for Gates {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(Gate::ALL.len()))?;
        for (gate, passed) in self.iter() {
            map.serialize_entry(gate.as_str(), &passed)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_lead_back_and_json_names_every_gate() {
        let gates = Gates::from_bits(u16::MAX);
        assert!(gates.all(&Gate::ALL) && Gates::from_bits(gates.bits()) == gates);
        let json = serde_json::to_value([Gate::Rated, Gate::Grams].into_iter().collect::<Gates>()).unwrap();
        assert_eq!((&json["grams"], &json["tenure"]), (&true.into(), &false.into()));
        assert_eq!(json.as_object().unwrap().len(), Gate::ALL.len());
    }
}
