#![doc = include_str!("../README.md")]

mod due;
mod engine;
mod packed;
mod point;
mod query;
mod sqlite;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use hemu_rules::Zone;

pub use engine::{Engine, Trouble, UrlError};
pub use point::{Measure, Point};
pub use query::{Agg, Line, Query, Step};

/// What can go wrong with the series.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store says no, for the moment or for good.
    #[error("the series database: {0}")]
    Store(#[from] sqlx::Error),
    /// The file was made by a newer version.
    #[error(
        "{} was written by a newer hemu (it has schema {found}, this version knows up to {known}); install that version or restore an older backup",
        path.display()
    )]
    Newer { path: PathBuf, found: i64, known: i64 },
    /// The engine beside it does.
    #[error("the charts' engine, {engine}, {trouble}")]
    Engine { engine: &'static str, trouble: Trouble },
    /// A row of the store cannot be read.
    #[error(
        "the charts' file is damaged (day row {place}); stop the server and have `hemu rebuild` fill it again"
    )]
    Damaged { place: i64 },
    /// The chart would have more points than asked for at most.
    #[error("this chart has more than {limit} points; ask for days instead of hours, or for a shorter time")]
    TooMany { limit: usize },
}

impl Error {
    /// How long the engine asked to be left alone.
    pub fn wait(&self) -> Option<Duration> {
        match self {
            Self::Engine {
                trouble: Trouble::Busy { wait, .. },
                ..
            } => *wait,
            _ => None,
        }
    }
}

pub type Result<T> = std::result::Result<T, Error>;

/// Buckets sent at once: with a line for each measure, about as many lines as InfluxDB likes best.
const BATCH: usize = 1_500;

/// A time-series store. Cheap to clone.
///
/// Points are always added up in the embedded rollups, by position. Where there is an engine, what a bucket then holds is
/// sent to it ([`Series::push`]), and charts are read from it.
#[derive(Debug, Clone)]
pub struct Series {
    rollups: sqlite::Rollups,
    engine: Option<Arc<Engine>>,
    found: Arc<Found>,
}

/// What the last writing and pushing of this process found: pages show it, and must not ask the file for it every second.
#[derive(Debug, Default)]
struct Found {
    position: AtomicU64,
    waiting: AtomicU64,
    engine_fails: AtomicBool,
}

/// How far the charts are, as this process last saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The journal position up to which points were written.
    pub position: u64,
    pub engine: Option<EngineState>,
}

/// How the engine is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngineState {
    pub name: &'static str,
    /// Buckets that it has not got yet.
    pub waiting: u64,
    /// Whether it took what it was last sent.
    pub answers: bool,
}

/// How far the engine is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pushed {
    /// Buckets sent just now.
    pub sent: usize,
    /// Buckets still to be sent.
    pub unsent: u64,
    /// Buckets sent of which the engine may yet lose its memory.
    pub unsure: u64,
}

impl Pushed {
    /// Whether the engine holds everything for good.
    pub fn is_done(self) -> bool {
        self.unsent + self.unsure == 0
    }
}

impl Series {
    /// Opens the embedded rollups, making the file when it is not there.
    pub async fn open(path: &Path, zone: Zone) -> Result<Self> {
        Self::open_with(path, zone, None).await
    }

    /// The same with an engine beside it, if there is to be one. An engine that the file does not know gets everything.
    /// It need not be there yet.
    pub async fn open_with(path: &Path, zone: Zone, engine: Option<Engine>) -> Result<Self> {
        let target = engine.as_ref().map(Engine::target).unwrap_or_default();
        let rollups = sqlite::Rollups::open(path, zone, engine.is_some()).await?;
        rollups.aim_at(&target).await?;
        let series = Self {
            rollups,
            engine: engine.map(Arc::new),
            found: Arc::default(),
        };
        series.position().await?;
        Ok(series)
    }

