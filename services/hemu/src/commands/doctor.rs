//! `hemu doctor`: what is wrong or soon will be, each with what to do.

use std::net::TcpListener;

use anyhow::{Result, bail};
use hemu_ledger::{LOG_BYTES, Role};

use crate::clock;
use crate::config::Config;
use crate::site::Site;

/// A finding: what was looked at, and what is wrong with it.
type Finding = (&'static str, Option<String>);

pub(super) async fn run(config: &Config) -> Result<()> {
    let site = Site::open(config).await?;
    let mut findings = vec![clock_is_plausible(), log_is_short(&site), mqtt_is_guarded(config)];
    findings.extend(files_are_sound(&site).await?);
    let serving = site.folder.lock(Role::Serve).is_err();
    if serving {
        findings.push(("listeners", None));
    } else {
        findings.extend(ports_are_free(config));
    }
    let mut wrong = 0;
    for (what, trouble) in findings {
        match trouble {
            None => println!("ok    {what}"),
            Some(trouble) => {
                wrong += 1;
                println!("WRONG {what}: {trouble}");
            }
        }
    }
    if wrong > 0 {
        bail!("{wrong} of the checks found something wrong");
    }
    Ok(())
}

fn clock_is_plausible() -> Finding {
    let now = clock::system()();
    let trouble =
        (now < clock::EARLIEST).then(|| "it is before 2025; set it, or readings look ahead of time".into());
    ("clock", trouble)
}

fn log_is_short(site: &Site) -> Finding {
    let bytes = site.ledger.log_bytes();
    let trouble = (bytes > 64 * LOG_BYTES).then(|| {
        format!(
            "it has grown to {bytes} bytes; something keeps an old view of the file open, restart the server"
        )
    });
    ("write-ahead log", trouble)
}

fn mqtt_is_guarded(config: &Config) -> Finding {
    let trouble = (!config.mqtt_listen.ip().is_loopback()).then(|| {
        format!(
            "mqtt_listen {} sends keys in the clear to other machines; use mqtt_tls_listen",
            config.mqtt_listen
        )
    });
    ("device listener", trouble)
}

async fn files_are_sound(site: &Site) -> Result<[Finding; 3]> {
    let [truth, projections] = site.ledger.integrity().await?;
    let progress = site.ledger.progress().await?;
    let (head, applied) = (site.ledger.head().await?, progress.applied);
    let behind = (applied > head)
        .then(|| format!("they are at batch {applied}, the journal ends at {head}; run `hemu rebuild`"));
    Ok([
        ("hemu.db", truth),
        ("projections.db", projections),
        ("projections' position", behind),
    ])
}

fn ports_are_free(config: &Config) -> Vec<Finding> {
    let listeners = [
        ("mqtt_listen", Some(config.mqtt_listen)),
        ("mqtt_tls_listen", config.mqtt_tls_listen),
        ("http_listen", Some(config.http_listen)),
        ("metrics_listen", Some(config.metrics_listen)),
    ];
    let check = |(name, address): (&'static str, Option<std::net::SocketAddr>)| {
        let address = address?;
        let trouble = TcpListener::bind(address)
            .err()
            .map(|error| format!("cannot listen on {address}: {error}"));
        Some((name, trouble))
    };
    listeners.into_iter().filter_map(check).collect()
}
