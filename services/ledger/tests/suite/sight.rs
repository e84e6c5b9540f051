//! What lies outside a scope is not there: not the household, and nothing that hangs on it.

use std::collections::BTreeSet;

use hemu_ledger::Sight;
use hemu_ledger::acts::{Act, ObjectionQuery};
use hemu_ledger::registry::HouseholdQuery;
use hemu_people::Scope;
use hemu_rules::Status;

use crate::editions::{objection, second, village};
use crate::process::notice;
use crate::site::{NOW, Site, act, day};

const ALL: ObjectionQuery = ObjectionQuery {
    edition: None,
    pending: false,
    after: None,
    limit: 10,
};

fn own(site: &Site, token: &str) -> Sight {
    let scope = Scope::Own(BTreeSet::from([token.to_owned()]));
    site.ledger.seen_by(scope)
}

async fn tokens(sight: &Sight, find: &HouseholdQuery<'_>) -> Vec<String> {
    let rows = sight.households(find).await.unwrap();
    rows.into_iter().map(|row| row.token).collect()
}

/// What a sight shows of BAD, who objected, and stands on the list of an edition.
async fn shown(sight: &Sight, (edition, objection): (u64, u64)) -> [usize; 7] {
    let find = HouseholdQuery {
        text: Some("BAD"),
        limit: 10,
        ..HouseholdQuery::default()
    };
    [
        usize::from(sight.household("BAD").await.unwrap().is_some()),
        tokens(sight, &find).await.len(),
        usize::from(sight.place(edition, "BAD").await.unwrap().is_some()),
        sight.objections(&ALL).await.unwrap().len(),
        usize::from(sight.objection(objection).await.unwrap().is_some()),
        sight.places(edition, Status::Black, 0, 10).await.unwrap().len(),
        sight.acts_of(edition, None, 10).await.unwrap().len().min(1),
    ]
}

#[tokio::test]
async fn a_household_and_what_hangs_on_it_are_there_for_its_own_and_for_those_who_see_everyone() {
    let site = village().await;
    let edition = second(&site).await;
    notice(&site, edition).await;
    let objected = act(&site, "r1", NOW, objection(edition)).await;
    let what = (edition, objected);

    let everyone = site.ledger.seen_by(Scope::Everyone);
    assert_eq!(shown(&everyone, what).await, [1; 7]);
    // Its own household, but no list and no trail in which others stand.
    assert_eq!(shown(&own(&site, "BAD"), what).await, [1, 1, 1, 1, 1, 0, 0]);
    for stranger in [
        own(&site, "FINE"),
        own(&site, "NOBODY"),
        site.ledger.seen_by(Scope::nobody()),
    ] {
        assert_eq!(shown(&stranger, what).await, [0; 7]);
    }
}

#[tokio::test]
async fn whoever_moves_in_sees_no_objection_of_whoever_moved_out() {
    let site = village().await;
    let edition = second(&site).await;
    notice(&site, edition).await;
    let objected = act(&site, "r1", NOW, objection(edition)).await;
    let moved = Act::MovedIn {
        token: "BAD".into(),
        day: day(40),
    };
    act(&site, "w1", NOW, moved).await;
    site.fold().await;

    let own = own(&site, "BAD");
    assert!(own.objections(&ALL).await.unwrap().is_empty());
    assert_eq!(own.objection(objected).await.unwrap(), None);
    let seen = own.household("BAD").await.unwrap().unwrap();
    assert!(seen.editions(None, 10).await.unwrap().is_empty());
    assert!(seen.deposits(day(0), day(40)).await.unwrap().is_empty());
}

#[tokio::test]
async fn own_households_are_found_like_all_others_and_come_in_order() {
    let site = village().await;
    let scope = Scope::Own(BTreeSet::from(["FINE".to_owned(), "BAD".to_owned()]));
    let sight = site.ledger.seen_by(scope);
    let find = |text, limit| HouseholdQuery {
        text,
        limit,
        ..HouseholdQuery::default()
    };
    assert_eq!(tokens(&sight, &find(None, 10)).await, ["BAD", "FINE"]);
    assert_eq!(tokens(&sight, &find(None, 1)).await, ["BAD"]);
    assert_eq!(tokens(&sight, &find(Some("FI"), 10)).await, ["FINE"]);
    let after = HouseholdQuery {
        after: Some("BAD"),
        ..find(None, 10)
    };
    assert_eq!(tokens(&sight, &after).await, ["FINE"]);
}
