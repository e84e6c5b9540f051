//! A CSV file through the commit path; services/ingest/README.md has its columns.
//!
//! A row is accepted or rejected with its line number and reason; nothing in between. Identity is `reading_id`, so a
//! second import of the same rows changes nothing, whoever else appends meanwhile. Which row repeats or contradicts
//! another the projector decides; here it is only read, so that the user hears of it.

use std::collections::{BTreeMap, HashSet};
use std::io::{Read, Write};

use hemu_ledger::entry::{Body, Deposit};
use hemu_ledger::segment::Segment;
use hemu_ledger::{CLOCK_AHEAD_MS, Journal, LOG_BYTES, Ledger, Position};
use hemu_rules::{Bp, By, Grams, Millis, Permille, Stream};
use hemu_wire::DeviceId;

use crate::Clock;
use crate::fold;
use crate::lines::Lines;
use hemu_ledger::cell::unguarded;

/// Rows stored at once.
const CHUNK: usize = 5_000;
/// Stored rows whose lines are remembered until they are judged.
const UNJUDGED: usize = 100_000;

/// The columns of an import file; the header may have them in any order.
pub const COLUMNS: [&str; 11] = [
    "reading_id",
    "bag_id",
    "household",
    "estate",
    "at",
    "stream",
    "weight_g",
    "source",
    "device",
    "quality",
    "confidence",
];

/// The header of a file of rejected rows; the fields of the row as it stood follow the reason.
pub const REJECTED_COLUMNS: [&str; 3] = ["line", "reason", "row"];

/// How to import.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Reject rows that name an unknown household, device or estate, instead of adding it.
    pub strict: bool,
}

/// What became of the rows; every row read is one of the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    pub read: u64,
    pub new: u64,
    pub repeated: u64,
    /// Of a known identity with other content: kept aside, never scored.
    pub conflicting: u64,
    pub rejected: u64,
}

