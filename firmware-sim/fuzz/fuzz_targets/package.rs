//! What a device makes of bytes that claim to be a firmware package. It runs what it takes, so that nothing may pass but
//! what its maker signed.
//!
//! The first byte chooses: bytes as they are, or a package made of them, signed, and changed at one place.
#![no_main]

use firmware_sim::device::MemFlash;
use firmware_sim::update::{Package, SigningKey, Slots, Trusted, flash_bytes};
use libfuzzer_sys::fuzz_target;

const ROOM: u32 = 256;

fuzz_target!(|bytes: &[u8]| {
    let Some((mode, rest)) = bytes.split_first() else { return };
    let key = SigningKey::from_seed(&[7; 32]).expect("a seed is a key");
    if mode % 2 == 0 {
        if let Ok(package) = Package::decode(rest) {
            assert_eq!(package.encode(), rest, "one form of each package");
        }
        refused(&key, rest);
        return;
    }
    let Some(([at, change, version], image)) = rest.split_first_chunk() else { return };
    let (version, image) = (u32::from(*version), image[..image.len().min(ROOM as usize)].to_vec());
    let Ok(package) = Package::sign(&key, "bin-a".parse().expect("a model"), version, image.clone(), None) else {
        assert!(version == 0 || image.is_empty());
        return;
    };
    let mut signed = package.encode();
    if version > 5 {
        taken(&key, &signed, version, &image);
    } else {
        refused(&key, &signed);
    }
    let place = (usize::from(*at) * 2 + usize::from(mode / 2 % 2)) % signed.len();
    signed[place] ^= change % 255 + 1;
    refused(&key, &signed);
});

/// A device that runs version 5.
fn device(key: &SigningKey) -> Slots<MemFlash> {
    let trusted = Trusted { current: key.public(), next: None };
    let first = Package::sign(key, "bin-a".parse().expect("a model"), 5, vec![5], None).expect("a good package");
    let flash = MemFlash::new(flash_bytes(ROOM));
    let mut slots = Slots::factory(flash, trusted, &first.encode()).expect("a blank flash");
    slots.boot().expect("it was just set up");
    slots
}

fn refused(key: &SigningKey, mut bytes: &[u8]) {
    let mut slots = device(key);
    assert!(slots.install(&mut bytes).is_err());
    let booted = slots.boot().expect("nothing was changed");
    assert!(booted.version == 5 && !booted.on_trial && !booted.fell_back);
    assert_eq!(slots.image().expect("it runs"), [5]);
}

fn taken(key: &SigningKey, mut bytes: &[u8], version: u32, image: &[u8]) {
    let mut slots = device(key);
    slots.install(&mut bytes).expect("what is signed and newer is taken");
    let booted = slots.boot().expect("it is whole");
    assert!(booted.version == version && booted.on_trial);
    assert_eq!(slots.image().expect("it runs"), image);
}
