//! What one line of the journal says, and its bytes.
//!
//! A batch body is a row of *segments*; a segment holds the records of one device and boot, or the rows of one
//! import. The bytes are the project's own, little and versioned by their leading tag, because the journal is kept
//! for ever: a tag is never reused with another meaning. This module must not touch a store or a clock.

use hemu_rules::{Bp, By, Grams, Millis, Permille, Stream};

use serde_json::json;

use crate::acts::{Act, MAX_ACT, Proposal};
use crate::bytes::{Reader, Writer};

/// A record of the journal, borrowed from the batch it stands in.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry<'a> {
    /// Who says it, and under which identity.
    pub origin: Origin<'a>,
    /// Hash of the content without its identity: equal identity and equal hash is a repeat.
    pub hash: u64,
    /// What it says.
    pub body: Body<'a>,
}

/// Where a record comes from; its identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin<'a> {
    /// A device's own record: `(device, boot, seq)` is the identity.
    Device { device: &'a str, boot: u64, seq: u64 },
    /// Bytes of a device from which no identity could be read; kept, never deduplicated.
    Unidentified { device: &'a str },
    /// A row of an import file: `reading_id` is the identity.
    Import { device: &'a str, reading_id: &'a str },
    /// What an account did; its place in the journal is the identity.
    Account { actor: &'a str },
}

impl<'a> Origin<'a> {
    /// The device's name; empty for what no device says.
    pub fn device(&self) -> &'a str {
        match *self {
            Self::Device { device, .. } | Self::Unidentified { device } | Self::Import { device, .. } => {
                device
            }
            Self::Account { .. } => "",
        }
    }
}

/// The content of a record. Units are in the names; `at` is event time in ms since 1970 UTC.
#[derive(Debug, Clone, PartialEq)]
pub enum Body<'a> {
    /// One bag in one bin.
    Deposit(Deposit<'a>),
    /// A device's report of itself and its bins.
    Status(Status<'a>),
    /// Something a person should look at.
    Incident(Incident<'a>),
    /// Records the device had to drop before they could be sent: `from..=to` never come.
    Lost { at: Millis, from: u64, to: u64 },
    /// Bytes that mean nothing to the contract, kept with the reason.
    Quarantined(Quarantined<'a>),
    /// What an account did.
    Act(Box<Act>),
    /// Part of an edition that was computed.
    Proposal(Box<Proposal>),
}

/// One reading of a deposit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deposit<'a> {
    pub at: Millis,
    /// Token as printed; `None` is unattributed.
    pub household: Option<&'a str>,
    /// The same on both readings of one bag.
    pub bag: Option<&'a str>,
    pub stream: Stream,
    pub weight: Grams,
    pub quality: Bp,
    pub confidence: Permille,
    pub by: By,
}

impl Deposit<'_> {
    /// Whether it is an inspector's look at a bag that the bin has weighed, as its number says, and not one bag more.
    pub fn is_second_look(&self) -> bool {
        self.by == By::Inspector && self.bag.is_some()
    }
}

/// One bin in a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BinState {
    pub stream: Stream,
    pub fill: Option<Bp>,
    /// The whole bin, so not bounded as a bag is.
    pub weight_g: Option<u32>,
}

/// A device's report of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Status<'a> {
    pub at: Millis,
    pub bins: Vec<BinState>,
    pub battery_mv: Option<u32>,
    pub rssi_dbm: Option<i32>,
    /// Hundredths of a degree Celsius.
    pub temperature_cc: Option<i32>,
    pub firmware: Option<&'a str>,
    pub queued: Option<u64>,
}

/// Something a person should look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Incident<'a> {
    pub at: Millis,
    /// A kind of the contract, as its word.
    pub kind: &'a str,
    pub stream: Option<Stream>,
    pub note: Option<&'a str>,
    pub photo: Option<&'a str>,
}

/// Bytes set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quarantined<'a> {
    /// A stable word, such as `wrong_type`.
    pub reason: &'a str,
    /// One sentence: what was expected and what came.
    pub detail: &'a str,
    /// At most 4 KiB of what came.
    pub raw: &'a [u8],
    /// How long it really was.
    pub raw_len: u32,
}

