//! The configuration: one flat tree. File, environment and flags fill it, in that order; unknown keys are refused.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use hemu_ingest::broker::{Protocol, Secret};
use hemu_rules::Zone;
use serde::{Deserialize, Serialize};

use crate::broker;
use crate::cli::{Common, Listen};
use crate::jobs::Weekday;
use crate::roles::{Role, Roles};
use crate::site;
use crate::words::{Language, Words};

/// The commented example that `hemu config` prints; a test holds it to [`Config::default`].
pub(crate) const fn example(language: Language) -> &'static str {
    match language {
        Language::English => include_str!("../hemu.example.toml"),
        Language::Chinese => include_str!("../hemu.example.zh.toml"),
    }
}

/// Every setting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) data: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) store: Option<Secret>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) secrets_file: Option<PathBuf>,
    pub(crate) roles: Roles,
    pub(crate) log: String,
    pub(crate) site_name: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) zone: Option<Zone>,
    pub(crate) mqtt_listen: SocketAddr,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) mqtt_tls_listen: Option<SocketAddr>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) tls_certificate: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) tls_key: Option<PathBuf>,
    pub(crate) mqtt_connections: usize,
    pub(crate) mqtt_connections_per_address: u32,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) broker_url: Option<String>,
    pub(crate) broker_client_id: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) broker_username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) broker_password: Option<Secret>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) broker_group: Option<String>,
    pub(crate) broker_protocol: Protocol,
    pub(crate) broker_receive_maximum: u16,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) broker_ca: Option<PathBuf>,
    pub(crate) http_listen: SocketAddr,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) https_listen: Option<SocketAddr>,
    pub(crate) hosts: Vec<String>,
    pub(crate) trusted_proxies: Vec<IpAddr>,
    pub(crate) allow_plain: bool,
    pub(crate) http_connections: usize,
    pub(crate) http_connections_per_address: usize,
    pub(crate) metrics_listen: SocketAddr,
    pub(crate) lists_weekday: Weekday,
    pub(crate) lists_notices: bool,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) series_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) series_token: Option<Secret>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) backup_to: Option<PathBuf>,
    pub(crate) backup_minutes: u32,
    pub(crate) backup_keep: u16,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) backup_recipient: Option<String>,
    pub(crate) disk_free_mb: u64,
    pub(crate) keep_looks_days: u16,
    pub(crate) keep_words_days: u16,
    pub(crate) keep_quarantine_bytes_days: u16,
}

/// The keys, which are also the names in the environment (`HEMU_` and capitals). Other `HEMU_` variables, such as a
/// test's, are not settings and are passed over.
const KEYS: [&str; 41] = [
    "data",
    "store",
    "secrets_file",
    "roles",
    "log",
    "site_name",
    "zone",
    "mqtt_listen",
    "mqtt_tls_listen",
    "tls_certificate",
    "tls_key",
    "mqtt_connections",
    "mqtt_connections_per_address",
    "broker_url",
    "broker_client_id",
    "broker_username",
    "broker_password",
    "broker_group",
    "broker_protocol",
    "broker_receive_maximum",
    "broker_ca",
    "http_listen",
    "https_listen",
    "hosts",
    "trusted_proxies",
    "allow_plain",
    "http_connections",
    "http_connections_per_address",
    "metrics_listen",
    "lists_weekday",
    "lists_notices",
    "series_url",
    "series_token",
    "backup_to",
    "backup_minutes",
    "backup_keep",
    "backup_recipient",
    "disk_free_mb",
    "keep_looks_days",
    "keep_words_days",
    "keep_quarantine_bytes_days",
];

/// Those whose text is taken from the environment letter by letter: a password of digits, or a folder's name, is no number.
const TEXTS: [&str; 19] = [
    "data",
    "store",
    "secrets_file",
    "log",
    "site_name",
    "zone",
    "tls_certificate",
    "tls_key",
    "broker_url",
    "broker_client_id",
    "broker_username",
    "broker_password",
    "broker_group",
    "broker_protocol",
    "broker_ca",
    "series_url",
    "series_token",
    "backup_to",
    "backup_recipient",
];
/// Those of which the environment has some, with commas between them.
const LISTS: [&str; 2] = ["hosts", "trusted_proxies"];

