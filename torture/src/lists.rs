//! Editions of a store's lists, held against those of another store that was told the same once, undisturbed, and against
//! the rule's own oracle, which is another program in another language. Must not: compute a list.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use jiff::Span;
use jiff::civil::{Date, date};

use crate::child::Home;
use crate::journal::Reading;
use crate::oracle::{Sent, day};
use crate::report::Report;
use crate::said::{Expected, FIRST, expected};
use crate::scene::Scene;

const PYTHON: &str = "/usr/bin/python3";
/// The oracle, and what it stands on.
const ORACLE: [(&str, &str); 2] = [
    (
        "ref_pipeline.py",
        include_str!("../../services/rules/golden/ref_pipeline.py"),
    ),
    (
        "ref_int.py",
        include_str!("../../services/rules/golden/ref_int.py"),
    ),
];
const HEADER: &str = "reading_id,bag_id,household,estate,at,stream,weight_g,source,device,quality,confidence";
/// Editions are a week apart, over the last five weeks of what was said.
const EVERY: i64 = 7;
const WEEKS: i64 = 5;
/// The tails of one distribution, computed by two programs and rounded to nine digits.
const ROUNDED: f64 = 2e-9;

/// How the lists of a scene's store differ from what they have to be, if they do.
pub fn compare(scene: &Scene, sent: &[Sent], report: &mut Report) -> Result<Option<String>> {
    let fresh = Home {
        data: scene.folder.path().join("fresh"),
        config: None,
        store: None,
        ..scene.home.clone()
    };
    scene.fill(&fresh)?;
    let file = scene.folder.path().join("said.csv");
    let last = write_import(&file, sent)?;
    fresh.command(&["import", &file.to_string_lossy()])?;
    let (ours, theirs) = (of(&scene.home, last)?, of(&fresh, last)?);
    std::fs::remove_dir_all(&fresh.data)?;
    ensure!(ours.len() > 1, "the lists are empty");
    if ours != theirs {
        let pairs = ours.iter().zip(&theirs);
        let differing = pairs.filter(|(our, their)| our != their).count();
        return Ok(Some(format!(
            "{differing} of {} lines differ, an undisturbed store has {}",
            ours.len(),
            theirs.len()
        )));
    }
    if !oracle_is_there() {
        return Ok(None);
    }
    let expected = match oracles(&file, last) {
        Ok(expected) => expected,
        // What else was found is worth its report.
        Err(error) => {
            return Ok(Some(format!(
                "the oracle of the lists could not be asked: {error:#}"
            )));
        }
    };
    report
        .figures
        .insert("rows_of_the_lists_oracle".to_owned(), expected.len() as f64);
    Ok(differs(&ours, &expected))
}

/// Writes every deposit as an import row; the last day among them.
pub fn write_import(file: &Path, sent: &[Sent]) -> Result<i64> {
    let mut out = BufWriter::new(File::create(file)?);
    writeln!(out, "{HEADER}")?;
    let mut last = day(FIRST);
    for Sent {
        device,
        boot,
        upto,
        says,
    } in sent
    {
        for seq in 1..=*upto {
            let Expected::Deposit(reading) = expected(says(seq)) else {
                continue;
            };
            let Reading {
                at,
                household: Some(household),
                bag: Some(bag),
                ..
            } = reading
            else {
                continue;
            };
            last = last.max(day(at));
            let stream = ["food", "recyclable", "hazardous", "residual"][usize::from(reading.stream & 3)];
            let source = if reading.inspector { "insp" } else { "cam" };
            let (quality, confidence) = (
                reading.quality_bp as f64 / 10_000.0,
                reading.confidence_pm as f64 / 1_000.0,
            );
            writeln!(
                out,
                "{device}-{boot}-{seq},{bag},{household},E1,{at},{stream},{},{source},{device},{quality:.4},{confidence:.3}",
                reading.weight_g
            )?;
        }
    }
    out.flush()?;
    Ok(last)
}

