//! The fixed header: how long the next packet is, and whether it may exist at all, before any of it is stored.

use super::reader::Reader;
use super::{DecodeError, Reason};

/// Packet types, the upper four bits of the first byte.
pub(super) mod kind {
    pub(crate) const CONNECT: u8 = 1;
    pub(crate) const CONNACK: u8 = 2;
    pub(crate) const PUBLISH: u8 = 3;
    pub(crate) const PUBACK: u8 = 4;
    pub(crate) const SUBSCRIBE: u8 = 8;
    pub(crate) const SUBACK: u8 = 9;
    pub(crate) const UNSUBSCRIBE: u8 = 10;
    pub(crate) const UNSUBACK: u8 = 11;
    pub(crate) const PINGREQ: u8 = 12;
    pub(crate) const PINGRESP: u8 = 13;
    pub(crate) const DISCONNECT: u8 = 14;
}

/// Length in bytes of the packet that `buffer` starts with, header included.
///
/// `None` when the header is not whole yet; the rest of the packet may still be missing when there is a length. A
/// packet that may not be sent, or that is longer than `maximum` bytes, is refused from the header alone.
pub fn frame_length(buffer: &[u8], maximum: usize) -> Result<Option<usize>, DecodeError> {
    let Some((&first, rest)) = buffer.split_first() else {
        return Ok(None);
    };
    check_first_byte(first)?;
    let mut header = Reader::new(rest);
    let remaining = match header.varint() {
        Ok(remaining) => remaining,
        // Less than a whole length field: that it ends early is no error yet.
        Err(_) if rest.len() < 4 && rest.iter().all(|byte| byte & 0x80 != 0) => return Ok(None),
        Err(error) => return Err(error),
    };
    let length = buffer.len() - header.into_rest().len() + remaining;
    if length > maximum {
        return Err(DecodeError::new(
            Reason::PacketTooLarge,
            "a packet over the maximum packet size",
        ));
    }
    Ok(Some(length))
}

/// Splits a whole packet into its first byte and a reader over what follows the header.
pub(super) fn open(frame: &[u8]) -> Result<(u8, Reader<'_>), DecodeError> {
    let mut reader = Reader::new(frame);
    let first = reader.u8()?;
    check_first_byte(first)?;
    let remaining = reader.varint()?;
    let body = reader.take(remaining)?;
    reader.finish()?;
    Ok((first, Reader::new(body)))
}

/// Type and flags: a client may send seven types, each but PUBLISH with fixed flags (3.1.1 and 5, section 2.2.2).
fn check_first_byte(first: u8) -> Result<(), DecodeError> {
    let flags = first & 0x0f;
    match first >> 4 {
        kind::PUBLISH => Ok(()),
        kind::CONNECT | kind::PUBACK | kind::PINGREQ | kind::DISCONNECT if flags == 0 => Ok(()),
        kind::SUBSCRIBE | kind::UNSUBSCRIBE if flags == 2 => Ok(()),
        kind::CONNECT
        | kind::PUBACK
        | kind::PINGREQ
        | kind::DISCONNECT
        | kind::SUBSCRIBE
        | kind::UNSUBSCRIBE => Err(DecodeError::malformed("reserved header flags that are set wrong")),
        0 => Err(DecodeError::malformed("packet type 0")),
        5..=7 => Err(DecodeError::protocol(
            "a QoS 2 acknowledgement where QoS 2 is not offered",
        )),
        15 => Err(DecodeError::protocol(
            "an AUTH packet where no authentication method was agreed",
        )),
        _ => Err(DecodeError::protocol("a packet that only a server may send")),
    }
}
