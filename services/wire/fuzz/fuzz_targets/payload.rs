//! Parses arbitrary payloads of every up-topic, and checks what must always hold. The first byte chooses the topic.
//!
//! The folder `samples` of the crate makes a good corpus to begin with.
#![no_main]

use hemu_wire::{MAX_BATCH, MAX_RAW, Record, Up, encode, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((first, payload)) = bytes.split_first() else { return };
    let up = Up::ALL[usize::from(first % 3)];
    let parsed = parse(up, payload);
    assert!(!parsed.records.is_empty() && parsed.records.len() <= MAX_BATCH);
    let mut accepted: Vec<Record<'_>> = Vec::new();
    for record in parsed.records {
        match record {
            Ok(record) => accepted.push(record),
            Err(rejected) => assert!(rejected.raw.len() <= MAX_RAW, "what is kept of a bad record is bounded"),
        }
    }
    if accepted.is_empty() {
        return;
    }
    assert!(accepted.iter().all(|record| record.up() == up));
    let written = encode(&accepted).expect("accepted records encode");
    let again: Vec<_> = parse(up, written.as_ref()).records.into_iter().map(|record| record.expect("and parse")).collect();
    assert_eq!(again, accepted, "what was accepted comes back as it was");
});
