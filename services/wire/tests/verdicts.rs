//! A table of payloads with the verdict of each: accepted, or the reason, and whether its identity survives.
#![expect(clippy::panic, reason = "a helper of a test may fail loudly")]

use Reason::{
    BadText, DuplicateKey, Empty, MissingField, NotJson, NotUtf8, OutOfRange, TooLong, TooMany, TooPrecise,
    UnknownValue, WrongShape, WrongType,
};
use hemu_wire::{Reason, Record, Up, parse};

/// A sound deposit in which one member is replaced; an empty text takes the member out.
fn deposit(key: &str, value: &str) -> String {
    object(&GOOD_DEPOSIT, key, value)
}

const GOOD_DEPOSIT: [(&str, &str); 10] = [
    ("boot", "7"),
    ("seq", "9"),
    ("at", "1767225600000"),
    ("household", "\"H1\""),
    ("bag", "\"B1\""),
    ("stream", "\"food\""),
    ("weight_g", "1200"),
    ("quality", "0.5"),
    ("confidence", "0.9"),
    ("by", "\"camera\""),
];

fn status(key: &str, value: &str) -> String {
    object(&[("boot", "7"), ("seq", "9"), ("at", "5")], key, value)
}

fn incident(key: &str, value: &str) -> String {
    object(
        &[("boot", "7"), ("seq", "9"), ("at", "5"), ("kind", "\"smoke\"")],
        key,
        value,
    )
}

fn object(members: &[(&str, &str)], key: &str, value: &str) -> String {
    let known = members.iter().any(|(name, _)| *name == key);
    let replaced = members
        .iter()
        .map(|(name, old)| (*name, if *name == key { value } else { *old }));
    let added = (!known).then_some((key, value));
    let members: Vec<String> = replaced
        .chain(added)
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("\"{name}\":{value}"))
        .collect();
    format!("{{{}}}", members.join(","))
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

fn deep(levels: usize) -> String {
    format!("{}{}", "[".repeat(levels), "]".repeat(levels))
}

/// The one record of `payload` is refused for `reason`; its identity (7, 9) is salvaged or not.
#[track_caller]
fn refused(up: Up, payload: &[u8], reason: Reason, salvaged: bool) {
    let shown = String::from_utf8_lossy(payload)
        .chars()
        .take(300)
        .collect::<String>();
    let parsed = parse(up, payload);
    assert_eq!(parsed.records.len(), 1, "{shown}");
    assert_eq!(parsed.unknown_fields, 0, "{shown}");
    let Err(rejected) = &parsed.records[0] else {
        panic!("accepted {shown}")
    };
    assert_eq!(rejected.reason, reason, "{shown}: {}", rejected.detail);
    assert_eq!(rejected.identity, salvaged.then_some((7, 9)), "{shown}");
    assert_eq!(rejected.raw_len, payload.len(), "{shown}");
    assert_eq!(rejected.raw, payload[..payload.len().min(4096)], "{shown}");
    assert!(rejected.detail.chars().count() <= 400, "{shown}");
}

#[track_caller]
fn accepted(up: Up, payload: &str) -> Record<'_> {
    let mut parsed = parse(up, payload.as_bytes());
    assert_eq!(parsed.records.len(), 1, "{payload}");
    match parsed.records.remove(0) {
        Ok(record) => record,
        Err(rejected) => panic!("{payload}: {}", rejected.detail),
    }
}

