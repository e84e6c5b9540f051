//! What the ledger must hold, known without asking the server: every acknowledged deposit exactly once,
//! with equal content, and nothing that was never sent.
//!
//! Must not: share code with the server, or trust anything but its own log.

use std::collections::HashMap;
use std::io::{BufRead, Read, Write};

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::reading::{By, Deposit};

/// First eight bytes of the SHA-256 of a deposit's content.
pub type Content = u64;

/// Content of a deposit reported at `at`.
pub fn content(at: i64, deposit: &Deposit) -> Content {
    hash(&Fields {
        household: deposit.household.as_ref().map_or("", |h| h.as_str()),
        bag: deposit.bag.as_str(),
        at,
        stream: deposit.stream.as_str(),
        weight_g: deposit.weight_g.into(),
        quality_bp: deposit.quality_bp.into(),
        confidence_pm: deposit.confidence_pm.into(),
        source: if deposit.by == By::Camera { "cam" } else { "insp" },
    })
}

struct Fields<'a> {
    household: &'a str,
    bag: &'a str,
    at: i64,
    stream: &'a str,
    weight_g: u64,
    quality_bp: u64,
    confidence_pm: u64,
    source: &'a str,
}

fn hash(f: &Fields<'_>) -> Content {
    let mut sha = Sha256::new();
    for text in [f.household, f.bag, f.stream, f.source] {
        sha.update(text.as_bytes());
        sha.update([0]);
    }
    for number in [f.at.cast_unsigned(), f.weight_g, f.quality_bp, f.confidence_pm] {
        sha.update(number.to_le_bytes());
    }
    sha.finalize()
        .first_chunk()
        .map_or(0, |first| u64::from_be_bytes(*first))
}

/// What the log says of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// `PUBACKed` or receipted: it must be in the ledger.
    Acked,
    /// Handed to the socket, no acknowledgement seen: it may be in the ledger.
    Sent,
    /// Broken on purpose: it must not be in the ledger.
    Garbage,
}

impl Fate {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Acked => "acked",
            Self::Sent => "sent",
            Self::Garbage => "garbage",
        }
    }
}

/// Appends one line of the log: `FATE DEVICE BOOT SEQ CONTENT`, the content as 16 hex digits.
///
/// Lines are written whole, so a log cut short by a kill ends in at most one broken line, which
/// [`Oracle::read`] ignores.
pub fn log_line(out: &mut Vec<u8>, fate: Fate, device: &str, boot: u64, seq: u64, content: Content) {
    // Writing to memory cannot fail.
    let _ = writeln!(out, "{} {device} {boot} {seq} {content:016x}", fate.as_str());
}

/// The log read back.
#[derive(Debug, Default)]
pub struct Oracle {
    devices: HashMap<String, u32>,
    records: HashMap<(u32, u64, u64), Known>,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    fate: Fate,
    content: Content,
    rows: u32,
}