/// Editions up to the day after `last`, a line each household; the header comes last.
pub fn of(home: &Home, last: i64) -> Result<Vec<String>> {
    let out = home.data.with_extension("lists.csv");
    let [from, to] = editions(last).map(|edition| calendar(edition).map(|day| day.to_string()));
    home.command(&[
        "lists",
        "--from",
        &from?,
        "--to",
        &to?,
        "--every",
        &format!("{EVERY}d"),
        "--csv",
        &out.to_string_lossy(),
    ])?;
    let mut lines: Vec<String> = std::fs::read_to_string(out)?.lines().map(str::to_owned).collect();
    lines.sort_unstable();
    Ok(lines)
}

/// The first and the last edition, days since 1970.
const fn editions(last: i64) -> [i64; 2] {
    [last + 1 - WEEKS * EVERY, last + 1]
}

fn calendar(day: i64) -> Result<Date> {
    let date = date(1970, 1, 1).checked_add(Span::new().days(day));
    date.context("a day of the calendar")
}

/// Whether the oracle can be run here.
pub fn oracle_is_there() -> bool {
    let mut asked = Command::new(PYTHON);
    asked
        .args(["-c", "import scipy.special"])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    asked.status().is_ok_and(|status| status.success())
}

/// Edition and household, and the rest of a row.
type Rows = HashMap<(String, String), Row>;

/// A row of the lists without its edition and household.
#[derive(Debug, PartialEq)]
struct Row {
    /// Status, score, days with deposits, inspections.
    exact: [String; 4],
    /// The probabilities of black and red, and the evidence.
    rounded: [f64; 3],
}

/// What the oracle makes of the rows of an import.
fn oracles(import: &Path, last: i64) -> Result<Rows> {
    let folder = tempfile::tempdir()?;
    for (name, text) in ORACLE {
        std::fs::write(folder.path().join(name), text)?;
    }
    let (readings, lists) = (
        folder.path().join("readings.csv"),
        folder.path().join("lists.csv"),
    );
    std::fs::write(&readings, with_days(&std::fs::read_to_string(import)?)?)?;
    let numbers = editions(last).map(|edition| (edition - day(FIRST)).to_string());
    let done = Command::new(PYTHON)
        .arg(folder.path().join(ORACLE[0].0))
        .args([&readings, &lists])
        .args(numbers)
        .arg(EVERY.to_string())
        .output()?;
    let complaint = String::from_utf8_lossy(&done.stderr);
    ensure!(done.status.success(), "the oracle of the lists: {complaint}");
    let text = std::fs::read_to_string(lists)?;
    let of = |line| {
        let (number, household, row) = row(line)?;
        let edition = calendar(day(FIRST) + number.parse::<i64>().ok()?).ok()?;
        Some(((edition.to_string(), household.to_owned()), row))
    };
    let rows = text.lines().skip(1).map(of).collect::<Option<Rows>>();
    rows.context("the oracle of the lists wrote no lists")
}

/// An import's text with each reading's day, counted from the first as the oracle counts them.
fn with_days(import: &str) -> Result<String> {
    let mut text = format!("{HEADER},day\n");
    for line in import.lines().skip(1) {
        let at: i64 = line.split(',').nth(4).context("no time")?.parse()?;
        writeln!(text, "{line},{}", day(at) - day(FIRST))?;
    }
    Ok(text)
}

/// A line of lists: edition, household, and the rest.
fn row(line: &str) -> Option<(&str, &str, Row)> {
    let fields: Vec<&str> = line.split(',').collect();
    let [
        edition,
        household,
        status,
        score,
        black,
        red,
        evidence,
        days,
        looks,
    ] = *fields
    else {
        return None;
    };
    let rounded = [black, red, evidence].map(|share| share.parse().ok());
    let [Some(black), Some(red), Some(evidence)] = rounded else {
        return None;
    };
    let row = Row {
        exact: [status, score, days, looks].map(str::to_owned),
        rounded: [black, red, evidence],
    };
    Some((edition, household, row))
}

impl Row {
    /// Of a household that never brought anything.
    fn is_of_nothing(&self) -> bool {
        let [status, _, days, looks] = &self.exact;
        status == "UNRATED" && days == "0" && looks == "0" && self.rounded[2] == 0.0
    }

