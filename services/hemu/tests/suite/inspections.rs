//! What inspectors send over HTTP: answered for is stored, whatever becomes of the server, and the server ends in order with a
//! phone's door open.
#![expect(clippy::unwrap_used, reason = "a test's helper fails loudly")]

use serde_json::{Value, json};

use crate::people::with_password;
use crate::serve::post;
use crate::support::{Server, refuse, succeed};

fn batch(seqs: std::ops::RangeInclusive<u64>) -> String {
    let reading = |seq: u64| {
        json!({"boot": 77, "seq": seq, "at": 1_772_323_200_000_u64 + seq, "household": "H1", "stream": "food",
            "weight_g": 900, "quality": 0.75})
    };
    json!({"readings": seqs.map(reading).collect::<Vec<_>>()}).to_string()
}

/// How often each outcome was said.
fn outcomes(answer: &str, outcome: &str) -> usize {
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let told: Value = serde_json::from_str(body).unwrap();
    let readings = told["readings"].as_array().unwrap().iter();
    readings.filter(|reading| reading["outcome"] == outcome).count()
}

#[test]
fn what_was_answered_for_survives_a_kill_and_is_stored_once() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let added = with_password(
        data,
        &["user", "add", "w1", "--role", "inspector"],
        "three green bins",
    );
    assert!(added.status.success());
    let made = ["token", "add", "w1", "--scopes", "grade_bags", "--label", "phone"];
    let made: Value = serde_json::from_str(&succeed(data, &made)).unwrap();
    let token = format!("authorization: Bearer {}\r\n", made["token"].as_str().unwrap());
    let server = Server::start(data, 0);
    let told = post(
        &format!("{}/api/v1/inspections", server.http),
        &token,
        &batch(1..=64),
    );
    assert_eq!(outcomes(&told, "stored"), 64);
    server.kill();
    let server = Server::start(data, 0);
    let path = format!("{}/api/v1/inspections", server.http);
    let again = post(&path, &token, &batch(1..=64));
    assert_eq!(outcomes(&again, "repeat"), 64);
    assert!(again.contains("\"upto\":64"), "{again}");
    let other = batch(64..=64).replace("0.75", "0.5");
    assert_eq!(outcomes(&post(&path, &token, &other), "conflict"), 1);
    assert!(server.terminate().success());
    let export = succeed(data, &["export", "--csv", "-"]);
    assert_eq!(export.lines().count(), 65, "{export}");
    assert!(
        export.contains(",insp,account-") && !export.contains("w1"),
        "{export}"
    );
    assert!(succeed(data, &["verify"]).contains("every row is what the journal adds up to"));
    assert!(refuse(data, &["device", "add", "account-1"]).contains("accounts that grade bags"));
}
