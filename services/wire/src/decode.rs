//! One walk over the members of a JSON object, shared by all records. It knows keys, unknown keys and
//! repeated keys; what a value must be is the record's and [`crate::value`]'s.
//!
//! The same walk runs in two moods. Quick: values straight from the parser, and the first fault only
//! fails. Explaining: each value is first held as raw text, so that the fault can quote it and a number
//! that no double can hold blames its field. One decoder, so both cannot disagree.

use std::marker::PhantomData;

use serde::de::{self, DeserializeSeed, IgnoredAny, MapAccess};
use serde_json::value::RawValue;

use crate::reject::{Fault, Reason};
use crate::value::{Scalar, Wrong};

/// Every field name of every record. The discriminant is its bit in a [`Keys`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    Boot,
    Seq,
    At,
    Household,
    Bag,
    Stream,
    WeightG,
    Quality,
    Confidence,
    By,
    Bins,
    BatteryMv,
    RssiDbm,
    TemperatureC,
    Firmware,
    Queued,
    Lost,
    Kind,
    Note,
    Photo,
    Fill,
    Other,
}

impl Key {
    fn from_name(name: &str) -> Self {
        match name {
            "boot" => Self::Boot,
            "seq" => Self::Seq,
            "at" => Self::At,
            "household" => Self::Household,
            "bag" => Self::Bag,
            "stream" => Self::Stream,
            "weight_g" => Self::WeightG,
            "quality" => Self::Quality,
            "confidence" => Self::Confidence,
            "by" => Self::By,
            "bins" => Self::Bins,
            "battery_mv" => Self::BatteryMv,
            "rssi_dbm" => Self::RssiDbm,
            "temperature_c" => Self::TemperatureC,
            "firmware" => Self::Firmware,
            "queued" => Self::Queued,
            "lost" => Self::Lost,
            "kind" => Self::Kind,
            "note" => Self::Note,
            "photo" => Self::Photo,
            "fill" => Self::Fill,
            _ => Self::Other,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Boot => "boot",
            Self::Seq => "seq",
            Self::At => "at",
            Self::Household => "household",
            Self::Bag => "bag",
            Self::Stream => "stream",
            Self::WeightG => "weight_g",
            Self::Quality => "quality",
            Self::Confidence => "confidence",
            Self::By => "by",
            Self::Bins => "bins",
            Self::BatteryMv => "battery_mv",
            Self::RssiDbm => "rssi_dbm",
            Self::TemperatureC => "temperature_c",
            Self::Firmware => "firmware",
            Self::Queued => "queued",
            Self::Lost => "lost",
            Self::Kind => "kind",
            Self::Note => "note",
            Self::Photo => "photo",
            Self::Fill => "fill",
            Self::Other => "other",
        }
    }
}

/// A set of [`Key`]s.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keys(u32);

impl Keys {
    pub(crate) const fn of(keys: &[Key]) -> Self {
        let mut bits = 0;
        let mut rest = keys;
        while let [key, tail @ ..] = rest {
            bits |= 1 << *key as u32;
            rest = tail;
        }
        Self(bits)
    }

    const fn has(self, key: Key) -> bool {
        self.0 & (1 << key as u32) != 0
    }

    const fn with(self, key: Key) -> Self {
        Self(self.0 | (1 << key as u32))
    }
}

/// What one pass over a payload carries along.
#[derive(Debug)]
pub(crate) struct Pass {
    explain: bool,
    /// Members nobody knows, seen so far.
    pub(crate) unknown: u64,
    /// Which bin of a status is being read.
    pub(crate) bin: Option<usize>,
    /// Set when explaining failed.
    pub(crate) fault: Option<Fault>,
}

impl Pass {
    pub(crate) const fn quick() -> Self {
        Self {
            explain: false,
            unknown: 0,
            bin: None,
            fault: None,
        }
    }

    pub(crate) const fn explaining() -> Self {
        Self {
            explain: true,
            unknown: 0,
            bin: None,
            fault: None,
        }
    }

    /// Notes the fault, if it is the first, and gives the error that ends the walk.
    #[cold]
    pub(crate) fn refuse<E: de::Error>(&mut self, key: Key, wrong: Wrong, came: &str) -> E {
        if self.explain && self.fault.is_none() {
            let place = match self.bin {
                Some(index) => format!("bins[{index}].{}", key.name()),
                None => key.name().to_owned(),
            };
            self.fault = Some(Fault::new(wrong.reason, &place, wrong.expected, came));
        }
        E::custom("refused")
    }
}

