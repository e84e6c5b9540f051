//! Buildings and units: how a group of households sorts, said only where it says nothing of any one of them.
//!
//! A group has at least [`HOUSEHOLDS_LEAST`] rated households, none of which is most of its evidence; counts are
//! given only where neither those counted nor the others are few. A building and its units are published together
//! ([`publish`]), so that subtracting the ones from the other leaves no small group either. Differences between
//! editions, and between groups that overlap otherwise, are not guarded against: publish one division only.

use serde::Serialize;

use crate::beta::BetaError;
use crate::quantity::Bp;
use crate::rule::Rule;
use crate::score::{Totals, posterior};
use crate::status::Status;

/// Rated households a published group has, at least.
pub const HOUSEHOLDS_LEAST: u32 = 10;
/// Households a published count has at least, and at least leaves over.
pub const COUNT_LEAST: u32 = 3;

/// Sums over a group's households. Groups without a household in common are merged by `+=`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GroupTally {
    /// Evidence of rated households.
    evidence: Totals,
    /// The most evidence one of them has.
    largest: i128,
    households: u32,
    rated: u32,
    red: u32,
    black: u32,
}

impl GroupTally {
    /// Adds a household by its clamped evidence and its shown status.
    pub fn add(&mut self, totals: Totals, shown: Status) {
        self.households += 1;
        if shown == Status::Unrated {
            return;
        }
        self.evidence += totals;
        self.largest = self.largest.max(totals.e);
        self.rated += 1;
        self.red += u32::from(shown == Status::Red);
        self.black += u32::from(shown == Status::Black);
    }

    /// Whether the mean says nothing of one household.
    fn is_crowd(&self) -> bool {
        self.rated >= HOUSEHOLDS_LEAST && 2 * self.largest <= self.evidence.e
    }

    /// Whether a count of its households says nothing of one of them.
    fn may_say(&self, count: u32) -> bool {
        self.is_crowd() && count >= COUNT_LEAST && self.rated.saturating_sub(count) >= COUNT_LEAST
    }

    fn view(&self, rule: &Rule, prior: Bp) -> Result<GroupView, BetaError> {
        let posterior = posterior(rule, self.evidence, prior)?;
        let (low, high) = posterior.interval()?;
        Ok(GroupView {
            households: self.households,
            rated: self.rated,
            score: posterior.score,
            low,
            high,
            red: None,
            black: None,
        })
    }
}

impl std::ops::AddAssign for GroupTally {
    fn add_assign(&mut self, other: Self) {
        self.evidence += other.evidence;
        self.largest = self.largest.max(other.largest);
        self.households += other.households;
        self.rated += other.rated;
        self.red += other.red;
        self.black += other.black;
    }
}

/// What may be said of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct GroupView {
    pub households: u32,
    pub rated: u32,
    /// The group's mean in whole points, drawn to the city's as a household's is.
    pub score: u8,
    /// Ends of its 90 % interval.
    pub low: Bp,
    pub high: Bp,
    /// Households on either list; `None` where the number would say too much.
    pub red: Option<u32>,
    pub black: Option<u32>,
}

/// A group and the parts it is divided into.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupViews {
    /// `None` where nothing may be shown, here and in the parts.
    pub whole: Option<GroupView>,
    /// One for each part, in their order.
    pub parts: Vec<Option<GroupView>>,
}

/// What may be said of a group divided into `parts`.
///
/// Parts too small to be shown are hidden together with the smallest shown ones (of equals the later), until those
/// hidden are a crowd themselves. A count is shown of every shown part, or of none.
pub fn publish(rule: &Rule, prior: Bp, parts: &[GroupTally]) -> Result<GroupViews, BetaError> {
    let whole = sum(parts);
    let shown = shown(parts);
    let hidden = parts.iter().zip(&shown).filter(|(_, shown)| !**shown);
    let hidden = sum(hidden.map(|(part, _)| part));

    let mut views = GroupViews {
        whole: whole.is_crowd().then(|| whole.view(rule, prior)).transpose()?,
        parts: Vec::with_capacity(parts.len()),
    };
    for (part, shown) in parts.iter().zip(&shown) {
        views
            .parts
            .push(shown.then(|| part.view(rule, prior)).transpose()?);
    }
    views.count(parts, &whole, &hidden, |group| group.red, |view| &mut view.red);
    views.count(
        parts,
        &whole,
        &hidden,
        |group| group.black,
        |view| &mut view.black,
    );
    Ok(views)
}

