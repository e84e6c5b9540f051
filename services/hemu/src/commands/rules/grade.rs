//! A rule's lists against the truth of simulated households: the acceptance figures of the score rule, section 5.
//!
//! Figures and limits are those of `services/rules/golden/evaluate.py` for its base regime; a test holds them together.

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result};
use hemu_ledger::read::Edition;
use hemu_rules::Status;
use serde::Deserialize;

use crate::words::Words;

/// At or below this true quality a household is bad.
const BAD: f64 = 0.60;
/// The figures that need a history are taken from this day on.
const SETTLED: i32 = 56;

/// What is true of a household at an edition.
#[derive(Debug, Deserialize)]
struct Row {
    household: String,
    archetype: String,
    /// Days since the first.
    edition_day: i32,
    /// True quality of the 28 days before.
    theta28: f64,
}

/// The truth by edition.
#[derive(Debug)]
pub(super) struct Truth(HashMap<i32, Vec<Row>>);

impl Truth {
    pub(super) fn read(input: impl Read, file: &Path, words: &Words) -> Result<Self> {
        let mut truth = HashMap::<i32, Vec<Row>>::new();
        for row in csv::Reader::from_reader(input).into_deserialize::<Row>() {
            let row = row.with_context(|| words.say("cannot-read", &[("file", &file.display())]))?;
            truth.entry(row.edition_day).or_default().push(row);
        }
        Ok(Self(truth))
    }
}

/// A figure, and what it should be.
#[derive(Debug)]
pub(super) struct Figure {
    pub(super) name: &'static str,
    pub(super) value: f64,
    limit: Limit,
}

#[derive(Debug, Clone, Copy)]
enum Limit {
    None,
    Most(f64),
    Least(f64),
}

impl Figure {
    /// Its limit, and whether it holds.
    pub(super) fn verdict(&self) -> String {
        let (sign, limit, ok) = match self.limit {
            Limit::None => return String::new(),
            Limit::Most(limit) => ("<=", limit, self.value <= limit),
            Limit::Least(limit) => (">=", limit, self.value >= limit),
        };
        format!("{sign} {limit} {}", if ok { "ok" } else { "FAIL" })
    }
}

/// Counts over editions, which come in order.
#[derive(Debug, Default)]
pub(super) struct Grade {
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
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn add(&mut self, truth: &Truth, day: i32, edition: &Edition) {
        let places = edition.places.iter();
        let statuses: HashMap<&str, Status> = places
            .map(|place| (place.token.as_str(), place.outcome.status))
            .collect();
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

    fn household(&mut self, row: &Row, status: Status) {
        let theta = row.theta28;
        let (black, red) = (status == Status::Black, status == Status::Red);
        let (innocent, ever) = self.people.entry(row.household.clone()).or_insert((true, false));
        *innocent &= theta > BAD;
        *ever |= black;
        self.black += u32::from(black);
        self.wrong_black += u32::from(black && theta > BAD);
        self.serious_black += u32::from(black && theta > BAD + 0.1);
        self.red += u32::from(red);
        self.wrong_red += u32::from(red && theta < 0.75);
        let archetype = row.archetype.as_str();
        self.cheats_red += u32::from(red && ["selective", "splitter", "ballast"].contains(&archetype));
        // Who hides bags, or never says whose they are, cannot be known by them.
        if row.edition_day >= SETTLED && !["selective", "freerider"].contains(&archetype) {
            self.clearly_bad += u32::from(theta <= 0.45);
            self.clearly_bad_black += u32::from(theta <= 0.45 && black);
            self.good += u32::from(theta >= 0.85);
            self.good_red += u32::from(theta >= 0.85 && red);
        }
    }

    pub(super) fn figures(&self) -> [Figure; 11] {
        let innocents = self.people.values().filter(|(innocent, _)| *innocent);
        let of = |part: usize, all: usize| 100.0 * part as f64 / all.max(1) as f64;
        let percent = |part: u32, all: u32| 100.0 * f64::from(part) / f64::from(all.max(1));
        let each = |all: u32| f64::from(all) / f64::from(self.editions.max(1));
        let again = self.entries.values().filter(|entries| **entries > 1).count();
        let similar = self.similar.iter().sum::<f64>() / self.similar.len().max(1) as f64;
        let ever = innocents.clone().filter(|(_, ever)| *ever).count();
        let figure = |name, value, limit| Figure { name, value, limit };
        [
            figure("black_per_edition", each(self.black), Limit::None),
            figure(
                "wrong_black_pct",
                percent(self.wrong_black, self.black),
                Limit::Most(1.0),
            ),
            figure(
                "serious_wrong_black_pct",
                percent(self.serious_black, self.black),
                Limit::Most(0.3),
            ),
            figure(
                "innocents_ever_black_pct",
                of(ever, innocents.count()),
                Limit::Most(0.1),
            ),
            figure(
                "recall_clearly_bad_pct",
                percent(self.clearly_bad_black, self.clearly_bad),
                Limit::Least(42.0),
            ),
            figure("black_jaccard", similar, Limit::Least(0.78)),
            figure("reentry_pct", of(again, self.entries.len()), Limit::Most(6.0)),
            figure("red_per_edition", each(self.red), Limit::None),
            figure(
                "red_wrong_pct",
                percent(self.wrong_red, self.red),
                Limit::Most(0.5),
            ),
            figure(
                "red_recall_pct",
                percent(self.good_red, self.good),
                Limit::Least(38.0),
            ),
            figure(
                "red_cheats_pct",
                percent(self.cheats_red, self.red),
                Limit::Most(0.5),
            ),
        ]
    }
}