#[test]
fn a_deposit_with_one_bad_member_is_refused_for_it() {
    let long = quoted(&"x".repeat(4097));
    let (deep64, deep5000) = (deep(64), deep(5000));
    let (cjk65, ascii65) = (quoted(&"桶".repeat(65)), quoted(&"x".repeat(65)));
    let table: &[(&str, &str, Reason, bool)] = &[
        // identity
        ("boot", "", MissingField, false),
        ("boot", "-1", OutOfRange, false),
        ("boot", "-0", OutOfRange, false),
        ("boot", "18446744073709551616", OutOfRange, false),
        ("boot", "1e400", OutOfRange, false),
        ("boot", "7.0", WrongType, false),
        ("boot", "\"7\"", WrongType, false),
        ("boot", "null", WrongType, false),
        ("boot", "true", WrongType, false),
        ("boot", "[7]", WrongType, false),
        ("seq", "", MissingField, false),
        ("seq", "0", OutOfRange, false),
        ("seq", "-9", OutOfRange, false),
        ("seq", "9.5", WrongType, false),
        ("seq", "9e0", WrongType, false),
        ("seq", "\"9\"", WrongType, false),
        ("seq", "null", WrongType, false),
        ("seq", "18446744073709551616", OutOfRange, false),
        // time
        ("at", "", MissingField, true),
        ("at", "-1", OutOfRange, true),
        ("at", "-0", OutOfRange, true),
        ("at", "253402300800000", OutOfRange, true),
        ("at", "9223372036854775808", OutOfRange, true),
        ("at", "1e30", OutOfRange, true),
        ("at", "1767225600000.5", WrongType, true),
        ("at", "1.7672256e12", WrongType, true),
        ("at", "\"2026-01-01T00:00:00Z\"", WrongType, true),
        ("at", "null", WrongType, true),
        // weight
        ("weight_g", "", MissingField, true),
        ("weight_g", "200001", OutOfRange, true),
        ("weight_g", "4294967296", OutOfRange, true),
        ("weight_g", "-1", OutOfRange, true),
        ("weight_g", "-0", OutOfRange, true),
        ("weight_g", "1e400", OutOfRange, true),
        ("weight_g", "-1e400", OutOfRange, true),
        ("weight_g", "1.5", WrongType, true),
        ("weight_g", "5.0", WrongType, true),
        ("weight_g", "5e0", WrongType, true),
        ("weight_g", "\"5\"", WrongType, true),
        ("weight_g", "true", WrongType, true),
        ("weight_g", "null", WrongType, true),
        ("weight_g", "{}", WrongType, true),
        ("weight_g", "[5]", WrongType, true),
        ("weight_g", &deep64, WrongType, true),
        ("weight_g", &deep5000, WrongType, true),
        ("weight_g", &long, WrongType, true),
        // quality and confidence
        ("quality", "", MissingField, true),
        ("quality", "1.0001", OutOfRange, true),
        ("quality", "2", OutOfRange, true),
        ("quality", "-0.0001", OutOfRange, true),
        ("quality", "-1", OutOfRange, true),
        ("quality", "-0", OutOfRange, true),
        ("quality", "-0.0", OutOfRange, true),
        ("quality", "1e400", OutOfRange, true),
        ("quality", "0.12345", TooPrecise, true),
        ("quality", "0.00001", TooPrecise, true),
        ("quality", "1e-17", TooPrecise, true),
        ("quality", "0.99999999", TooPrecise, true),
        ("quality", "\"0.5\"", WrongType, true),
        ("quality", "null", WrongType, true),
        ("quality", "false", WrongType, true),
        ("confidence", "0.1234", TooPrecise, true),
        ("confidence", "1.001", OutOfRange, true),
        ("confidence", "-0", OutOfRange, true),
        ("confidence", "\"1\"", WrongType, true),
        // words
        ("stream", "", MissingField, true),
        ("stream", "null", WrongType, true),
        ("stream", "0", WrongType, true),
        ("stream", "\"plastic\"", UnknownValue, true),
        ("stream", "\"Food\"", UnknownValue, true),
        ("stream", "\" food\"", UnknownValue, true),
        ("stream", "\"\"", UnknownValue, true),
        ("by", "\"unknown\"", UnknownValue, true),
        ("by", "\"cam\"", UnknownValue, true),
        ("by", "1", WrongType, true),
        // tokens
        ("household", "\"\"", BadText, true),
        ("household", "7", WrongType, true),
        ("household", "[\"H1\"]", WrongType, true),
        ("household", &ascii65, TooLong, true),
        ("household", &cjk65, TooLong, true),
        ("household", &long, TooLong, true),
        ("household", "\"a\\u0000b\"", BadText, true),
        ("household", "\"a\\nb\"", BadText, true),
        ("household", "\"a\u{7f}b\"", BadText, true),
        ("household", "\"a\u{85}b\"", BadText, true),
        ("household", "\"\\ud800\"", BadText, true),
        ("household", "\"\\udc00x\"", BadText, true),
        ("household", "\"\\ud800\\u0041\"", BadText, true),
        ("bag", "\"\"", BadText, true),
        ("bag", &cjk65, TooLong, true),
        ("bag", "{}", WrongType, true),
    ];
    for (key, value, reason, salvaged) in table {
        refused(Up::Deposit, deposit(key, value).as_bytes(), *reason, *salvaged);
    }
}

