//! The due process from the outside: whole, and refused where a rule forbids it.

use axum::http::header;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::router;
use crate::testing::{DAY, NOON, Site, TODAY, acting, anonymous, answer, body, day};

mod refused;

const POOR: &str = "hh-poor-0002";
const GOOD: &str = "hh-good-0001";

fn step(edition: u64, what: &str) -> String {
    format!("/api/v1/editions/{edition}/{what}")
}

fn household(token: &str) -> Value {
    json!({"household": token})
}

/// An objection of the poor household to the readings of two days.
fn objection(edition: u64) -> Value {
    json!({"edition": edition, "household": POOR, "readings": ["1.35", "1.36"], "words": "that bag was not ours"})
}

fn decision(upheld: bool) -> Value {
    json!({"upheld": upheld, "reason": "seen on the photo"})
}

/// The second edition, told to the households.
async fn told() -> (Site, u64) {
    let site = Site::village().await;
    let edition = site.second_edition().await;
    site.does("p1", &step(edition, "notice"), json!({"days": 7}))
        .await;
    (site, edition)
}

/// The same, with its window over and the decisions begun.
async fn deciding() -> (Site, u64) {
    let (site, edition) = told().await;
    site.pass_ms(7 * DAY);
    site.does("p1", &step(edition, "open"), json!({})).await;
    (site, edition)
}

fn publication() -> Value {
    json!({"basis": "the village's covenant, article 9", "audience": "masked", "expires_at": NOON + 14 * DAY})
}

async fn publish(site: &Site, edition: u64) {
    site.does("p1", &step(edition, "propose-publication"), publication())
        .await;
    site.does("p2", &step(edition, "publish"), json!({})).await;
}

async fn confirm(site: &Site, edition: u64) {
    site.does("p1", &step(edition, "propose-black"), household(POOR))
        .await;
    let place = site
        .does("p2", &step(edition, "confirm-black"), household(POOR))
        .await;
    assert_eq!(
        (&place["status"], &place["shown"]),
        (&"BLACK".into(), &"BLACK".into())
    );
}

async fn page(site: &Site, token: &str) -> Value {
    site.json(&format!("/api/v1/households/{token}")).await
}

async fn sentences(site: &Site, token: &str) -> (String, String) {
    let why = site.json(&format!("/api/v1/households/{token}/reasons")).await;
    let text = |language: &str| why["sentence"][language].as_str().unwrap().to_owned();
    (text("zh"), text("en"))
}

#[tokio::test]
async fn an_edition_goes_from_draft_to_expiry_and_its_households_are_told() {
    let site = Site::village().await;
    let edition = site.second_edition().await;
    let draft = site.json(&step(edition, "")[..step(edition, "").len() - 1]).await;
    assert_eq!(draft["state"], "draft");
    assert_eq!(
        draft["counts"],
        json!({"red": 1, "black": 1, "grey": 0, "unrated": 2})
    );
    assert!(page(&site, POOR).await["list"].is_null(), "nothing is published");

    site.does("p1", &step(edition, "notice"), json!({})).await;
    let told = page(&site, POOR).await["told"].clone();
    assert_eq!(
        told,
        json!({"edition": edition, "day": TODAY, "state": "noticed", "proposed": "BLACK", "warned": false,
            "deadline": NOON + 7 * DAY, "objection": null})
    );
    let (zh, en) = sentences(&site, POOR).await;
    assert!(
        zh.contains("现在不在红榜，也不在黑榜；正在告知的一期拟将您家列入黑榜，有异议最晚可在5月27日提出"),
        "{zh}"
    );
    assert!(
        en.contains(
            "neither list now; a notice proposes it for the black list, and you may object until 27 May"
        ),
        "{en}"
    );
    let (zh, en) = sentences(&site, GOOD).await;
    assert!(
        zh.contains("正在告知的一期拟将您家列入红榜，您家同意才会公开，有异议最晚可在5月27日提出"),
        "{zh}"
    );
    assert!(
        en.contains("for the red list, which is shown in public only if you agree"),
        "{en}"
    );
    site.pass_ms(7 * DAY);
    let open = site.does("p1", &step(edition, "open"), json!({})).await;
    assert_eq!(open["state"], "deciding");
    confirm(&site, edition).await;
    let (_, before) = sentences(&site, POOR).await;
    assert!(
        !before.contains("on the black list"),
        "nothing is published: {before}"
    );

    publish(&site, edition).await;
    let listed = page(&site, POOR).await["list"].clone();
    assert_eq!(
        listed,
        json!({"edition": edition, "day": TODAY, "status": "BLACK", "since": TODAY,
            "until": NOON + 14 * DAY, "objection": null})
    );
    assert_eq!(page(&site, GOOD).await["list"]["status"], "RED");
    assert!(page(&site, "hh-cam-0003").await["list"]["status"].is_null());
    let (zh, en) = sentences(&site, POOR).await;
    assert!(
        zh.contains("故列入黑榜") && en.contains("black list"),
        "{zh} {en}"
    );
    assert!(sentences(&site, GOOD).await.0.contains("列入红榜"));

    let black = site.json(&step(edition, "public?status=BLACK")).await;
    assert_eq!(black["items"], json!([{"household": "···0002", "rank": 1}]));
    let red = step(edition, "public?status=RED");
    assert_eq!(
        site.json(&red).await["items"],
        json!([]),
        "nobody is praised unasked"
    );
    site.does("r2", &format!("/api/v1/households/{GOOD}/red-opt-in"), json!({}))
        .await;
    assert_eq!(site.json(&red).await["items"][0]["household"], "···0001");

    site.forbids("p1", &step(edition, "expire"), json!({}), 409, "not_yet")
        .await;
    site.pass_ms(7 * DAY);
    site.refuses(&red, 404, "published to everybody").await;
    assert!(page(&site, POOR).await["list"].is_null(), "its time is over");
    let over = site.does("p1", &step(edition, "expire"), json!({})).await;
    assert_eq!(
        (&over["state"], &over["public"]),
        (&"expired".into(), &false.into())
    );
    let acts = site.walk(&step(edition, "acts?limit=2"), "kind").await;
    assert_eq!(
        acts,
        [
            "propose",
            "notice",
            "open",
            "propose_black",
            "confirm_black",
            "propose_publication",
            "publish",
            "expire"
        ]
    );
}

