//! SUBSCRIBE and UNSUBSCRIBE. Well-formed filters only; whose they are is the session's question.

use super::properties::{self, id};
use super::reader::Reader;
use super::{DecodeError, Qos, Reason, Version, packet_id, topic};

/// Filters one packet may carry; a device has two down-topics.
pub const MAX_FILTERS: usize = 32;

/// A SUBSCRIBE packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscribe<'a> {
    /// To be named in the SUBACK.
    pub id: u16,
    /// One to [`MAX_FILTERS`], in the client's order.
    pub subscriptions: Vec<Subscription<'a>>,
}

/// One filter of a SUBSCRIBE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subscription<'a> {
    /// A valid topic filter.
    pub filter: &'a str,
    /// The most the client asks for, `QoS` 2 taken as `QoS` 1.
    pub maximum_qos: Qos,
}

/// An UNSUBSCRIBE packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsubscribe<'a> {
    /// To be named in the UNSUBACK.
    pub id: u16,
    /// One to [`MAX_FILTERS`] valid filters, in the client's order.
    pub filters: Vec<&'a str>,
}

pub(super) fn decode_subscribe(mut body: Reader<'_>, version: Version) -> Result<Subscribe<'_>, DecodeError> {
    let id = packet_id(&mut body)?;
    if version == Version::V5
        && properties::read(&mut body, id::SUBSCRIPTION_IDENTIFIER | id::USER_PROPERTY)?
            .has(id::SUBSCRIPTION_IDENTIFIER)
    {
        return Err(DecodeError::new(
            Reason::SubscriptionIdentifiersNotSupported,
            "a subscription identifier, which is not offered",
        ));
    }
    let subscriptions = filters(&mut body, |filter, body| {
        let options = body.u8()?;
        Ok(Subscription {
            filter,
            maximum_qos: maximum_qos(filter, options, version)?,
        })
    })?;
    Ok(Subscribe { id, subscriptions })
}

pub(super) fn decode_unsubscribe(
    mut body: Reader<'_>,
    version: Version,
) -> Result<Unsubscribe<'_>, DecodeError> {
    let id = packet_id(&mut body)?;
    if version == Version::V5 {
        properties::read(&mut body, id::USER_PROPERTY)?;
    }
    let filters = filters(&mut body, |filter, _| Ok(filter))?;
    Ok(Unsubscribe { id, filters })
}

/// Reads filters to the end of the packet: at least one, at most [`MAX_FILTERS`], so that no packet costs much memory.
fn filters<'a, T>(
    body: &mut Reader<'a>,
    mut read: impl FnMut(&'a str, &mut Reader<'a>) -> Result<T, DecodeError>,
) -> Result<Vec<T>, DecodeError> {
    let mut found = Vec::new();
    while !body.is_empty() {
        if found.len() == MAX_FILTERS {
            return Err(DecodeError::new(
                Reason::QuotaExceeded,
                "more than 32 filters in one packet",
            ));
        }
        let filter = body.string()?;
        topic::check_filter(filter)?;
        found.push(read(filter, body)?);
    }
    if found.is_empty() {
        return Err(DecodeError::protocol("no filter at all"));
    }
    Ok(found)
}

/// Subscription options: `QoS` in bits 0 and 1; in v5 No Local, Retain As Published and Retain Handling above them.
fn maximum_qos(filter: &str, options: u8, version: Version) -> Result<Qos, DecodeError> {
    let reserved = match version {
        Version::V311 => 0xfc,
        Version::V5 => 0xc0,
    };
    if options & reserved != 0 {
        return Err(DecodeError::malformed(
            "reserved bits of the subscription options are set",
        ));
    }
    if options & 0x30 == 0x30 {
        return Err(DecodeError::protocol("Retain Handling 3"));
    }
    if options & 0x04 != 0 && filter.starts_with("$share/") {
        return Err(DecodeError::protocol("No Local on a shared subscription"));
    }
    match options & 0x03 {
        0 => Ok(Qos::AtMostOnce),
        1 | 2 => Ok(Qos::AtLeastOnce),
        _ => Err(DecodeError::malformed("QoS 3")),
    }
}