fn sum<'g>(groups: impl IntoIterator<Item = &'g GroupTally>) -> GroupTally {
    let mut sum = GroupTally::default();
    groups.into_iter().for_each(|group| sum += *group);
    sum
}

/// Which parts may be shown beside their whole.
fn shown(parts: &[GroupTally]) -> Vec<bool> {
    let mut shown: Vec<(usize, &GroupTally)> = parts
        .iter()
        .enumerate()
        .filter(|(_, part)| part.is_crowd())
        .collect();
    // The smallest last, of equals the later.
    shown.sort_by_key(|(_, part)| std::cmp::Reverse(part.rated));
    loop {
        let hidden = parts
            .iter()
            .enumerate()
            .filter(|(i, _)| shown.iter().all(|(s, _)| s != i));
        let hidden = sum(hidden.map(|(_, part)| part));
        if hidden.rated == 0 || hidden.is_crowd() || shown.pop().is_none() {
            break;
        }
    }
    (0..parts.len())
        .map(|i| shown.iter().any(|(s, _)| *s == i))
        .collect()
}

impl GroupViews {
    /// Fills in one count where it may be said: of the whole by itself, of the shown parts together.
    fn count(
        &mut self,
        parts: &[GroupTally],
        whole: &GroupTally,
        hidden: &GroupTally,
        count: fn(&GroupTally) -> u32,
        slot: fn(&mut GroupView) -> &mut Option<u32>,
    ) {
        let may = |group: &GroupTally| group.may_say(count(group));
        if let Some(view) = self.whole.as_mut().filter(|_| may(whole)) {
            *slot(view) = Some(count(whole));
        }
        let shown = || parts.iter().zip(&self.parts).filter(|(_, view)| view.is_some());
        let rest = hidden.rated == 0 || may(hidden);
        if rest && shown().all(|(part, _)| may(part)) {
            for (part, view) in parts.iter().zip(&mut self.parts) {
                if let Some(view) = view {
                    *slot(view) = Some(count(part));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RULE: Rule = Rule::V1;
    const PRIOR: Bp = Bp::clamped(7_500);

    fn evidence(days: i128, bp: i128) -> Totals {
        let e = RULE.unit() * days;
        Totals { e, a: e * bp }
    }

    /// A group of rated households, so many of them red, black and grey, and some unrated.
    fn group(red: u32, black: u32, grey: u32, unrated: u32) -> GroupTally {
        let mut group = GroupTally::default();
        for (n, status, bp) in [
            (red, Status::Red, 9_500),
            (black, Status::Black, 3_000),
            (grey, Status::Grey, 7_500),
            (unrated, Status::Unrated, 0),
        ] {
            (0..n).for_each(|_| group.add(evidence(10, bp), status));
        }
        group
    }

    fn publish(parts: &[GroupTally]) -> GroupViews {
        super::publish(&RULE, PRIOR, parts).unwrap()
    }

    fn shown(views: &GroupViews) -> Vec<bool> {
        views.parts.iter().map(Option::is_some).collect()
    }

    #[test]
    fn a_group_is_its_households_means_and_unrated_ones_say_nothing() {
        let view = publish(&[group(6, 4, 10, 5)]).whole.unwrap();
        assert_eq!(
            (view.households, view.rated, view.red, view.black),
            (25, 20, Some(6), Some(4))
        );
        // 6 x 95, 4 x 30 and 10 x 75 are 72 on average; the prior is one day in 200.
        assert_eq!(view.score, 72);
        assert!(view.low.get() < 7_200 && view.high.get() > 7_200);
    }

    #[test]
    fn fewer_than_ten_rated_households_are_not_shown() {
        assert!(publish(&[group(0, 0, 10, 0)]).whole.is_some());
        let few = publish(&[group(0, 0, 9, 90)]);
        assert_eq!((few.whole, few.parts), (None, vec![None]));
        let mut dominated = group(0, 0, 10, 0);
        dominated.add(evidence(101, 2_000), Status::Grey);
        assert_eq!(publish(&[dominated]).whole, None, "one household is most of it");
    }

    #[test]
    fn a_count_is_shown_only_of_some_and_not_of_nearly_all() {
        let red = |red, grey| publish(&[group(red, 0, grey, 0)]).whole.unwrap().red;
        assert_eq!([red(0, 20), red(2, 20), red(3, 20)], [None, None, Some(3)]);
        assert_eq!([red(17, 3), red(18, 2), red(20, 0)], [Some(17), None, None]);
    }

    #[test]
    fn subtracting_the_shown_parts_leaves_a_crowd_or_nobody() {
        // One small unit would be the building less the others: the next smallest hides with it.
        let grey = |n| group(0, 0, n, 0);
        let views = publish(&[grey(12), grey(4), grey(30), grey(11)]);
        assert_eq!(shown(&views), [true, false, true, false]);
        // Two small ones that are a crowd together hide nobody else.
        assert_eq!(
            shown(&publish(&[grey(12), grey(4), grey(6)])),
            [true, false, false]
        );
        // A part without any rated household is nobody's secret.
        assert_eq!(shown(&publish(&[grey(12), group(0, 0, 0, 3)])), [true, false]);
    }

    #[test]
    fn parts_are_counted_all_or_none() {
        let (mixed, plain) = (group(5, 0, 10, 0), group(1, 0, 14, 0));
        let views = publish(&[mixed, plain]);
        assert_eq!(views.whole.unwrap().red, Some(6));
        assert!(views.parts.iter().all(|view| view.unwrap().red.is_none()));
        let views = publish(&[mixed, mixed]);
        assert!(views.parts.iter().all(|view| view.unwrap().red == Some(5)));
    }

    /// A count, and what a view says of it.
    type Count = (fn(&GroupTally) -> u32, fn(&GroupView) -> Option<u32>);

    prop_compose! {
        fn any_group()(red in 0..8_u32, black in 0..5_u32, grey in 0..20_u32, unrated in 0..4_u32) -> GroupTally {
            group(red, black, grey, unrated)
        }
    }

    proptest! {
        #[test]
        fn nothing_small_can_be_computed_from_what_is_shown(parts in prop::collection::vec(any_group(), 0..8)) {
            let views = publish(&parts);
            let all = || parts.iter().zip(&views.parts);
            for (part, view) in all() {
                prop_assert!(view.is_none() || part.rated >= HOUSEHOLDS_LEAST);
            }
            let hidden = sum(all().filter(|(_, view)| view.is_none()).map(|(part, _)| part));
            let any = views.parts.iter().any(Option::is_some);
            prop_assert!(!any || hidden.rated == 0 || hidden.rated >= HOUSEHOLDS_LEAST);
            let counts: [Count; 2] = [(|g| g.red, |v| v.red), (|g| g.black, |v| v.black)];
            for (count, said) in counts {
                let many = |g: &GroupTally| count(g) >= COUNT_LEAST && g.rated - count(g) >= COUNT_LEAST;
                let counted = all().filter(|(_, view)| view.as_ref().is_some_and(|v| said(v).is_some()));
                for (part, _) in counted.clone() {
                    prop_assert!(many(part));
                }
                if counted.count() > 0 {
                    prop_assert!(hidden.rated == 0 || many(&hidden));
                }
            }
        }

        #[test]
        fn merging_is_adding_everybody(a in any_group(), b in any_group()) {
            prop_assert_eq!(sum([&a, &b]), sum([&b, &a]));
            prop_assert_eq!(sum([&a, &b]).rated, a.rated + b.rated);
        }
    }
}
