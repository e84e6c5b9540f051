//! A deposit: one bag dropped into one bin, as a camera or an inspector saw it.

use std::borrow::Cow;

use serde::de::MapAccess;
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::MAX_WEIGHT_G;
use crate::decode::{Key, Keys, Members};
use crate::stamp::{Stamp, StampFields};
use crate::value;

/// The four streams of household waste.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stream {
    /// 易腐
    Food,
    /// 可回收
    Recyclable,
    /// 有害
    Hazardous,
    /// 其他
    Residual,
}

/// Who judged the bag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum By {
    /// The bin's camera.
    #[default]
    Camera,
    /// A person.
    Inspector,
}

/// One reading of one bag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deposit<'a> {
    /// Identity and event time.
    pub stamp: Stamp,
    /// The household's token, 1..=64 characters; `None` is unattributed.
    pub household: Option<Cow<'a, str>>,
    /// The bag, 1..=64 characters; the same on every reading of one bag.
    pub bag: Option<Cow<'a, str>>,
    /// The bin it went into.
    pub stream: Stream,
    /// Grams, `0..=`[`MAX_WEIGHT_G`].
    pub weight_g: u32,
    /// How well it was sorted, basis points `0..=10_000`.
    pub quality_bp: u16,
    /// How sure the judge is, permille `0..=1000`.
    pub confidence_pm: u16,
    /// Who judged.
    pub by: By,
}

impl Stream {
    /// Every stream.
    pub const ALL: [Self; 4] = [Self::Food, Self::Recyclable, Self::Hazardous, Self::Residual];
    pub(crate) const EXPECTED: &'static str = "food, recyclable, hazardous or residual";

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Food => "food",
            Self::Recyclable => "recyclable",
            Self::Hazardous => "hazardous",
            Self::Residual => "residual",
        }
    }

    /// Inverse of [`Stream::as_str`].
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stream| stream.as_str() == word)
    }
}

impl By {
    /// Every judge.
    pub const ALL: [Self; 2] = [Self::Camera, Self::Inspector];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Camera => "camera",
            Self::Inspector => "inspector",
        }
    }

    /// Inverse of [`By::as_str`].
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.as_str() == word)
    }
}

const KEYS: Keys = Keys::of(&[
    Key::Boot,
    Key::Seq,
    Key::At,
    Key::Household,
    Key::Bag,
    Key::Stream,
    Key::WeightG,
    Key::Quality,
    Key::Confidence,
    Key::By,
]);

const QUALITY: &str = "a number 0..=1 with at most 4 decimals";
const CONFIDENCE: &str = "a number 0..=1 with at most 3 decimals";
const WEIGHT: &str = "grams, an integer 0..=200000";
const TOKEN: &str = "text of 1 to 64 characters without control characters";

impl<'a> Deposit<'a> {
    pub(crate) const KEYS: Keys = KEYS;

    pub(crate) fn decode<A: MapAccess<'a>>(mut members: Members<'_, A>) -> Result<Self, A::Error> {
        let mut stamp = StampFields::default();
        let (mut household, mut bag) = (None, None);
        let (mut stream, mut weight_g, mut quality_bp) = (None, None, None);
        let (mut confidence_pm, mut by) = (None, None);
        while let Some(key) = members.next()? {
            match key {
                Key::Household => household = members.optional(key, |v| value::token(v, 64, TOKEN))?,
                Key::Bag => bag = members.optional(key, |v| value::token(v, 64, TOKEN))?,
                Key::Stream => {
                    let judge = |v| value::word(&v, Stream::from_word, Stream::EXPECTED);
                    stream = Some(members.value(key, judge)?);
                }
                Key::WeightG => {
                    let judge = |v| value::unsigned(&v, (0, u64::from(MAX_WEIGHT_G)), WEIGHT);
                    weight_g = Some(members.value(key, judge)?);
                }
                Key::Quality => {
                    let judge = |v| value::exact_fraction(&v, 10_000, QUALITY);
                    quality_bp = Some(members.value(key, judge)?);
                }
                Key::Confidence => {
                    confidence_pm = members.optional(key, |v| value::exact_fraction(&v, 1000, CONFIDENCE))?;
                }
                Key::By => {
                    let judge = |v| value::word(&v, By::from_word, "camera or inspector");
                    by = members.optional(key, judge)?;
                }
                _ => stamp.take(key, &mut members)?,
            }
        }
        Ok(Self {
            stamp: stamp.finish(&mut members)?,
            household,
            bag,
            stream: members.require(Key::Stream, stream)?,
            weight_g: members.require(Key::WeightG, weight_g)?,
            quality_bp: members.require(Key::Quality, quality_bp)?,
            confidence_pm: confidence_pm.unwrap_or(1000),
            by: by.unwrap_or_default(),
        })
    }

    /// The same deposit, owning its text.
    pub fn into_owned(self) -> Deposit<'static> {
        Deposit {
            stamp: self.stamp,
            household: self.household.map(|text| Cow::Owned(text.into_owned())),
            bag: self.bag.map(|text| Cow::Owned(text.into_owned())),
            stream: self.stream,
            weight_g: self.weight_g,
            quality_bp: self.quality_bp,
            confidence_pm: self.confidence_pm,
            by: self.by,
        }
    }
}

impl Serialize for Deposit<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.stamp.write(&mut map)?;
        if let Some(household) = &self.household {
            map.serialize_entry("household", household)?;
        }
        if let Some(bag) = &self.bag {
            map.serialize_entry("bag", bag)?;
        }
        map.serialize_entry("stream", self.stream.as_str())?;
        map.serialize_entry("weight_g", &self.weight_g)?;
        map.serialize_entry("quality", &(f64::from(self.quality_bp) / 10_000.0))?;
        map.serialize_entry("confidence", &(f64::from(self.confidence_pm) / 1000.0))?;
        map.serialize_entry("by", self.by.as_str())?;
        map.end()
    }
}

impl std::fmt::Display for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::fmt::Display for By {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
