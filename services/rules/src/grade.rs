//! A rule's lists against the truth of simulated households: the acceptance figures (docs/rule.md, 5).
//!
//! Figures and limits are those of `golden/evaluate.py` for its base regime; a test of `hemu rules dry-run` holds them
//! together. They rank nobody, hence floats.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;

use crate::status::Status;

/// At or below this true quality a household is bad.
const BAD: f64 = 0.60;
/// Above this one a place on the black list is seriously wrong.
const NOT_BAD_AT_ALL: f64 = BAD + 0.1;
/// At or below this one a household is clearly bad.
const CLEARLY_BAD: f64 = 0.45;
/// Below this one a place on the red list is wrong.
const RED_LEAST: f64 = 0.75;
/// At or above this one a household is good.
const GOOD: f64 = 0.85;
/// The figures that need a history are taken from this day on.
const SETTLED: i32 = 56;
/// Households that look better than they sort, on purpose.
const CHEATS: [&str; 3] = ["selective", "splitter", "ballast"];
/// Who hides bags, or never says whose they are, cannot be known by them.
const UNKNOWABLE: [&str; 2] = ["selective", "freerider"];

/// What is true of a household at an edition.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct TruthRow {
    pub household: String,
    pub archetype: String,
    /// Days since the first.
    pub edition_day: i32,
    /// True quality of the 28 days before.
    pub theta28: f64,
}

/// The truth by edition.
#[derive(Debug, Default)]
pub struct Truth(HashMap<i32, Vec<TruthRow>>);

impl FromIterator<TruthRow> for Truth {
    fn from_iter<I: IntoIterator<Item = TruthRow>>(rows: I) -> Self {
        let mut truth = Self::default();
        for row in rows {
            truth.0.entry(row.edition_day).or_default().push(row);
        }
        truth
    }
}

/// What a figure should be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    Most(f64),
    Least(f64),
}

/// A figure, and what it should be, if that is said.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figure {
    pub name: &'static str,
    pub value: f64,
    pub limit: Option<Limit>,
}

impl Figure {
    /// Its limit, and whether it holds, as `evaluate.py` writes it: `<= 1 ok`. Empty without a limit.
    pub fn verdict(&self) -> String {
        let (sign, limit, ok) = match self.limit {
            None => return String::new(),
            Some(Limit::Most(limit)) => ("<=", limit, self.value <= limit),
            Some(Limit::Least(limit)) => (">=", limit, self.value >= limit),
        };
        format!("{sign} {limit} {}", if ok { "ok" } else { "FAIL" })
    }
}

/// Counts over editions, which come in order.
#[derive(Debug, Default)]
pub struct Grade {
    editions: u32,
    black: u32,
    wrong_black: u32,
    serious_black: u32,
    red: u32,
    wrong_red: u32,
    cheats_red: u32,
    clearly_bad: u32,
    clearly_bad_black: u32,
    good: u32,
    good_red: u32,
    /// Of everybody: never bad so far, and ever black.
    people: HashMap<String, (bool, bool)>,
    listed: HashSet<String>,
    entries: HashMap<String, u32>,
    similar: Vec<f64>,
}

