//! The subset of MQTT 3.1.1 and 5 that an ingest endpoint speaks: bytes to packets and back.
//!
//! Sans-I/O: it sees byte slices only, keeps no state, and allocates nothing for a PUBLISH (topic and payload are
//! borrowed). It must stay strict: whatever the specification calls malformed or a protocol error is refused here,
//! and so is what this endpoint does not offer (`QoS` 2, RETAIN, topic aliases, subscription identifiers). Who may
//! publish where is not its business; that is [`crate::session`]'s.

mod ack;
mod connect;
pub mod encode;
mod frame;
mod properties;
mod publish;
mod reader;
mod reason;
mod subscribe;
mod topic;

pub use ack::{Disconnect, Puback};
pub use connect::{Connect, Will, connect_version};
pub use frame::frame_length;
pub use publish::Publish;
pub use reason::{DecodeError, Reason};
pub use subscribe::{MAX_FILTERS, Subscribe, Subscription, Unsubscribe};

use frame::kind;
use reader::Reader;

/// Protocol version of a connection, fixed by its CONNECT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// MQTT 3.1.1, protocol level 4.
    V311,
    /// MQTT 5, protocol level 5.
    V5,
}

/// Delivery promise of a PUBLISH. `QoS` 2 does not exist here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Qos {
    /// Sent once, never acknowledged.
    AtMostOnce,
    /// Repeated until acknowledged.
    AtLeastOnce,
}

/// What a client may send once it is logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packet<'a> {
    /// A message from the device.
    Publish(Publish<'a>),
    /// The device has a `QoS` 1 message of ours.
    Puback(Puback),
    /// Wish for down-topics.
    Subscribe(Subscribe<'a>),
    /// End of that wish.
    Unsubscribe(Unsubscribe<'a>),
    /// Sign of life.
    Pingreq,
    /// Orderly end.
    Disconnect(Disconnect),
}

/// Decodes the first packet of a connection. `frame` is one whole packet as measured by [`frame_length`].
pub fn decode_connect(frame: &[u8]) -> Result<Connect<'_>, DecodeError> {
    let (first, body) = frame::open(frame)?;
    if first >> 4 != kind::CONNECT {
        return Err(DecodeError::protocol("the first packet must be a CONNECT"));
    }
    connect::decode(body)
}

/// Decodes one packet of a connection that is logged in. `frame` is one whole packet as measured by
/// [`frame_length`]; a CONNECT is a protocol error by then.
pub fn decode(frame: &[u8], version: Version) -> Result<Packet<'_>, DecodeError> {
    let (first, body) = frame::open(frame)?;
    match first >> 4 {
        kind::PUBLISH => publish::decode(first, body, version).map(Packet::Publish),
        kind::PUBACK => ack::decode_puback(body, version).map(Packet::Puback),
        kind::SUBSCRIBE => subscribe::decode_subscribe(body, version).map(Packet::Subscribe),
        kind::UNSUBSCRIBE => subscribe::decode_unsubscribe(body, version).map(Packet::Unsubscribe),
        kind::PINGREQ => body.finish().map(|()| Packet::Pingreq),
        kind::DISCONNECT => ack::decode_disconnect(body, version).map(Packet::Disconnect),
        kind::CONNECT => Err(DecodeError::protocol("a second CONNECT")),
        _ => Err(DecodeError::protocol(
            "a packet type that a client may not send here",
        )),
    }
}

/// A packet identifier; zero is not one.
fn packet_id(body: &mut Reader<'_>) -> Result<u16, DecodeError> {
    match body.u16()? {
        0 => Err(DecodeError::protocol("packet identifier 0")),
        id => Ok(id),
    }
}
