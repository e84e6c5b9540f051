//! Several nodes on one PostgreSQL, of which one after the other dies, and the database and the broker among them;
//! afterwards the oracle.

use std::time::Duration;

use anyhow::{Context, Result};
use firmware_sim::draw::Dice;

use super::ordeal::patience;
use super::site::{self, Calamity, Course, Moment, NODES, Part, Site};
use crate::plan::Plan;
use crate::postgres::Postgres;
use crate::report::Report;
use crate::scene::Scene;

/// The same behind a broker, whose messages the first two share.
const BEHIND_A_BROKER: [Part; 5] = [
    ("ingest_kills", "ingest"),
    ("ingest_kills", "ingest"),
    NODES[2],
    NODES[3],
    NODES[4],
];
const DEVICES: u64 = 12;

/// What a fault takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    Node(usize),
    Database,
    Broker,
}

/// Everything is as likely to be hit, but for the database and the broker, each of which is as likely as two.
const VICTIMS: [Victim; 9] = [
    Victim::Node(0),
    Victim::Node(1),
    Victim::Node(2),
    Victim::Node(3),
    Victim::Node(4),
    Victim::Database,
    Victim::Database,
    Victim::Broker,
    Victim::Broker,
];
/// Of those, what there is without a broker.
const WITHOUT_A_BROKER: usize = 7;
/// While both are away nothing is folded, and what an endpoint reads when it starts lags what devices were promised.
const PROJECTORS: [Victim; 2] = [Victim::Node(2), Victim::Node(3)];

/// Some that die together; one that takes records in among them if both projectors died before.
struct Fault {
    victims: Vec<Victim>,
    /// How long both projectors are away before the others die, and after they are back.
    without_projectors: Option<[Duration; 2]>,
    away: Duration,
}

impl Fault {
    fn drawn(dice: &mut Dice, from: &[Victim]) -> Self {
        let mut below = |ms: u32| Duration::from_millis(u64::from(dice.below(ms)));
        let (away, before, after) = (below(800), below(2_500), below(1_500));
        let mut victims: Vec<Victim> = dice.pick(from).copied().into_iter().collect();
        let other = dice.pick(from).copied();
        if dice.chance(0.4) {
            victims.extend(other.filter(|other| !victims.contains(other)));
        }
        let without_projectors = dice.chance(0.4).then_some([before, after]);
        let endpoint = Victim::Node(dice.below(2) as usize);
        if without_projectors.is_some() && !victims.contains(&endpoint) {
            victims.push(endpoint);
        }
        Self {
            victims,
            without_projectors,
            away,
        }
    }
}

/// Kills of anything, and what they took away.
struct Kills<'p> {
    plan: &'p Plan,
    victims: &'static [Victim],
    database: Postgres,
    /// The longest time that nothing was promised.
    slowest: Duration,
}

impl Calamity for Kills<'_> {
    const DICE: &'static str = "nodes";
    /// No fault is that long, and kills heal.
    const STANDS_STILL: Duration = Duration::from_secs(30);

    async fn befall(&mut self, moment: Moment<'_>) -> Result<()> {
        let Moment {
            number,
            stood,
            site,
            dice,
            report,
            ..
        } = moment;
        let [stalled, _] = patience(self.plan);
        report.require(self.plan.sabotage.is_some() || stood < stalled, || {
            format!("before kill {number} nothing was promised for {stood:?}")
        });
        self.slowest = self.slowest.max(stood);
        self.take_away(&Fault::drawn(dice, self.victims), site, report)
            .await
    }

    fn times(&self, promised_after: Duration) -> Vec<(&'static str, Duration)> {
        vec![
            ("longest_without_a_promise_ms", self.slowest),
            ("all_promised_after_ms", promised_after),
        ]
    }
}

impl Kills<'_> {
    /// Some of it dies, the rest goes on without for a while, and what died comes back.
    async fn take_away(&mut self, fault: &Fault, site: &mut Site, report: &mut Report) -> Result<()> {
        let [before, after] = fault.without_projectors.unwrap_or_default();
        if fault.without_projectors.is_some() {
            self.kill(&PROJECTORS, site, report)?;
            tokio::time::sleep(before).await;
        }
        self.kill(&fault.victims, site, report)?;
        tokio::time::sleep(fault.away).await;
        self.database.go_on()?;
        if let Some(broker) = &mut site.broker {
            broker.go_on()?;
        }
        let projects = |number| PROJECTORS.contains(&Victim::Node(number));
        for (number, node) in site.nodes.iter_mut().enumerate() {
            if fault.without_projectors.is_none() || !projects(number) {
                node.revive()?;
            }
        }
        tokio::time::sleep(after).await;
        for node in &mut site.nodes {
            node.revive()?;
        }
        Ok(())
    }

    fn kill(&mut self, victims: &[Victim], site: &mut Site, report: &mut Report) -> Result<()> {
        for victim in victims {
            let (name, lived) = match victim {
                Victim::Node(number) => {
                    let node = site.nodes.get_mut(*number).context("no such node")?;
                    (node.kills, node.kill()?)
                }
                Victim::Database => ("database_kills", self.database.kill()?),
                Victim::Broker => {
                    let broker = site.broker.as_mut().context("no broker")?;
                    ("broker_kills", broker.kill()?)
                }
            };
            *report.faults.entry(name.to_owned()).or_default() += u64::from(lived);
        }
        Ok(())
    }
}

pub(super) async fn kill9(plan: &Plan) -> Result<Report> {
    let records = plan.records.unwrap_or(plan.sized(20_000, 2_000_000));
    let faults = plan.kills.unwrap_or(plan.sized(20, 500));
    // Behind a broker each has a window of its own.
    let (devices, nodes, victims) = if plan.behind_mosquitto {
        (plan.sized(16, 64), BEHIND_A_BROKER, &VICTIMS[..])
    } else {
        (DEVICES, NODES, &VICTIMS[..WITHOUT_A_BROKER])
    };
    let mut scene = Scene::set(plan, devices, records).await?;
    let mut kills = Kills {
        plan,
        victims,
        database: scene.postgres.take().context("this scene has files")?,
        slowest: Duration::ZERO,
    };
    let course = Course {
        goal: format!(
            "0 of {records} acknowledged lost over {faults} kills of 5 nodes and what they share, 0 doubled, all \
             receipted, lists byte-equal"
        ),
        devices,
        records,
        faults,
        nodes,
    };
    site::run(plan, scene, course, &mut kills).await
}
