//! What a device makes of bytes that claim to be a receipt. It erases records on a valid one, so that nothing may pass for one
//! but what the server signed with its key.
//!
//! The first byte chooses: bytes as they are, or a receipt made of them, signed, and changed at one place.
#![no_main]

use hemu_wire::{Receipt, key_digest, sign, verify};
use libfuzzer_sys::fuzz_target;

fn number(bytes: &mut &[u8]) -> u64 {
    let mut eight = [0; 8];
    let (taken, rest) = bytes.split_at(bytes.len().min(8));
    eight[..taken.len()].copy_from_slice(taken);
    *bytes = rest;
    u64::from_le_bytes(eight)
}

fuzz_target!(|bytes: &[u8]| {
    let Some((mode, mut rest)) = bytes.split_first() else { return };
    let (own, others) = (key_digest("own"), key_digest("other"));
    if mode % 2 == 0 {
        if let Ok(receipt) = verify(rest, &own) {
            // Only whoever holds the key writes this; the MAC says the same of it again.
            assert_eq!(verify(sign(&receipt, &own).as_bytes(), &own), Ok(receipt));
        }
        return;
    }
    let (at, change) = (number(&mut rest), number(&mut rest));
    let receipt = Receipt {
        boot: number(&mut rest),
        upto: number(&mut rest),
        generation: number(&mut rest),
        missing: rest.chunks(16).map(|mut pair| (number(&mut pair), number(&mut pair))).collect(),
    };
    let mut signed = sign(&receipt, &own).into_bytes();
    assert_eq!(verify(&signed, &own).as_ref(), Ok(&receipt), "what is signed is valid");
    assert!(verify(&signed, &others).is_err(), "for its own device alone");
    let place = (at % signed.len() as u64) as usize;
    signed[place] ^= (change % 255 + 1) as u8;
    if let Ok(other) = verify(&signed, &own) {
        assert_eq!(other, receipt, "a change that is none to the reader");
    }
});
