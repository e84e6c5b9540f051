//! Ed25519 keys of a maker, and the two of them that a device trusts. Must not: draw one, or show a secret.

use std::fmt;
use std::str::FromStr;

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

use super::package::SIGNATURE_BYTES;
use super::sha256;
use crate::hex::{hex, unhex};

/// A key that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not 32 bytes in hexadecimal, or all of them 0, which stands for no key at all.
    #[error("expected a key of 64 hexadecimal digits, not all 0")]
    Form,
}

/// What signatures are checked with: 32 bytes that are not all 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// `None` for 32 zeros: that is how "no key" is written. (It would also be a key of small order, for which
    /// anybody can sign.)
    pub fn from_bytes(bytes: [u8; 32]) -> Option<Self> {
        (bytes != [0; 32]).then_some(Self(bytes))
    }

    /// The other way round.
    pub fn to_bytes(key: Option<Self>) -> [u8; 32] {
        key.map_or([0; 32], |key| key.0)
    }

    /// The name it goes by in a manifest.
    pub fn id(&self) -> KeyId {
        KeyId(sha256(&self.0).first_chunk().copied().unwrap_or_default())
    }

    pub(super) fn signed(&self, bytes: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0)
            .verify(bytes, signature)
            .is_ok()
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::from_bytes(bytes_32(text)?).ok_or(KeyError::Form)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

/// The first eight bytes of the SHA-256 of a public key: enough to find a key by, and proof of nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyId(pub [u8; 8]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

/// What a maker signs with.
#[derive(Debug)]
pub struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    /// From 32 random bytes, which are the secret.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, KeyError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed);
        pair.map(Self).map_err(|_| KeyError::Form)
    }

    /// From the seed in hexadecimal.
    pub fn from_hex(text: &str) -> Result<Self, KeyError> {
        Self::from_seed(&bytes_32(text)?)
    }

    /// What devices check its signatures with.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.public_key().as_ref().try_into().unwrap_or_default())
    }

    pub(super) fn sign(&self, bytes: &[u8]) -> [u8; SIGNATURE_BYTES] {
        let signature = self.0.sign(bytes);
        signature.as_ref().try_into().unwrap_or([0; SIGNATURE_BYTES])
    }
}

/// The keys a device takes packages from: the maker's current one, and the one that is to follow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trusted {
    /// Signs the updates.
    pub current: PublicKey,
    /// Takes its place with the first confirmed image that it signed.
    pub next: Option<PublicKey>,
}

impl Trusted {
    /// The key of that name, if it is one of them.
    pub fn find(&self, id: KeyId) -> Option<PublicKey> {
        let next = self.next.filter(|next| next.id() == id);
        (self.current.id() == id).then_some(self.current).or(next)
    }

    /// What is trusted once an image signed by `signer` and announcing `announced` has confirmed itself.
    #[must_use]
    pub fn after(self, signer: KeyId, announced: Option<PublicKey>) -> Self {
        match self.next {
            Some(next) if signer != self.current.id() && signer == next.id() => Self {
                current: next,
                next: announced,
            },
            _ => Self {
                next: announced.or(self.next),
                ..self
            },
        }
    }
}

impl fmt::Display for Trusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.current.id())?;
        self.next.map_or(Ok(()), |next| write!(f, " or {}", next.id()))
    }
}

fn bytes_32(text: &str) -> Result<[u8; 32], KeyError> {
    let bytes = unhex(text.trim()).and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or(KeyError::Form)
}
