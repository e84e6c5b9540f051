//! Where the broker is and how it is spoken to. Checks what an operator wrote; must not open anything.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The up-topics of every device.
const UP: [&str; 3] = ["hemu/v1/+/deposit", "hemu/v1/+/status", "hemu/v1/+/incident"];
/// Names in a client id or a group: what every broker takes.
const NAME_MAX: usize = 64;

/// How to reach the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub address: Address,
    /// Names the session that the broker keeps while we are away; two servers on one broker need two.
    pub client_id: String,
    pub username: Option<String>,
    pub password: Option<Secret>,
    /// Shares the messages with every other ingest process of this group (MQTT 5).
    pub group: Option<String>,
    pub protocol: Protocol,
    /// Messages that may be unacknowledged, 1..=65,535.
    pub receive_maximum: u16,
    /// The authorities that may sign the broker's certificate, PEM; needed by `mqtts://` and by nothing else.
    pub authorities: Option<PathBuf>,
}

/// A password. Shown to the broker and to nobody else.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Which MQTT to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Protocol {
    #[serde(rename = "3.1.1")]
    V311,
    #[serde(rename = "5")]
    V5,
}

/// `mqtt://HOST[:PORT]` or `mqtts://HOST[:PORT]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub host: String,
    pub port: u16,
    pub tls: bool,
}

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected mqtt://HOST[:PORT] or mqtts://HOST[:PORT] without a login in it, came another text: the login goes into broker_username and broker_password"
)]
pub struct AddressError;

/// Why settings do not go together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    #[error(
        "expected a {0} of 1 to {NAME_MAX} letters, digits, `_` or `-`, came another: every broker takes those"
    )]
    Name(&'static str),
    #[error("expected no broker_group with MQTT 3.1.1, came one: shared subscriptions are MQTT 5's")]
    GroupNeedsV5,
    #[error("expected a broker_username with the broker_password, came none")]
    PasswordAlone,
    #[error("expected broker_receive_maximum from 1 to 65535, came 0")]
    NothingInFlight,
    #[error(
        "expected broker_ca with mqtts:// and only then: the certificates, in PEM, of who signs the broker's"
    )]
    Authorities,
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (scheme, rest) = text.split_once("://").ok_or(AddressError)?;
        let tls = match scheme {
            "mqtt" => false,
            "mqtts" => true,
            _ => return Err(AddressError),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        // An IPv6 address keeps its brackets: that is how it is resolved together with a port.
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().map_err(|_| AddressError)?),
            _ => (rest, if tls { 8883 } else { 1883 }),
        };
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host);
        let colons = bare.len() != host.len();
        let allowed =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') || (colons && c == ':');
        if bare.is_empty() || port == 0 || !bare.chars().all(allowed) {
            return Err(AddressError);
        }
        Ok(Self {
            host: host.to_owned(),
            port,
            tls,
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "mqtts" } else { "mqtt" };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

impl Address {
    /// Whether what is sent there stays on this machine.
    pub fn is_loopback(&self) -> bool {
        let bare = self.host.trim_start_matches('[').trim_end_matches(']');
        bare == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

impl Settings {
    /// Whether everything goes together.
    pub fn check(&self) -> Result<(), SettingsError> {
        if !is_name(&self.client_id) {
            return Err(SettingsError::Name("broker_client_id"));
        }
        if self.group.as_deref().is_some_and(|group| !is_name(group)) {
            return Err(SettingsError::Name("broker_group"));
        }
        if self.group.is_some() && self.protocol == Protocol::V311 {
            return Err(SettingsError::GroupNeedsV5);
        }
        if self.password.is_some() && self.username.is_none() {
            return Err(SettingsError::PasswordAlone);
        }
        if self.receive_maximum == 0 {
            return Err(SettingsError::NothingInFlight);
        }
        if self.address.tls != self.authorities.is_some() {
            return Err(SettingsError::Authorities);
        }
        Ok(())
    }

    /// What to subscribe to.
    pub(super) fn filters(&self) -> Vec<String> {
        let shared = |filter: &str| match &self.group {
            Some(group) => format!("$share/{group}/{filter}"),
            None => filter.to_owned(),
        };
        UP.into_iter().map(shared).collect()
    }
}

fn is_name(text: &str) -> bool {
    (1..=NAME_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings {
            address: "mqtt://127.0.0.1".parse().unwrap(),
            client_id: "hemu".into(),
            username: Some("ingest".into()),
            password: Some(Secret("open sesame".into())),
            group: None,
            protocol: Protocol::V5,
            receive_maximum: 10,
            authorities: None,
        }
    }

    #[test]
    fn addresses_are_read_with_their_usual_ports() {
        for (text, shown, loopback) in [
            ("mqtt://localhost", "mqtt://localhost:1883", true),
            ("mqtt://127.0.0.1:18830/", "mqtt://127.0.0.1:18830", true),
            (
                "mqtts://broker.example.org",
                "mqtts://broker.example.org:8883",
                false,
            ),
            ("mqtt://[::1]:1884", "mqtt://[::1]:1884", true),
            ("mqtt://[fd00::1]", "mqtt://[fd00::1]:1883", false),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!(
                (address.to_string().as_str(), address.is_loopback()),
                (shown, loopback),
                "{text}"
            );
        }
    }

    #[test]
    fn anything_else_is_refused_and_not_repeated() {
        for text in [
            "localhost:1883",
            "http://localhost",
            "mqtt://",
            "mqtt://host:0",
            "mqtt://host:70000",
            "mqtt://ingest:sesame@host",
            "mqtt://::1",
            "mqtt://host/path",
        ] {
            let error = text.parse::<Address>().unwrap_err();
            assert!(!error.to_string().contains("sesame"), "{error}");
        }
    }

    #[test]
    fn settings_that_do_not_go_together_are_refused() {
        type Change = fn(&mut Settings);
        let cases: [(Change, SettingsError); 7] = [
            (
                |s| s.client_id = "a/b".into(),
                SettingsError::Name("broker_client_id"),
            ),
            (
                |s| s.group = Some("+".into()),
                SettingsError::Name("broker_group"),
            ),
            (
                |s| (s.group, s.protocol) = (Some("g".into()), Protocol::V311),
                SettingsError::GroupNeedsV5,
            ),
            (|s| s.username = None, SettingsError::PasswordAlone),
            (|s| s.receive_maximum = 0, SettingsError::NothingInFlight),
            (|s| s.address.tls = true, SettingsError::Authorities),
            (
                |s| s.authorities = Some("ca.pem".into()),
                SettingsError::Authorities,
            ),
        ];
        assert_eq!(settings().check(), Ok(()));
        for (change, expected) in cases {
            let mut settings = settings();
            change(&mut settings);
            assert_eq!(settings.check(), Err(expected));
        }
    }

    #[test]
    fn a_group_shares_every_filter() {
        let mut settings = settings();
        assert_eq!(settings.filters()[0], "hemu/v1/+/deposit");
        settings.group = Some("city".into());
        assert_eq!(settings.filters()[2], "$share/city/hemu/v1/+/incident");
    }

    #[test]
    fn the_password_is_not_shown() {
        assert!(!format!("{:?}", settings()).contains("sesame"));
    }
}
