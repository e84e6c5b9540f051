//! A primary that dies, and the standby it waited for that takes over; afterwards the oracle. Nodes find the database under
//! one address, which an operator moves. The one that died comes back as a copy of the new primary, and follows it.

use std::time::Duration;

use anyhow::{Context, Result};
use firmware_sim::draw::Dice;
use tokio::time::Instant;

use super::nodes::{EACH_FAULT, NODES, Node, connect};
use super::ordeal::{note, patience, wait_until_due};
use crate::address::Address;
use crate::child::Server;
use crate::fleet::{Bin, Fleet, Manners};
use crate::lists;
use crate::plan::Plan;
use crate::postgres::Postgres;
use crate::report::Report;
use crate::sabotage::Sabotage;
use crate::scene::{Scene, drawn, sent};

const DEVICES: u64 = 8;
/// Without a standby that is waited for, so many records are promised that only the primary has.
const ONLY_THE_PRIMARY_HAS: u64 = 200;
/// Or as many as are promised in so long.
const AWAY: Duration = Duration::from_secs(20);
/// Nobody waits longer for a promise: a takeover and a copy of the database together take a fraction of it.
const STANDS_STILL: Duration = Duration::from_mins(1);

/// What happens before the primary dies for good.
struct Before {
    /// The standby is away for so long.
    without_standby: Option<Duration>,
    /// Meanwhile the primary dies and comes back, and shows what the standby never had.
    crashes: bool,
    /// The address moves before the standby has become a primary.
    moves_early: bool,
}

impl Before {
    fn drawn(dice: &mut Dice, number: u64, plan: &Plan) -> Self {
        let away = Duration::from_millis(u64::from(300 + dice.below(900)));
        let (is_away, moves_early) = (dice.chance(0.5), dice.chance(0.5));
        // Every other time, so that a small run has it too.
        let crashes = number.is_multiple_of(2);
        if plan.sabotage == Some(Sabotage::AsyncStandby) {
            return Self {
                without_standby: Some(AWAY),
                crashes: false,
                moves_early,
            };
        }
        Self {
            without_standby: (is_away || crashes).then_some(away),
            crashes,
            moves_early,
        }
    }
}

/// The database: who is who just now, and the address of the primary.
struct Pair<'p> {
    plan: &'p Plan,
    primary: Postgres,
    standby: Postgres,
    address: Address,
}

impl<'p> Pair<'p> {
    /// Gives a database a standby, and an address.
    async fn of(mut primary: Postgres, plan: &'p Plan) -> Result<Self> {
        if plan.sabotage != Some(Sabotage::AsyncStandby) {
            primary.wait_for_standby()?;
        }
        let standby = Postgres::standby_of(&primary, &plan.work)?;
        primary.until_followed().await?;
        let address = Address::of(primary.addr()).await?;
        Ok(Self {
            plan,
            primary,
            standby,
            address,
        })
    }

    /// One failover; how long there was no primary.
    async fn fail_over(&mut self, before: &Before, fleet: &Fleet, report: &mut Report) -> Result<Duration> {
        let mut count = |name: &str| *report.faults.entry(name.to_owned()).or_default() += 1;
        if let Some(away) = before.without_standby {
            self.standby.kill()?;
            count("standby_kills");
            if self.plan.sabotage.is_some() {
                let due = fleet.tally.erased() + ONLY_THE_PRIMARY_HAS;
                wait_until_due(fleet, due, away, || true).await;
            } else {
                tokio::time::sleep(away).await;
            }
            if before.crashes {
                self.primary.kill()?;
                count("primary_restarts");
                self.primary.go_on()?;
                tokio::time::sleep(away).await;
            }
        }
        let died = Instant::now();
        self.primary.kill()?;
        count("primary_kills");
        self.standby.go_on()?;
        if before.moves_early {
            self.address.moves_to(self.standby.addr());
        }
        self.standby.promote().await?;
        self.address.moves_to(self.standby.addr());
        let without = died.elapsed();
        let copy = Postgres::standby_of(&self.standby, &self.plan.work)?;
        let promoted = std::mem::replace(&mut self.standby, copy);
        let mut old = std::mem::replace(&mut self.primary, promoted);
        self.primary.until_followed().await?;
        // It ends in order, with what it shared with its children, and nobody ever asks it again.
        old.go_on()?;
        Ok(without)
    }
}

pub(super) async fn failover(plan: &Plan) -> Result<Report> {
    let records = plan.records.unwrap_or(plan.sized(3_000, 50_000));
    let faults = plan.kills.unwrap_or(plan.sized(2, 20));
    let mut scene = Scene::set(plan, DEVICES, records).await?;
    let primary = scene.postgres.take().context("this scene has files")?;
    let mut pair = Pair::of(primary, plan).await?;
    scene.home.store = Some(format!("postgres://hemu@{}/postgres", pair.address.addr));
    let start = |(number, node)| Node::new(&scene, number, node);
    let nodes: Vec<Node> = NODES.into_iter().enumerate().map(start).collect::<Result<_>>()?;
    let lasting = EACH_FAULT * u32::try_from(faults).unwrap_or(u32::MAX);
    let mut members = scene.members(records, lasting);
    let proxies = connect(&scene, plan, &nodes, &mut members, lasting).await?;
    let manners = Manners {
        power_cuts: 0.001,
        ..scene.manners()
    };
    let rss = || nodes.iter().filter_map(Node::server).map(Server::rss_kib).sum();
    let mut report = Report {
        goal: format!(
            "0 of {records} acknowledged lost over {faults} failovers, 0 doubled, lists byte-equal"
        ),
        n: records,
        rss_start_kib: rss(),
        ..Report::default()
    };
    let fleet = Fleet::start(&members, &manners)?;
    let mut dice = Dice::new(drawn(plan.seed, 1), "failover", 0);
    let [stalled, patience] = patience(plan);
    plan.bar.set_length(faults);
    let mut longest = Duration::ZERO;
    for number in 1..=faults {
        let due = fleet.goal * number / (faults + 1);
        wait_until_due(&fleet, due, stalled, || true).await;
        tokio::time::sleep(Duration::from_millis(u64::from(dice.below(40)))).await;
        let before = Before::drawn(&mut dice, number, plan);
        longest = longest.max(pair.fail_over(&before, &fleet, &mut report).await?);
        plan.bar.inc(1);
    }
    let tally = fleet.tally.clone();
    let bins = fleet.finish(patience).await?;
    let stood = tally.stood();
    for (name, time) in [
        ("longest_without_a_primary_ms", longest),
        ("longest_a_device_stood_ms", stood),
    ] {
        report.figures.insert(name.to_owned(), time.as_millis() as f64);
    }
    report.require(plan.sabotage.is_some() || stood < STANDS_STILL, || {
        format!("a device held records for {stood:?} and was promised nothing")
    });
    report.rss_end_kib = rss();
    report.close(&tally, bins.iter().map(Bin::held).sum());
    note(&mut report, &proxies, &tally, DEVICES);
    nodes.into_iter().try_for_each(Node::end)?;
    let mut verdict = scene.examine(&bins).await?;
    if plan.sabotage.is_none() {
        verdict.lists = lists::compare(&scene, &sent(&bins), &mut report)?;
    }
    report.judged(verdict);
    Ok(report)
}
