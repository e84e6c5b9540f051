//! What a run is asked for.

use std::path::PathBuf;

use indicatif::ProgressBar;

use crate::sabotage::Sabotage;

/// How large.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Size {
    /// A few minutes for all scenarios together.
    Ci,
    /// Hours.
    Release,
}

/// What the server keeps its records in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Db {
    /// A data folder.
    Sqlite,
    /// A PostgreSQL, shared by several nodes.
    #[value(name = "pg")]
    Postgres,
}

/// The run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The `hemu` binary.
    pub hemu: PathBuf,
    /// Where scenarios make their folders.
    pub work: PathBuf,
    /// Everything is drawn from it.
    pub seed: u64,
    /// How large.
    pub size: Size,
    /// Faults instead of the size's number.
    pub kills: Option<u64>,
    /// Records instead of the size's number.
    pub records: Option<u64>,
    /// Seconds instead of the size's, for what takes a time.
    pub seconds: Option<u64>,
    /// Devices talk to a Mosquitto in front of the server.
    pub behind_mosquitto: bool,
    /// What the server keeps its records in.
    pub db: Db,
    /// The machine's clock when the run began, ms since 1970.
    pub now: i64,
    /// What is spoilt on purpose.
    pub sabotage: Option<Sabotage>,
    /// Where progress is shown.
    pub bar: ProgressBar,
}

impl Plan {
    /// One of two figures by size.
    pub fn sized<T>(&self, ci: T, release: T) -> T {
        match self.size {
            Size::Ci => ci,
            Size::Release => release,
        }
    }
}
