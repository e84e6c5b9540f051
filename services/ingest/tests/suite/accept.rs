//! Payloads to journal entries: the golden samples, and every way to be wrong.

use hemu_ingest::{Accepted, accept};
use hemu_ledger::entry::{Body, Origin};
use hemu_ledger::journal::Batch;
use hemu_wire::{DeviceId, Up, samples};
use proptest::prelude::*;

fn device() -> DeviceId {
    DeviceId::try_from("C1").unwrap()
}

fn accepted(up: Up, payload: &[u8]) -> Accepted {
    accept(&device(), [(up, payload)])
}

fn stored(accepted: &Accepted) -> Batch {
    let mut body = Vec::new();
    let records = accepted
        .segments
        .iter()
        .map(|segment| segment.write(&mut body, |_| true))
        .sum();
    Batch {
        position: 1,
        at: 0,
        records,
        hash: [0; 32],
        body,
    }
}

/// (identity, reason of a quarantined one, bytes kept) of every entry.
type Kept = (Identity, Option<String>, usize);
type Identity = Option<(u64, u64)>;

fn kept(up: Up, payload: &[u8]) -> Vec<Kept> {
    let accepted = accepted(up, payload);
    let batch = stored(&accepted);
    let one = |entry: hemu_ledger::entry::Entry<'_>| {
        assert_eq!(entry.origin.device(), "C1");
        let identity = match entry.origin {
            Origin::Device { boot, seq, .. } => Some((boot, seq)),
            _ => None,
        };
        let (reason, raw) = match entry.body {
            Body::Quarantined(q) => (Some(q.reason.to_owned()), q.raw.len()),
            _ => (None, 0),
        };
        (identity, reason, raw)
    };
    batch.entries().map(|entry| one(entry.unwrap())).collect()
}

#[test]
fn every_sample_becomes_as_many_entries_as_it_has_records() {
    for sample in samples::UP {
        // The contract's last instant has a local day in year 10000: the only sample that is set aside here.
        let beyond = u64::from(sample.name == "deposit_inspector");
        let accepted = accepted(sample.up, sample.json.as_bytes());
        let (records, refused) = (sample.accepted as u64 - beyond, sample.rejected as u64 + beyond);
        assert_eq!(
            (accepted.records, accepted.quarantined, accepted.unknown_fields),
            (records, refused, sample.unknown_fields),
            "{}",
            sample.name
        );
        let batch = stored(&accepted);
        assert_eq!(batch.records, records + refused, "{}", sample.name);
        assert_eq!(batch.entries().flatten().count() as u64, batch.records);
    }
}

#[test]
fn a_full_deposit_keeps_every_field() {
    let accepted = accepted(Up::Deposit, samples::DEPOSIT.as_bytes());
    let batch = stored(&accepted);
    let entry = batch.entries().next().unwrap().unwrap();
    let ours: serde_json::Value = serde_json::from_str(&entry.body.to_json()).unwrap();
    let sent: serde_json::Value = serde_json::from_str(samples::DEPOSIT).unwrap();
    for field in ["at", "household", "bag", "stream", "weight_g", "by"] {
        assert_eq!(ours[field], sent[field], "{field}");
    }
    let same = |scaled: &str, field: &str, one: f64| {
        (ours[scaled].as_f64().unwrap() - sent[field].as_f64().unwrap() * one).abs() < 1e-6
    };
    assert!(same("quality_bp", "quality", 10_000.0) && same("confidence_pm", "confidence", 1_000.0));
}

#[test]
fn one_bad_record_leaves_its_neighbours_and_its_identity() {
    let entries = kept(Up::Deposit, samples::DEPOSITS_ONE_BAD.as_bytes());
    assert_eq!(entries.len(), 3);
    assert!(entries.iter().all(|(identity, ..)| identity.is_some()));
    let reasons: Vec<bool> = entries.iter().map(|(_, reason, _)| reason.is_some()).collect();
    assert_eq!(reasons, [false, true, false]);
}

