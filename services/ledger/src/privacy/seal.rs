//! A key, and what it seals: XChaCha20-Poly1305, the nonce before the sealed bytes. Pure; must not know where keys live.

use std::fmt;

use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};

use crate::error::{Error, Result};

pub(crate) const KEY: usize = 32;
pub(crate) const NONCE: usize = 24;

/// Which value of which row is sealed: it opens nowhere else, so that nobody can move one to another row.
pub(crate) type About<'a> = [&'a str; 3];

/// 32 secret bytes.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Key([u8; KEY]);

impl Key {
    pub(crate) const fn new(bytes: [u8; KEY]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn bytes(&self) -> &[u8; KEY] {
        &self.0
    }

    /// The nonce must never come twice; a random one does not.
    pub(crate) fn seal(&self, nonce: [u8; NONCE], about: About<'_>, plain: &[u8]) -> Result<Vec<u8>> {
        let aad = about.join("\0");
        let payload = Payload {
            msg: plain,
            aad: aad.as_bytes(),
        };
        let sealed = self.cipher().encrypt(&nonce.into(), payload);
        let sealed =
            sealed.map_err(|_| Error::Rejected("expected a text that fits into memory twice".into()))?;
        Ok([&nonce[..], &sealed].concat())
    }

    /// `None`: sealed by another key, about something else, or damaged.
    pub(crate) fn open(&self, about: About<'_>, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
        let aad = about.join("\0");
        let payload = Payload {
            msg: sealed,
            aad: aad.as_bytes(),
        };
        self.cipher().decrypt(nonce.into(), payload).ok()
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&self.0).into())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_with_its_key_in_its_place_and_nowhere_else() {
        let key = Key::new([7; KEY]);
        let about = ["household", "sealed", "H1"];
        let sealed = key.seal([1; NONCE], about, b"301").unwrap();
        assert_eq!(key.open(about, &sealed).unwrap(), b"301");
        assert!(!sealed.windows(3).any(|bytes| bytes == b"301"));
        assert!(Key::new([8; KEY]).open(about, &sealed).is_none());
        assert!(key.open(["household", "sealed", "H2"], &sealed).is_none());
        for at in 0..sealed.len() {
            let mut flipped = sealed.clone();
            flipped[at] ^= 1;
            assert!(key.open(about, &flipped).is_none(), "byte {at}");
        }
        for length in 0..sealed.len() {
            assert!(key.open(about, &sealed[..length]).is_none(), "{length} bytes");
        }
        assert_eq!(format!("{key:?}"), "Key");
    }
}