/// Why an import could not be done at all. Rows stored before stay stored; importing again repeats nothing.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the header lacks the column {0}; it must have {cols} in any order", cols = COLUMNS.join(","))]
    Header(&'static str),
    #[error("the file cannot be read: {0}")]
    Csv(#[from] csv::Error),
    #[error("the rejected rows cannot be written: {0}")]
    Rejected(#[from] std::io::Error),
    #[error(transparent)]
    Ledger(#[from] hemu_ledger::Error),
}

/// What an import does in one run.
struct Import<'l> {
    ledger: &'l Ledger,
    clock: Clock,
    journal: Journal,
    options: Options,
    columns: [usize; COLUMNS.len()],
    /// Where an export has `boot`, `seq` and `received_at`.
    exported: [Option<usize>; 3],
    width: usize,
    households: HashSet<String>,
    devices: HashSet<String>,
    estates: HashSet<String>,
    unjudged: Vec<Stored>,
    summary: Summary,
}

/// A batch in the journal.
struct Stored {
    position: Position,
    /// Where in the file its records stood, in the batch's order.
    lines: Vec<u64>,
}

/// Imports rows and waits until they are folded. Rejected rows go to `rejected` (see [`REJECTED_COLUMNS`]), which is
/// asked for when the first comes; those that contradict what is stored follow when that is known, without their fields.
/// `progress` is called with the rows read so far.
pub async fn import<W: Write>(
    ledger: &Ledger,
    clock: Clock,
    input: impl Read,
    rejected: impl FnOnce() -> std::io::Result<W>,
    options: Options,
    mut progress: impl FnMut(u64),
) -> Result<Summary, Error> {
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(Lines::of(input));
    let header = reader.headers()?;
    let (columns, width) = (columns(header)?, header.len());
    let exported =
        ["boot", "seq", "received_at"].map(|name| header.iter().position(|field| field.trim() == name));
    let journal = ledger.journal().await?;
    let mut import = Import {
        ledger,
        clock,
        journal,
        options,
        columns,
        exported,
        width,
        households: HashSet::new(),
        devices: HashSet::new(),
        estates: HashSet::new(),
        unjudged: Vec::new(),
        summary: Summary::default(),
    };
    let mut rejects = Rejects {
        open: Some(rejected),
        writer: None,
    };
    let mut chunk = Vec::with_capacity(CHUNK);
    loop {
        let mut row = csv::ByteRecord::new();
        let ended = !reader.read_byte_record(&mut row)?;
        if !ended {
            import.summary.read += 1;
            match import.read(placed(row, reader.position())) {
                Ok(row) => chunk.push(row),
                Err((row, reason)) => rejects.reject(&mut import.summary, &row, &reason)?,
            }
        }
        if chunk.len() == CHUNK || ended {
            import.store(&mut chunk, &mut rejects).await?;
            progress(import.summary.read);
        }
        if ended || import.unjudged.len() * CHUNK >= UNJUDGED {
            import.judge(&mut rejects).await?;
        }
        if ended {
            break;
        }
    }
    rejects.finish()?;
    Ok(import.summary)
}

/// A row with its values checked.
struct Parsed {
    reading_id: String,
    /// Boot and seq of a device's own record that an export carried here: it stays the same record.
    identity: Option<(u64, u64)>,
    household: Option<String>,
    estate: Option<String>,
    bag: Option<String>,
    device: DeviceId,
    at: Millis,
    stream: Stream,
    weight: Grams,
    quality: Bp,
    confidence: Permille,
    by: By,
}

impl Parsed {
    fn body(&self) -> Body<'_> {
        Body::Deposit(Deposit {
            at: self.at,
            household: self.household.as_deref(),
            bag: self.bag.as_deref(),
            stream: self.stream,
            weight: self.weight,
            quality: self.quality,
            confidence: self.confidence,
            by: self.by,
        })
    }
}

impl Import<'_> {
    /// A row with its values, or with the reason to reject it.
    fn read(&self, row: csv::ByteRecord) -> Result<(csv::StringRecord, Parsed), (csv::StringRecord, String)> {
        let line = row.position().cloned();
        let row = csv::StringRecord::from_byte_record(row).map_err(|error| {
            let mut row = csv::StringRecord::from_byte_record_lossy(error.into_byte_record());
            row.set_position(line);
            (
                row,
                "expected UTF-8, got other bytes; save the file as UTF-8".to_owned(),
            )
        })?;
        match self.parse(&row) {
            Ok(parsed) => Ok((row, parsed)),
            Err(reason) => Err((row, reason)),
        }
    }

    fn parse(&self, row: &csv::StringRecord) -> Result<Parsed, String> {
        let [
            reading_id,
            bag,
            household,
            estate,
            at,
            stream,
            weight,
            source,
            device,
            quality,
            confidence,
        ] = self
            .columns
            .map(|index| unguarded(row.get(index).unwrap_or("").trim()));
        // A comma too many would move a value under another name, a household's among them.
        if row.len() != self.width {
            return Err(format!(
                "expected {} fields as in the header, got {}",
                self.width,
                row.len()
            ));
        }
        let [boot, seq, received_at] = self
            .exported
            .map(|index| index.and_then(|index| row.get(index)).unwrap_or(""));
        let identity = identity(reading_id, device, boot, seq);
        // What a device said is the same to the last space: anything else would be another content under its identity.
        let as_sent = |column: usize| unguarded(row.get(self.columns[column]).unwrap_or(""));
        let (bag, household) = match identity {
            Some(_) => (as_sent(1), as_sent(2)),
            None => (bag, household),
        };
        let at = instant(at)?;
        // Kept and not scored where it came from; here it would be, once that time has passed.
        if !received_at.is_empty() && at.get() > instant(received_at)?.get().saturating_add(CLOCK_AHEAD_MS) {
            return Err(format!(
                "at: expected a time no later than it was received ({received_at}), got {at}"
            ));
        }
        Ok(Parsed {
            identity,
            reading_id: text("reading_id", reading_id, 128)?
                .ok_or("reading_id: expected an identity, got nothing")?,
            household: text("household", household, 64)?,
            estate: text("estate", estate, 64)?,
            bag: text("bag_id", bag, 64)?,
            device: DeviceId::try_from(device).map_err(|error| format!("device: {error}"))?,
            at,
            stream: stream.parse().map_err(|error| format!("stream: {error}"))?,
            weight: whole(weight)
                .ok_or_else(|| format!("weight_g: expected whole grams 0..200000, got {weight:?}"))?,
            quality: share(quality, Bp::from_share)
                .ok_or_else(|| format!("quality: expected a number 0..1, got {quality:?}"))?,
            confidence: if confidence.is_empty() {
                Permille::MAX
            } else {
                share(confidence, Permille::from_share)
                    .ok_or_else(|| format!("confidence: expected a number 0..1, got {confidence:?}"))?
            },
            by: match source {
                "cam" => By::Camera,
                "insp" => By::Inspector,
                other => return Err(format!("source: expected cam or insp, got {other:?}")),
            },
        })
    }

    async fn store<W: Write, F: FnOnce() -> std::io::Result<W>>(
        &mut self,
        chunk: &mut Vec<(csv::StringRecord, Parsed)>,
        rejects: &mut Rejects<W, F>,
    ) -> Result<(), Error> {
        let mut segments: BTreeMap<(String, Option<u64>), (Segment, Vec<u64>)> = BTreeMap::new();
        Box::pin(self.register(chunk)).await?;
        for (row, parsed) in chunk.drain(..) {
            if let Some(reason) = self.unknown(&parsed) {
                rejects.reject(&mut self.summary, &row, &reason)?;
                continue;
            }
            let device = parsed.device.as_str();
            let key = (device.to_owned(), parsed.identity.map(|(boot, _)| boot));
            let (segment, lines) = segments.entry(key).or_insert_with(|| match parsed.identity {
                Some((boot, seq)) => (Segment::of_device(device, boot, seq), Vec::new()),
                None => (Segment::of_import(device), Vec::new()),
            });
            match parsed.identity {
                Some((_, seq)) => segment.push(seq, &parsed.body()),
                None => segment.push_import(&parsed.reading_id, &parsed.body()),
            }
            lines.push(line(&row));
        }
        let (mut body, mut records, mut lines) = (Vec::new(), 0, Vec::new());
        for (segment, of_segment) in segments.values_mut() {
            records += segment.write(&mut body, |_| true);
            lines.append(of_segment);
        }
        if records > 0 {
            let position = self
                .journal
                .append((self.clock)(), records, &body)
                .await?
                .position;
            self.unjudged.push(Stored { position, lines });
            self.summary.new += records;
        }
        // No server may be there to do it, and the log of a large file would be as long as the file.
        if self.ledger.log_bytes() > LOG_BYTES {
            self.ledger.checkpoint().await?;
            self.journal.restart_log().await?;
        }
        Ok(())
    }

    /// Makes the names of a chunk known to `self`, adding them to the registry unless strict.
    async fn register(&mut self, chunk: &[(csv::StringRecord, Parsed)]) -> Result<(), Error> {
        let now = (self.clock)();
        let mut households: Vec<(&str, Option<&str>)> = Vec::new();
        for (_, parsed) in chunk {
            let estate = parsed.estate.as_deref();
            if let Some(estate) = estate.filter(|estate| !self.estates.contains(*estate)) {
                if self.options.strict {
                    let known = self.ledger.estates().await?;
                    self.estates.extend(known.into_iter().map(|estate| estate.id));
                } else {
                    self.ledger.ensure_estate(estate).await?;
                    self.estates.insert(estate.to_owned());
                }
            }
            let device = parsed.device.as_str();
            if !self.devices.contains(device) {
                if self.options.strict {
                    let known = self.ledger.devices().await?;
                    self.devices.extend(known.into_iter().map(|device| device.id));
                } else {
                    self.ledger.ensure_device(device, estate, now).await?;
                    self.devices.insert(device.to_owned());
                }
            }
            if let Some(token) = parsed
                .household
                .as_deref()
                .filter(|token| !self.households.contains(*token))
            {
                if !self.options.strict {
                    households.push((token, estate));
                } else if self.ledger.household(token).await?.is_none() {
                    continue;
                }
                self.households.insert(token.to_owned());
            }
        }
        if !households.is_empty() {
            self.ledger.ensure_households(&households, now).await?;
        }
        Ok(())
    }

    /// Why a strict import rejects the row, if it does.
    fn unknown(&self, parsed: &Parsed) -> Option<String> {
        let missing = |what: &str, name: &str| Some(format!("{what}: {name:?} is not registered (--strict)"));
        if let Some(token) = parsed
            .household
            .as_deref()
            .filter(|token| !self.households.contains(*token))
        {
            return missing("household", token);
        }
        if !self.devices.contains(parsed.device.as_str()) {
            return missing("device", parsed.device.as_str());
        }
        let estate = parsed
            .estate
            .as_deref()
            .filter(|estate| !self.estates.contains(*estate))?;
        missing("estate", estate)
    }

    /// Waits until every row is folded (folding them here when nobody else does) and hears what counted for nothing.
    async fn judge<W: Write, F: FnOnce() -> std::io::Result<W>>(
        &mut self,
        rejects: &mut Rejects<W, F>,
    ) -> Result<(), Error> {
        let positions: Vec<Position> = self.unjudged.iter().map(|stored| stored.position).collect();
        Box::pin(fold::settle(self.ledger, positions.last().copied().unwrap_or(0))).await?;
        let ignored = self.ledger.ignored_in(&positions).await?;
        self.summary.repeated += ignored.repeats;
        self.summary.new -= ignored.repeats + ignored.aside.len() as u64;
        for ((position, index), why) in ignored.aside {
            let stored = self
                .unjudged
                .binary_search_by_key(&position, |stored| stored.position);
            let lines = stored.ok().and_then(|nth| self.unjudged.get(nth));
            let line = lines.and_then(|stored| stored.lines.get(index as usize).copied());
            let (count, reason) = match why.as_str() {
                "conflict" => (&mut self.summary.conflicting, CONFLICT),
                "too_many_gaps" => (&mut self.summary.rejected, TOO_MANY_GAPS),
                other => (&mut self.summary.rejected, other),
            };
            *count += 1;
            rejects.write(line.unwrap_or_default(), reason, [""])?;
        }
        self.unjudged.clear();
        Ok(())
    }
}

