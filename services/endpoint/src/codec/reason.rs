//! Reason codes (MQTT 5, section 2.4) and the one error type of the codec. Must not decide what happens next.

/// Why a packet or a connection is refused: the reason codes of MQTT 5 that this endpoint uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Reason {
    /// All well.
    Success = 0x00,
    /// UNSUBSCRIBE of what was never subscribed.
    NoSubscriptionExisted = 0x11,
    /// Bytes that are no packet.
    MalformedPacket = 0x81,
    /// A well-formed packet that may not be sent (so, or now).
    ProtocolError = 0x82,
    /// Neither 3.1.1 nor 5.
    UnsupportedVersion = 0x84,
    /// Client identifier empty or not a device id.
    ClientIdentifierNotValid = 0x85,
    /// Login refused.
    BadUserNameOrPassword = 0x86,
    /// Foreign topic, or the key was revoked.
    NotAuthorized = 0x87,
    /// The login could not be checked now.
    ServerUnavailable = 0x88,
    /// A publish could not be stored; send it again.
    ServerBusy = 0x89,
    /// The endpoint stops.
    ServerShuttingDown = 0x8b,
    /// Enhanced authentication is not offered.
    BadAuthenticationMethod = 0x8c,
    /// Silent for one and a half keep-alives.
    KeepAliveTimeout = 0x8d,
    /// The same device logged in elsewhere.
    SessionTakenOver = 0x8e,
    /// A filter that is none.
    TopicFilterInvalid = 0x8f,
    /// A topic that is none.
    TopicNameInvalid = 0x90,
    /// More unacknowledged publishes than allowed.
    ReceiveMaximumExceeded = 0x93,
    /// No alias was offered.
    TopicAliasInvalid = 0x94,
    /// Larger than the maximum packet size.
    PacketTooLarge = 0x95,
    /// Too many filters in one packet.
    QuotaExceeded = 0x97,
    /// Nothing is retained here.
    RetainNotSupported = 0x9a,
    /// `QoS` 2 is not offered.
    QosNotSupported = 0x9b,
    /// Subscription identifiers are not offered.
    SubscriptionIdentifiersNotSupported = 0xa1,
}

impl Reason {
    /// The code on the wire.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// Return code of a 3.1.1 CONNACK that says the same, if there is one; otherwise 3.1.1 just closes.
    pub const fn connack_3_1_1(self) -> Option<u8> {
        match self {
            Self::Success => Some(0),
            Self::UnsupportedVersion => Some(1),
            Self::ClientIdentifierNotValid => Some(2),
            Self::ServerUnavailable | Self::ServerBusy => Some(3),
            Self::BadUserNameOrPassword => Some(4),
            Self::NotAuthorized | Self::QosNotSupported | Self::RetainNotSupported => Some(5),
            _ => None,
        }
    }

    /// Name for logs and metric labels.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::NoSubscriptionExisted => "no_subscription_existed",
            Self::MalformedPacket => "malformed_packet",
            Self::ProtocolError => "protocol_error",
            Self::UnsupportedVersion => "unsupported_version",
            Self::ClientIdentifierNotValid => "client_identifier_not_valid",
            Self::BadUserNameOrPassword => "bad_user_name_or_password",
            Self::NotAuthorized => "not_authorized",
            Self::ServerUnavailable => "server_unavailable",
            Self::ServerBusy => "server_busy",
            Self::ServerShuttingDown => "server_shutting_down",
            Self::BadAuthenticationMethod => "bad_authentication_method",
            Self::KeepAliveTimeout => "keep_alive_timeout",
            Self::SessionTakenOver => "session_taken_over",
            Self::TopicFilterInvalid => "topic_filter_invalid",
            Self::TopicNameInvalid => "topic_name_invalid",
            Self::ReceiveMaximumExceeded => "receive_maximum_exceeded",
            Self::TopicAliasInvalid => "topic_alias_invalid",
            Self::PacketTooLarge => "packet_too_large",
            Self::QuotaExceeded => "quota_exceeded",
            Self::RetainNotSupported => "retain_not_supported",
            Self::QosNotSupported => "qos_not_supported",
            Self::SubscriptionIdentifiersNotSupported => "subscription_identifiers_not_supported",
        }
    }
}

/// Bytes that must end the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} ({})", reason.name())]
pub struct DecodeError {
    /// The code a v5 client is told.
    pub reason: Reason,
    /// What was wrong, in words without any of the client's bytes.
    pub what: &'static str,
}

impl DecodeError {
    /// An error with a code of its own.
    pub const fn new(reason: Reason, what: &'static str) -> Self {
        Self { reason, what }
    }

    pub(crate) const fn malformed(what: &'static str) -> Self {
        Self::new(Reason::MalformedPacket, what)
    }

    pub(crate) const fn protocol(what: &'static str) -> Self {
        Self::new(Reason::ProtocolError, what)
    }
}
