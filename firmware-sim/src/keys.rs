//! Device keys as `hemu device add` prints them: one JSON object a line, `{"device":..,"key":..}`.
//! Must not: print a key.

use std::io::BufRead;

use serde::Deserialize;

/// One device's login.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct Key {
    /// Device id.
    pub device: String,
    /// Its secret.
    pub key: String,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({}, hidden)", self.device)
    }
}

/// Logins in file order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys(pub Vec<Key>);

/// A keys file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// Not readable.
    #[error("keys: {0}")]
    Io(#[from] std::io::Error),
    /// A line of another form.
    #[error("keys line {line}: expected {{\"device\":..,\"key\":..}}: {source}")]
    Line {
        /// From 1.
        line: usize,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// A device without a key.
    #[error(
        "no key for {missing}; add them with `hemu device add ID` and put what it prints into the keys file"
    )]
    Missing {
        /// Devices, comma separated, ten at most.
        missing: String,
    },
}

impl Keys {
    /// Reads JSON lines; empty lines are skipped.
    pub fn read(input: impl BufRead) -> Result<Self, KeysError> {
        let mut keys = Vec::new();
        for (index, line) in input.lines().enumerate() {
            let line = line?;
            if !line.trim().is_empty() {
                let key = serde_json::from_str(&line).map_err(|source| KeysError::Line {
                    line: index + 1,
                    source,
                })?;
                keys.push(key);
            }
        }
        Ok(Self(keys))
    }

    /// The key of `device`.
    pub fn get(&self, device: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|key| key.device == device)
            .map(|key| key.key.as_str())
    }

    /// Fails with the names of those `devices` that have no key.
    pub fn require<'a>(&self, devices: impl IntoIterator<Item = &'a str>) -> Result<(), KeysError> {
        let missing: Vec<&str> = devices
            .into_iter()
            .filter(|device| self.get(device).is_none())
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let mut text = missing.iter().take(10).copied().collect::<Vec<_>>().join(", ");
        if missing.len() > 10 {
            text = format!("{text} and {} more", missing.len() - 10);
        }
        Err(KeysError::Missing { missing: text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_device_command_are_read_and_the_key_never_shown() {
        let keys = Keys::read(
            &b"{\"device\":\"st01\",\"key\":\"s3cret\"}\n\n{\"device\":\"st02\",\"key\":\"x\"}\n"[..],
        )
        .unwrap();
        assert_eq!(keys.get("st01"), Some("s3cret"));
        assert_eq!(keys.get("st03"), None);
        assert!(!format!("{keys:?}").contains("s3cret"));
    }

    #[test]
    fn a_wrong_line_is_named_by_its_number() {
        let error = Keys::read(&b"{\"device\":\"a\",\"key\":\"b\"}\nst02 x\n"[..]).unwrap_err();
        assert!(error.to_string().starts_with("keys line 2:"), "{error}");
    }

    #[test]
    fn missing_devices_are_named() {
        let error = Keys::default().require(["a", "b"]).unwrap_err();
        assert!(error.to_string().contains("no key for a, b;"), "{error}");
    }
}
