//! Every scenario by name. Each sets its own scene, does its harm, and says what it found.

mod disk;
mod failover;
mod mass;
mod nodes;
mod odd;
mod ordeal;
mod rot;
mod site;
mod slowloris;
mod timebank;

use anyhow::Result;
use clap::ValueEnum;
use tokio::time::Instant;

use crate::child::Mosquitto;
use crate::disk::Disk;
use crate::plan::{Db, Plan};
use crate::postgres::Postgres;
use crate::report::Report;
use crate::sabotage::Sabotage;

/// What can be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// SIGKILL of server and broker at random moments, SIGSTOP in between, a bad network, devices losing power.
    Kill9,
    /// A PostgreSQL dies for good, again and again, and the standby it waited for takes over.
    Failover,
    /// The power fails: every write that no fsync made durable is taken back.
    PowerCut,
    /// No space for some seconds.
    DiskFull,
    /// Every fsync stalls for 5 s.
    SlowDisk,
    /// A Mosquitto in front is killed again and again.
    BrokerRestart,
    /// One bit of a copy of the store flips.
    BitFlip,
    /// Clocks that are wrong by any amount.
    Skew,
    /// Two devices with one key, and other content under the same numbers.
    Clone,
    /// Records and noise that the contract does not allow, among good ones.
    Poison,
    /// Many devices come back after days without a connection, while others live on.
    Backlog,
    /// Thousands of connections that say next to nothing, beside good ones.
    Slowloris,
    /// All connections are cut at once, and come back.
    Storm,
    /// A steady load for a time.
    Soak,
    /// The server starts again after a kill, with many rows in its store.
    Recovery,
    /// Many give away the same minutes at once, while the server is killed.
    Timebank,
}

impl Scenario {
    /// Its name, as on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kill9 => "kill9",
            Self::Failover => "failover",
            Self::PowerCut => "power-cut",
            Self::DiskFull => "disk-full",
            Self::SlowDisk => "slow-disk",
            Self::BrokerRestart => "broker-restart",
            Self::BitFlip => "bit-flip",
            Self::Skew => "skew",
            Self::Clone => "clone",
            Self::Poison => "poison",
            Self::Backlog => "backlog",
            Self::Slowloris => "slowloris",
            Self::Storm => "storm",
            Self::Soak => "soak",
            Self::Recovery => "recovery",
            Self::Timebank => "timebank",
        }
    }

    /// Runs it to its end. An error is a scene that could not be set; what was missed is in the report.
    pub async fn run(self, plan: &Plan) -> Result<Report> {
        let behind_mosquitto = plan.behind_mosquitto || self == Self::BrokerRestart;
        let db = if self == Self::Failover {
            Db::Postgres
        } else {
            plan.db
        };
        let plan = &Plan {
            behind_mosquitto,
            db,
            ..plan.clone()
        };
        plan.bar.set_message(self.name());
        plan.bar.set_position(0);
        // What is there when it begins: in hours somebody may have gone on working.
        let (began, git) = (Instant::now(), commit());
        let mut report = match self.absent(plan) {
            Some(why) => Report {
                skipped: Some(why),
                ..Report::default()
            },
            None => match self {
                Self::Kill9 if plan.db == Db::Postgres => nodes::kill9(plan).await?,
                Self::Kill9 => ordeal::kill9(plan).await?,
                Self::Failover => failover::failover(plan).await?,
                Self::PowerCut => ordeal::power_cut(plan).await?,
                Self::DiskFull => disk::full(plan).await?,
                Self::SlowDisk => disk::slow(plan).await?,
                Self::BrokerRestart => ordeal::broker_restart(plan).await?,
                Self::BitFlip => rot::bit_flip(plan).await?,
                Self::Skew => odd::skew(plan).await?,
                Self::Clone => odd::clone(plan).await?,
                Self::Poison => odd::poison(plan).await?,
                Self::Backlog => mass::backlog(plan).await?,
                Self::Slowloris => slowloris::slowloris(plan).await?,
                Self::Storm => mass::storm(plan).await?,
                Self::Soak => mass::soak(plan).await?,
                Self::Recovery => mass::recovery(plan).await?,
                Self::Timebank => timebank::double_spend(plan).await?,
            },
        };
        report.scenario = self.name();
        report.seconds = began.elapsed().as_secs_f64();
        report.seed = plan.seed;
        report.git = git;
        report.broker = if plan.behind_mosquitto {
            "mosquitto"
        } else {
            "embedded"
        };
        report.db = match plan.db {
            Db::Sqlite => "sqlite",
            Db::Postgres => "pg",
        };
        report.sabotage = plan.sabotage;
        report.ok = report.misses.is_empty();
        Ok(report)
    }

    /// Why this cannot be run here.
    fn absent(self, plan: &Plan) -> Option<String> {
        let fails = matches!(self, Self::PowerCut | Self::DiskFull | Self::SlowDisk);
        let fails = fails || plan.sabotage == Some(Sabotage::SyncNormal);
        if plan.behind_mosquitto && !Mosquitto::is_there() {
            return Some("mosquitto is not installed".to_owned());
        }
        if plan.db == Db::Postgres {
            if !Postgres::is_there() {
                return Some("postgresql is not installed".to_owned());
            }
            let known = matches!(self, Self::Kill9 | Self::Failover | Self::Timebank);
            if !known || fails || (plan.behind_mosquitto && self != Self::Kill9) {
                return Some(
                    "with --db pg there are kill9, failover and timebank, the latter two at the embedded endpoint, on a \
                     sound disk"
                        .to_owned(),
                );
            }
        }
        (fails && !Disk::can_be_built())
            .then(|| "cc is not installed, and the failing disk is made with it".to_owned())
    }
}

/// The commit of the working tree, where git knows, and whether something is changed in it.
fn commit() -> String {
    let output = std::process::Command::new("git")
        .args(["describe", "--always", "--exclude=*", "--abbrev=7", "--dirty"])
        .output();
    output.map_or_else(
        |_| String::new(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}
