//! `hemu doctor`: what is wrong or soon will be, each with what to do.

mod database;

use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;

use anyhow::{Result, bail};
use hemu_ledger::health::{self, DeviceClock, Pragmas};
use hemu_ledger::privacy::Over;
use hemu_ledger::{CLOCK_AHEAD_MS, Folder, LOG_BYTES, Role};
use hemu_rules::{Day, Millis};

use crate::backup::schedule::Plan;
use crate::broker;
use crate::clock;
use crate::config::Config;
use crate::disk;
use crate::output::out;
use crate::retention::Keep;
use crate::roles;
use crate::site::Site;
use crate::words::Words;

/// How long a conflict is news.
const CONFLICTS_MS: i64 = 7 * 86_400_000;
/// Devices named for it.
const DEVICES_NAMED: usize = 10;

/// Batches that a feeder is behind for a moment.
const CHARTS_BEHIND: u64 = 10_000;
/// Buckets that an engine lacks for a moment: a district's of an hour.
const UNSENT: u64 = 100_000;

/// A finding: what was looked at, and what is wrong with it.
type Finding = (String, Option<String>);

/// The databases, and how hard each holds on to what it was told: SQLite's `synchronous`.
const FILES: [(&str, i64); 2] = [("hemu.db", 2), ("projections.db", 1)];

pub(super) async fn run(config: &Config, words: &Words) -> Result<()> {
    // Before they are opened, for that mends them.
    let logs = had_logs(&Folder::open(&config.data)?)?;
    let site = Site::open(config).await?;
    let now = clock::system()();
    let mut findings = vec![
        clock_is_right(now, site.ledger.newest_at().await?, words),
        device_clocks_are_right(&site, now, words).await?,
        log_is_short(&site, words),
        disk_has_room(config, words)?,
        mqtt_is_guarded(config, words),
        dashboards_are_guarded(config, words),
        metrics_are_guarded(config, words),
    ];
    findings.extend(broker_is_well(config, words).await?);
    findings.extend(charts_are_whole(config, &site, words).await?);
    findings.extend(backups_are_made(config, now, words)?);
    if let Some(pragmas) = site.ledger.pragmas().await? {
        findings.extend(pragmas_are_ours(logs, &pragmas, words));
    }
    if let Some(database) = site.ledger.database().await? {
        findings.extend(database::holds_on(&database, words));
    }
    findings.extend(files_are_sound(&site, words).await?);
    findings.push(nobody_shares_a_key(&site, words).await?);
    findings.push(nothing_is_over(config, &site, now, words).await?);
    findings.push(key_file_is_private(&site, words)?);
    findings.push(nothing_is_frozen(&site, words).await?);
    let serving = site.folder.lock(Role::Serve).is_err();
    if serving {
        findings.push((words.say("check-listeners", &[]), None));
    } else {
        findings.extend(ports_are_free(config, words));
    }
    tell(findings, words)
}

fn tell(findings: Vec<Finding>, words: &Words) -> Result<()> {
    let mut wrong = 0;
    for (what, trouble) in findings {
        match trouble {
            None => out!("{}", words.say("finding-ok", &[("what", &what)])),
            Some(trouble) => {
                wrong += 1;
                out!(
                    "{}",
                    words.say("finding-wrong", &[("what", &what), ("trouble", &trouble)])
                );
            }
        }
    }
    if wrong > 0 {
        bail!(words.say("findings-wrong", &[("wrong", &wrong)]));
    }
    Ok(())
}

/// By what the journal knows of time: nothing can have been stored later than now.
fn clock_is_right(now: i64, newest: Option<i64>, words: &Words) -> Finding {
    let ahead = newest.map_or(0, |newest| newest - now);
    let trouble = if now < clock::EARLIEST {
        Some(words.say("clock-is-wrong", &[]))
    } else if ahead > CLOCK_AHEAD_MS {
        Some(words.say("clock-went-back", &[("minutes", &(ahead / 60_000))]))
    } else {
        None
    };
    (words.say("check-clock", &[]), trouble)
}

async fn device_clocks_are_right(site: &Site, now: i64, words: &Words) -> Result<Finding> {
    let yesterday = Day::of(Millis::clamped(now), site.ledger.zone()).plus(-1);
    let clocks = site.ledger.device_clocks(yesterday).await?;
    Ok((
        words.say("check-device-clocks", &[]),
        wrong_clocks(&clocks, words),
    ))
}

