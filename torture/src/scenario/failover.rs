//! A primary that dies, and the standby it waited for that takes over; afterwards the oracle. Nodes find the database under
//! one address, which an operator moves. The one that died comes back as a copy of the new primary, and follows it.

use std::time::Duration;

use anyhow::{Context, Result};
use firmware_sim::draw::Dice;
use tokio::time::Instant;

use super::ordeal::wait_until_due;
use super::site::{self, Calamity, Course, Moment, NODES};
use crate::address::Address;
use crate::fleet::Fleet;
use crate::plan::Plan;
use crate::postgres::Postgres;
use crate::report::Report;
use crate::sabotage::Sabotage;
use crate::scene::Scene;

const DEVICES: u64 = 8;
/// Without a standby that is waited for, so many records are promised that only the primary has.
const ONLY_THE_PRIMARY_HAS: u64 = 200;
/// Or as many as are promised in so long.
const AWAY: Duration = Duration::from_secs(20);

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
    /// The longest time without a primary.
    longest: Duration,
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
            longest: Duration::ZERO,
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

impl Calamity for Pair<'_> {
    const DICE: &'static str = "failover";
    /// A takeover and a copy of the database together take a fraction of it.
    const STANDS_STILL: Duration = Duration::from_mins(1);

    async fn befall(&mut self, moment: Moment<'_>) -> Result<()> {
        let before = Before::drawn(moment.dice, moment.number, self.plan);
        let without = self.fail_over(&before, moment.fleet, moment.report).await?;
        self.longest = self.longest.max(without);
        Ok(())
    }

    fn times(&self, _: Duration) -> Vec<(&'static str, Duration)> {
        vec![("longest_without_a_primary_ms", self.longest)]
    }
}

pub(super) async fn failover(plan: &Plan) -> Result<Report> {
    let records = plan.records.unwrap_or(plan.sized(3_000, 50_000));
    let faults = plan.kills.unwrap_or(plan.sized(2, 20));
    let mut scene = Scene::set(plan, DEVICES, records).await?;
    let primary = scene.postgres.take().context("this scene has files")?;
    let mut pair = Pair::of(primary, plan).await?;
    scene.home.store = Some(format!("postgres://hemu@{}/postgres", pair.address.addr));
    let course = Course {
        goal: format!(
            "0 of {records} acknowledged lost over {faults} failovers, 0 doubled, lists byte-equal"
        ),
        devices: DEVICES,
        records,
        faults,
        nodes: NODES,
    };
    site::run(plan, scene, course, &mut pair).await
}
