//! A fleet that tells its records while server, broker, network and devices fail in random turn; afterwards the oracle.

use std::time::Duration;

use anyhow::{Context, Result};
use firmware_sim::draw::Dice;
use tokio::time::Instant;

use crate::child::Server;
use crate::fleet::{Fleet, Manners, Tally};
use crate::plan::Plan;
use crate::proxy::{Chaos, Proxy};
use crate::report::Report;
use crate::sabotage::Sabotage;
use crate::scene::{Scene, drawn, finish};

/// How long to wait for the next promise before the next fault, and for all of them at the end. What is sabotaged may wait
/// for ever: a server that forgot what a device has erased can never cover the rest.
pub(super) const fn patience(plan: &Plan) -> [Duration; 2] {
    if plan.sabotage.is_some() {
        [Duration::from_secs(1), Duration::from_secs(8)]
    } else {
        [Duration::from_secs(20), Duration::from_mins(2)]
    }
}

/// Half of the devices take so long at least.
const AT_LEAST: Duration = Duration::from_secs(15);

/// Something that befalls the server's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Kill,
    Pause,
    KillBroker,
    PowerCut,
}

impl Fault {
    const fn name(self) -> &'static str {
        match self {
            Self::Kill => "server_kills",
            Self::Pause => "server_pauses",
            Self::KillBroker => "broker_kills",
            Self::PowerCut => "power_cuts",
        }
    }
}

/// What a scenario of this kind is made of.
struct Ordeal {
    goal: String,
    devices: u64,
    records: u64,
    faults: u64,
    kinds: &'static [Fault],
    chaos: Chaos,
    power_cuts: f64,
    /// Whether the store is on the failing disk.
    disk: bool,
}

pub(super) async fn kill9(plan: &Plan) -> Result<Report> {
    let records = plan.records.unwrap_or(plan.sized(20_000, 2_000_000));
    let faults = plan.kills.unwrap_or(plan.sized(20, 500));
    let ordeal = Ordeal {
        goal: format!("0 of {records} acknowledged lost over {faults} kills, 0 doubled, lists byte-equal"),
        // Behind a broker each has a window of its own.
        devices: if plan.behind_mosquitto {
            plan.sized(16, 64)
        } else {
            8
        },
        records,
        faults,
        kinds: if plan.behind_mosquitto {
            &[Fault::Kill, Fault::KillBroker]
        } else {
            &[Fault::Kill]
        },
        chaos: Chaos::BAD,
        power_cuts: 0.001,
        // The same run with and without this sabotage is one on this disk.
        disk: plan.sabotage == Some(Sabotage::SyncNormal),
    };
    run(plan, &ordeal).await
}

pub(super) async fn broker_restart(plan: &Plan) -> Result<Report> {
    let records = plan.records.unwrap_or(plan.sized(4_000, 100_000));
    let faults = plan.kills.unwrap_or(plan.sized(4, 20));
    let ordeal = Ordeal {
        goal: format!(
            "0 of {records} lost over {faults} kills of the broker, all receipted within 120 s of the last"
        ),
        devices: plan.sized(16, 64),
        records,
        faults,
        kinds: &[Fault::KillBroker],
        chaos: Chaos::default(),
        power_cuts: 0.0,
        disk: false,
    };
    run(plan, &ordeal).await
}

pub(super) async fn power_cut(plan: &Plan) -> Result<Report> {
    let records = plan.records.unwrap_or(plan.sized(6_000, 200_000));
    let faults = plan.kills.unwrap_or(plan.sized(10, 320));
    let ordeal = Ordeal {
        goal: format!(
            "0 of {records} acknowledged lost over {faults} faults, two of three of them power cuts, each of which takes every unsynced write"
        ),
        devices: 8,
        records,
        faults,
        // A kill between two power cuts leaves unsynced writes that only look stored.
        kinds: &[Fault::PowerCut, Fault::PowerCut, Fault::Kill],
        chaos: Chaos::default(),
        power_cuts: 0.001,
        disk: true,
    };
    run(plan, &ordeal).await
}

