//! Whoever comes too late is refused, and is in the trail with what they tried.

use hemu_ledger::acts::{Act, Sha, Why, Words};
use hemu_ledger::privacy::{TrailQuery, TrailRow};

use crate::bank::{award, deal, forbidden, reverse, street};
use crate::editions::{DAY, objection, second, village};
use crate::process::{lift, notice};
use crate::site::{NOW, Site, act, person, refused};

async fn trail(site: &Site, kind: Option<&str>) -> Vec<TrailRow> {
    let all = TrailQuery {
        kind,
        limit: 100,
        ..TrailQuery::default()
    };
    site.ledger.trail(&all).await.unwrap()
}

fn decide(objection: u64, reason: &str) -> Act {
    Act::DecideObjection {
        objection,
        upheld: false,
        reason: Words::new(reason),
    }
}

#[tokio::test]
async fn of_two_who_decide_one_case_at_once_both_are_in_the_trail() {
    let site = village().await;
    let edition = second(&site).await;
    notice(&site, edition).await;
    let case = act(&site, "r1", NOW + DAY, objection(edition)).await;
    let (one, other) = (site.ledger.clone(), site.ledger.clone());
    let (p1, p2) = (person("p1"), person("p2"));
    let (first, second) = tokio::join!(
        one.act(&p1, NOW + DAY, decide(case, "as p1 sees it")),
        other.act(&p2, NOW + DAY, decide(case, "as p2 sees it")),
    );
    let (stands, winner, loser) = match (first, second) {
        (Ok(stands), Err(_)) => (stands, "p1", "p2"),
        (Err(_), Ok(stands)) => (stands, "p2", "p1"),
        both => panic!("{both:?}"),
    };
    let late = trail(&site, Some("late")).await;
    let [line] = late.as_slice() else {
        panic!("{late:?}")
    };
    assert_eq!((line.act.actor.as_str(), line.act.at), (loser, NOW + DAY));
    assert_eq!(
        (line.act.edition, line.act.token.as_deref()),
        (Some(edition), Some("BAD"))
    );
    assert_eq!(line.before.as_deref(), Some("decide_objection"));
    let refused_by = format!("already_decided by {winner} at {stands}");
    assert_eq!(line.after.as_deref(), Some(refused_by.as_str()));
    // What the loser wrote decided nothing, and is kept nowhere.
    let reason = |who: &str| Sha::of(format!("as {who} sees it").as_bytes());
    let kept = site.ledger.words(&reason(loser), Some("BAD")).await.unwrap();
    assert!(kept.is_none() && line.why.is_none());
    let kept = site.ledger.words(&reason(winner), Some("BAD")).await.unwrap();
    assert!(kept.is_some());
    site.fold().await;
    assert_eq!(site.ledger.verify_projections(|_| ()).await.unwrap(), None);
}

#[tokio::test]
async fn asking_again_makes_the_trail_no_longer() {
    let site = village().await;
    let edition = second(&site).await;
    notice(&site, edition).await;
    act(&site, "p1", NOW, lift(edition, "BAD")).await;
    let before = trail(&site, None).await.len();
    // Nobody was faster than oneself.
    refused(&site, "p1", NOW + 1, lift(edition, "BAD"), Why::AlreadyDecided).await;
    refused(&site, "system", NOW + 1, lift(edition, "BAD"), Why::NotAPerson).await;
    refused(&site, "p2", NOW + 1, lift(edition, "FINE"), Why::WrongState).await;
    assert_eq!(trail(&site, None).await.len(), before);
    for later in 2..5 {
        let lost = refused(
            &site,
            "p2",
            NOW + later,
            lift(edition, "BAD"),
            Why::AlreadyDecided,
        )
        .await;
        assert_eq!(lost.winner.unwrap().what, "lift");
    }
    assert_eq!(trail(&site, None).await.len(), before + 1);
    // What was only tried is not found as what was done.
    assert_eq!(trail(&site, Some("lift")).await.len(), 1);
    refused(&site, "p3", NOW + 5, lift(edition, "BAD"), Why::AlreadyDecided).await;
    assert_eq!(trail(&site, Some("late")).await.len(), 2);
}

#[tokio::test]
async fn nobody_stores_an_attempt_by_hand() {
    let site = village().await;
    let late = Act::Late {
        act: Box::new(Act::RedOptIn {
            token: "FINE".to_owned(),
        }),
        by: "p1".to_owned(),
        winner: 1,
    };
    refused(&site, "p2", NOW, late, Why::Malformed).await;
}

#[tokio::test]
async fn an_entry_of_the_bank_that_another_took_back_is_in_the_trail_as_tried() {
    let site = street().await;
    let awarded = deal(&site, "o1", award("award-01", "H1", 700)).await.position;
    deal(&site, "o2", reverse("reverse2", "H1", awarded)).await;
    let asked = || reverse("reverse3", "H1", awarded);
    forbidden(&site, "o1", asked(), Why::AlreadyDecided).await;
    let late = trail(&site, Some("late")).await;
    let [line] = late.as_slice() else {
        panic!("{late:?}")
    };
    assert_eq!(
        (line.act.actor.as_str(), line.act.token.as_deref()),
        ("o1", Some("H1"))
    );
    site.fold().await;
    assert_eq!(site.ledger.verify_projections(|_| ()).await.unwrap(), None);
}
