//! The manifest: 120 bytes in fixed places, whole numbers with the lowest byte first.
//! Must not: be believed before its signature was checked ([`super::Head::verify`]).

use std::fmt;
use std::str::FromStr;

use super::keys::{KeyId, PublicKey};
use super::refusal::Refusal;
use super::take;

/// Bytes of a manifest.
pub const MANIFEST_BYTES: usize = 120;
/// The longest image a package may have.
pub const IMAGE_MAX: u32 = 16 << 20;
pub(super) const MAGIC: [u8; 8] = *b"HEMUUPD1";
const MODEL_MAX: usize = 32;

/// What a maker says of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Counts up with every release, from 1; what people call it is another matter.
    pub version: u32,
    /// From 1 to [`IMAGE_MAX`].
    pub image_bytes: u32,
    /// SHA-256 of the image.
    pub image_sha256: [u8; 32],
    /// The key that signed.
    pub key: KeyId,
    /// The key that will sign one day.
    pub next_key: Option<PublicKey>,
    /// The devices it is for.
    pub model: Model,
}

impl Manifest {
    /// As it is signed.
    pub fn encode(&self) -> [u8; MANIFEST_BYTES] {
        let mut bytes = Vec::with_capacity(MANIFEST_BYTES);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&self.version.to_le_bytes());
        bytes.extend_from_slice(&self.image_bytes.to_le_bytes());
        bytes.extend_from_slice(&self.image_sha256);
        bytes.extend_from_slice(&self.key.0);
        bytes.extend_from_slice(&PublicKey::to_bytes(self.next_key));
        bytes.extend_from_slice(&self.model.0);
        bytes.try_into().unwrap_or([0; MANIFEST_BYTES])
    }

    /// Reads one; every value is in its range afterwards, and [`Manifest::encode`] gives the same bytes.
    pub fn parse(bytes: &[u8; MANIFEST_BYTES]) -> Result<Self, Refusal> {
        let (magic, rest) = bytes.split_first_chunk().ok_or(Refusal::Foreign)?;
        if *magic != MAGIC {
            return Err(Refusal::Foreign);
        }
        Self::fields(rest).ok_or(Refusal::Manifest)
    }

    fn fields(mut rest: &[u8]) -> Option<Self> {
        let manifest = Self {
            version: u32::from_le_bytes(take(&mut rest)?),
            image_bytes: u32::from_le_bytes(take(&mut rest)?),
            image_sha256: take(&mut rest)?,
            key: KeyId(take(&mut rest)?),
            next_key: PublicKey::from_bytes(take(&mut rest)?),
            model: Model::from_bytes(take(&mut rest)?)?,
        };
        let sound = manifest.version > 0 && (1..=IMAGE_MAX).contains(&manifest.image_bytes);
        sound.then_some(manifest)
    }
}

/// The name of a kind of device: 1 to 32 of `a-z`, `0-9` and `-`, filled up with zeros.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Model([u8; MODEL_MAX]);

impl Model {
    pub(super) fn from_bytes(bytes: [u8; MODEL_MAX]) -> Option<Self> {
        let model = Self(bytes);
        let (name, fill) = bytes.split_at_checked(model.length())?;
        let sound =
            !name.is_empty() && name.iter().copied().all(is_of_a_name) && fill.iter().all(|byte| *byte == 0);
        sound.then_some(model)
    }

    pub(super) fn to_bytes(self) -> [u8; MODEL_MAX] {
        self.0
    }

    fn length(&self) -> usize {
        self.0.iter().position(|byte| *byte == 0).unwrap_or(MODEL_MAX)
    }
}

fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'
}

impl FromStr for Model {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut bytes = [0; MODEL_MAX];
        if let Some(place) = bytes.get_mut(..text.len()) {
            place.copy_from_slice(text.as_bytes());
        }
        let model = Self::from_bytes(bytes);
        model.ok_or_else(|| format!("expected 1 to 32 of a-z, 0-9 and -, came {text}"))
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.0.get(..self.length()).unwrap_or_default();
        f.write_str(&String::from_utf8_lossy(name))
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Model({self})")
    }
}
