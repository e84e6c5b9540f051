//! A simulated world of the golden files as a store would hold it, and its editions computed day by day.

use flate2::read::GzDecoder;
use hemu_rules::{
    BetaError, Bucket, Calibration, Census, Day, DeviceNo, EstateNo, Guard, Household, Outcome, PairSums,
    Participation, Rule, Source, State, Tally, Verdict, calibrate, judge,
};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;

/// One household on one day.
#[derive(Debug, Clone)]
pub(crate) struct DayRow {
    pub(crate) token: String,
    pub(crate) day: Day,
    pub(crate) bags: Participation,
    pub(crate) buckets: Vec<(Source, Bucket)>,
}

#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) estates: BTreeMap<String, EstateNo>,
    pub(crate) pairs: Vec<(DeviceNo, Day, PairSums)>,
    pub(crate) days: Vec<DayRow>,
    /// The oracle's rows, as the contract writes them but for the edition's plain number.
    pub(crate) lists: Vec<String>,
}

/// Outcomes by edition and token.
pub(crate) type Editions = BTreeMap<(Day, String), Outcome>;

fn int(value: &Value) -> i64 {
    value.as_i64().expect("a whole number")
}

fn no(value: &Value) -> u32 {
    u32::try_from(int(value)).expect("a number from 0")
}

fn rows<'v>(file: &'v Value, name: &str) -> impl Iterator<Item = &'v Vec<Value>> {
    let rows = file[name].as_array().expect("an array of rows").iter();
    rows.map(|row| row.as_array().expect("a row"))
}

fn token(value: &Value) -> String {
    format!("H{:05}", int(value))
}

fn day(value: &Value) -> Day {
    Day::clamped(int(value))
}

fn day_row(row: &[Value]) -> DayRow {
    let source = |v: &Value| Source::from_code(int(v) + 1).expect("a source");
    let bucket = |c: &[Value]| Bucket {
        w: int(&c[1]),
        g: int(&c[2]),
        n: int(&c[3]),
    };
    DayRow {
        token: token(&row[0]),
        day: day(&row[1]),
        bags: Participation {
            grams: int(&row[2]),
            food: int(&row[3]),
            residual: 1 - int(&row[3]),
            ..Participation::default()
        },
        buckets: row[4..].chunks(4).map(|c| (source(&c[0]), bucket(c))).collect(),
    }
}

impl World {
    pub(crate) fn golden(regime: &str) -> Self {
        let path = format!("{}/golden/lists_{regime}.json.gz", env!("CARGO_MANIFEST_DIR"));
        let file = GzDecoder::new(File::open(path).expect("a golden file"));
        let file: Value = serde_json::from_reader(file).expect("JSON");
        let pair = |p: &Vec<Value>| {
            let [n, sy, sq, syy, sqq, syq] = [2, 3, 4, 5, 6, 7].map(|i| int(&p[i]));
            let sums = PairSums {
                n,
                sy,
                sq,
                syy,
                sqq,
                syq,
            };
            (DeviceNo(no(&p[0])), day(&p[1]), sums)
        };
        let lists = file["lists"].as_array().expect("rows").iter();
        Self {
            estates: rows(&file, "estates")
                .map(|r| (token(&r[0]), EstateNo(no(&r[1]))))
                .collect(),
            pairs: rows(&file, "pairs").map(pair).collect(),
            days: rows(&file, "days").map(|r| day_row(r)).collect(),
            lists: lists.map(|row| row.as_str().expect("text").to_owned()).collect(),
        }
    }

    pub(crate) fn calibration(&self, rule: &Rule, edition: Day) -> Calibration {
        let names: Vec<String> = (0..100).map(|n| format!("C{n:03}")).collect();
        calibrate(
            rule,
            self.pairs.iter().copied(),
            |d| &names[d.0 as usize],
            edition,
        )
    }

    pub(crate) fn first_deposits(&self) -> HashMap<&str, Day> {
        let mut first = HashMap::new();
        for row in &self.days {
            let day = first.entry(row.token.as_str()).or_insert(row.day);
            *day = row.day.min(*day);
        }
        first
    }

    /// Everybody's tally, read day by day in the order of `days`, in `shards` parts that are merged at the end.
    pub(crate) fn tallies(&self, calibration: &Calibration, shards: usize) -> BTreeMap<&str, Tally> {
        let mut merged: BTreeMap<&str, Tally> = self
            .estates
            .keys()
            .map(|token| (token.as_str(), Tally::default()))
            .collect();
        for shard in (0..shards).rev() {
            for row in self.days.iter().skip(shard).step_by(shards) {
                let mut one = Tally::default();
                one.add_evidence(calibration, row.day, &row.buckets);
                one.add_bags(calibration, row.day, &row.bags);
                *merged.get_mut(row.token.as_str()).expect("a known household") += one;
            }
        }
        merged
    }

    /// One edition: the census in `shards` parts, everybody alone, the guard over all.
    pub(crate) fn edition(
        &self,
        rule: &Rule,
        edition: Day,
        shards: usize,
        before: impl Fn(&str) -> State,
    ) -> Result<BTreeMap<&str, Outcome>, BetaError> {
        let tallies = self.tallies(&self.calibration(rule, edition), shards);
        let mut census = Census::default();
        for shard in 0..shards {
            let mut part = Census::default();
            for (token, tally) in tallies.iter().skip(shard).step_by(shards) {
                part.add(rule, self.estates[*token], tally);
            }
            census.merge(part);
        }
        let city = census.city(rule, edition);
        let first = self.first_deposits();
        let mut verdicts = Vec::<(&str, Verdict)>::new();
        for (&token, tally) in &tallies {
            let household = Household {
                tally,
                estate: self.estates[token],
                first_deposit: first.get(token).copied(),
                before: before(token),
                inspections_doubted: false,
            };
            verdicts.push((token, judge(&city, &household)?));
        }
        let candidates = verdicts
            .iter()
            .filter_map(|(token, v)| Some((v.doubt()?, *token)));
        let guard = Guard::of(rule.guard_doubt_most, candidates);
        Ok(verdicts
            .into_iter()
            .map(|(token, v)| (token, v.settle(&guard, token)))
            .collect())
    }

    /// Every weekly edition from day 28 to day 90.
    pub(crate) fn editions(&self, rule: &Rule, shards: usize) -> Result<Editions, BetaError> {
        let mut all = Editions::new();
        let mut states = HashMap::<String, State>::new();
        for edition in (28..=90).step_by(7).map(Day::clamped) {
            let before = |token: &str| states.get(token).copied().unwrap_or_default();
            let outcomes = self.edition(rule, edition, shards, before)?;
            let owned = |(token, outcome): (&str, Outcome)| (token.to_owned(), outcome);
            let outcomes: Vec<(String, Outcome)> = outcomes.into_iter().map(owned).collect();
            for (token, outcome) in outcomes {
                states.insert(token.clone(), outcome.state());
                all.insert((edition, token), outcome);
            }
        }
        Ok(all)
    }
}
