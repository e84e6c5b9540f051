//! The few MQTT packets a bin needs, 3.1.1 and 5. Must not: touch a socket.

/// Protocol version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// 3.1.1
    V311,
    /// 5.0
    V5,
}

/// Most bytes of one packet, in either direction.
pub const MAX_PACKET: usize = 64 * 1024;

/// A packet from the server.
#[derive(Debug, PartialEq, Eq)]
pub enum Incoming<'a> {
    /// The login's answer: 0 is yes. The server takes `receive_maximum` unacknowledged publishes.
    ConnAck {
        /// Return or reason code.
        code: u8,
        /// MQTT 5; 65,535 when not said.
        receive_maximum: u16,
    },
    /// A publish of ours is acknowledged.
    PubAck {
        /// Packet id.
        id: u16,
        /// 0, or MQTT 5's reason.
        reason: u8,
    },
    /// A message on a down-topic.
    Publish {
        /// Topic name.
        topic: &'a [u8],
        /// Body.
        payload: &'a [u8],
        /// Packet id to acknowledge, for `QoS` 1.
        id: Option<u16>,
    },
    /// One code for every filter.
    SubAck(&'a [u8]),
    /// The server lives.
    PingResp,
    /// Goodbye, with a reason.
    Disconnect(u8),
}

/// Bytes that are no packet for us.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ProtocolError {
    /// Length field of five bytes or a packet over the limit.
    #[error("expected a packet of at most {MAX_PACKET} bytes, came a longer one")]
    TooLong,
    /// A packet a server does not send.
    #[error("unexpected packet type {0}")]
    Unexpected(u8),
    /// A packet shorter than its fields.
    #[error("packet type {0} is cut short")]
    Short(u8),
}

fn put_u16(out: &mut Vec<u8>, value: usize) {
    out.extend_from_slice(&u16::try_from(value).unwrap_or(u16::MAX).to_be_bytes());
}

fn put_text(out: &mut Vec<u8>, text: &[u8]) {
    put_u16(out, text.len());
    out.extend_from_slice(text);
}

fn put_length(out: &mut Vec<u8>, mut length: usize) {
    loop {
        let low = (length % 128) as u8;
        length /= 128;
        if length == 0 {
            return out.push(low);
        }
        out.push(low | 0x80);
    }
}

fn packet(out: &mut Vec<u8>, first: u8, body: &[u8]) {
    out.push(first);
    put_length(out, body.len());
    out.extend_from_slice(body);
}

/// CONNECT with client id = user name, a clean start, keep alive in seconds.
pub fn connect(out: &mut Vec<u8>, version: Version, id: &str, key: &str, keep_alive_s: u16) {
    let mut body = Vec::new();
    put_text(&mut body, b"MQTT");
    body.push(if version == Version::V5 { 5 } else { 4 });
    body.push(0b1100_0010);
    body.extend_from_slice(&keep_alive_s.to_be_bytes());
    if version == Version::V5 {
        body.push(0);
    }
    for text in [id, id, key] {
        put_text(&mut body, text.as_bytes());
    }
    packet(out, 0x10, &body);
}

/// PUBLISH at `QoS` 1.
pub fn publish(out: &mut Vec<u8>, version: Version, topic: &[u8], id: u16, payload: &[u8]) {
    let properties = usize::from(version == Version::V5);
    out.push(0x32);
    put_length(out, 2 + topic.len() + 2 + properties + payload.len());
    put_text(out, topic);
    out.extend_from_slice(&id.to_be_bytes());
    if properties == 1 {
        out.push(0);
    }
    out.extend_from_slice(payload);
}

/// SUBSCRIBE to `filters` at `QoS` 1.
pub fn subscribe(out: &mut Vec<u8>, version: Version, id: u16, filters: &[String]) {
    let mut body = id.to_be_bytes().to_vec();
    if version == Version::V5 {
        body.push(0);
    }
    for filter in filters {
        put_text(&mut body, filter.as_bytes());
        body.push(1);
    }
    packet(out, 0x82, &body);
}