#[test]
fn a_deposit_with_an_odd_but_sound_member_is_accepted() {
    let (deep64, deep5000) = (deep(64), deep(5000));
    let (cjk64, emoji64) = (quoted(&"桶".repeat(64)), quoted(&"🍎".repeat(64)));
    let escaped64 = quoted(&"\\ud83c\\udf4e".repeat(64));
    let table: &[(&str, &str)] = &[
        ("boot", "0"),
        ("boot", "18446744073709551615"),
        ("seq", "1"),
        ("seq", "18446744073709551615"),
        ("at", "0"),
        ("at", "253402300799999"),
        ("weight_g", "0"),
        ("weight_g", "200000"),
        ("quality", "0"),
        ("quality", "1"),
        ("quality", "1.0000"),
        ("quality", "1e-1"),
        ("quality", "1E-4"),
        // No double is this small, so it arrives as 0.
        ("quality", "1e-400"),
        ("quality", "0.12340000000000000"),
        ("confidence", "null"),
        ("confidence", ""),
        ("confidence", "0.001"),
        ("by", "null"),
        ("by", ""),
        ("household", "null"),
        ("household", ""),
        ("household", &cjk64),
        ("household", &emoji64),
        ("household", &escaped64),
        ("household", "\"\\\"quoted\\\" / \\u6876\""),
        ("household", "\" \""),
        ("bag", "null"),
        ("extra", "null"),
        ("extra", "1e400"),
        ("extra", "\"\\ud800\""),
        ("extra", &deep64),
        ("extra", &deep5000),
        ("Quality", "9"),
        ("WEIGHT_G", "\"x\""),
        ("bins", "7"),
        ("lost", "true"),
        ("kind", "[]"),
    ];
    for (key, value) in table {
        let payload = deposit(key, value);
        let Record::Deposit(_) = accepted(Up::Deposit, &payload) else {
            panic!("{payload}")
        };
    }
}

#[test]
fn a_key_in_another_case_is_another_key() {
    let payload = deposit("seq", "").replace("\"boot\"", "\"Seq\":9,\"boot\"");
    refused(Up::Deposit, payload.as_bytes(), MissingField, false);
}

#[test]
fn a_repeated_known_key_is_refused_and_a_repeated_unknown_one_is_not() {
    for (extra, salvaged) in [
        ("\"weight_g\":1200", true),
        ("\"household\":null", true),
        ("\"weig\\u0068t_g\":1", true),
        ("\"boot\":7", false),
        ("\"boot\":8", false),
        ("\"seq\":9", false),
    ] {
        let payload = format!("{},{extra}}}", deposit("", "").trim_end_matches('}'));
        refused(Up::Deposit, payload.as_bytes(), DuplicateKey, salvaged);
    }
    let payload = format!("{},\"x\":1,\"x\":2}}", deposit("", "").trim_end_matches('}'));
    accepted(Up::Deposit, &payload);
    assert_eq!(parse(Up::Deposit, payload.as_bytes()).unknown_fields, 2);
}

