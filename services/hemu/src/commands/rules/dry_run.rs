//! `hemu rules dry-run`: editions by the rule in force and by another, side by side.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use anyhow::Result;
use hemu_ingest::fold;
use hemu_ledger::read::{Edition, Place, States};
use hemu_rules::{Day, Gates, Rule, Status};

use super::grade::{Grade, Truth};
use crate::cli::DryRun;
use crate::commands::{lists, open_input, open_output};
use crate::config::Config;
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
        .map(|file| Truth::read(open_input(file, words)?, file, words))
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
    let (mut states, mut grades) = ([States::new(), States::new()], [Grade::new(), Grade::new()]);
    let mut moves = Moves::new();
    for &day in &days {
        let in_force = site.ledger.rule_in_force(day).await?;
        let old = site.ledger.edition(&in_force, day, &states[0]).await?;
        let new = site.ledger.edition(&rule, day, &states[1]).await?;
        compare(&old, &new, &mut moves, csv.as_mut())?;
        for ((edition, states), grade) in [&old, &new].into_iter().zip(&mut states).zip(&mut grades) {
            *states = edition.states();
            if let Some(truth) = &truth {
                grade.add(truth, day.since(first), edition);
            }
        }
        bar.inc(1);
    }
    if let Some(mut csv) = csv {
        csv.flush()?;
    }
    bar.finish_and_clear();
    if options.csv.as_deref() != Some(Path::new("-")) {
        tell(&moves, days.len(), words);
        if truth.is_some() {
            grade_both(&grades, words);
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

fn compare<W: Write>(
    old: &Edition,
    new: &Edition,
    moves: &mut Moves,
    mut csv: Option<&mut csv::Writer<W>>,
) -> Result<()> {
    // A household that was registered in between is in one of them only.
    let others: std::collections::HashMap<&str, &Place> = new
        .places
        .iter()
        .map(|place| (place.token.as_str(), place))
        .collect();
    for place in &old.places {
        let Some(other) = others.get(place.token.as_str()) else {
            continue;
        };
        let (was, is) = (&place.outcome, &other.outcome);
        if was.status == is.status {
            continue;
        }
        *moves.entry((was.status, is.status)).or_default() += 1;
        if let Some(csv) = csv.as_deref_mut() {
            csv.write_record([
                &old.day.to_string(),
                &place.token,
                was.status.as_str(),
                is.status.as_str(),
                &was.score.to_string(),
                &is.score.to_string(),
                &was.hits.to_string(),
                &is.hits.to_string(),
                &changed(was.gates, is.gates),
            ])?;
        }
    }
    Ok(())
}

fn changed(was: Gates, is: Gates) -> String {
    let changed = was.iter().zip(is.iter()).filter(|((_, was), (_, is))| was != is);
    let signed = changed.map(|(_, (gate, passes))| format!("{}{gate}", if passes { '+' } else { '-' }));
    signed.collect::<Vec<_>>().join(" ")
}

fn tell(moves: &Moves, editions: usize, words: &Words) {
    let total: usize = moves.values().sum();
    println!(
        "{}",
        words.say("rule-moves", &[("editions", &editions), ("moves", &total)])
    );
    for ((from, to), count) in moves {
        let (from, to) = (from.as_str(), to.as_str());
        println!(
            "{}",
            words.say("rule-move", &[("from", &from), ("to", &to), ("count", count)])
        );
    }
}

fn grade_both(grades: &[Grade; 2], words: &Words) {
    println!("{}", words.say("rule-grades", &[]));
    let [old, new] = grades.each_ref().map(Grade::figures);
    for (old, new) in old.iter().zip(&new) {
        println!(
            "{:28} {:9.3} {:9.3}  {}",
            old.name,
            old.value,
            new.value,
            new.verdict()
        );
    }
}

#[cfg(test)]
mod tests {
    use hemu_rules::Gate;

    use super::*;

    #[test]
    fn only_gates_that_changed_are_named_with_their_direction() {
        let was: Gates = [Gate::Rated, Gate::Tenure].into_iter().collect();
        let is: Gates = [Gate::Rated, Gate::BlackEnter].into_iter().collect();
        assert_eq!(changed(was, is), "+black_enter -tenure");
        assert_eq!(changed(was, was), "");
    }
}