#[test]
fn what_is_refused_is_kept_with_reason_bytes_and_identity_when_readable() {
    let good = r#""boot":1,"seq":2,"at":5,"stream":"food","weight_g":1,"quality":0.5"#;
    let long = format!("{{{good},\"household\":\"{}\"}}", "x".repeat(9_000));
    let table: [(&str, String, Identity, &str); 16] = [
        ("no json", "{".into(), None, "not_json"),
        ("nothing", String::new(), None, "empty"),
        ("no records", "[]".into(), None, "empty"),
        ("a number", "5".into(), None, "wrong_shape"),
        ("no seq", r#"{"boot":1,"at":5}"#.into(), None, "missing_field"),
        (
            "no stream",
            r#"{"boot":1,"seq":2,"at":5}"#.into(),
            Some((1, 2)),
            "missing_field",
        ),
        (
            "text weight",
            format!("{{{}}}", good.replace(":1,\"q", ":\"1\",\"q")),
            Some((1, 2)),
            "wrong_type",
        ),
        (
            "too heavy",
            format!("{{{}}}", good.replace(":1,\"q", ":200001,\"q")),
            Some((1, 2)),
            "out_of_range",
        ),
        (
            "negative",
            format!("{{{}}}", good.replace(":1,\"q", ":-1,\"q")),
            Some((1, 2)),
            "out_of_range",
        ),
        (
            "1e400",
            format!("{{{}}}", good.replace("0.5", "1e400")),
            Some((1, 2)),
            "out_of_range",
        ),
        (
            "precise",
            format!("{{{}}}", good.replace("0.5", "0.12345")),
            Some((1, 2)),
            "too_precise",
        ),
        (
            "word",
            format!("{{{}}}", good.replace("food", "glass")),
            Some((1, 2)),
            "unknown_value",
        ),
        ("long", long, Some((1, 2)), "too_long"),
        (
            "empty bag",
            format!("{{{good},\"bag\":\"\"}}"),
            Some((1, 2)),
            "bad_text",
        ),
        (
            "empty token",
            format!("{{{good},\"household\":\"\"}}"),
            Some((1, 2)),
            "bad_text",
        ),
        (
            "twice",
            format!("{{{good},\"at\":6}}"),
            Some((1, 2)),
            "duplicate_key",
        ),
    ];
    for (what, payload, identity, reason) in table {
        let bytes = payload.len().min(hemu_wire::MAX_RAW);
        assert_eq!(
            kept(Up::Deposit, payload.as_bytes()),
            [(identity, Some(reason.to_owned()), bytes)],
            "{what}"
        );
    }
    let too_many = format!("[{}]", vec![format!("{{{good}}}"); 257].join(","));
    let entries = kept(Up::Deposit, too_many.as_bytes());
    assert!(
        entries
            .iter()
            .all(|(_, reason, _)| reason.as_deref() == Some("too_many"))
    );
}

#[test]
fn what_the_store_cannot_hold_is_set_aside_with_its_content() {
    let payload = |seq: u64, at: i64| {
        format!(r#"{{"boot":1,"seq":{seq},"at":{at},"stream":"food","weight_g":1,"quality":0.5}}"#)
    };
    // The last day of year 9999 has a local day in year 10000; sequence numbers are signed in stores.
    let (late, far) = (payload(2, 253_402_300_799_999), payload(1 << 63, 5));
    for (payload, identity) in [(&late, Some((1, 2))), (&far, None)] {
        let entries = kept(Up::Deposit, payload.as_bytes());
        let [(found, Some(reason), bytes)] = entries.as_slice() else {
            panic!("{entries:?}");
        };
        assert_eq!((found, reason.as_str()), (&identity, "out_of_range"));
        assert!(*bytes >= 60, "{bytes} bytes kept of {payload}");
    }
    let last = payload(u64::MAX >> 1, 5);
    assert_eq!(
        kept(Up::Deposit, last.as_bytes()),
        [(Some((1, u64::MAX >> 1)), None, 0)]
    );
}

#[test]
fn a_loss_of_records_still_to_come_is_no_loss() {
    let declared = |from: u64, to: u64| format!(r#"{{"boot":1,"seq":7,"at":5,"lost":[{from},{to}]}}"#);
    assert_eq!(
        kept(Up::Status, declared(3, 6).as_bytes()),
        [(Some((1, 7)), None, 0)]
    );
    for to in [7, 8, u64::MAX] {
        let entries = kept(Up::Status, declared(3, to).as_bytes());
        assert_eq!(entries[0].0, Some((1, 7)));
        assert_eq!(entries[0].1.as_deref(), Some("out_of_range"), "{to}");
    }
}

#[test]
fn records_of_one_boot_share_a_segment() {
    let record = |boot: u64, seq: u64| format!(r#"{{"boot":{boot},"seq":{seq},"at":5}}"#);
    let payloads = [
        record(1, 1),
        record(1, 2),
        record(2, 1),
        "{".to_owned(),
        record(2, 2),
    ];
    let accepted = accept(&device(), payloads.iter().map(|p| (Up::Status, p.as_bytes())));
    let sizes: Vec<_> = accepted
        .segments
        .iter()
        .map(|s| (s.boot(), s.marks().len()))
        .collect();
    assert_eq!(sizes, [(Some(1), 2), (Some(2), 1), (None, 1), (Some(2), 1)]);
}

proptest! {
    #[test]
    fn any_bytes_are_kept_one_way_or_the_other(payload: Vec<u8>, up in 0..3usize) {
        let accepted = accepted(Up::ALL[up], &payload);
        prop_assert!(accepted.records + accepted.quarantined > 0);
        prop_assert_eq!(stored(&accepted).records, accepted.records + accepted.quarantined);
    }
}
