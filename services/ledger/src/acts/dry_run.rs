//! A rule tried on the edition of a day as it would really come: after what people had left of the one before. Takes no
//! lease, stores nothing, and tells nobody.

use hemu_rules::{Day, Rule};

use super::act::EditionId;
use super::place::states;
use super::propose::{day_is_over, last_valid};
use super::refused::{Refused, Why};
use super::rules::in_force;
use crate::error::{InFile, Result};
use crate::ledger::Ledger;
use crate::read::{ByToken, DryRun};

impl Ledger {
    /// What adopting a rule for a day, not after `today`, would change of that day's edition: both rules go on from the
    /// edition that it goes on from, the second of the answer, or from nothing. `Err(Refused)` says which constant is
    /// wrong, or that the day is not over.
    pub async fn try_rule(&self, rule: &Rule, day: Day, today: Day) -> Result<(DryRun, Option<EditionId>)> {
        rule.validate()
            .map_err(|error| Refused::error(Why::Malformed, error.to_string()))?;
        day_is_over(day, today)?;
        let path = self.folder().truth();
        let mut tx = self.truth.snapshot().await.of(&path)?;
        let ours = in_force(&mut tx.link(), day).await.of(&path)?;
        let before = last_valid(&mut tx.link(), day).await.of(&path)?;
        let states = match before {
            Some(before) => {
                let known = crate::journal::head(&mut tx.link()).await.of(&path)?.position;
                states(&mut tx.link(), before, (known, day)).await.of(&path)?
            }
            None => ByToken::new(),
        };
        drop(tx);
        let rules = [&ours, rule];
        let gathered = self.gather_both(rules, day).await?;
        let run = DryRun::judge(rules, day, gathered, [&states, &states], &self.work)?;
        Ok((run, before))
    }
}
