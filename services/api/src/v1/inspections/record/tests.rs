//! Readings of people: stored before they are answered for, once, and as nobody else's.

mod photo;

use std::time::Duration;

use futures::FutureExt;
use hemu_people::{Role, handset};
use hemu_rules::{By, Plan};
use serde_json::{Value, json};

use crate::Inspections;
use crate::testing::{Desk, KEY, NOON, Site, acting, answer, cookie};

const PATH: &str = "/api/v1/inspections";
const BOOT: u64 = 7_001;

fn graded(seq: u64, household: &str, quality: f64) -> Value {
    json!({"boot": BOOT, "seq": seq, "at": NOON - 60_000, "household": household, "stream": "food", "weight_g": 900, "quality": quality})
}

/// Sends readings while the desk stores what comes, and folds what is stored.
async fn send(site: &Site, desk: &mut Desk, account: &str, readings: &[Value]) -> Value {
    let asked = acting(account, PATH, &json!({"readings": readings}));
    let (response, ()) = tokio::join!(site.send(asked), desk.store());
    site.fold().await;
    let (status, told) = answer(response).await;
    assert_eq!(status, 200, "{told}");
    told
}

fn outcomes(told: &Value) -> Vec<&str> {
    let readings = told["readings"].as_array().unwrap().iter();
    readings
        .map(|reading| reading["outcome"].as_str().unwrap())
        .collect()
}

async fn records(site: &Site, device: &str) -> u64 {
    let states = site.ledger.device_states().await.unwrap();
    let state = states.iter().find(|state| state.name == device);
    state.map_or(0, |state| state.records)
}

#[tokio::test]
async fn the_same_batch_twice_is_stored_once_and_says_so() {
    let mut site = Site::filled().await;
    let mut desk = site.desk().await;
    let batch = [graded(1, "hh-good-0001", 0.9), graded(2, "hh-poor-0002", 0.25)];
    let first = send(&site, &mut desk, "p1", &batch).await;
    let device = first["device"].as_str().unwrap();
    assert_eq!(outcomes(&first), ["stored", "stored"]);
    assert_eq!((device, &first["boot"]), (&*handset("p1", &KEY), &"7001".into()));
    let again = send(&site, &mut desk, "p1", &batch).await;
    assert_eq!(outcomes(&again), ["repeat", "repeat"]);
    assert_eq!((&again["upto"], &again["missing"]), (&2.into(), &json!([])));
    assert_eq!(records(&site, device).await, 2);
    let deposits = site.json("/api/v1/households/hh-poor-0002/deposits").await;
    let newest = &deposits["items"][0];
    assert_eq!(
        (&newest["by"], &newest["flags"]),
        (&"inspector".into(), &json!([])),
        "{newest}"
    );
}

#[tokio::test]
async fn nothing_is_answered_before_it_is_stored() {
    let mut site = Site::filled().await;
    let mut desk = site.desk().await;
    let asked = acting("p1", PATH, &json!({"readings": [graded(1, "hh-good-0001", 0.9)]}));
    let before = site.truth().await;
    let mut answer = Box::pin(site.send(asked));
    for _ in 0..200 {
        assert!((&mut answer).now_or_never().is_none());
        tokio::task::yield_now().await;
        site.ledger.head().await.unwrap();
    }
    assert_eq!(site.truth().await, before);
    desk.store().await;
    assert_ne!(site.truth().await, before);
    assert_eq!(answer.await.status(), 200);
}

#[tokio::test]
async fn two_phones_of_an_account_are_one_inspector_and_two_accounts_are_two() {
    let mut site = Site::filled().await;
    let mut desk = site.desk().await;
    let mut other_phone = graded(1, "hh-good-0001", 0.8);
    other_phone["boot"] = (BOOT + 1).into();
    let one = send(&site, &mut desk, "p1", &[graded(1, "hh-good-0001", 0.9)]).await;
    let two = send(&site, &mut desk, "p1", &[other_phone]).await;
    assert_eq!(one["device"], two["device"]);
    assert_eq!(outcomes(&two), ["stored"], "its own numbers");
    let colleague = send(&site, &mut desk, "p2", &[graded(1, "hh-good-0001", 0.7)]).await;
    assert_ne!(one["device"], colleague["device"]);
    assert_eq!(outcomes(&colleague), ["stored"], "another device's number 1");
    // Tomorrow's edition is the first that looks at today.
    site.pass_ms(crate::testing::DAY);
    let inspectors = site.json("/api/v1/inspectors").await;
    let devices = inspectors["items"].as_array().unwrap().iter();
    let readings: Vec<_> = devices
        .filter(|item| item["device"].as_str().unwrap().starts_with("account-"))
        .map(|item| item["readings"].as_u64().unwrap())
        .collect();
    assert_eq!(readings.len(), 2, "{inspectors}");
    assert_eq!(readings.iter().sum::<u64>(), 3);
    assert!(!inspectors.to_string().contains("p2"), "no names");
}

