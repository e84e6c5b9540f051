//! The name of a device: client id, user name and topic segment at once, so it is validated only here.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Most bytes (all ASCII) of a device id.
const MAX_LEN: usize = 64;

/// A validated device id, `[A-Za-z0-9_-]{1,64}`. Cloning shares the text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceId(Arc<str>);

/// Text that is no device id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a device id of 1 to 64 characters of A-Z a-z 0-9 _ -, came {came:?}")]
pub struct DeviceIdError {
    /// The first 64 characters of what came.
    pub came: String,
}

impl DeviceId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_device_id(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=MAX_LEN).contains(&text.len()) && text.bytes().all(allowed)
}

impl TryFrom<&str> for DeviceId {
    type Error = DeviceIdError;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        if is_device_id(text) {
            Ok(Self(Arc::from(text)))
        } else {
            Err(DeviceIdError {
                came: text.chars().take(MAX_LEN).collect(),
            })
        }
    }
}

impl FromStr for DeviceId {
    type Err = DeviceIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::try_from(text)
    }
}

impl AsRef<str> for DeviceId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceId({})", self.0)
    }
}

impl Serialize for DeviceId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for DeviceId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = DeviceId;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a device id")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<DeviceId, E> {
                DeviceId::try_from(text).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_digits_underscore_and_dash_up_to_64_are_an_id() {
        for good in ["a", "bin-07_A", "-", "_", &"x".repeat(64)] {
            let id: DeviceId = good.parse().unwrap();
            assert_eq!(id.as_str(), good);
            assert_eq!(id.to_string(), good);
        }
    }

    #[test]
    fn anything_else_is_no_id() {
        for bad in [
            "",
            "a b",
            "a/b",
            "+",
            "#",
            "$x",
            "桶",
            "a\0",
            "é",
            "a.b",
            &"x".repeat(65),
        ] {
            assert!(DeviceId::try_from(bad).is_err(), "{bad:?}");
            let quoted = serde_json::to_string(bad).unwrap();
            assert!(serde_json::from_str::<DeviceId>(&quoted).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_error_never_carries_more_than_64_characters() {
        let error = DeviceId::try_from("桶".repeat(5000).as_str()).unwrap_err();
        assert_eq!(error.came.chars().count(), 64);
    }

    #[test]
    fn serde_form_is_the_plain_text() {
        let id = DeviceId::try_from("bin-1").unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"bin-1\"");
        assert_eq!(serde_json::from_str::<DeviceId>("\"bin-1\"").unwrap(), id);
    }
}
