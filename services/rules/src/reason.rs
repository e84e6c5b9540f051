//! Why a household stands where it stands: reason codes from its own evidence (docs/rule.md, 2.5).
//!
//! A reason is a fact or an exact share of the score, never a guess, and says nothing of any other household. The
//! words are in `sentence`.

use serde::Serialize;

use crate::calibrate::Calibration;
use crate::contribution::{Contributions, Part, Period, StoredBucket};
use crate::day::Day;
use crate::gate::Gate;
use crate::id::Stream;
use crate::list::Outcome;
use crate::quantity::{Bp, Ppb};
use crate::rule::Rule;
use crate::status::{State, Status};
use crate::tally::Tally;

/// Shares of the score that are shown, at most: nobody acts on a tenth reason.
const SHOWN_MOST: usize = 4;
/// Days named as the worst.
const WORST_DAYS: usize = 3;

/// One reason. `tenths` are tenths of a point of the score, below 0 where it lowered it. In JSON an object with `code`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Reason {
    /// What this stream's bags cost, against a household at the city's mean.
    FoodLow {
        tenths: i64,
    },
    ResidualLow {
        tenths: i64,
    },
    RecyclableLow {
        tenths: i64,
    },
    HazardLow {
        tenths: i64,
    },
    /// What the redemption window cost or gained, against the days before it going on.
    RecentDrop {
        tenths: i64,
    },
    RecentBetter {
        tenths: i64,
    },
    /// What the worst days cost together.
    WorstDays {
        tenths: i64,
        days: Vec<Day>,
    },
    /// What inspectors saw, on so many days, points where the score went.
    InspectorConfirmed {
        tenths: i64,
        days: u32,
    },

    /// Fewer deposit days than a list needs.
    FewDays {
        days: u32,
        needed: u32,
        window: i32,
    },
    /// Good enough for red, but little was brought.
    LowAmount {
        window: i32,
    },
    /// Good enough for red, but hardly any food waste was brought.
    NoFood {
        days: u32,
        needed: u32,
        window: i32,
    },
    /// An inspector who judged it lies too far from the colleagues on the same bags: until that is looked into, nobody
    /// is black by these inspections.
    InspectorsDoubted,
    /// Days that say nothing, because the cameras have no say yet.
    DeviceUncalibrated {
        days: u32,
    },
    /// The household was told in private; `on` when that is known to have reached it.
    NoticeGiven {
        on: Option<Day>,
    },
    /// A good fortnight keeps the household off the black list.
    Redeemed {
        days: u32,
        mean: Bp,
    },
    AppealOpen,
}

impl Reason {
    /// Its share of the score, where it has one.
    pub const fn tenths(&self) -> Option<i64> {
        match self {
            Self::FoodLow { tenths }
            | Self::ResidualLow { tenths }
            | Self::RecyclableLow { tenths }
            | Self::HazardLow { tenths }
            | Self::RecentDrop { tenths }
            | Self::RecentBetter { tenths }
            | Self::WorstDays { tenths, .. }
            | Self::InspectorConfirmed { tenths, .. } => Some(*tenths),
            _ => None,
        }
    }
}

/// One household at one edition, with all that an explanation may speak of.
#[derive(Debug, Clone, Copy)]
pub struct Case<'c> {
    /// All it has stored of the days the edition looks at.
    pub buckets: &'c [StoredBucket],
    pub calibration: &'c Calibration,
    pub prior: Bp,
    pub tally: &'c Tally,
    pub outcome: &'c Outcome,
    /// What the edition before left.
    pub before: State,
    /// When the household was last told that it would be listed, if it was.
    pub notice_on: Option<Day>,
    pub appeal_open: bool,
    /// What a notice that people have not decided on proposes.
    pub proposed: Option<Proposed>,
}

/// A list that a notice proposes a household for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Proposed {
    /// Red or black.
    pub list: Status,
    /// The last local day on which the household may object; none when that is over, or stands still.
    pub until: Option<Day>,
}

/// What explains a household's place, for a page or a sentence.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// Evidence is of days before this one.
    pub edition: Day,
    /// The rule's word, and the one that may be shown.
    pub status: Status,
    pub shown: Status,
    pub score: u8,
    pub p_black: Ppb,
    pub p_red: Ppb,
    /// Tenths of a day of evidence, rounded down: what is not yet enough must not look so.
    pub evidence_tenths: i64,
    /// Days with evidence, and those an inspector looked on.
    pub judged_days: u32,
    pub inspected_days: u32,
    pub proposed: Option<Proposed>,
    /// At most four shares of the score of a point or more, largest first; then the facts.
    pub reasons: Vec<Reason>,
    pub contributions: Contributions,
}

/// Explains one household at one edition.
pub fn explain(case: &Case<'_>) -> Explanation {
    let contributions = Contributions::of(case.buckets, case.calibration, case.prior);
    // Who has no score has no shares of it.
    let mut reasons = match case.outcome.status {
        Status::Unrated => Vec::new(),
        _ => shares(&contributions),
    };
    reasons.extend(facts(case, &contributions));
    let (rule, outcome) = (case.calibration.rule(), case.outcome);
    let tenths = 10 * case.tally.totals().e / rule.unit();
    Explanation {
        edition: case.calibration.edition(),
        status: outcome.status,
        shown: outcome.status.shown(case.appeal_open),
        score: outcome.score,
        p_black: outcome.p_black,
        p_red: outcome.p_red,
        evidence_tenths: i64::try_from(tenths).unwrap_or(i64::MAX),
        judged_days: u32::try_from(contributions.days.len()).unwrap_or(u32::MAX),
        inspected_days: contributions.inspected_days,
        proposed: case.proposed,
        reasons,
        contributions,
    }
}

