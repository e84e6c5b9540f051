//! What becomes of a device over its updates: trials, falling back, keys.

use super::*;

fn restart(slots: &mut Slots<MemFlash>) -> Booted {
    let flash = slots.flash.clone();
    *slots = Slots::open(flash).unwrap();
    slots.boot().unwrap()
}

#[test]
fn an_image_that_confirms_itself_stays_and_the_one_before_never_comes_back() {
    let mut slots = device();
    for version in [6, 7, 12] {
        update(&mut slots, &package(1, version));
        for _ in 0..2 * TRIAL_BOOTS {
            let booted = restart(&mut slots);
            assert_eq!((booted.version, booted.on_trial), (version, false));
            assert_eq!(slots.image().unwrap(), image(version));
        }
    }
}

#[test]
fn an_image_that_does_not_confirm_itself_falls_back_and_its_version_is_no_rollback() {
    let mut slots = device();
    install(&mut slots, &package(1, 9)).unwrap();
    for _ in 0..TRIAL_BOOTS {
        let booted = restart(&mut slots);
        assert_eq!((booted.version, booted.on_trial), (9, true));
        assert_eq!(slots.image().unwrap(), image(9));
        assert_eq!(slots.confirmed(), 5, "a trial raises nothing");
    }
    let booted = restart(&mut slots);
    assert_eq!(
        booted,
        Booted {
            version: 5,
            on_trial: false,
            fell_back: true
        }
    );
    assert_eq!(slots.image().unwrap(), image(5));
    assert!(!restart(&mut slots).fell_back, "it is told once");
    // Neither the version that failed nor one below it was ever confirmed: both are still news.
    let mut other = slots.clone();
    update(&mut other, &package(1, 7));
    update(&mut slots, &package(1, 9));
    assert_eq!(restart(&mut slots).version, 9);
}

#[test]
fn nothing_is_installed_over_an_image_on_trial_or_by_one() {
    let mut slots = device();
    install(&mut slots, &package(1, 6)).unwrap();
    let seven = package(1, 7).encode();
    assert_eq!(refusal(&mut slots, &seven), Refusal::OnTrial);
    restart(&mut slots);
    assert_eq!(refusal(&mut slots, &seven), Refusal::OnTrial);
    slots.confirm().unwrap();
    update(&mut slots, &package(1, 7));
}

#[test]
fn confirming_what_is_not_on_trial_changes_nothing() {
    let mut slots = device();
    install(&mut slots, &package(1, 6)).unwrap();
    // Version 5 runs still: it cannot speak for the one that waits.
    let written = slots.flash.written();
    slots.confirm().unwrap();
    assert_eq!((slots.confirmed(), slots.flash.written()), (5, written));
}

#[test]
fn an_image_on_trial_that_is_damaged_in_its_slot_is_never_started() {
    let mut slots = device();
    install(&mut slots, &package(1, 6)).unwrap();
    let place = slots.flash.bytes_mut().len() - IMAGE_ROOM as usize;
    slots.flash.bytes_mut()[place] ^= 1;
    let booted = restart(&mut slots);
    assert_eq!((booted.version, booted.fell_back), (5, true));
}

#[test]
fn a_device_whose_image_was_damaged_runs_nothing_and_takes_only_what_is_newer() {
    let mut slots = device();
    update(&mut slots, &package(1, 6));
    let place = slots.flash.bytes_mut().len() - IMAGE_ROOM as usize;
    slots.flash.bytes_mut()[place] ^= 1;
    let mut slots = Slots::open(slots.flash.clone()).unwrap();
    assert!(matches!(slots.boot(), Err(BootError::Damaged(6))));
    let (confirmed, came) = (6, 5);
    assert_eq!(
        refusal(&mut slots, &package(1, 5).encode()),
        Refusal::Old { confirmed, came }
    );
    update(&mut slots, &package(1, 7));
}

#[test]
fn a_device_that_lost_its_state_trusts_nothing() {
    let mut slots = device();
    slots.flash.bytes_mut()[..1_024].fill(0xff);
    let flash = slots.flash.clone();
    assert!(matches!(Slots::open(flash), Err(BootError::NoState)));
}

#[test]
fn a_key_change_is_followed_and_the_old_key_is_refused_after_it() {
    let mut slots = device();
    let two = key(2).public().id();
    let unknown = |refusal| matches!(refusal, Refusal::UnknownKey { .. });
    // Announced is not yet trusted: the image that brings the announcement has to confirm itself.
    install(&mut slots, &announcing(1, 6, 2)).unwrap();
    restart(&mut slots);
    assert_eq!(slots.trusted().find(two), None);
    slots.confirm().unwrap();
    assert_eq!(slots.trusted().find(two), Some(key(2).public()));
    // Until the next key's first image has confirmed itself, the current one still signs.
    update(&mut slots, &package(1, 7));
    install(&mut slots, &package(2, 8)).unwrap();
    for _ in 0..=TRIAL_BOOTS {
        restart(&mut slots);
    }
    assert_eq!((slots.confirmed(), slots.trusted().current), (7, key(1).public()));
    update(&mut slots, &announcing(2, 8, 3));
    assert_eq!(
        slots.trusted(),
        Trusted {
            current: key(2).public(),
            next: Some(key(3).public())
        }
    );
    assert!(unknown(refusal(&mut slots, &package(1, 9).encode())));
    assert!(unknown(refusal(&mut slots, &announcing(1, 9, 1).encode())));
    update(&mut slots, &package(3, 9));
    assert_eq!(
        slots.trusted(),
        Trusted {
            current: key(3).public(),
            next: None
        }
    );
    assert!(unknown(refusal(&mut slots, &package(2, 10).encode())));
    update(&mut slots, &package(3, 10));
}

#[test]
fn signatures_are_those_of_rfc_8032() {
    // Test 2 of its section 7.1: one byte, so that the order of bytes shows.
    let unhex = |text| crate::hex::unhex(text).unwrap();
    let key =
        SigningKey::from_hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb").unwrap();
    assert_eq!(
        key.public().to_string(),
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    );
    let signature = unhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
         085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    );
    assert_eq!(key.sign(&[0x72]).as_slice(), signature);
    assert!(key.public().signed(&[0x72], &signature));
}
