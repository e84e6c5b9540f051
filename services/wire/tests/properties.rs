//! What holds for every record and every payload.
#![expect(clippy::unwrap_used, reason = "a helper of a test may fail loudly")]

use std::borrow::Cow;

use hemu_wire::{
    AT_MAX, BinState, By, Deposit, EncodeError, Incident, IncidentKind, Lost, Record, Stamp, Status, Stream,
    Up, encode, parse, samples,
};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::{Index, select};

fn stamps() -> impl Strategy<Value = Stamp> {
    (any::<u64>(), 1..=u64::MAX, 0..=AT_MAX).prop_map(|(boot, seq, at)| Stamp { boot, seq, at })
}

fn texts(min: usize, max: usize) -> impl Strategy<Value = Cow<'static, str>> {
    let letter = prop_oneof![
        4 => proptest::char::range(' ', '~'),
        1 => select(vec!['桶', '🍎', '"', '\\', '/', '\u{2028}', '\u{fffd}', '\u{10ffff}']),
        1 => any::<char>().prop_filter("control", |c| !c.is_control()),
    ];
    vec(letter, min..=max).prop_map(|letters| Cow::Owned(letters.into_iter().collect()))
}

fn streams() -> impl Strategy<Value = Stream> {
    select(Stream::ALL.to_vec())
}

fn deposits() -> impl Strategy<Value = Record<'static>> {
    let who = (of(texts(1, 64)), of(texts(1, 64)), select(By::ALL.to_vec()));
    let what = (streams(), 0..=200_000_u32, 0..=10_000_u16, 0..=1000_u16);
    (stamps(), who, what).prop_map(|(stamp, (household, bag, by), what)| {
        let (stream, weight_g, quality_bp, confidence_pm) = what;
        Record::Deposit(Deposit {
            stamp,
            household,
            bag,
            stream,
            weight_g,
            quality_bp,
            confidence_pm,
            by,
        })
    })
}

fn statuses() -> impl Strategy<Value = Record<'static>> {
    let bin =
        (streams(), of(0..=10_000_u16), of(any::<u32>())).prop_map(|(stream, fill_bp, weight_g)| BinState {
            stream,
            fill_bp,
            weight_g,
        });
    let device = (
        of(any::<u32>()),
        of(any::<i32>()),
        of(-27_315..=1_000_000_i32),
        of(texts(0, 64)),
        of(any::<u64>()),
    );
    (stamps(), vec(bin, 0..=32), device).prop_map(|(stamp, bins, device)| {
        let (battery_mv, rssi_dbm, temperature_cc, firmware, queued) = device;
        Record::Status(Status {
            stamp,
            bins,
            battery_mv,
            rssi_dbm,
            temperature_cc,
            firmware,
            queued,
        })
    })
}

fn losses() -> impl Strategy<Value = Record<'static>> {
    (stamps(), 1..=u64::MAX, any::<u64>()).prop_map(|(stamp, from, more)| {
        Record::Lost(Lost {
            stamp,
            from,
            to: from.saturating_add(more),
        })
    })
}

fn incidents() -> impl Strategy<Value = Record<'static>> {
    let kind = select(IncidentKind::ALL.to_vec());
    (
        stamps(),
        kind,
        of(streams()),
        of(texts(0, 200)),
        of(texts(0, 200)),
    )
        .prop_map(|(stamp, kind, stream, note, photo)| {
            Record::Incident(Incident {
                stamp,
                kind,
                stream,
                note,
                photo,
            })
        })
}

/// Records of one topic.
fn payloads() -> impl Strategy<Value = Vec<Record<'static>>> {
    prop_oneof![
        vec(deposits(), 1..8),
        vec(prop_oneof![statuses(), losses()], 1..8),
        vec(incidents(), 1..8),
    ]
}

fn ups() -> impl Strategy<Value = Up> {
    select(Up::ALL.to_vec())
}

