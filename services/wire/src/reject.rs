//! What is wrong with a record that cannot be used: a stable reason, a sentence for people, the bytes.

use serde::{Deserialize, Serialize};

use crate::MAX_RAW;

/// Most characters of the offending value that a detail quotes.
const MAX_CAME: usize = 200;

/// Why a record was refused. The names are stored and counted: never rename one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Bytes that are not UTF-8.
    NotUtf8,
    /// Text that is not one JSON value.
    NotJson,
    /// JSON, but no object where a record belongs.
    WrongShape,
    /// Nothing at all: no bytes, or an array without elements.
    Empty,
    /// More than 256 records, or more than 32 bins.
    TooMany,
    /// A required field is absent.
    MissingField,
    /// A field of another JSON type; also a fraction or an exponent where an integer belongs.
    WrongType,
    /// A number outside its range; also `-0` and what no double can hold.
    OutOfRange,
    /// More decimals than the field has.
    TooPrecise,
    /// A word that is not one of the field's words.
    UnknownValue,
    /// Text with more characters than allowed.
    TooLong,
    /// Text with control characters or half a surrogate pair, or empty where it names something.
    BadText,
    /// One known field twice.
    DuplicateKey,
}

impl Reason {
    /// Every reason, for metrics that must exist before they count.
    pub const ALL: [Self; 13] = [
        Self::NotUtf8,
        Self::NotJson,
        Self::WrongShape,
        Self::Empty,
        Self::TooMany,
        Self::MissingField,
        Self::WrongType,
        Self::OutOfRange,
        Self::TooPrecise,
        Self::UnknownValue,
        Self::TooLong,
        Self::BadText,
        Self::DuplicateKey,
    ];

    /// The stable name, snake case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotUtf8 => "not_utf8",
            Self::NotJson => "not_json",
            Self::WrongShape => "wrong_shape",
            Self::Empty => "empty",
            Self::TooMany => "too_many",
            Self::MissingField => "missing_field",
            Self::WrongType => "wrong_type",
            Self::OutOfRange => "out_of_range",
            Self::TooPrecise => "too_precise",
            Self::UnknownValue => "unknown_value",
            Self::TooLong => "too_long",
            Self::BadText => "bad_text",
            Self::DuplicateKey => "duplicate_key",
        }
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A record that belongs into quarantine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// `(boot, seq)` when both could be read beyond doubt: then the record can be receipted.
    pub identity: Option<(u64, u64)>,
    /// The stable reason.
    pub reason: Reason,
    /// Which field, what was expected, what came (at most 200 characters of it). May hold a household's
    /// token: for the quarantine, not for logs.
    pub detail: String,
    /// The first [`MAX_RAW`] bytes of this record.
    pub raw: Vec<u8>,
    /// How many bytes the record really had.
    pub raw_len: usize,
}

impl Rejected {
    pub(crate) fn new(fault: Fault, identity: Option<(u64, u64)>, bytes: &[u8]) -> Self {
        let raw = bytes.iter().take(MAX_RAW).copied().collect();
        Self {
            identity,
            reason: fault.reason,
            detail: fault.detail,
            raw,
            raw_len: bytes.len(),
        }
    }
}

/// A reason with its sentence, before the bytes are attached.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) reason: Reason,
    pub(crate) detail: String,
}

impl Fault {
    pub(crate) fn new(reason: Reason, place: &str, expected: &str, came: &str) -> Self {
        let came: String = came.chars().take(MAX_CAME).collect();
        Self {
            reason,
            detail: format!("{place}: expected {expected}, came {came}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reasons_name_is_its_serde_form() {
        for reason in Reason::ALL {
            let json = serde_json::to_string(&reason).unwrap();
            assert_eq!(json, format!("\"{reason}\""));
            assert_eq!(serde_json::from_str::<Reason>(&json).unwrap(), reason);
        }
    }
}
