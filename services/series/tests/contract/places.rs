//! The stores the contract is held against: the embedded one, and each engine that is there.

use std::sync::atomic::{AtomicUsize, Ordering};

use hemu_rules::Zone;
use hemu_series::{Engine, Line, Point, Query, Result, Series};
use tempfile::TempDir;

use crate::influx::{Fake, TOKEN};
use crate::victoria::Victoria;

/// Any time will do: nothing has been forgotten yet.
pub(crate) const NOW: i64 = 1_800_000_000_000;

/// Where stores of one kind can be made.
#[derive(Debug)]
pub(crate) enum Kind {
    Sqlite,
    Victoria(Victoria),
    Influx(Fake),
    /// An engine that the test looks after itself.
    At {
        url: String,
        token: Option<String>,
    },
}

impl Kind {
    /// `None` when the server is not installed and need not be.
    pub(crate) fn victoria() -> Option<Self> {
        Victoria::start().map(Self::Victoria)
    }

    /// Whatever InfluxDB the environment names, as `series_url` and `series_token` do.
    pub(crate) fn real_influx() -> Option<Self> {
        let Ok(url) = std::env::var("HEMU_TEST_INFLUX_URL") else {
            println!("skipped: HEMU_TEST_INFLUX_URL is not set");
            return None;
        };
        let token = std::env::var("HEMU_TEST_INFLUX_TOKEN").ok();
        Some(Self::At { url, token })
    }

    /// An address that needs no token.
    pub(crate) fn at(url: impl Into<String>) -> Self {
        Self::At {
            url: url.into(),
            token: None,
        }
    }

    fn engine(&self, site: &str) -> Option<Engine> {
        let (url, token) = match self {
            Self::Sqlite => return None,
            Self::Victoria(server) => (server.url(), None),
            Self::Influx(server) => (server.url(), Some(TOKEN)),
            Self::At { url, token } => (url.clone(), token.as_deref()),
        };
        Some(Engine::new(&url, token, site).unwrap())
    }

    /// What was sent can be asked for afterwards.
    fn flush(&self) {
        if let Self::Victoria(server) = self {
            server.flush();
        }
    }

    /// A place for one store that nobody else knows.
    pub(crate) fn place(&self) -> Place<'_> {
        static SITES: AtomicUsize = AtomicUsize::new(0);
        Place {
            kind: self,
            site: format!("{}-{}", std::process::id(), SITES.fetch_add(1, Ordering::Relaxed)),
            dir: tempfile::tempdir().unwrap(),
        }
    }
}

/// A folder, and a site in the engine.
#[derive(Debug)]
pub(crate) struct Place<'k> {
    kind: &'k Kind,
    site: String,
    dir: TempDir,
}

impl Place<'_> {
    pub(crate) async fn open(&self) -> Store<'_> {
        self.open_in(Zone::SHANGHAI).await
    }

    pub(crate) async fn open_in(&self, zone: Zone) -> Store<'_> {
        let engine = self.kind.engine(&self.site);
        let path = self.dir.path().join("series.db");
        let series = Series::open_with(&path, zone, engine).await.unwrap();
        Store {
            kind: self.kind,
            series,
        }
    }

    /// Opened, and something written into it.
    pub(crate) async fn written(&self, points: &[Point<'_>]) -> Store<'_> {
        let store = self.open().await;
        assert!(store.series.write(0, 1, points).await.unwrap());
        store
    }
}

/// An open store.
#[derive(Debug)]
pub(crate) struct Store<'k> {
    kind: &'k Kind,
    pub(crate) series: Series,
}

impl Store<'_> {
    /// Reads when the engine has everything.
    pub(crate) async fn read(&self, query: &Query) -> Result<Vec<Line>> {
        while self.series.push(NOW).await?.unsent > 0 {}
        self.kind.flush();
        self.series.read(query).await
    }

    pub(crate) async fn points(&self, query: &Query) -> Vec<(i64, f64)> {
        let lines = self.read(query).await.unwrap();
        lines.into_iter().flat_map(|line| line.points).collect()
    }
}