/// What must hold of any verdict on any bytes.
fn check_sane(up: Up, payload: &[u8]) {
    let parsed = parse(up, payload);
    assert!((1..=256).contains(&parsed.records.len()));
    for record in parsed.records {
        match record {
            Ok(record) => {
                assert_eq!(record.up(), up);
                let again = encode(std::slice::from_ref(&record)).unwrap();
                assert_eq!(parse(up, &again).records, [Ok(record)]);
            }
            Err(rejected) => {
                assert!(rejected.raw.len() <= 4096 && rejected.raw.len() == rejected.raw_len.min(4096));
                assert!(rejected.raw_len <= payload.len());
                assert!(rejected.detail.chars().count() <= 400);
                assert!(rejected.identity.is_none_or(|(_, seq)| seq > 0));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn parsing_undoes_encoding(records in payloads()) {
        let up = records[0].up();
        let payload = encode(&records).unwrap();
        let parsed = parse(up, &payload);
        prop_assert_eq!(parsed.unknown_fields, 0);
        let back: Vec<Record> = parsed.records.into_iter().map(|record| record.unwrap().into_owned()).collect();
        prop_assert_eq!(back, records);
    }

    #[test]
    fn an_element_is_judged_alike_with_and_without_a_bad_neighbour(records in payloads(), at in any::<Index>()) {
        let up = records[0].up();
        let mut elements: Vec<String> =
            records.iter().map(|record| serde_json::to_string(record).unwrap()).collect();
        let bad = at.index(elements.len() + 1);
        elements.insert(bad, "{\"boot\":3,\"seq\":4,\"at\":-1}".to_owned());
        let payload = format!("[{}]", elements.join(", "));
        let mut parsed = parse(up, payload.as_bytes());
        prop_assert_eq!(parsed.records.remove(bad).unwrap_err().identity, Some((3, 4)));
        let back: Vec<Record> = parsed.records.into_iter().map(|record| record.unwrap().into_owned()).collect();
        prop_assert_eq!(back, records);
    }

    #[test]
    fn every_number_of_basis_points_survives_any_spelling(bp in 0..=10_000_u16) {
        let x = f64::from(bp) / 10_000.0;
        let whole = format!("{bp}e-4");
        for quality in [format!("{x}"), format!("{x:.4}"), format!("{x:e}"), whole] {
            let payload = format!(
                "{{\"boot\":1,\"seq\":1,\"at\":1,\"stream\":\"food\",\"weight_g\":1,\"quality\":{quality}}}"
            );
            let parsed = parse(Up::Deposit, payload.as_bytes());
            let Ok(Record::Deposit(deposit)) = &parsed.records[0] else { panic!("{payload}") };
            prop_assert_eq!(deposit.quality_bp, bp);
        }
    }

    #[test]
    fn a_fifth_decimal_is_always_refused(parts in 0..100_000_u32) {
        prop_assume!(parts % 10 != 0);
        let payload = format!(
            "{{\"boot\":1,\"seq\":1,\"at\":1,\"stream\":\"food\",\"weight_g\":1,\"quality\":0.{parts:05}}}"
        );
        prop_assert!(parse(Up::Deposit, payload.as_bytes()).records[0].is_err());
    }

    #[test]
    fn no_bytes_make_parse_panic(up in ups(), payload in vec(any::<u8>(), 0..600)) {
        check_sane(up, &payload);
    }

    #[test]
    fn no_json_like_text_makes_parse_panic(
        up in ups(),
        payload in "([\\[\\]{}:,\"\\\\ -]|boot|seq|at|lost|bins|null|true|\\\\ud83d|-?[0-9]{1,21}|1e[0-9]{1,4}){0,60}",
    ) {
        check_sane(up, payload.as_bytes());
    }

    #[test]
    fn no_damage_to_a_good_payload_makes_parse_panic(
        up in ups(),
        sample in select(samples::UP.to_vec()),
        edits in vec((any::<Index>(), any::<u8>(), 0..4_u8), 1..6),
    ) {
        let mut payload = sample.json.as_bytes().to_vec();
        for (at, byte, edit) in edits {
            if payload.is_empty() {
                break;
            }
            let at = at.index(payload.len());
            match edit {
                0 => payload[at] = byte,
                1 => payload.insert(at, byte),
                2 => drop(payload.remove(at)),
                _ => payload.truncate(at),
            }
        }
        check_sane(up, &payload);
    }
}

#[test]
fn an_undoable_payload_is_a_typed_error() {
    let stamp = Stamp {
        boot: 1,
        seq: 1,
        at: 1,
    };
    let lost = Record::Lost(Lost {
        stamp,
        from: 1,
        to: 1,
    });
    let incident = Record::Incident(Incident {
        stamp,
        kind: IncidentKind::Tilt,
        stream: None,
        note: None,
        photo: None,
    });
    assert_eq!(encode(&[]), Err(EncodeError::Empty));
    assert_eq!(
        encode(&vec![lost.clone(); 257]),
        Err(EncodeError::TooMany { came: 257 })
    );
    assert!(encode(&vec![lost.clone(); 256]).is_ok());
    let mixed = EncodeError::Mixed {
        first: Up::Status,
        other: Up::Incident,
    };
    assert_eq!(encode(&[lost, incident]), Err(mixed));
}

#[test]
fn one_record_is_an_object_and_several_are_an_array() {
    let stamp = Stamp {
        boot: 1,
        seq: 2,
        at: 3,
    };
    let lost = Record::Lost(Lost {
        stamp,
        from: 4,
        to: 5,
    });
    let object = "{\"boot\":1,\"seq\":2,\"at\":3,\"lost\":[4,5]}";
    assert_eq!(encode(std::slice::from_ref(&lost)).unwrap(), object.as_bytes());
    assert_eq!(
        encode(&[lost.clone(), lost]).unwrap(),
        format!("[{object},{object}]").into_bytes()
    );
}