async fn run(plan: &Plan, ordeal: &Ordeal) -> Result<Report> {
    let mut scene = Scene::set(plan, ordeal.devices, ordeal.records).await?;
    if ordeal.disk {
        scene = scene.on_failing_disk()?;
        scene.disk()?.lie(plan.sabotage == Some(Sabotage::SyncNormal))?;
    }
    let mut server = scene.home.serve()?;
    let rss_start_kib = server.rss_kib();
    let manners = scene.manners();
    let proxy = Proxy::start(
        vec![manners.addr],
        &scene.keys,
        ordeal.chaos,
        plan.sabotage,
        plan.seed,
    )
    .await?;
    let manners = Manners {
        addr: proxy.addr,
        power_cuts: ordeal.power_cuts,
        ..manners
    };
    // Long enough that receipts, one a second at most, fall into the moments that matter.
    let lasting = Duration::from_millis(500) * u32::try_from(ordeal.faults).unwrap_or(u32::MAX);
    let lasting = lasting.max(AT_LEAST);
    let fleet = Fleet::start(&scene.members(ordeal.records, lasting), &manners)?;
    let mut report = Report {
        goal: ordeal.goal.clone(),
        n: ordeal.records,
        rss_start_kib,
        ..Report::default()
    };
    let mut dice = Dice::new(drawn(plan.seed, 1), "faults", 0);
    let [stalled, patience] = patience(plan);
    plan.bar.set_length(ordeal.faults);
    for number in 1..=ordeal.faults {
        // Spread over the load, each at a moment of its own.
        let due = fleet.goal * number / (ordeal.faults + 1);
        wait_until_due(&fleet, due, stalled, || server.lives()).await;
        tokio::time::sleep(Duration::from_millis(u64::from(dice.below(40)))).await;
        if dice.chance(0.1) {
            befall(Fault::Pause, &mut scene, &mut server, &mut dice, &mut report).await?;
        }
        let fault = *dice.pick(ordeal.kinds).context("no fault to choose")?;
        befall(fault, &mut scene, &mut server, &mut dice, &mut report).await?;
        plan.bar.inc(1);
    }
    let tally = fleet.tally.clone();
    let bins = finish(fleet, patience, &mut report).await?;
    report.rss_end_kib = server.rss_kib();
    note(&mut report, &[proxy], &tally, ordeal.devices);
    server.end()?;
    scene.verdict(&bins, report, plan.sabotage.is_none()).await
}

/// Until so many records were promised, or nothing was for too long, or there is nobody to promise anything; the longest
/// time without a promise.
pub(super) async fn wait_until_due(
    fleet: &Fleet,
    due: u64,
    stalled: Duration,
    mut lives: impl FnMut() -> bool,
) -> Duration {
    let (mut erased, mut progress, mut longest) = (0, Instant::now(), Duration::ZERO);
    while fleet.tally.erased() < due && lives() && progress.elapsed() < stalled {
        tokio::time::sleep(Duration::from_millis(2)).await;
        longest = longest.max(progress.elapsed());
        if fleet.tally.erased() > erased {
            (erased, progress) = (fleet.tally.erased(), Instant::now());
        }
    }
    longest
}

/// What network and devices went through.
pub(super) fn note(report: &mut Report, proxies: &[Proxy], tally: &Tally, devices: u64) {
    for (name, count) in proxies.iter().flat_map(|proxy| proxy.deeds.figures()) {
        *report.faults.entry(name.to_owned()).or_default() += count;
    }
    report
        .faults
        .insert("device_power_cuts".to_owned(), tally.power_cuts());
    report.faults.insert(
        "reconnects".to_owned(),
        tally.connections().saturating_sub(devices),
    );
    report
        .figures
        .insert("refused_receipts".to_owned(), tally.refused_receipts() as f64);
}

async fn befall(
    fault: Fault,
    scene: &mut Scene,
    server: &mut Server,
    dice: &mut Dice,
    report: &mut Report,
) -> Result<()> {
    *report.faults.entry(fault.name().to_owned()).or_default() += 1;
    match fault {
        Fault::Kill => {
            server.kill()?;
            *server = scene.home.serve()?;
        }
        Fault::PowerCut => {
            server.kill()?;
            let taken = scene.disk()?.power_cut(&scene.home.data)?;
            *report.faults.entry("writes_taken".to_owned()).or_default() += taken.writes;
            *server = scene.home.serve()?;
        }
        Fault::Pause => {
            server.stop()?;
            tokio::time::sleep(Duration::from_millis(u64::from(200 + dice.below(1_300)))).await;
            server.go_on()?;
        }
        Fault::KillBroker => {
            if let Some(broker) = &mut scene.broker {
                broker.kill()?;
                broker.go_on()?;
            }
        }
    }
    Ok(())
}
