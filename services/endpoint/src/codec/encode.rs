//! The packets a server sends. Each function appends one whole packet; none looks at the connection's state.

use bytes::{BufMut, BytesMut};

use super::{Qos, Reason, Version, frame::kind};

/// What a v5 CONNACK promises and withholds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// `QoS` 1 publishes the client may have unacknowledged.
    pub receive_maximum: u16,
    /// Bytes of the largest packet the client may send.
    pub maximum_packet_size: u32,
    /// Seconds, when the server wants another keep-alive than the client.
    pub server_keep_alive: Option<u16>,
    /// The client asked for a session that outlives its connection, and must be told that it does not.
    pub session_ends: bool,
}

/// CONNACK that lets the client in. 3.1.1 has no room for an offer.
pub fn connack_accepted(out: &mut BytesMut, version: Version, offer: &Offer) {
    if version == Version::V311 {
        out.extend_from_slice(&[kind::CONNACK << 4, 2, 0, 0]);
        return;
    }
    let mut properties = BytesMut::with_capacity(32);
    if offer.session_ends {
        properties.extend_from_slice(&[0x11, 0, 0, 0, 0]);
    }
    properties.put_u8(0x21);
    properties.extend_from_slice(&offer.receive_maximum.to_be_bytes());
    // Maximum QoS 1; no RETAIN, wildcards, subscription identifiers or shared subscriptions.
    properties.extend_from_slice(&[0x24, 1, 0x25, 0, 0x28, 0, 0x29, 0, 0x2a, 0]);
    properties.put_u8(0x27);
    properties.extend_from_slice(&offer.maximum_packet_size.to_be_bytes());
    if let Some(seconds) = offer.server_keep_alive {
        properties.put_u8(0x13);
        properties.extend_from_slice(&seconds.to_be_bytes());
    }
    header(out, kind::CONNACK << 4, 3 + properties.len());
    out.extend_from_slice(&[0, Reason::Success.code()]);
    varint(out, properties.len());
    out.extend_from_slice(&properties);
}

/// CONNACK that refuses. In 3.1.1 nothing is written for a reason it has no return code for.
pub fn connack_refused(out: &mut BytesMut, version: Version, reason: Reason) {
    match version {
        Version::V5 => out.extend_from_slice(&[kind::CONNACK << 4, 3, 0, reason.code(), 0]),
        Version::V311 => {
            if let Some(code) = reason.connack_3_1_1() {
                out.extend_from_slice(&[kind::CONNACK << 4, 2, 0, code]);
            }
        }
    }
}

/// PUBACK. 3.1.1 can only say yes.
pub fn puback(out: &mut BytesMut, version: Version, id: u16, reason: Reason) {
    let [high, low] = id.to_be_bytes();
    if version == Version::V5 && reason != Reason::Success {
        out.extend_from_slice(&[kind::PUBACK << 4, 3, high, low, reason.code()]);
    } else {
        out.extend_from_slice(&[kind::PUBACK << 4, 2, high, low]);
    }
}

/// PUBLISH to the client: `QoS` 1 when there is an identifier. `topic` is at most 65,535 bytes long.
pub fn publish(out: &mut BytesMut, version: Version, topic: &str, id: Option<u16>, payload: &[u8]) {
    let qos = if id.is_some() {
        Qos::AtLeastOnce
    } else {
        Qos::AtMostOnce
    };
    out.reserve(payload.len() + topic.len() + 10);
    header(
        out,
        kind::PUBLISH << 4 | (qos as u8) << 1,
        publish_body(version, topic, id, payload),
    );
    out.extend_from_slice(&u16::try_from(topic.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.extend_from_slice(topic.as_bytes());
    if let Some(id) = id {
        out.extend_from_slice(&id.to_be_bytes());
    }
    if version == Version::V5 {
        out.put_u8(0);
    }
    out.extend_from_slice(payload);
}

fn publish_body(version: Version, topic: &str, id: Option<u16>, payload: &[u8]) -> usize {
    let properties = usize::from(version == Version::V5);
    2 + topic.len() + id.map_or(0, |_| 2) + properties + payload.len()
}

/// SUBACK: one code a filter, in order; a granted `QoS` or, from 0x80 on, a refusal.
pub fn suback(out: &mut BytesMut, version: Version, id: u16, codes: &[u8]) {
    acknowledgement(out, kind::SUBACK, version, id, codes);
}

/// UNSUBACK: one code a filter in v5, none in 3.1.1.
pub fn unsuback(out: &mut BytesMut, version: Version, id: u16, codes: &[u8]) {
    acknowledgement(
        out,
        kind::UNSUBACK,
        version,
        id,
        if version == Version::V5 { codes } else { &[] },
    );
}

fn acknowledgement(out: &mut BytesMut, kind: u8, version: Version, id: u16, codes: &[u8]) {
    let properties = usize::from(version == Version::V5);
    header(out, kind << 4, 2 + properties + codes.len());
    out.extend_from_slice(&id.to_be_bytes());
    if version == Version::V5 {
        out.put_u8(0);
    }
    out.extend_from_slice(codes);
}

/// PINGRESP.
pub fn pingresp(out: &mut BytesMut) {
    out.extend_from_slice(&[kind::PINGRESP << 4, 0]);
}

/// DISCONNECT. A 3.1.1 server cannot say why it closes, so nothing is written there.
pub fn disconnect(out: &mut BytesMut, version: Version, reason: Reason) {
    if version == Version::V5 {
        // The empty properties might be left out, but then some client libraries cannot read it.
        out.extend_from_slice(&[kind::DISCONNECT << 4, 2, reason.code(), 0]);
    }
}

fn header(out: &mut BytesMut, first: u8, remaining: usize) {
    out.put_u8(first);
    varint(out, remaining);
}

/// A variable byte integer, in as few bytes as it takes. Callers stay below 2^28.
fn varint(out: &mut BytesMut, mut value: usize) {
    loop {
        let low = u8::try_from(value & 0x7f).unwrap_or(0);
        value >>= 7;
        if value == 0 {
            out.put_u8(low);
            return;
        }
        out.put_u8(low | 0x80);
    }
}