/// The port of MQTT over TLS.
const MQTTS: u16 = 8883;
/// The law wants logs of who did what kept for six months.
const LOOKS_LEAST: u16 = 180;

impl Default for Config {
    fn default() -> Self {
        let loopback = |port| SocketAddr::from(([127, 0, 0, 1], port));
        Self {
            data: "hemu-data".into(),
            store: None,
            secrets_file: None,
            roles: Roles::default(),
            log: "info".into(),
            site_name: "Hemu".into(),
            zone: None,
            mqtt_listen: loopback(1883),
            mqtt_tls_listen: None,
            tls_certificate: None,
            tls_key: None,
            mqtt_connections: 10_000,
            mqtt_connections_per_address: 1_000,
            broker_url: None,
            broker_client_id: "hemu".into(),
            broker_username: None,
            broker_password: None,
            broker_group: None,
            broker_protocol: Protocol::V5,
            broker_receive_maximum: 1_024,
            broker_ca: None,
            http_listen: loopback(8080),
            https_listen: None,
            hosts: Vec::new(),
            trusted_proxies: Vec::new(),
            allow_plain: false,
            http_connections: 4_096,
            http_connections_per_address: 512,
            metrics_listen: loopback(9090),
            lists_weekday: Weekday::Monday,
            lists_notices: false,
            series_url: None,
            series_token: None,
            backup_to: None,
            backup_minutes: 5,
            backup_keep: 48,
            backup_recipient: None,
            disk_free_mb: 512,
            keep_looks_days: 190,
            keep_words_days: 730,
            keep_quarantine_bytes_days: 90,
        }
    }
}

/// What the environment has for a key.
fn set(key: &str) -> Option<String> {
    let text = std::env::var_os(format!("HEMU_{}", key.to_uppercase()))?;
    Some(text.to_string_lossy().into_owned())
}