#[test]
fn a_payload_that_cannot_be_taken_apart_is_one_refusal_without_identity() {
    let good = deposit("", "");
    let half = &good[..good.len() - 1];
    let table: &[(String, Reason)] = &[
        (String::new(), Empty),
        (" \n\t ".into(), Empty),
        ("[]".into(), Empty),
        (" [ ] ".into(), Empty),
        ("null".into(), WrongShape),
        ("5".into(), WrongShape),
        ("\"deposit\"".into(), WrongShape),
        ("true".into(), WrongShape),
        (deposit("weight_g", "NaN"), NotJson),
        (deposit("quality", "Infinity"), NotJson),
        (deposit("quality", "-Infinity"), NotJson),
        (deposit("quality", ".5"), NotJson),
        (deposit("quality", "5."), NotJson),
        (deposit("quality", "+0.5"), NotJson),
        (deposit("weight_g", "007"), NotJson),
        (deposit("weight_g", "0x10"), NotJson),
        (deposit("household", "'H1'"), NotJson),
        (deposit("household", "\"a\nb\""), NotJson),
        (deposit("household", "\"a\0b\""), NotJson),
        (deposit("household", "\"\\x41\""), NotJson),
        (deposit("household", "\"\\u12\""), NotJson),
        (format!("\u{feff}{good}"), NotJson),
        (format!("{good} x"), NotJson),
        (format!("{good}{good}"), NotJson),
        (format!("{good}\n{good}"), NotJson),
        (format!("{good},"), NotJson),
        (format!("[{good},]"), NotJson),
        (format!("[{good}"), NotJson),
        (format!("{half},}}"), NotJson),
        (half.into(), NotJson),
        (good.replace('"', ""), NotJson),
        ("[".repeat(60_000), NotJson),
        ("{\"a\":".repeat(10_000), NotJson),
        (format!("[{}]", vec![good.as_str(); 257].join(",")), TooMany),
        (format!("[{}]", vec!["0"; 30_000].join(",")), TooMany),
    ];
    for (payload, reason) in table {
        refused(Up::Deposit, payload.as_bytes(), *reason, false);
    }
}

#[test]
fn bytes_that_are_no_text_are_refused_but_a_readable_identity_survives() {
    for bad in [
        &b"\xff"[..],
        b"\xc0\xaf",
        b"\xed\xa0\x80",
        b"\xf5\x80\x80\x80",
        b"\xe6\xa1",
    ] {
        let inside = replace(deposit("household", "\"@\"").as_bytes(), bad);
        refused(Up::Deposit, &inside, NotUtf8, true);
        let unknown = replace(deposit("extra", "\"@\"").as_bytes(), bad);
        refused(Up::Deposit, &unknown, NotUtf8, true);
        let between = replace(format!("@{}", deposit("", "")).as_bytes(), bad);
        refused(Up::Deposit, &between, NotUtf8, false);
        refused(Up::Deposit, bad, NotUtf8, false);
    }
}

fn replace(payload: &[u8], bad: &[u8]) -> Vec<u8> {
    payload
        .iter()
        .flat_map(|byte| if *byte == b'@' { bad.to_vec() } else { vec![*byte] })
        .collect()
}

