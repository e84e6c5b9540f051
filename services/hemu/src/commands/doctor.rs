//! `hemu doctor`: what is wrong or soon will be, each with what to do.

use std::net::TcpListener;

use anyhow::{Result, bail};
use hemu_ledger::{LOG_BYTES, Role};

use crate::broker;
use crate::clock;
use crate::config::Config;
use crate::site::Site;
use crate::words::Words;

/// A finding: what was looked at, and what is wrong with it.
type Finding = (String, Option<String>);

pub(super) async fn run(config: &Config, words: &Words) -> Result<()> {
    let site = Site::open(config).await?;
    let mut findings = vec![
        clock_is_plausible(words),
        log_is_short(&site, words),
        mqtt_is_guarded(config, words),
    ];
    findings.extend(broker_is_well(config, words).await?);
    findings.extend(files_are_sound(&site, words).await?);
    let serving = site.folder.lock(Role::Serve).is_err();
    if serving {
        findings.push((words.say("check-listeners", &[]), None));
    } else {
        findings.extend(ports_are_free(config, words));
    }
    let mut wrong = 0;
    for (what, trouble) in findings {
        match trouble {
            None => println!("{}", words.say("finding-ok", &[("what", &what)])),
            Some(trouble) => {
                wrong += 1;
                println!(
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

fn clock_is_plausible(words: &Words) -> Finding {
    let now = clock::system()();
    let trouble = (now < clock::EARLIEST).then(|| words.say("clock-is-wrong", &[]));
    (words.say("check-clock", &[]), trouble)
}

fn log_is_short(site: &Site, words: &Words) -> Finding {
    let bytes = site.ledger.log_bytes();
    let trouble = (bytes > 64 * LOG_BYTES).then(|| words.say("log-is-long", &[("bytes", &bytes)]));
    (words.say("check-log", &[]), trouble)
}

fn mqtt_is_guarded(config: &Config, words: &Words) -> Finding {
    let trouble = (!config.mqtt_listen.ip().is_loopback())
        .then(|| words.say("keys-in-the-clear", &[("address", &config.mqtt_listen)]));
    (words.say("check-device-listener", &[]), trouble)
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
    let listeners = [
        ("mqtt_listen", Some(config.mqtt_listen)),
        ("mqtt_tls_listen", config.mqtt_tls_listen),
        ("http_listen", Some(config.http_listen)),
        ("metrics_listen", Some(config.metrics_listen)),
    ];
    let check = |(name, address): (&'static str, Option<std::net::SocketAddr>)| {
        let address = address?;
        let taken = |error: std::io::Error| {
            let reason = words.translate(&error.to_string());
            words.say("port-taken", &[("address", &address), ("reason", &reason)])
        };
        Some((name.to_owned(), TcpListener::bind(address).err().map(taken)))
    };
    listeners.into_iter().filter_map(check).collect()
}
