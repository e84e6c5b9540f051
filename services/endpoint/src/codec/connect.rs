//! CONNECT: who calls, in which version, and what it can take. Must not judge the credentials.

use super::properties::{self, Properties, id};
use super::reader::Reader;
use super::{DecodeError, Reason, Version, topic};

/// A CONNECT packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connect<'a> {
    /// Protocol version of everything that follows.
    pub version: Version,
    /// Clean session (3.1.1) or clean start (5).
    pub clean_start: bool,
    /// Seconds; 0 turns the keep-alive off.
    pub keep_alive: u16,
    /// The client identifier, possibly empty.
    pub client_id: &'a str,
    /// What to say when the connection is lost.
    pub will: Option<Will<'a>>,
    /// Absent when the flag is.
    pub username: Option<&'a str>,
    /// Absent when the flag is.
    pub password: Option<&'a [u8]>,
    /// Seconds a session should outlive its connection; 0 in 3.1.1.
    pub session_expiry_interval: u32,
    /// How many `QoS` 1 publishes the client takes unacknowledged.
    pub receive_maximum: u16,
    /// Bytes of the largest packet the client takes.
    pub maximum_packet_size: u32,
}

/// The last will of a CONNECT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Will<'a> {
    /// A valid topic name.
    pub topic: &'a str,
    /// Opaque.
    pub payload: &'a [u8],
    /// 0, 1 or 2.
    pub qos: u8,
    /// The RETAIN flag.
    pub retain: bool,
}

mod flag {
    pub(super) const RESERVED: u8 = 0x01;
    pub(super) const CLEAN: u8 = 0x02;
    pub(super) const WILL: u8 = 0x04;
    pub(super) const WILL_QOS: u8 = 0x18;
    pub(super) const WILL_RETAIN: u8 = 0x20;
    pub(super) const PASSWORD: u8 = 0x40;
    pub(super) const USERNAME: u8 = 0x80;
}

const CONNECT_PROPERTIES: u64 = id::SESSION_EXPIRY_INTERVAL
    | id::RECEIVE_MAXIMUM
    | id::MAXIMUM_PACKET_SIZE
    | id::TOPIC_ALIAS_MAXIMUM
    | id::REQUEST_RESPONSE_INFORMATION
    | id::REQUEST_PROBLEM_INFORMATION
    | id::USER_PROPERTY
    | id::AUTHENTICATION_METHOD
    | id::AUTHENTICATION_DATA;

const WILL_PROPERTIES: u64 = id::WILL_DELAY_INTERVAL
    | id::PAYLOAD_FORMAT_INDICATOR
    | id::MESSAGE_EXPIRY_INTERVAL
    | id::CONTENT_TYPE
    | id::RESPONSE_TOPIC
    | id::CORRELATION_DATA
    | id::USER_PROPERTY;

/// The version a CONNECT asks for, so that even a refused one can be answered in its own language.
pub fn connect_version(frame: &[u8]) -> Option<Version> {
    let (_, mut body) = super::frame::open(frame).ok()?;
    version(&mut body).ok()
}

fn version(body: &mut Reader<'_>) -> Result<Version, DecodeError> {
    let name = body.string()?;
    let level = body.u8()?;
    match (name, level) {
        ("MQTT", 4) => Ok(Version::V311),
        ("MQTT", 5) => Ok(Version::V5),
        ("MQTT" | "MQIsdp", _) => Err(DecodeError::new(
            Reason::UnsupportedVersion,
            "an MQTT version other than 3.1.1 and 5",
        )),
        _ => Err(DecodeError::protocol("a CONNECT of another protocol")),
    }
}

pub(super) fn decode(mut body: Reader<'_>) -> Result<Connect<'_>, DecodeError> {
    let version = version(&mut body)?;
    let flags = body.u8()?;
    check_flags(flags, version)?;
    let keep_alive = body.u16()?;
    let asked = match version {
        Version::V311 => Properties::default(),
        Version::V5 => properties::read(&mut body, CONNECT_PROPERTIES)?,
    };
    if asked.has(id::AUTHENTICATION_DATA) && !asked.has(id::AUTHENTICATION_METHOD) {
        return Err(DecodeError::protocol("authentication data without a method"));
    }
    if asked.has(id::AUTHENTICATION_METHOD) {
        return Err(DecodeError::new(
            Reason::BadAuthenticationMethod,
            "enhanced authentication, which is not offered",
        ));
    }
    let client_id = body.string()?;
    let will = if flags & flag::WILL == 0 {
        None
    } else {
        Some(decode_will(flags, version, &mut body)?)
    };
    let username = if flags & flag::USERNAME == 0 {
        None
    } else {
        Some(body.string()?)
    };
    let password = if flags & flag::PASSWORD == 0 {
        None
    } else {
        Some(body.binary()?)
    };
    body.finish()?;
    Ok(Connect {
        version,
        clean_start: flags & flag::CLEAN != 0,
        keep_alive,
        client_id,
        will,
        username,
        password,
        session_expiry_interval: asked.session_expiry_interval,
        receive_maximum: asked.receive_maximum.unwrap_or(u16::MAX),
        maximum_packet_size: asked.maximum_packet_size.unwrap_or(u32::MAX),
    })
}

fn check_flags(flags: u8, version: Version) -> Result<(), DecodeError> {
    if flags & flag::RESERVED != 0 {
        return Err(DecodeError::malformed(
            "the reserved bit of the connect flags is set",
        ));
    }
    if flags & flag::WILL == 0 && flags & (flag::WILL_QOS | flag::WILL_RETAIN) != 0 {
        return Err(DecodeError::malformed("will QoS or will RETAIN without a will"));
    }
    if flags & flag::WILL_QOS == flag::WILL_QOS {
        return Err(DecodeError::malformed("will QoS 3"));
    }
    if version == Version::V311 && flags & flag::PASSWORD != 0 && flags & flag::USERNAME == 0 {
        return Err(DecodeError::malformed("a password without a user name"));
    }
    Ok(())
}

fn decode_will<'a>(flags: u8, version: Version, body: &mut Reader<'a>) -> Result<Will<'a>, DecodeError> {
    if version == Version::V5 {
        properties::read(body, WILL_PROPERTIES)?;
    }
    let topic = body.string()?;
    topic::check_name(topic)?;
    let payload = body.binary()?;
    Ok(Will {
        topic,
        payload,
        qos: (flags & flag::WILL_QOS) >> 3,
        retain: flags & flag::WILL_RETAIN != 0,
    })
}
