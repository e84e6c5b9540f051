//! The due process from the outside: whole, and refused where a rule forbids it.

use axum::http::header;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::router;
use crate::testing::{DAY, NOON, Site, TODAY, acting, answer, body, day, request};

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
async fn what_does_not_exist_is_not_found_by_the_rules_name() {
    let (site, edition) = told().await;
    let nobody = json!({"household": "hh-nobody", "reason": "x"});
    site.forbids("p1", &step(edition, "lift"), nobody, 404, "unknown_household")
        .await;
    site.forbids("p1", &step(999, "notice"), json!({}), 404, "unknown_edition")
        .await;
    site.forbids(
        "p1",
        "/api/v1/objections/999/decide",
        decision(true),
        404,
        "unknown_objection",
    )
    .await;
    for reading in ["999.0", "1.999", "x", "-1.0"] {
        let strike = format!("/api/v1/readings/{reading}/strike");
        site.forbids("p1", &strike, json!({}), 404, "no_such_reading")
            .await;
    }
    let foreign = json!({"edition": edition, "household": POOR, "readings": ["2.0"], "words": "not ours"});
    site.forbids("r1", "/api/v1/objections", foreign, 404, "no_such_reading")
        .await;
    let lost = json!({"since": 0});
    site.forbids(
        "p1",
        "/api/v1/households/hh-nobody/card-lost",
        lost,
        404,
        "unknown_household",
    )
    .await;
    for path in [
        "/api/v1/editions/999",
        "/api/v1/editions/x",
        "/api/v1/objections/999",
    ] {
        site.refuses(path, 404, "").await;
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_malformed() {
    let (site, edition) = told().await;
    let publication = |field: &str, value: Value| {
        let mut asked = publication();
        asked[field] = value;
        asked
    };
    let cases = [
        (step(edition, "retract"), json!({"reason": "  "})),
        (step(edition, "retract"), json!({"reason": "x".repeat(4_001)})),
        (step(edition, "retract"), json!({"reason": "x", "resaon": "y"})),
        (step(edition, "notice"), json!({"days": "7"})),
        (
            step(edition, "propose-publication"),
            publication("audience", "everybody".into()),
        ),
        ("/api/v1/editions".to_owned(), json!({"day": "2026-02-30"})),
        (
            "/api/v1/objections".to_owned(),
            json!({"edition": edition, "household": POOR, "readings": [], "words": "x"}),
        ),
        (
            "/api/v1/objections".to_owned(),
            json!({"edition": edition, "household": POOR, "readings": ["x"], "words": "x"}),
        ),
        (
            format!("/api/v1/households/{POOR}/card-lost"),
            json!({"since": NOON + DAY}),
        ),
    ];
    for (path, asked) in cases {
        site.forbids("p1", &path, asked, 422, "malformed").await;
    }
    let draft = Site::village().await;
    let first = draft.second_edition().await;
    draft
        .forbids(
            "p1",
            &step(first, "notice"),
            json!({"days": 91}),
            422,
            "malformed",
        )
        .await;
    let mut unreadable = acting("p1", &step(edition, "retract"), &json!({}));
    *unreadable.body_mut() = "{".into();
    assert_eq!(site.send(unreadable).await.status(), 400);
    let mut untyped = acting("p1", &step(edition, "retract"), &json!({}));
    untyped.headers_mut().remove(header::CONTENT_TYPE);
    assert_eq!(site.send(untyped).await.status(), 415);
}

#[tokio::test]
async fn an_edition_of_a_day_to_come_is_refused_and_one_that_is_there_shows_who_made_it() {
    let site = Site::village().await;
    let tomorrow = json!({"day": day(TODAY).plus(1)});
    site.forbids("p1", "/api/v1/editions", tomorrow, 409, "in_the_future")
        .await;
    let edition = site.second_edition().await;
    let again = site
        .forbids(
            "p1",
            "/api/v1/editions",
            json!({"day": TODAY}),
            409,
            "already_decided",
        )
        .await;
    assert_eq!(again["winner"]["actor"], "system");
    assert_eq!(again["winner"]["position"], edition);
}

#[tokio::test]
async fn whoever_is_too_early_or_too_late_is_told_which_rule_says_so() {
    let site = Site::village().await;
    let edition = site.second_edition().await;
    site.forbids("r1", "/api/v1/objections", objection(edition), 409, "not_yet")
        .await;
    site.forbids("p1", &step(edition, "open"), json!({}), 409, "wrong_state")
        .await;
    site.does("p1", &step(edition, "notice"), json!({"days": 7}))
        .await;
    site.forbids("p1", &step(edition, "open"), json!({}), 409, "not_yet")
        .await;
    site.forbids(
        "p1",
        &step(edition, "propose-black"),
        household(POOR),
        409,
        "wrong_state",
    )
    .await;
    site.pass_ms(7 * DAY);
    site.forbids(
        "r1",
        "/api/v1/objections",
        objection(edition),
        409,
        "window_closed",
    )
    .await;
    site.does("p1", &step(edition, "open"), json!({})).await;
    site.forbids(
        "p1",
        &step(edition, "propose-black"),
        household(GOOD),
        409,
        "wrong_state",
    )
    .await;
    site.forbids("p2", &step(edition, "publish"), json!({}), 409, "wrong_state")
        .await;
    let card = format!("/api/v1/households/{POOR}/card-found");
    site.forbids("p1", &card, json!({}), 409, "wrong_state").await;
}

#[tokio::test]
async fn one_person_never_takes_both_steps() {
    let (site, edition) = deciding().await;
    site.does("p1", &step(edition, "propose-black"), household(POOR))
        .await;
    site.forbids(
        "p1",
        &step(edition, "confirm-black"),
        household(POOR),
        409,
        "same_person",
    )
    .await;
    let twice = site
        .forbids(
            "p1",
            &step(edition, "propose-black"),
            household(POOR),
            409,
            "already_decided",
        )
        .await;
    assert_eq!(twice["winner"]["actor"], "p1");
    assert_eq!(twice["winner"]["what"], "propose_black");
    assert_eq!(twice["winner"]["at"], NOON + 7 * DAY);
    site.does("p1", &step(edition, "propose-publication"), publication())
        .await;
    site.forbids("p1", &step(edition, "publish"), json!({}), 409, "same_person")
        .await;
    let (site, edition) = told().await;
    let raised = site.does("r1", "/api/v1/objections", objection(edition)).await;
    let decide = format!("/api/v1/objections/{}/decide", raised["id"]);
    for party in ["r1", "insp1"] {
        site.forbids(party, &decide, decision(false), 409, "same_person")
            .await;
    }
    site.does("p1", &decide, decision(false)).await;
    let again = site
        .forbids("p1", &decide, decision(true), 409, "already_decided")
        .await;
    assert_eq!(again["winner"]["actor"], "p1");
}

/// Two servers on one folder are asked the same at once, many times: one does it, and the other shows who did.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_decide_at_once_on_two_servers_one_wins_and_the_other_sees_the_winner() {
    let (site, edition) = told().await;
    let (one, other) = (router(site.api()), router(site.another().await));
    for round in 0..8 {
        let raised = site.does("r1", "/api/v1/objections", objection(edition)).await;
        let decide = format!("/api/v1/objections/{}/decide", raised["id"]);
        let rows = site.truth().await.len();
        let both = tokio::join!(
            one.clone().oneshot(acting("p1", &decide, &decision(false))),
            other.clone().oneshot(acting("p2", &decide, &decision(false))),
        );
        let (first, second) = (answer(both.0.unwrap()).await, answer(both.1.unwrap()).await);
        let ((winner, name), loser) = match (first.0, second.0) {
            (200, 409) => ((first.1, "p1"), second.1),
            (409, 200) => ((second.1, "p2"), first.1),
            other => panic!("round {round}: {other:?}"),
        };
        assert_eq!(
            (&winner["decided_by"], &loser["rule"]),
            (&name.into(), &"already_decided".into())
        );
        assert_eq!(loser["winner"]["actor"], name);
        assert_eq!(loser["winner"]["what"], "decide_objection");
        let acts = site.json(&step(edition, "acts")).await["items"].clone();
        let last = acts.as_array().unwrap().last().unwrap().clone();
        assert_eq!(last["place"], format!("{}.0", loser["winner"]["position"]));
        // One act more, the objection's row changed, and the reason's words, which are the same each time.
        let more = usize::from(round == 0) + 1;
        assert_eq!(site.truth().await.len(), rows + more, "nothing half done");
    }
    assert_eq!(site.ledger.verify_projections(|_| ()).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_servers_that_compute_one_day_one_makes_the_edition() {
    let site = Site::village().await;
    let (one, other) = (router(site.api()), router(site.another().await));
    let asked = json!({"day": TODAY});
    let both = tokio::join!(
        one.oneshot(acting("p1", "/api/v1/editions", &asked)),
        other.oneshot(acting("p2", "/api/v1/editions", &asked)),
    );
    let mut statuses = [
        both.0.unwrap().status().as_u16(),
        both.1.unwrap().status().as_u16(),
    ];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    let editions = site.walk("/api/v1/editions", "digest").await;
    assert_eq!(editions.len(), 1);
}

#[tokio::test]
async fn tokens_and_words_are_only_for_whoever_acts() {
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
        let (_, text) = site.text(path).await;
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
    let mut twice = request(&paths[4]);
    for name in ["p1", "p2"] {
        twice.headers_mut().append("hemu-account", name.parse().unwrap());
    }
    let response = site.send(twice).await;
    assert_eq!(response.status(), 401);
    assert!(body(response).await.contains("came several"));
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
    site.does("p1", &format!("/api/v1/readings/{place}/strike"), json!({}))
        .await;
    let since = json!({"since": NOON - 30 * DAY});
    site.does("r1", &format!("/api/v1/households/{GOOD}/card-lost"), since)
        .await;
    site.fold().await;
    assert_eq!(newest().await["flags"], json!(["struck", "card_lost"]));
    let twice = format!("/api/v1/readings/{place}/strike");
    let lost = site
        .forbids("p2", &twice, json!({}), 409, "already_decided")
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