const DEPOSIT: u8 = 1;
const STATUS: u8 = 2;
const INCIDENT: u8 = 3;
const LOST: u8 = 4;
const QUARANTINED: u8 = 5;
const ACT: u8 = 6;
const PROPOSAL: u8 = 7;

impl Body<'_> {
    /// Event time, where the content has one.
    pub fn at(&self) -> Option<Millis> {
        match self {
            Self::Deposit(d) => Some(d.at),
            Self::Status(s) => Some(s.at),
            Self::Incident(i) => Some(i.at),
            Self::Lost { at, .. } => Some(*at),
            Self::Quarantined(_) | Self::Act(_) | Self::Proposal(_) => None,
        }
    }

    /// Appends the content's bytes.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut w = Writer::new(out);
        match self {
            Self::Deposit(deposit) => write_deposit(&mut w, deposit),
            Self::Status(status) => write_status(&mut w, status),
            Self::Incident(incident) => {
                w.byte(INCIDENT);
                w.time(incident.at);
                w.text(incident.kind);
                w.byte(incident.stream.map_or(0, |s| 1 + s.code()));
                w.optional_text(incident.note);
                w.optional_text(incident.photo);
            }
            Self::Lost { at, from, to } => {
                w.byte(LOST);
                w.time(*at);
                w.number(*from);
                w.number(*to);
            }
            Self::Quarantined(q) => {
                w.byte(QUARANTINED);
                w.text(q.reason);
                w.text(q.detail);
                w.bytes(q.raw);
                w.number(u64::from(q.raw_len));
            }
            Self::Act(act) => {
                w.byte(ACT);
                w.json(act);
            }
            Self::Proposal(proposal) => {
                w.byte(PROPOSAL);
                w.json(proposal);
            }
        }
    }

    /// The content written out for a person who examines it.
    pub fn to_json(&self) -> String {
        let json = match self {
            Self::Deposit(d) => json!({
                "at": d.at, "household": d.household, "bag": d.bag, "stream": d.stream, "weight_g": d.weight,
                "quality_bp": d.quality, "confidence_pm": d.confidence, "by": d.by,
            }),
            Self::Status(s) => json!({
                "at": s.at, "battery_mv": s.battery_mv, "rssi_dbm": s.rssi_dbm,
                "temperature_cc": s.temperature_cc, "firmware": s.firmware, "queued": s.queued,
                "bins": s.bins.iter().map(|bin| json!({
                    "stream": bin.stream, "fill_bp": bin.fill, "weight_g": bin.weight_g,
                })).collect::<Vec<_>>(),
            }),
            Self::Incident(i) => json!({
                "at": i.at, "kind": i.kind, "stream": i.stream, "note": i.note, "photo": i.photo,
            }),
            Self::Lost { at, from, to } => json!({ "at": at, "lost": [from, to] }),
            Self::Quarantined(q) => json!({ "reason": q.reason, "detail": q.detail, "bytes": q.raw_len }),
            Self::Act(act) => json!(act),
            Self::Proposal(proposal) => json!(proposal),
        };
        json.to_string()
    }

    /// Reads the content back; `None` when the bytes are not of this version or not whole.
    pub fn read(bytes: &[u8]) -> Option<Body<'_>> {
        let mut r = Reader::new(bytes);
        let body = match r.byte()? {
            DEPOSIT => Body::Deposit(read_deposit(&mut r)?),
            STATUS => Body::Status(read_status(&mut r)?),
            INCIDENT => Body::Incident(Incident {
                at: r.time()?,
                kind: r.text()?,
                stream: match r.byte()? {
                    0 => None,
                    code => Some(Stream::from_code(i64::from(code) - 1)?),
                },
                note: r.optional_text()?,
                photo: r.optional_text()?,
            }),
            LOST => Body::Lost {
                at: r.time()?,
                from: r.number()?,
                to: r.number()?,
            },
            QUARANTINED => Body::Quarantined(Quarantined {
                reason: r.text()?,
                detail: r.text()?,
                raw: r.bytes()?,
                raw_len: r.narrow()?,
            }),
            ACT => Body::Act(r.json(MAX_ACT)?),
            PROPOSAL => Body::Proposal(r.json(MAX_ACT)?),
            _ => return None,
        };
        r.is_empty().then_some(body)
    }
}

