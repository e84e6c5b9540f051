//! What is refused, by which rule, with the winner's view, and that nothing is half done.

use hemu_ledger::privacy::TrailQuery;
use hemu_people::Scope;

use super::*;

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
        let why = json!({"reason": "not theirs"});
        site.forbids("p1", &strike, why, 404, "no_such_reading").await;
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
        ("/api/v1/readings/1.0/strike".to_owned(), json!({})),
        ("/api/v1/readings/1.0/strike".to_owned(), json!({"reason": "  "})),
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
/// `HEMU_TEST_PAIRS=1000` asks oftener.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_decide_at_once_on_two_servers_one_wins_and_the_other_sees_the_winner() {
    let (site, edition) = told().await;
    let (one, other) = (router(site.api()), router(site.another().await));
    let pairs = std::env::var("HEMU_TEST_PAIRS").map_or(8, |text| text.parse().unwrap());
    for round in 0..pairs {
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
        let sight = site.ledger.seen_by(Scope::Everyone);
        let newest = TrailQuery {
            limit: 2,
            ..TrailQuery::default()
        };
        let newest = sight.trail(&newest).await.unwrap();
        let [late, decided] = newest.as_slice() else {
            panic!("round {round}: {newest:?}")
        };
        assert_eq!(loser["winner"]["position"], decided.act.place.0);
        assert_eq!((late.act.kind.as_str(), late.act.actor != name), ("late", true));
        assert_eq!(late.act.token, decided.act.token);
        // Two acts more, the objection's row changed, and the reason's words, which are the same each time.
        let more = usize::from(round == 0) + 2;
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
