//! The two short packets that carry a reason code in v5: PUBACK and DISCONNECT.

use super::properties::{self, Properties, id};
use super::reader::Reader;
use super::{DecodeError, Version, packet_id};

/// A client's PUBACK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Puback {
    /// Identifier of the publish it answers.
    pub id: u16,
    /// v5 reason code; 0 in 3.1.1. From 0x80 on the client did not want the message, but has had it.
    pub reason: u8,
}

/// A client's DISCONNECT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disconnect {
    /// v5 reason code; 0 in 3.1.1.
    pub reason: u8,
    /// v5 session expiry in seconds, when the client changes it.
    pub session_expiry_interval: Option<u32>,
}

impl Disconnect {
    /// Reason code 4: the client goes, and wants its will to be known all the same.
    pub const WITH_WILL: u8 = 0x04;
}

pub(super) fn decode_puback(mut body: Reader<'_>, version: Version) -> Result<Puback, DecodeError> {
    let id = packet_id(&mut body)?;
    let (reason, _) = match version {
        Version::V311 => (0, Properties::default()),
        Version::V5 => reason_and_properties(&mut body, id::REASON_STRING | id::USER_PROPERTY)?,
    };
    body.finish()?;
    if !matches!(
        reason,
        0x00 | 0x10 | 0x80 | 0x83 | 0x87 | 0x90 | 0x91 | 0x97 | 0x99
    ) {
        return Err(DecodeError::protocol("a reason code that no PUBACK carries"));
    }
    Ok(Puback { id, reason })
}

pub(super) fn decode_disconnect(mut body: Reader<'_>, version: Version) -> Result<Disconnect, DecodeError> {
    let allowed = id::SESSION_EXPIRY_INTERVAL | id::REASON_STRING | id::USER_PROPERTY;
    let (reason, said) = match version {
        Version::V311 => (0, Properties::default()),
        Version::V5 => reason_and_properties(&mut body, allowed)?,
    };
    body.finish()?;
    if !matches!(reason, 0x00 | 0x04 | 0x80..=0x83 | 0x90 | 0x93..=0x99) {
        return Err(DecodeError::protocol(
            "a reason code that no client's DISCONNECT carries",
        ));
    }
    let session_expiry_interval = said
        .has(id::SESSION_EXPIRY_INTERVAL)
        .then_some(said.session_expiry_interval);
    Ok(Disconnect {
        reason,
        session_expiry_interval,
    })
}

/// Both may be left out, the properties first.
fn reason_and_properties(body: &mut Reader<'_>, allowed: u64) -> Result<(u8, Properties), DecodeError> {
    let reason = if body.is_empty() { 0 } else { body.u8()? };
    let properties = if body.is_empty() {
        Properties::default()
    } else {
        properties::read(body, allowed)?
    };
    Ok((reason, properties))
}
