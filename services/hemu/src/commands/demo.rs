//! `hemu demo`: everything in one process on a simulated estate.
//!
//! The simulator is a client like any other: it logs in over MQTT with keys from the registry, and what the dashboards
//! show is computed from what it sent. Only the clock is special: once the history is in, it runs fast.

mod bank;

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use firmware_sim::demo::{Fleet, backfill, live};
use firmware_sim::estate::{self, Estate};
use firmware_sim::keys::{Key, Keys};
use firmware_sim::life::{History, day_of};
use hemu_ledger::acts::Actor;
use hemu_ledger::people::{NewCode, NewToken, Purpose};
use hemu_ledger::registry::{self, Household, HouseholdQuery, Station, key_digest};
use hemu_ledger::{Alone, Ledger};
use hemu_people::{Right, Role, Secret};
use tokio_util::sync::CancellationToken;

use crate::cli::Demo;
use crate::clock;
use crate::commands::user::{hashed, qr};
use crate::config::Config;
use crate::output::out;
use crate::progress;
use crate::server::{Occasion, Server, Told};
use crate::site::{self, random};
use crate::words::Words;

/// Marks a data folder as the demo's own, which the next demo may begin anew.
const MARK: &str = "demo";

/// Who can log in to a demo; two grid officers, for what takes two persons.
const LOGINS: [(&str, Role); 5] = [
    ("admin", Role::Admin),
    ("inspector", Role::Inspector),
    ("officer1", Role::GridOfficer),
    ("officer2", Role::GridOfficer),
    ("auditor", Role::Auditor),
];
const DAY_MS: i64 = 86_400_000;

pub(super) async fn run(mut config: Config, options: &Demo, words: &Words) -> Result<()> {
    let mut told = Told::listen()?;
    // What is pretended stays out of an engine where others look at what is true.
    config.series_url = None;
    begin_anew(&config, words).await?;
    let estate = Arc::new(Estate::hemu_xincun(options.seed)?);
    let clock = clock::fast(options.speed);
    let occasion = Occasion {
        clock: clock.clone(),
        speed: options.speed,
        demo: true,
        site_name: estate.facts.name.clone(),
    };
    let Some(mut server) = Server::start(&config, occasion, words).await? else {
        return Ok(());
    };
    let (Some(mqtt), Some(http)) = (server.mqtt(), server.http()) else {
        bail!(words.say("demo-does-everything", &[]));
    };
    server.ledger.set_meta(MARK, "yes").await?;
    let keys = register(&server.ledger, &estate, clock(), words).await?;
    server.announce_addresses()?;
    eprintln!("{}", words.say("everybody-is-simulated", &[]));

    let today = day_of(clock());
    let history = History::new(
        options.seed,
        estate,
        today - i32::from(options.days),
        options.days,
    );
    let loaded = tokio::select! {
        loaded = load(&server, mqtt, &keys, (Fleet::new(history), options.days), words) => Some(loaded?),
        () = told.ending() => None,
    };
    let Some(fleet) = loaded else {
        return server.shut_down().await;
    };
    out!("ready");
    if options.history_only {
        return server.shut_down().await;
    }
    server.keep_lists();
    let url = format!("http://{http}");
    logins(
        &server.ledger,
        (&url, !http.ip().is_loopback() && !http.ip().is_unspecified()),
        words,
    )
    .await?;
    screen(&server.ledger, &url, words).await?;
    let households = first_households(&server.ledger, 3).await?;
    bank::fill(&server.ledger, clock(), &households, words).await?;
    eprintln!(
        "{}",
        words.say("open-the-page", &[("url", &url), ("speed", &options.speed)])
    );

    let stop = CancellationToken::new();
    let bins = tokio::spawn({
        let stop = stop.clone();
        async move { live(mqtt, &keys, fleet, move || clock(), stop).await }
    });
    server.until_told_before(async { stop.cancel() }, words).await?;
    bins.await?.with_context(|| words.say("simulator-stopped", &[]))?;
    Ok(())
}

/// Somebody of every kind to log in as, by passwords that only this run knows. Where other machines reach the address, a
/// picture of it is for a phone.
async fn logins(ledger: &Ledger, (url, is_reached): (&str, bool), words: &Words) -> Result<()> {
    let (by, now) = (Actor::operator(), clock::system()());
    for (name, role) in LOGINS {
        let password = Secret::code(random(words)?);
        let kept = hashed(name, password.tell(), words)?;
        ledger
            .add_account(&by, now, (&name.parse()?, role), Some(&kept))
            .await?;
        let said = words.say(
            "demo-login",
            &[("name", &name), ("role", &role), ("password", &password.tell())],
        );
        eprintln!("{said}");
    }
    let code = Secret::code(random(words)?);
    for token in first_households(ledger, 1).await? {
        let new = NewCode {
            digest: code.digest(),
            purpose: Purpose::Resident,
            account: None,
            token: Some(&token),
        };
        ledger.make_codes(&by, now, now + DAY_MS, &[new]).await?;
        let url = format!("{url}/home#code={}", code.tell());
        eprintln!(
            "{}",
            words.say("demo-code", &[("url", &url), ("code", &code.tell())])
        );
        if is_reached && std::io::stderr().is_terminal() {
            eprintln!("{}\n{}", qr(&url, words)?, words.say("demo-phone", &[]));
        }
    }
    Ok(())
}