#[test]
fn a_bad_element_leaves_its_neighbours_alone() {
    type Verdict = Option<(Reason, bool)>;
    let good = deposit("", "");
    let bad_name = replace(deposit("household", "\"@\"").as_bytes(), b"\xff");
    let elements: &[(&[u8], Verdict)] = &[
        (good.as_bytes(), None),
        (b"null", Some((WrongShape, false))),
        (b"[]", Some((WrongShape, false))),
        (b"[{\"boot\":7,\"seq\":9}]", Some((WrongShape, false))),
        (b"{}", Some((MissingField, false))),
        (good.as_bytes(), None),
        (b"{\"boot\":7,\"seq\":9}", Some((MissingField, true))),
        (b"{\"\\ud800\":1,\"boot\":7,\"seq\":9}", Some((BadText, false))),
        (
            b"{\"weight_g\":1e999,\"boot\":7,\"seq\":9}",
            Some((OutOfRange, true)),
        ),
        (&bad_name, Some((NotUtf8, true))),
        (b"\"x\"", Some((WrongShape, false))),
        (good.as_bytes(), None),
    ];
    let bytes: Vec<&[u8]> = elements.iter().map(|(bytes, _)| *bytes).collect();
    let payload = [&b" [ "[..], &bytes.join(&b" ,\n"[..]), b" ] "].concat();
    let parsed = parse(Up::Deposit, &payload);
    assert_eq!(parsed.records.len(), elements.len());
    let Record::Deposit(alone) = accepted(Up::Deposit, &good) else {
        panic!("no deposit")
    };
    for (record, (raw, expected)) in parsed.records.iter().zip(elements) {
        match (record, expected) {
            (Ok(record), None) => assert_eq!(*record, Record::Deposit(alone.clone())),
            (Err(rejected), Some((reason, salvaged))) => {
                assert_eq!(rejected.reason, *reason, "{}", rejected.detail);
                assert_eq!(
                    rejected.identity,
                    salvaged.then_some((7, 9)),
                    "{}",
                    rejected.detail
                );
                assert_eq!(rejected.raw, *raw);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_full_batch_is_accepted() {
    let payload = format!("[{}]", vec![deposit("", ""); 256].join(","));
    let parsed = parse(Up::Deposit, payload.as_bytes());
    assert_eq!(parsed.records.iter().filter(|record| record.is_ok()).count(), 256);
}

#[test]
fn a_status_with_one_bad_member_is_refused_for_it() {
    let bins33 = format!("[{}]", vec!["{\"stream\":\"food\"}"; 33].join(","));
    let firmware65 = quoted(&"v".repeat(65));
    let table: &[(&str, &str, Reason)] = &[
        ("at", "", MissingField),
        ("bins", "{}", WrongType),
        ("bins", "7", WrongType),
        ("bins", "1e400", WrongType),
        ("bins", "[7]", WrongType),
        ("bins", "[null]", WrongType),
        ("bins", "[[]]", WrongType),
        ("bins", &bins33, TooMany),
        ("bins", "[{}]", MissingField),
        ("bins", "[{\"fill\":0.5}]", MissingField),
        ("bins", "[{\"stream\":null}]", WrongType),
        ("bins", "[{\"stream\":\"glass\"}]", UnknownValue),
        (
            "bins",
            "[{\"stream\":\"food\",\"stream\":\"food\"}]",
            DuplicateKey,
        ),
        ("bins", "[{\"stream\":\"food\",\"fill\":1.01}]", OutOfRange),
        ("bins", "[{\"stream\":\"food\",\"fill\":-0.1}]", OutOfRange),
        ("bins", "[{\"stream\":\"food\",\"fill\":1e400}]", OutOfRange),
        ("bins", "[{\"stream\":\"food\",\"fill\":\"0.5\"}]", WrongType),
        ("bins", "[{\"stream\":\"food\",\"weight_g\":-1}]", OutOfRange),
        ("bins", "[{\"stream\":\"food\",\"weight_g\":1.5}]", WrongType),
        ("battery_mv", "-1", OutOfRange),
        ("battery_mv", "4294967296", OutOfRange),
        ("battery_mv", "3.7", WrongType),
        ("rssi_dbm", "2147483648", OutOfRange),
        ("rssi_dbm", "-2147483649", OutOfRange),
        ("rssi_dbm", "-70.5", WrongType),
        ("rssi_dbm", "\"-70\"", WrongType),
        ("temperature_c", "-273.16", OutOfRange),
        ("temperature_c", "10001", OutOfRange),
        ("temperature_c", "1e400", OutOfRange),
        ("temperature_c", "\"20\"", WrongType),
        ("firmware", "2", WrongType),
        ("firmware", &firmware65, TooLong),
        ("firmware", "\"a\\tb\"", BadText),
        ("queued", "-1", OutOfRange),
        ("queued", "1.0", WrongType),
        ("lost", "[]", WrongType),
        ("lost", "[1]", WrongType),
        ("lost", "[1,2,3]", WrongType),
        ("lost", "[1.0,2]", WrongType),
        ("lost", "[-1,2]", WrongType),
        ("lost", "{\"from\":1,\"to\":2}", WrongType),
        ("lost", "[0,2]", OutOfRange),
        ("lost", "[3,2]", OutOfRange),
    ];
    for (key, value, reason) in table {
        refused(Up::Status, status(key, value).as_bytes(), *reason, true);
    }
}

#[test]
fn telemetry_is_rounded_and_null_is_absent() {
    let payload = "{\"boot\":7,\"seq\":9,\"at\":5,\"bins\":[{\"stream\":\"food\",\"fill\":0.33336,\"x\":1},\
                   {\"stream\":\"residual\",\"fill\":-0.0,\"weight_g\":null}],\"battery_mv\":null,\
                   \"rssi_dbm\":-71,\"temperature_c\":-4.256,\"firmware\":\"\",\"queued\":null,\"lost\":null}";
    let Record::Status(status) = accepted(Up::Status, payload) else {
        panic!("no status")
    };
    assert_eq!(
        status.bins.iter().map(|bin| bin.fill_bp).collect::<Vec<_>>(),
        [Some(3334), Some(0)]
    );
    assert_eq!((status.battery_mv, status.rssi_dbm), (None, Some(-71)));
    assert_eq!(status.temperature_cc, Some(-426));
    assert_eq!((status.firmware.as_deref(), status.queued), (Some(""), None));
    assert_eq!(parse(Up::Status, payload.as_bytes()).unknown_fields, 1);
    let null = "{\"boot\":7,\"seq\":9,\"at\":5,\"bins\":null,\"temperature_c\":-0.0}";
    let Record::Status(status) = accepted(Up::Status, null) else {
        panic!("no status")
    };
    assert_eq!((status.bins.len(), status.temperature_cc), (0, Some(0)));
}

#[test]
fn an_incident_with_one_bad_member_is_refused_for_it() {
    let (note201, note200) = (quoted(&"满".repeat(201)), quoted(&"满".repeat(200)));
    let table: &[(&str, &str, Reason)] = &[
        ("kind", "", MissingField),
        ("kind", "null", WrongType),
        ("kind", "\"fire\"", UnknownValue),
        ("kind", "\"Smoke\"", UnknownValue),
        ("kind", "3", WrongType),
        ("stream", "\"glass\"", UnknownValue),
        ("note", &note201, TooLong),
        ("note", "\"a\\nb\"", BadText),
        ("note", "{}", WrongType),
        ("photo", &note201, TooLong),
        ("photo", "[1]", WrongType),
    ];
    for (key, value, reason) in table {
        refused(Up::Incident, incident(key, value).as_bytes(), *reason, true);
    }
    for (key, value) in [
        ("note", note200.as_str()),
        ("note", "null"),
        ("stream", "null"),
        ("weight_g", "-5"),
    ] {
        accepted(Up::Incident, &incident(key, value));
    }
}

#[test]
fn a_record_is_judged_by_its_topic() {
    let deposit = deposit("", "");
    let Record::Status(_) = accepted(Up::Status, &deposit) else {
        panic!("no status")
    };
    assert_eq!(parse(Up::Status, deposit.as_bytes()).unknown_fields, 7);
    refused(Up::Incident, deposit.as_bytes(), MissingField, true);
    refused(Up::Deposit, incident("", "").as_bytes(), MissingField, true);
    refused(
        Up::Deposit,
        status("lost", "[1,2]").as_bytes(),
        MissingField,
        true,
    );
}

#[test]
fn the_detail_names_field_expectation_and_what_came() {
    let detail = |up, payload: &str| match parse(up, payload.as_bytes()).records.remove(0) {
        Err(rejected) => rejected.detail,
        Ok(record) => panic!("{record:?}"),
    };
    let cases = [
        (
            deposit("weight_g", "\"5\""),
            "weight_g: expected grams, an integer 0..=200000, came \"5\"",
        ),
        (
            deposit("quality", "0.12345"),
            "quality: expected a number 0..=1 with at most 4 decimals, came 0.12345",
        ),
        (
            deposit("boot", "1e400"),
            "boot: expected a number that a double can hold, came 1e400",
        ),
        (
            deposit("stream", ""),
            "stream: expected this field, came a record without it",
        ),
    ];
    for (payload, expected) in cases {
        assert_eq!(detail(Up::Deposit, &payload), expected);
    }
    let bins = status("bins", "[{\"stream\":\"food\"},{\"stream\":\"food\",\"fill\":2}]");
    assert_eq!(
        detail(Up::Status, &bins),
        "bins[1].fill: expected a number 0..=1, came 2"
    );
    let long = detail(Up::Deposit, &deposit("household", &quoted(&"桶".repeat(4000))));
    assert_eq!(
        long.chars().filter(|c| *c == '桶').count(),
        199,
        "the quote and 199 more of 200"
    );
}