/// The members of one object, one after the other.
pub(crate) struct Members<'p, A> {
    map: A,
    pass: &'p mut Pass,
    known: Keys,
    seen: Keys,
}

impl<'p, 'de, A: MapAccess<'de>> Members<'p, A> {
    pub(crate) fn new(map: A, pass: &'p mut Pass, known: Keys) -> Self {
        Self {
            map,
            pass,
            known,
            seen: Keys(0),
        }
    }

    /// The next key this object may have; others are skipped and counted, a repeated one is a fault.
    pub(crate) fn next(&mut self) -> Result<Option<Key>, A::Error> {
        while let Some(key) = self.map.next_key_seed(KeySeed)? {
            if !self.known.has(key) {
                self.map.next_value::<IgnoredAny>()?;
                self.pass.unknown += 1;
            } else if self.seen.has(key) {
                let once = Wrong::new(Reason::DuplicateKey, "this field once");
                return Err(self.pass.refuse(key, once, "it again"));
            } else {
                self.seen = self.seen.with(key);
                return Ok(Some(key));
            }
        }
        Ok(None)
    }

    /// The value of a field that may not be null.
    pub(crate) fn value<T>(
        &mut self,
        key: Key,
        judge: impl FnOnce(Scalar<'de>) -> Result<T, Wrong>,
    ) -> Result<T, A::Error> {
        if self.pass.explain {
            let raw: &'de RawValue = self.map.next_value()?;
            return hold(raw.get())
                .and_then(judge)
                .map_err(|wrong| self.pass.refuse(key, wrong, raw.get()));
        }
        let value = self.map.next_value::<Scalar<'de>>()?;
        judge(value).map_err(|wrong| self.pass.refuse(key, wrong, ""))
    }

    /// The value of a field that may be null, which means absent.
    pub(crate) fn optional<T>(
        &mut self,
        key: Key,
        judge: impl FnOnce(Scalar<'de>) -> Result<T, Wrong>,
    ) -> Result<Option<T>, A::Error> {
        self.value(key, |value| match value {
            Scalar::Null => Ok(None),
            value => judge(value).map(Some),
        })
    }

    /// The value of a field that is itself nested; `wrong` is the fault if it fails without naming one.
    pub(crate) fn nested<T: Nested<'de>>(&mut self, key: Key, wrong: Wrong) -> Result<T, A::Error> {
        if !self.pass.explain {
            return self.map.next_value_seed(Within::new(self.pass));
        }
        let raw: &'de RawValue = self.map.next_value()?;
        let mut inner = serde_json::Deserializer::from_str(raw.get());
        let read = Within::new(self.pass).deserialize(&mut inner);
        self.pass.bin = None;
        read.map_err(|_| self.pass.refuse(key, wrong, raw.get()))
    }

    /// A required field must have come.
    pub(crate) fn require<T>(&mut self, key: Key, value: Option<T>) -> Result<T, A::Error> {
        let wrong = Wrong::new(Reason::MissingField, "this field");
        value.ok_or_else(|| self.pass.refuse(key, wrong, "a record without it"))
    }
}

/// A raw value as a scalar. Its grammar is known to be good, so only two things can be wrong with it.
fn hold(raw: &str) -> Result<Scalar<'_>, Wrong> {
    match raw.bytes().next() {
        Some(b'[' | b'{') => Ok(Scalar::Nested),
        Some(b'"') => serde_json::from_str(raw)
            .map_err(|_| Wrong::new(Reason::BadText, "text without half a surrogate pair")),
        _ => serde_json::from_str(raw)
            .map_err(|_| Wrong::new(Reason::OutOfRange, "a number that a double can hold")),
    }
}

/// A nested value that is read with the pass at hand.
pub(crate) trait Nested<'de>: Sized {
    fn read<D: de::Deserializer<'de>>(pass: &mut Pass, deserializer: D) -> Result<Self, D::Error>;
}

/// The seed of a [`Nested`] value.
pub(crate) struct Within<'p, T> {
    pass: &'p mut Pass,
    value: PhantomData<T>,
}

impl<'p, T> Within<'p, T> {
    pub(crate) fn new(pass: &'p mut Pass) -> Self {
        Self {
            pass,
            value: PhantomData,
        }
    }
}

impl<'de, T: Nested<'de>> DeserializeSeed<'de> for Within<'_, T> {
    type Value = T;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        T::read(self.pass, deserializer)
    }
}

pub(crate) struct KeySeed;

impl<'de> DeserializeSeed<'de> for KeySeed {
    type Value = Key;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl de::Visitor<'_> for KeySeed {
    type Value = Key;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a field name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Key, E> {
        Ok(Key::from_name(name))
    }
}
