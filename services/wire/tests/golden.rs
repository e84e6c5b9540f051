//! The golden payloads mean what they always meant. A change here is a change of the contract.
#![expect(clippy::unwrap_used, reason = "a helper of a test may fail loudly")]

use std::borrow::Cow;

use hemu_wire::{
    BinState, By, Command, CommandError, CommandKind, Deposit, Incident, IncidentKind, Lost, Reason, Receipt,
    ReceiptError, Record, Stamp, Status, Stream, Up, encode, key_digest, parse, samples, sign, verify,
};

#[track_caller]
fn only(up: Up, json: &'static str) -> Record<'static> {
    let mut parsed = parse(up, json.as_bytes());
    assert_eq!(parsed.records.len(), 1);
    parsed.records.remove(0).unwrap()
}

const fn stamp(boot: u64, seq: u64, at: i64) -> Stamp {
    Stamp { boot, seq, at }
}

#[test]
fn every_up_sample_gets_its_verdicts() {
    for sample in samples::UP {
        let parsed = parse(sample.up, sample.json.as_bytes());
        let accepted: Vec<Record> = parsed.records.iter().flatten().cloned().collect();
        assert_eq!(accepted.len(), sample.accepted, "{}", sample.name);
        assert_eq!(
            parsed.records.len() - accepted.len(),
            sample.rejected,
            "{}",
            sample.name
        );
        assert_eq!(parsed.unknown_fields, sample.unknown_fields, "{}", sample.name);
        let again = String::from_utf8(encode(&accepted).unwrap()).unwrap();
        assert_eq!(
            again == sample.json.trim_end(),
            sample.canonical,
            "{}",
            sample.name
        );
    }
}

#[test]
fn deposits_read_as_written() {
    let full = Deposit {
        stamp: stamp(7001, 42, 1_767_225_600_000),
        household: Some(Cow::Borrowed("H-3-0502")),
        bag: Some(Cow::Borrowed("B20260101-0042")),
        stream: Stream::Food,
        weight_g: 1250,
        quality_bp: 9375,
        confidence_pm: 880,
        by: By::Camera,
    };
    assert_eq!(only(Up::Deposit, samples::DEPOSIT), Record::Deposit(full));
    let minimal = Deposit {
        stamp: stamp(0, 1, 0),
        household: None,
        bag: None,
        stream: Stream::Residual,
        weight_g: 0,
        quality_bp: 0,
        confidence_pm: 1000,
        by: By::Camera,
    };
    assert_eq!(
        only(Up::Deposit, samples::DEPOSIT_MINIMAL),
        Record::Deposit(minimal)
    );
    let highest = Deposit {
        stamp: stamp(u64::MAX, u64::MAX, 253_402_300_799_999),
        household: Some(Cow::Borrowed("和睦新村3幢502室")),
        bag: Some(Cow::Borrowed("袋🍎")),
        stream: Stream::Hazardous,
        weight_g: 200_000,
        quality_bp: 10_000,
        confidence_pm: 1000,
        by: By::Inspector,
    };
    assert_eq!(
        only(Up::Deposit, samples::DEPOSIT_INSPECTOR),
        Record::Deposit(highest)
    );
}

#[test]
fn an_ordinary_deposit_borrows_its_text() {
    let Record::Deposit(deposit) = only(Up::Deposit, samples::DEPOSIT) else {
        panic!("no deposit")
    };
    assert!(matches!(deposit.household, Some(Cow::Borrowed(_))));
    assert!(matches!(deposit.bag, Some(Cow::Borrowed(_))));
}

#[test]
fn the_bad_one_of_three_keeps_its_identity_and_bytes() {
    let parsed = parse(Up::Deposit, samples::DEPOSITS_ONE_BAD.as_bytes());
    let rejected = parsed.records[1].as_ref().unwrap_err();
    assert_eq!(
        (rejected.identity, rejected.reason),
        (Some((7001, 48)), Reason::WrongType)
    );
    assert!(rejected.raw.starts_with(b"{\"boot\":7001,\"seq\":48,"));
    let seqs: Vec<u64> = parsed
        .records
        .iter()
        .flatten()
        .map(|record| record.stamp().seq)
        .collect();
    assert_eq!(seqs, [47, 49]);
}

#[test]
fn status_loss_and_incident_read_as_written() {
    let status = Status {
        stamp: stamp(7001, 50, 1_767_225_900_000),
        bins: vec![
            BinState {
                stream: Stream::Food,
                fill_bp: Some(7500),
                weight_g: Some(41_200),
            },
            BinState {
                stream: Stream::Recyclable,
                fill_bp: Some(3333),
                weight_g: None,
            },
            BinState {
                stream: Stream::Hazardous,
                fill_bp: None,
                weight_g: None,
            },
        ],
        battery_mv: Some(3710),
        rssi_dbm: Some(-71),
        temperature_cc: Some(-425),
        firmware: Some(Cow::Borrowed("2.3.1")),
        queued: Some(12),
    };
    assert_eq!(only(Up::Status, samples::STATUS), Record::Status(status));
    let lost = Lost {
        stamp: stamp(7001, 52, 1_767_226_000_000),
        from: 10,
        to: 19,
    };
    assert_eq!(only(Up::Status, samples::LOST), Record::Lost(lost));
    let incident = Incident {
        stamp: stamp(7001, 53, 1_767_226_060_000),
        kind: IncidentKind::Overflow,
        stream: Some(Stream::Residual),
        note: Some(Cow::Borrowed("盖子合不上 lid open")),
        photo: Some(Cow::Borrowed("img/7001/53")),
    };
    assert_eq!(only(Up::Incident, samples::INCIDENT), Record::Incident(incident));
}

/// The MACs in the samples were computed with another implementation of HMAC-SHA256.
fn receipts() -> [(Receipt, &'static str); 2] {
    let gaps = Receipt {
        boot: 7001,
        upto: 46,
        missing: vec![(48, 48), (51, 60)],
        generation: 3,
    };
    let plain = Receipt {
        boot: u64::MAX,
        upto: 0,
        missing: vec![],
        generation: 1,
    };
    [
        (gaps, samples::RECEIPT.trim_end()),
        (plain, samples::RECEIPT_PLAIN.trim_end()),
    ]
}

#[test]
fn receipts_are_signed_to_the_known_answer() {
    let key = key_digest(samples::RECEIPT_KEY);
    assert_eq!(key[..4], [0x87, 0xcb, 0xeb, 0xfe]);
    for (receipt, json) in receipts() {
        assert_eq!(sign(&receipt, &key), json);
        assert_eq!(verify(json.as_bytes(), &key), Ok(receipt));
    }
}

#[test]
fn a_receipt_covers_its_boot_up_to_its_watermark_only() {
    let [(receipt, _), _] = receipts();
    assert!(receipt.covers(7001, 1) && receipt.covers(7001, 46));
    assert!(!receipt.covers(7001, 47) && !receipt.covers(7001, 49) && !receipt.covers(7002, 1));
}

#[test]
fn a_receipt_is_forged_with_another_key_or_any_changed_member() {
    let key = key_digest(samples::RECEIPT_KEY);
    let json = samples::RECEIPT.trim_end();
    assert_eq!(
        verify(json.as_bytes(), &key_digest("another")),
        Err(ReceiptError::Forged)
    );
    let (_, mac) = json.rsplit_once(":\"").unwrap();
    let mac = mac.trim_end_matches("\"}");
    for (from, to) in [
        ("\"boot\":7001", "\"boot\":7002"),
        ("\"upto\":46", "\"upto\":47"),
        ("[48,48],", ""),
        ("[51,60]", "[51,61]"),
        ("[[48,48],[51,60]]", "[]"),
        ("\"gen\":3", "\"gen\":4"),
        ("\"mac\":\"04", "\"mac\":\"05"),
        ("5b25\"", "5b2\""),
        ("5b25\"", "5b250\""),
        (mac, ""),
        (mac, &mac.to_uppercase()),
    ] {
        let changed = json.replacen(from, to, 1);
        assert_ne!(changed, json, "{from}");
        assert_eq!(
            verify(changed.as_bytes(), &key),
            Err(ReceiptError::Forged),
            "{from} -> {to}"
        );
    }
}

#[test]
fn what_is_no_receipt_is_malformed() {
    let key = key_digest(samples::RECEIPT_KEY);
    let json = samples::RECEIPT.trim_end();
    for bad in [
        String::new(),
        "null".to_owned(),
        "{}".to_owned(),
        json.replacen("\"upto\":46", "\"upto\":-1", 1),
        json.replacen("\"upto\":46", "\"upto\":46,\"upto\":46", 1),
        json.replacen("\"upto\":46", "\"upto\":46.0", 1),
        json.replacen("[48,48]", "[48]", 1),
        json.replacen("\"gen\":3,", "", 1),
        format!("{json}{json}"),
    ] {
        assert!(
            matches!(verify(bad.as_bytes(), &key), Err(ReceiptError::Malformed(_))),
            "{bad}"
        );
    }
}

#[test]
fn a_command_reads_as_written_and_back() {
    let command = Command::decode(samples::COMMAND.as_bytes()).unwrap();
    assert_eq!(
        (command.id.as_str(), command.kind),
        ("c-19", CommandKind::Message)
    );
    assert_eq!(command.body.get("seconds"), Some(&20.into()));
    assert_eq!(command.body.len(), 2);
    assert_eq!(Command::decode(&command.encode().unwrap()).unwrap(), command);
}

#[test]
fn a_command_that_is_not_one_is_refused() {
    for bad in [
        "",
        "[]",
        "{\"kind\":\"collect\"}",
        "{\"id\":\"x\"}",
        "{\"id\":\"x\",\"kind\":\"explode\"}",
        "{\"id\":\"x\",\"id\":\"y\",\"kind\":\"collect\"}",
    ] {
        assert!(
            matches!(Command::decode(bad.as_bytes()), Err(CommandError::Malformed(_))),
            "{bad}"
        );
    }
    for bad in [String::new(), "x".repeat(65), "a\nb".to_owned()] {
        let command = Command {
            id: bad.clone(),
            kind: CommandKind::Collect,
            body: serde_json::Map::new(),
        };
        assert_eq!(
            command.encode(),
            Err(CommandError::Id(bad.chars().take(64).collect()))
        );
    }
    let mut body = serde_json::Map::new();
    body.insert("kind".to_owned(), "config".into());
    let command = Command {
        id: "x".to_owned(),
        kind: CommandKind::Collect,
        body,
    };
    assert_eq!(command.encode(), Err(CommandError::Reserved("kind")));
}
