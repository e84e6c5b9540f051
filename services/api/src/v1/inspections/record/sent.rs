//! The readings of a request, as far as an answer needs to know them: which number each has, and which picture it names. The
//! rest is for the contract's parser, which must not see the picture's name: what it sets aside stands in the journal as it
//! came, for ever.

use std::fmt;

use hemu_ledger::acts::MAX_PHOTO;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::problem::Problem;

/// Most readings of one request.
const READINGS_MOST: usize = 256;
/// Numbers are kept as signed 64-bit integers in every store.
const SEQ_MAX: u64 = i64::MAX as u64;

/// Readings of one boot.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) boot: u64,
    pub(super) readings: Vec<Reading>,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) seq: u64,
    pub(super) photo: Option<String>,
    /// As it came, but for the photo.
    text: String,
}

/// Which reading of its device something is, and the picture it names.
#[derive(Debug, Deserialize)]
struct Identity<'a> {
    boot: u64,
    seq: u64,
    #[serde(borrow)]
    photo: Option<&'a RawValue>,
}

impl Sent {
    /// What no answer could name is refused with everything beside it: the phone would never hear of it.
    pub(super) fn read(readings: &[Box<RawValue>]) -> Result<Self, Problem> {
        if !(1..=READINGS_MOST).contains(&readings.len()) {
            return Err(Problem::malformed(format!(
                "readings: expected 1 to {READINGS_MOST}, came {}",
                readings.len()
            )));
        }
        let mut sent = Self {
            boot: 0,
            readings: Vec::with_capacity(readings.len()),
        };
        for (index, reading) in readings.iter().enumerate() {
            let (boot, reading) = Reading::read(index, reading.get())?;
            if index > 0 && boot != sent.boot {
                return Err(Problem::malformed(format!(
                    "readings: expected those of one boot, came {} and {boot}; send them apart",
                    sent.boot
                )));
            }
            sent.boot = boot;
            sent.readings.push(reading);
        }
        Ok(sent)
    }

    /// The readings as a payload of the contract.
    pub(super) fn payload(&self) -> Vec<u8> {
        let texts: Vec<&str> = self
            .readings
            .iter()
            .map(|reading| reading.text.as_str())
            .collect();
        format!("[{}]", texts.join(",")).into_bytes()
    }
}

impl Reading {
    /// The reading and its boot.
    fn read(index: usize, text: &str) -> Result<(u64, Self), Problem> {
        let known: Option<Identity<'_>> = serde_json::from_str(text).ok();
        let known = known.filter(|identity| (1..=SEQ_MAX).contains(&identity.seq));
        let known = known.ok_or_else(|| {
            Problem::malformed(format!(
                "readings[{index}]: expected an object with boot, a whole number, and seq, one from 1; came another"
            ))
        })?;
        let wrong = || {
            Problem::malformed(format!(
                "readings[{index}].photo: expected 1 to {MAX_PHOTO} characters, none of them a control character; came another"
            ))
        };
        let (photo, text) = match known.photo {
            None => (None, text.to_owned()),
            Some(photo) => (
                Some(reference(photo).ok_or_else(wrong)?),
                without_photo(text).ok_or_else(wrong)?,
            ),
        };
        let Identity { boot, seq, .. } = known;
        Ok((boot, Self { seq, photo, text }))
    }
}

fn reference(photo: &RawValue) -> Option<String> {
    let photo: String = serde_json::from_str(photo.get()).ok()?;
    let fits = !photo.trim().is_empty()
        && photo.chars().count() <= MAX_PHOTO
        && !photo.chars().any(char::is_control);
    fits.then_some(photo)
}

/// The members of an object in their order, each as it came: a number keeps its digits.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Each)
    }
}

fn without_photo(text: &str) -> Option<String> {
    let Members(members) = serde_json::from_str(text).ok()?;
    let mut rest = Vec::with_capacity(members.len());
    for (name, value) in members.iter().filter(|(name, _)| name != "photo") {
        rest.push(format!("{}:{value}", serde_json::to_string(name).ok()?));
    }
    Some(format!("{{{}}}", rest.join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(Option<String>, String), Problem> {
        let (_, reading) = Reading::read(0, text)?;
        Ok((reading.photo, reading.text))
    }

    #[test]
    fn the_photo_is_taken_out_and_nothing_else_changes_by_a_digit() {
        let came = r#"{"boot": 1, "photo": "IMG_0042", "seq": 2, "quality": 0.90, "x": {"photo": [1e3]}}"#;
        let (photo, text) = read(came).unwrap();
        assert_eq!(photo.as_deref(), Some("IMG_0042"));
        assert_eq!(text, r#"{"boot":1,"seq":2,"quality":0.90,"x":{"photo": [1e3]}}"#);
        let escaped = read(r#"{"boot": 1, "seq": 2, "ph\u006fto": "a"}"#).unwrap();
        assert_eq!(escaped, (Some("a".into()), r#"{"boot":1,"seq":2}"#.into()));
        let twice = r#"{"boot":1,"seq":2,"at":1,"at":2,"photo":"a"}"#;
        let (_, text) = read(twice).unwrap();
        assert_eq!(
            text, r#"{"boot":1,"seq":2,"at":1,"at":2}"#,
            "for the parser to refuse"
        );
    }

    #[test]
    fn a_reading_without_a_photo_is_as_it_came() {
        let came = r#"{ "boot": 1, "seq": 2, "note": "a photo" }"#;
        assert_eq!(read(came).unwrap(), (None, came.to_owned()));
    }

    #[test]
    fn a_photo_that_is_no_reference_is_refused() {
        let long = "图".repeat(MAX_PHOTO);
        let of = |photo: &str| read(&format!(r#"{{"boot":1,"seq":2,"photo":{photo}}}"#));
        assert!(of(&format!("\"{long}\"")).is_ok());
        let longer = format!("\"{long}a\"");
        for photo in ["\"\"", "\"  \"", "7", "[\"a\"]", "\"a\\nb\"", &longer] {
            assert!(of(photo).is_err(), "{photo}");
        }
        assert!(read(r#"{"boot":1,"seq":2,"photo":"a","photo":"b"}"#).is_err());
    }
}
