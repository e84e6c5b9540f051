//! From the first packet to a session: who calls, and may the call be taken at all. Sans-I/O.
//!
//! Nothing a client sends behind its CONNECT is looked at here: a [`Session`], which does that, exists only after
//! [`Caller::accept`].

use std::time::Duration;

use bytes::BytesMut;
use hemu_wire::{DeviceId, Up, up_of};

use crate::codec::{self, Connect, DecodeError, Reason, Version, Will, encode};
use crate::limits::Limits;
use crate::session::Session;

/// A device that wants in, with everything its CONNECT said that matters later.
#[derive(Debug)]
pub struct Caller {
    /// Client id and user name in one.
    pub device: DeviceId,
    /// The password. Never logged.
    pub key: Key,
    pub(crate) version: Version,
    pub(crate) receive_maximum: u16,
    pub(crate) maximum_packet_size: u32,
    pub(crate) session_expiry_interval: u32,
    keep_alive: u16,
}

/// A device's key, as sent; its debug form says nothing.
pub struct Key(Box<[u8]>);

impl Key {
    /// The bytes of the password.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(..)")
    }
}

/// Why a call is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// Known when the CONNECT was whole enough to say.
    pub version: Option<Version>,
    /// Reason and words.
    pub error: DecodeError,
}

impl Refusal {
    /// The CONNACK that says so; empty when there is none to be had.
    pub fn connack(&self) -> BytesMut {
        let mut out = BytesMut::new();
        match self.version {
            Some(version) => encode::connack_refused(&mut out, version, self.error.reason),
            // A version that is not ours is told so in the older of the two.
            None if self.error.reason == Reason::UnsupportedVersion => {
                encode::connack_refused(&mut out, Version::V311, self.error.reason);
            }
            None => {}
        }
        out
    }
}

/// Reads the first packet (`frame` is whole) and checks all that can be checked without asking anybody.
pub fn greet(frame: &[u8]) -> Result<Caller, Refusal> {
    let refusal = |error| Refusal {
        version: codec::connect_version(frame),
        error,
    };
    let connect = codec::decode_connect(frame).map_err(refusal)?;
    caller(&connect).map_err(refusal)
}

fn caller(connect: &Connect<'_>) -> Result<Caller, DecodeError> {
    let device = DeviceId::try_from(connect.client_id).map_err(|_| {
        DecodeError::new(
            Reason::ClientIdentifierNotValid,
            "expected a device id of [A-Za-z0-9_-]{1,64} as client id",
        )
    })?;
    if connect.username != Some(device.as_str()) {
        return Err(DecodeError::new(
            Reason::BadUserNameOrPassword,
            "expected the device id as user name",
        ));
    }
    let Some(key) = connect.password else {
        return Err(DecodeError::new(
            Reason::BadUserNameOrPassword,
            "expected the device's key as password",
        ));
    };
    if let Some(will) = &connect.will {
        check_will(will, &device)?;
    }
    Ok(Caller {
        key: Key(key.into()),
        version: connect.version,
        receive_maximum: connect.receive_maximum,
        maximum_packet_size: connect.maximum_packet_size,
        session_expiry_interval: connect.session_expiry_interval,
        keep_alive: connect.keep_alive,
        device,
    })
}

/// A will is a device's way to ask for the state "lost"; its payload is never stored as a reading.
fn check_will(will: &Will<'_>, device: &DeviceId) -> Result<(), DecodeError> {
    if will.qos > 1 {
        return Err(DecodeError::new(
            Reason::QosNotSupported,
            "a will of QoS 2, which is not offered",
        ));
    }
    if will.retain {
        return Err(DecodeError::new(
            Reason::RetainNotSupported,
            "a retained will, which is not offered",
        ));
    }
    if up_of(will.topic, device) != Some(Up::Status) {
        return Err(DecodeError::new(
            Reason::NotAuthorized,
            "expected the device's own status topic for its will",
        ));
    }
    Ok(())
}

impl Caller {
    /// Says no after the login.
    pub fn refuse(&self, reason: Reason, what: &'static str) -> Refusal {
        Refusal {
            version: Some(self.version),
            error: DecodeError::new(reason, what),
        }
    }

    /// Says yes: a session whose output starts with the CONNACK, and the silence it may keep.
    pub fn accept(self, limits: &Limits) -> (Session, Duration) {
        let (server_keep_alive, silence) = self.silence(limits);
        let offer = encode::Offer {
            receive_maximum: limits.receive_maximum,
            maximum_packet_size: u32::try_from(limits.packet_bytes).unwrap_or(u32::MAX),
            server_keep_alive,
            session_ends: self.session_expiry_interval > 0,
        };
        (Session::new(self, limits.clone(), &offer), silence)
    }

    /// One and a half keep-alives. A v5 client that wants none, or too long a one, is given another; a 3.1.1 client
    /// cannot be told, so one without is closed after a silence of the longest keep-alive.
    fn silence(&self, limits: &Limits) -> (Option<u16>, Duration) {
        let (given, seconds) = match (self.version, self.keep_alive) {
            (Version::V5, 0) => (Some(limits.server_keep_alive), limits.server_keep_alive),
            (Version::V5, long) if long > limits.longest_keep_alive => {
                (Some(limits.longest_keep_alive), limits.longest_keep_alive)
            }
            (Version::V311, 0) => (None, limits.longest_keep_alive),
            (_, seconds) => (None, seconds),
        };
        (given, Duration::from_millis(u64::from(seconds) * 1500))
    }
}
