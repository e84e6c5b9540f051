//! Golden payloads, the bytes that devices send and hear. Tests of every room read these, so that all speak
//! of one contract; changing one is a change of the contract. Each file ends with a line feed, which JSON
//! ignores.

use crate::topic::Up;

/// One golden up payload and what [`crate::parse`] makes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// The file's name without its ending.
    pub name: &'static str,
    /// The topic it is published on.
    pub up: Up,
    /// The payload.
    pub json: &'static str,
    /// Whether encoding its records gives these very bytes (without the line feed).
    pub canonical: bool,
    /// How many records are accepted.
    pub accepted: usize,
    /// How many records are refused.
    pub rejected: usize,
    /// How many unknown members the accepted ones have.
    pub unknown_fields: u64,
}

/// Every field of a deposit.
pub const DEPOSIT: &str = include_str!("../samples/deposit.json");
/// Only what a deposit must have.
pub const DEPOSIT_MINIMAL: &str = include_str!("../samples/deposit_minimal.json");
/// Every upper bound, Chinese and emoji tokens.
pub const DEPOSIT_INSPECTOR: &str = include_str!("../samples/deposit_inspector.json");
/// Two members of a later version, and a null.
pub const DEPOSIT_FUTURE: &str = include_str!("../samples/deposit_future.json");
/// An array of three deposits.
pub const DEPOSITS: &str = include_str!("../samples/deposits.json");
/// An array of three deposits, the second of which is refused.
pub const DEPOSITS_ONE_BAD: &str = include_str!("../samples/deposits_one_bad.json");
/// Every field of a status.
pub const STATUS: &str = include_str!("../samples/status.json");
/// Only what a status must have.
pub const STATUS_MINIMAL: &str = include_str!("../samples/status_minimal.json");
/// The declaration of a loss.
pub const LOST: &str = include_str!("../samples/lost.json");
/// Every field of an incident.
pub const INCIDENT: &str = include_str!("../samples/incident.json");
/// Only what an incident must have.
pub const INCIDENT_MINIMAL: &str = include_str!("../samples/incident_minimal.json");
/// A command with a body.
pub const COMMAND: &str = include_str!("../samples/command.json");
/// A receipt with gaps, signed with [`RECEIPT_KEY`].
pub const RECEIPT: &str = include_str!("../samples/receipt.json");
/// A receipt without gaps, for a device of which nothing is stored yet; the same key.
pub const RECEIPT_PLAIN: &str = include_str!("../samples/receipt_plain.json");
/// The device key of the two receipts.
pub const RECEIPT_KEY: &str = "correct-horse-battery-staple";

/// Every up payload.
pub const UP: [Sample; 11] = [
    canonical("deposit", Up::Deposit, DEPOSIT, 1),
    Sample {
        canonical: false,
        ..canonical("deposit_minimal", Up::Deposit, DEPOSIT_MINIMAL, 1)
    },
    canonical("deposit_inspector", Up::Deposit, DEPOSIT_INSPECTOR, 1),
    Sample {
        canonical: false,
        unknown_fields: 2,
        ..canonical("deposit_future", Up::Deposit, DEPOSIT_FUTURE, 1)
    },
    canonical("deposits", Up::Deposit, DEPOSITS, 3),
    Sample {
        canonical: false,
        rejected: 1,
        ..canonical("deposits_one_bad", Up::Deposit, DEPOSITS_ONE_BAD, 2)
    },
    canonical("status", Up::Status, STATUS, 1),
    canonical("status_minimal", Up::Status, STATUS_MINIMAL, 1),
    canonical("lost", Up::Status, LOST, 1),
    canonical("incident", Up::Incident, INCIDENT, 1),
    canonical("incident_minimal", Up::Incident, INCIDENT_MINIMAL, 1),
];

const fn canonical(name: &'static str, up: Up, json: &'static str, accepted: usize) -> Sample {
    Sample {
        name,
        up,
        json,
        canonical: true,
        accepted,
        rejected: 0,
        unknown_fields: 0,
    }
}