    fn is(&self, other: &Self) -> bool {
        let mut pairs = self.rounded.iter().zip(&other.rounded);
        self.exact == other.exact && pairs.all(|(one, other)| (one - other).abs() <= ROUNDED)
    }
}

/// The lines, of which the last is the header, that are not as the oracle has them, in words.
fn differs(lines: &[String], expected: &Rows) -> Option<String> {
    let rows = lines.iter().filter(|line| !line.starts_with("edition"));
    let (mut seen, mut differing) = (0, Vec::new());
    for line in rows {
        let Some((edition, household, row)) = row(line) else {
            differing.push(line);
            continue;
        };
        match expected.get(&(edition.to_owned(), household.to_owned())) {
            // It knows those that brought something.
            None if row.is_of_nothing() => continue,
            Some(wanted) if row.is(wanted) => {}
            _ => differing.push(line),
        }
        seen += 1;
    }
    let example = differing.first();
    (seen != expected.len() || example.is_some()).then(|| {
        format!(
            "{} of {seen} lines are not as the oracle of the lists has them, which has {}: {}",
            differing.len(),
            expected.len(),
            example.map_or("", |line| line.as_str())
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: [&str; 3] = [
        "2026-01-29,H1,RED,91,0.000000001,0.912345678,4.500000000,20,3",
        "2026-01-29,H2,BLACK,41,0.990000000,0.000000000,5.000000000,18,2",
        "edition,household,status,score,p_black,p_red,evidence,days45,insp60",
    ];

    fn lines(change: impl Fn(String) -> String) -> Vec<String> {
        LINES.iter().map(|line| change((*line).to_owned())).collect()
    }

    fn rows() -> Rows {
        let of = |line| row(line).map(|(edition, household, row)| ((edition.into(), household.into()), row));
        LINES.iter().take(2).filter_map(|line| of(line)).collect()
    }

    #[test]
    fn a_name_a_score_a_share_or_a_row_that_is_missing_is_seen() {
        assert_eq!(differs(&lines(|line| line), &rows()), None);
        let rounded = lines(|line| line.replace("0.912345678", "0.912345679"));
        assert_eq!(differs(&rounded, &rows()), None);
        for (is, would_be) in [
            ("RED", "GREY"),
            (",91,", ",90,"),
            ("0.990000000", "0.990001000"),
            ("H2,", "H3,"),
            (",18,2", ",18,3"),
        ] {
            let other = differs(&lines(|line| line.replace(is, would_be)), &rows());
            assert!(other.is_some_and(|said| said.starts_with("1 of 2 lines")), "{is}");
        }
        let mut more = lines(|line| line);
        more.push("2026-01-29,H9,UNRATED,75,0.1,0.2,0.000000000,0,0".to_owned());
        assert_eq!(differs(&more, &rows()), None);
        let short = &lines(|line| line)[1..];
        assert!(differs(short, &rows()).is_some_and(|said| said.contains("which has 2")));
    }

    #[test]
    fn editions_are_weeks_apart_and_end_after_the_last_day() {
        assert_eq!(editions(20_500), [20_466, 20_501]);
        assert_eq!(
            calendar(20_454).map(|day| day.to_string()).ok().as_deref(),
            Some("2026-01-01")
        );
    }

    #[test]
    fn days_are_counted_from_the_first_in_shanghai() {
        // The oracle's fortnights begin with its first day, and ours with 1970.
        assert_eq!(day(FIRST) % 14, 0);
        // Eight in the morning there, and the midnight that follows.
        let midnight = FIRST + 16 * 3_600_000;
        for (at, ends) in [
            (FIRST, ",0.9,0\n"),
            (midnight - 1, ",0.9,0\n"),
            (midnight, ",0.9,1\n"),
        ] {
            let text = with_days(&format!("{HEADER}\nr,b,h,e,{at},food,1,cam,d,0.5,0.9\n"));
            assert!(text.is_ok_and(|text| text.ends_with(ends)), "{at}");
        }
    }
}
