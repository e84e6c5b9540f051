//! A package: manifest, signature, image, one after the other. Signing is beside checking.
//! Must not: read on beyond what the head announces.

use super::keys::{KeyId, SigningKey, Trusted};
use super::manifest::{IMAGE_MAX, MAGIC, MANIFEST_BYTES, Manifest, Model};
use super::refusal::Refusal;
use super::{PublicKey, sha256};

pub(super) const SIGNATURE_BYTES: usize = 64;
/// Bytes before the image: the manifest and its signature.
pub const HEAD_BYTES: usize = MANIFEST_BYTES + SIGNATURE_BYTES;
const KEY_AT: usize = 48;

/// A manifest and its signature, neither of them believed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head([u8; HEAD_BYTES]);

impl Head {
    /// Takes the bytes as they are.
    pub fn new(bytes: [u8; HEAD_BYTES]) -> Self {
        Self(bytes)
    }

    /// As they came.
    pub fn as_bytes(&self) -> &[u8; HEAD_BYTES] {
        &self.0
    }

    /// What it says, whoever says it: to be shown, never to be acted on.
    pub fn claims(&self) -> Result<Manifest, Refusal> {
        Manifest::parse(self.0.first_chunk().ok_or(Refusal::Foreign)?)
    }

    /// What it says, if one of the `trusted` keys signed it. Before that nothing is read of it but the name of the key
    /// to check with.
    pub fn verify(&self, trusted: &Trusted) -> Result<Manifest, Refusal> {
        let (manifest, signature) = self.0.split_at(MANIFEST_BYTES);
        if !manifest.starts_with(&MAGIC) {
            return Err(Refusal::Foreign);
        }
        let id = manifest.get(KEY_AT..).and_then(<[u8]>::first_chunk);
        let id = KeyId(*id.ok_or(Refusal::Foreign)?);
        let Some(key) = trusted.find(id) else {
            let trusted = *trusted;
            return Err(Refusal::UnknownKey { trusted, came: id });
        };
        if !key.signed(manifest, signature) {
            return Err(Refusal::Forged(id));
        }
        self.claims()
    }

    pub(super) fn digest(&self) -> [u8; 32] {
        sha256(&self.0)
    }
}

/// A whole package in memory, as a maker has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Manifest and signature.
    pub head: Head,
    /// The image.
    pub image: Vec<u8>,
}

impl Package {
    /// The most bytes a package has.
    pub const MAX: usize = HEAD_BYTES + IMAGE_MAX as usize;

    /// Signs `image` as `version` for the devices of `model`, announcing `next_key`.
    pub fn sign(
        key: &SigningKey,
        model: Model,
        version: u32,
        image: Vec<u8>,
        next_key: Option<PublicKey>,
    ) -> Result<Self, Refusal> {
        let manifest = Manifest {
            version,
            image_bytes: u32::try_from(image.len()).map_err(|_| Refusal::Manifest)?,
            image_sha256: sha256(&image),
            key: key.public().id(),
            next_key,
            model,
        };
        let manifest = manifest.encode();
        Manifest::parse(&manifest)?;
        let mut head = [0; HEAD_BYTES];
        let (first, last) = head.split_at_mut(MANIFEST_BYTES);
        first.copy_from_slice(&manifest);
        last.copy_from_slice(&key.sign(&manifest));
        Ok(Self {
            head: Head(head),
            image,
        })
    }

    /// As it travels.
    pub fn encode(&self) -> Vec<u8> {
        [self.head.0.as_slice(), &self.image].concat()
    }

    /// Takes a package apart; who signed it is another question ([`Package::verify`]).
    pub fn decode(bytes: &[u8]) -> Result<Self, Refusal> {
        let came = bytes.len();
        let Some((head, image)) = bytes.split_first_chunk() else {
            let expected = HEAD_BYTES;
            return Err(Refusal::Short { expected, came });
        };
        let head = Head(*head);
        let expected = HEAD_BYTES + head.claims()?.image_bytes as usize;
        match came.cmp(&expected) {
            std::cmp::Ordering::Less => Err(Refusal::Short { expected, came }),
            std::cmp::Ordering::Greater => Err(Refusal::Long(expected)),
            std::cmp::Ordering::Equal => Ok(Self {
                head,
                image: image.to_vec(),
            }),
        }
    }

    /// What the manifest says, if a trusted key signed it and the image is the one it speaks of.
    pub fn verify(&self, trusted: &Trusted) -> Result<Manifest, Refusal> {
        let manifest = self.head.verify(trusted)?;
        if manifest.image_sha256 == sha256(&self.image) {
            Ok(manifest)
        } else {
            Err(Refusal::Image)
        }
    }
}
