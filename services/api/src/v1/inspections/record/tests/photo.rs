//! What a picture of a bag is called: noted beside the reading, once, and in no byte of the journal.

use std::time::Duration;

use hemu_ledger::privacy::{TrailQuery, TrailRow};
use hemu_people::{Role, Scope, handset};
use hemu_rules::Plan;
use serde_json::{Value, json};

use super::{PATH, graded, outcomes, send};
use crate::Inspections;
use crate::testing::{Desk, KEY, Site, acting, answer, looking};

const PHOTO: &str = "PHOTO-OF-A-BAG-0042";

fn pictured(seq: u64, household: &str, photo: &str) -> Value {
    let mut reading = graded(seq, household, 0.9);
    reading["photo"] = photo.into();
    reading
}

/// Sends readings while the desk stores what comes, and the projector folds it before the answer.
async fn send_folded(site: &Site, desk: &mut Desk, readings: &[Value]) -> Value {
    let asked = acting("p1", PATH, &json!({"readings": readings}));
    let folding = async {
        desk.store().await;
        site.fold().await;
    };
    let (response, ()) = tokio::join!(site.send(asked), folding);
    let (status, told) = answer(response).await;
    assert_eq!(status, 200, "{told}");
    told
}

async fn patient() -> (Site, Desk) {
    let mut site = Site::filled().await;
    let desk = site.desk().await;
    site.parts().inspections = Inspections::new(
        site.ledger.site_key(KEY).await.unwrap(),
        Plan::V1,
        Duration::from_mins(1),
    );
    (site, desk)
}

fn photos(told: &Value) -> Vec<&str> {
    let readings = told["readings"].as_array().unwrap().iter();
    readings
        .map(|reading| reading["photo"].as_str().unwrap_or(""))
        .collect()
}

/// The newest of a household's readings, as an account sees it.
async fn newest(site: &Site, account: &str, household: &str) -> Value {
    let path = format!("/api/v1/households/{household}/deposits");
    let (status, mut page) = answer(site.send(looking(account, &path)).await).await;
    assert_eq!(status, 200, "{page}");
    page["items"][0].take()
}

async fn shown(site: &Site, account: &str, household: &str) -> Value {
    newest(site, account, household).await["photo"].take()
}

#[tokio::test]
async fn who_made_a_reading_with_a_phone_is_told_so_and_nobody_else_is() {
    let (site, mut desk) = patient().await;
    send_folded(&site, &mut desk, &[graded(1, "hh-good-0001", 0.5)]).await;
    for (account, mine) in [("p1", true), ("auditor", false), ("p2", false)] {
        assert_eq!(
            newest(&site, account, "hh-good-0001").await["mine"],
            mine,
            "{account}"
        );
    }
}

/// The trail, newest first.
async fn trail(site: &Site) -> Vec<TrailRow> {
    let find = TrailQuery {
        limit: 99,
        ..TrailQuery::default()
    };
    let sight = site.ledger.seen_by(Scope::Everyone);
    sight.trail(&find).await.unwrap()
}

#[tokio::test]
async fn a_photo_is_noted_once_and_shown_to_staff_and_to_the_household() {
    let (site, mut desk) = patient().await;
    let before = trail(&site).await.len();
    let batch = [pictured(1, "hh-good-0001", PHOTO), graded(2, "hh-poor-0002", 0.5)];
    let told = send_folded(&site, &mut desk, &batch).await;
    assert_eq!(
        (outcomes(&told), photos(&told)),
        (vec!["stored"; 2], vec!["noted", ""])
    );
    let again = send_folded(&site, &mut desk, &batch).await;
    assert_eq!(
        (outcomes(&again), photos(&again)),
        (vec!["repeat"; 2], vec!["noted", ""])
    );
    let mut trail = trail(&site).await;
    assert_eq!(trail.len(), before + 1);
    let line = trail.remove(0).act;
    let who = handset("p1", &KEY);
    assert_eq!((line.kind.as_str(), line.actor), ("name_photo", who));
    for account in ["p1", "auditor"] {
        assert_eq!(shown(&site, account, "hh-good-0001").await, PHOTO);
    }
    assert_eq!(shown(&site, "p1", "hh-poor-0002").await, Value::Null);
    assert_eq!(shown(&site, "resident", "hh-poor-0002").await, Value::Null);
}

#[tokio::test]
async fn another_photo_of_a_reading_that_has_one_does_not_take_its_place() {
    let (site, mut desk) = patient().await;
    send_folded(&site, &mut desk, &[pictured(1, "hh-poor-0002", PHOTO)]).await;
    let other = send_folded(&site, &mut desk, &[pictured(1, "hh-poor-0002", "other")]).await;
    assert_eq!(
        (outcomes(&other), photos(&other)),
        (vec!["repeat"], vec!["first_stays"])
    );
    assert_eq!(shown(&site, "resident", "hh-poor-0002").await, PHOTO);
}

