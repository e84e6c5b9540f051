//! An edition of the lists: everybody judged. A proposal that publishes nothing.

use std::borrow::Cow;
use std::collections::HashMap;

use hemu_rules::{Census, City, Day, Guard, Household, Outcome, Rule, State, Verdict, judge};

use super::gather::{Gathered, Member};
use crate::error::Result;
use crate::journal::Position;
use crate::ledger::Ledger;
use crate::work::{Stage, Work};

/// Where households stood, by token; whoever is not in it has the default.
pub(crate) type ByToken = HashMap<String, State>;

/// What one edition leaves to the next: where households stood, and who lived there.
#[derive(Debug, Clone, Default)]
pub struct States {
    stood: ByToken,
    moved: HashMap<String, Day>,
}

impl States {
    /// What the first edition goes on from.
    pub fn new() -> Self {
        Self::default()
    }

    /// Where a household stood.
    pub fn of(&self, token: &str) -> State {
        self.stood.get(token).copied().unwrap_or_default()
    }

    /// Of those who still live there at an edition before which these households moved.
    pub(super) fn kept(&self, moved: &HashMap<String, Day>) -> Cow<'_, ByToken> {
        if self.moved == *moved {
            return Cow::Borrowed(&self.stood);
        }
        let same = |token: &str| self.moved.get(token) == moved.get(token);
        let kept = self.stood.iter().filter(|(token, _)| same(token));
        Cow::Owned(kept.map(|(token, state)| (token.clone(), *state)).collect())
    }
}

/// Everybody's place at one edition.
#[derive(Debug)]
pub struct Edition {
    pub day: Day,
    /// Computed from the journal up to here.
    pub position: Position,
    pub city: City,
    /// Every registered household, in the order of the tokens.
    pub places: Vec<Place>,
    /// The last move before it, of those who moved.
    moved: HashMap<String, Day>,
}

/// A household's place.
#[derive(Debug)]
pub struct Place {
    pub token: String,
    pub outcome: Outcome,
}

impl Edition {
    /// What the next edition must know.
    pub fn states(&self) -> States {
        let state = |place: &Place| (place.token.clone(), place.outcome.state());
        let matters = |place: &&Place| place.outcome.state() != State::default();
        States {
            stood: self.places.iter().filter(matters).map(state).collect(),
            moved: self.moved.clone(),
        }
    }
}

impl Ledger {
    /// Computes an edition after another one's states. Nothing is stored or published.
    pub async fn edition(&self, rule: &Rule, day: Day, before: &States) -> Result<Edition> {
        let gathered = self.gather(rule, day).await?;
        let before = before.kept(&gathered.moved);
        judge_all(rule, day, gathered, &before, &self.work)
    }
}

pub(crate) fn judge_all(
    rule: &Rule,
    day: Day,
    gathered: Gathered,
    before: &ByToken,
    work: &Work,
) -> Result<Edition> {
    work.begin(Stage::Judging, gathered.households.len() as u64)?;
    let mut census = Census::default();
    for member in &gathered.households {
        census.add(rule, member.estate, &member.tally);
    }
    let city = census.city(rule, day);
    let verdict = |(nth, member): (u64, &Member)| -> Result<Verdict> {
        work.at(nth)?;
        let verdict = judge(
            &city,
            &Household {
                tally: &member.tally,
                estate: member.estate,
                first_deposit: member.first_day,
                before: before.get(&member.token).copied().unwrap_or_default(),
                inspections_doubted: member.inspections_doubted,
            },
        )?;
        Ok(verdict)
    };
    let verdicts: Vec<Verdict> = (1..)
        .zip(&gathered.households)
        .map(verdict)
        .collect::<Result<_>>()?;
    let judged = || gathered.households.iter().zip(&verdicts);
    let candidates = judged().filter_map(|(member, verdict)| Some((verdict.doubt()?, member.token.as_str())));
    let guard = Guard::of(rule.guard_doubt_most, candidates);
    let places = gathered
        .households
        .into_iter()
        .zip(verdicts)
        .map(|(member, verdict)| Place {
            outcome: verdict.settle(&guard, &member.token),
            token: member.token,
        });
    Ok(Edition {
        day,
        position: gathered.position,
        moved: gathered.moved,
        places: places.collect(),
        city,
    })
}
