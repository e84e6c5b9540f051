//! The simulator's own writer and receipt check against the service's reader and signer: two readings of
//! one contract must agree.

use std::sync::Arc;

use firmware_sim::demo::Fleet;
use firmware_sim::device::{Receipt, ReceiptError, key_digest};
use firmware_sim::draw::Dice;
use firmware_sim::estate::Estate;
use firmware_sim::faults::{Faults, Plan};
use firmware_sim::life::History;
use firmware_sim::load::{Crowd, Script};
use firmware_sim::reading::{Body, By, Code, Deposit, Incident, Stamp, Stream, Topic, encode};
use firmware_sim::replay::{Order, Recording};
use hemu_wire::{Record, Up, parse, samples};

fn up(topic: Topic) -> Up {
    match topic {
        Topic::Deposit => Up::Deposit,
        Topic::Status => Up::Status,
        Topic::Incident => Up::Incident,
    }
}

fn same_deposit(ours: &Deposit, theirs: &hemu_wire::Deposit<'_>) {
    assert_eq!(
        ours.household.as_ref().map(firmware_sim::reading::Code::as_str),
        theirs.household.as_deref()
    );
    assert_eq!(Some(ours.bag.as_str()), theirs.bag.as_deref());
    assert_eq!(ours.stream.as_str(), theirs.stream.as_str());
    assert_eq!(
        (ours.weight_g, ours.quality_bp),
        (theirs.weight_g, theirs.quality_bp)
    );
    assert_eq!(ours.confidence_pm, theirs.confidence_pm);
    let by = if ours.by == By::Camera {
        "camera"
    } else {
        "inspector"
    };
    assert_eq!(by, theirs.by.as_str());
}

#[test]
fn a_day_of_the_estate_is_accepted_whole_and_says_what_was_meant() {
    let estate = Arc::new(Estate::hemu_xincun(54).unwrap());
    let mut history = History::new(1, estate, 20_000, 1);
    let day = history.next_day().unwrap();
    for (seq, reading) in (1..).zip(&day.readings) {
        let mut payload = Vec::new();
        encode(
            &mut payload,
            Stamp {
                boot: 7,
                seq,
                at: reading.at,
            },
            &reading.body,
        );
        let parsed = parse(up(reading.body.topic()), &payload);
        assert_eq!(parsed.unknown_fields, 0);
        let record = parsed.records.into_iter().next().unwrap().unwrap();
        let stamp = record.stamp();
        assert_eq!((stamp.boot, stamp.seq, stamp.at), (7, seq, reading.at));
        match (&reading.body, &record) {
            (Body::Deposit(ours), Record::Deposit(theirs)) => same_deposit(ours, theirs),
            (Body::Status(ours), Record::Status(theirs)) => {
                assert_eq!(theirs.bins.len(), 4);
                assert_eq!(theirs.bins[2].fill_bp, Some(ours.bins[2].fill_pm * 10));
                assert_eq!(theirs.temperature_cc, Some(i32::from(ours.temperature_dc) * 10));
                assert_eq!(theirs.rssi_dbm, Some(ours.rssi_dbm.into()));
            }
            (Body::Incident(Incident { kind, .. }), Record::Incident(theirs)) => {
                assert_eq!(*kind, theirs.kind.as_str());
            }
            other => unreachable!("{other:?}"),
        }
    }
}

#[test]
fn packed_arrays_are_accepted_record_for_record() {
    let estate = Arc::new(Estate::hemu_xincun(54).unwrap());
    let mut history = History::new(1, estate, 20_000, 1);
    let day = history.clone().next_day().unwrap();
    let expected = day.readings.len();
    history.next_day();
    let mut records = 0;
    for (_, payload) in Fleet::new(history).pack(&day.readings) {
        let (topic, count) = (payload.topic(), payload.count());
        let json = payload.into_json();
        assert!(json.len() < hemu_wire::MAX_PACKET - 128);
        let parsed = parse(up(topic), &json);
        assert!(parsed.records.iter().all(Result::is_ok));
        assert_eq!(parsed.records.len(), count as usize);
        records += parsed.records.len();
    }
    assert_eq!(records, expected);
}

#[test]
fn load_records_and_losses_are_accepted() {
    let script = Script::new(1, Arc::new(Crowd::Invented(100)), 1_750_000_000_000, 3, 4, "ld3");
    for seq in 1..2_000 {
        let (at, deposit) = script.record(seq);
        let mut payload = Vec::new();
        encode(
            &mut payload,
            Stamp {
                boot: script.boot(),
                seq,
                at,
            },
            &Body::Deposit(deposit),
        );
        let parsed = parse(Up::Deposit, &payload);
        let Ok(Record::Deposit(theirs)) = &parsed.records[0] else {
            unreachable!("{:?}", parsed.records)
        };
        same_deposit(&deposit, theirs);
    }
    let mut payload = Vec::new();
    encode(
        &mut payload,
        Stamp {
            boot: 1,
            seq: 9,
            at: 5,
        },
        &Body::Lost(3, 8),
    );
    let parsed = parse(Up::Status, &payload);
    let Ok(Record::Lost(lost)) = &parsed.records[0] else {
        unreachable!("{:?}", parsed.records)
    };
    assert_eq!((lost.from, lost.to), (3, 8));
}

