//! The five topics of a device, `hemu/v1/{device}/...`, each builder beside its inverse.
//! Who may use which topic is not decided here.

use std::fmt;

use crate::device::DeviceId;

const PREFIX: &str = "hemu/v1/";

/// What a device sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Up {
    /// A bag dropped into a bin.
    Deposit,
    /// How the device and its bins are, and records it had to drop.
    Status,
    /// Something a person should look at.
    Incident,
}

/// What a device is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Down {
    /// What is stored for good.
    Receipt,
    /// What it should do.
    Command,
}

/// A topic that is none of the contract's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a topic {expected}, came {came:?}")]
pub struct TopicError {
    /// The form a topic of this direction has.
    pub expected: &'static str,
    /// The first 128 characters of what came.
    pub came: String,
}

impl Up {
    /// Every up-topic.
    pub const ALL: [Self; 3] = [Self::Deposit, Self::Status, Self::Incident];

    /// The last segment of the topic.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deposit => "deposit",
            Self::Status => "status",
            Self::Incident => "incident",
        }
    }

    fn from_segment(segment: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|up| up.as_str() == segment)
    }
}

impl Down {
    /// Every down-topic.
    pub const ALL: [Self; 2] = [Self::Receipt, Self::Command];

    /// The last segment of the topic.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Receipt => "receipt",
            Self::Command => "command",
        }
    }

    fn from_segment(segment: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|down| down.as_str() == segment)
    }
}

impl fmt::Display for Up {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Down {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The topic on which `device` publishes `up`.
pub fn up_topic(device: &DeviceId, up: Up) -> String {
    format!("{PREFIX}{device}/{up}")
}

/// Inverse of [`up_topic`].
pub fn parse_up(topic: &str) -> Result<(DeviceId, Up), TopicError> {
    split(topic)
        .and_then(|(device, last)| Some((DeviceId::try_from(device).ok()?, Up::from_segment(last)?)))
        .ok_or_else(|| TopicError::new("hemu/v1/{device}/deposit|status|incident", topic))
}

/// Which up-topic of exactly this device `topic` is, if it is one. Allocates nothing.
pub fn up_of(topic: &str, device: &DeviceId) -> Option<Up> {
    let (owner, last) = split(topic)?;
    if owner == device.as_str() {
        Up::from_segment(last)
    } else {
        None
    }
}

/// The topic on which `device` hears `down`.
pub fn down_topic(device: &DeviceId, down: Down) -> String {
    format!("{PREFIX}{device}/{down}")
}

/// Inverse of [`down_topic`].
pub fn parse_down(topic: &str) -> Result<(DeviceId, Down), TopicError> {
    split(topic)
        .and_then(|(device, last)| Some((DeviceId::try_from(device).ok()?, Down::from_segment(last)?)))
        .ok_or_else(|| TopicError::new("hemu/v1/{device}/receipt|command", topic))
}

/// Device segment and last segment. A further `/` stays in the last one, where no topic matches it.
fn split(topic: &str) -> Option<(&str, &str)> {
    topic.strip_prefix(PREFIX)?.split_once('/')
}

impl TopicError {
    fn new(expected: &'static str, topic: &str) -> Self {
        Self {
            expected,
            came: topic.chars().take(128).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> DeviceId {
        DeviceId::try_from(text).unwrap()
    }

    #[test]
    fn topics_are_the_contracts() {
        let device = id("bin-1");
        assert_eq!(up_topic(&device, Up::Deposit), "hemu/v1/bin-1/deposit");
        assert_eq!(up_topic(&device, Up::Status), "hemu/v1/bin-1/status");
        assert_eq!(up_topic(&device, Up::Incident), "hemu/v1/bin-1/incident");
        assert_eq!(down_topic(&device, Down::Receipt), "hemu/v1/bin-1/receipt");
        assert_eq!(down_topic(&device, Down::Command), "hemu/v1/bin-1/command");
    }

    #[test]
    fn parsing_undoes_building() {
        for name in ["a", "hemu", "v1", "deposit", "-_-", &"9".repeat(64)] {
            let device = id(name);
            for up in Up::ALL {
                let topic = up_topic(&device, up);
                assert_eq!(parse_up(&topic), Ok((device.clone(), up)));
                assert_eq!(up_of(&topic, &device), Some(up));
                assert!(parse_down(&topic).is_err());
            }
            for down in Down::ALL {
                let topic = down_topic(&device, down);
                assert_eq!(parse_down(&topic), Ok((device.clone(), down)));
                assert!(parse_up(&topic).is_err());
                assert_eq!(up_of(&topic, &device), None);
            }
        }
    }

    #[test]
    fn everything_else_is_refused() {
        let long = format!("hemu/v1/{}/deposit", "x".repeat(65));
        let bad = [
            "",
            "/",
            "hemu",
            "hemu/v1/",
            "hemu/v1//deposit",
            "hemu/v1/bin-1",
            "hemu/v1/bin-1/",
            "hemu/v1/bin-1/deposits",
            "hemu/v1/bin-1/Deposit",
            "hemu/v1/bin-1/deposit/",
            "hemu/v1/bin-1/deposit/x",
            "hemu/v1/bin-1//deposit",
            "/hemu/v1/bin-1/deposit",
            "hemu/v2/bin-1/deposit",
            "HEMU/v1/bin-1/deposit",
            "hemu/v1/+/deposit",
            "hemu/v1/#",
            "hemu/v1/bin-1/+",
            "$share/g/hemu/v1/bin-1/deposit",
            "hemu/v1/bin 1/deposit",
            "hemu/v1/桶/deposit",
            "桶",
            "hemu/v1/bin-1/deposit\0",
            &long,
        ];
        for topic in bad {
            assert!(parse_up(topic).is_err(), "{topic:?}");
            assert!(parse_down(topic).is_err(), "{topic:?}");
            assert_eq!(up_of(topic, &id("bin-1")), None, "{topic:?}");
        }
    }

    #[test]
    fn a_device_owns_no_other_devices_topic() {
        for (owner, other) in [("a", "b"), ("a", "aa"), ("aa", "a"), ("A", "a")] {
            assert_eq!(up_of(&up_topic(&id(owner), Up::Deposit), &id(other)), None);
        }
    }

    #[test]
    fn the_error_says_what_was_expected_and_what_came() {
        let error = parse_up("bins/7/up").unwrap_err().to_string();
        assert_eq!(
            error,
            "expected a topic hemu/v1/{device}/deposit|status|incident, came \"bins/7/up\""
        );
        assert_eq!(
            parse_up(&"桶".repeat(9999)).unwrap_err().came.chars().count(),
            128
        );
    }
}
