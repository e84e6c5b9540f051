//! MQTT 3.1.1 packets as far as a proxy must know them. Must not: decide anything.

use std::io::{Error, ErrorKind, Result};

/// Bytes of one direction, taken apart into packets.
#[derive(Debug, Default)]
pub(super) struct Buffer(pub(super) Vec<u8>);

impl Buffer {
    /// The next whole packet, if there is one.
    pub(super) fn packet(&mut self) -> Result<Option<Vec<u8>>> {
        let Some((length, used)) = length(self.0.get(1..).unwrap_or_default())? else {
            return Ok(None);
        };
        let whole = 1 + used + length;
        if self.0.len() < whole {
            return Ok(None);
        }
        let rest = self.0.split_off(whole);
        Ok(Some(std::mem::replace(&mut self.0, rest)))
    }
}

/// A variable-length integer and its bytes; `None` while it is not whole.
fn length(bytes: &[u8]) -> Result<Option<(usize, usize)>> {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(4).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok(Some((value, index + 1)));
        }
    }
    if bytes.len() < 4 {
        Ok(None)
    } else {
        Err(Error::new(ErrorKind::InvalidData, "no MQTT"))
    }
}

/// What a proxy looks at.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Packet<'a> {
    /// The client id.
    Connect(&'a str),
    /// A PUBLISH with its packet id, if it has one.
    Publish {
        topic: &'a str,
        id: Option<u16>,
        payload: &'a [u8],
    },
    /// A PUBACK.
    PubAck(u16),
    /// Anything else.
    Other,
}

/// Reads a whole packet; what makes no sense is passed on unread.
pub(super) fn read(packet: &[u8]) -> Packet<'_> {
    inside(packet).unwrap_or(Packet::Other)
}

fn inside(packet: &[u8]) -> Option<Packet<'_>> {
    let (&first, rest) = packet.split_first()?;
    let (_, used) = length(rest).ok()??;
    let body = rest.get(used..)?;
    Some(match first >> 4 {
        1 => Packet::Connect(text(body.get(10..)?)?.0),
        3 => {
            let (topic, mut rest) = text(body)?;
            let mut id = None;
            if first & 0x06 != 0 {
                id = Some(u16::from_be_bytes(*rest.first_chunk()?));
                rest = rest.get(2..)?;
            }
            Packet::Publish {
                topic,
                id,
                payload: rest,
            }
        }
        4 => Packet::PubAck(u16::from_be_bytes(*body.first_chunk()?)),
        _ => Packet::Other,
    })
}

fn text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let length = usize::from(u16::from_be_bytes(*bytes.first_chunk()?));
    let (text, rest) = bytes.get(2..)?.split_at_checked(length)?;
    Some((str::from_utf8(text).ok()?, rest))
}

/// A PUBACK.
pub(super) fn puback(id: u16) -> [u8; 4] {
    let [high, low] = id.to_be_bytes();
    [0x40, 2, high, low]
}

/// A PUBLISH, of `QoS` 1 when it has an id.
pub(super) fn publish(topic: &str, id: Option<u16>, payload: &[u8]) -> Vec<u8> {
    let mut body = u16::try_from(topic.len()).unwrap_or(0).to_be_bytes().to_vec();
    body.extend_from_slice(topic.as_bytes());
    body.extend(id.iter().flat_map(|id| id.to_be_bytes()));
    body.extend_from_slice(payload);
    let mut packet = vec![if id.is_some() { 0x32 } else { 0x30 }];
    let mut length = body.len();
    while length >= 0x80 {
        packet.push(u8::try_from(length % 0x80).unwrap_or(0) | 0x80);
        length /= 0x80;
    }
    packet.push(u8::try_from(length).unwrap_or(0));
    packet.extend_from_slice(&body);
    packet
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_found_whole_however_they_come() {
        let payload = vec![b'x'; 300];
        let wire = [publish("a/b", Some(7), &payload), puback(9).to_vec()].concat();
        let (mut buffer, mut found) = (Buffer::default(), Vec::new());
        for byte in wire {
            buffer.0.push(byte);
            found.extend(buffer.packet().unwrap());
        }
        assert_eq!(
            read(&found[0]),
            Packet::Publish {
                topic: "a/b",
                id: Some(7),
                payload: &payload
            }
        );
        assert_eq!(read(&found[1]), Packet::PubAck(9));
        assert!(buffer.0.is_empty());
    }
}
