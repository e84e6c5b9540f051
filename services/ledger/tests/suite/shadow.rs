//! A rule in the shadow: its own chain of states, compared with the real editions, and no way out of the shadow.

use hemu_ledger::acts::{Act, Audience, EditionQuery, Why, Words};
use hemu_rules::{Rule, Status};

use crate::editions::{propose, village};
use crate::process::notice;
use crate::site::{NOW, Site, act, day, refused};

/// Three editions in a row instead of two.
const PATIENT: Rule = Rule {
    version: 2,
    black_editions: 3,
    ..Rule::V1
};

async fn begin(site: &Site, rule: Rule, nth: i64) -> u64 {
    let (rule, from) = (Box::new(rule), day(nth));
    act(site, "p1", NOW, Act::ShadowRule { rule, from }).await
}

async fn shadow(site: &Site, nth: i64) -> Vec<u64> {
    let computed = site.ledger.propose_shadow(day(nth), NOW, "server-1");
    computed.await.unwrap()
}

#[tokio::test]
async fn a_rule_in_the_shadow_goes_on_from_its_own_states_and_is_compared() {
    let site = village().await;
    let id = begin(&site, PATIENT, 33).await;
    assert!(shadow(&site, 32).await.is_empty(), "before its day");
    notice(&site, propose(&site, 33).await).await;
    let first = shadow(&site, 33).await;
    assert_eq!(site.ledger.shadow_diff(first[0]).await.unwrap(), []);
    propose(&site, 40).await;
    let second = shadow(&site, 40).await;
    assert!(shadow(&site, 40).await.is_empty(), "once a day");
    let diff = site.ledger.shadow_diff(second[0]).await.unwrap();
    assert_eq!(diff.len(), 1);
    let (from, to) = (diff[0].from.unwrap(), diff[0].to.unwrap());
    assert_eq!((diff[0].token.as_str(), from.status), ("BAD", Status::Black));
    assert_eq!((to.status, from.hits, to.hits), (Status::Grey, 2, 2));
    // No real edition of this day: nothing to compare with, and its own third hit.
    let third = shadow(&site, 47).await;
    assert_eq!(site.ledger.shadow_diff(third[0]).await.unwrap(), []);
    let editions = site.ledger.shadow_editions(id, 9).await.unwrap();
    let black: Vec<_> = editions.iter().map(|row| (row.day, row.counts[1])).collect();
    assert_eq!(black, [(day(47), 1), (day(40), 0), (day(33), 0)]);
    assert_eq!(site.ledger.verify_projections(|_| ()).await.unwrap(), None);
    site.fold().await;
    let (site, _) = site.rebuilt().await;
    assert_eq!(site.ledger.shadow_diff(second[0]).await.unwrap(), diff);
    assert_eq!(site.ledger.shadow_editions(id, 9).await.unwrap(), editions);
}

#[tokio::test]
async fn nothing_leads_out_of_the_shadow() {
    let site = village().await;
    begin(&site, PATIENT, 30).await;
    for nth in [33, 40, 47] {
        shadow(&site, nth).await;
    }
    let id = site.ledger.head().await.unwrap();
    let token = || "BAD".to_owned();
    let words = || Words::new("because");
    for step in [
        Act::Notice { edition: id, days: 7 },
        Act::Open { edition: id },
        Act::ProposeBlack {
            edition: id,
            token: token(),
        },
        Act::ProposePublication {
            edition: id,
            basis: words(),
            audience: Audience::Masked,
            expires_at: NOW + 1,
        },
        Act::Publish { edition: id },
        Act::Object {
            edition: id,
            token: token(),
            readings: vec![(1, 3)],
            words: words(),
        },
    ] {
        refused(&site, "p1", NOW, step, Why::UnknownEdition).await;
    }
    assert_eq!(site.ledger.editions(&EditionQuery::newest(9)).await.unwrap(), []);
    assert_eq!(site.ledger.household_editions("BAD", None, 9).await.unwrap(), []);
    assert_eq!(site.ledger.places(id, Status::Black, 0, 9).await.unwrap(), []);
    // The real edition goes on from real ones: the first is a notice.
    let real = propose(&site, 54).await;
    let row = site.ledger.edition_row(real).await.unwrap().unwrap();
    assert_eq!((row.before, row.counts[1], row.rule_version), (None, 0, 1));
}

#[tokio::test]
async fn a_person_begins_it_and_ends_it_and_its_version_is_nobody_elses() {
    let site = village().await;
    let ask = |rule: Rule| Act::ShadowRule {
        rule: Box::new(rule),
        from: day(33),
    };
    refused(&site, "system", NOW, ask(PATIENT), Why::NotAPerson).await;
    let id = begin(&site, PATIENT, 33).await;
    let other = Rule {
        black_editions: 4,
        ..PATIENT
    };
    refused(&site, "p1", NOW, ask(other), Why::AlreadyDecided).await;
    let adopt = Act::ProposeRule {
        rule: Box::new(other),
        from: day(60),
    };
    refused(&site, "p1", NOW, adopt, Why::AlreadyDecided).await;
    let future = site.ledger.propose_shadow(day(900), NOW, "s").await.unwrap_err();
    assert_eq!(future.refused().unwrap().why, Why::InTheFuture);
    refused(
        &site,
        "p1",
        NOW,
        Act::EndShadow { shadow: 7_777 },
        Why::UnknownRule,
    )
    .await;
    refused(
        &site,
        "system",
        NOW,
        Act::EndShadow { shadow: id },
        Why::NotAPerson,
    )
    .await;
    act(&site, "p2", NOW, Act::EndShadow { shadow: id }).await;
    refused(
        &site,
        "p1",
        NOW,
        Act::EndShadow { shadow: id },
        Why::AlreadyDecided,
    )
    .await;
    assert!(shadow(&site, 33).await.is_empty());
    let row = site.ledger.shadows().await.unwrap().remove(0);
    assert_eq!(row.ended, Some(("p2".to_owned(), NOW)));
}

#[tokio::test]
async fn a_new_occupant_takes_over_no_hit_in_the_shadow_either() {
    let site = village().await;
    let id = begin(&site, PATIENT, 33).await;
    for nth in [33, 40] {
        shadow(&site, nth).await;
    }
    let moved = Act::MovedIn {
        token: "BAD".into(),
        day: day(41),
    };
    act(&site, "w1", NOW, moved).await;
    site.fold().await;
    shadow(&site, 47).await;
    let editions = site.ledger.shadow_editions(id, 9).await.unwrap();
    assert_eq!(editions[0].counts[1], 0);
}
