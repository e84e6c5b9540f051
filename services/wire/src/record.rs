//! Any up record, and the payload that carries one or several of them.

use serde::ser::{Serialize, Serializer};

use crate::MAX_BATCH;
use crate::deposit::Deposit;
use crate::incident::Incident;
use crate::stamp::Stamp;
use crate::status::{Lost, Status};
use crate::topic::Up;

/// One record of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record<'a> {
    /// On the deposit topic.
    Deposit(Deposit<'a>),
    /// On the status topic.
    Status(Status<'a>),
    /// On the incident topic.
    Incident(Incident<'a>),
    /// On the status topic.
    Lost(Lost),
}

/// Records that cannot share one payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// No record.
    #[error("expected 1 to 256 records, came none")]
    Empty,
    /// Too many records.
    #[error("expected 1 to 256 records, came {came}: split them")]
    TooMany {
        /// How many.
        came: usize,
    },
    /// Records of two topics.
    #[error("expected records of the {first} topic only, came one of {other}: send it apart")]
    Mixed {
        /// The first record's topic.
        first: Up,
        /// The other's.
        other: Up,
    },
    /// The serializer failed; no record of this crate makes it.
    #[error("expected records that serialize, came one that does not")]
    Unserializable,
}

impl Record<'_> {
    /// Identity and event time.
    pub const fn stamp(&self) -> Stamp {
        match self {
            Self::Deposit(deposit) => deposit.stamp,
            Self::Status(status) => status.stamp,
            Self::Incident(incident) => incident.stamp,
            Self::Lost(lost) => lost.stamp,
        }
    }

    /// The topic it travels on.
    pub const fn up(&self) -> Up {
        match self {
            Self::Deposit(_) => Up::Deposit,
            Self::Status(_) | Self::Lost(_) => Up::Status,
            Self::Incident(_) => Up::Incident,
        }
    }

    /// The same record, owning its text.
    pub fn into_owned(self) -> Record<'static> {
        match self {
            Self::Deposit(deposit) => Record::Deposit(deposit.into_owned()),
            Self::Status(status) => Record::Status(status.into_owned()),
            Self::Incident(incident) => Record::Incident(incident.into_owned()),
            Self::Lost(lost) => Record::Lost(lost),
        }
    }
}

impl Serialize for Record<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Deposit(deposit) => deposit.serialize(serializer),
            Self::Status(status) => status.serialize(serializer),
            Self::Incident(incident) => incident.serialize(serializer),
            Self::Lost(lost) => lost.serialize(serializer),
        }
    }
}

/// The payload of 1..=256 records of one topic: an object for one, an array for several. Compact, keys in
/// a fixed order, so equal records are equal bytes. Ranges are not checked: [`crate::parse`] judges them.
pub fn encode(records: &[Record<'_>]) -> Result<Vec<u8>, EncodeError> {
    let (first, rest) = records.split_first().ok_or(EncodeError::Empty)?;
    if records.len() > MAX_BATCH {
        return Err(EncodeError::TooMany { came: records.len() });
    }
    if let Some(other) = rest.iter().find(|record| record.up() != first.up()) {
        return Err(EncodeError::Mixed {
            first: first.up(),
            other: other.up(),
        });
    }
    let json = if rest.is_empty() {
        serde_json::to_vec(first)
    } else {
        serde_json::to_vec(records)
    };
    json.map_err(|_| EncodeError::Unserializable)
}