const CONFLICT: &str = "reading_id: stored with other content before or on a line above; \
    the first stays and this one is kept aside and never scored";
const TOO_MANY_GAPS: &str =
    "seq: the device's records come with too many gaps; expected them in the order of seq";

/// A row with the line it begins on, from where the reader is after it: it has read the row's lines, and each ends in a line
/// feed. What the reader says of a row itself counts from the end of the one before, blank lines included.
fn placed(mut row: csv::ByteRecord, after: &csv::Position) -> csv::ByteRecord {
    let within = row.iter().flatten().filter(|byte| **byte == b'\n').count() as u64;
    let mut at = after.clone();
    at.set_line(after.line().saturating_sub(1 + within).max(1));
    row.set_position(Some(at));
    row
}

/// Where a row stands in the file.
fn line(row: &csv::StringRecord) -> u64 {
    row.position().map_or(0, csv::Position::line)
}

/// The file of rejected rows, made when the first comes.
struct Rejects<W: Write, F: FnOnce() -> std::io::Result<W>> {
    open: Option<F>,
    writer: Option<csv::Writer<W>>,
}

impl<W: Write, F: FnOnce() -> std::io::Result<W>> Rejects<W, F> {
    fn reject(&mut self, summary: &mut Summary, row: &csv::StringRecord, reason: &str) -> Result<(), Error> {
        summary.rejected += 1;
        self.write(line(row), reason, row)
    }

