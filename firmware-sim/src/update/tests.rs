//! What a device refuses, what it lives through, and what no bytes may do to it.

mod cuts;
mod life;
mod refused;

use super::*;
use crate::device::MemFlash;

pub(super) const IMAGE_ROOM: u32 = 700;

pub(super) fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32]).unwrap()
}

/// Key 1, and none to follow.
pub(super) fn trusted() -> Trusted {
    Trusted {
        current: key(1).public(),
        next: None,
    }
}

pub(super) fn model() -> Model {
    "bin-a".parse().unwrap()
}

/// An image like no other version's.
pub(super) fn image(version: u32) -> Vec<u8> {
    (0..600_u32)
        .map(|at| (at.wrapping_mul(31) ^ version.wrapping_mul(97)).to_le_bytes()[0])
        .collect()
}

/// Signed with key `seed`, announcing nothing.
pub(super) fn package(seed: u8, version: u32) -> Package {
    Package::sign(&key(seed), model(), version, image(version), None).unwrap()
}

pub(super) fn announcing(seed: u8, version: u32, next: u8) -> Package {
    Package::sign(
        &key(seed),
        model(),
        version,
        image(version),
        Some(key(next).public()),
    )
    .unwrap()
}

/// A device that left the factory with version 5 and runs it.
pub(super) fn device() -> Slots<MemFlash> {
    let flash = MemFlash::new(flash_bytes(IMAGE_ROOM));
    let mut slots = Slots::factory(flash, trusted(), &package(1, 5).encode()).unwrap();
    let booted = slots.boot().unwrap();
    assert_eq!(
        booted,
        Booted {
            version: 5,
            on_trial: false,
            fell_back: false
        }
    );
    slots
}

pub(super) fn install(slots: &mut Slots<MemFlash>, package: &Package) -> Result<Manifest, InstallError> {
    slots.install(&mut package.encode().as_slice())
}

pub(super) fn refusal(slots: &mut Slots<MemFlash>, package: &[u8]) -> Refusal {
    let mut source = package;
    match slots.install(&mut source) {
        Err(InstallError::Refused(refusal)) => refusal,
        other => unreachable!("expected a refusal, came {other:?}"),
    }
}

/// Installs, tries and confirms.
pub(super) fn update(slots: &mut Slots<MemFlash>, package: &Package) {
    let version = install(slots, package).unwrap().version;
    let booted = slots.boot().unwrap();
    assert_eq!((booted.version, booted.on_trial), (version, true));
    slots.confirm().unwrap();
    assert_eq!(slots.confirmed(), version);
}
