//! Firmware updates as docs/device-updates.md has them: signed packages, two slots, no way back to an old version.
//!
//! Nothing here opens a socket, reads a clock or draws a key: bytes come from a [`std::io::Read`], keys and seeds are
//! arguments. Must not: believe a manifest before its signature, or touch the slot that runs.

mod keys;
mod manifest;
mod package;
mod refusal;
mod slots;
mod state;

pub use keys::{KeyError, KeyId, PublicKey, SigningKey, Trusted};
pub use manifest::{IMAGE_MAX, MANIFEST_BYTES, Manifest, Model};
pub use package::{HEAD_BYTES, Head, Package};
pub use refusal::{BootError, InstallError, Refusal};
pub use slots::{Booted, Slots, flash_bytes};
pub use state::TRIAL_BOOTS;

use sha2::{Digest, Sha256};

fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Takes the next `N` bytes of what is left.
fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (chunk, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*chunk)
}

#[cfg(test)]
mod tests;
