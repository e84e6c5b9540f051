#![doc = include_str!("../README.md")]
//!
//! This crate is the words on the wire and nothing else: no socket, no clock, no storage, no opinion
//! on what a reading is worth.

mod command;
mod decode;
mod deposit;
mod device;
mod incident;
mod parse;
mod receipt;
mod record;
mod reject;
pub mod samples;
mod stamp;
mod status;
mod topic;
mod value;

pub use command::{Command, CommandError, CommandKind};
pub use deposit::{By, Deposit, Stream};
pub use device::{DeviceId, DeviceIdError};
pub use incident::{Incident, IncidentKind};
pub use parse::{Parsed, parse};
pub use receipt::{Receipt, ReceiptError, key_digest, sign, verify};
pub use record::{EncodeError, Record, encode};
pub use reject::{Reason, Rejected};
pub use stamp::{AT_MAX, Stamp};
pub use status::{BinState, Lost, Status};
pub use topic::{Down, TopicError, Up, down_topic, parse_down, parse_up, up_of, up_topic};

/// Most records that one payload may carry.
pub const MAX_BATCH: usize = 256;
/// Most bytes of one MQTT packet, header included.
pub const MAX_PACKET: usize = 64 * 1024;
/// Most bytes of a refused record that are kept for inspection.
pub const MAX_RAW: usize = 4096;
/// Most bins that one status may describe.
pub const MAX_BINS: usize = 32;
/// Most grams of one deposit.
pub const MAX_WEIGHT_G: u32 = 200_000;