    /// The engine's name, where there is one.
    pub fn engine(&self) -> Option<&'static str> {
        self.engine.as_ref().map(|engine| engine.name())
    }

    /// The journal position up to which points were written.
    pub async fn position(&self) -> Result<u64> {
        let position = self.rollups.position().await?;
        self.found.position.store(position, Ordering::Relaxed);
        Ok(position)
    }

    /// How far the charts are, without asking anything: as the last of the other calls found it.
    pub fn progress(&self) -> Progress {
        Progress {
            position: self.found.position.load(Ordering::Relaxed),
            engine: self.engine().map(|name| EngineState {
                name,
                waiting: self.found.waiting.load(Ordering::Relaxed),
                answers: !self.found.engine_fails.load(Ordering::Relaxed),
            }),
        }
    }

    /// Writes the points of the journal after `after` and up to `upto`, all or none. Nothing happens (and `false` is
    /// answered) when the store is not exactly at `after`: someone else has written in between. No engine is asked.
    pub async fn write(&self, after: u64, upto: u64, points: &[Point<'_>]) -> Result<bool> {
        let written = self.rollups.write(after, upto, points).await?;
        if written {
            self.found.position.store(upto, Ordering::Relaxed);
        }
        Ok(written)
    }

    /// Sends the engine some of what it lacks; call it until nothing is unsent. `now` is in ms since 1970 UTC.
    ///
    /// Whoever does so at the same time does it as well: what is sent of a bucket is all it holds, and the newest wins.
    pub async fn push(&self, now: i64) -> Result<Pushed> {
        let Some(engine) = &self.engine else {
            return Ok(Pushed::default());
        };
        let pushed = self.push_some(engine, now).await;
        let fails = matches!(pushed, Err(Error::Engine { .. }));
        self.found.engine_fails.store(fails, Ordering::Relaxed);
        if let Ok(waiting) = self.rollups.waiting().await {
            self.found.waiting.store(waiting, Ordering::Relaxed);
        }
        pushed
    }

    async fn push_some(&self, engine: &Engine, now: i64) -> Result<Pushed> {
        let clearings = self.rollups.wipe_due().await?;
        if clearings > 0 {
            engine.wipe().await?;
            self.rollups.wiped(clearings).await?;
        }
        if let Some(instance) = engine.instance().await? {
            self.rollups.meet(&instance).await?;
        }
        if let Some(ms) = engine.forgets_for_ms() {
            self.rollups.settle(now.saturating_sub(ms)).await?;
        }
        self.rollups.fill(BATCH).await?;
        let batch = self.rollups.unsent(BATCH).await?;
        if !batch.is_empty() {
            engine.write(&batch.buckets).await?;
            let keep = engine.forgets_for_ms().map(|_| now);
            self.rollups.sent(&batch, keep).await?;
        }
        let (unsent, unsure) = self.rollups.due().await?;
        Ok(Pushed {
            sent: batch.len(),
            unsent,
            unsure,
        })
    }

    /// Buckets that the engine has not got yet.
    pub async fn unsent(&self) -> Result<u64> {
        self.rollups.due().await.map(|(unsent, _)| unsent)
    }

    /// Has everything sent to the engine again; goes on where it was if that is under way. Answers how many buckets there
    /// are to send.
    pub async fn refill(&self) -> Result<u64> {
        self.rollups.refill().await
    }

    /// Asks the engine for the oldest bucket it was sent: `Ok(Some)` is the start of one that it no longer has.
    pub async fn forgotten(&self) -> Result<Option<i64>> {
        let Some(engine) = &self.engine else {
            return Ok(None);
        };
        let Some(oldest) = self.rollups.oldest_day().await? else {
            // Nothing there to ask for: whether it answers at all.
            return engine
                .read(&Query::of_nothing(), self.rollups.zone)
                .await
                .map(|_| None);
        };
        let found = engine.read(&oldest, self.rollups.zone).await?;
        Ok(found.is_empty().then_some(oldest.from))
    }

    /// Reads a chart: one line a device and stream that has points in it, points in time order.
    pub async fn read(&self, query: &Query) -> Result<Vec<Line>> {
        match &self.engine {
            None => self.rollups.read(query).await,
            Some(engine) => engine.read(query, self.rollups.zone).await,
        }
    }

    /// Forgets everything, so that the journal can be written again from its beginning; the engine does with the next
    /// [`Series::push`].
    pub async fn clear(&self) -> Result<()> {
        self.rollups.clear().await
    }

    /// Closes the store's files.
    pub async fn close(&self) {
        self.rollups.close().await;
    }
}
