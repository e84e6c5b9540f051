//! What an edition must know of everybody before it can judge anybody: the city's mean, and what is usual in an
//! estate.
//!
//! Sums and lists of numbers only: shards count apart and are merged in any order. Nobody is judged here.

use std::collections::HashMap;

use crate::day::Day;
use crate::id::EstateNo;
use crate::quantity::Bp;
use crate::rule::Rule;
use crate::score::{Totals, prior_of};
use crate::tally::Tally;

/// A count of households, or of a shard of them.
#[derive(Debug, Clone, Default)]
pub struct Census {
    rated: Totals,
    grams: HashMap<EstateNo, Vec<i64>>,
}

impl Census {
    pub fn add(&mut self, rule: &Rule, estate: EstateNo, tally: &Tally) {
        let totals = tally.totals();
        if totals.rated(rule) {
            self.rated += totals;
        }
        if tally.grams > 0 {
            self.grams.entry(estate).or_default().push(tally.grams);
        }
    }

    /// Adds the households of another shard.
    pub fn merge(&mut self, other: Self) {
        self.rated += other.rated;
        for (estate, grams) in other.grams {
            self.grams.entry(estate).or_default().extend(grams);
        }
    }

    /// The count, when every household is in it.
    pub fn city(self, rule: &Rule, edition: Day) -> City {
        let usual = |(estate, grams): (EstateNo, Vec<i64>)| (estate, lower_median(grams));
        City {
            rule: *rule,
            edition,
            prior: prior_of(rule, self.rated),
            usual_grams: self.grams.into_iter().map(usual).collect(),
        }
    }
}

/// What every household of one edition is judged against.
#[derive(Debug, Clone, PartialEq)]
pub struct City {
    rule: Rule,
    edition: Day,
    prior: Bp,
    usual_grams: HashMap<EstateNo, i64>,
}

impl City {
    pub const fn rule(&self) -> &Rule {
        &self.rule
    }

    /// Evidence is of days before this one.
    pub const fn edition(&self) -> Day {
        self.edition
    }

    /// Mean quality of all rated households.
    pub const fn prior(&self) -> Bp {
        self.prior
    }

    /// Lower median of the grams an estate's households brought in the activity window, of those that brought any;
    /// 0 where none did.
    pub fn usual_grams(&self, estate: EstateNo) -> i64 {
        self.usual_grams.get(&estate).copied().unwrap_or(0)
    }
}

/// The lower of the two middle ones, where two are.
fn lower_median(mut values: Vec<i64>) -> i64 {
    if values.is_empty() {
        return 0;
    }
    let middle = (values.len() - 1) / 2;
    *values.select_nth_unstable(middle).1
}
