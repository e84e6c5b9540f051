//! A rule that is tried: everybody judged by the rule in force and by another, on the same evidence, and who stands
//! otherwise. Nothing is stored, and no edition goes on from it.

use hemu_rules::{Day, Gate, Gates, Outcome, Rule, Status};

use super::edition::{ByToken, Edition, States, judge_all};
use super::gather::Gathered;
use crate::error::Result;
use crate::ledger::Ledger;
use crate::work::Work;

/// An edition by two rules.
#[derive(Debug)]
pub struct DryRun {
    pub in_force: Edition,
    /// The same households in the same order, of the same evidence.
    pub tried: Edition,
}

/// A household of another status by the rule that is tried.
#[derive(Debug, Clone, Copy)]
pub struct Otherwise<'d> {
    pub token: &'d str,
    /// By the rule in force.
    pub was: &'d Outcome,
    /// By the rule that is tried.
    pub is: &'d Outcome,
}

impl Otherwise<'_> {
    /// From which status to which.
    pub const fn ends(&self) -> (Status, Status) {
        (self.was.status, self.is.status)
    }

    /// The gates that made the difference, each with whether it is passed by the rule that is tried. None where it is how
    /// many editions in a row hit, or the doubt of the list as a whole.
    pub fn gates(&self) -> impl Iterator<Item = (Gate, bool)> + use<> {
        changed(self.was.gates, self.is.gates)
    }
}

fn changed(was: Gates, is: Gates) -> impl Iterator<Item = (Gate, bool)> {
    let both = was.iter().zip(is.iter());
    both.filter(|((_, was), (_, is))| was != is).map(|(_, is)| is)
}

impl DryRun {
    /// Judges everybody; `before` is where households stood by each of the rules.
    pub(crate) fn judge(
        [in_force, tried]: [&Rule; 2],
        day: Day,
        [by_one, by_other]: [Gathered; 2],
        before: [&ByToken; 2],
        work: &Work,
    ) -> Result<Self> {
        Ok(Self {
            in_force: judge_all(in_force, day, by_one, before[0], work)?,
            tried: judge_all(tried, day, by_other, before[1], work)?,
        })
    }

    /// Who has another status, in the order of the tokens.
    pub fn otherwise(&self) -> impl Iterator<Item = Otherwise<'_>> {
        let both = self.in_force.places.iter().zip(&self.tried.places);
        let both = both.map(|(was, is)| Otherwise {
            token: &was.token,
            was: &was.outcome,
            is: &is.outcome,
        });
        both.filter(|both| both.was.status != both.is.status)
    }
}

impl Ledger {
    /// Tries a rule on the edition of a day beside the one in force then, each after its own states.
    pub async fn dry_run(&self, rule: &Rule, day: Day, before: [&States; 2]) -> Result<DryRun> {
        let in_force = self.rule_in_force(day).await?;
        let rules = [&in_force, rule];
        let gathered = self.gather_both(rules, day).await?;
        let [one, other] = [0, 1].map(|nth: usize| before[nth].kept(&gathered[nth].moved));
        let (one, other) = (one.into_owned(), other.into_owned());
        DryRun::judge(rules, day, gathered, [&one, &other], &self.work)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_gates_that_changed_are_named_with_their_direction() {
        let was: Gates = [Gate::Rated, Gate::Tenure].into_iter().collect();
        let is: Gates = [Gate::Rated, Gate::BlackEnter].into_iter().collect();
        let named: Vec<_> = changed(was, is).collect();
        assert_eq!(named, [(Gate::BlackEnter, true), (Gate::Tenure, false)]);
        assert_eq!(changed(was, was).count(), 0);
    }
}
