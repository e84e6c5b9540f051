//! An edition goes on from what people left: a black name nobody confirmed does not keep a household on the list.

use hemu_ledger::acts::{Act, Why};
use hemu_rules::{Ppb, Rule, Status};

use crate::editions::{inspected, propose};
use crate::process::{WINDOW, confirm, notice, open, publication, publish};
use crate::site::{NOW, Site, act, refused, register};

/// Six weeks of a household that is surely bad, then three in which it is a little better: not sure enough to come on
/// the list, sure enough to stay there. The others make a list that the guard is sure of as a whole.
async fn better() -> Site {
    let site = Site::new().await;
    let others = ["W1", "W2", "W3", "W4", "W5", "W6"];
    register(&site, &["BAD", "FINE"]).await;
    register(&site, &others).await;
    for token in others {
        inspected(&site, token, token, 0..60, 1_000).await;
    }
    inspected(&site, "I1", "BAD", 0..40, 4_500).await;
    inspected(&site, "I2", "FINE", 0..60, 9_800).await;
    inspected(&site, "I3", "BAD", 40..60, 5600).await;
    site.fold().await;
    site
}

async fn told(site: &Site, nth: i64) -> u64 {
    let edition = propose(site, nth).await;
    notice(site, edition).await;
    edition
}

async fn opened(site: &Site, edition: u64) {
    open(site, edition).await;
}

/// Status and hits of BAD, and that it lies between the two bars.
async fn bad(site: &Site, edition: u64) -> Status {
    let row = site.ledger.edition_row(edition).await.unwrap().unwrap();
    let before = row.before.unwrap();
    assert!(before < edition);
    for status in Status::ALL {
        let places = site.ledger.places(edition, status, 0, 9).await.unwrap();
        if let Some(place) = places.iter().find(|place| place.token == "BAD") {
            let p = Ppb::clamped(place.p_black.into());
            let between = p >= Rule::V1.p_black_stay && p < Rule::V1.p_black_enter;
            assert!(between || place.hits > 0, "{p:?}");
            return status;
        }
    }
    Status::Grey
}

/// The notice and the first black name.
async fn listed(site: &Site) -> u64 {
    told(site, 33).await;
    let edition = told(site, 40).await;
    assert_eq!(bad(site, edition).await, Status::Black);
    edition
}

#[tokio::test]
async fn a_name_nobody_confirmed_does_not_stay_by_the_lower_bar() {
    let site = better().await;
    let edition = listed(&site).await;
    let undecided = told(&site, 54).await;
    assert_eq!(bad(&site, undecided).await, Status::Grey);
    let digest = site.ledger.edition_row(undecided).await.unwrap().unwrap().digest;
    opened(&site, edition).await;
    // And is not named by the older list any more.
    let token = "BAD".to_owned();
    let black = Act::ProposeBlack { edition, token };
    refused(&site, "p1", WINDOW, black, Why::CameLater).await;
    assert_eq!(site.ledger.recompute(undecided).await.unwrap(), digest);
}

#[tokio::test]
async fn a_confirmed_name_stays_by_the_lower_bar_through_weeks_that_nobody_decided_on() {
    let site = better().await;
    let edition = listed(&site).await;
    opened(&site, edition).await;
    confirm(&site, edition).await;
    let next = told(&site, 54).await;
    assert_eq!(bad(&site, next).await, Status::Black);
    // Not published: that edition leaves nothing beyond the next.
    let late = told(&site, 55).await;
    assert_eq!(bad(&site, late).await, Status::Grey);
    act(&site, "p1", WINDOW, publication(edition)).await;
    refused(&site, "p2", WINDOW, Act::Publish { edition }, Why::NameOutdated).await;
    let site = better().await;
    let edition = listed(&site).await;
    opened(&site, edition).await;
    confirm(&site, edition).await;
    publish(&site, edition).await;
    for nth in [54, 55, 56] {
        let next = told(&site, nth).await;
        assert_eq!(bad(&site, next).await, Status::Black, "{nth}");
        let digest = site.ledger.edition_row(next).await.unwrap().unwrap().digest;
        assert_eq!(site.ledger.recompute(next).await.unwrap(), digest);
    }
}

#[tokio::test]
async fn a_name_left_off_a_publication_is_off() {
    let site = better().await;
    let edition = listed(&site).await;
    opened(&site, edition).await;
    confirm(&site, edition).await;
    publish(&site, edition).await;
    let next = told(&site, 54).await;
    opened(&site, next).await;
    publish(&site, next).await;
    let after = told(&site, 55).await;
    assert_eq!(bad(&site, after).await, Status::Grey);
    assert!(site.ledger.verify_projections(|_| ()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_name_taken_off_in_between_is_off() {
    let site = better().await;
    let edition = listed(&site).await;
    opened(&site, edition).await;
    confirm(&site, edition).await;
    publish(&site, edition).await;
    let next = told(&site, 54).await;
    let lift = Act::Lift {
        edition: next,
        token: "BAD".into(),
        reason: hemu_ledger::acts::Words::new("they sort now"),
    };
    act(&site, "p1", NOW, lift).await;
    for nth in [55, 56] {
        let after = told(&site, nth).await;
        assert_eq!(bad(&site, after).await, Status::Grey, "{nth}");
    }
}
