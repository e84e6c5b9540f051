//! Packages that are not taken.

use proptest::prelude::*;

use super::*;

/// Refused, and the device is what it was: the same state byte for byte, and the same image after the next start.
fn check_nothing_changed(slots: &mut Slots<MemFlash>, before: &MemFlash) {
    let (mut before, mut after) = (before.clone(), slots.flash.clone());
    let running = 1_024..1_024 + 184 + IMAGE_ROOM as usize;
    assert_eq!(
        before.bytes_mut()[..running.end],
        after.bytes_mut()[..running.end]
    );
    assert_eq!(slots.boot().unwrap().version, 5);
    assert_eq!(slots.image().unwrap(), image(5));
    assert_eq!((slots.confirmed(), slots.trusted()), (5, trusted()));
}

#[test]
fn every_bit_of_a_small_package_counts() {
    let good = package(1, 6).encode();
    let mut slots = device();
    let before = slots.flash.clone();
    for bit in 0..good.len() * 8 {
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let refusal = refusal(&mut slots, &bytes);
        let expected = match bit / 8 {
            0..8 => refusal == Refusal::Foreign,
            48..56 => matches!(refusal, Refusal::UnknownKey { .. }),
            8..184 => matches!(refusal, Refusal::Forged(_)),
            _ => refusal == Refusal::Image,
        };
        assert!(expected, "bit {bit}: {refusal}");
        if bit / 8 < HEAD_BYTES {
            assert_eq!(slots.flash.written(), before.written(), "bit {bit} was written");
        }
        if bit % 64 == 0 {
            check_nothing_changed(&mut slots, &before);
        }
        assert!(
            Package::decode(&bytes)
                .and_then(|package| package.verify(&trusted()))
                .is_err()
        );
        if bit == HEAD_BYTES * 8 - 1 {
            println!(
                "{} bits of a head, {} of an image",
                HEAD_BYTES * 8,
                image(6).len() * 8
            );
        }
    }
    check_nothing_changed(&mut slots, &before);
    update(&mut slots, &package(1, 6));
}

#[test]
fn a_package_cut_off_anywhere_or_longer_than_it_says_is_refused() {
    let good = package(1, 6).encode();
    let mut slots = device();
    let before = slots.flash.clone();
    for length in 0..good.len() {
        let refusal = refusal(&mut slots, &good[..length]);
        let expected = if length < HEAD_BYTES {
            HEAD_BYTES
        } else {
            good.len()
        };
        let came = length;
        assert_eq!(refusal, Refusal::Short { expected, came });
        assert!(Package::decode(&good[..length]).is_err());
    }
    let longer = [good.as_slice(), &[0]].concat();
    assert_eq!(refusal(&mut slots, &longer), Refusal::Long(good.len()));
    assert_eq!(Package::decode(&longer), Err(Refusal::Long(good.len())));
    check_nothing_changed(&mut slots, &before);
}

/// Gives one byte at a time for ever, and counts.
struct Endless(Vec<u8>, usize);

impl std::io::Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        buffer[0] = self.0.get(self.1).copied().unwrap_or(0);
        self.1 += 1;
        Ok(1)
    }
}

#[test]
fn no_more_is_read_of_an_endless_stream_than_the_manifest_announced_and_one_byte() {
    let good = package(1, 6).encode();
    let mut source = Endless(good.clone(), 0);
    let refused = device().install(&mut source).unwrap_err();
    assert!(
        matches!(refused, InstallError::Refused(Refusal::Long(_))),
        "{refused}"
    );
    assert_eq!(source.1, good.len() + 1);
    let mut noise = Endless(Vec::new(), 0);
    assert!(device().install(&mut noise).is_err());
    assert_eq!(noise.1, HEAD_BYTES);
}

#[test]
fn a_forged_signature_is_refused_and_what_it_would_have_signed_is_not_read() {
    let mut slots = device();
    let before = slots.flash.clone();
    // Another key's signature under the trusted key's name; the version and the size would be refused, too.
    let mut forged = package(2, 1);
    let mut head = *forged.head.as_bytes();
    head[48..56].copy_from_slice(&key(1).public().id().0);
    head[12..16].copy_from_slice(&u32::MAX.to_le_bytes());
    forged.head = Head::new(head);
    assert_eq!(
        refusal(&mut slots, &forged.encode()),
        Refusal::Forged(key(1).public().id())
    );
    // A good signature of another manifest.
    let (six, seven) = (package(1, 6), package(1, 7));
    let mixed = [
        &seven.head.as_bytes()[..120],
        &six.head.as_bytes()[120..],
        &seven.image,
    ]
    .concat();
    assert!(matches!(refusal(&mut slots, &mixed), Refusal::Forged(_)));
    assert_eq!(slots.flash.written(), before.written());
    check_nothing_changed(&mut slots, &before);
}

#[test]
fn an_unknown_key_is_refused() {
    let mut slots = device();
    let came = key(2).public().id();
    let trusted = trusted();
    let refusal = refusal(&mut slots, &package(2, 6).encode());
    assert_eq!(refusal, Refusal::UnknownKey { trusted, came });
}

