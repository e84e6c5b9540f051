//! What people see and do of minutes and points over HTTP.

use hemu_ledger::acts::Words;
use hemu_ledger::bank::Deal;
use serde_json::{Value, json};

use crate::testing::{NOON, Site, anonymous, answer, looking};

const OWN: &str = "/api/v1/households/hh-poor-0002/bank";
const OTHER: &str = "/api/v1/households/hh-good-0001/bank";
const HOUR: i64 = 3_600_000;

/// A site whose pool has points.
async fn funded() -> Site {
    let site = Site::filled().await;
    let deal = Deal::Fund {
        key: "fund-0001".into(),
        pool: "spring".into(),
        points: 500,
        reason: Words::new("the budget"),
    };
    site.ledger
        .deal(&"keeper".parse().unwrap(), NOON, deal)
        .await
        .unwrap();
    site
}

fn points(key: &str, points: i64) -> Value {
    json!({"key": key, "pool": "spring", "points": points, "reason": "a week without a wrong bag"})
}

fn hour(key: &str, helped: &str) -> Value {
    json!({"key": key, "helped": helped, "help": "meal", "began": NOON - 2 * HOUR, "ended": NOON - HOUR})
}

#[tokio::test]
async fn a_household_sees_what_it_has_and_what_it_was_for_and_of_the_others_that_they_are_households() {
    let site = funded().await;
    site.does("p1", &format!("{OWN}/award"), points("award-01", 120))
        .await;
    site.does("resident", &format!("{OWN}/redeem"), points("redeem-1", 20))
        .await;
    let service = site
        .does(
            "p1",
            &format!("{OTHER}/service"),
            hour("serve-01", "hh-poor-0002"),
        )
        .await;
    let waiting = site.seen("resident", OWN).await;
    assert_eq!(waiting["services"][0]["state"], "pending");
    assert_eq!(waiting["services"][0]["was_helped"], true);
    let yes = json!({"key": "confirm1", "service": service["position"], "agreed": true});
    site.does("resident", &format!("{OWN}/confirm"), yes).await;
    let price = json!({"key": "transfer", "to": "hh-poor-0002", "minutes": 25, "help": "errand"});
    site.does("p2", &format!("{OTHER}/transfer"), price).await;
    let seen = site.seen("resident", OWN).await;
    assert_eq!((&seen["minutes"], &seen["points"]), (&json!(25), &json!(100)));
    let entries = seen["entries"]["items"].as_array().unwrap();
    let told: Vec<_> = entries
        .iter()
        .map(|entry| (entry["kind"].as_str().unwrap(), entry["amount"].as_i64().unwrap()))
        .collect();
    assert_eq!(told, [("transfer", 25), ("redeem", -20), ("award", 120)]);
    assert_eq!(entries[2]["why"], "a week without a wrong bag");
    assert_eq!(
        entries[0]["with"],
        json!({"household": "···0001", "household_id": null})
    );
    let officer = site.seen("p1", OWN).await;
    assert_eq!(
        officer["entries"]["items"][0]["with"]["household_id"],
        "hh-good-0001"
    );
    let pools = site.seen("p1", "/api/v1/pools").await;
    assert_eq!(
        pools["items"][0],
        json!({"name": "spring", "points": 400, "funded": 500, "awarded": 120})
    );
    let first = site.seen("resident", &format!("{OWN}?limit=1")).await;
    let next = first["entries"]["next"].as_str().unwrap();
    let second = site
        .seen("resident", &format!("{OWN}?limit=1&after={next}"))
        .await;
    assert_eq!(second["entries"]["items"][0]["kind"], "redeem");
}

#[tokio::test]
async fn a_request_sent_again_gets_the_first_answer_and_its_key_for_another_is_refused() {
    let site = funded().await;
    let path = format!("{OWN}/award");
    let first = site.does("p1", &path, points("award-01", 120)).await;
    site.pass_ms(HOUR);
    assert_eq!(site.does("p1", &path, points("award-01", 120)).await, first);
    site.forbids("p1", &path, points("award-01", 121), 409, "key_taken")
        .await;
    site.forbids("p2", &path, points("award-01", 120), 409, "key_taken")
        .await;
    assert_eq!(site.seen("resident", OWN).await["points"], 120);
}

