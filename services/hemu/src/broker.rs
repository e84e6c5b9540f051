//! The broker's door, from the configuration to the running task. The door itself is `hemu_ingest::broker`.

use std::hash::{BuildHasher, Hasher, RandomState};

use anyhow::{Result, bail};
use hemu_api::Check;
use hemu_ingest::Intake;
use hemu_ingest::broker::{Address, Dice, Door, Downlink, Metrics, Parts, Settings, SettingsError, View};
use hemu_ledger::Ledger;
use prometheus::Registry;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::words::Words;

/// An open door.
pub(crate) struct Broker {
    pub(crate) downlink: Downlink,
    pub(crate) view: View,
    pub(crate) task: JoinHandle<()>,
}

/// What the configuration says of a broker, if it names one.
pub(crate) fn settings(config: &Config, words: &Words) -> Result<Option<Settings>> {
    let Some(url) = &config.broker_url else {
        return Ok(None);
    };
    let Ok(address) = url.parse::<Address>() else {
        bail!(words.say("broker-url-wrong", &[]));
    };
    let settings = Settings {
        address,
        client_id: config.broker_client_id.clone(),
        username: config.broker_username.clone(),
        password: config.broker_password.clone(),
        group: config.broker_group.clone(),
        protocol: config.broker_protocol,
        receive_maximum: config.broker_receive_maximum,
        authorities: config.broker_ca.clone(),
    };
    if let Err(error) = settings.check() {
        bail!(wrong(&error, words));
    }
    Ok(Some(settings))
}

fn wrong(error: &SettingsError, words: &Words) -> String {
    match error {
        SettingsError::Name(setting) => words.say("broker-name-wrong", &[("setting", setting)]),
        SettingsError::GroupNeedsV5 => words.say("broker-group-needs-5", &[]),
        SettingsError::PasswordAlone => words.say("broker-password-alone", &[]),
        SettingsError::NothingInFlight => words.say("broker-nothing-in-flight", &[]),
        SettingsError::Authorities => words.say("broker-authorities-wrong", &[]),
    }
}

/// Opens the door; it closes at `shutdown`, after everything it took in is stored and acknowledged.
pub(crate) fn open(
    settings: Settings,
    intake: &Intake,
    ledger: &Ledger,
    ingest: &hemu_ingest::Metrics,
    registry: &Registry,
    shutdown: &CancellationToken,
) -> Result<Broker> {
    let parts = Parts {
        ledger: ledger.clone(),
        intake: intake.clone(),
        ingest: ingest.clone(),
        metrics: Metrics::new(registry)?,
    };
    let (door, downlink, view) = Door::new(settings, parts, dice());
    Ok(Broker {
        downlink,
        view,
        task: tokio::spawn(door.run(shutdown.clone())),
    })
}

/// Whether what devices send through the broker arrives.
pub(crate) fn check(view: View) -> Check {
    Check::new("broker", move || {
        let found = view.check();
        async move { found }
    })
}

/// Differs from process to process, which is all that spreading their waits needs.
pub(crate) fn dice() -> Dice {
    let state = RandomState::new();
    let mut drawn = 0_u64;
    Box::new(move |below| {
        drawn += 1;
        let mut hasher = state.build_hasher();
        hasher.write_u64(drawn);
        hasher.finish() % below.max(1)
    })
}