/// PUBACK for a message of the server's.
pub fn puback(out: &mut Vec<u8>, id: u16) {
    packet(out, 0x40, &id.to_be_bytes());
}

/// PINGREQ.
pub(super) const PING: [u8; 2] = [0xc0, 0];
/// DISCONNECT.
pub(super) const DISCONNECT: [u8; 2] = [0xe0, 0];

/// The first packet in `bytes` and its length, or `None` if it is not complete yet.
pub fn parse(version: Version, bytes: &[u8]) -> Result<Option<(Incoming<'_>, usize)>, ProtocolError> {
    let Some((&first, rest)) = bytes.split_first() else {
        return Ok(None);
    };
    let Some((length, used)) = length(rest)? else {
        return Ok(None);
    };
    if length > MAX_PACKET {
        return Err(ProtocolError::TooLong);
    }
    let Some(body) = rest.get(used..used + length) else {
        return Ok(None);
    };
    let packet = incoming(version, first, body)?;
    Ok(Some((packet, 1 + used + length)))
}

/// A variable-length integer: its value and how many bytes it took; `None` if it is not complete yet.
pub(super) fn length(bytes: &[u8]) -> Result<Option<(usize, usize)>, ProtocolError> {
    let mut value = 0;
    for (index, &byte) in bytes.iter().take(4).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok(Some((value, index + 1)));
        }
    }
    if bytes.len() >= 4 {
        Err(ProtocolError::TooLong)
    } else {
        Ok(None)
    }
}

fn incoming(version: Version, first: u8, body: &[u8]) -> Result<Incoming<'_>, ProtocolError> {
    let kind = first >> 4;
    let short = || ProtocolError::Short(kind);
    let byte = |at: usize| body.get(at).copied().ok_or_else(short);
    let number = |at: usize| Ok::<_, ProtocolError>(u16::from_be_bytes([byte(at)?, byte(at + 1)?]));
    match kind {
        2 => {
            let properties = body.get(2..).unwrap_or_default();
            let receive_maximum = if version == Version::V5 {
                receive_maximum(properties)
            } else {
                u16::MAX
            };
            Ok(Incoming::ConnAck {
                code: byte(1)?,
                receive_maximum,
            })
        }
        3 => publish_from(version, first, body).ok_or_else(short),
        4 => Ok(Incoming::PubAck {
            id: number(0)?,
            reason: body.get(2).copied().unwrap_or(0),
        }),
        9 => {
            let skip = if version == Version::V5 {
                properties_end(body, 2).ok_or_else(short)?
            } else {
                2
            };
            Ok(Incoming::SubAck(body.get(skip..).unwrap_or_default()))
        }
        13 => Ok(Incoming::PingResp),
        14 => Ok(Incoming::Disconnect(body.first().copied().unwrap_or(0))),
        other => Err(ProtocolError::Unexpected(other)),
    }
}

fn publish_from(version: Version, first: u8, body: &[u8]) -> Option<Incoming<'_>> {
    let topic_length = usize::from(u16::from_be_bytes([*body.first()?, *body.get(1)?]));
    let mut at = 2 + topic_length;
    let topic = body.get(2..at)?;
    let mut id = None;
    if first & 0x06 != 0 {
        id = Some(u16::from_be_bytes([*body.get(at)?, *body.get(at + 1)?]));
        at += 2;
    }
    if version == Version::V5 {
        at = properties_end(body, at)?;
    }
    Some(Incoming::Publish {
        topic,
        payload: body.get(at..)?,
        id,
    })
}

/// Where the payload begins behind the properties that start at `at`.
fn properties_end(body: &[u8], at: usize) -> Option<usize> {
    let (length, used) = length(body.get(at..)?).ok()??;
    Some(at + used + length)
}