/// The tokens of the households that are first in the register.
async fn first_households(ledger: &Ledger, limit: u32) -> Result<Vec<String>> {
    let find = HouseholdQuery {
        limit,
        ..HouseholdQuery::default()
    };
    let found = ledger.households(&find).await?;
    Ok(found.into_iter().map(|household| household.token).collect())
}

/// The address of the public screen, with a token that opens nothing else.
async fn screen(ledger: &Ledger, url: &str, words: &Words) -> Result<()> {
    let (by, now) = (Actor::operator(), clock::system()());
    let (id, token) = (super::hex(&random::<6>(words)?), Secret::token(random(words)?));
    let new = NewToken {
        id: &id,
        digest: token.digest(),
        account: "admin",
        label: "screen",
        scopes: &[Right::SeeScreen],
        until: now + 30 * DAY_MS,
    };
    ledger.add_token(&by, now, &new).await?;
    let url = format!("{url}/screen#token={}", token.tell());
    eprintln!("{}", words.say("demo-screen", &[("url", &url)]));
    Ok(())
}

/// Sends the history through MQTT and waits until every projection and chart has it.
async fn load(
    server: &Server,
    mqtt: SocketAddr,
    keys: &Keys,
    (fleet, days): (Fleet, u16),
    words: &Words,
) -> Result<Fleet> {
    let bar = progress::bar(words, words.say("history-through-mqtt", &[]), 0);
    let (fleet, report) = backfill(mqtt, keys, fleet, |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    })
    .await?;
    bar.finish_and_clear();
    let head = server.ledger.head().await?;
    let bar = progress::bar(words, words.say("scores-and-charts", &[]), head);
    let mut applied = server.applied.clone();
    while *applied.borrow_and_update() < head {
        bar.set_position(*applied.borrow());
        applied.changed().await?;
    }
    hemu_ingest::feed::catch_up(&server.ledger, &server.series, |position, _| {
        bar.set_position(position);
    })
    .await?;
    bar.finish_and_clear();
    eprintln!(
        "{}",
        words.say(
            "history-is-in",
            &[
                ("days", &days),
                ("records", &report.records),
                ("seconds", &format!("{:.1}", report.seconds)),
                ("rate", &format!("{:.0}", report.records_per_s)),
            ],
        )
    );
    if report.refused > 0 {
        bail!(words.say("simulator-refused", &[("records", &report.refused)]));
    }
    Ok(fleet)
}

/// An earlier demo in the folder makes way; anything else is somebody's data and stays.
async fn begin_anew(config: &Config, words: &Words) -> Result<()> {
    let folder = site::folder(config)?;
    let alone = Alone::open(&folder, config.zone).await?;
    let ledger = alone.ledger();
    let empty = ledger.head().await? == 0
        && ledger.devices().await?.is_empty()
        && ledger.count_households(None).await? == 0;
    if !empty && ledger.meta(MARK).await?.is_none() {
        let folder = folder.path().display();
        bail!(words.say("folder-is-not-a-demo", &[("folder", &folder)]));
    }
    Ok(alone.clear().await?)
}

/// Registers the estate, its households, and its devices with keys made for this run.
async fn register(ledger: &Ledger, estate: &Estate, now: i64, words: &Words) -> Result<Keys> {
    let id = &estate.facts.id;
    let mut plan = Vec::new();
    estate::write_plan(estate, &mut plan)?;
    let plan = Some(String::from_utf8(plan)?);
    ledger
        .put_estate(&registry::Estate {
            id: id.clone(),
            name: estate.facts.name.clone(),
            plan,
        })
        .await?;
    for station in &estate.stations {
        let station = Station {
            id: station.id.clone(),
            estate: id.clone(),
            name: station.name.clone(),
            x: Some(station.x),
            y: Some(station.y),
        };
        ledger.put_station(&station).await?;
    }
    let households: Vec<Household> = estate
        .households
        .iter()
        .map(|household| Household {
            token: household.token.as_str().to_owned(),
            estate: Some(id.clone()),
            building: estate
                .buildings
                .get(household.building)
                .map(|building| building.id.clone()),
            unit: Some(household.unit.to_string()),
            door: Some(household.door.to_string()),
            residents: Some(household.residents.into()),
            station: estate
                .stations
                .get(household.station)
                .map(|station| station.id.clone()),
            created_at: now,
        })
        .collect();
    ledger.put_households(&households).await?;
    let mut keys = Keys::default();
    for (device, station) in estate.devices() {
        let key = super::device::new_key(words)?;
        ledger
            .add_device(
                device,
                &key_digest(key.as_bytes()),
                Some(id),
                Some(&station.id),
                now,
            )
            .await?;
        keys.0.push(Key {
            device: device.to_owned(),
            key,
        });
    }
    Ok(keys)
}
