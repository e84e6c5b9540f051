//! MQTT 5 properties (section 2.2.2): every one is checked, the few that matter here are kept. Must not be used for
//! 3.1.1, which has none.

use super::DecodeError;
use super::reader::Reader;

/// Property identifiers, as bits of a set of allowed ones.
pub(super) mod id {
    pub(crate) const PAYLOAD_FORMAT_INDICATOR: u64 = 1 << 0x01;
    pub(crate) const MESSAGE_EXPIRY_INTERVAL: u64 = 1 << 0x02;
    pub(crate) const CONTENT_TYPE: u64 = 1 << 0x03;
    pub(crate) const RESPONSE_TOPIC: u64 = 1 << 0x08;
    pub(crate) const CORRELATION_DATA: u64 = 1 << 0x09;
    pub(crate) const SUBSCRIPTION_IDENTIFIER: u64 = 1 << 0x0b;
    pub(crate) const SESSION_EXPIRY_INTERVAL: u64 = 1 << 0x11;
    pub(crate) const AUTHENTICATION_METHOD: u64 = 1 << 0x15;
    pub(crate) const AUTHENTICATION_DATA: u64 = 1 << 0x16;
    pub(crate) const REQUEST_PROBLEM_INFORMATION: u64 = 1 << 0x17;
    pub(crate) const WILL_DELAY_INTERVAL: u64 = 1 << 0x18;
    pub(crate) const REQUEST_RESPONSE_INFORMATION: u64 = 1 << 0x19;
    pub(crate) const REASON_STRING: u64 = 1 << 0x1f;
    pub(crate) const RECEIVE_MAXIMUM: u64 = 1 << 0x21;
    pub(crate) const TOPIC_ALIAS_MAXIMUM: u64 = 1 << 0x22;
    pub(crate) const TOPIC_ALIAS: u64 = 1 << 0x23;
    pub(crate) const USER_PROPERTY: u64 = 1 << 0x26;
    pub(crate) const MAXIMUM_PACKET_SIZE: u64 = 1 << 0x27;
}

/// The properties whose value somebody here asks for.
#[derive(Debug, Default)]
pub(super) struct Properties {
    /// Set of the properties that were there.
    pub(super) seen: u64,
    pub(super) session_expiry_interval: u32,
    pub(super) receive_maximum: Option<u16>,
    pub(super) maximum_packet_size: Option<u32>,
}

impl Properties {
    pub(super) const fn has(&self, property: u64) -> bool {
        self.seen & property != 0
    }
}

/// Reads length and properties. One outside `allowed`, or a second of its kind (but user properties), is an error.
pub(super) fn read(reader: &mut Reader<'_>, allowed: u64) -> Result<Properties, DecodeError> {
    let mut found = Properties::default();
    let length = reader.varint()?;
    let mut block = Reader::new(reader.take(length)?);
    while !block.is_empty() {
        let number = block.varint()?;
        let property = u32::try_from(number)
            .ok()
            .and_then(|bit| 1_u64.checked_shl(bit))
            .unwrap_or(0);
        if property & allowed == 0 {
            return Err(DecodeError::protocol(
                "a property that does not belong in this packet",
            ));
        }
        if found.has(property & !id::USER_PROPERTY) {
            return Err(DecodeError::protocol("the same property twice"));
        }
        found.seen |= property;
        read_value(property, &mut block, &mut found)?;
    }
    Ok(found)
}

fn read_value(property: u64, block: &mut Reader<'_>, found: &mut Properties) -> Result<(), DecodeError> {
    match property {
        id::SESSION_EXPIRY_INTERVAL => found.session_expiry_interval = block.u32()?,
        id::RECEIVE_MAXIMUM => match block.u16()? {
            0 => return Err(DecodeError::protocol("Receive Maximum 0")),
            value => found.receive_maximum = Some(value),
        },
        id::MAXIMUM_PACKET_SIZE => match block.u32()? {
            0 => return Err(DecodeError::protocol("Maximum Packet Size 0")),
            value => found.maximum_packet_size = Some(value),
        },
        id::PAYLOAD_FORMAT_INDICATOR | id::REQUEST_PROBLEM_INFORMATION | id::REQUEST_RESPONSE_INFORMATION => {
            block.flag()?;
        }
        id::MESSAGE_EXPIRY_INTERVAL | id::WILL_DELAY_INTERVAL => {
            block.u32()?;
        }
        // Zero is legal here: "the client takes no alias".
        id::TOPIC_ALIAS_MAXIMUM | id::TOPIC_ALIAS => {
            block.u16()?;
        }
        id::SUBSCRIPTION_IDENTIFIER => {
            if block.varint()? == 0 {
                return Err(DecodeError::protocol("subscription identifier 0"));
            }
        }
        id::CONTENT_TYPE | id::AUTHENTICATION_METHOD | id::REASON_STRING => {
            block.string()?;
        }
        id::RESPONSE_TOPIC => super::topic::check_name(block.string()?)?,
        id::CORRELATION_DATA | id::AUTHENTICATION_DATA => {
            block.binary()?;
        }
        id::USER_PROPERTY => {
            block.string()?;
            block.string()?;
        }
        _ => {
            return Err(DecodeError::protocol(
                "a property that does not belong in this packet",
            ));
        }
    }
    Ok(())
}
