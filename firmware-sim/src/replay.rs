//! Recordings of real bins sent as the statuses a gateway would make of them, mistakes included.
//!
//! A value that no status may hold is passed on as a naive gateway would pass it, so that the server has
//! something to quarantine; an exact repeat of a row is sent again under its first number. Must not: repair
//! a recording, or ship one: the files stay where they are.

mod row;
mod send;
mod sources;

use std::collections::BTreeMap;
use std::io::Read;

use serde::Serialize;

use crate::draw::mix;
use crate::life::{DAY_MS, day_of};
use crate::reading::boot_number;

use row::Row;
pub use send::{Options, Report, send};

/// In which order rows are numbered and sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As the file has them (often newest first).
    File,
    /// By event time.
    Time,
}

/// A recording that cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// Not readable.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// Broken CSV.
    #[error("{0}")]
    Csv(#[from] csv::Error),
    /// Broken JSON.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    /// None of the known forms.
    #[error(
        "expected one of: JSON with a \"data\" array of {{node_eui, time, data}}; CSV with a column Fullness; CSV with a column Fill level before collection"
    )]
    Unknown,
}

/// What a status should become at the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// Rows in the files.
    pub rows: u64,
    /// Rows whose record the contract accepts and that are new.
    pub stored: u64,
    /// Rows whose record the contract refuses and that are new.
    pub quarantined: u64,
    /// Exact repeats of an earlier row, sent under its number.
    pub repeats: u64,
    /// Of the stored: within a second of an equal value, the same frame heard over two paths.
    pub two_paths: u64,
}

impl Counts {
    /// Every row is accounted for once.
    pub fn add_up(&self) -> bool {
        self.rows == self.stored + self.quarantined + self.repeats
    }
}

/// One record ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Event time, milliseconds since 1970; absent when the recording's cannot be read.
    pub at: Option<i64>,
    /// The status object.
    pub payload: Vec<u8>,
    /// Whether the contract accepts it.
    pub fits: bool,
}

/// Rows by the device they will be sent as.
#[derive(Debug, Clone, Default)]
pub struct Recording {
    units: BTreeMap<String, Vec<Row>>,
}

impl Recording {
    /// Adds one file. `shift_to` moves its newest row to that local day by whole days.
    pub fn add(&mut self, mut input: impl Read, shift_to: Option<i32>) -> Result<(), ReplayError> {
        let mut text = String::new();
        input.read_to_string(&mut text)?;
        let mut rows = sources::parse(&text)?;
        let newest = rows.iter().filter_map(|row| row.at).max();
        if let (Some(day), Some(newest)) = (shift_to, newest) {
            let shift = i64::from(day - day_of(newest)) * DAY_MS;
            for row in &mut rows {
                row.at = row.at.map(|at| at + shift);
            }
        }
        for row in rows {
            self.units.entry(row.unit.clone()).or_default().push(row);
        }
        Ok(())
    }

    /// Device ids the rows will be sent as.
    pub fn devices(&self) -> impl Iterator<Item = &str> {
        self.units.keys().map(String::as_str)
    }

    /// All rows become one device's, as behind a gateway.
    #[must_use]
    pub fn through(self, device: &str) -> Self {
        let rows = self.units.into_values().flatten().collect();
        Self {
            units: BTreeMap::from([(device.to_owned(), rows)]),
        }
    }

    /// Numbers every device's rows: what to send, and what should come of it.
    ///
    /// The boot is drawn from the rows themselves: the same replay repeats itself harmlessly, another one
    /// never claims its numbers.
    pub fn messages(&self, order: Order) -> (Vec<(String, Vec<Message>)>, Counts) {
        let mut counts = Counts::default();
        let mut all = Vec::new();
        for (device, rows) in &self.units {
            let mut rows: Vec<&Row> = rows.iter().collect();
            if order == Order::Time {
                rows.sort_by_key(|row| row.at);
            }
            let life = rows.iter().fold(0, |life, row| mix(life ^ row.hash()));
            let messages = number(&rows, boot_number(0, device, life), &mut counts);
            all.push((device.clone(), messages));
        }
        (all, counts)
    }
}

fn number(rows: &[&Row], boot: u64, counts: &mut Counts) -> Vec<Message> {
    let mut first: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut last: BTreeMap<&str, (Option<i64>, &str)> = BTreeMap::new();
    let mut messages: Vec<Message> = Vec::new();
    let mut seq = 0;
    for row in rows {
        counts.rows += 1;
        if let Some(message) = first
            .get(&(row.unit.as_str(), row.raw.as_str()))
            .and_then(|&i| messages.get(i))
        {
            counts.repeats += 1;
            messages.push(message.clone());
            continue;
        }
        seq += 1;
        first.insert((&row.unit, &row.raw), messages.len());
        let (payload, fits) = row.status(boot, seq);
        *if fits {
            &mut counts.stored
        } else {
            &mut counts.quarantined
        } += 1;
        let before = last.insert(&row.unit, (row.at, &row.value));
        let near = |(at, value): (Option<i64>, &str)| {
            value == row.value && at.zip(row.at).is_some_and(|(a, b)| (a - b).abs() <= 1_000)
        };
        counts.two_paths += u64::from(fits && before.is_some_and(near));
        messages.push(Message {
            at: row.at,
            payload,
            fits,
        });
    }
    messages
}

#[cfg(test)]
mod tests;
