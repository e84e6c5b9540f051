//! Buildings and units: how a group of households sorts, said only where it says nothing of any one of them.
//!
//! A group has at least [`HOUSEHOLDS_LEAST`] rated households, none of which is most of its evidence; counts are
//! given only where neither those counted nor the others are few. An estate, its buildings and their units are
//! published together ([`publish`]), so that subtracting any of them from any other leaves a crowd or nobody. Two
//! editions compared, and groups that overlap otherwise, are not guarded against: publish one division only.

use serde::{Deserialize, Serialize};

use crate::beta::BetaError;
use crate::quantity::Bp;
use crate::rule::Rule;
use crate::score::{Totals, posterior};

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
}

impl GroupTally {
    /// Adds a household by its clamped evidence. One that is not rated is counted and says nothing.
    pub fn add(&mut self, rule: &Rule, totals: Totals) {
        self.households += 1;
        if totals.rated(rule) {
            self.evidence += totals;
            self.largest = self.largest.max(totals.e);
            self.rated += 1;
        }
    }

    /// Whether the mean says nothing of one household.
    fn is_crowd(&self) -> bool {
        self.rated >= HOUSEHOLDS_LEAST && 2 * self.largest <= self.evidence.e
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
            rank: None,
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
    }
}

/// What may be said of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupView {
    pub households: u32,
    pub rated: u32,
    /// The group's mean in whole points, drawn to the city's as a household's is.
    pub score: u8,
    /// Ends of its 90 % interval.
    pub low: Bp,
    pub high: Bp,
    /// By the score, among the shown groups of its kind in the estate; 1 is the best, equals share one, and the next
    /// counts all of them. `None` for the estate.
    pub rank: Option<u32>,
    /// Households on either list; `None` where the number would say too much, or nobody counted ([`Form::count`]).
    pub red: Option<u32>,
    pub black: Option<u32>,
}

/// What may be said of an estate, its buildings and their units; `None` where nothing may be.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Form {
    pub whole: Option<GroupView>,
    /// One for each building, in the order they were given in.
    pub buildings: Vec<BuildingView>,
}

/// What may be said of a building and its units.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BuildingView {
    pub whole: Option<GroupView>,
    /// One for each unit, in the order they were given in; none of a building that is not shown.
    pub units: Vec<Option<GroupView>>,
}

/// One of the two lists, for a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    Red,
    Black,
}

/// What may be said of an estate, given as the units of each of its buildings.
///
/// Parts too small to be shown are hidden together with the smallest shown ones (of equals the later), until those
/// hidden are a crowd themselves: buildings within the estate, units within a shown building.
pub fn publish(rule: &Rule, prior: Bp, estate: &[Vec<GroupTally>]) -> Result<Form, BetaError> {
    let buildings: Vec<GroupTally> = estate.iter().map(sum).collect();
    let whole = sum(&buildings);
    let view = |group: &GroupTally, shown: bool| shown.then(|| group.view(rule, prior)).transpose();
    let mut form = Form {
        whole: view(&whole, whole.is_crowd())?,
        buildings: Vec::with_capacity(estate.len()),
    };
    for ((units, building), is_shown) in estate.iter().zip(&buildings).zip(shown(&buildings)) {
        let of_units = if is_shown {
            shown(units)
        } else {
            vec![false; units.len()]
        };
        let units = units
            .iter()
            .zip(of_units)
            .map(|(unit, is_shown)| view(unit, is_shown));
        form.buildings.push(BuildingView {
            whole: view(building, is_shown)?,
            units: units.collect::<Result<_, _>>()?,
        });
    }
    rank(form.buildings.iter_mut().filter_map(|b| b.whole.as_mut()));
    rank(
        form.buildings
            .iter_mut()
            .flat_map(|b| b.units.iter_mut().flatten()),
    );
    Ok(form)
}

fn sum<'g>(groups: impl IntoIterator<Item = &'g GroupTally>) -> GroupTally {
    let mut sum = GroupTally::default();
    groups.into_iter().for_each(|group| sum += *group);
    sum
}

/// Which parts may be shown beside their whole.
fn shown(parts: &[GroupTally]) -> Vec<bool> {
    shown_by(parts, |part| part.rated, GroupTally::is_crowd)
}

