//! A site of several nodes on one PostgreSQL, which devices go on telling their records while something befalls it again
//! and again; afterwards the oracle. What befalls it is the scenario's.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Result, ensure};
use firmware_sim::draw::Dice;
use tokio::time::Instant;

use super::ordeal::{note, patience, wait_until_due};
use crate::child::{Home, Mosquitto, Server, free_port};
use crate::fleet::{Fleet, Manners, Member};
use crate::plan::Plan;
use crate::proxy::{Chaos, Proxy};
use crate::report::Report;
use crate::scene::{Scene, drawn, finish};

/// How a node's kills are called, and its roles.
pub(super) type Part = (&'static str, &'static str);

/// What runs: how its kills are called, and its roles.
pub(super) const NODES: [Part; 5] = [
    ("endpoint_kills", "endpoint,ingest"),
    ("endpoint_kills", "endpoint,ingest"),
    ("projector_kills", "projector"),
    ("projector_kills", "projector"),
    ("api_kills", "api,jobs"),
];
/// How many of them devices talk to, or the broker.
const ENDPOINTS: usize = 2;
/// Devices have something to tell for so long.
const EACH_FAULT: Duration = Duration::from_secs(4);
/// A node starts within this time of the database being there.
const STARTS_WITHIN: Duration = Duration::from_mins(1);

/// How much of what befalls which nodes.
pub(super) struct Course {
    pub(super) goal: String,
    pub(super) devices: u64,
    pub(super) records: u64,
    pub(super) faults: u64,
    pub(super) nodes: [Part; 5],
}

/// What befalls a site.
pub(super) trait Calamity {
    /// What its dice are called.
    const DICE: &'static str;
    /// Whoever is promised nothing for so long will be promised nothing any more.
    const STANDS_STILL: Duration;

    /// It happens, and is over.
    async fn befall(&mut self, moment: Moment<'_>) -> Result<()>;

    /// Times that only this one has, by name. `promised_after` is how long after the last of it everything was promised.
    fn times(&self, promised_after: Duration) -> Vec<(&'static str, Duration)>;
}

/// When it happens, and to whom.
pub(super) struct Moment<'a> {
    /// The how manieth time, from 1.
    pub(super) number: u64,
    /// How long nothing was promised before it, at the longest.
    pub(super) stood: Duration,
    pub(super) site: &'a mut Site,
    pub(super) fleet: &'a Fleet,
    pub(super) dice: &'a mut Dice,
    pub(super) report: &'a mut Report,
}

/// The nodes, and the broker before them, if there is one.
pub(super) struct Site {
    pub(super) broker: Option<Mosquitto>,
    pub(super) nodes: Vec<Node>,
}

impl Site {
    fn rss_kib(&self) -> u64 {
        let servers = self.nodes.iter().filter_map(|node| node.server.as_ref());
        servers.map(Server::rss_kib).sum()
    }

    /// In order.
    fn end(self) -> Result<()> {
        let mut servers = self.nodes.into_iter().filter_map(|node| node.server);
        servers.try_for_each(Server::end)
    }
}

/// One process of the site.
pub(super) struct Node {
    pub(super) kills: &'static str,
    home: Home,
    server: Option<Server>,
}

impl Node {
    fn new(scene: &Scene, number: usize, (kills, roles): (&'static str, &'static str)) -> Result<Self> {
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
    pub(super) fn kill(&mut self) -> Result<bool> {
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

    /// As a supervisor would: again and again until it stays.
    pub(super) fn revive(&mut self) -> Result<()> {
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

/// Nodes start on the scene's store, devices tell their records, and what befalls the site is spread over the load; then
/// everybody is promised the rest.
pub(super) async fn run<C: Calamity>(
    plan: &Plan,
    mut scene: Scene,
    course: Course,
    calamity: &mut C,
) -> Result<Report> {
    let start = |(number, part)| Node::new(&scene, number, part);
    let nodes: Vec<Node> = course
        .nodes
        .into_iter()
        .enumerate()
        .map(start)
        .collect::<Result<_>>()?;
    let lasting = EACH_FAULT * u32::try_from(course.faults).unwrap_or(u32::MAX);
    let mut members = scene.members(course.records, lasting);
    let proxies = connect(&scene, plan, &nodes, &mut members, lasting).await?;
    let manners = Manners {
        power_cuts: 0.001,
        ..scene.manners()
    };
    let mut site = Site {
        broker: scene.broker.take(),
        nodes,
    };
    let mut report = Report {
        goal: course.goal,
        n: course.records,
        rss_start_kib: site.rss_kib(),
        ..Report::default()
    };
    let fleet = Fleet::start(&members, &manners)?;
    befall_all(plan, course.faults, calamity, (&mut site, &fleet, &mut report)).await?;
    let (tally, last) = (fleet.tally.clone(), Instant::now());
    let bins = finish(fleet, patience(plan)[1], &mut report).await?;
    let promised_after = last.elapsed();
    report.rss_end_kib = site.rss_kib();
    let stood = tally.stood();
    let mut times = calamity.times(promised_after);
    times.push(("longest_a_device_stood_ms", stood));
    for (name, time) in times {
        report.figures.insert(name.to_owned(), time.as_millis() as f64);
    }
    report.require(plan.sabotage.is_some() || stood < C::STANDS_STILL, || {
        format!("a device held records for {stood:?} and was promised nothing")
    });
    note(&mut report, &proxies, &tally, course.devices);
    site.end()?;
    scene.verdict(&bins, report, plan.sabotage.is_none()).await
}

/// Spread over the load, each at a moment of its own.
async fn befall_all<C: Calamity>(
    plan: &Plan,
    faults: u64,
    calamity: &mut C,
    (site, fleet, report): (&mut Site, &Fleet, &mut Report),
) -> Result<()> {
    let mut dice = Dice::new(drawn(plan.seed, 1), C::DICE, 0);
    let [stalled, _] = patience(plan);
    plan.bar.set_length(faults);
    for number in 1..=faults {
        let due = fleet.goal * number / (faults + 1);
        let stood = wait_until_due(fleet, due, stalled, || true).await;
        tokio::time::sleep(Duration::from_millis(u64::from(dice.below(40)))).await;
        let moment = Moment {
            number,
            stood,
            site,
            fleet,
            dice: &mut dice,
            report,
        };
        calamity.befall(moment).await?;
        plan.bar.inc(1);
    }
    Ok(())
}

/// All come to the broker, if there is one. Else a third of the devices come to whichever endpoint is next, a third each to
/// one of them alone: whoever comes to another is helped by what that one knows.
async fn connect(
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