#[tokio::test]
async fn what_is_not_there_cannot_be_spent_and_what_is_misspelt_is_not_passed_over() {
    let site = funded().await;
    let redeem = format!("{OWN}/redeem");
    site.forbids("resident", &redeem, points("redeem-1", 1), 409, "not_enough")
        .await;
    site.does("p1", &format!("{OWN}/award"), points("award-01", 5))
        .await;
    site.forbids("resident", &redeem, points("redeem-1", 6), 409, "not_enough")
        .await;
    for wrong in [
        json!(0),
        json!(-1),
        json!(1.5),
        json!("5"),
        json!(4_294_967_296_i64),
    ] {
        let asked = json!({"key": "redeem-1", "pool": "spring", "points": wrong, "reason": "soap"});
        site.forbids("resident", &redeem, asked, 422, "malformed").await;
    }
    let extra =
        json!({"key": "redeem-1", "pool": "spring", "points": 1, "reason": "soap", "token": "hh-good-0001"});
    site.forbids("resident", &redeem, extra, 422, "malformed").await;
    let elsewhere = json!({"key": "redeem-1", "pool": "summer", "points": 1, "reason": "soap"});
    site.forbids("resident", &redeem, elsewhere, 404, "unknown_pool")
        .await;
    let to_nobody = json!({"key": "transfer", "to": "hh-nobody", "minutes": 1, "help": "meal"});
    site.forbids(
        "resident",
        &format!("{OWN}/transfer"),
        to_nobody,
        404,
        "unknown_household",
    )
    .await;
    let (status, _) = site
        .post("resident", &format!("{OTHER}/redeem"), points("redeem-1", 1))
        .await;
    assert_eq!(status, 404);
    let (status, _) = site
        .post("resident", &format!("{OWN}/award"), points("award-02", 1))
        .await;
    assert_eq!(status, 403);
}

#[tokio::test]
async fn whoever_recorded_a_service_cannot_confirm_it_and_a_day_has_an_end() {
    let site = funded().await;
    let service = site
        .does(
            "p1",
            &format!("{OTHER}/service"),
            hour("serve-01", "hh-poor-0002"),
        )
        .await;
    let yes = json!({"key": "confirm1", "service": service["position"], "agreed": true});
    site.forbids("p1", &format!("{OWN}/confirm"), yes.clone(), 409, "same_person")
        .await;
    site.forbids(
        "p2",
        &format!("{OTHER}/confirm"),
        yes.clone(),
        404,
        "unknown_entry",
    )
    .await;
    site.does("p2", &format!("{OWN}/confirm"), yes).await;
    let again = json!({"key": "confirm2", "service": service["position"], "agreed": true});
    let lost = site
        .forbids(
            "resident",
            &format!("{OWN}/confirm"),
            again,
            409,
            "already_decided",
        )
        .await;
    assert_eq!(lost["winner"]["actor"], "p2");
    site.does("p1", &format!("{OWN}/award"), points("award-01", 30))
        .await;
    for n in 0..20 {
        site.does(
            "resident",
            &format!("{OWN}/redeem"),
            points(&format!("redeem-{n:02}"), 1),
        )
        .await;
    }
    site.forbids(
        "resident",
        &format!("{OWN}/redeem"),
        points("redeem-20", 1),
        429,
        "too_often",
    )
    .await;
}

#[tokio::test]
async fn balances_are_for_the_household_and_those_who_keep_them_and_nowhere_public() {
    let site = funded().await;
    site.does("p1", &format!("{OWN}/award"), points("award-01", 120))
        .await;
    for path in [OWN, "/api/v1/pools"] {
        let (status, _) = answer(site.send(anonymous(path)).await).await;
        assert_eq!(status, 401, "{path}");
    }
    site.let_in("inspector", hemu_people::Role::Inspector, i64::MAX)
        .await;
    site.let_in("boss", hemu_people::Role::Admin, i64::MAX).await;
    for who in ["inspector", "boss"] {
        let (status, _) = answer(site.send(looking(who, OWN)).await).await;
        assert_eq!(status, 403, "{who}");
    }
    for elsewhere in ["", "/reasons", "/rank", "/editions", "/building"] {
        let (_, text) = site
            .text(&format!("/api/v1/households/hh-poor-0002{elsewhere}"))
            .await;
        assert!(
            !text.contains("\"points\":120") && !text.contains("minutes"),
            "{text}"
        );
    }
    let looks = site.seen("a1", "/api/v1/households/hh-poor-0002/audit").await;
    let what: Vec<_> = looks["acts"]["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| &line["kind"])
        .collect();
    assert!(what.contains(&&json!("award_points")), "{looks}");
}
