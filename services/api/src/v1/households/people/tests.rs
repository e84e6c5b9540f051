//! Who acts for a household: who is told, who may end it, and what is over then.

use std::time::Duration;

use hemu_ledger::acts::Actor;
use hemu_ledger::people::{NewCode, Purpose};
use hemu_people::Role;
use serde_json::{Value, json};

use crate::live::Limits;
use crate::testing::{DAY, NOON, Site, answer, body, ending, looking};

const OWN: &str = "hh-poor-0002";
const OTHER: &str = "hh-good-0001";

fn code<'a>(nth: u8, token: &'a str, delegate: Option<&'a str>) -> NewCode<'a> {
    NewCode {
        digest: [nth; 32],
        purpose: delegate.map_or(Purpose::Resident, |_| Purpose::Delegate),
        account: delegate,
        token: Some(token),
    }
}

/// `resident` and `mother` are of the household, and `neighbour`, who is of another one, acts for it.
async fn prepared(limits: Limits) -> Site {
    let site = Site::with(limits).await;
    site.let_in("keeper", Role::Admin, i64::MAX).await;
    let by: Actor = "keeper".parse().unwrap();
    for (nth, name, token) in [(1, "mother", OWN), (2, "neighbour", OTHER)] {
        enters(&site, &by, code(nth, token, None), name, None).await;
        site.let_in(name, Role::Resident, i64::MAX).await;
    }
    let delegate = code(3, OWN, Some("neighbour"));
    enters(&site, &by, delegate, "nobody", Some("neighbour")).await;
    site
}

async fn enters(site: &Site, by: &Actor, code: NewCode<'_>, fresh: &str, logged_in: Option<&str>) {
    let ledger = &site.ledger;
    ledger.make_codes(by, NOON, NOON + DAY, &[code]).await.unwrap();
    let fresh = fresh.parse().unwrap();
    let entered = ledger.enter(&code.digest, NOON, &fresh, logged_in).await.unwrap();
    assert!(entered.is_some());
}

fn path(token: &str) -> String {
    format!("/api/v1/households/{token}/people")
}

async fn listed(site: &Site, account: &str) -> Vec<Value> {
    let list = site.seen(account, &path(OWN)).await;
    list["items"].as_array().unwrap().clone()
}

async fn ends(site: &Site, who: &str, token: &str, account: &str) -> (u16, Value) {
    let path = format!("{}/{account}", path(token));
    let response = site.send(ending(who, &path)).await;
    if response.status() == 204 {
        assert_eq!(response.headers()["cache-control"], "no-store");
        return (204, Value::Null);
    }
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    answer(response).await
}

/// Must be refused, without a trace.
async fn refuses(site: &Site, who: &str, token: &str, account: &str) -> (u16, Value) {
    let before = site.truth().await;
    let (status, problem) = ends(site, who, token, account).await;
    assert_eq!(site.truth().await, before, "{who} {account}");
    (status, problem["rule"].clone())
}

#[tokio::test]
async fn who_acts_for_a_household_is_told_to_its_own_and_of_a_delegate_to_itself() {
    let site = prepared(Limits::default()).await;
    let told = async |asker: &str| {
        let mut told: Vec<_> = listed(&site, asker).await;
        told.sort_by_key(|one| one["account"].to_string());
        let words = |one: &Value| {
            assert_eq!(one["since"], NOON);
            let is = |key: &str| one[key].as_bool().unwrap();
            let account = one["account"].as_str().unwrap().to_owned();
            (account, is("delegate"), is("own"), is("may_end"))
        };
        told.iter().map(words).collect::<Vec<_>>()
    };
    let line = |account: &str, delegate, own, may_end| (account.to_owned(), delegate, own, may_end);
    let family = [
        line("mother", false, true, true),
        line("neighbour", true, false, true),
        line("resident", false, false, false),
    ];
    assert_eq!(told("mother").await, family);
    assert_eq!(told("neighbour").await, [line("neighbour", true, true, true)]);
    let all = [
        line("mother", false, false, true),
        line("neighbour", true, false, true),
        line("resident", false, false, true),
    ];
    assert_eq!(told("keeper").await, all);
    for (who, status) in [("p1", 403), ("auditor", 403)] {
        assert_eq!(
            site.send(looking(who, &path(OWN))).await.status(),
            status,
            "{who}"
        );
    }
    let foreign = site.send(looking("mother", &path(OTHER))).await;
    assert_eq!(foreign.status(), 404);
    assert!(!body(foreign).await.contains("neighbour"));
    // Whoever prints the codes looks at somebody else's household, and that is noted like any look.
    let looks = site
        .seen("mother", &format!("/api/v1/households/{OWN}/audit"))
        .await["looks"]
        .clone();
    assert_eq!(looks[0]["actor"], "keeper");
    assert_eq!(looks[0]["what"], "people");
}

