//! Several nodes on one PostgreSQL, of which one after the other dies, and the database among them; devices come to
//! whichever of two endpoints is next. Afterwards the oracle.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use firmware_sim::draw::Dice;
use tokio::time::Instant;

use super::ordeal::{PATIENCE, SABOTAGED, note, wait_until_due};
use crate::child::{Home, Server, free_port};
use crate::fleet::{Bin, Fleet, Manners};
use crate::plan::Plan;
use crate::postgres::Postgres;
use crate::proxy::{Chaos, Proxy};
use crate::report::Report;
use crate::scene::{Scene, drawn, sent};

/// What runs: how its kills are called, and its roles.
const NODES: [(&str, &str); 5] = [
    ("endpoint_kills", "endpoint,ingest"),
    ("endpoint_kills", "endpoint,ingest"),
    ("projector_kills", "projector"),
    ("projector_kills", "projector"),
    ("api_kills", "api,jobs"),
];
const ENDPOINTS: usize = 2;
const DEVICES: u64 = 8;
/// Half of the devices take so long at least, and longer the more faults there are.
const AT_LEAST: Duration = Duration::from_secs(15);
const EACH_FAULT: Duration = Duration::from_secs(1);
/// A node starts within this time of the database being there.
const STARTS_WITHIN: Duration = Duration::from_mins(1);

/// What a fault takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    Node(usize),
    Database,
}

/// A node is as likely to be hit as another, the database as likely as two.
const VICTIMS: [Victim; 7] = [
    Victim::Node(0),
    Victim::Node(1),
    Victim::Node(2),
    Victim::Node(3),
    Victim::Node(4),
    Victim::Database,
    Victim::Database,
];

/// One process of the site.
struct Node {
    kills: &'static str,
    home: Home,
    server: Option<Server>,
}

impl Node {
    fn new(scene: &Scene, number: usize, (kills, roles): (&'static str, &'static str)) -> Result<Self> {
        let folder = scene.folder.path();
        let home = Home {
            data: folder.join(format!("node-{number}")),
            log: folder.join(format!("node-{number}.log")),
            port: free_port()?,
            roles: Some(roles),
            ..scene.home.clone()
        };
        let server = Some(home.serve()?);
        Ok(Self { kills, home, server })
    }

    fn kill(&mut self) -> Result<()> {
        match self.server.take() {
            Some(mut server) => server.kill(),
            None => Ok(()),
        }
    }

    /// As a supervisor would: again and again until it stays.
    fn revive(&mut self) -> Result<()> {
        let deadline = Instant::now() + STARTS_WITHIN;
        while !self.lives() {
            match self.home.serve() {
                Ok(server) => self.server = Some(server),
                Err(error) => ensure!(Instant::now() < deadline, error),
            }
        }
        Ok(())
    }

    fn lives(&mut self) -> bool {
        self.server.as_mut().is_some_and(Server::lives)
    }
}

/// The database and all nodes.
struct Site<'s> {
    database: &'s mut Postgres,
    nodes: Vec<Node>,
}

impl Site<'_> {
    /// Some of it dies, the rest goes on without for a while, and what died comes back.
    async fn befall(&mut self, victims: &[Victim], away: Duration, report: &mut Report) -> Result<()> {
        for victim in victims {
            let name = match victim {
                Victim::Node(number) => {
                    let node = self.nodes.get_mut(*number).context("no such node")?;
                    node.kill()?;
                    node.kills
                }
                Victim::Database => {
                    self.database.kill()?;
                    "database_kills"
                }
            };
            *report.faults.entry(name.to_owned()).or_default() += 1;
        }
        tokio::time::sleep(away).await;
        self.database.go_on()?;
        for (number, node) in self.nodes.iter_mut().enumerate() {
            // Nobody ends because another does.
            let stood = node.lives() || victims.contains(&Victim::Node(number));
            report.require(stood, || format!("node {number} ended by itself"));
            node.revive()?;
        }
        Ok(())
    }

    fn rss_kib(&self) -> u64 {
        let servers = self.nodes.iter().filter_map(|node| node.server.as_ref());
        servers.map(Server::rss_kib).sum()
    }

    fn end(self) -> Result<()> {
        for node in self.nodes {
            if let Some(server) = node.server {
                server.end()?;
            }
        }
        Ok(())
    }
}

