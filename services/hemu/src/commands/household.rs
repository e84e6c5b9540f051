//! `hemu household import`, `moved`, `people`, `revoke`, `correct`, `export`, `erase`; `code` has a file of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use hemu_ingest::fold;
use hemu_ledger::acts::{Act, Actor, Correction};
use hemu_ledger::registry::{Household, RESIDENTS, Station, names_a_place};
use serde::Deserialize;
use serde_json::json;

use crate::config::Config;
use crate::output::out;
use crate::progress;
use crate::site::Site;
use crate::words::Words;
use crate::{cli, clock};

/// Rows stored at once; each stretch is all or nothing.
const CHUNK: usize = 500;

/// A row as it comes.
#[derive(Debug, Deserialize)]
struct Row {
    household: String,
    estate: Option<String>,
    building: Option<String>,
    unit: Option<String>,
    door: Option<String>,
    residents: Option<i64>,
    station: Option<String>,
}

pub(super) async fn run(config: &Config, command: cli::Household, words: &Words) -> Result<()> {
    match command {
        cli::Household::Import { file } => import(config, &file, words).await,
        cli::Household::Code(options) => super::code::run(config, &options, words).await,
        cli::Household::People { token } => people(config, &token, words).await,
        cli::Household::Revoke { token, account } => revoke(config, &token, &account, words).await,
        cli::Household::Moved {
            token,
            day,
            account,
            undo,
        } => {
            let act = if undo {
                Act::MoveUndone { token, day }
            } else {
                Act::MovedIn { token, day }
            };
            let site = Site::open(config).await?;
            site.ledger.act(&account, clock::system()(), act).await?;
            // Whoever asks next is shown nothing of those who moved out.
            fold::settle(&site.ledger, site.ledger.head().await?).await?;
            let said = if undo {
                words.say("household-did-not-move", &[("day", &day)])
            } else {
                words.say("household-moved", &[("day", &day)])
            };
            out!("{said}");
            Ok(())
        }
        cli::Household::Correct {
            token,
            account,
            place,
        } => correct(config, &token, &account, place, words).await,
        cli::Household::Export { token, out } => export(config, &token, &out, words).await,
        cli::Household::Erase {
            token,
            account,
            reason_file,
        } => erase(config, token, &account, &reason_file, words).await,
    }
}

/// Noted as a look, as it is of whoever asks over the API.
async fn people(config: &Config, token: &str, words: &Words) -> Result<()> {
    let site = Site::open(config).await?;
    if site.ledger.household(token).await?.is_none() {
        bail!(words.say("no-such-household", &[]));
    }
    let operator = Actor::operator();
    site.ledger
        .note_look(token, operator.name(), "people", clock::system()())
        .await?;
    for person in site.ledger.residents(token).await? {
        let line = json!({"account": person.account, "since": person.since, "delegate": person.delegate});
        out!("{line}");
    }
    Ok(())
}

async fn revoke(config: &Config, token: &str, account: &Actor, words: &Words) -> Result<()> {
    let site = Site::open(config).await?;
    let (by, now) = (Actor::operator(), clock::system()());
    site.ledger.revoke_access(&by, now, token, account.name()).await?;
    out!("{}", words.say("household-access-revoked", &[("name", account)]));
    Ok(())
}

async fn correct(
    config: &Config,
    token: &str,
    account: &Actor,
    place: cli::Place,
    words: &Words,
) -> Result<()> {
    let site = Site::open(config).await?;
    let correction = Correction {
        building: place.building,
        unit: place.unit,
        door: place.door,
        residents: place.residents,
    };
    let position = site
        .ledger
        .correct(account, clock::system()(), token, correction)
        .await?;
    out!("{}", words.say("household-corrected", &[("position", &position)]));
    Ok(())
}

async fn export(config: &Config, token: &str, out: &Path, words: &Words) -> Result<()> {
    let site = Site::open(config).await?;
    fold::settle(&site.ledger, site.ledger.head().await?).await?;
    let Some(subject) = site.ledger.subject(token, clock::system()()).await? else {
        bail!(words.say("no-such-household", &[]));
    };
    // Before it is written: who looked is told also where writing fails halfway.
    let operator = Actor::operator();
    site.ledger
        .note_look(token, operator.name(), "export", clock::system()())
        .await?;
    let unwritable = || words.say("cannot-write", &[("file", &out.display())]);
    let mut to = super::open_output(out, words)?;
    writeln!(to, "{subject:#}")
        .and_then(|()| to.flush())
        .with_context(unwritable)?;
    if out != Path::new("-") {
        out!("{}", words.say("household-exported", &[("file", &out.display())]));
    }
    Ok(())
}