#[tokio::test]
async fn a_delegation_ends_at_once_and_leaves_the_delegates_own_household() {
    let site = prepared(Limits::default()).await;
    let reads = async |who: &str, token: &str| {
        let path = format!("/api/v1/households/{token}");
        site.send(looking(who, &path)).await.status().as_u16()
    };
    assert_eq!(reads("neighbour", OWN).await, 200);
    assert_eq!(ends(&site, "mother", OWN, "neighbour").await.0, 204);
    assert_eq!(reads("neighbour", OWN).await, 404);
    assert_eq!(reads("neighbour", OTHER).await, 200);
    assert_eq!(reads("mother", OWN).await, 200);
    let me = site.seen("neighbour", "/api/v1/me").await;
    assert_eq!(me["households"], json!([OTHER]));
    assert_eq!(listed(&site, "mother").await.len(), 2);
    let unknown = (404, json!("unknown_account"));
    assert_eq!(
        refuses(&site, "mother", OWN, "neighbour").await,
        unknown,
        "it is over"
    );
    let gone = (404, json!("unknown_household"));
    assert_eq!(refuses(&site, "neighbour", OWN, "neighbour").await, gone);
    let trail = site.seen("auditor", "/api/v1/audit?kind=access_revoked").await;
    let line = &trail["items"][0];
    assert_eq!(
        (&line["actor"], &line["household"]["household_id"]),
        (&json!("mother"), &json!(OWN))
    );
    assert_eq!(line["before"], "neighbour: acts for the household as a delegate");
    assert_eq!(line["after"], "neighbour: acts for the household no longer");
}

#[tokio::test]
async fn each_ends_what_is_theirs_to_end() {
    let site = prepared(Limits::default()).await;
    let duty = (403, json!("not_your_duty"));
    for (who, whom) in [
        ("mother", "resident"),
        ("neighbour", "mother"),
        ("neighbour", "nobody"),
    ] {
        assert_eq!(refuses(&site, who, OWN, whom).await, duty, "{who} {whom}");
    }
    let says = ends(&site, "mother", OWN, "resident").await.1["detail"].clone();
    assert!(
        says.as_str()
            .unwrap()
            .contains("whoever prints the household's codes"),
        "{says}"
    );
    // Neither staff without the right, nor a household about another one.
    assert_eq!(refuses(&site, "p1", OWN, "neighbour").await, (403, Value::Null));
    let unknown = (404, json!("unknown_household"));
    assert_eq!(refuses(&site, "mother", OTHER, "neighbour").await, unknown);
    let mut foreign = ending("mother", &format!("{}/neighbour", path(OWN)));
    foreign
        .headers_mut()
        .insert("sec-fetch-site", "cross-site".parse().unwrap());
    assert_eq!(site.send(foreign).await.status(), 403, "a page of another site");
    for (who, whom) in [
        ("neighbour", "neighbour"),
        ("resident", "resident"),
        ("keeper", "mother"),
    ] {
        assert_eq!(ends(&site, who, OWN, whom).await.0, 204, "{who} {whom}");
    }
    assert!(listed(&site, "keeper").await.is_empty());
}

#[tokio::test]
async fn the_open_stream_of_whoever_acts_no_longer_ends_and_the_household_is_told() {
    let site = prepared(Limits {
        after_the_end: Duration::from_millis(5),
        ..Limits::default()
    })
    .await;
    site.fold().await;
    let mut feed = site.feed().await;
    let live = format!("/api/v1/households/{OWN}/live");
    let mut delegate = site.listen_as(looking("neighbour", &live)).await;
    let mut own = site.listen_as(looking("mother", &live)).await;
    for reader in [&mut delegate, &mut own] {
        assert_eq!(reader.next().await.name, "changed");
    }
    assert_eq!(ends(&site, "mother", OWN, "neighbour").await.0, 204);
    delegate.rest().await;
    site.fold().await;
    site.catch_up(&mut feed).await;
    assert_eq!(own.next().await.name, "changed");
    assert!(own.idle());
}
