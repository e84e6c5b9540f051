//! How a device and its bins are, and what a device had to drop. Telemetry: it is rounded, never ranked.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserializer, MapAccess, SeqAccess};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::MAX_BINS;
use crate::decode::{Key, Keys, Members, Nested, Pass, Within};
use crate::deposit::Stream;
use crate::record::Record;
use crate::reject::Reason;
use crate::stamp::{Stamp, StampFields};
use crate::value::{self, Wrong};

/// One bin of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BinState {
    /// What the bin is for.
    pub stream: Stream,
    /// How full, basis points `0..=10_000`, rounded.
    pub fill_bp: Option<u16>,
    /// Grams.
    pub weight_g: Option<u32>,
}

/// How a device is. Everything but the stamp is optional.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status<'a> {
    /// Identity and event time.
    pub stamp: Stamp,
    /// At most [`MAX_BINS`].
    pub bins: Vec<BinState>,
    /// Millivolts.
    pub battery_mv: Option<u32>,
    /// Signal strength, dBm.
    pub rssi_dbm: Option<i32>,
    /// Hundredths of a degree Celsius, rounded, `-27_315..=1_000_000`.
    pub temperature_cc: Option<i32>,
    /// Version, at most 64 characters.
    pub firmware: Option<Cow<'a, str>>,
    /// Records waiting in the device's flash.
    pub queued: Option<u64>,
}

/// Records `from..=to` of this boot will never come: the device had to drop them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lost {
    /// Identity and event time of the declaration itself.
    pub stamp: Stamp,
    /// First dropped sequence number, from 1.
    pub from: u64,
    /// Last dropped sequence number, not below `from`.
    pub to: u64,
}

const COUNT: &str = "an integer 0..=4294967295";
const CENTI: (f64, f64) = (-273.15, 10_000.0);

impl<'a> Status<'a> {
    pub(crate) const KEYS: Keys = Keys::of(&[
        Key::Boot,
        Key::Seq,
        Key::At,
        Key::Bins,
        Key::BatteryMv,
        Key::RssiDbm,
        Key::TemperatureC,
        Key::Firmware,
        Key::Queued,
        Key::Lost,
    ]);

    /// A status, or the declaration of a loss if it has `lost`.
    pub(crate) fn decode<A: MapAccess<'a>>(mut members: Members<'_, A>) -> Result<Record<'a>, A::Error> {
        let mut stamp = StampFields::default();
        let (mut bins, mut lost) = (Bins::default(), None);
        let (mut battery_mv, mut rssi_dbm, mut temperature_cc) = (None, None, None);
        let (mut firmware, mut queued) = (None, None);
        while let Some(key) = members.next()? {
            match key {
                Key::Bins => bins = members.nested(key, Bins::WRONG)?,
                Key::Lost => lost = members.nested::<Option<Span>>(key, Span::WRONG)?,
                Key::BatteryMv => battery_mv = members.optional(key, |v| count(&v))?,
                Key::RssiDbm => {
                    rssi_dbm = members.optional(key, |v| value::signed(&v, "dBm, an integer of 32 bits"))?;
                }
                Key::TemperatureC => {
                    let expected = "degrees Celsius, a number -273.15..=10000";
                    temperature_cc =
                        members.optional(key, |v| value::rounded_hundredths(&v, CENTI, expected))?;
                }
                Key::Firmware => {
                    let expected = "text of at most 64 characters without control characters";
                    firmware = members.optional(key, |v| value::text(v, 64, expected))?;
                }
                Key::Queued => {
                    let expected = "an integer 0..=18446744073709551615";
                    queued = members.optional(key, |v| value::unsigned(&v, (0, u64::MAX), expected))?;
                }
                _ => stamp.take(key, &mut members)?,
            }
        }
        let stamp = stamp.finish(&mut members)?;
        Ok(match lost {
            Some(Span(from, to)) => Record::Lost(Lost { stamp, from, to }),
            None => Record::Status(Self {
                stamp,
                bins: bins.0,
                battery_mv,
                rssi_dbm,
                temperature_cc,
                firmware,
                queued,
            }),
        })
    }

    /// The same status, owning its text.
    pub fn into_owned(self) -> Status<'static> {
        Status {
            stamp: self.stamp,
            bins: self.bins,
            battery_mv: self.battery_mv,
            rssi_dbm: self.rssi_dbm,
            temperature_cc: self.temperature_cc,
            firmware: self.firmware.map(|text| Cow::Owned(text.into_owned())),
            queued: self.queued,
        }
    }
}

fn count(value: &value::Scalar<'_>) -> Result<u32, Wrong> {
    value::unsigned(value, (0, u64::from(u32::MAX)), COUNT)
}

impl BinState {
    const KEYS: Keys = Keys::of(&[Key::Stream, Key::Fill, Key::WeightG]);

