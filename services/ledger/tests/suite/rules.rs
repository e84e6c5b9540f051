//! Rules as data: adopted by two persons from a day on, never behind an edition that households were told of.

use hemu_ledger::acts::{Act, Why};
use hemu_rules::{Day, Rule};

use crate::editions::{propose, second, village};
use crate::process::notice;
use crate::site::{NOW, Site, act, day, refused};

const STRICT: Rule = Rule {
    version: 2,
    inspection_days_least: 3,
    ..Rule::V1
};

fn proposal(rule: Rule, from: Day) -> Act {
    Act::ProposeRule {
        rule: Box::new(rule),
        from,
    }
}

/// Proposed by one person and adopted by another.
pub(crate) async fn adopted(site: &Site, rule: Rule, from: Day) {
    let proposal = act(site, "p1", NOW, proposal(rule, from)).await;
    act(site, "p2", NOW, Act::AdoptRule { proposal }).await;
}

async fn version(site: &Site, nth: i64) -> u16 {
    site.ledger.rule_in_force(day(nth)).await.unwrap().version
}

#[tokio::test]
async fn a_rule_is_in_force_once_a_second_person_adopted_it_and_from_its_day_on() {
    let site = village().await;
    let ask = || proposal(STRICT, day(45));
    refused(&site, "system", NOW, ask(), Why::NotAPerson).await;
    let id = act(&site, "p1", NOW, ask()).await;
    assert_eq!(version(&site, 45).await, 1);
    let adopt = || Act::AdoptRule { proposal: id };
    refused(&site, "p1", NOW, adopt(), Why::SamePerson).await;
    refused(&site, "system:p2", NOW, adopt(), Why::NotAPerson).await;
    refused(
        &site,
        "p2",
        NOW,
        Act::AdoptRule { proposal: 7_777 },
        Why::UnknownRule,
    )
    .await;
    act(&site, "p2", NOW + 1, adopt()).await;
    let lost = refused(&site, "p3", NOW, adopt(), Why::AlreadyDecided).await;
    assert_eq!(lost.winner.unwrap().actor, "p2");
    assert_eq!((version(&site, 44).await, version(&site, 45).await), (1, 2));
    let rules = site.ledger.rules().await.unwrap();
    assert_eq!(rules.len(), 1);
    assert_eq!((rules[0].rule, rules[0].from), (STRICT, day(45)));
    assert_eq!(rules[0].proposed_by, "p1");
    assert_eq!(rules[0].adopted, Some(("p2".to_owned(), NOW + 1)));
    // Back to the first one later: the same version on another day is no other rule.
    adopted(&site, Rule::V1, day(60)).await;
    assert_eq!((version(&site, 59).await, version(&site, 60).await), (2, 1));
    site.fold().await;
    assert_eq!(site.ledger.verify_projections(|_| ()).await.unwrap(), None);
    let (site, _) = site.rebuilt().await;
    assert_eq!((version(&site, 59).await, version(&site, 60).await), (2, 1));
}

#[tokio::test]
async fn a_version_number_means_one_rule_for_ever() {
    let site = village().await;
    let other = Rule {
        tenure_days: 35,
        ..STRICT
    };
    act(&site, "p1", NOW, proposal(STRICT, day(45))).await;
    refused(&site, "p1", NOW, proposal(STRICT, day(45)), Why::AlreadyDecided).await;
    refused(&site, "p1", NOW, proposal(other, day(50)), Why::AlreadyDecided).await;
    let first = Rule { version: 1, ..other };
    refused(&site, "p1", NOW, proposal(first, day(50)), Why::AlreadyDecided).await;
    let nonsense = Rule {
        version: 3,
        black_editions: 1,
        ..Rule::V1
    };
    refused(&site, "p1", NOW, proposal(nonsense, day(50)), Why::Malformed).await;
}

#[tokio::test]
async fn no_rule_comes_in_behind_an_edition_that_households_were_told_of() {
    let site = village().await;
    let pending = act(&site, "p1", NOW, proposal(STRICT, day(33))).await;
    let edition = second(&site).await;
    // The edition of day 33 was told, that of day 40 is a draft.
    refused(&site, "p1", NOW, proposal(STRICT, day(32)), Why::WrongState).await;
    refused(
        &site,
        "p2",
        NOW,
        Act::AdoptRule { proposal: pending },
        Why::WrongState,
    )
    .await;
    adopted(&site, STRICT, day(34)).await;
    let tell = Act::Notice { edition, days: 7 };
    refused(&site, "system", NOW, tell, Why::WrongState).await;
    assert_eq!(
        site.ledger.recompute(edition).await.unwrap(),
        site.ledger.edition_row(edition).await.unwrap().unwrap().digest
    );
    let wrong = site.ledger.propose_edition(&Rule::V1, day(47), NOW, "s").await;
    assert_eq!(wrong.unwrap_err().refused().unwrap().why, Why::WrongState);
    let next = site.ledger.propose_edition(&STRICT, day(47), NOW, "s");
    let next = next.await.unwrap();
    notice(&site, next).await;
    let row = site.ledger.edition_row(next).await.unwrap().unwrap();
    assert_eq!(row.rule_version, 2);
    refused(&site, "p1", NOW, proposal(Rule::V1, day(47)), Why::WrongState).await;
}

#[tokio::test]
async fn a_told_edition_is_corrected_by_its_own_rule() {
    let site = village().await;
    let edition = propose(&site, 40).await;
    notice(&site, edition).await;
    adopted(&site, STRICT, day(41)).await;
    act(&site, "p3", NOW, Act::strike((1, 5), "seen myself")).await;
    site.fold().await;
    let revision = site.ledger.revise(edition, NOW, "s").await.unwrap();
    let row = site.ledger.edition_row(revision).await.unwrap().unwrap();
    assert_eq!(row.rule_version, 1);
}