/// One device that is ahead is wrong; where most of them agree, it is this machine that is behind.
fn wrong_clocks(clocks: &[DeviceClock], words: &Words) -> Option<String> {
    let ahead: Vec<&DeviceClock> = clocks
        .iter()
        .filter(|clock| 2 * clock.ahead > clock.readings)
        .collect();
    let first = ahead.first()?;
    let (count, all) = (ahead.len(), clocks.len());
    if count > 1 && 2 * count > all {
        return Some(words.say("clock-is-behind", &[("count", &count), ("all", &all)]));
    }
    Some(words.say(
        "device-clock-ahead",
        &[("count", &count), ("device", &first.name)],
    ))
}

fn log_is_short(site: &Site, words: &Words) -> Finding {
    let bytes = site.ledger.log_bytes();
    let trouble = (bytes > 64 * LOG_BYTES).then(|| words.say("log-is-long", &[("bytes", &bytes)]));
    (words.say("check-log", &[]), trouble)
}

fn disk_has_room(config: &Config, words: &Words) -> Result<Finding> {
    let (free, least) = (disk::free(&config.data)? >> 20, config.disk_free_mb);
    let trouble = (free < least).then(|| {
        let reserve = config.data.join(disk::RESERVE);
        words.say(
            "disk-nearly-full",
            &[
                ("free", &free),
                ("least", &least),
                ("reserve", &reserve.display()),
            ],
        )
    });
    Ok((words.say("check-disk", &[]), trouble))
}

fn mqtt_is_guarded(config: &Config, words: &Words) -> Finding {
    let trouble = (!config.mqtt_listen.ip().is_loopback())
        .then(|| words.say("keys-in-the-clear", &[("address", &config.mqtt_listen)]));
    (words.say("check-device-listener", &[]), trouble)
}

fn dashboards_are_guarded(config: &Config, words: &Words) -> Finding {
    let trouble = (!config.http_listen.ip().is_loopback())
        .then(|| words.say("passwords-in-the-clear", &[("address", &config.http_listen)]));
    (words.say("check-dashboards-listener", &[]), trouble)
}

fn metrics_are_guarded(config: &Config, words: &Words) -> Finding {
    let trouble = (!config.metrics_listen.ip().is_loopback())
        .then(|| words.say("metrics-for-everybody", &[("address", &config.metrics_listen)]));
    (words.say("check-metrics-listener", &[]), trouble)
}

/// The broker, if there is one: reachable, spoken to where nobody listens in, and losing nothing.
async fn broker_is_well(config: &Config, words: &Words) -> Result<Option<Finding>> {
    let Some(settings) = broker::settings(config, words)? else {
        return Ok(None);
    };
    let address = &settings.address;
    let trouble = match hemu_ingest::broker::probe(&settings, broker::dice()).await {
        Err(trouble) => Some(words.translate(&trouble.to_string())),
        Ok(_) if !address.tls && !address.is_loopback() => {
            Some(words.say("broker-in-the-clear", &[("address", address)]))
        }
        Ok(Some(dropped @ 1..)) => Some(words.say("broker-drops", &[("dropped", &dropped)])),
        Ok(_) => None,
    };
    Ok(Some((words.say("check-broker", &[]), trouble)))
}

/// The charts, where this node has them: not far behind the journal, and all of them in their engine, if there is one.
async fn charts_are_whole(config: &Config, site: &Site, words: &Words) -> Result<Vec<Finding>> {
    if !config.roles.has(roles::Role::Api) {
        return Ok(Vec::new());
    }
    let engine = site.engine(config, words).await?;
    let series = site.series(engine).await?;
    let applied = site.ledger.progress().await?.applied;
    let behind = applied.saturating_sub(series.position().await?);
    let trouble = (behind > CHARTS_BEHIND).then(|| words.say("charts-behind", &[("batches", &behind)]));
    let mut findings = vec![(words.say("check-charts", &[]), trouble)];
    if let Some(engine) = series.engine() {
        let unsent = series.unsent().await?;
        let trouble = match series.forgotten().await {
            // The finding names the engine already.
            Err(hemu_series::Error::Engine { trouble, .. }) => Some(words.translate(&trouble.to_string())),
            Err(error) => return Err(error.into()),
            Ok(Some(start)) => {
                let day = Day::of(Millis::clamped(start), site.ledger.zone());
                Some(words.say("engine-forgets", &[("day", &day)]))
            }
            Ok(None) if unsent > UNSENT => Some(words.say("engine-behind", &[("buckets", &unsent)])),
            Ok(None) => None,
        };
        findings.push((words.say("check-engine", &[("engine", &engine)]), trouble));
    }
    series.close().await;
    Ok(findings)
}

