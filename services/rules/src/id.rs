//! Who and what: households, devices, streams, and whose word a reading is.
//!
//! Numbers are dense and given by a ledger in order of arrival; no result may depend on which number it was.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u32);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number!(
    /// A household token's number, dense from 0.
    HouseholdNo
);
number!(
    /// A device name's number, dense from 0: tables are as long as the largest one.
    DeviceNo
);

number!(
    /// An estate's number: households of one estate are compared in amount with each other.
    EstateNo
);

/// A word that names none of the values it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected one of {expected}, came {got:?}")]
pub struct UnknownWord {
    pub expected: &'static str,
    pub got: String,
}

/// A kind of waste with a bin of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    Food,
    Recyclable,
    Hazardous,
    Residual,
}

impl Stream {
    pub const ALL: [Self; 4] = [Self::Food, Self::Recyclable, Self::Hazardous, Self::Residual];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Food => "food",
            Self::Recyclable => "recyclable",
            Self::Hazardous => "hazardous",
            Self::Residual => "residual",
        }
    }

    /// The number a store keeps: the position in [`Stream::ALL`].
    pub const fn code(self) -> u8 {
        self as u8
    }

    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.get(usize::try_from(code).ok()?).copied()
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Stream {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        find(
            &Self::ALL,
            Self::as_str,
            text,
            "food, recyclable, hazardous, residual",
        )
    }
}

/// Who judged a bag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    Camera,
    Inspector,
}

impl By {
    pub const ALL: [Self; 2] = [Self::Camera, Self::Inspector];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Camera => "camera",
            Self::Inspector => "inspector",
        }
    }

    /// The number a store keeps: 0 camera, 1 inspector.
    pub const fn code(self) -> u8 {
        self as u8
    }

    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.get(usize::try_from(code).ok()?).copied()
    }
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for By {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        find(&Self::ALL, Self::as_str, text, "camera, inspector")
    }
}

/// Whose word counts in a bucket: all inspectors speak with one voice, every camera with its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    Inspector,
    Camera(DeviceNo),
}

impl Source {
    /// The number a store keeps: 0 inspector, n + 1 the camera of device n. Orders as the sources do.
    pub const fn code(self) -> i64 {
        match self {
            Self::Inspector => 0,
            Self::Camera(DeviceNo(n)) => n as i64 + 1,
        }
    }

    pub fn from_code(code: i64) -> Option<Self> {
        match code {
            0 => Some(Self::Inspector),
            n => Some(Self::Camera(DeviceNo(u32::try_from(n.checked_sub(1)?).ok()?))),
        }
    }
}

fn find<T: Copy>(
    all: &[T],
    word: impl Fn(T) -> &'static str,
    text: &str,
    expected: &'static str,
) -> Result<T, UnknownWord> {
    let found = all.iter().copied().find(|&value| word(value) == text);
    found.ok_or_else(|| UnknownWord {
        expected,
        got: text.chars().take(32).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_codes_lead_back() {
        for (i, s) in Stream::ALL.into_iter().enumerate() {
            assert_eq!(s.as_str().parse::<Stream>().unwrap(), s);
            assert_eq!(usize::from(s.code()), i);
            assert_eq!(Stream::from_code(s.code().into()), Some(s));
            assert_eq!(serde_json::to_string(&s).unwrap(), format!("\"{s}\""));
        }
        for by in By::ALL {
            assert_eq!(by.as_str().parse::<By>().unwrap(), by);
            assert_eq!(By::from_code(by.code().into()), Some(by));
        }
        assert_eq!(Stream::from_code(4), None);
        assert_eq!(By::from_code(-1), None);
        assert_eq!(
            "glass".parse::<Stream>().unwrap_err().to_string(),
            "expected one of food, recyclable, hazardous, residual, came \"glass\""
        );
        assert!("Food".parse::<Stream>().is_err());
    }

    #[test]
    fn source_codes_lead_back_and_keep_the_order() {
        let sources = [
            Source::Inspector,
            Source::Camera(DeviceNo(0)),
            Source::Camera(DeviceNo(u32::MAX)),
        ];
        assert_eq!(sources.map(Source::code), [0, 1, 1 << 32]);
        assert!(sources.is_sorted());
        for s in sources {
            assert_eq!(Source::from_code(s.code()), Some(s));
        }
        for bad in [-1, i64::MIN, i64::MAX, (1 << 32) + 1] {
            assert_eq!(Source::from_code(bad), None, "{bad}");
        }
    }
}