/// Receive Maximum (0x21) among CONNACK's properties.
fn receive_maximum(properties: &[u8]) -> u16 {
    let find = || {
        let (_, used) = length(properties).ok()??;
        let mut rest = properties.get(used..)?;
        while let Some((&id, value)) = rest.split_first() {
            if id == 0x21 {
                return Some(u16::from_be_bytes([*value.first()?, *value.get(1)?]));
            }
            rest = value.get(property_size(id, value)?..)?;
        }
        None
    };
    find().unwrap_or(u16::MAX)
}

/// Bytes of a CONNACK property's value; `None` for an unknown one.
fn property_size(id: u8, value: &[u8]) -> Option<usize> {
    let text = |value: &[u8]| Some(2 + usize::from(u16::from_be_bytes([*value.first()?, *value.get(1)?])));
    match id {
        0x24 | 0x25 | 0x28 | 0x29 | 0x2a => Some(1),
        0x13 | 0x21 | 0x22 => Some(2),
        0x11 | 0x27 => Some(4),
        0x12 | 0x15 | 0x16 | 0x1a | 0x1c | 0x1f => text(value),
        0x26 => {
            let name = text(value)?;
            Some(name + text(value.get(name..)?)?)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn puback_is_read_in_both_its_lengths_and_never_before_it_is_whole() {
        assert_eq!(
            parse(Version::V311, &[0x40, 2, 1, 4]),
            Ok(Some((Incoming::PubAck { id: 260, reason: 0 }, 4)))
        );
        let refused = [0x40, 3, 0, 9, 0x87];
        assert_eq!(
            parse(Version::V5, &refused),
            Ok(Some((Incoming::PubAck { id: 9, reason: 0x87 }, 5)))
        );
        for cut in 0..refused.len() {
            assert_eq!(parse(Version::V5, &refused[..cut]), Ok(None));
        }
    }

    #[test]
    fn connack_gives_the_receive_maximum_wherever_it_stands() {
        let connack = [0x20, 11, 0, 0, 8, 0x24, 1, 0x27, 0, 1, 0, 0, 0x21];
        assert_eq!(receive_maximum(&[3, 0x21, 0, 50]), 50);
        assert_eq!(
            receive_maximum(&[10, 0x24, 1, 0x27, 0, 1, 0, 0, 0x21, 4, 0]),
            1_024
        );
        assert_eq!(receive_maximum(&[]), u16::MAX);
        assert!(matches!(
            parse(Version::V5, &connack),
            Ok(Some((Incoming::ConnAck { code: 0, .. }, 13)))
        ));
    }

    #[test]
    fn publish_survives_the_way_out_and_in_for_both_versions() {
        for version in [Version::V311, Version::V5] {
            for size in [0, 100, 130, 20_000] {
                let mut out = Vec::new();
                publish(&mut out, version, b"a/b", 513, &vec![b'x'; size]);
                let (packet, used) = parse(version, &out).unwrap().unwrap();
                assert_eq!(used, out.len());
                assert_eq!(
                    packet,
                    Incoming::Publish {
                        topic: b"a/b",
                        payload: &vec![b'x'; size],
                        id: Some(513)
                    }
                );
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_a_packet_a_wait_or_an_error(
            bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..80),
        ) {
            for version in [Version::V311, Version::V5] {
                if let Ok(Some((_, used))) = parse(version, &bytes) {
                    proptest::prop_assert!((2..=bytes.len()).contains(&used));
                }
            }
        }
    }

    #[test]
    fn nonsense_is_an_error_not_a_wait() {
        assert_eq!(
            parse(Version::V5, &[0x40, 0xff, 0xff, 0xff, 0xff]),
            Err(ProtocolError::TooLong)
        );
        assert_eq!(
            parse(Version::V5, &[0x30, 0xff, 0xff, 0xff, 0x01]),
            Err(ProtocolError::TooLong)
        );
        assert_eq!(parse(Version::V5, &[0x10, 0]), Err(ProtocolError::Unexpected(1)));
        assert_eq!(parse(Version::V5, &[0x40, 1, 0]), Err(ProtocolError::Short(4)));
    }
}
