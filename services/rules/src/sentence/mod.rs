//! An explanation in one sentence, in Chinese or English, as it may be read to the household it is about.
//!
//! Every number in it is the explanation's or the rule's: nothing is estimated, rounded up, or said of others.

mod en;
mod zh;

use serde::{Deserialize, Serialize};

use crate::day::Day;
use crate::decay::DECAY;
use crate::quantity::{Bp, Ppb};
use crate::reason::{Explanation, Reason};
use crate::rule::Rule;
use crate::status::Status;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Language {
    #[serde(rename = "zh")]
    Chinese,
    #[serde(rename = "en")]
    English,
}

impl Explanation {
    /// The sentence for this household; `rule` is the one the edition was made by.
    pub fn sentence(&self, rule: &Rule, language: Language) -> String {
        let story = Story::of(self, rule);
        match language {
            Language::Chinese => zh::sentence(&story),
            Language::English => en::sentence(&story),
        }
    }
}

/// An explanation, its rule, and what the sentence turns on.
struct Story<'e> {
    it: &'e Explanation,
    rule: &'e Rule,
    plot: Plot<'e>,
}

enum Plot<'e> {
    Unrated,
    Red,
    Black,
    /// Black by the rule, and not shown as long as an appeal is open.
    Appealed,
    /// On no list now, and proposed for one: nothing else says where it stands.
    Proposed,
    Notice,
    /// By so many days in the redemption window, and their mean.
    Redeemed(u32, Bp),
    /// On no list for want of days, amount or food waste: the first fact that says so.
    Short(&'e Reason),
    Grey,
}

impl<'e> Plot<'e> {
    fn of(it: &'e Explanation) -> Self {
        match (it.status, it.shown) {
            (Status::Unrated, _) => Self::Unrated,
            (Status::Red, _) => Self::Red,
            (Status::Black, Status::Black) => Self::Black,
            (Status::Black, _) => Self::Appealed,
            (Status::Grey, _) if it.proposed.is_some() => Self::Proposed,
            (Status::Grey, _) => Self::grey(it),
        }
    }

    /// What concerns the black list is said before what concerns the red one.
    fn grey(it: &'e Explanation) -> Self {
        let process = it.reasons.iter().find_map(|reason| match reason {
            &Reason::Redeemed { days, mean } => Some(Self::Redeemed(days, mean)),
            Reason::NoticeGiven { .. } => Some(Self::Notice),
            _ => None,
        });
        let short = it.reasons.iter().find_map(|reason| match reason {
            Reason::FewDays { .. } | Reason::LowAmount { .. } | Reason::NoFood { .. } => {
                Some(Self::Short(reason))
            }
            _ => None,
        });
        process.or(short).unwrap_or(Self::Grey)
    }
}

impl<'e> Story<'e> {
    fn of(it: &'e Explanation, rule: &'e Rule) -> Self {
        let plot = Plot::of(it);
        Self { it, rule, plot }
    }

    /// An open appeal is mentioned where the sentence is not about it.
    fn also_appealed(&self) -> bool {
        self.it.reasons.contains(&Reason::AppealOpen) && !matches!(self.plot, Plot::Appealed)
    }

    fn also_doubted(&self) -> bool {
        self.it.reasons.contains(&Reason::InspectorsDoubted)
    }

    fn notice_on(&self) -> Option<Day> {
        self.it.reasons.iter().find_map(|reason| match reason {
            Reason::NoticeGiven { on } => *on,
            _ => None,
        })
    }

    fn silent_days(&self) -> Option<u32> {
        self.it.reasons.iter().find_map(|reason| match reason {
            Reason::DeviceUncalibrated { days } => Some(*days),
            _ => None,
        })
    }

    /// The year of a day, where it is not the edition's.
    fn other_year(&self, day: Day) -> Option<i32> {
        let (year, ..) = day.civil();
        (year != self.it.edition.civil().0).then_some(year)
    }
}

/// Days evidence is looked at.
const WINDOW: usize = DECAY.len();

/// A share in points, with decimals only where it has some.
fn points(share: Bp) -> String {
    let bp = share.get();
    match (bp % 100, bp % 10) {
        (0, _) => (bp / 100).to_string(),
        (_, 0) => format!("{}.{}", bp / 100, bp % 100 / 10),
        _ => format!("{}.{:02}", bp / 100, bp % 100),
    }
}

/// Whole percent, rounded down and never all: nothing is certain.
fn sure(p: Ppb) -> u32 {
    (p.get() / 10_000_000).min(99)
}

/// Tenths as a decimal.
fn tenths(tenths: i64) -> String {
    format!("{}.{}", tenths / 10, tenths % 10)
}