/// The largest shares of a point or more; of equal ones the first by code.
fn shares(all: &Contributions) -> Vec<Reason> {
    let low = |stream, reason: fn(i64) -> Reason| {
        let numerator = all.stream(stream).numerator;
        (numerator < 0).then(|| (numerator, reason(all.tenths(numerator))))
    };
    let mut found: Vec<(i128, Reason)> = [
        low(Stream::Food, |tenths| Reason::FoodLow { tenths }),
        low(Stream::Residual, |tenths| Reason::ResidualLow { tenths }),
        low(Stream::Recyclable, |tenths| Reason::RecyclableLow { tenths }),
        low(Stream::Hazardous, |tenths| Reason::HazardLow { tenths }),
        recent(all),
        Some(worst_days(all)),
        confirmed(all),
    ]
    .into_iter()
    .flatten()
    .filter(|(numerator, _)| all.matters(*numerator))
    .collect();
    found.sort_by_key(|(numerator, _)| std::cmp::Reverse(numerator.abs()));
    found
        .into_iter()
        .take(SHOWN_MOST)
        .map(|(_, reason)| reason)
        .collect()
}

/// What the score would lack or gain, had the recent days been as the older ones on average.
fn recent(all: &Contributions) -> Option<(i128, Reason)> {
    let (recent, older) = (all.period(Period::Recent), all.period(Period::Older));
    let numerator = recent.a - recent.e * i128::from(older.quality()?);
    let tenths = all.tenths(numerator);
    recent.quality()?;
    let reason = if numerator < 0 {
        Reason::RecentDrop { tenths }
    } else {
        Reason::RecentBetter { tenths }
    };
    Some((numerator, reason))
}

fn worst_days(all: &Contributions) -> (i128, Reason) {
    let mut low: Vec<(i128, Day)> = all.days.iter().map(|d| (d.part.numerator, d.day)).collect();
    low.retain(|(numerator, _)| *numerator < 0);
    low.sort_unstable();
    low.truncate(WORST_DAYS);
    let numerator = low.iter().map(|(numerator, _)| numerator).sum();
    let mut days: Vec<Day> = low.into_iter().map(|(_, day)| day).collect();
    days.sort_unstable();
    let tenths = all.tenths(numerator);
    (numerator, Reason::WorstDays { tenths, days })
}

/// Inspectors saw what the score says.
fn confirmed(all: &Contributions) -> Option<(i128, Reason)> {
    let Part { numerator, .. } = all.inspectors;
    let reason = Reason::InspectorConfirmed {
        tenths: all.tenths(numerator),
        days: all.inspected_days,
    };
    (numerator.signum() == all.total.signum()).then_some((numerator, reason))
}

fn facts(case: &Case<'_>, all: &Contributions) -> Vec<Reason> {
    let Case { tally, outcome, .. } = *case;
    let (rule, gates) = (case.calibration.rule(), outcome.gates);
    let mut facts = Vec::new();
    let stays = case.before.status == Status::Red && gates.passed(Gate::RedStay);
    let good = gates.passed(Gate::RedEnter) || stays;
    if !gates.passed(Gate::DepositDays) {
        facts.push(Reason::FewDays {
            days: outcome.deposit_days,
            needed: rule.deposit_days_least,
            window: rule.deposit_window,
        });
    } else if good && !gates.passed(Gate::ActiveDays) {
        facts.push(Reason::FewDays {
            days: tally.active_days,
            needed: rule.red_days_least,
            window: rule.activity_window,
        });
    }
    if good && !gates.passed(Gate::Grams) {
        facts.push(Reason::LowAmount {
            window: rule.activity_window,
        });
    }
    if good && !gates.passed(Gate::FoodDays) {
        facts.push(Reason::NoFood {
            days: tally.food_days,
            needed: rule.red_food_days_least,
            window: rule.activity_window,
        });
    }
    if silence_matters(outcome, all) {
        facts.push(Reason::DeviceUncalibrated {
            days: all.silent_days,
        });
    }
    if !gates.passed(Gate::InspectorsTrusted) {
        facts.push(Reason::InspectorsDoubted);
    }
    facts.extend(due_process(case, rule));
    facts
}

/// Silent days are a reason where the household could be rated without them, or they are half of all.
fn silence_matters(outcome: &Outcome, all: &Contributions) -> bool {
    let judged = all.days.len();
    let silent = usize::try_from(all.silent_days).unwrap_or(usize::MAX);
    silent > 0 && (outcome.status == Status::Unrated || silent >= judged)
}

fn due_process(case: &Case<'_>, rule: &Rule) -> Vec<Reason> {
    let Case { tally, outcome, .. } = *case;
    let mut facts = Vec::new();
    let told = outcome.status == Status::Black && case.notice_on.is_some();
    if outcome.notice || told {
        facts.push(Reason::NoticeGiven { on: case.notice_on });
    }
    let threatened = case.before.status == Status::Black || outcome.p_black >= rule.p_black_stay;
    if let Some(mean) = tally.recent_mean()
        && threatened
        && !outcome.gates.passed(Gate::NotRedeemed)
    {
        facts.push(Reason::Redeemed {
            days: tally.recent_days,
            mean,
        });
    }
    if case.appeal_open {
        facts.push(Reason::AppealOpen);
    }
    facts
}