/// Backups by the clock, if there are to be any: the newest is no older than two of their times.
fn backups_are_made(config: &Config, now: i64, words: &Words) -> Result<Option<Finding>> {
    let Some(plan) = Plan::new(config, words)? else {
        return Ok(None);
    };
    let folder = plan.to.display();
    let trouble = match plan.newest() {
        Err(error) => {
            let reason = words.translate(&error.to_string());
            Some(words.say("backups-unreadable", &[("folder", &folder), ("reason", &reason)]))
        }
        Ok(None) => Some(words.say("backup-never", &[("folder", &folder)])),
        Ok(Some(newest)) if now - newest > 2 * plan.every => {
            let minutes = (now - newest) / 60_000;
            Some(words.say("backup-is-old", &[("folder", &folder), ("minutes", &minutes)]))
        }
        Ok(Some(_)) => None,
    };
    Ok(Some((words.say("check-backups", &[]), trouble)))
}

fn had_logs(folder: &Folder) -> Result<[Option<bool>; 2]> {
    Ok([
        health::has_log(&folder.truth())?,
        health::has_log(&folder.projections())?,
    ])
}

/// What each file said of itself, and what holds on our connections to it.
fn pragmas_are_ours(logs: [Option<bool>; 2], pragmas: &[Pragmas; 2], words: &Words) -> Vec<Finding> {
    let files = FILES.into_iter().zip(logs).zip(pragmas);
    let check = |(((file, least), log), found): (((&str, i64), Option<bool>), &Pragmas)| {
        let trouble = if found.journal_mode != "wal" {
            Some(words.say("journal-mode-wrong", &[("mode", &found.journal_mode)]))
        } else if found.synchronous < least {
            let found = found.synchronous;
            Some(words.say("synchronous-wrong", &[("found", &found), ("least", &least)]))
        } else if log == Some(false) {
            Some(words.say("journal-mode-was-changed", &[]))
        } else {
            None
        };
        (words.say("check-pragmas", &[("file", &file)]), trouble)
    };
    files.map(check).collect()
}

/// Two days late: a server deletes what is over every ten minutes.
async fn nothing_is_over(config: &Config, site: &Site, now: i64, words: &Words) -> Result<Finding> {
    let until = Keep::new(config).until(&site.ledger, now, now, 2);
    let over = site.ledger.overdue(until).await?;
    let trouble = (over != Over::default()).then(|| {
        words.say(
            "retention-overdue",
            &[
                ("looks", &over.looks),
                ("words", &over.words),
                ("logins", &over.logins),
            ],
        )
    });
    Ok((words.say("check-retention", &[]), trouble))
}

fn key_file_is_private(site: &Site, words: &Words) -> Result<Finding> {
    let file = site.folder.secrets();
    let others = std::fs::metadata(file)?.permissions().mode() & 0o077;
    let trouble = (others != 0).then(|| words.say("key-file-is-open", &[("file", &file.display())]));
    Ok((words.say("check-key-file", &[]), trouble))
}

/// Conflicts of the last days: one identity, two contents.
async fn nobody_shares_a_key(site: &Site, words: &Words) -> Result<Finding> {
    let since = clock::system()() - CONFLICTS_MS;
    let recent = hemu_ingest::conflicts::newest(&site.ledger, |_, at| at >= since).await?;
    let conflicts: u64 = recent.values().sum();
    let devices: Vec<String> = recent.into_keys().take(DEVICES_NAMED).collect();
    let devices = devices.join(", ");
    let trouble = (conflicts > 0).then(|| {
        words.say(
            "conflicts-found",
            &[("conflicts", &conflicts), ("devices", &devices)],
        )
    });
    Ok((words.say("check-conflicts", &[]), trouble))
}

