//! Duties stay separate inside the ledger, whatever was asked before: by role, and by whose household it is.

use hemu_ledger::acts::{Act, Actor, Why, Words};
use hemu_ledger::people::{NewCode, Purpose};
use hemu_people::{Right, Role};

use crate::editions::{objection, second, village};
use crate::process::notice;
use crate::site::{NOW, Site, act, day, person, refused};

/// An account for each role of staff, named as the role.
async fn staffed(site: &Site) {
    for role in Role::ALL.into_iter().filter(|role| role.is_staff()) {
        let (by, name) = (Actor::operator(), person(role.as_str()));
        site.ledger
            .add_account(&by, NOW, (&name, role), None)
            .await
            .unwrap();
    }
}

/// A resident of a household, by a code as it is printed for it.
async fn resident(site: &Site, name: &str, token: &str) {
    let digest = [7; 32];
    let code = NewCode {
        digest,
        purpose: Purpose::Resident,
        account: None,
        token: Some(token),
    };
    let (by, until) = (person("admin"), NOW + 86_400_000);
    site.ledger.make_codes(&by, NOW, until, &[code]).await.unwrap();
    let entered = site
        .ledger
        .enter(&digest, NOW, &person(name), None)
        .await
        .unwrap();
    assert_eq!(entered.as_deref(), Some(name));
}

#[tokio::test]
async fn an_act_is_refused_to_every_role_that_has_no_right_to_it_and_leaves_no_trace() {
    let site = village().await;
    let edition = second(&site).await;
    staffed(&site).await;
    let token = || "BAD".to_owned();
    let reason = || Words::new("seen myself");
    let acts = [
        Act::strike((1, 35), "seen myself"),
        Act::CardLost {
            token: token(),
            since: NOW - 1,
        },
        Act::RedOptIn { token: token() },
        Act::Notice { edition, days: 7 },
        Act::ConfirmBlack {
            edition,
            token: token(),
        },
        Act::Lift {
            edition,
            token: token(),
            reason: reason(),
        },
        Act::Publish { edition },
        objection(edition),
        Act::ShadowRule {
            rule: Box::new(hemu_rules::Rule::V1),
            from: day(60),
        },
    ];
    let head = site.ledger.head().await.unwrap();
    let mut refusals = 0;
    for asked in &acts {
        let right = asked.right().unwrap();
        for role in Role::ALL {
            if role.is_staff() && !role.may(right) {
                refused(&site, role.as_str(), NOW, asked.clone(), Why::NotYourDuty).await;
                refusals += 1;
            }
        }
    }
    assert!(refusals > 30, "{refusals}");
    assert_eq!(site.ledger.head().await.unwrap(), head);
    assert!(acts.iter().any(|act| act.right() == Some(Right::DecideLists)));
    act(&site, "inspector", NOW, Act::Notice { edition, days: 7 }).await;
}

#[tokio::test]
async fn a_resident_acts_for_the_own_household_until_somebody_else_moves_in() {
    let site = village().await;
    let edition = second(&site).await;
    notice(&site, edition).await;
    staffed(&site).await;
    resident(&site, "r-bad", "BAD").await;
    resident_cannot_speak_for(&site, "FINE", edition).await;
    let strike = Act::strike((1, 35), "seen myself");
    refused(&site, "r-bad", NOW, strike, Why::NotYourDuty).await;
    act(&site, "r-bad", NOW, objection(edition)).await;
    act(&site, "r-bad", NOW, Act::RedOptIn { token: "BAD".into() }).await;
    let moved = Act::MovedIn {
        token: "BAD".into(),
        day: day(40),
    };
    act(&site, "grid_officer", NOW, moved).await;
    site.fold().await;
    let out = Act::RedOptOut { token: "BAD".into() };
    refused(&site, "r-bad", NOW, out, Why::UnknownHousehold).await;
}

async fn resident_cannot_speak_for(site: &Site, token: &str, edition: u64) {
    let token = token.to_owned();
    let object = Act::Object {
        edition,
        token: token.clone(),
        readings: vec![(1, 0)],
        words: Words::new("not theirs"),
    };
    refused(site, "r-bad", NOW, object, Why::UnknownHousehold).await;
    refused(site, "r-bad", NOW, Act::RedOptIn { token }, Why::UnknownHousehold).await;
}

#[tokio::test]
async fn an_account_that_was_disabled_while_it_asked_does_nothing_more() {
    let site = village().await;
    staffed(&site).await;
    let lost = || Act::CardLost {
        token: "BAD".into(),
        since: NOW - 1,
    };
    let (by, officer) = (Actor::operator(), Role::GridOfficer.as_str());
    site.ledger
        .enable_account(&by, NOW, officer, false)
        .await
        .unwrap();
    refused(&site, officer, NOW, lost(), Why::NotYourDuty).await;
    site.ledger.enable_account(&by, NOW, officer, true).await.unwrap();
    act(&site, officer, NOW, lost()).await;
}
