//! What inspectors send over HTTP: answered for is stored, whatever becomes of the server, and the server ends in order with a
//! phone's door open.
#![expect(clippy::unwrap_used, reason = "a test's helper fails loudly")]

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::people::with_password;
use crate::privacy::holding;
use crate::serve::post;
use crate::support::{Server, is_verified, refuse, succeed};

fn batch(seqs: std::ops::RangeInclusive<u64>) -> String {
    let reading = |seq: u64| {
        json!({"boot": 77, "seq": seq, "at": 1_772_323_200_000_u64 + seq, "household": "H1", "stream": "food",
            "weight_g": 900, "quality": 0.75})
    };
    json!({"readings": seqs.map(reading).collect::<Vec<_>>()}).to_string()
}

/// How often each outcome was said.
fn outcomes(answer: &str, outcome: &str) -> usize {
    said(answer, "outcome", outcome)
}

fn said(answer: &str, of: &str, word: &str) -> usize {
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let told: Value = serde_json::from_str(body).unwrap();
    let readings = told["readings"].as_array().unwrap().iter();
    readings.filter(|reading| reading[of] == word).count()
}

/// An inspector's token for a phone, as a header.
fn phone(data: &Path) -> String {
    let added = with_password(
        data,
        &["user", "add", "w1", "--role", "inspector"],
        "three green bins",
    );
    assert!(added.status.success());
    let made = ["token", "add", "w1", "--scopes", "grade_bags", "--label", "phone"];
    let made: Value = serde_json::from_str(&succeed(data, &made)).unwrap();
    format!("authorization: Bearer {}\r\n", made["token"].as_str().unwrap())
}

#[test]
fn what_was_answered_for_survives_a_kill_and_is_stored_once() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let token = phone(data);
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
    is_verified(&succeed(data, &["verify"]));
    assert!(refuse(data, &["device", "add", "account-1"]).contains("accounts that grade bags"));
}

#[test]
fn a_photo_is_noted_once_whatever_becomes_of_the_server_and_goes_with_its_household() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let files = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = files.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let households = file(
        "households.csv",
        "household,estate,building,unit,door,residents,station\nH1,E1,1,1,101,3,\n",
    );
    succeed(data, &["household", "import", &households]);
    let token = phone(data);
    let photo = "PHOTO-OF-A-BAG-4711";
    let batch = batch(1..=8).replace("\"quality\"", &format!("\"photo\":\"{photo}\",\"quality\""));
    let mut server = Server::start(data, 0);
    for _ in 0..2 {
        let path = format!("{}/api/v1/inspections", server.http);
        // An answer waits a while for the projector, and says so where it did not come.
        let noted = (0..60).any(|_| said(&post(&path, &token, &batch), "photo", "noted") == 8);
        assert!(noted);
        server.kill();
        server = Server::start(data, 0);
    }
    assert!(server.terminate().success());
    let trail = succeed(data, &["audit", "--kind", "name_photo"]);
    assert_eq!(trail.matches(photo).count(), 8, "{trail}");
    assert_eq!(trail.matches("account-").count(), 8, "{trail}");
    let own = succeed(data, &["household", "export", "H1", "--out", "-"]);
    let own: Value = serde_json::from_str(&own).unwrap();
    let readings = own["readings"].as_array().unwrap();
    assert_eq!(readings.len(), 8);
    assert!(readings.iter().all(|reading| reading["photo"] == photo), "{own}");
    assert_eq!(holding(data, photo), Vec::<PathBuf>::new());
    let why = file("reason.txt", "asked for in writing\n");
    succeed(
        data,
        &[
            "household",
            "erase",
            "H1",
            "--account",
            "keeper",
            "--reason-file",
            &why,
        ],
    );
    let trail = succeed(data, &["audit", "--kind", "name_photo"]);
    assert_eq!(
        (trail.matches(photo).count(), trail.matches("account-").count()),
        (0, 8),
        "{trail}"
    );
    is_verified(&succeed(data, &["verify"]));
}