/// Boots of which nothing counts until a person has looked.
async fn nothing_is_frozen(site: &Site, words: &Words) -> Result<Finding> {
    let mut boots = site.ledger.conflicting().await?;
    boots.retain(|boot| boot.open > 0);
    let held: u64 = boots.iter().map(|boot| boot.held).sum();
    let named = boots.iter().take(DEVICES_NAMED);
    let named: Vec<String> = named
        .map(|boot| format!("{} --boot {}", boot.device, boot.boot))
        .collect();
    let named = named.join(", ");
    let trouble =
        (!boots.is_empty()).then(|| words.say("boots-frozen", &[("held", &held), ("boots", &named)]));
    Ok((words.say("check-frozen", &[]), trouble))
}

async fn files_are_sound(site: &Site, words: &Words) -> Result<[Finding; 3]> {
    let [truth, projections] = site.ledger.integrity().await?;
    let progress = site.ledger.progress().await?;
    let (head, applied) = (site.ledger.head().await?, progress.applied);
    let ahead =
        (applied > head).then(|| words.say("projections-ahead", &[("applied", &applied), ("head", &head)]));
    Ok([
        ("hemu.db".to_owned(), truth),
        ("projections.db".to_owned(), projections),
        (words.say("check-position", &[]), ahead),
    ])
}

fn ports_are_free(config: &Config, words: &Words) -> Vec<Finding> {
    let check = |(name, address): (&'static str, SocketAddr)| {
        let taken = |error: std::io::Error| {
            let reason = words.translate(&error.to_string());
            words.say("port-taken", &[("address", &address), ("reason", &reason)])
        };
        (name.to_owned(), TcpListener::bind(address).err().map(taken))
    };
    config.listeners().map(check).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Language;

    fn clock(name: &str, ahead: u64) -> DeviceClock {
        DeviceClock {
            name: name.into(),
            readings: 10,
            ahead,
        }
    }

    #[test]
    fn one_device_ahead_is_named_and_most_of_them_ahead_say_that_we_are_behind() {
        let words = Words::new(Language::English);
        let told = |clocks: &[DeviceClock]| wrong_clocks(clocks, &words).unwrap_or_default();
        assert_eq!(told(&[]), "");
        assert_eq!(told(&[clock("a", 0), clock("b", 5)]), "");
        assert!(told(&[clock("a", 0), clock("b", 10), clock("c", 0)]).contains('b'));
        assert!(told(&[clock("alone", 10)]).contains("alone"));
        let most = told(&[clock("a", 10), clock("b", 9), clock("c", 0)]);
        assert!(most.contains("2 of 3") && most.contains("this machine"), "{most}");
    }

    #[test]
    fn a_clock_behind_the_journal_or_before_its_time_is_wrong() {
        let words = Words::new(Language::English);
        let trouble = |now, newest| clock_is_right(now, newest, &words).1.unwrap_or_default();
        let now = 1_772_380_800_000;
        assert_eq!(trouble(now, None), "");
        assert_eq!(trouble(now, Some(now + CLOCK_AHEAD_MS)), "");
        assert!(trouble(now, Some(now + 3_600_000)).contains("60 minutes"));
        assert!(trouble(clock::EARLIEST - 1, None).contains("2025"));
    }

    #[test]
    fn what_a_connection_does_not_hold_on_to_is_found() {
        let words = Words::new(Language::English);
        let pragmas = |journal_mode: &str, synchronous| Pragmas {
            journal_mode: journal_mode.into(),
            synchronous,
        };
        let good = [pragmas("wal", 2), pragmas("wal", 1)];
        let wrong = |logs, pragmas: &[Pragmas; 2]| -> Vec<String> {
            let findings = pragmas_are_ours(logs, pragmas, &words);
            findings.into_iter().filter_map(|(_, trouble)| trouble).collect()
        };
        let logs = [Some(true), None];
        assert!(wrong(logs, &good).is_empty());
        assert!(wrong(logs, &[pragmas("wal", 1), pragmas("wal", 1)])[0].contains("synchronous"));
        assert!(wrong(logs, &[pragmas("wal", 2), pragmas("wal", 0)])[0].contains("synchronous"));
        assert!(wrong(logs, &[pragmas("delete", 2), pragmas("wal", 1)])[0].contains("delete"));
        assert_eq!(wrong([Some(false), Some(false)], &good).len(), 2);
    }
}