/// Bits of a deposit's second byte.
const HAS_HOUSEHOLD: u8 = 1 << 3;
const HAS_BAG: u8 = 1 << 4;
const BY_INSPECTOR: u8 = 1 << 2;

fn write_deposit(w: &mut Writer<'_>, d: &Deposit<'_>) {
    let mut flags = d.stream.code();
    flags |= if d.by == By::Inspector { BY_INSPECTOR } else { 0 };
    flags |= if d.household.is_some() { HAS_HOUSEHOLD } else { 0 };
    flags |= if d.bag.is_some() { HAS_BAG } else { 0 };
    w.byte(DEPOSIT);
    w.byte(flags);
    w.time(d.at);
    w.number(d.weight.get().into());
    w.number(d.quality.get().into());
    w.number(d.confidence.get().into());
    d.household.into_iter().chain(d.bag).for_each(|text| w.text(text));
}

fn read_deposit<'a>(r: &mut Reader<'a>) -> Option<Deposit<'a>> {
    let flags = r.byte()?;
    Some(Deposit {
        stream: Stream::from_code(i64::from(flags & 3))?,
        by: if flags & BY_INSPECTOR == 0 {
            By::Camera
        } else {
            By::Inspector
        },
        at: r.time()?,
        weight: r.quantity()?,
        quality: r.quantity()?,
        confidence: r.quantity()?,
        household: if flags & HAS_HOUSEHOLD == 0 {
            None
        } else {
            Some(r.text()?)
        },
        bag: if flags & HAS_BAG == 0 {
            None
        } else {
            Some(r.text()?)
        },
    })
}

fn write_status(w: &mut Writer<'_>, s: &Status<'_>) {
    w.byte(STATUS);
    w.time(s.at);
    w.number(s.bins.len() as u64);
    for bin in &s.bins {
        w.byte(bin.stream.code());
        w.optional_number(bin.fill.map(|fill| fill.get().into()));
        w.optional_number(bin.weight_g.map(u64::from));
    }
    w.optional_number(s.battery_mv.map(u64::from));
    w.optional_signed(s.rssi_dbm.map(i64::from));
    w.optional_signed(s.temperature_cc.map(i64::from));
    w.optional_text(s.firmware);
    w.optional_number(s.queued);
}

fn read_status<'a>(r: &mut Reader<'a>) -> Option<Status<'a>> {
    let at = r.time()?;
    let count = r.number()?;
    let mut bins = Vec::new();
    for _ in 0..count {
        bins.push(BinState {
            stream: Stream::from_code(r.byte()?.into())?,
            fill: quantity(r.optional_number()?)?,
            weight_g: narrow(r.optional_number()?)?,
        });
    }
    Some(Status {
        at,
        bins,
        battery_mv: narrow(r.optional_number()?)?,
        rssi_dbm: narrow(r.optional_signed()?)?,
        temperature_cc: narrow(r.optional_signed()?)?,
        firmware: r.optional_text()?,
        queued: r.optional_number()?,
    })
}

/// `None` when a present number does not fit the field it is read into.
#[expect(
    clippy::option_option,
    reason = "the outer one is corruption, the inner one an absent field"
)]
fn narrow<W, N: TryFrom<W>>(wide: Option<W>) -> Option<Option<N>> {
    wide.map_or(Some(None), |value| N::try_from(value).ok().map(Some))
}

/// The same for a quantity with a range of its own.
#[expect(
    clippy::option_option,
    reason = "the outer one is corruption, the inner one an absent field"
)]
fn quantity<N: TryFrom<i64>>(wide: Option<u64>) -> Option<Option<N>> {
    wide.map_or(Some(None), |value| {
        N::try_from(i64::try_from(value).ok()?).ok().map(Some)
    })
}
