//! What every scenario stands on: a folder of its own, a store with logins and households, the server, and at the end the
//! oracle. Must not: know what a scenario does in between.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use firmware_sim::draw::{Dice, mix};
use firmware_sim::keys::Key;
use firmware_sim::load::{Crowd, Script};
use tempfile::TempDir;
use tokio::time::Instant;

use crate::child::{Home, Mosquitto, Server, free_port};
use crate::disk::Disk;
use crate::fleet::{Bin, Fleet, Manners, Member, Trust};
use crate::lists;
use crate::oracle::{self, Sent, Verdict};
use crate::plan::{Db, Plan};
use crate::postgres::Postgres;
use crate::report::Report;
use crate::said::{self, FIRST, Says};
use crate::store::{self, Store};
use crate::witness;

/// How long everybody has to tell the rest, where nothing stands in the way any more.
const PATIENCE: Duration = Duration::from_mins(5);
/// Devices that may be connected at once.
pub const CONNECTIONS: u64 = 20_000;

/// A store with logins and households, before anything happened to it.
#[derive(Debug)]
pub struct Scene {
    /// Everything of this scenario is in it; gone afterwards.
    pub folder: TempDir,
    /// How the server is run.
    pub home: Home,
    /// The devices' logins.
    pub keys: Vec<Key>,
    /// The registered households.
    pub crowd: Arc<Crowd>,
    /// The broker in front, if there is one.
    pub broker: Option<Mosquitto>,
    /// The failing disk under the store, if there is one.
    pub disk: Option<Disk>,
    /// The database the store is in, if it is not in files.
    pub postgres: Option<Postgres>,
    seed: u64,
}

