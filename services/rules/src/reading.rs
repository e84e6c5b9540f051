//! A reading: what a camera or an inspector says of one bag.
//!
//! It is a borrowed view of a journal record, already parsed; whether it counts was decided before.

use crate::day::Day;
use crate::id::{By, DeviceNo, HouseholdNo, Source, Stream};
use crate::quantity::{Bp, Grams, Millis, Permille};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading<'a> {
    pub household: HouseholdNo,
    /// The camera, or the device the inspector wrote on.
    pub device: DeviceNo,
    pub at: Millis,
    /// The local day of `at`.
    pub day: Day,
    pub stream: Stream,
    pub grams: Grams,
    pub quality: Bp,
    pub confidence: Permille,
    pub by: By,
    /// What the readings of one bag share; a reading without it is a bag of its own.
    pub bag: Option<&'a str>,
    /// False when the clock was ahead or the reading is struck: it is kept, and means nothing.
    pub counts: bool,
}

impl Reading<'_> {
    pub const fn source(&self) -> Source {
        match self.by {
            By::Camera => Source::Camera(self.device),
            By::Inspector => Source::Inspector,
        }
    }
}