impl Grade {
    /// Counts the edition of a day, counted from the first: everybody's place, by token.
    pub fn add<'a>(&mut self, truth: &Truth, day: i32, places: impl IntoIterator<Item = (&'a str, Status)>) {
        let statuses: HashMap<&str, Status> = places.into_iter().collect();
        self.editions += 1;
        self.turnover(day, &statuses);
        for row in truth.0.get(&day).into_iter().flatten() {
            let status = statuses.get(row.household.as_str()).copied();
            self.household(row, status.unwrap_or(Status::Unrated));
        }
    }

    /// How the black list follows the one before.
    fn turnover(&mut self, day: i32, statuses: &HashMap<&str, Status>) {
        let black = statuses.iter().filter(|(_, status)| **status == Status::Black);
        let black: HashSet<String> = black.map(|(token, _)| (*token).to_owned()).collect();
        let all = black.union(&self.listed).count();
        if day >= SETTLED && all > 0 {
            let both = black.intersection(&self.listed).count();
            self.similar.push(both as f64 / all as f64);
        }
        for token in black.difference(&self.listed) {
            *self.entries.entry(token.clone()).or_default() += 1;
        }
        self.listed = black;
    }

    fn household(&mut self, row: &TruthRow, status: Status) {
        let theta = row.theta28;
        let (black, red) = (status == Status::Black, status == Status::Red);
        let (innocent, ever) = self.people.entry(row.household.clone()).or_insert((true, false));
        *innocent &= theta > BAD;
        *ever |= black;
        self.black += u32::from(black);
        self.wrong_black += u32::from(black && theta > BAD);
        self.serious_black += u32::from(black && theta > NOT_BAD_AT_ALL);
        self.red += u32::from(red);
        self.wrong_red += u32::from(red && theta < RED_LEAST);
        let archetype = row.archetype.as_str();
        self.cheats_red += u32::from(red && CHEATS.contains(&archetype));
        if row.edition_day >= SETTLED && !UNKNOWABLE.contains(&archetype) {
            self.clearly_bad += u32::from(theta <= CLEARLY_BAD);
            self.clearly_bad_black += u32::from(theta <= CLEARLY_BAD && black);
            self.good += u32::from(theta >= GOOD);
            self.good_red += u32::from(theta >= GOOD && red);
        }
    }

    pub fn figures(&self) -> [Figure; 11] {
        let percent = |part: u32, all: u32| 100.0 * f64::from(part) / f64::from(all.max(1));
        let each = |all: u32| f64::from(all) / f64::from(self.editions.max(1));
        let plain = |name, value| Figure {
            name,
            value,
            limit: None,
        };
        let limited = |name, value, limit| Figure {
            limit: Some(limit),
            ..plain(name, value)
        };
        let most = |name, value, limit| limited(name, value, Limit::Most(limit));
        let least = |name, value, limit| limited(name, value, Limit::Least(limit));
        let wrong = percent(self.wrong_black, self.black);
        let serious = percent(self.serious_black, self.black);
        let recall = percent(self.clearly_bad_black, self.clearly_bad);
        let cheats = percent(self.cheats_red, self.red);
        [
            plain("black_per_edition", each(self.black)),
            most("wrong_black_pct", wrong, 1.0),
            most("serious_wrong_black_pct", serious, 0.3),
            most("innocents_ever_black_pct", self.innocents_ever_black(), 0.1),
            least("recall_clearly_bad_pct", recall, 42.0),
            least("black_jaccard", self.jaccard(), 0.78),
            most("reentry_pct", self.reentry(), 6.0),
            plain("red_per_edition", each(self.red)),
            most("red_wrong_pct", percent(self.wrong_red, self.red), 0.5),
            least("red_recall_pct", percent(self.good_red, self.good), 38.0),
            most("red_cheats_pct", cheats, 0.5),
        ]
    }

    /// Percent of those who were never bad that were black at some time.
    fn innocents_ever_black(&self) -> f64 {
        let innocents = self.people.values().filter(|(innocent, _)| *innocent);
        let ever = innocents.clone().filter(|(_, ever)| *ever).count();
        100.0 * ever as f64 / innocents.count().max(1) as f64
    }

    /// The mean likeness of a black list and the one before.
    fn jaccard(&self) -> f64 {
        self.similar.iter().sum::<f64>() / self.similar.len().max(1) as f64
    }

    /// Percent of those who came onto the black list that came more than once.
    fn reentry(&self) -> f64 {
        let again = self.entries.values().filter(|entries| **entries > 1).count();
        100.0 * again as f64 / self.entries.len().max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Status::{Black, Grey, Red};

    fn row(household: &str, archetype: &str, edition_day: i32, theta28: f64) -> TruthRow {
        TruthRow {
            household: household.to_owned(),
            archetype: archetype.to_owned(),
            edition_day,
            theta28,
        }
    }

    /// What these figures are after these editions, and what is said of them.
    #[track_caller]
    fn check(truth: &[TruthRow], editions: &[(i32, &[(&str, Status)])], expected: &[(&str, f64, &str)]) {
        let truth: Truth = truth.iter().cloned().collect();
        let mut grade = Grade::default();
        for (day, places) in editions {
            grade.add(&truth, *day, places.iter().copied());
        }
        let figures = grade.figures();
        for (name, value, verdict) in expected {
            let figure = figures.iter().find(|figure| figure.name == *name).unwrap();
            assert!((figure.value - value).abs() < 1e-9, "{figure:?}, not {value}");
            assert_eq!(figure.verdict(), *verdict, "{figure:?}");
        }
    }

    #[test]
    fn a_black_name_is_wrong_above_sixty_percent_and_seriously_above_seventy() {
        let truth = [0.60, 0.65, 0.70, 0.71].map(|theta| row(&theta.to_string(), "stable", 28, theta));
        let black = truth.each_ref().map(|row| (row.household.as_str(), Black));
        check(
            &truth,
            &[(28, &black)],
            &[
                ("black_per_edition", 4.0, ""),
                ("wrong_black_pct", 75.0, "<= 1 FAIL"),
                ("serious_wrong_black_pct", 25.0, "<= 0.3 FAIL"),
                ("innocents_ever_black_pct", 100.0, "<= 0.1 FAIL"),
                ("recall_clearly_bad_pct", 0.0, ">= 42 FAIL"),
            ],
        );
    }

    #[test]
    fn who_was_bad_once_is_no_innocent() {
        let truth = [
            row("turned", "improver", 28, 0.5),
            row("turned", "improver", 35, 0.9),
            row("fine", "stable", 35, 0.9),
        ];
        let black: &[_] = &[("turned", Black)];
        check(
            &truth,
            &[(28, &[]), (35, black)],
            &[
                ("innocents_ever_black_pct", 0.0, "<= 0.1 ok"),
                ("wrong_black_pct", 100.0, "<= 1 FAIL"),
            ],
        );
    }

    #[test]
    fn recall_is_of_settled_days_and_of_those_who_can_be_known() {
        let truth = [
            row("early", "stable", 49, 0.3),
            row("bad", "stable", 56, 0.45),
            row("missed", "stable", 56, 0.2),
            row("hidden", "freerider", 56, 0.2),
            row("good", "stable", 56, 0.85),
            row("unseen", "stable", 56, 0.9),
        ];
        check(
            &truth,
            &[
                (49, &[("early", Grey)]),
                (56, &[("bad", Black), ("missed", Grey), ("good", Red)]),
            ],
            &[
                ("recall_clearly_bad_pct", 50.0, ">= 42 ok"),
                ("red_recall_pct", 50.0, ">= 38 ok"),
                ("red_per_edition", 0.5, ""),
            ],
        );
    }

    #[test]
    fn red_is_wrong_below_seventy_five_percent_and_for_whoever_cheats() {
        let truth = [
            row("fine", "stable", 28, 0.75),
            row("poor", "stable", 28, 0.74),
            row("split", "splitter", 28, 0.9),
            row("heavy", "ballast", 28, 0.9),
        ];
        let red = truth.each_ref().map(|row| (row.household.as_str(), Red));
        check(
            &truth,
            &[(28, &red)],
            &[
                ("red_wrong_pct", 25.0, "<= 0.5 FAIL"),
                ("red_cheats_pct", 50.0, "<= 0.5 FAIL"),
            ],
        );
    }

    #[test]
    fn lists_are_compared_with_the_one_before_once_they_are_settled() {
        let (both, one): (&[_], &[_]) = (&[("A", Black), ("B", Black)], &[("A", Black)]);
        check(
            &[],
            &[(42, both), (49, one), (56, both), (63, both)],
            &[
                // Half the same, then all; and B came back.
                ("black_jaccard", 0.75, ">= 0.78 FAIL"),
                ("reentry_pct", 50.0, "<= 6 FAIL"),
            ],
        );
    }

    #[test]
    fn nothing_to_count_is_no_division() {
        check(
            &[],
            &[],
            &[
                ("black_jaccard", 0.0, ">= 0.78 FAIL"),
                ("red_per_edition", 0.0, ""),
            ],
        );
    }
}
