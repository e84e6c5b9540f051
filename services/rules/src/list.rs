//! Red, black, grey, unrated: how a household's tally becomes its place on an edition's lists (rule, section 2.4).
//!
//! Three steps, so that a city can be split among threads: a [`crate::Census`] of everybody, [`judge`] for each
//! household alone, and one [`Guard`] over those who would be black. Nothing here publishes: a list is a proposal,
//! and people decide. Nothing here adds to the black list what the rule did not.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::beta::BetaError;
use crate::census::City;
use crate::day::Day;
use crate::gate::{Gate, Gates};
use crate::id::{EstateNo, UnknownWord};
use crate::quantity::Ppb;
use crate::score::posterior;
use crate::tally::Tally;

/// A household's place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// Praise.
    Red,
    /// Needs help.
    Black,
    /// Rated, and neither.
    Grey,
    /// Too little evidence for any word.
    #[default]
    Unrated,
}

impl Status {
    pub const ALL: [Self; 4] = [Self::Red, Self::Black, Self::Grey, Self::Unrated];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Red => "RED",
            Self::Black => "BLACK",
            Self::Grey => "GREY",
            Self::Unrated => "UNRATED",
        }
    }

    /// The number a store keeps: the position in [`Status::ALL`].
    pub const fn code(self) -> u8 {
        self as u8
    }

    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.get(usize::try_from(code).ok()?).copied()
    }

    /// What may be shown: nobody is black while an objection of theirs is open.
    #[must_use]
    pub const fn shown(self, appeal_open: bool) -> Self {
        match self {
            Self::Black if appeal_open => Self::Grey,
            status => status,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Status {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let found = Self::ALL.into_iter().find(|status| status.as_str() == text);
        found.ok_or_else(|| UnknownWord {
            expected: "RED, BLACK, GREY, UNRATED",
            got: text.chars().take(32).collect(),
        })
    }
}

/// What passes from one edition to the next; a household that was in none has the default. A person who lifts a
/// black name stores the default too: two editions and a notice are needed again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    pub status: Status,
    /// Editions in a row that hit.
    pub hits: u16,
}

/// A household at an edition.
#[derive(Debug, Clone, Copy)]
pub struct Household<'t> {
    pub tally: &'t Tally,
    pub estate: EstateNo,
    /// The day of its first bag ever, however long ago.
    pub first_deposit: Option<Day>,
    /// What the edition before left.
    pub before: State,
    /// The inspections behind it are doubted: nobody is black by them.
    pub inspections_doubted: bool,
}

/// What the rule says of one household, before the guard has looked at the list as a whole.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// As it is if the guard does not keep the household on the black list.
    otherwise: Outcome,
    black: bool,
}

/// A household's place at an edition, and what decided it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Outcome {
    pub status: Status,
    /// 0..=100; no score to show while `status` is unrated.
    pub score: u8,
    pub p_black: Ppb,
    pub p_red: Ppb,
    /// Decayed evidence, in days judged by an inspector.
    pub evidence: f64,
    /// Days with a bag in the deposit window.
    pub deposit_days: u32,
    /// Days an inspector looked in the inspection window.
    pub inspected_days: u32,
    pub gates: Gates,
    /// Editions in a row that hit.
    pub hits: u16,
    /// A first hit: the household is told in private and inspected. It is on no list.
    pub notice: bool,
    /// Hardly any deposit. Never public: absence is a reason for a visit and evidence of nothing.
    pub inactive: bool,
    /// Would be black, had the list as a whole been sure enough.
    pub cut: bool,
}

impl Outcome {
    /// What the next edition must know.
    pub const fn state(&self) -> State {
        State {
            status: self.status,
            hits: self.hits,
        }
    }
}

/// Judges one household. Pure, and independent of every other household but through `city`.
pub fn judge(city: &City, household: &Household<'_>) -> Result<Verdict, BetaError> {
    let (rule, tally) = (city.rule(), household.tally);
    let totals = tally.totals();
    let posterior = posterior(rule, totals, city.prior())?;
    let gates = Gates::of(city, household, &posterior);

    let may_be_black = gates.all(&Gate::BLACK);
    let hit = may_be_black && gates.passed(Gate::BlackEnter);
    let hits = if hit {
        household.before.hits.saturating_add(1)
    } else {
        0
    };
    let was = household.before.status;
    let stays = was == Status::Black && may_be_black && gates.passed(Gate::BlackStay);
    let black = hits >= rule.black_editions || stays;

    let sure = gates.passed(Gate::RedEnter) || (was == Status::Red && gates.passed(Gate::RedStay));
    let status = match gates.passed(Gate::Rated) {
        true if sure && gates.all(&Gate::RED) => Status::Red,
        true => Status::Grey,
        false => Status::Unrated,
    };
    let otherwise = Outcome {
        status,
        score: posterior.score,
        p_black: posterior.p_black,
        p_red: posterior.p_red,
        evidence: posterior.e,
        deposit_days: tally.deposit_days,
        inspected_days: tally.inspected_days,
        gates,
        hits,
        notice: hits == 1,
        inactive: tally.active_days <= rule.inactive_days_most,
        cut: black,
    };
    Ok(Verdict { otherwise, black })
}

impl Verdict {
    /// How much doubt there is about a household that would be black; `None` for everybody else.
    pub fn doubt(&self) -> Option<Ppb> {
        self.black.then(|| self.otherwise.p_black.complement())
    }

    /// The outcome, when the guard has seen every household of the edition.
    pub fn settle(self, guard: &Guard, token: &str) -> Outcome {
        match self.doubt() {
            Some(doubt) if guard.keeps(doubt, token) => Outcome {
                status: Status::Black,
                notice: false,
                cut: false,
                ..self.otherwise
            },
            _ => self.otherwise,
        }
    }
}

/// Keeps the mean doubt of a black list small: of the households in order of doubt, and of token where doubts are
/// the same, those up to the last with whom the mean is within the rule's limit.
///
/// The mean of numbers in rising order never falls, so that is one prefix, and its end says all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guard {
    last: Option<(Ppb, String)>,
}

impl Guard {
    /// `candidates`: doubt and token of every household of the edition that would be black.
    pub fn of<'t>(limit: Ppb, candidates: impl IntoIterator<Item = (Ppb, &'t str)>) -> Self {
        let mut candidates: Vec<(Ppb, &str)> = candidates.into_iter().collect();
        candidates.sort_unstable();
        let (mut sum, mut last) = (0_u64, None);
        for (count, candidate) in (1_u64..).zip(candidates) {
            sum += u64::from(candidate.0.get());
            if sum > u64::from(limit.get()) * count {
                break;
            }
            last = Some(candidate);
        }
        Self {
            last: last.map(|(doubt, token)| (doubt, token.to_owned())),
        }
    }

    /// Whether a household that would be black stays so.
    pub fn keeps(&self, doubt: Ppb, token: &str) -> bool {
        let last = self.last.as_ref();
        last.is_some_and(|(most, until)| (doubt, token) <= (*most, until.as_str()))
    }
}