/// Which groups of so many households may be shown beside their whole.
pub(crate) fn crowds(sizes: &[u32]) -> Vec<bool> {
    shown_by(sizes, |size| *size, |size| *size >= HOUSEHOLDS_LEAST)
}

fn shown_by<P: Copy + Default + std::ops::AddAssign>(
    parts: &[P],
    size: impl Fn(&P) -> u32,
    is_crowd: impl Fn(&P) -> bool,
) -> Vec<bool> {
    let mut candidates: Vec<usize> = (0..parts.len()).filter(|&i| is_crowd(&parts[i])).collect();
    // The smallest last, of equals the later.
    candidates.sort_by_key(|&i| std::cmp::Reverse(size(&parts[i])));
    let mut shown: Vec<bool> = parts.iter().map(&is_crowd).collect();
    let mut rest = P::default();
    let hidden = parts.iter().zip(&shown).filter(|(_, shown)| !**shown);
    hidden.for_each(|(part, _)| rest += *part);
    while size(&rest) > 0 && !is_crowd(&rest) {
        let Some(next) = candidates.pop() else { break };
        shown[next] = false;
        rest += parts[next];
    }
    shown
}

/// Ranks by what is shown, so that a rank says nothing more.
fn rank<'v>(views: impl Iterator<Item = &'v mut GroupView>) {
    let mut views: Vec<_> = views.collect();
    views.sort_by_key(|view| std::cmp::Reverse(view.score));
    let mut last = (0, None);
    for (nth, view) in (1..).zip(views) {
        if last.1 != Some(view.score) {
            last = (nth, Some(view.score));
        }
        view.rank = Some(last.0);
    }
}

/// Rated households, and how many of them are on a list; or any others that are counted.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Count {
    pub(crate) rated: u32,
    pub(crate) on: u32,
}

impl Count {
    /// Whether it says nothing of one of them.
    pub(crate) const fn may_be_said(self) -> bool {
        self.on >= COUNT_LEAST && self.rated.saturating_sub(self.on) >= COUNT_LEAST
    }

    /// Whether every shown part's count may be said beside the whole's, and so may what is left over.
    pub(crate) fn may_be_parted(self, parts: impl Iterator<Item = Self>) -> bool {
        let (mut rest, mut all) = (self, true);
        for part in parts {
            all &= part.may_be_said();
            rest.rated = rest.rated.saturating_sub(part.rated);
            rest.on = rest.on.saturating_sub(part.on);
        }
        all && (rest.rated == 0 || rest.may_be_said())
    }
}

impl GroupView {
    const fn count(&self, on: u32) -> Count {
        Count {
            rated: self.rated,
            on,
        }
    }

    fn say(&mut self, list: Counted, on: u32) {
        match list {
            Counted::Red => self.red = Some(on),
            Counted::Black => self.black = Some(on),
        }
    }
}