#[tokio::test]
async fn a_photo_that_was_not_noted_before_the_server_died_is_noted_by_the_repeat() {
    let mut site = Site::filled().await;
    let mut desk = site.desk().await;
    let batch = [pictured(1, "hh-poor-0002", PHOTO)];
    // Stored, and nothing more: as when the server dies between the two.
    let told = send(&site, &mut desk, "p1", &batch).await;
    assert_eq!((&told["judged"], photos(&told)), (&false.into(), vec!["later"]));
    assert_eq!(shown(&site, "p1", "hh-poor-0002").await, Value::Null);
    let again = send(&site, &mut desk, "p1", &batch).await;
    assert_eq!(
        (outcomes(&again), photos(&again)),
        (vec!["repeat"], vec!["noted"])
    );
    assert_eq!(shown(&site, "p1", "hh-poor-0002").await, PHOTO);
}

#[tokio::test]
async fn what_is_set_aside_has_no_photo_and_the_journal_has_no_word_of_any() {
    let (site, mut desk) = patient().await;
    let mut senseless = pictured(1, "hh-poor-0002", PHOTO);
    senseless["quality"] = 1.5.into();
    let mut conflicting = pictured(2, "hh-poor-0002", PHOTO);
    conflicting["quality"] = 0.1.into();
    let batch = [senseless, graded(2, "hh-poor-0002", 0.9), conflicting];
    let told = send_folded(&site, &mut desk, &batch).await;
    assert_eq!(outcomes(&told), ["quarantined", "stored", "conflict"]);
    assert_eq!(photos(&told), ["not_kept", "", "not_kept"]);
    let nobodys = send_folded(&site, &mut desk, &[pictured(3, "hh-unregistered", PHOTO)]).await;
    assert_eq!(
        (outcomes(&nobodys), photos(&nobodys)),
        (vec!["stored"], vec!["not_kept"])
    );
    send_folded(&site, &mut desk, &[pictured(4, "hh-good-0001", PHOTO)]).await;
    for batch in site.ledger.batches(0, 1_000).await.unwrap() {
        for entry in batch.entries() {
            let entry = format!("{:?}", entry.unwrap());
            assert!(
                !entry.contains("PHOTO") && !entry.contains("photo\\\""),
                "{entry}"
            );
        }
    }
    let (_, aside) = answer(site.send(looking("auditor", "/api/v1/quarantine")).await).await;
    assert!(!aside.to_string().contains("PHOTO"), "{aside}");
}

#[tokio::test]
async fn a_photo_that_is_no_reference_is_refused_with_its_field_and_nothing_is_stored() {
    let mut site = Site::filled().await;
    let _desk = site.desk().await;
    let before = site.truth().await;
    let long = "a".repeat(201);
    for photo in [json!(""), json!(" "), json!(5), json!("a\u{7}b"), json!(long)] {
        let mut wrong = graded(2, "hh-poor-0002", 0.9);
        wrong["photo"] = photo;
        let batch = json!({"readings": [graded(1, "hh-poor-0002", 0.9), wrong]});
        let problem = site.forbids("p1", PATH, batch, 422, "malformed").await;
        let detail = problem["detail"].as_str().unwrap();
        assert!(
            detail.contains("readings[1].photo: expected 1 to 200"),
            "{detail}"
        );
    }
    assert_eq!(site.truth().await, before);
}

#[tokio::test]
async fn an_erased_household_takes_its_photos_along() {
    let (site, mut desk) = patient().await;
    send_folded(&site, &mut desk, &[pictured(1, "hh-good-0001", PHOTO)]).await;
    site.let_in("keeper", Role::Admin, i64::MAX).await;
    let export = site
        .send(looking("keeper", "/api/v1/households/hh-good-0001/export"))
        .await;
    let (_, export) = answer(export).await;
    let readings = export["readings"].as_array().unwrap();
    assert!(
        readings.iter().any(|reading| reading["photo"] == PHOTO),
        "{export}"
    );
    let why = json!({"reason": "asked for in writing"});
    site.does("keeper", "/api/v1/households/hh-good-0001/erase", why)
        .await;
    let again = send_folded(&site, &mut desk, &[pictured(1, "hh-good-0001", PHOTO)]).await;
    assert_eq!(
        (outcomes(&again), photos(&again)),
        (vec!["repeat"], vec!["not_kept"])
    );
    let trail = answer(
        site.send(looking("auditor", "/api/v1/audit?kind=name_photo"))
            .await,
    )
    .await;
    assert_eq!(trail.1["items"][0]["after"], Value::Null, "{}", trail.1);
}