#[tokio::test]
async fn nobody_speaks_for_another_account_or_for_a_camera() {
    let mut site = Site::filled().await;
    let mut desk = site.desk().await;
    let mut forged = graded(1, "hh-good-0001", 0.1);
    forged["device"] = "st01".into();
    forged["by"] = "camera".into();
    let told = send(&site, &mut desk, "p1", &[forged]).await;
    assert_eq!(told["device"], handset("p1", &KEY));
    let deposits = site.json("/api/v1/households/hh-good-0001/deposits").await;
    let newest = &deposits["items"][0];
    assert_eq!(
        (&newest["by"], &newest["device"]),
        (&"inspector".into(), &told["device"])
    );
    let of_account = site
        .ledger
        .add_device(&handset("p2", &KEY), &[1; 32], None, None, NOON)
        .await;
    assert!(
        of_account
            .unwrap_err()
            .to_string()
            .contains("accounts that grade bags")
    );
    for (account, status) in [("a1", 403), ("resident", 403)] {
        let (came, _) = site
            .post(
                account,
                PATH,
                json!({"readings": [graded(1, "hh-good-0001", 0.9)]}),
            )
            .await;
        assert_eq!(came, status, "{account}");
    }
}

#[tokio::test]
async fn other_content_under_a_known_number_is_kept_aside_and_said() {
    let mut site = Site::filled().await;
    let mut desk = site.desk().await;
    send(&site, &mut desk, "p1", &[graded(1, "hh-good-0001", 0.9)]).await;
    let told = send(
        &site,
        &mut desk,
        "p1",
        &[graded(1, "hh-good-0001", 0.3), graded(2, "hh-good-0001", 0.9)],
    )
    .await;
    assert_eq!(outcomes(&told), ["conflict", "stored"]);
    let device = told["device"].as_str().unwrap();
    let shown = site.json(&format!("/api/v1/devices/{device}")).await;
    assert_eq!(
        (&shown["conflicts"], &shown["frozen"]),
        (&1.into(), &json!([BOOT.to_string()]))
    );
}

#[tokio::test]
async fn a_conflict_with_what_came_just_before_is_seen_once_it_is_folded() {
    let mut site = Site::filled().await;
    let mut desk = site.desk().await;
    site.parts().inspections = Inspections::new(
        site.ledger.site_key(KEY).await.unwrap(),
        Plan::V1,
        Duration::from_mins(1),
    );
    let batch = [graded(1, "hh-good-0001", 0.9), graded(1, "hh-good-0001", 0.3)];
    let asked = acting("p1", PATH, &json!({"readings": batch}));
    let folding = async {
        desk.store().await;
        site.fold().await;
    };
    let (response, ()) = tokio::join!(site.send(asked), folding);
    let (_, told) = answer(response).await;
    assert_eq!(outcomes(&told), ["stored", "conflict"]);
    assert_eq!((&told["judged"], &told["upto"]), (&true.into(), &1.into()));
}

#[tokio::test]
async fn what_makes_no_sense_is_named_and_holds_up_nobody() {
    let mut site = Site::filled().await;
    let mut desk = site.desk().await;
    let batch = [
        graded(1, "hh-good-0001", 1.5),
        graded(2, "hh-good-0001", 0.9),
        json!({"boot": BOOT, "seq": 3, "at": NOON, "quality": 1, "weight_g": 5}),
    ];
    let told = send(&site, &mut desk, "p1", &batch).await;
    assert_eq!(outcomes(&told), ["quarantined", "stored", "quarantined"]);
    assert_eq!(told["readings"][0]["reason"], "out_of_range");
    assert!(
        told["readings"][0]["detail"]
            .as_str()
            .unwrap()
            .contains("quality"),
        "{told}"
    );
    assert_eq!(told["readings"][2]["reason"], "missing_field");
    let again = send(&site, &mut desk, "p1", &batch).await;
    assert_eq!(outcomes(&again), ["quarantined", "repeat", "quarantined"]);
    assert_eq!(
        again["upto"], 3,
        "it is receipted: sending it again cannot heal it"
    );
}

