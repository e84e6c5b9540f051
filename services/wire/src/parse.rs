//! From a payload to records and verdicts. It never fails and never panics: what is wrong is in the result.
//! It does not know which records were seen before.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::de::{self, DeserializeSeed, Deserializer as _, Error as _, IgnoredAny, MapAccess, SeqAccess};
use serde_json::value::RawValue;

use crate::MAX_BATCH;
use crate::decode::Key;
use crate::decode::{KeySeed, Members, Pass};
use crate::deposit::Deposit;
use crate::incident::Incident;
use crate::record::Record;
use crate::reject::{Fault, Reason, Rejected};
use crate::status::Status;
use crate::topic::Up;

/// What a payload held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed<'a> {
    /// In the payload's order. A bad record leaves its neighbours alone; a payload that cannot be taken
    /// apart is one [`Rejected`]. Never empty.
    pub records: Vec<Result<Record<'a>, Rejected>>,
    /// Unknown members of the accepted records, counted because devices are updated before servers.
    pub unknown_fields: u64,
}

/// Takes a payload of the topic `up` apart.
pub fn parse(up: Up, payload: &[u8]) -> Parsed<'_> {
    quick(up, payload).unwrap_or_else(|| explain(up, payload))
}

/// The whole payload in one walk, or nothing if anything at all is wrong with it.
fn quick(up: Up, payload: &[u8]) -> Option<Parsed<'_>> {
    let text = std::str::from_utf8(payload).ok()?;
    let mut pass = Pass::quick();
    let mut parser = serde_json::Deserializer::from_str(text);
    let records = parser.deserialize_any(Payload { up, pass: &mut pass }).ok()?;
    parser.end().ok()?;
    Some(Parsed {
        records,
        unknown_fields: pass.unknown,
    })
}

/// Every record on its own, with reasons.
fn explain(up: Up, payload: &[u8]) -> Parsed<'_> {
    let text = readable(payload);
    let places = match split(&text) {
        Ok(places) => places,
        Err(fault) => {
            let fault = match text {
                Cow::Borrowed(_) => fault,
                Cow::Owned(_) => not_utf8(),
            };
            let rejected = Rejected::new(fault, None, payload);
            return Parsed {
                records: vec![Err(rejected)],
                unknown_fields: 0,
            };
        }
    };
    let mut unknown_fields = 0;
    let judge = |place: Range<usize>| {
        let bytes = payload.get(place.clone()).unwrap_or_default();
        explain_one(up, bytes, &mut unknown_fields).map_err(|fault| {
            let identity = text.get(place).and_then(salvage);
            Rejected::new(fault, identity, bytes)
        })
    };
    let records = places.into_iter().map(judge).collect();
    Parsed {
        records,
        unknown_fields,
    }
}

fn explain_one<'a>(up: Up, bytes: &'a [u8], unknown: &mut u64) -> Result<Record<'a>, Fault> {
    let text = std::str::from_utf8(bytes).map_err(|_| not_utf8())?;
    if !text.starts_with('{') {
        return Err(Fault::new(Reason::WrongShape, "record", "an object", text));
    }
    let mut pass = Pass::explaining();
    let mut parser = serde_json::Deserializer::from_str(text);
    match (RecordSeed { up, pass: &mut pass }).deserialize(&mut parser) {
        Ok(record) => {
            *unknown += pass.unknown;
            Ok(record)
        }
        // Values are held as raw text by now, so a fault without a name is in a member's name.
        Err(_) => Err(pass.fault.unwrap_or_else(|| {
            Fault::new(
                Reason::BadText,
                "record",
                "field names without half a surrogate pair",
                text,
            )
        })),
    }
}

fn not_utf8() -> Fault {
    Fault::new(Reason::NotUtf8, "payload", "UTF-8 text", "other bytes")
}

/// The payload as text of the same length: each byte that is not UTF-8 becomes a `?`. Only for finding
/// where records begin and end, so that one damaged name does not take its neighbours along.
fn readable(payload: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(payload) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(payload.len());
    for chunk in payload.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| '?'));
    }
    Cow::Owned(text)
}