/// `a, b` as it is, and `["a", "b"]` as a file has it.
fn several(text: &str) -> Vec<String> {
    let text = text.trim().trim_start_matches('[').trim_end_matches(']');
    let parts = text.split(',').map(|part| part.trim().trim_matches('"'));
    parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

impl Config {
    /// Reads file, environment and flags.
    pub(crate) fn load(common: &Common, listen: &Listen, words: &Words) -> Result<Self> {
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        if let Some(file) = &common.config {
            if !file.is_file() {
                bail!(words.say("configuration-missing", &[("file", &file.display())]));
            }
            figment = figment.merge(Toml::file(file));
        }
        figment = figment.merge(
            Env::prefixed("HEMU_")
                .only(&KEYS)
                .ignore(&TEXTS)
                .ignore(&LISTS)
                .ignore(&["roles"]),
        );
        if let Ok(roles) = std::env::var("HEMU_ROLES") {
            let roles: Roles = roles
                .parse()
                .map_err(|wrong: String| anyhow::anyhow!("HEMU_ROLES: {wrong}"))?;
            figment = figment.merge(Serialized::default("roles", roles));
        }
        for key in TEXTS {
            if let Some(text) = set(key) {
                figment = figment.merge(Serialized::default(key, text));
            }
        }
        for key in LISTS {
            if let Some(text) = set(key) {
                figment = figment.merge(Serialized::default(key, several(&text)));
            }
        }
        let unreadable = || words.say("configuration-unreadable", &[]);
        let mut config: Self = figment.extract().with_context(unreadable)?;
        config.data = common.data.clone().unwrap_or(config.data);
        config.log = common.log.clone().unwrap_or(config.log);
        config.roles = listen.roles.clone().unwrap_or(config.roles);
        config.mqtt_listen = listen.mqtt_listen.unwrap_or(config.mqtt_listen);
        config.http_listen = listen.http_listen.unwrap_or(config.http_listen);
        config.metrics_listen = listen.metrics_listen.unwrap_or(config.metrics_listen);
        config.use_certificate();
        config.check(words)?;
        Ok(config)
    }

    fn check(&self, words: &Words) -> Result<()> {
        self.check_listeners(words)?;
        if self.roles.are_none() || (self.store.is_none() && !self.roles.are_all()) {
            bail!(words.say("roles-need-a-store", &[("roles", &self.roles)]));
        }
        site::engine(self, "", words)?;
        broker::settings(self, words).map(drop)
    }

    /// With a certificate and nobody who says what it is for, devices may come over TLS.
    fn use_certificate(&mut self) {
        let certified = self.tls_certificate.is_some() && self.tls_key.is_some();
        let devices = self.roles.has(Role::Endpoint);
        if devices && certified && self.https_listen.is_none() && self.mqtt_tls_listen.is_none() {
            self.mqtt_tls_listen = Some(SocketAddr::new(self.mqtt_listen.ip(), MQTTS));
        }
    }

    /// What leaves this machine is encrypted, unless the operator says that something else sees to it.
    fn check_listeners(&self, words: &Words) -> Result<()> {
        let tls = [
            self.mqtt_tls_listen.is_some() || self.https_listen.is_some(),
            self.tls_certificate.is_some(),
            self.tls_key.is_some(),
        ];
        if tls.iter().any(|set| *set) && !tls.iter().all(|set| *set) {
            bail!(words.say("tls-incomplete", &[]));
        }
        let plain = [
            ("mqtt_listen", "mqtt_tls_listen", self.mqtt_listen),
            ("http_listen", "https_listen", self.http_listen),
        ];
        for (setting, instead, address) in plain {
            if !address.ip().is_loopback() && !self.allow_plain {
                bail!(words.say(
                    "plain-off-this-machine",
                    &[
                        ("setting", &setting),
                        ("address", &address),
                        ("instead", &instead)
                    ]
                ));
            }
        }
        if self.serves_others() && self.hosts.is_empty() {
            bail!(words.say("hosts-missing", &[]));
        }
        if self.keep_looks_days < LOOKS_LEAST {
            bail!(words.say(
                "looks-kept-too-short",
                &[("least", &LOOKS_LEAST), ("days", &self.keep_looks_days)]
            ));
        }
        Ok(())
    }

    /// Where a server with these roles listens, by the settings that say so.
    pub(crate) fn listeners(&self) -> impl Iterator<Item = (&'static str, SocketAddr)> + use<> {
        let devices = self.roles.has(Role::Endpoint);
        let people = self.roles.has(Role::Api);
        let all = [
            ("mqtt_listen", Some(self.mqtt_listen).filter(|_| devices)),
            ("mqtt_tls_listen", self.mqtt_tls_listen.filter(|_| devices)),
            ("http_listen", Some(self.http_listen).filter(|_| people)),
            ("https_listen", self.https_listen.filter(|_| people)),
            ("metrics_listen", Some(self.metrics_listen)),
        ];
        all.into_iter()
            .filter_map(|(setting, address)| Some((setting, address?)))
    }

    /// Whether the dashboards are for other machines too.
    pub(crate) fn serves_others(&self) -> bool {
        self.https_listen.is_some()
            || !self.http_listen.ip().is_loopback()
            || !self.trusted_proxies.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_are_told_apart_by_commas_or_as_in_a_file() {
        for text in [
            "a.example, b.example",
            "[\"a.example\",\"b.example\"]",
            "[a.example,b.example,]",
        ] {
            assert_eq!(several(text), ["a.example", "b.example"], "{text}");
        }
        assert_eq!(several("one"), ["one"]);
        assert!(several(" ").is_empty() && several("[]").is_empty());
    }

    #[test]
    fn the_example_is_the_default_in_both_languages() {
        for language in [Language::English, Language::Chinese] {
            let example: Config = Figment::new()
                .merge(Toml::string(example(language)))
                .extract()
                .unwrap();
            assert_eq!(example, Config::default(), "{language:?}");
        }
    }

    #[test]
    fn both_examples_show_the_same_settings() {
        let settings = |language| -> Vec<&str> {
            let lines = example(language).lines();
            lines
                .filter(|line| {
                    KEYS.iter()
                        .any(|key| line.trim_start_matches("# ").starts_with(&format!("{key} =")))
                })
                .collect()
        };
        assert_eq!(settings(Language::English).len(), KEYS.len());
        assert_eq!(settings(Language::English), settings(Language::Chinese));
    }

    #[test]
    fn every_key_can_come_from_the_environment() {
        let full = Config {
            store: Some(Secret("postgres://hemu@db/hemu".into())),
            secrets_file: Some("secrets.key".into()),
            zone: Some(Zone::SHANGHAI),
            mqtt_tls_listen: Some(([127, 0, 0, 1], 8883).into()),
            tls_certificate: Some("cert.pem".into()),
            tls_key: Some("key.pem".into()),
            https_listen: Some(([127, 0, 0, 1], 8443).into()),
            broker_url: Some("mqtts://broker".into()),
            broker_username: Some("ingest".into()),
            broker_password: Some(Secret("sesame".into())),
            broker_group: Some("city".into()),
            broker_ca: Some("ca.pem".into()),
            series_url: Some("victoriametrics+http://127.0.0.1:8428/".into()),
            series_token: Some(Secret("sesame".into())),
            backup_to: Some("backups".into()),
            backup_recipient: Some("age1".into()),
            ..Config::default()
        };
        let serde_json::Value::Object(map) = serde_json::to_value(full).unwrap() else {
            panic!("an object")
        };
        let mut keys: Vec<_> = map.keys().map(String::as_str).collect();
        let mut known = KEYS;
        keys.sort_unstable();
        known.sort_unstable();
        assert_eq!(keys, known);
    }

    #[test]
    fn unknown_keys_are_refused_by_name() {
        let text = format!("{}\nmqtt_lisen = \"127.0.0.1:1\"\n", example(Language::English));
        let error = Figment::new()
            .merge(Toml::string(&text))
            .extract::<Config>()
            .unwrap_err();
        assert!(error.to_string().contains("mqtt_lisen"), "{error}");
    }

    #[test]
    fn a_brokers_settings_are_checked_and_its_password_is_not_shown() {
        let words = Words::new(Language::English);
        let config = Config {
            broker_url: Some("mqtt://127.0.0.1".into()),
            broker_username: Some("ingest".into()),
            broker_password: Some(Secret("sesame".into())),
            ..Config::default()
        };
        config.check(&words).unwrap();
        assert!(!format!("{config:?}").contains("sesame"));
        let shared = Config {
            broker_group: Some("city".into()),
            broker_protocol: Protocol::V311,
            ..config.clone()
        };
        let refused = shared.check(&words).unwrap_err().to_string();
        assert!(refused.contains("broker_group"), "{refused}");
        let login_in_the_address = Config {
            broker_url: Some("mqtt://ingest:sesame@127.0.0.1".into()),
            ..config
        };
        let refused = login_in_the_address.check(&words).unwrap_err().to_string();
        assert!(
            refused.contains("broker_password") && !refused.contains("sesame"),
            "{refused}"
        );
    }

    #[test]
    fn what_leaves_this_machine_is_encrypted_unless_the_operator_says_otherwise() {
        let everywhere = SocketAddr::from(([0, 0, 0, 0], 8443));
        let hosts = vec!["hemu.example".to_owned()];
        let refused = |config: Config| {
            let refused = config.check(&Words::new(Language::English)).err();
            refused.map(|error| error.to_string())
        };
        let plain = Config {
            http_listen: everywhere,
            hosts: hosts.clone(),
            ..Config::default()
        };
        assert!(refused(plain.clone()).unwrap().contains("https_listen"));
        let devices = Config {
            mqtt_listen: everywhere,
            ..Config::default()
        };
        assert!(refused(devices.clone()).unwrap().contains("mqtt_tls_listen"));
        for allowed in [plain, devices] {
            let allowed = Config {
                allow_plain: true,
                ..allowed
            };
            assert_eq!(refused(allowed), None);
        }
        let encrypted = Config {
            https_listen: Some(everywhere),
            tls_certificate: Some("cert.pem".into()),
            tls_key: Some("key.pem".into()),
            hosts,
            ..Config::default()
        };
        assert_eq!(refused(encrypted.clone()), None);
        let unnamed = Config {
            hosts: Vec::new(),
            ..encrypted.clone()
        };
        assert!(refused(unnamed).unwrap().contains("hosts"));
        let keyless = Config {
            tls_key: None,
            ..encrypted
        };
        assert!(refused(keyless).unwrap().contains("tls_key"));
    }
}
