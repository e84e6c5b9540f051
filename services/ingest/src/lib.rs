#![doc = include_str!("../README.md")]

pub mod accept;
pub mod broker;
pub mod commit;
pub mod conflicts;
mod counted;
mod cursors;
pub mod feed;
pub mod fold;
pub mod handset;
pub mod import;
mod lines;
pub mod metrics;
pub mod receipts;

use std::sync::Arc;

/// The server's clock: ms since 1970 UTC. The demo's runs fast, a test's stands still.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

pub use accept::{Accepted, accept};
pub use commit::{Committer, Intake, Submission};
pub use cursors::Owed;
pub use metrics::Metrics;
