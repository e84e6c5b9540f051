#![doc = include_str!("../README.md")]

pub mod access;
mod api;
mod asker;
mod check;
mod dashboards;
mod describe;
mod door;
mod extract;
mod fleet;
mod headers;
mod inspections;
pub mod live;
mod mask;
mod metrics;
mod origin;
mod pace;
mod page;
mod people;
mod places;
mod probes;
mod problem;
mod rank;
mod router;
mod serve;
mod standings;
#[cfg(test)]
mod testing;
mod v1;
mod viewer;

pub use api::{Api, Clock, Presence, Site};
pub use check::{Check, Outcome};
pub use door::Door;
pub use inspections::Inspections;
pub use live::Live;
pub use metrics::{Metrics, metrics_router};
pub use pace::Pace;
pub use people::People;
pub use places::Places;
pub use problem::Problem;
pub use router::{openapi, router};
pub use serve::{serve, serve_metrics};
pub use standings::Standings;
pub use v1::overview::Activity;
pub use v1::rules::dry_run::DryRuns;
pub use v1::screen::Screens;