#[tokio::test]
async fn an_upheld_objection_strikes_its_readings_and_the_revision_says_who_moved() {
    let (site, edition) = told().await;
    // All the readings of the poor household's last days, as many as one objection may name.
    let readings: Vec<String> = (8..40).map(|nth| format!("1.{nth}")).collect();
    let asked =
        json!({"edition": edition, "household": POOR, "readings": readings, "words": "the card was stolen"});
    let raised = site.does("r1", "/api/v1/objections", asked).await;
    assert_eq!(
        (&raised["state"], &raised["household_id"]),
        (&"pending".into(), &POOR.into())
    );
    let id = raised["id"].as_u64().unwrap();
    let told = page(&site, POOR).await["told"].clone();
    assert_eq!(
        (&told["objection"], &told["deadline"]),
        (&id.into(), &Value::Null)
    );
    let black = site.seen("p1", &step(edition, "places?status=BLACK")).await;
    assert_eq!(
        black["items"][0]["shown"], "GREY",
        "nobody is black while they object"
    );

    site.pass_ms(DAY);
    let decide = format!("/api/v1/objections/{id}/decide");
    let decided = site.does("p2", &decide, decision(true)).await;
    assert_eq!(
        (&decided["state"], &decided["decided_by"]),
        (&"upheld".into(), &"p2".into())
    );
    site.fold().await;
    let path = format!("/api/v1/households/{POOR}/deposits?limit=1");
    assert_eq!(site.json(&path).await["items"][0]["flags"], json!(["struck"]));

    // The edition before looked at the same days: it is corrected first.
    site.forbids("p1", &step(edition, "revise"), json!({}), 409, "not_yet")
        .await;
    let before = site.json(&format!("/api/v1/editions/{edition}")).await["before"]
        .as_u64()
        .unwrap();
    site.does("p1", &step(before, "revise"), json!({})).await;
    site.fold().await;
    let revision = site.does("p1", &step(edition, "revise"), json!({})).await;
    assert_eq!(
        (&revision["revises"], &revision["revision"]),
        (&edition.into(), &2.into())
    );
    assert_eq!(
        revision["state"], "noticed",
        "nobody stands worse: the notices hold"
    );
    let new = revision["id"].as_u64().unwrap();
    let moved = site.seen("p1", &step(new, "moved")).await["items"].clone();
    assert_eq!(
        moved,
        json!([{"household": "···0002", "household_id": POOR, "from": {"status": "BLACK", "hits": 2}, "to": null}])
    );
    let old = site.json(&format!("/api/v1/editions/{edition}")).await;
    assert_eq!(
        (&old["state"], &old["superseded_by"]),
        (&"superseded".into(), &new.into())
    );
    let history = site.json(&format!("/api/v1/households/{POOR}/editions")).await["items"].clone();
    let states: Vec<_> = history
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["edition"]["state"])
        .collect();
    assert_eq!(states, ["noticed", "noticed", "superseded", "superseded"]);
    assert_eq!(history[0]["place"], Value::Null);
    assert_eq!(
        history[0]["objections"][0]["id"], id,
        "the revision takes the objection over"
    );
}

