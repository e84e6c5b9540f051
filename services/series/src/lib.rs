#![doc = include_str!("../README.md")]

mod point;
mod query;
mod sqlite;

use std::path::Path;

use hemu_rules::Zone;

pub use point::{Measure, Point};
pub use query::{Agg, Line, Query, Step};

/// What can go wrong with the series.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store says no, for the moment or for good.
    #[error("the series database: {0}")]
    Store(#[from] sqlx::Error),
    /// The chart would have more points than asked for at most.
    #[error("this chart has more than {limit} points; ask for days instead of hours, or for a shorter time")]
    TooMany { limit: usize },
}

pub type Result<T> = std::result::Result<T, Error>;

/// A time-series store. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Series {
    backend: Backend,
}

/// The engines there are; InfluxDB 2 and VictoriaMetrics join here.
#[derive(Debug, Clone)]
enum Backend {
    Sqlite(sqlite::Rollups),
}

impl Series {
    /// Opens the embedded rollups, making the file when it is not there.
    pub async fn open(path: &Path, zone: Zone) -> Result<Self> {
        Ok(Self {
            backend: Backend::Sqlite(sqlite::Rollups::open(path, zone).await?),
        })
    }

    /// The journal position up to which points were written.
    pub async fn position(&self) -> Result<u64> {
        match &self.backend {
            Backend::Sqlite(rollups) => rollups.position().await,
        }
    }

    /// Writes the points of the journal after `after` and up to `upto`, all or none. Nothing happens (and `false` is
    /// answered) when the store is not exactly at `after`: someone else has written in between.
    pub async fn write(&self, after: u64, upto: u64, points: &[Point<'_>]) -> Result<bool> {
        match &self.backend {
            Backend::Sqlite(rollups) => rollups.write(after, upto, points).await,
        }
    }

    /// Reads a chart: one line a device and stream, points in time order.
    pub async fn read(&self, query: &Query) -> Result<Vec<Line>> {
        match &self.backend {
            Backend::Sqlite(rollups) => rollups.read(query).await,
        }
    }

    /// Forgets everything, so that the journal can be written again from its beginning.
    pub async fn clear(&self) -> Result<()> {
        match &self.backend {
            Backend::Sqlite(rollups) => rollups.clear().await,
        }
    }

    /// Closes the store's files.
    pub async fn close(&self) {
        match &self.backend {
            Backend::Sqlite(rollups) => rollups.close().await,
        }
    }
}
