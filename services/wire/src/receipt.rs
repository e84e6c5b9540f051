//! Receipts: what of a device's records is stored for good. A device erases only on a valid one, so the
//! MAC is checked before anything in it is believed.

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Everything of `boot` up to `upto` is committed or quarantined; `missing` names gaps seen beyond it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The device's boot it speaks of.
    pub boot: u64,
    /// Contiguous watermark, never a maximum; 0 if record 1 is not there yet.
    pub upto: u64,
    /// Gaps beyond `upto`, each `(first, last)`, ascending.
    pub missing: Vec<(u64, u64)>,
    /// `gen` on the wire; another one means that the server was restored from a backup.
    pub generation: u64,
}

/// A receipt a device must not act on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// Not the contract's JSON.
    #[error("expected {{\"boot\",\"upto\",\"missing\",\"gen\",\"mac\"}}, came {0}")]
    Malformed(String),
    /// Signed with another key, or changed on the way.
    #[error("expected the mac of this device's key, came another: keep the records")]
    Forged,
}

/// The contract's JSON. Unknown members are ignored: they are outside the MAC and mean nothing.
#[derive(Serialize, Deserialize)]
struct Signed {
    boot: u64,
    upto: u64,
    missing: Vec<(u64, u64)>,
    #[serde(rename = "gen")]
    generation: u64,
    mac: String,
}

/// SHA-256 of the device key: what the server stores, and the key of the MAC.
pub fn key_digest(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

/// The receipt as signed JSON.
pub fn sign(receipt: &Receipt, key_digest: &[u8; 32]) -> String {
    let Receipt {
        boot,
        upto,
        missing,
        generation,
    } = receipt;
    let (missing, mac) = (intervals(missing), mac(receipt, key_digest));
    format!(r#"{{"boot":{boot},"upto":{upto},"missing":{missing},"gen":{generation},"mac":"{mac}"}}"#)
}

/// Inverse of [`sign`]; compares the MAC in constant time.
pub fn verify(json: &[u8], key_digest: &[u8; 32]) -> Result<Receipt, ReceiptError> {
    let Signed {
        boot,
        upto,
        missing,
        generation,
        mac: came,
    } = serde_json::from_slice(json).map_err(|error| ReceiptError::Malformed(error.to_string()))?;
    let receipt = Receipt {
        boot,
        upto,
        missing,
        generation,
    };
    let expected = mac(&receipt, key_digest);
    if bool::from(expected.as_bytes().ct_eq(came.as_bytes())) {
        Ok(receipt)
    } else {
        Err(ReceiptError::Forged)
    }
}

/// Lower-case hex of HMAC-SHA256 over `B|N|G|missing`.
fn mac(receipt: &Receipt, key_digest: &[u8; 32]) -> String {
    let Receipt {
        boot,
        upto,
        missing,
        generation,
    } = receipt;
    // HMAC pads a short key with zeros to the block, so this is the 32-byte key without a fallible call.
    let mut block = [0; 64];
    for (to, from) in block.iter_mut().zip(key_digest) {
        *to = *from;
    }
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(format!("{boot}|{upto}|{generation}|{}", intervals(missing)).as_bytes());
    hex(&mac.finalize().into_bytes())
}

/// `[[a,b],...]`, compact.
fn intervals(missing: &[(u64, u64)]) -> String {
    let pairs: Vec<String> = missing
        .iter()
        .map(|(first, last)| format!("[{first},{last}]"))
        .collect();
    format!("[{}]", pairs.join(","))
}

fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| {
        char::from(if nibble < 10 {
            b'0' + nibble
        } else {
            b'a' + nibble - 10
        })
    };
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

impl Receipt {
    /// Whether the record `seq` of `boot` may be erased on the strength of this receipt.
    pub const fn covers(&self, boot: u64, seq: u64) -> bool {
        self.boot == boot && seq <= self.upto
    }
}