/// The log or the export cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum OracleError {
    /// Not readable.
    #[error("log: {0}")]
    Io(#[from] std::io::Error),
    /// Two lines disagree: the generator itself is at fault.
    #[error("log line {line}: record {device} {boot} {seq} has two contents; the generator is broken")]
    Contradiction {
        /// From 1.
        line: usize,
        /// Device id.
        device: String,
        /// Boot.
        boot: u64,
        /// Number.
        seq: u64,
    },
    /// The export is no CSV.
    #[error("export: {0}")]
    Csv(#[from] csv::Error),
    /// A column is absent.
    #[error("export: expected a column {0}; is this the output of `hemu export --csv`?")]
    Column(&'static str),
}

/// How the export compares with the log.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Verdict {
    /// Acknowledged deposits in the log.
    pub acked: u64,
    /// Rows in the export.
    pub rows: u64,
    /// Rows of devices the log does not mention.
    pub foreign: u64,
    /// Acknowledged, but not in the export: lost.
    pub missing: u64,
    /// More than one row.
    pub doubled: u64,
    /// A row with other content than was sent.
    pub changed: u64,
    /// A row that was never sent.
    pub unsent: u64,
    /// A broken record that became a row.
    pub garbage: u64,
    /// The first few offences, in words.
    pub examples: Vec<String>,
}

impl Verdict {
    /// Nothing lost, doubled, changed or invented.
    pub fn ok(&self) -> bool {
        self.missing + self.doubled + self.changed + self.unsent + self.garbage == 0
    }

    fn example(&mut self, text: String) {
        if self.examples.len() < 10 {
            self.examples.push(text);
        }
    }
}

impl Oracle {
    /// Reads a log written by [`log_line`]; lines that are not whole are skipped.
    pub fn read(input: impl BufRead) -> Result<Self, OracleError> {
        let mut oracle = Self::default();
        for (index, line) in input.lines().enumerate() {
            let line = line?;
            if let Some((fate, device, boot, seq, content)) = parse_line(&line) {
                oracle
                    .learn(fate, device, boot, seq, content)
                    .map_err(|()| OracleError::Contradiction {
                        line: index + 1,
                        device: device.to_owned(),
                        boot,
                        seq,
                    })?;
            }
        }
        Ok(oracle)
    }

    fn learn(&mut self, fate: Fate, device: &str, boot: u64, seq: u64, content: Content) -> Result<(), ()> {
        let device = self.device(device);
        let known = self.records.entry((device, boot, seq)).or_insert(Known {
            fate,
            content,
            rows: 0,
        });
        if fate == Fate::Acked && known.fate == Fate::Sent {
            known.fate = fate;
        }
        if known.content == content { Ok(()) } else { Err(()) }
    }

    fn device(&mut self, name: &str) -> u32 {
        if let Some(&number) = self.devices.get(name) {
            return number;
        }
        let number = u32::try_from(self.devices.len()).unwrap_or(u32::MAX);
        self.devices.insert(name.to_owned(), number);
        number
    }

    /// Compares with what `hemu export --csv` wrote.
    pub fn check(mut self, export: impl Read) -> Result<Verdict, OracleError> {
        let mut verdict = Verdict::default();
        let mut reader = csv::Reader::from_reader(export);
        let columns = Columns::find(reader.headers()?)?;
        let mut row = csv::StringRecord::new();
        while reader.read_record(&mut row)? {
            verdict.rows += 1;
            self.check_row(&columns, &row, &mut verdict);
        }
        let names: HashMap<u32, &str> = self
            .devices
            .iter()
            .map(|(name, &number)| (number, name.as_str()))
            .collect();
        for (&(device, boot, seq), known) in &self.records {
            let name = names.get(&device).copied().unwrap_or("?");
            verdict.acked += u64::from(known.fate == Fate::Acked);
            if known.fate == Fate::Acked && known.rows == 0 {
                verdict.missing += 1;
                verdict.example(format!("lost: {name} {boot} {seq} was acknowledged"));
            }
            if known.rows > 1 {
                verdict.doubled += 1;
                verdict.example(format!("doubled: {name} {boot} {seq} has {} rows", known.rows));
            }
        }
        Ok(verdict)
    }

    fn check_row(&mut self, columns: &Columns, row: &csv::StringRecord, verdict: &mut Verdict) {
        let Some(&device) = self.devices.get(columns.get(row, DEVICE)) else {
            verdict.foreign += 1;
            return;
        };
        let name = columns.get(row, DEVICE);
        let identity = columns
            .get(row, BOOT)
            .parse()
            .ok()
            .zip(columns.get(row, SEQ).parse().ok());
        let Some((known, (boot, seq))) =
            identity.and_then(|(boot, seq)| Some((self.records.get_mut(&(device, boot, seq))?, (boot, seq))))
        else {
            verdict.unsent += 1;
            let (boot, seq) = (columns.get(row, BOOT), columns.get(row, SEQ));
            verdict.example(format!("never sent: {name} {boot} {seq}"));
            return;
        };
        known.rows += 1;
        if known.fate == Fate::Garbage {
            verdict.garbage += 1;
            verdict.example(format!("broken record became a row: {name} {boot} {seq}"));
        } else if columns.content(row) != Some(known.content) {
            verdict.changed += 1;
            verdict.example(format!("changed: {name} {boot} {seq} is not what was sent"));
        }
    }
}

fn parse_line(line: &str) -> Option<(Fate, &str, u64, u64, Content)> {
    let mut words = line.split(' ');
    let fate = match words.next()? {
        "acked" => Fate::Acked,
        "sent" => Fate::Sent,
        "garbage" => Fate::Garbage,
        _ => return None,
    };
    let (device, boot, seq, content) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let content = Content::from_str_radix(content, 16)
        .ok()
        .filter(|_| content.len() == 16)?;
    Some((fate, device, boot.parse().ok()?, seq.parse().ok()?, content))
}

/// Columns the oracle needs, wherever they stand.
struct Columns([usize; 11]);

const NAMES: [&str; 11] = [
    "household",
    "bag_id",
    "at",
    "stream",
    "weight_g",
    "quality",
    "confidence",
    "source",
    "device",
    "boot",
    "seq",
];
const HOUSEHOLD: usize = 0;
const BAG: usize = 1;
const AT: usize = 2;
const STREAM: usize = 3;
const WEIGHT: usize = 4;
const QUALITY: usize = 5;
const CONFIDENCE: usize = 6;
const SOURCE: usize = 7;
const DEVICE: usize = 8;
const BOOT: usize = 9;
const SEQ: usize = 10;

impl Columns {
    fn find(header: &csv::StringRecord) -> Result<Self, OracleError> {
        let mut places = [0; 11];
        for (place, name) in places.iter_mut().zip(NAMES) {
            *place = header
                .iter()
                .position(|column| column == name)
                .ok_or(OracleError::Column(name))?;
        }
        Ok(Self(places))
    }

    fn get<'r>(&self, row: &'r csv::StringRecord, column: usize) -> &'r str {
        self.0
            .get(column)
            .and_then(|&place| row.get(place))
            .unwrap_or_default()
    }

    fn content(&self, row: &csv::StringRecord) -> Option<Content> {
        Some(hash(&Fields {
            household: self.get(row, HOUSEHOLD),
            bag: self.get(row, BAG),
            at: instant(self.get(row, AT))?,
            stream: self.get(row, STREAM),
            weight_g: self.get(row, WEIGHT).parse().ok()?,
            quality_bp: scaled(self.get(row, QUALITY), 4)?,
            confidence_pm: scaled(self.get(row, CONFIDENCE), 3)?,
            source: self.get(row, SOURCE),
        }))
    }
}

/// RFC 3339 or milliseconds since 1970, as the import file allows.
fn instant(text: &str) -> Option<i64> {
    let timestamp = || {
        text.parse::<jiff::Timestamp>()
            .ok()
            .map(jiff::Timestamp::as_millisecond)
    };
    text.parse().ok().or_else(timestamp)
}

/// A decimal number between 0 and 9 times `10^places`, exactly; more places must be zeros.
fn scaled(text: &str, places: usize) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let (kept, rest) = fraction.split_at_checked(places.min(fraction.len()))?;
    if !rest.bytes().all(|b| b == b'0') || whole.len() != 1 {
        return None;
    }
    format!("{whole}{kept:0<places$}").parse().ok()
}

#[cfg(test)]
mod tests;