impl Form {
    /// Fills in how many rated households are on a list, given as they were to [`publish`], where that may be said: of
    /// every shown building or of none, and of every shown unit of a building whose own count is said, or of none.
    pub fn count(&mut self, list: Counted, on: &[Vec<u32>]) {
        let of_buildings: Vec<u32> = on.iter().map(|units| units.iter().sum()).collect();
        let on_whole = of_buildings.iter().sum();
        let Some(whole) = self
            .whole
            .as_mut()
            .filter(|whole| whole.count(on_whole).may_be_said())
        else {
            return;
        };
        whole.say(list, on_whole);
        let shown = self.buildings.iter().zip(&of_buildings);
        let counts = shown.filter_map(|(building, &on)| Some(building.whole?.count(on)));
        if !whole.count(on_whole).may_be_parted(counts) {
            return;
        }
        for ((building, on), &on_building) in self.buildings.iter_mut().zip(on).zip(&of_buildings) {
            let Some(whole) = building.whole.as_mut() else {
                continue;
            };
            whole.say(list, on_building);
            let shown = building.units.iter().zip(on);
            let counts = shown.filter_map(|(unit, &on)| Some(unit.as_ref()?.count(on)));
            if !whole.count(on_building).may_be_parted(counts) {
                continue;
            }
            for (unit, &on) in building.units.iter_mut().zip(on) {
                if let Some(unit) = unit {
                    unit.say(list, on);
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

    /// A group of so many rated households of one quality, and some that are not rated.
    fn group(rated: u32, bp: i128, unrated: u32) -> GroupTally {
        let mut group = GroupTally::default();
        (0..rated).for_each(|_| group.add(&RULE, evidence(10, bp)));
        (0..unrated).for_each(|_| group.add(&RULE, evidence(2, bp)));
        group
    }

    fn plain(rated: u32) -> GroupTally {
        group(rated, 7_500, 0)
    }

    fn publish(estate: &[Vec<GroupTally>]) -> Form {
        super::publish(&RULE, PRIOR, estate).unwrap()
    }

    /// Buildings of one unit each.
    fn buildings(groups: &[GroupTally]) -> Vec<Vec<GroupTally>> {
        groups.iter().map(|group| vec![*group]).collect()
    }

    fn shown(form: &Form) -> Vec<bool> {
        form.buildings.iter().map(|b| b.whole.is_some()).collect()
    }

    #[test]
    fn a_group_is_its_households_means_and_unrated_ones_say_nothing() {
        let mut mixed = group(6, 9_500, 5);
        mixed += group(4, 3_000, 0);
        mixed += group(10, 7_500, 0);
        let view = publish(&[vec![mixed]]).whole.unwrap();
        assert_eq!((view.households, view.rated, view.rank), (25, 20, None));
        // 6 x 95, 4 x 30 and 10 x 75 are 72 on average; the prior is one day in 200.
        assert_eq!(view.score, 72);
        assert!(view.low.get() < 7_200 && view.high.get() > 7_200);
    }

    #[test]
    fn fewer_than_ten_rated_households_are_not_shown() {
        assert!(publish(&buildings(&[plain(10)])).whole.is_some());
        let few = publish(&buildings(&[group(9, 7_500, 90)]));
        assert_eq!((few.whole, shown(&few)), (None, vec![false]));
        let mut dominated = plain(10);
        dominated.add(&RULE, evidence(101, 2_000));
        assert_eq!(
            publish(&[vec![dominated]]).whole,
            None,
            "one household is most of it"
        );
    }

    #[test]
    fn subtracting_the_shown_buildings_leaves_a_crowd_or_nobody() {
        // One small building would be the estate less the others: the next smallest hides with it.
        let form = publish(&buildings(&[plain(12), plain(4), plain(30), plain(11)]));
        assert_eq!(shown(&form), [true, false, true, false]);
        // Two small ones that are a crowd together hide nobody else.
        let form = publish(&buildings(&[plain(12), plain(4), plain(6)]));
        assert_eq!(shown(&form), [true, false, false]);
        // One without any rated household is nobody's secret.
        assert_eq!(
            shown(&publish(&buildings(&[plain(12), group(0, 0, 3)]))),
            [true, false]
        );
    }

    #[test]
    fn units_are_hidden_beside_a_small_one_and_within_a_hidden_building() {
        let units = |form: &Form, nth: usize| -> Vec<bool> {
            form.buildings[nth].units.iter().map(Option::is_some).collect()
        };
        // The second building is hidden with the third; its crowded unit would leave the third alone.
        let form = publish(&[
            vec![plain(20), plain(3), plain(12)],
            vec![plain(11)],
            vec![plain(2)],
        ]);
        assert_eq!(shown(&form), [true, false, false]);
        assert_eq!(
            [units(&form, 0), units(&form, 1)],
            [vec![true, false, false], vec![false]]
        );
        let form = publish(&[vec![plain(20), plain(12)]]);
        assert_eq!(units(&form, 0), [true, true]);
    }

    #[test]
    fn ranks_are_by_the_shown_score_and_equals_share_one() {
        let form = publish(&buildings(&[
            group(20, 6_000, 0),
            group(20, 9_000, 0),
            plain(4),
            group(20, 9_000, 0),
            group(20, 7_000, 0),
            group(20, 5_000, 0),
        ]));
        let ranks: Vec<_> = form
            .buildings
            .iter()
            .map(|b| b.whole.and_then(|w| w.rank))
            .collect();
        // The small one hides the last of the equally large.
        assert_eq!(ranks, [Some(4), Some(1), None, Some(1), Some(3), None]);
    }

    #[test]
    fn a_count_is_said_of_some_and_not_of_nearly_all_and_of_all_parts_or_none() {
        let red = |on, rated| {
            let mut form = publish(&[vec![plain(rated)]]);
            form.count(Counted::Red, &[vec![on]]);
            assert_eq!(form.whole.unwrap().black, None);
            form.whole.unwrap().red
        };
        assert_eq!([red(0, 20), red(2, 22), red(3, 23)], [None, None, Some(3)]);
        assert_eq!([red(17, 20), red(18, 20), red(20, 20)], [Some(17), None, None]);
        let said = |on: &[Vec<u32>]| {
            let mut form = publish(&[vec![plain(15), plain(15)], vec![plain(20)]]);
            form.count(Counted::Black, on);
            let of = |b: &BuildingView| {
                (
                    b.whole.unwrap().black,
                    b.units.iter().map(|u| u.unwrap().black).collect::<Vec<_>>(),
                )
            };
            form.buildings.iter().map(of).collect::<Vec<_>>()
        };
        assert_eq!(
            said(&[vec![5, 6], vec![4]]),
            [(Some(11), vec![Some(5), Some(6)]), (Some(4), vec![Some(4)])]
        );
        assert_eq!(
            said(&[vec![5, 1], vec![4]]),
            [(Some(6), vec![None, None]), (Some(4), vec![Some(4)])]
        );
        // The units of the first would give away the second.
        assert_eq!(
            said(&[vec![5, 6], vec![1]]),
            [(None, vec![None, None]), (None, vec![None])]
        );
    }

    fn any_estate() -> impl Strategy<Value = Vec<Vec<(u32, u32)>>> {
        let unit = (0..24_u32, 0..=100_u32).prop_map(|(rated, share)| (rated, rated * share / 100));
        prop::collection::vec(prop::collection::vec(unit, 0..6), 0..7)
    }

    /// What subtracting shown groups from each other comes down to: each shown group less the shown ones within it.
    /// Whatever else can be computed is a union of these.
    fn atoms(estate: &[Vec<(u32, u32)>], form: &Form, shown: fn(&GroupView) -> bool) -> Vec<(u32, u32)> {
        let is = |view: &Option<GroupView>| view.as_ref().is_some_and(shown);
        let add = |(a, b): (u32, u32), (c, d): (u32, u32)| (a + c, b + d);
        let total = |units: &[(u32, u32)]| units.iter().copied().fold((0, 0), add);
        let mut atoms = Vec::new();
        let mut outside = (0, 0);
        for (units, views) in estate.iter().zip(&form.buildings) {
            let mut rest = (0, 0);
            for (unit, view) in units.iter().zip(&views.units) {
                if is(view) {
                    atoms.push(*unit);
                } else {
                    rest = add(rest, *unit);
                }
            }
            if is(&views.whole) {
                atoms.push(rest);
            } else {
                assert!(views.units.iter().all(|view| !is(view)));
                outside = add(outside, total(units));
            }
        }
        if is(&form.whole) {
            atoms.push(outside);
        } else {
            assert!(atoms.is_empty());
        }
        atoms
    }

    proptest! {
        #[test]
        fn nothing_small_can_be_computed_from_what_is_shown(estate in any_estate()) {
            let tallies: Vec<Vec<_>> = estate.iter()
                .map(|units| units.iter().map(|(rated, _)| plain(*rated)).collect()).collect();
            let mut form = publish(&tallies);
            for (rated, _) in atoms(&estate, &form, |_| true) {
                prop_assert!(rated == 0 || rated >= HOUSEHOLDS_LEAST);
            }
            let on: Vec<Vec<u32>> = estate.iter().map(|units| units.iter().map(|(_, on)| *on).collect()).collect();
            form.count(Counted::Black, &on);
            prop_assert!(form.buildings.iter().all(|b| b.whole.is_none_or(|w| w.red.is_none())));
            for (rated, on) in atoms(&estate, &form, |view| view.black.is_some()) {
                prop_assert!(rated == 0 || (on >= COUNT_LEAST && rated - on >= COUNT_LEAST));
            }
        }

        #[test]
        fn merging_is_adding_everybody(a in 0..20_u32, b in 0..20_u32) {
            let (a, b) = (group(a, 9_000, 1), group(b, 2_000, 2));
            prop_assert_eq!(sum([&a, &b]), sum([&b, &a]));
            prop_assert_eq!(sum([&a, &b]).rated, a.rated + b.rated);
        }
    }
}