#[tokio::test]
async fn what_no_answer_could_name_is_refused_and_not_stored() {
    let mut site = Site::filled().await;
    let _desk = site.desk().await;
    let mut other = graded(2, "hh-good-0001", 0.9);
    other["boot"] = 9.into();
    let nameless = [
        (json!([]), "1 to 256"),
        (json!(vec![graded(1, "hh-good-0001", 0.9); 257]), "1 to 256"),
        (json!([graded(0, "hh-good-0001", 0.9)]), "readings[0]"),
        (json!([graded(1, "hh-good-0001", 0.9), 5]), "readings[1]"),
        (json!([{"boot": 1.5, "seq": 1}]), "readings[0]"),
        (json!([graded(1, "hh-good-0001", 0.9), other]), "one boot"),
    ];
    for (readings, says) in nameless {
        let problem = site
            .forbids("p1", PATH, json!({"readings": readings}), 422, "malformed")
            .await;
        assert!(problem["detail"].as_str().unwrap().contains(says), "{problem}");
    }
}

#[tokio::test]
async fn a_session_that_is_over_stores_nothing_and_the_same_batch_is_good_afterwards() {
    let mut site = Site::filled().await;
    let mut desk = site.desk().await;
    let batch = [graded(1, "hh-good-0001", 0.9)];
    site.let_in("late", Role::Volunteer, NOON).await;
    let before = site.truth().await;
    let (status, _) = site.post("late", PATH, json!({"readings": batch})).await;
    assert_eq!(status, 401);
    assert_eq!(site.truth().await, before);
    site.let_in("late", Role::Volunteer, NOON + 60_000).await;
    assert_eq!(
        outcomes(&send(&site, &mut desk, "late", &batch).await),
        ["stored"]
    );
    assert!(cookie("late").to_str().unwrap().contains("late"));
}

#[tokio::test]
async fn a_clock_far_ahead_is_kept_and_not_scored() {
    let mut site = Site::filled().await;
    let mut desk = site.desk().await;
    let mut ahead = graded(1, "hh-good-0001", 0.1);
    ahead["at"] = (NOON + 6 * 60_000).into();
    assert_eq!(
        outcomes(&send(&site, &mut desk, "p1", &[ahead]).await),
        ["stored"]
    );
    let deposits = site.json("/api/v1/households/hh-good-0001/deposits").await;
    assert_eq!(deposits["items"][0]["flags"], json!(["clock_ahead"]));
}

#[tokio::test]
async fn a_bag_for_two_is_offered_until_a_colleague_has_graded_it_too() {
    let mut site = Site::filled().await;
    let mut desk = site.desk().await;
    site.crowd("s1", 3_000).await;
    let list = site.json("/api/v1/stations/s1/inspections").await;
    let items = list["items"].as_array().unwrap().iter();
    let twice = items.clone().find(|item| item["look"] == "open_twice").unwrap();
    let end = twice["household"]
        .as_str()
        .unwrap()
        .trim_start_matches('·')
        .to_owned();
    let token = format!("hh-crowd-{end}");
    let bag = |seq| {
        let mut bag = graded(seq, &token, 0.5);
        bag["bag"] = "B1".into();
        bag
    };
    let offered = async |site: &Site| {
        let path = format!("/api/v1/households/{token}/next-bag");
        site.json(&path).await["ordinal"].as_u64().unwrap()
    };
    send(&site, &mut desk, "p1", &[bag(1)]).await;
    // The same person's second phone is no second inspector.
    let mut again = bag(1);
    again["boot"] = 1.into();
    send(&site, &mut desk, "p1", &[again]).await;
    assert_eq!(offered(&site).await, 0);
    send(&site, &mut desk, "p2", &[bag(1)]).await;
    assert_eq!(offered(&site).await, 1);
    site.bag("st01", By::Camera, &token, "B1").await;
    assert_eq!(
        offered(&site).await,
        1,
        "the camera's reading of it is no bag of its own"
    );
}

#[tokio::test]
async fn a_node_that_takes_nothing_in_says_where_to_send_it() {
    let site = Site::filled().await;
    let (status, problem) = site
        .post("p1", PATH, json!({"readings": [graded(1, "hh-good-0001", 0.9)]}))
        .await;
    assert_eq!(status, 503);
    assert!(
        problem["detail"].as_str().unwrap().contains("ingest"),
        "{problem}"
    );
}