#[test]
fn golden_samples_are_written_and_read_here_too() {
    let stamp = |seq, at| Stamp { boot: 7001, seq, at };
    let deposit = Deposit {
        household: Code::parse("H-3-0502"),
        bag: Code::parse("B20260101-0042").unwrap(),
        stream: Stream::Food,
        weight_g: 1_250,
        quality_bp: 9_375,
        confidence_pm: 880,
        by: By::Camera,
    };
    for (stamp, body, sample) in [
        (
            stamp(42, 1_767_225_600_000),
            Body::Deposit(deposit),
            samples::DEPOSIT,
        ),
        (stamp(52, 1_767_226_000_000), Body::Lost(10, 19), samples::LOST),
    ] {
        let mut payload = Vec::new();
        encode(&mut payload, stamp, &body);
        let (ours, golden) = (
            parse(up(body.topic()), &payload),
            parse(up(body.topic()), sample.as_bytes()),
        );
        assert_eq!(ours.records, golden.records);
        assert!(ours.records.iter().all(Result::is_ok));
    }
    let key = key_digest(samples::RECEIPT_KEY);
    let receipt = Receipt::verify(samples::RECEIPT.as_bytes(), &key).unwrap();
    assert_eq!(
        (
            receipt.boot,
            receipt.upto,
            receipt.generation,
            &receipt.missing[..]
        ),
        (7001, 46, 3, &[(48, 48), (51, 60)][..])
    );
    let plain = Receipt::verify(samples::RECEIPT_PLAIN.as_bytes(), &key).unwrap();
    assert_eq!((plain.boot, plain.upto), (u64::MAX, 0));
}

#[test]
fn noise_is_never_accepted() {
    let mut faults = Faults::new(Plan::default(), 2, 0);
    for _ in 0..300 {
        let noise = faults.noise();
        for topic in Up::ALL {
            assert!(
                parse(topic, &noise).records.iter().all(Result::is_err),
                "{noise:?}"
            );
        }
    }
}

#[test]
fn receipts_signed_by_the_service_are_believed_and_only_with_the_right_key() {
    let mut dice = Dice::new(1, "receipts", 0);
    for _ in 0..50 {
        let gap = |dice: &mut Dice| (dice.bits() >> 40, dice.bits() >> 30);
        let missing = (0..dice.below(4)).map(|_| gap(&mut dice)).collect::<Vec<_>>();
        let (boot, upto, generation) = (dice.bits() >> 16, dice.bits() >> 20, dice.bits() >> 50);
        let theirs = hemu_wire::Receipt {
            boot,
            upto,
            missing: missing.clone(),
            generation,
        };
        let json = hemu_wire::sign(&theirs, &hemu_wire::key_digest("a key"));
        let ours = Receipt::verify(json.as_bytes(), &key_digest("a key")).unwrap();
        assert_eq!(
            ours,
            Receipt {
                boot,
                upto,
                missing,
                generation
            }
        );
        let other = Receipt::verify(json.as_bytes(), &key_digest("another"));
        assert!(matches!(other, Err(ReceiptError::Forged { .. })));
    }
}

#[test]
fn what_a_replay_calls_fitting_is_exactly_what_the_service_accepts() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/telemetry");
    let compactor = "Bin ID,Fullness,fullnessThreshold,timestamp,reason\n1,4,8,13-08-2018,x\n1,254,8,14-08-2018,x\n\
        1,,8,15-08-2018,x\n1,4,8,soon,x\n";
    let mut recording = Recording::default();
    recording.add(compactor.as_bytes(), None).unwrap();
    for name in [
        "dtu_smart_trash_2016/s02014101.json",
        "dtu_smart_trash_2016/s02014102.json",
        "wyndham_smart_bin_daily_2018-06_2019-12.csv",
        "edinburgh_litter_bin_collections_2016-06-03_2016-07-07.csv",
    ] {
        match std::fs::File::open(folder.join(name)) {
            Ok(file) => recording.add(file, None).unwrap(),
            Err(_) => println!("skipped: {name} is not beside this checkout"),
        }
    }
    let (messages, counts) = recording.messages(Order::File);
    assert!(counts.add_up() && counts.quarantined >= 3);
    for message in messages.iter().flat_map(|(_, messages)| messages) {
        let verdict = &parse(Up::Status, &message.payload).records[0];
        assert_eq!(
            verdict.is_ok(),
            message.fits,
            "{verdict:?} {}",
            String::from_utf8_lossy(&message.payload)
        );
    }
}