async fn erase(
    config: &Config,
    token: String,
    account: &Actor,
    reason_file: &Path,
    words: &Words,
) -> Result<()> {
    let mut reason = String::new();
    let unreadable = || words.say("cannot-read", &[("file", &reason_file.display())]);
    super::open_input(reason_file, words)?
        .read_to_string(&mut reason)
        .with_context(unreadable)?;
    let site = Site::open(config).await?;
    let reason = hemu_ledger::acts::Words::new(reason.trim());
    let act = Act::Erase { token, reason };
    let position = site.ledger.act(account, clock::system()(), act).await?;
    out!("{}", words.say("household-erased", &[("position", &position)]));
    if !site.ledger.wipe_log().await? {
        eprintln!("{}", words.say("log-not-wiped", &[]));
    }
    Ok(())
}

async fn import(config: &Config, file: &Path, words: &Words) -> Result<()> {
    let site = Site::open(config).await?;
    let now = clock::system()();
    let bar = progress::counter(words.say("households", &[]));
    let mut reader = csv::Reader::from_reader(super::open_input(file, words)?);
    let unreadable = || words.say("cannot-read", &[("file", &file.display())]);
    reader.headers().with_context(unreadable)?;
    let mut households = Vec::new();
    for (line, row) in (2..).zip(reader.deserialize::<Row>()) {
        let unreadable = || words.say("line-unreadable", &[("line", &line)]);
        let wrong = || words.say("line-wrong", &[("line", &line)]);
        let row = row.with_context(unreadable)?;
        households.push(checked(row, now, words).with_context(wrong)?);
    }
    register_places(&site, &households, words).await?;
    let mut count = 0;
    for chunk in households.chunks(CHUNK) {
        count += site.ledger.put_households(chunk).await?;
        bar.inc(chunk.len() as u64);
    }
    bar.finish_and_clear();
    out!("{}", words.say("households-registered", &[("count", &count)]));
    Ok(())
}

fn checked(row: Row, created_at: i64, words: &Words) -> Result<Household> {
    let token = row.household.trim().to_owned();
    if token.is_empty() || token.chars().count() > 64 || token.chars().any(char::is_control) {
        let token = format!("{:?}", token.chars().take(80).collect::<String>());
        bail!(words.say("household-token-wrong", &[("token", &token)]));
    }
    let place = |column: &str, text: Option<String>| {
        let text = text.map(|text| text.trim().to_owned());
        match text.filter(|text| !text.is_empty()) {
            Some(text) if !names_a_place(&text) => {
                bail!(words.say("household-place-wrong", &[("column", &column)]))
            }
            text => Ok(text),
        }
    };
    if let Some(residents) = row.residents.filter(|some| !RESIDENTS.contains(some)) {
        bail!(words.say("household-residents-wrong", &[("residents", &residents)]));
    }
    Ok(Household {
        token,
        estate: place("estate", row.estate)?,
        building: place("building", row.building)?,
        unit: place("unit", row.unit)?,
        door: place("door", row.door)?,
        residents: row.residents,
        station: place("station", row.station)?,
        created_at,
    })
}

/// Estates and stations that the file names and nobody registered yet.
async fn register_places(site: &Site, households: &[Household], words: &Words) -> Result<()> {
    let known = site.ledger.stations(None).await?;
    let known: BTreeSet<&str> = known.iter().map(|station| station.id.as_str()).collect();
    let mut estates = BTreeSet::new();
    let mut stations = BTreeMap::new();
    let mut placeless = Vec::new();
    for (line, household) in (2..).zip(households) {
        estates.extend(household.estate.as_deref());
        let Some(station) = household.station.as_deref().filter(|id| !known.contains(id)) else {
            continue;
        };
        match household.estate.as_deref() {
            Some(estate) => drop(stations.insert(station, estate)),
            None => placeless.push((line, station)),
        }
    }
    if let Some((line, station)) = placeless.iter().find(|(_, id)| !stations.contains_key(id)) {
        bail!(words.say(
            "station-needs-an-estate",
            &[("line", line), ("station", &station)]
        ));
    }
    for estate in estates {
        site.ledger.ensure_estate(estate).await?;
    }
    for (id, estate) in stations {
        let station = Station {
            id: id.into(),
            estate: estate.into(),
            name: id.into(),
            x: None,
            y: None,
        };
        site.ledger.put_station(&station).await?;
    }
    Ok(())
}
