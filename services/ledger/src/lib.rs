#![doc = include_str!("../README.md")]

pub mod acts;
mod anchor;
mod backup;
mod bytes;
pub mod cell;
mod copy;
pub mod cursor;
mod db;
mod dice;
pub mod entry;
mod error;
pub mod health;
pub mod journal;
mod ledger;
pub mod people;
pub mod privacy;
pub mod project;
pub mod read;
pub mod registry;
mod restore;
mod rows;
pub mod segment;
mod sight;
mod store;
mod sums;
pub mod verify;

pub use backup::{Contents, Snapshot};
pub use dice::Dice;
pub use error::{Error, Result};
pub use journal::{Head, Journal, Position};
pub use ledger::{Alone, Ledger};
pub use project::{CLOCK_AHEAD_MS, Projector, Step};
pub use restore::{Restore, Restored};
pub use sight::{Seen, Sight};
pub use store::{Folder, LOG_BYTES, Lock, Role};
pub use sums::HouseholdDay;
