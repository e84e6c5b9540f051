//! Client packets by hand, right or wrong: the tests must be able to say what no client library would.

use hemu_endpoint::codec::Version;

pub(crate) const KEY: &[u8] = b"right-key";

/// A packet with a true remaining length.
pub(crate) fn frame(first: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![first];
    packet.extend(varint(body.len()));
    packet.extend_from_slice(body);
    packet
}

pub(crate) fn varint(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(value & 0x7f).unwrap_or(0);
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

/// A length-prefixed field.
pub(crate) fn field(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let bytes = bytes.as_ref();
    let mut field = u16::try_from(bytes.len())
        .unwrap_or(u16::MAX)
        .to_be_bytes()
        .to_vec();
    field.extend_from_slice(bytes);
    field
}

/// Properties with their length; nothing at all in 3.1.1.
pub(crate) fn properties(version: Version, properties: &[u8]) -> Vec<u8> {
    match version {
        Version::V311 => Vec::new(),
        Version::V5 => [varint(properties.len()), properties.to_vec()].concat(),
    }
}

pub(crate) fn connect_head(version: Version, flags: u8, keep_alive: u16, props: &[u8]) -> Vec<u8> {
    let level = if version == Version::V5 { 5 } else { 4 };
    [
        field("MQTT"),
        vec![level, flags],
        keep_alive.to_be_bytes().to_vec(),
        properties(version, props),
    ]
    .concat()
}

/// A CONNECT of a device with its key.
pub(crate) fn connect(version: Version, device: &str, key: &[u8]) -> Vec<u8> {
    connect_with(version, device, key, 60, &[])
}

pub(crate) fn connect_with(
    version: Version,
    device: &str,
    key: &[u8],
    keep_alive: u16,
    props: &[u8],
) -> Vec<u8> {
    let head = connect_head(version, 0xc2, keep_alive, props);
    frame(0x10, &[head, field(device), field(device), field(key)].concat())
}

pub(crate) fn connect_with_will(version: Version, device: &str, topic: &str, will_flags: u8) -> Vec<u8> {
    let head = connect_head(version, 0xc6 | will_flags, 60, &[]);
    let will = [properties(version, &[]), field(topic), field("gone")].concat();
    frame(
        0x10,
        &[head, field(device), will, field(device), field(KEY)].concat(),
    )
}

/// A PUBLISH: `QoS` 1 with an identifier, `QoS` 0 without.
pub(crate) fn publish(version: Version, topic: &str, id: Option<u16>, payload: &[u8]) -> Vec<u8> {
    publish_with(version, topic, id, &[], payload)
}

pub(crate) fn publish_with(
    version: Version,
    topic: &str,
    id: Option<u16>,
    props: &[u8],
    payload: &[u8],
) -> Vec<u8> {
    let identifier = id.map_or(Vec::new(), |id| id.to_be_bytes().to_vec());
    let first = if id.is_some() { 0x32 } else { 0x30 };
    frame(
        first,
        &[
            field(topic),
            identifier,
            properties(version, props),
            payload.to_vec(),
        ]
        .concat(),
    )
}

pub(crate) fn puback(id: u16) -> Vec<u8> {
    frame(0x40, &id.to_be_bytes())
}

pub(crate) fn subscribe(version: Version, id: u16, filters: &[(&str, u8)]) -> Vec<u8> {
    let filters: Vec<u8> = filters
        .iter()
        .flat_map(|(filter, options)| [field(filter), vec![*options]].concat())
        .collect();
    frame(
        0x82,
        &[id.to_be_bytes().to_vec(), properties(version, &[]), filters].concat(),
    )
}

pub(crate) fn unsubscribe(version: Version, id: u16, filters: &[&str]) -> Vec<u8> {
    let filters: Vec<u8> = filters.iter().flat_map(field).collect();
    frame(
        0xa2,
        &[id.to_be_bytes().to_vec(), properties(version, &[]), filters].concat(),
    )
}

pub(crate) const PINGREQ: [u8; 2] = [0xc0, 0];
pub(crate) const PINGRESP: [u8; 2] = [0xd0, 0];
pub(crate) const DISCONNECT: [u8; 2] = [0xe0, 0];

/// Where the body of a whole packet starts, by the book of the fixed header; nothing if its length is another.
pub(crate) fn remaining(packet: &[u8]) -> Option<usize> {
    let length = packet.iter().skip(1).take(4).position(|byte| byte & 0x80 == 0)? + 1;
    let value = packet[1..=length]
        .iter()
        .rev()
        .fold(0_usize, |value, byte| value << 7 | usize::from(byte & 0x7f));
    (1 + length + value == packet.len()).then_some(1 + length)
}