/// Where the records of a payload are.
fn split(text: &str) -> Result<Vec<Range<usize>>, Fault> {
    if text.trim_ascii().is_empty() {
        return Err(Fault::new(
            Reason::Empty,
            "payload",
            "an object or an array",
            "no bytes",
        ));
    }
    let whole: &RawValue = serde_json::from_str(text)
        .map_err(|error| Fault::new(Reason::NotJson, "payload", "one JSON value", &error.to_string()))?;
    match whole.get().bytes().next() {
        Some(b'{') => Ok(vec![place(text, whole)]),
        Some(b'[') => elements(text),
        _ => Err(Fault::new(
            Reason::WrongShape,
            "payload",
            "an object or an array",
            whole.get(),
        )),
    }
}

fn elements(text: &str) -> Result<Vec<Range<usize>>, Fault> {
    let not_json = |error: serde_json::Error| {
        Fault::new(Reason::NotJson, "payload", "one JSON value", &error.to_string())
    };
    let elements: Vec<&RawValue> = serde_json::from_str(text).map_err(not_json)?;
    match elements.len() {
        0 => Err(Fault::new(
            Reason::Empty,
            "payload",
            "1 to 256 records",
            "an empty array",
        )),
        1..=MAX_BATCH => Ok(elements.into_iter().map(|raw| place(text, raw)).collect()),
        more => Err(Fault::new(
            Reason::TooMany,
            "payload",
            "1 to 256 records",
            &more.to_string(),
        )),
    }
}

/// Where `raw`, a part of `text`, is in it.
fn place(text: &str, raw: &RawValue) -> Range<usize> {
    let start = raw.get().as_ptr().addr() - text.as_ptr().addr();
    start..start + raw.get().len()
}

/// `(boot, seq)` of a record that is otherwise refused. Only from a JSON object that has each exactly once,
/// because a receipt will be given on the strength of it.
fn salvage(text: &str) -> Option<(u64, u64)> {
    struct Identity;
    impl<'de> de::Visitor<'de> for Identity {
        type Value = (u64, u64);

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(u64, u64), A::Error> {
            let (mut boot, mut seq) = (None, None);
            while let Some(key) = map.next_key_seed(KeySeed)? {
                let slot = match key {
                    Key::Boot => &mut boot,
                    Key::Seq => &mut seq,
                    _ => {
                        map.next_value::<IgnoredAny>()?;
                        continue;
                    }
                };
                let raw: &RawValue = map.next_value()?;
                let number: u64 = raw.get().parse().map_err(A::Error::custom)?;
                if slot.replace(number).is_some() {
                    return Err(A::Error::custom("twice"));
                }
            }
            match (boot, seq) {
                (Some(boot), Some(seq)) if seq > 0 => Ok((boot, seq)),
                _ => Err(A::Error::custom("not both")),
            }
        }
    }
    serde_json::Deserializer::from_str(text)
        .deserialize_map(Identity)
        .ok()
}

/// One record or an array of them.
struct Payload<'p> {
    up: Up,
    pass: &'p mut Pass,
}

impl<'de> de::Visitor<'de> for Payload<'_> {
    type Value = Vec<Result<Record<'de>, Rejected>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record or an array of records")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        RecordSeed {
            up: self.up,
            pass: self.pass,
        }
        .visit_map(map)
        .map(|record| vec![Ok(record)])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut records = Vec::new();
        while let Some(record) = seq.next_element_seed(RecordSeed {
            up: self.up,
            pass: self.pass,
        })? {
            if records.len() == MAX_BATCH {
                return Err(A::Error::custom("too many"));
            }
            records.push(Ok(record));
        }
        if records.is_empty() {
            Err(A::Error::custom("empty"))
        } else {
            Ok(records)
        }
    }
}

struct RecordSeed<'p> {
    up: Up,
    pass: &'p mut Pass,
}

impl<'de> DeserializeSeed<'de> for RecordSeed<'_> {
    type Value = Record<'de>;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Record<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> de::Visitor<'de> for RecordSeed<'_> {
    type Value = Record<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Record<'de>, A::Error> {
        match self.up {
            Up::Deposit => Deposit::decode(Members::new(map, self.pass, Deposit::KEYS)).map(Record::Deposit),
            Up::Status => Status::decode(Members::new(map, self.pass, Status::KEYS)),
            Up::Incident => {
                Incident::decode(Members::new(map, self.pass, Incident::KEYS)).map(Record::Incident)
            }
        }
    }
}
