//! What every handler is given. Built by the composition root, never changed afterwards.

use std::fmt;
use std::sync::Arc;

use hemu_ledger::Ledger;
use hemu_rules::{Day, Millis, Zone};
use hemu_series::Series;

use crate::{
    Activity, Check, Door, DryRuns, Inspections, Intake, Jobs, Live, Metrics, Pace, People, PublicEnds,
    Screens, Standings, Turnouts,
};

/// The parts of the HTTP face.
#[derive(Debug)]
pub struct Api {
    pub ledger: Ledger,
    pub series: Series,
    pub clock: Clock,
    /// What logging in needs.
    pub people: People,
    pub site: Site,
    /// How long the bytes of what was set aside are shown, ms.
    pub raw_shown_ms: i64,
    /// This server's name among those on the same data, for the lease of an edition.
    pub holder: String,
    pub presence: Presence,
    pub door: Door,
    pub pace: Pace,
    /// What `/readyz` asks, in order.
    pub checks: Vec<Check>,
    pub standings: Standings,
    pub inspections: Inspections,
    pub intake: Intake,
    pub dry_runs: DryRuns,
    pub jobs: Jobs,
    pub activity: Activity,
    pub screens: Screens,
    pub ends: PublicEnds,
    pub turnouts: Turnouts,
    pub live: Live,
    pub metrics: Metrics,
}

/// What the site says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Site {
    pub name: String,
    /// How many seconds of the server's clock pass in one: 1, but for a demo.
    pub speed: f64,
    pub demo: bool,
    pub version: String,
}

/// The server's clock; a demo's runs fast.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> i64 + Send + Sync>);

impl Clock {
    /// `now` answers ms since 1970 UTC.
    pub fn new(now: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// Milliseconds since 1970 UTC.
    pub fn now(&self) -> i64 {
        (self.0)()
    }

    /// The local day it is.
    pub fn today(&self, zone: Zone) -> Day {
        Day::of(Millis::clamped(self.now()), zone)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clock").field(&self.now()).finish()
    }
}

/// Which devices are connected right now.
#[derive(Clone)]
pub struct Presence(Arc<dyn Fn(&str) -> bool + Send + Sync>);

impl Presence {
    pub fn new(connected: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(connected))
    }

    pub fn connected(&self, device: &str) -> bool {
        (self.0)(device)
    }
}

impl fmt::Debug for Presence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Presence")
    }
}
