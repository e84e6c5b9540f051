//! The ledger against its claims, on real files in temporary folders.
#![expect(
    clippy::unwrap_used,
    reason = "a test whose data cannot be prepared has failed"
)]

mod bytes;
mod chain;
mod editions;
mod exactly_once;
mod golden;
mod groups;
mod hysteresis;
mod inspectors;
mod machine;
mod occupancy;
mod order;
mod process;
mod registry;
mod replay;
mod rules;
mod shadow;
mod site;
mod store;
mod strikes;
mod verify;
mod withheld;
