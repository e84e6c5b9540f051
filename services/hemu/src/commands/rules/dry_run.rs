//! `hemu rules dry-run`: editions by the rule in force and by another, side by side.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;

use anyhow::{Context, Result};
use hemu_ingest::fold;
use hemu_ledger::cell::guarded;
use hemu_ledger::read::{DryRun as Tried, Otherwise, States};
use hemu_rules::grade::{Grade, Truth, TruthRow};
use hemu_rules::{Day, Rule, Status};

use crate::cli::DryRun;
use crate::commands::{lists, open_input, open_output};
use crate::config::Config;
use crate::output::out;
use crate::progress;
use crate::site::Site;
use crate::words::Words;

const COLUMNS: [&str; 9] = [
    "edition",
    "household",
    "from",
    "to",
    "score",
    "new_score",
    // Editions in a row that hit: a household may move by what an earlier edition said.
    "hits",
    "new_hits",
    // `+tenure` passes under the new rule only, `-tenure` under the one in force only.
    "gates",
];

/// Moves from one status to another, over all editions.
type Moves = BTreeMap<(Status, Status), usize>;

pub(super) async fn run(config: &Config, options: &DryRun, words: &Words) -> Result<()> {
    let rule = super::read(&options.file, words)?;
    let days = lists::days(options.from, options.to, options.every, words)?;
    let truth = options.truth.as_deref();
    let truth = truth
        .map(|file| truth_of(open_input(file, words)?, file, words))
        .transpose()?;
    let site = Site::open(config).await?;
    fold::settle(&site.ledger, site.ledger.head().await?).await?;
    let mut csv = match &options.csv {
        Some(file) => Some(csv::Writer::from_writer(open_output(file, words)?)),
        None => None,
    };
    if let Some(csv) = &mut csv {
        csv.write_record(COLUMNS)?;
    }
    let first = match options.day_zero {
        Some(day) => day,
        None => first_deposit(&site, options.to).await?,
    };
    let bar = progress::bar(words, words.say("editions", &[]), days.len() as u64);
    let (mut states, mut grades) = (
        [States::new(), States::new()],
        [Grade::default(), Grade::default()],
    );
    let mut moves = Moves::new();
    for &day in &days {
        let run = site.ledger.dry_run(&rule, day, states.each_ref()).await?;
        compare(&run, &mut moves, csv.as_mut())?;
        for ((edition, states), grade) in [&run.in_force, &run.tried]
            .into_iter()
            .zip(&mut states)
            .zip(&mut grades)
        {
            *states = edition.states();
            if let Some(truth) = &truth {
                let places = edition.places.iter();
                let places = places.map(|place| (place.token.as_str(), place.outcome.status));
                grade.add(truth, day.since(first), places);
            }
        }
        bar.inc(1);
    }
    if let Some(mut csv) = csv {
        csv.flush()?;
    }
    bar.finish_and_clear();
    if options.csv.as_deref() != Some(Path::new("-")) {
        tell(&moves, days.len(), words)?;
        if truth.is_some() {
            grade_both(&grades, words)?;
        }
    }
    Ok(())
}

/// The local day of the first counted deposit of any household.
async fn first_deposit(site: &Site, edition: Day) -> Result<Day> {
    let gathered = site.ledger.gather(&Rule::V1, edition).await?;
    let first = gathered.households.iter().filter_map(|member| member.first_day);
    Ok(first.min().unwrap_or(edition))
}

fn compare<W: Write>(run: &Tried, moves: &mut Moves, mut csv: Option<&mut csv::Writer<W>>) -> Result<()> {
    for household in run.otherwise() {
        let (from, to) = household.ends();
        *moves.entry((from, to)).or_default() += 1;
        if let Some(csv) = csv.as_deref_mut() {
            csv.write_record([
                &run.tried.day.to_string(),
                guarded(household.token).as_ref(),
                from.as_str(),
                to.as_str(),
                &household.was.score.to_string(),
                &household.is.score.to_string(),
                &household.was.hits.to_string(),
                &household.is.hits.to_string(),
                // Begins with a sign.
                guarded(&changed(&household)).as_ref(),
            ])?;
        }
    }
    Ok(())
}

fn changed(household: &Otherwise<'_>) -> String {
    let signed = household
        .gates()
        .map(|(gate, passes)| format!("{}{gate}", if passes { '+' } else { '-' }));
    signed.collect::<Vec<_>>().join(" ")
}

fn tell(moves: &Moves, editions: usize, words: &Words) -> Result<()> {
    let total: usize = moves.values().sum();
    out!(
        "{}",
        words.say("rule-moves", &[("editions", &editions), ("moves", &total)])
    );
    for ((from, to), count) in moves {
        let (from, to) = (from.as_str(), to.as_str());
        out!(
            "{}",
            words.say("rule-move", &[("from", &from), ("to", &to), ("count", count)])
        );
    }
    Ok(())
}

/// What is true of simulated households, from a file.
fn truth_of(input: impl Read, file: &Path, words: &Words) -> Result<Truth> {
    let rows = csv::Reader::from_reader(input).into_deserialize::<TruthRow>();
    let rows = rows.map(|row| row.with_context(|| words.say("cannot-read", &[("file", &file.display())])));
    rows.collect()
}

fn grade_both(grades: &[Grade; 2], words: &Words) -> Result<()> {
    out!("{}", words.say("rule-grades", &[]));
    let [old, new] = grades.each_ref().map(Grade::figures);
    for (old, new) in old.iter().zip(&new) {
        out!(
            "{:28} {:9.3} {:9.3}  {}",
            old.name,
            old.value,
            new.value,
            new.verdict()
        );
    }
    Ok(())
}
