//! Receipts as a device checks them, from the contract page alone: no code shared with who signs them.
//! Must not: release anything.

use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::hex::{hex, unhex};

/// A receipt whose mac was right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The boot it speaks of.
    pub boot: u64,
    /// Everything up to and including this number is stored or quarantined.
    pub upto: u64,
    /// Gaps seen beyond `upto`.
    pub missing: Vec<(u64, u64)>,
    /// Changes when the server was restored from a backup.
    pub generation: u64,
}

#[derive(Deserialize)]
struct Written {
    boot: u64,
    upto: u64,
    missing: Vec<(u64, u64)>,
    #[serde(rename = "gen")]
    generation: u64,
    mac: String,
}

/// Why a receipt is not believed.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    /// Not the JSON of a receipt.
    #[error("expected a receipt {{boot, upto, missing, gen, mac}}: {0}")]
    Json(#[from] serde_json::Error),
    /// Somebody without the key wrote it.
    #[error("the mac of the receipt for boot {boot} up to {upto} is wrong; ignored")]
    Forged {
        /// What it claims.
        boot: u64,
        /// What it claims.
        upto: u64,
    },
}

/// SHA-256 of a device key, the secret that macs are made with.
pub fn key_digest(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

impl Receipt {
    /// Parses and checks the mac in constant time.
    pub fn verify(json: &[u8], key_digest: &[u8; 32]) -> Result<Self, ReceiptError> {
        let written: Written = serde_json::from_slice(json)?;
        let receipt = Self {
            boot: written.boot,
            upto: written.upto,
            missing: written.missing,
            generation: written.generation,
        };
        let claimed = unhex(&written.mac).unwrap_or_default();
        let right = receipt
            .mac(key_digest)
            .is_some_and(|mac| mac.verify_slice(&claimed).is_ok());
        if right {
            Ok(receipt)
        } else {
            Err(ReceiptError::Forged {
                boot: written.boot,
                upto: written.upto,
            })
        }
    }

    /// HMAC-SHA256 over `boot|upto|gen|missing as JSON`.
    fn mac(&self, key_digest: &[u8; 32]) -> Option<Hmac<Sha256>> {
        let missing = serde_json::to_string(&self.missing).ok()?;
        let text = format!("{}|{}|{}|{missing}", self.boot, self.upto, self.generation);
        let mut mac = Hmac::<Sha256>::new_from_slice(key_digest).ok()?;
        mac.update(text.as_bytes());
        Some(mac)
    }

    /// The receipt as a server would send it; for fakes of one, who hold the device's key digest.
    pub fn signed(&self, key_digest: &[u8; 32]) -> Vec<u8> {
        let mac = self.mac(key_digest).map(|mac| mac.finalize().into_bytes());
        let hex = hex(mac.iter().flatten());
        let missing = &self.missing;
        serde_json::json!({"boot": self.boot, "upto": self.upto, "missing": missing, "gen": self.generation, "mac": hex})
            .to_string()
            .into_bytes()
    }
}
