//! PUBLISH, the packet that matters: borrowed, checked, never copied.

use super::properties::{self, id};
use super::reader::Reader;
use super::{DecodeError, Qos, Reason, Version, packet_id, topic};

/// A message of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Publish<'a> {
    /// A valid topic name.
    pub topic: &'a str,
    /// The packet identifier: there with `QoS` 1, absent with `QoS` 0.
    pub id: Option<u16>,
    /// The client sends this one again.
    pub dup: bool,
    /// Opaque; a slice of the packet.
    pub payload: &'a [u8],
}

impl Publish<'_> {
    /// `QoS` 1 exactly when there is an identifier to acknowledge.
    pub const fn qos(&self) -> Qos {
        if self.id.is_some() {
            Qos::AtLeastOnce
        } else {
            Qos::AtMostOnce
        }
    }
}

const RETAIN: u8 = 0x01;
const DUP: u8 = 0x08;

const PUBLISH_PROPERTIES: u64 = id::PAYLOAD_FORMAT_INDICATOR
    | id::MESSAGE_EXPIRY_INTERVAL
    | id::TOPIC_ALIAS
    | id::RESPONSE_TOPIC
    | id::CORRELATION_DATA
    | id::USER_PROPERTY
    | id::CONTENT_TYPE;

pub(super) fn decode(first: u8, mut body: Reader<'_>, version: Version) -> Result<Publish<'_>, DecodeError> {
    let qos = qos(first)?;
    let topic = body.string()?;
    topic::check_name(topic)?;
    let id = if qos == Qos::AtLeastOnce {
        Some(packet_id(&mut body)?)
    } else {
        None
    };
    if version == Version::V5 && properties::read(&mut body, PUBLISH_PROPERTIES)?.has(id::TOPIC_ALIAS) {
        return Err(DecodeError::new(
            Reason::TopicAliasInvalid,
            "a topic alias, which is not offered",
        ));
    }
    Ok(Publish {
        topic,
        id,
        dup: first & DUP != 0,
        payload: body.into_rest(),
    })
}

fn qos(first: u8) -> Result<Qos, DecodeError> {
    let qos = match (first >> 1) & 0x03 {
        0 if first & DUP != 0 => return Err(DecodeError::malformed("DUP with QoS 0")),
        0 => Qos::AtMostOnce,
        1 => Qos::AtLeastOnce,
        2 => {
            return Err(DecodeError::new(
                Reason::QosNotSupported,
                "QoS 2, which is not offered",
            ));
        }
        _ => return Err(DecodeError::malformed("QoS 3")),
    };
    if first & RETAIN != 0 {
        return Err(DecodeError::new(
            Reason::RetainNotSupported,
            "RETAIN, which is not offered",
        ));
    }
    Ok(qos)
}
