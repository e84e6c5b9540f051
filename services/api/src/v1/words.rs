//! The words and units all resources share.

use hemu_rules::{Bp, By, Look, Stream};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A kind of waste with a bin of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Stream)]
pub(crate) enum StreamWord {
    Food,
    Recyclable,
    Hazardous,
    Residual,
}

impl From<Stream> for StreamWord {
    fn from(stream: Stream) -> Self {
        match stream {
            Stream::Food => Self::Food,
            Stream::Recyclable => Self::Recyclable,
            Stream::Hazardous => Self::Hazardous,
            Stream::Residual => Self::Residual,
        }
    }
}

impl From<StreamWord> for Stream {
    fn from(word: StreamWord) -> Self {
        match word {
            StreamWord::Food => Self::Food,
            StreamWord::Recyclable => Self::Recyclable,
            StreamWord::Hazardous => Self::Hazardous,
            StreamWord::Residual => Self::Residual,
        }
    }
}

/// Who judged a bag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = By)]
pub(crate) enum ByWord {
    Camera,
    Inspector,
}

impl From<By> for ByWord {
    fn from(by: By) -> Self {
        match by {
            By::Camera => Self::Camera,
            By::Inspector => Self::Inspector,
        }
    }
}

/// What to do with a bag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Look)]
pub(crate) enum LookWord {
    Pass,
    Open,
    /// By two inspectors, each without the other's word.
    OpenTwice,
}

impl From<Look> for LookWord {
    fn from(look: Look) -> Self {
        match look {
            Look::Pass => Self::Pass,
            Look::Open => Self::Open,
            Look::OpenTwice => Self::OpenTwice,
        }
    }
}

/// A share 0..=1.
pub(crate) fn share(bp: impl Into<Option<Bp>>) -> Option<f64> {
    bp.into().map(Bp::share)
}

/// Hundredths as a decimal.
pub(crate) fn hundredths(value: i32) -> f64 {
    f64::from(value) / 100.0
}

/// A decimal with at most this many places.
pub(crate) fn places(value: f64, places: i32) -> f64 {
    let one = 10_f64.powi(places);
    (value * one).round() / one
}
