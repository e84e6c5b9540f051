//! `hemu lists`: editions of the red and black lists over the readings there are. Publishes nothing.

use std::io::Write;
use std::path::Path;

use anyhow::{Result, bail};
use hemu_ingest::fold;
use hemu_ledger::cell::guarded;
use hemu_ledger::read::{Edition, Place, States};
use hemu_rules::{Day, Status};

use crate::cli::Lists;
use crate::config::Config;
use crate::output;
use crate::progress;
use crate::site::Site;
use crate::words::Words;

const COLUMNS: [&str; 9] = [
    "edition",
    "household",
    "status",
    "score",
    "p_black",
    "p_red",
    "evidence",
    "days45",
    "insp60",
];

pub(super) async fn run(config: &Config, options: &Lists, words: &Words) -> Result<()> {
    let days = days(options.from, options.to, options.every, words)?;
    let site = Site::open(config).await?;
    fold::settle(&site.ledger, site.ledger.head().await?).await?;
    let mut csv = csv::Writer::from_writer(super::open_output(&options.csv, words)?);
    csv.write_record(COLUMNS)?;
    let bar = progress::bar(words, words.say("editions", &[]), days.len() as u64);
    let mut states = States::new();
    for &day in &days {
        let rule = site.ledger.rule_in_force(day).await?;
        let edition = site.ledger.edition(&rule, day, &states).await?;
        states = edition.states();
        write(&mut csv, &edition)?;
        bar.inc(1);
        if options.csv != Path::new("-") {
            bar.suspend(|| output::line(format_args!("{}", summary(&edition, words))))?;
        }
    }
    csv.flush()?;
    bar.finish_and_clear();
    Ok(())
}

/// The days editions begin on.
pub(super) fn days(from: Day, to: Day, every: i32, words: &Words) -> Result<Vec<Day>> {
    if from > to {
        bail!(words.say("first-edition-after-last", &[("from", &from), ("to", &to)]));
    }
    let next = |day: &Day| Some(day.plus(every)).filter(|next| next > day && *next <= to);
    Ok(std::iter::successors(Some(from), next).collect())
}

fn write<W: Write>(csv: &mut csv::Writer<W>, edition: &Edition) -> Result<()> {
    let day = edition.day.to_string();
    for Place { token, outcome } in &edition.places {
        csv.write_record([
            day.as_str(),
            &*guarded(token),
            outcome.status.as_str(),
            &outcome.score.to_string(),
            &format!("{:.9}", outcome.p_black.probability()),
            &format!("{:.9}", outcome.p_red.probability()),
            &format!("{:.9}", outcome.evidence),
            &outcome.deposit_days.to_string(),
            &outcome.inspected_days.to_string(),
        ])?;
    }
    Ok(())
}

fn summary(edition: &Edition, words: &Words) -> String {
    let count = |status| {
        edition
            .places
            .iter()
            .filter(|place| place.outcome.status == status)
            .count()
    };
    let [red, black, grey, unrated] = Status::ALL.map(count);
    words.say(
        "edition-summary",
        &[
            ("edition", &edition.day),
            ("red", &red),
            ("black", &black),
            ("grey", &grey),
            ("unrated", &unrated),
        ],
    )
}