#[tokio::test]
async fn tokens_and_words_are_only_for_whoever_is_logged_in() {
    let (site, edition) = told().await;
    let raised = site.does("r1", "/api/v1/objections", objection(edition)).await;
    let paths = [
        "/api/v1/editions".to_owned(),
        step(edition, "places?status=BLACK"),
        step(edition, "acts"),
        "/api/v1/objections?pending=true".to_owned(),
        format!("/api/v1/objections/{}", raised["id"]),
    ];
    for path in &paths {
        let response = site.send(anonymous(path)).await;
        assert_eq!(response.status(), 401, "{path}");
        let text = body(response).await;
        assert!(
            !text.contains("hh-") && !text.contains("not ours"),
            "{path}: {text}"
        );
    }
    let seen = site.seen("p1", &paths[4]).await;
    assert_eq!(
        (&seen["household_id"], &seen["words"]),
        (&POOR.into(), &"that bag was not ours".into())
    );
}

#[tokio::test]
async fn lists_of_editions_places_and_objections_give_each_once() {
    let (site, edition) = told().await;
    site.does("r1", "/api/v1/objections", objection(edition)).await;
    let all = site.json("/api/v1/editions").await["items"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(all, 2);
    assert_eq!(
        site.walk("/api/v1/editions?limit=1", "day").await,
        [TODAY, "2026-05-13"]
    );
    assert_eq!(
        site.walk("/api/v1/editions?day=2026-05-13", "state").await,
        ["noticed"]
    );
    assert!(site.walk("/api/v1/editions?state=draft", "day").await.is_empty());
    assert_eq!(
        site.walk(&step(edition, "places?status=RED&limit=1"), "household")
            .await,
        ["···0001"]
    );
    assert_eq!(
        site.walk(&format!("/api/v1/objections?edition={edition}&limit=1"), "state")
            .await,
        ["pending"]
    );
    assert!(
        site.walk("/api/v1/objections?edition=1", "state")
            .await
            .is_empty()
    );
    for (path, says) in [
        ("/api/v1/editions?state=new", "unknown variant `new`"),
        ("/api/v1/editions?after=x", "after: expected the `next`"),
        ("/api/v1/editions?limit=0", "limit: expected a whole number"),
    ] {
        site.refuses(path, 400, says).await;
    }
    site.refuses(&step(edition, "places"), 400, "status").await;
}

#[tokio::test]
async fn a_struck_reading_a_lost_card_and_a_checked_clock_are_told_on_the_deposits() {
    let site = Site::filled().await;
    let deposits = format!("/api/v1/households/{GOOD}/deposits?limit=1");
    let newest = async || site.json(&deposits).await["items"][0].clone();
    let place = newest().await["place"].as_str().unwrap().to_owned();
    site.does(
        "p1",
        &format!("/api/v1/readings/{place}/strike"),
        json!({"reason": "not theirs"}),
    )
    .await;
    let since = json!({"since": NOON - 30 * DAY});
    site.does("r1", &format!("/api/v1/households/{GOOD}/card-lost"), since)
        .await;
    site.fold().await;
    assert_eq!(newest().await["flags"], json!(["struck", "card_lost"]));
    let twice = format!("/api/v1/readings/{place}/strike");
    let lost = site
        .forbids("p2", &twice, json!({"reason": "again"}), 409, "already_decided")
        .await;
    assert_eq!(lost["winner"]["actor"], "p1");
    site.does("p1", &format!("/api/v1/readings/{place}/restore"), json!({}))
        .await;
    site.does("p1", &format!("/api/v1/households/{GOOD}/card-found"), json!({}))
        .await;
    site.fold().await;
    assert_eq!(newest().await["flags"], json!([]));
    let ahead = "/api/v1/households/hh-cam-0003/deposits?to=2026-05-21&limit=1";
    let reading = site.json(ahead).await["items"][0].clone();
    assert_eq!(reading["flags"], json!(["clock_ahead"]));
    let checked = format!(
        "/api/v1/readings/{}/clock-checked",
        reading["place"].as_str().unwrap()
    );
    site.does("p1", &checked, json!({})).await;
    site.fold().await;
    assert_eq!(site.json(ahead).await["items"][0]["flags"], json!([]));
}
