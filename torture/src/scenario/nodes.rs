//! Several nodes on one PostgreSQL, of which one after the other dies, and the database and the broker among them;
//! afterwards the oracle.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use firmware_sim::draw::Dice;
use tokio::time::Instant;

use super::ordeal::{note, patience, wait_until_due};
use crate::child::{Home, Mosquitto, Server, free_port};
use crate::fleet::{Bin, Fleet, Manners, Member};
use crate::lists;
use crate::plan::Plan;
use crate::postgres::Postgres;
use crate::proxy::{Chaos, Proxy};
use crate::report::Report;
use crate::scene::{Scene, drawn, sent};

/// What runs: how its kills are called, and its roles.
pub(super) const NODES: [(&str, &str); 5] = [
    ("endpoint_kills", "endpoint,ingest"),
    ("endpoint_kills", "endpoint,ingest"),
    ("projector_kills", "projector"),
    ("projector_kills", "projector"),
    ("api_kills", "api,jobs"),
];
/// The same behind a broker, whose messages the first two share.
const BEHIND_A_BROKER: [(&str, &str); 5] = [
    ("ingest_kills", "ingest"),
    ("ingest_kills", "ingest"),
    NODES[2],
    NODES[3],
    NODES[4],
];
/// How many of them devices talk to, or the broker.
const ENDPOINTS: usize = 2;
const DEVICES: u64 = 12;
/// Devices have something to tell for so long.
pub(super) const EACH_FAULT: Duration = Duration::from_secs(4);
/// Whoever is promised nothing for so long will be promised nothing any more: no fault is that long, and kills heal.
const STANDS_STILL: Duration = Duration::from_secs(30);
/// A node starts within this time of the database being there.
const STARTS_WITHIN: Duration = Duration::from_mins(1);

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

/// One process of the site.
pub(super) struct Node {
    kills: &'static str,
    home: Home,
    server: Option<Server>,
}

impl Node {
    pub(super) fn new(
        scene: &Scene,
        number: usize,
        (kills, roles): (&'static str, &'static str),
    ) -> Result<Self> {
        let (folder, name) = (scene.folder.path(), format!("node-{number}"));
        let mut home = Home {
            data: folder.join(&name),
            log: folder.join(format!("{name}.log")),
            port: free_port()?,
            roles: Some(roles),
            ..scene.home.clone()
        };
        if scene.broker.is_some() {
            // The broker keeps a session for each by its name, and shares a group's messages out among them.
            let group = ("HEMU_BROKER_GROUP".to_owned(), "city".to_owned());
            home.environment
                .extend([group, ("HEMU_BROKER_CLIENT_ID".to_owned(), name)]);
        }
        let server = Some(home.serve()?);
        Ok(Self { kills, home, server })
    }

    /// Whether there was anything to kill.
    fn kill(&mut self) -> Result<bool> {
        let Some(mut server) = self.server.take() else {
            return Ok(false);
        };
        ensure!(
            server.lives(),
            "a node ended by itself; see {}",
            self.home.log.display()
        );
        server.kill()?;
        Ok(true)
    }

    /// Its process, while there is one.
    pub(super) fn server(&self) -> Option<&Server> {
        self.server.as_ref()
    }

    /// In order.
    pub(super) fn end(self) -> Result<()> {
        self.server.map_or(Ok(()), Server::end)
    }

    /// As a supervisor would: again and again until it stays.
    fn revive(&mut self) -> Result<()> {
        let deadline = Instant::now() + STARTS_WITHIN;
        while self.server.is_none() {
            match self.home.serve() {
                Ok(server) => self.server = Some(server),
                Err(error) => ensure!(Instant::now() < deadline, error),
            }
        }
        Ok(())
    }
}

/// The database, the broker if there is one, and all nodes.
struct Site<'s> {
    database: &'s mut Postgres,
    broker: Option<Mosquitto>,
    nodes: Vec<Node>,
}

impl Site<'_> {
    /// Faults spread over the load, each at a moment of its own; the longest time that nothing was promised.
    async fn befall_all(
        &mut self,
        faults: u64,
        victims: &[Victim],
        plan: &Plan,
        fleet: &Fleet,
        report: &mut Report,
    ) -> Result<Duration> {
        let mut dice = Dice::new(drawn(plan.seed, 1), "nodes", 0);
        let ([stalled, _], mut slowest) = (patience(plan), Duration::ZERO);
        plan.bar.set_length(faults);
        for number in 1..=faults {
            let due = fleet.goal * number / (faults + 1);
            let stood = wait_until_due(fleet, due, stalled, || true).await;
            report.require(plan.sabotage.is_some() || stood < stalled, || {
                format!("before kill {number} nothing was promised for {stood:?}")
            });
            slowest = slowest.max(stood);
            tokio::time::sleep(Duration::from_millis(u64::from(dice.below(40)))).await;
            self.befall(&Fault::drawn(&mut dice, victims), report).await?;
            plan.bar.inc(1);
        }
        Ok(slowest)
    }

    /// Some of it dies, the rest goes on without for a while, and what died comes back.
    async fn befall(&mut self, fault: &Fault, report: &mut Report) -> Result<()> {
        let [before, after] = fault.without_projectors.unwrap_or_default();
        if fault.without_projectors.is_some() {
            self.kill(&PROJECTORS, report)?;
            tokio::time::sleep(before).await;
        }
        self.kill(&fault.victims, report)?;
        tokio::time::sleep(fault.away).await;
        self.database.go_on()?;
        if let Some(broker) = &mut self.broker {
            broker.go_on()?;
        }
        let projects = |number| PROJECTORS.contains(&Victim::Node(number));
        for (number, node) in self.nodes.iter_mut().enumerate() {
            if fault.without_projectors.is_none() || !projects(number) {
                node.revive()?;
            }
        }
        tokio::time::sleep(after).await;
        for node in &mut self.nodes {
            node.revive()?;
        }
        Ok(())
    }

    fn kill(&mut self, victims: &[Victim], report: &mut Report) -> Result<()> {
        for victim in victims {
            let (name, lived) = match victim {
                Victim::Node(number) => {
                    let node = self.nodes.get_mut(*number).context("no such node")?;
                    (node.kills, node.kill()?)
                }
                Victim::Database => ("database_kills", self.database.kill()?),
                Victim::Broker => {
                    let broker = self.broker.as_mut().context("no broker")?;
                    ("broker_kills", broker.kill()?)
                }
            };
            *report.faults.entry(name.to_owned()).or_default() += u64::from(lived);
        }
        Ok(())
    }

    fn rss_kib(&self) -> u64 {
        self.nodes
            .iter()
            .filter_map(Node::server)
            .map(Server::rss_kib)
            .sum()
    }

    fn end(self) -> Result<()> {
        self.nodes.into_iter().try_for_each(Node::end)
    }
}