    fn write<'r>(
        &mut self,
        line: u64,
        reason: &str,
        row: impl IntoIterator<Item = &'r str>,
    ) -> Result<(), Error> {
        if let Some(open) = self.open.take() {
            let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(open()?);
            writer.write_record(REJECTED_COLUMNS)?;
            self.writer = Some(writer);
        }
        if let Some(writer) = &mut self.writer {
            writer.write_field(line.to_string())?;
            writer.write_field(reason)?;
            writer.write_record(row)?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Error> {
        if let Some(writer) = &mut self.writer {
            writer.flush()?;
        }
        Ok(())
    }
}

fn columns(header: &csv::StringRecord) -> Result<[usize; COLUMNS.len()], Error> {
    let mut columns = [0; COLUMNS.len()];
    for (column, name) in columns.iter_mut().zip(COLUMNS) {
        // A byte order mark is what spreadsheets put before the first name.
        let found = header
            .iter()
            .position(|field| field.trim_start_matches('\u{feff}').trim() == name);
        *column = found.ok_or(Error::Header(name))?;
    }
    Ok(columns)
}

/// A device's own record in an export, by which it is the same wherever it is imported.
fn identity(reading_id: &str, device: &str, boot: &str, seq: &str) -> Option<(u64, u64)> {
    let own = reading_id
        .strip_prefix(device)?
        .strip_prefix(':')?
        .split_once(':')?;
    let seq: u64 = seq
        .parse()
        .ok()
        .filter(|seq| (1..=i64::MAX as u64).contains(seq))?;
    (own == (boot, &seq.to_string())).then_some((boot.parse().ok()?, seq))
}

fn text(name: &str, value: &str, most: usize) -> Result<Option<String>, String> {
    if value.chars().count() > most {
        return Err(format!(
            "{name}: expected at most {most} characters, got {}",
            value.chars().count()
        ));
    }
    if value.chars().any(char::is_control) {
        return Err(format!("{name}: expected no control characters"));
    }
    Ok((!value.is_empty()).then(|| value.to_owned()))
}

fn instant(value: &str) -> Result<Millis, String> {
    let wrong = || format!("at: expected RFC 3339 with an offset, or ms since 1970, got {value:?}");
    let ms = match value.parse::<i64>() {
        Ok(ms) => ms,
        Err(_) => value
            .parse::<jiff::Timestamp>()
            .map_err(|_| wrong())?
            .as_millisecond(),
    };
    Millis::new(ms).map_err(|error| format!("at: {error}"))
}

fn whole(value: &str) -> Option<Grams> {
    Grams::new(value.parse().ok()?).ok()
}

fn share<Q, E>(value: &str, quantity: impl Fn(f64) -> Result<Q, E>) -> Option<Q> {
    let number: f64 = value.parse().ok()?;
    (0.0..=1.0)
        .contains(&number)
        .then(|| quantity(number).ok())
        .flatten()
}