/// One, and now and then another with it.
fn victims(dice: &mut Dice) -> Vec<Victim> {
    let mut victims: Vec<Victim> = dice.pick(&VICTIMS).copied().into_iter().collect();
    let other = dice.pick(&VICTIMS).copied();
    if dice.chance(0.4) {
        victims.extend(other.filter(|other| !victims.contains(other)));
    }
    victims
}

pub(super) async fn kill9(plan: &Plan) -> Result<Report> {
    let records = plan.records.unwrap_or(plan.sized(6_000, 200_000));
    let faults = plan.kills.unwrap_or(plan.sized(14, 200));
    let mut scene = Scene::set(plan, DEVICES, records).await?;
    let mut database = scene.postgres.take().context("this scene has files")?;
    let start = |(number, node)| Node::new(&scene, number, node);
    let nodes: Vec<Node> = NODES.into_iter().enumerate().map(start).collect::<Result<_>>()?;
    let endpoints = nodes.iter().take(ENDPOINTS);
    let endpoints = endpoints.map(|node| ([127, 0, 0, 1], node.home.port).into());
    let proxy = Proxy::start(
        endpoints.collect(),
        &scene.keys,
        Chaos::BAD,
        plan.sabotage,
        plan.seed,
    )
    .await?;
    let manners = Manners {
        addr: proxy.addr,
        power_cuts: 0.001,
        ..scene.manners()
    };
    let mut site = Site {
        database: &mut database,
        nodes,
    };
    let mut report = Report {
        goal: format!(
            "0 of {records} acknowledged lost over {faults} kills of 5 nodes and their database, 0 doubled, all \
             receipted, lists byte-equal"
        ),
        n: records,
        rss_start_kib: site.rss_kib(),
        ..Report::default()
    };
    let lasting = AT_LEAST.max(EACH_FAULT * u32::try_from(faults).unwrap_or(u32::MAX));
    let fleet = Fleet::start(&scene.members(records, lasting), &manners)?;
    let mut dice = Dice::new(drawn(plan.seed, 1), "nodes", 0);
    let [stalled, patience] = if plan.sabotage.is_some() {
        SABOTAGED
    } else {
        PATIENCE
    };
    plan.bar.set_length(faults);
    let mut slowest = Duration::ZERO;
    for number in 1..=faults {
        let due = fleet.goal * number / (faults + 1);
        let stood = wait_until_due(&fleet, due, stalled, || true).await;
        report.require(plan.sabotage.is_some() || stood < stalled, || {
            format!("before kill {number} nothing was promised for {stood:?}")
        });
        slowest = slowest.max(stood);
        tokio::time::sleep(Duration::from_millis(u64::from(dice.below(40)))).await;
        let away = Duration::from_millis(u64::from(dice.below(800)));
        site.befall(&victims(&mut dice), away, &mut report).await?;
        plan.bar.inc(1);
    }
    let (tally, last) = (fleet.tally.clone(), Instant::now());
    let bins = fleet.finish(patience).await?;
    report.figures.extend([
        (
            "longest_without_a_promise_ms".to_owned(),
            slowest.as_millis() as f64,
        ),
        (
            "all_promised_after_ms".to_owned(),
            last.elapsed().as_millis() as f64,
        ),
    ]);
    report.rss_end_kib = site.rss_kib();
    report.close(&tally, bins.iter().map(Bin::held).sum());
    note(&mut report, &proxy, &tally, DEVICES);
    site.end()?;
    let mut verdict = scene.examine(&bins).await?;
    if plan.sabotage.is_none() {
        verdict.lists = scene.compare_lists(&sent(&bins))?;
    }
    report.judged(verdict);
    Ok(report)
}