impl Scene {
    /// `devices` logins, and households for so many records.
    pub async fn set(plan: &Plan, devices: u64, records: u64) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("hemu-torture-")
            .tempdir_in(&plan.work)?;
        let postgres = match plan.db {
            Db::Sqlite => None,
            Db::Postgres => Some(Postgres::start(&plan.work)?),
        };
        let home = Home {
            program: plan.hemu.clone(),
            data: folder.path().join("data"),
            log: folder.path().join("hemu.log"),
            port: free_port()?,
            config: None,
            store: postgres.as_ref().map(Postgres::url),
            roles: None,
            environment: vec![
                ("HEMU_MQTT_CONNECTIONS".into(), CONNECTIONS.to_string()),
                (
                    "HEMU_MQTT_CONNECTIONS_PER_ADDRESS".into(),
                    CONNECTIONS.to_string(),
                ),
            ],
        };
        let mut dice = Dice::new(plan.seed, "keys", 0);
        let key = |number| Key {
            device: format!("dev-{number:05}"),
            key: format!("{:016x}", dice.bits()),
        };
        let keys: Vec<Key> = (0..devices).map(key).collect();
        let crowd = said::crowd(records);
        std::fs::write(folder.path().join("households.csv"), households(&crowd))?;
        std::fs::create_dir(folder.path().join("devices"))?;
        let mut scene = Self {
            folder,
            home,
            keys,
            crowd,
            broker: None,
            disk: None,
            postgres,
            seed: plan.seed,
        };
        scene.fill(&scene.home)?;
        store::register(&scene.home, &scene.keys).await?;
        if plan.behind_mosquitto {
            let (broker, config) = Mosquitto::start(scene.folder.path(), &scene.keys)?;
            (scene.broker, scene.home.config) = (Some(broker), Some(config));
        }
        Ok(scene)
    }

    /// From the next start on, the server's files are on a disk that fails when told.
    pub fn on_failing_disk(mut self) -> Result<Self> {
        let disk = Disk::build(&self.folder.path().join("disk"))?;
        self.home.environment.extend(disk.environment(&self.home.data));
        self.disk = Some(disk);
        Ok(self)
    }

    /// The failing disk of a scene that has one.
    pub fn disk(&self) -> Result<&Disk> {
        self.disk
            .as_ref()
            .context("this scene has a disk that does not fail")
    }

    /// Makes the tables of a store, and registers the households.
    pub fn fill(&self, home: &Home) -> Result<()> {
        home.command(&["migrate"])?;
        let file = self.folder.path().join("households.csv");
        home.command(&["household", "import", &file.to_string_lossy()])?;
        Ok(())
    }

    /// What device `index` says when nothing is the matter with it.
    pub fn usual(&self, index: usize) -> Says {
        let (lane, lanes) = (index as u64, self.keys.len() as u64);
        said::usual(Script::new(
            self.seed,
            self.crowd.clone(),
            FIRST,
            lane,
            lanes,
            &self.keys[index].device,
        ))
    }

    /// All devices with `records` between them. Half of them trust PUBACKs, where those promise anything, and go as fast as
    /// they can; the others take about `lasting` for theirs.
    pub fn members(&self, records: u64, lasting: Duration) -> Vec<Member> {
        let (devices, mut members) = (self.keys.len() as u64, Vec::new());
        for (index, key) in self.keys.iter().enumerate() {
            let share = |number: u64| records * number / devices;
            let simple = index % 2 == 0;
            let goal = share(index as u64 + 1) - share(index as u64);
            members.push(Member {
                key: key.clone(),
                says: self.usual(index),
                goal,
                trust: if simple && self.broker.is_none() {
                    Trust::Puback
                } else {
                    Trust::Receipt
                },
                lasting: (!simple).then_some(lasting),
                addr: None,
            });
        }
        members
    }

    /// How the devices behave unless a scenario says otherwise; they still need an address.
    pub fn manners(&self) -> Manners {
        Manners {
            addr: self
                .broker
                .as_ref()
                .map_or(([127, 0, 0, 1], self.home.port).into(), |broker| broker.addr),
            folder: self.folder.path().join("devices"),
            seed: self.seed,
            window: 64,
            batch: 8,
            ring: 4_096,
            files_stay_open: true,
            puback_promises: self.broker.is_none(),
            power_cuts: 0.0,
            noise: 0.0,
            patience: Duration::from_secs(4),
            look: Duration::from_millis(5),
        }
    }

    /// Ends the server in order and holds its store against what these devices said and were promised.
    pub async fn judge(&self, server: Server, bins: &[Bin]) -> Result<Verdict> {
        server.end()?;
        self.examine(bins).await
    }

    /// Holds a store that no server has open any more against what these devices said and were promised.
    pub async fn examine(&self, bins: &[Bin]) -> Result<Verdict> {
        let mut promises = Vec::new();
        for bin in bins {
            promises.extend(witness::read(&bin.key().device, &bin.log())?);
        }
        let verify = self
            .home
            .command(&["verify"])
            .err()
            .map(|error| error.to_string());
        let mut store = Store::open(&self.home).await?;
        let mut verdict = oracle::judge(&mut store, &sent(bins), promises).await?;
        let integrity = store.integrity().await?;
        store.close().await?;
        verdict.verify = verify.or((integrity != "ok").then_some(integrity));
        Ok(verdict)
    }

    /// Everybody tells the rest and is promised it; then the oracle. Lists are compared if asked.
    pub async fn conclude(
        &self,
        server: Server,
        fleet: Fleet,
        mut report: Report,
        lists: bool,
    ) -> Result<Report> {
        let bins = finish(fleet, PATIENCE, &mut report).await?;
        report.rss_end_kib = server.rss_kib();
        server.end()?;
        self.verdict(&bins, report, lists).await
    }

    /// The oracle's word on a store that no server has open any more. Lists are compared if asked.
    pub async fn verdict(&self, bins: &[Bin], mut report: Report, lists: bool) -> Result<Report> {
        let mut verdict = self.examine(bins).await?;
        if lists {
            verdict.lists = lists::compare(self, &sent(bins), &mut report)?;
        }
        report.judged(verdict);
        Ok(report)
    }
}

/// Everybody tells the rest and is promised it, within a time; what that came to is in the report.
pub async fn finish(fleet: Fleet, patience: Duration, report: &mut Report) -> Result<Vec<Bin>> {
    let tally = fleet.tally.clone();
    let bins = fleet.finish(patience).await?;
    report.close(&tally, bins.iter().map(Bin::held).sum());
    Ok(bins)
}

/// What these devices said.
pub fn sent(bins: &[Bin]) -> Vec<Sent> {
    let of = |bin: &Bin| {
        let (boot, upto) = bin.told();
        Sent {
            device: bin.key().device.clone(),
            boot,
            upto,
            says: bin.member().says.clone(),
        }
    };
    bins.iter().map(of).collect()
}

fn households(crowd: &Crowd) -> String {
    let Crowd::Named(tokens) = crowd else {
        return String::new();
    };
    let row = |(number, token): (usize, _)| format!("{token},E1,B{},1,{number},3,\n", number / 40);
    let rows = tokens.iter().enumerate().map(row);
    std::iter::once("household,estate,building,unit,door,residents,station\n".to_owned())
        .chain(rows)
        .collect()
}

/// A number for one purpose of a scenario.
pub fn drawn(seed: u64, purpose: u64) -> u64 {
    mix(seed ^ mix(purpose))
}

/// Until it is so, at most so long.
pub async fn until(patience: Duration, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + patience;
    while !so() && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The folder of a store's files copied elsewhere.
pub fn copy(from: &Path, to: &Path) -> Result<PathBuf> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        std::fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(to.to_owned())
}
