//! `hemu household code`: what is printed and put into a letter box, so that somebody of a household can log in.

use std::path::Path;

use anyhow::{Context, Result, bail};
use hemu_ledger::Ledger;
use hemu_ledger::acts::Actor;
use hemu_ledger::cell::guarded;
use hemu_ledger::people::{NewCode, Purpose};
use hemu_ledger::registry::HouseholdQuery;
use hemu_people::{HOUSEHOLD_CODE_DAYS, Secret};

use crate::cli::Code;
use crate::clock;
use crate::config::Config;
use crate::output::out;
use crate::site::{Site, random};
use crate::words::Words;

const DAY_MS: i64 = 86_400_000;
/// Households of one building, at most.
const BUILDING: u32 = 10_000;

const COLUMNS: [&str; 6] = ["household", "building", "unit", "door", "code", "url"];

/// A line of what is printed.
struct Line {
    household: String,
    building: Option<String>,
    unit: Option<String>,
    door: Option<String>,
    code: String,
    url: String,
}

impl Line {
    /// As it stands in a spreadsheet: a door that somebody imported is not run as a formula.
    fn cells(&self) -> [String; 6] {
        let place = |text: &Option<String>| {
            text.as_deref()
                .map_or_else(String::new, |text| guarded(text).into_owned())
        };
        [
            guarded(&self.household).into_owned(),
            place(&self.building),
            place(&self.unit),
            place(&self.door),
            self.code.clone(),
            self.url.clone(),
        ]
    }
}

pub(super) async fn run(config: &Config, options: &Code, words: &Words) -> Result<()> {
    let site = Site::open(config).await?;
    let base = options
        .url
        .clone()
        .unwrap_or_else(|| format!("http://{}", config.http_listen));
    let lines = lines(&site.ledger, options, &base, words).await?;
    // Written first: from the moment the new codes are good, those that were printed before are not.
    match &options.csv {
        Some(file) => write(&lines, file, words)?,
        None => print(&lines, words)?,
    }
    make(&site.ledger, options, &lines).await?;
    if let Some(file) = &options.csv {
        let (count, file) = (lines.len(), file.display());
        let said = words.say(
            "codes-written",
            &[("count", &count), ("file", &file), ("days", &HOUSEHOLD_CODE_DAYS)],
        );
        eprintln!("{said}");
    }
    Ok(())
}

fn write(lines: &[Line], file: &Path, words: &Words) -> Result<()> {
    let failed = || words.say("cannot-write", &[("file", &file.display())]);
    let mut writer = csv::Writer::from_writer(super::open_output(file, words)?);
    writer.write_record(COLUMNS).with_context(failed)?;
    for line in lines {
        writer.write_record(line.cells()).with_context(failed)?;
    }
    writer.flush().with_context(failed)
}

fn print(lines: &[Line], words: &Words) -> Result<()> {
    for line in lines {
        out!(
            "{}\n{}\n{}",
            line.code,
            line.url,
            super::user::qr(&line.url, words)?
        );
    }
    Ok(())
}

/// The codes that were asked for, not good yet. Where the page finds one in its address, no server sees it: what follows
/// `#` stays in the browser.
async fn lines(ledger: &Ledger, options: &Code, base: &str, words: &Words) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    for (household, building, unit, door) in asked(ledger, options, words).await? {
        let code = Secret::code(random(words)?);
        lines.push(Line {
            url: format!("{}/home#code={}", base.trim_end_matches('/'), code.tell()),
            code: code.tell().to_owned(),
            household,
            building,
            unit,
            door,
        });
    }
    Ok(lines)
}

/// Makes the codes good, and those before them not.
async fn make(ledger: &Ledger, options: &Code, lines: &[Line]) -> Result<()> {
    let delegate = options.delegate.as_ref().map(Actor::name);
    let codes: Vec<NewCode<'_>> = lines
        .iter()
        .map(|line| NewCode {
            digest: hemu_people::digest(&line.code),
            purpose: if delegate.is_some() {
                Purpose::Delegate
            } else {
                Purpose::Resident
            },
            account: delegate,
            token: Some(&line.household),
        })
        .collect();
    let now = clock::system()();
    let until = now + HOUSEHOLD_CODE_DAYS * DAY_MS;
    Ok(ledger.make_codes(&Actor::operator(), now, until, &codes).await?)
}

type Place = (String, Option<String>, Option<String>, Option<String>);

async fn asked(ledger: &Ledger, options: &Code, words: &Words) -> Result<Vec<Place>> {
    if let Some(token) = &options.token {
        let place = ledger.household(token).await?;
        let place = place
            .map(|home| (home.building, home.unit, home.door))
            .unwrap_or_default();
        return Ok(vec![(token.clone(), place.0, place.1, place.2)]);
    }
    let (estate, building) = (options.estate.as_deref(), options.building.as_deref());
    let find = HouseholdQuery {
        estate,
        building,
        text: None,
        after: None,
        only: None,
        limit: BUILDING,
    };
    let homes = ledger.households(&find).await?;
    if homes.is_empty() {
        let (estate, building) = (estate.unwrap_or_default(), building.unwrap_or_default());
        bail!(words.say(
            "no-household-there",
            &[("building", &building), ("estate", &estate)]
        ));
    }
    let place = |home: hemu_ledger::registry::Household| (home.token, home.building, home.unit, home.door);
    Ok(homes.into_iter().map(place).collect())
}
