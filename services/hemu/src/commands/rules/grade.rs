//! The truth of simulated households from a file, and a rule's editions held against it.

use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result};
use hemu_ledger::read::Edition;
use hemu_rules::grade::{self, Figure, TruthRow};

use crate::words::Words;

/// What is true of everybody, by edition.
#[derive(Debug)]
pub(super) struct Truth(grade::Truth);

impl Truth {
    pub(super) fn read(input: impl Read, file: &Path, words: &Words) -> Result<Self> {
        let rows = csv::Reader::from_reader(input).into_deserialize::<TruthRow>();
        let rows =
            rows.map(|row| row.with_context(|| words.say("cannot-read", &[("file", &file.display())])));
        rows.collect::<Result<_>>().map(Self)
    }
}

/// The figures of editions, which come in order.
#[derive(Debug, Default)]
pub(super) struct Grade(grade::Grade);

impl Grade {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn add(&mut self, truth: &Truth, day: i32, edition: &Edition) {
        let places = edition.places.iter();
        let places = places.map(|place| (place.token.as_str(), place.outcome.status));
        self.0.add(&truth.0, day, places);
    }

    pub(super) fn figures(&self) -> [Figure; 11] {
        self.0.figures()
    }
}