/// All come to the broker, if there is one. Else a third of the devices come to whichever endpoint is next, a third each to
/// one of them alone: whoever comes to another is helped by what that one knows.
pub(super) async fn connect(
    scene: &Scene,
    plan: &Plan,
    nodes: &[Node],
    members: &mut [Member],
    lasting: Duration,
) -> Result<Vec<Proxy>> {
    let endpoints = nodes.iter().take(ENDPOINTS);
    let all: Vec<SocketAddr> = match &scene.broker {
        Some(broker) => vec![broker.addr],
        None => endpoints
            .map(|node| ([127, 0, 0, 1], node.home.port).into())
            .collect(),
    };
    let mut ways = vec![all.clone()];
    if scene.broker.is_none() {
        ways.extend(all.into_iter().map(|one| vec![one]));
    }
    let mut proxies = Vec::new();
    for (seed, way) in (plan.seed..).zip(ways) {
        proxies.push(Proxy::start(way, &scene.keys, Chaos::BAD, plan.sabotage, seed).await?);
    }
    for (number, member) in members.iter_mut().enumerate() {
        // Two neighbours trust different words: the same way has both kinds.
        member.addr = proxies.get(number / 2 % proxies.len()).map(|proxy| proxy.addr);
        member.lasting = Some(lasting);
    }
    Ok(proxies)
}

pub(super) async fn kill9(plan: &Plan) -> Result<Report> {
    let records = plan.records.unwrap_or(plan.sized(20_000, 2_000_000));
    let faults = plan.kills.unwrap_or(plan.sized(20, 500));
    // Behind a broker each has a window of its own.
    let (devices, roles, victims) = if plan.behind_mosquitto {
        (plan.sized(16, 64), BEHIND_A_BROKER, &VICTIMS[..])
    } else {
        (DEVICES, NODES, &VICTIMS[..WITHOUT_A_BROKER])
    };
    let mut scene = Scene::set(plan, devices, records).await?;
    let mut database = scene.postgres.take().context("this scene has files")?;
    let start = |(number, node)| Node::new(&scene, number, node);
    let nodes: Vec<Node> = roles.into_iter().enumerate().map(start).collect::<Result<_>>()?;
    let lasting = EACH_FAULT * u32::try_from(faults).unwrap_or(u32::MAX);
    let mut members = scene.members(records, lasting);
    let proxies = connect(&scene, plan, &nodes, &mut members, lasting).await?;
    let manners = Manners {
        power_cuts: 0.001,
        ..scene.manners()
    };
    let mut site = Site {
        database: &mut database,
        broker: scene.broker.take(),
        nodes,
    };
    let mut report = Report {
        goal: format!(
            "0 of {records} acknowledged lost over {faults} kills of 5 nodes and what they share, 0 doubled, all \
             receipted, lists byte-equal"
        ),
        n: records,
        rss_start_kib: site.rss_kib(),
        ..Report::default()
    };
    let fleet = Fleet::start(&members, &manners)?;
    let slowest = site
        .befall_all(faults, victims, plan, &fleet, &mut report)
        .await?;
    let (tally, last) = (fleet.tally.clone(), Instant::now());
    let bins = fleet.finish(patience(plan)[1]).await?;
    let stood = tally.stood();
    for (name, time) in [
        ("longest_without_a_promise_ms", slowest),
        ("all_promised_after_ms", last.elapsed()),
        ("longest_a_device_stood_ms", stood),
    ] {
        report.figures.insert(name.to_owned(), time.as_millis() as f64);
    }
    report.require(plan.sabotage.is_some() || stood < STANDS_STILL, || {
        format!("a device held records for {stood:?} and was promised nothing")
    });
    report.rss_end_kib = site.rss_kib();
    report.close(&tally, bins.iter().map(Bin::held).sum());
    note(&mut report, &proxies, &tally, devices);
    site.end()?;
    let mut verdict = scene.examine(&bins).await?;
    if plan.sabotage.is_none() {
        verdict.lists = lists::compare(&scene, &sent(&bins), &mut report)?;
    }
    report.judged(verdict);
    Ok(report)
}