    fn decode<'de, A: MapAccess<'de>>(mut members: Members<'_, A>) -> Result<Self, A::Error> {
        let (mut stream, mut fill_bp, mut weight_g) = (None, None, None);
        while let Some(key) = members.next()? {
            match key {
                Key::Stream => {
                    let judge = |v| value::word(&v, Stream::from_word, Stream::EXPECTED);
                    stream = Some(members.value(key, judge)?);
                }
                Key::Fill => {
                    let judge = |v| value::rounded_fraction(&v, 10_000, "a number 0..=1");
                    fill_bp = members.optional(key, judge)?;
                }
                _ => weight_g = members.optional(key, |v| count(&v))?,
            }
        }
        Ok(Self {
            stream: members.require(Key::Stream, stream)?,
            fill_bp,
            weight_g,
        })
    }
}

impl<'de> Nested<'de> for BinState {
    fn read<D: Deserializer<'de>>(pass: &mut Pass, deserializer: D) -> Result<Self, D::Error> {
        struct Object<'p>(&'p mut Pass);
        impl<'de> de::Visitor<'de> for Object<'_> {
            type Value = BinState;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a bin")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<BinState, A::Error> {
                BinState::decode(Members::new(map, self.0, BinState::KEYS))
            }
        }
        deserializer.deserialize_map(Object(pass))
    }
}

/// The bins of a status; null is none.
#[derive(Default)]
struct Bins(Vec<BinState>);

impl Bins {
    const WRONG: Wrong = Wrong::new(Reason::WrongType, "an array of bin objects");
}

impl<'de> Nested<'de> for Bins {
    fn read<D: Deserializer<'de>>(pass: &mut Pass, deserializer: D) -> Result<Self, D::Error> {
        struct Array<'p>(&'p mut Pass);
        impl<'de> de::Visitor<'de> for Array<'_> {
            type Value = Bins;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of bins")
            }

            fn visit_unit<E>(self) -> Result<Bins, E> {
                Ok(Bins::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Bins, A::Error> {
                let mut bins = Vec::new();
                self.0.bin = Some(0);
                while let Some(bin) = seq.next_element_seed(Within::new(self.0))? {
                    if bins.len() == MAX_BINS {
                        let wrong = Wrong::new(Reason::TooMany, "at most 32 bins");
                        self.0.bin = None;
                        return Err(self.0.refuse(Key::Bins, wrong, "more"));
                    }
                    bins.push(bin);
                    self.0.bin = Some(bins.len());
                }
                self.0.bin = None;
                Ok(Bins(bins))
            }
        }
        deserializer.deserialize_any(Array(pass))
    }
}

/// The two ends of a loss; null is none.
struct Span(u64, u64);

impl Span {
    const WRONG: Wrong = Wrong::new(Reason::WrongType, "an array [from, to] of two integers");
    const RANGE: Wrong = Wrong::new(Reason::OutOfRange, "[from, to] with 1 <= from <= to");
}

impl<'de> Nested<'de> for Option<Span> {
    fn read<D: Deserializer<'de>>(pass: &mut Pass, deserializer: D) -> Result<Self, D::Error> {
        let ends: Option<[u64; 2]> = de::Deserialize::deserialize(deserializer)?;
        let Some([from, to]) = ends else { return Ok(None) };
        if from == 0 || from > to {
            return Err(pass.refuse(Key::Lost, Span::RANGE, &format!("[{from},{to}]")));
        }
        Ok(Some(Span(from, to)))
    }
}

impl Serialize for BinState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("stream", self.stream.as_str())?;
        if let Some(fill_bp) = self.fill_bp {
            map.serialize_entry("fill", &(f64::from(fill_bp) / 10_000.0))?;
        }
        if let Some(weight_g) = self.weight_g {
            map.serialize_entry("weight_g", &weight_g)?;
        }
        map.end()
    }
}

impl Serialize for Status<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.stamp.write(&mut map)?;
        if !self.bins.is_empty() {
            map.serialize_entry("bins", &self.bins)?;
        }
        if let Some(battery_mv) = self.battery_mv {
            map.serialize_entry("battery_mv", &battery_mv)?;
        }
        if let Some(rssi_dbm) = self.rssi_dbm {
            map.serialize_entry("rssi_dbm", &rssi_dbm)?;
        }
        if let Some(temperature_cc) = self.temperature_cc {
            map.serialize_entry("temperature_c", &(f64::from(temperature_cc) / 100.0))?;
        }
        if let Some(firmware) = &self.firmware {
            map.serialize_entry("firmware", firmware)?;
        }
        if let Some(queued) = self.queued {
            map.serialize_entry("queued", &queued)?;
        }
        map.end()
    }
}

impl Serialize for Lost {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.stamp.write(&mut map)?;
        map.serialize_entry("lost", &[self.from, self.to])?;
        map.end()
    }
}
