//! An incident: something a person should look at. Never a face: `photo` is an opaque reference.

use std::borrow::Cow;

use serde::de::MapAccess;
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::decode::{Key, Keys, Members};
use crate::deposit::Stream;
use crate::stamp::{Stamp, StampFields};
use crate::value;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IncidentKind {
    /// A bin is full beyond its rim.
    Overflow,
    /// Waste beside the bins.
    Dumping,
    /// Smoke or heat.
    Smoke,
    /// A bin lies or leans.
    Tilt,
    /// Somebody opened the device.
    Tamper,
    /// The device is broken.
    Fault,
}

/// One incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident<'a> {
    /// Identity and event time.
    pub stamp: Stamp,
    /// What happened.
    pub kind: IncidentKind,
    /// The bin concerned, if one is.
    pub stream: Option<Stream>,
    /// At most 200 characters.
    pub note: Option<Cow<'a, str>>,
    /// An opaque reference of at most 200 characters.
    pub photo: Option<Cow<'a, str>>,
}

impl IncidentKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Overflow,
        Self::Dumping,
        Self::Smoke,
        Self::Tilt,
        Self::Tamper,
        Self::Fault,
    ];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Overflow => "overflow",
            Self::Dumping => "dumping",
            Self::Smoke => "smoke",
            Self::Tilt => "tilt",
            Self::Tamper => "tamper",
            Self::Fault => "fault",
        }
    }

    /// Inverse of [`IncidentKind::as_str`].
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

impl std::fmt::Display for IncidentKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

const KIND: &str = "overflow, dumping, smoke, tilt, tamper or fault";
const TEXT: &str = "text of at most 200 characters without control characters";

impl<'a> Incident<'a> {
    pub(crate) const KEYS: Keys = Keys::of(&[
        Key::Boot,
        Key::Seq,
        Key::At,
        Key::Kind,
        Key::Stream,
        Key::Note,
        Key::Photo,
    ]);

    pub(crate) fn decode<A: MapAccess<'a>>(mut members: Members<'_, A>) -> Result<Self, A::Error> {
        let mut stamp = StampFields::default();
        let (mut kind, mut stream, mut note, mut photo) = (None, None, None, None);
        while let Some(key) = members.next()? {
            match key {
                Key::Kind => {
                    kind = Some(members.value(key, |v| value::word(&v, IncidentKind::from_word, KIND))?);
                }
                Key::Stream => {
                    let judge = |v| value::word(&v, Stream::from_word, Stream::EXPECTED);
                    stream = members.optional(key, judge)?;
                }
                Key::Note => note = members.optional(key, |v| value::text(v, 200, TEXT))?,
                Key::Photo => photo = members.optional(key, |v| value::text(v, 200, TEXT))?,
                _ => stamp.take(key, &mut members)?,
            }
        }
        Ok(Self {
            stamp: stamp.finish(&mut members)?,
            kind: members.require(Key::Kind, kind)?,
            stream,
            note,
            photo,
        })
    }

    /// The same incident, owning its text.
    pub fn into_owned(self) -> Incident<'static> {
        Incident {
            stamp: self.stamp,
            kind: self.kind,
            stream: self.stream,
            note: self.note.map(|text| Cow::Owned(text.into_owned())),
            photo: self.photo.map(|text| Cow::Owned(text.into_owned())),
        }
    }
}

impl Serialize for Incident<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.stamp.write(&mut map)?;
        map.serialize_entry("kind", self.kind.as_str())?;
        if let Some(stream) = self.stream {
            map.serialize_entry("stream", stream.as_str())?;
        }
        if let Some(note) = &self.note {
            map.serialize_entry("note", note)?;
        }
        if let Some(photo) = &self.photo {
            map.serialize_entry("photo", photo)?;
        }
        map.end()
    }
}