#[test]
fn an_older_and_an_equal_version_are_refused() {
    let mut slots = device();
    let before = slots.flash.clone();
    for came in [1, 4, 5] {
        let refusal = refusal(&mut slots, &package(1, came).encode());
        assert_eq!(refusal, Refusal::Old { confirmed: 5, came });
    }
    assert_eq!(slots.flash.written(), before.written());
    check_nothing_changed(&mut slots, &before);
    update(&mut slots, &package(1, 9));
    let (confirmed, came) = (9, 8);
    assert_eq!(
        refusal(&mut slots, &package(1, came).encode()),
        Refusal::Old { confirmed, came }
    );
}

#[test]
fn a_package_for_another_model_is_refused() {
    let other = "bin-b".parse().unwrap();
    let package = Package::sign(&key(1), other, 6, image(6), None).unwrap();
    let refusal = refusal(&mut device(), &package.encode());
    let expected = model();
    assert_eq!(
        refusal,
        Refusal::Model {
            expected,
            came: other
        }
    );
}

#[test]
fn an_image_longer_than_a_slot_is_refused_before_it_is_read() {
    let package = Package::sign(&key(1), model(), 6, vec![7; IMAGE_ROOM as usize + 1], None).unwrap();
    let mut slots = device();
    let written = slots.flash.written();
    let mut head_alone = package.head.as_bytes().as_slice();
    let refused = slots.install(&mut head_alone).unwrap_err();
    let room = IMAGE_ROOM as usize;
    assert_eq!(
        refused.to_string(),
        Refusal::Large {
            room,
            came: IMAGE_ROOM + 1
        }
        .to_string()
    );
    assert_eq!(slots.flash.written(), written);
    let whole = Package::sign(&key(1), model(), 6, vec![7; room], None).unwrap();
    update(&mut slots, &whole);
}

#[test]
fn what_is_well_signed_and_no_manifest_is_refused_by_maker_and_device() {
    let sign = |version, image| Package::sign(&key(1), model(), version, image, None);
    assert_eq!(sign(0, vec![1]), Err(Refusal::Manifest));
    assert_eq!(sign(1, vec![]), Err(Refusal::Manifest));
    assert_eq!(sign(1, vec![0; IMAGE_MAX as usize + 1]), Err(Refusal::Manifest));
    let wrong: [(usize, &[u8]); 4] = [(8, &[0; 4]), (12, &[0; 4]), (88, b"A"), (119, b"a")];
    for (at, bytes) in wrong {
        let mut head = *package(1, 6).head.as_bytes();
        head[at..at + bytes.len()].copy_from_slice(bytes);
        let signature = key(1).sign(&head[..120]);
        head[120..].copy_from_slice(&signature);
        assert_eq!(refusal(&mut device(), &head), Refusal::Manifest, "byte {at}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(Package::decode(&bytes).is_err());
        prop_assert!(device().install(&mut bytes.as_slice()).is_err());
    }

    #[test]
    fn no_manifest_makes_the_decoder_panic_and_what_it_reads_it_would_write(
        rest in proptest::collection::vec(any::<u8>(), HEAD_BYTES - 8),
        bytes in 0_u32..80,
        name in "[a-z0-9-]{0,33}",
    ) {
        let mut whole = [b"HEMUUPD1".as_slice(), &rest].concat();
        whole[12..16].copy_from_slice(&bytes.to_le_bytes());
        whole[88..120].fill(0);
        let length = name.len().min(32);
        whole[88..88 + length].copy_from_slice(&name.as_bytes()[..length]);
        whole.resize(HEAD_BYTES + bytes as usize, 1);
        if let Ok(package) = Package::decode(&whole) {
            prop_assert_eq!(package.encode(), whole.clone());
            let manifest = package.head.claims().unwrap().encode();
            prop_assert_eq!(manifest.as_slice(), &whole[..120]);
            prop_assert!(package.verify(&trusted()).is_err());
        }
    }

    #[test]
    fn no_flash_makes_the_boot_loader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..3_000)) {
        let mut flash = MemFlash::new(bytes.len());
        flash.bytes_mut().copy_from_slice(&bytes);
        prop_assert!(Slots::open(flash).is_err());
    }

    #[test]
    fn a_package_comes_back_as_it_was_signed(
        version in 1_u32..,
        image in proptest::collection::vec(any::<u8>(), 1..500),
        next in proptest::option::of(1_u8..),
        model in "[a-z0-9-]{1,32}",
    ) {
        let next_key = next.map(|seed| key(seed).public());
        let package = Package::sign(&key(1), model.parse().unwrap(), version, image.clone(), next_key).unwrap();
        let back = Package::decode(&package.encode()).unwrap();
        let manifest = back.verify(&trusted()).unwrap();
        prop_assert_eq!((manifest.version, manifest.next_key), (version, next_key));
        prop_assert_eq!(manifest.model.to_string(), model);
        prop_assert_eq!(back.image, image);
    }
}
