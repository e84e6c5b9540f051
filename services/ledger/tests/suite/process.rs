//! The steps of an edition that go another way than to its end: leases, names taken off, editions taken back or
//! corrected, and how long and how much a household may object.

use hemu_ledger::acts::{Act, Audience, EditionQuery, EditionState, MAX_READINGS, Why, Words};
use hemu_rules::{Rule, Status};

use crate::editions::{DAY, inspected, objection, propose, second, state, village};
use crate::site::{NOW, Site, act, day, refused, run};

pub(crate) const WINDOW: i64 = NOW + 7 * DAY;

pub(crate) async fn notice(site: &Site, edition: u64) {
    act(site, "system", NOW, Act::Notice { edition, days: 7 }).await;
}

pub(crate) async fn open(site: &Site, edition: u64) {
    act(site, "system", WINDOW, Act::Open { edition }).await;
}

/// Two persons confirm the black name of an edition that is open.
pub(crate) async fn confirm(site: &Site, edition: u64) {
    act(site, "p1", WINDOW, propose_black(edition)).await;
    act(site, "p2", WINDOW, confirm_black(edition)).await;
}

fn propose_black(edition: u64) -> Act {
    let token = "BAD".to_owned();
    Act::ProposeBlack { edition, token }
}

fn confirm_black(edition: u64) -> Act {
    let token = "BAD".to_owned();
    Act::ConfirmBlack { edition, token }
}

fn reject(objection: u64) -> Act {
    Act::DecideObjection {
        objection,
        upheld: false,
        reason: Words::new("the photo shows the bag and the card"),
    }
}

/// A first person proposes the publication.
pub(crate) fn publication(edition: u64) -> Act {
    Act::ProposePublication {
        edition,
        basis: Words::new("the village's covenant, article 9"),
        audience: Audience::Masked,
        expires_at: WINDOW + 30 * DAY,
    }
}

/// Two persons publish an edition that is open.
pub(crate) async fn publish(site: &Site, edition: u64) {
    act(site, "p1", WINDOW, publication(edition)).await;
    act(site, "p2", WINDOW, Act::Publish { edition }).await;
}

/// Revises what lost a reading, the earlier weeks first; the last revision.
pub(crate) async fn revise_all(site: &Site) -> u64 {
    let mut last = 0;
    while let Some(&due) = site.ledger.reopened().await.unwrap().first() {
        last = site.ledger.revise(due, WINDOW, "server-1").await.unwrap();
    }
    last
}

pub(crate) fn lift(edition: u64, token: &str) -> Act {
    Act::Lift {
        edition,
        token: token.into(),
        reason: Words::new("the bag was a neighbour's"),
    }
}

pub(crate) fn retract(edition: u64) -> Act {
    Act::Retract {
        edition,
        reason: Words::new("the scales were wrong that week"),
    }
}

/// Rejecting an objection and confirming the name would be one person's word on both.
#[tokio::test]
async fn whoever_rejected_an_objection_does_not_confirm_the_name() {
    let site = village().await;
    let edition = second(&site).await;
    notice(&site, edition).await;
    let id = act(&site, "r1", NOW + DAY, objection(edition)).await;
    act(&site, "p2", NOW + DAY, reject(id)).await;
    open(&site, edition).await;
    act(&site, "p1", WINDOW, propose_black(edition)).await;
    refused(&site, "p2", WINDOW, confirm_black(edition), Why::SamePerson).await;
    act(&site, "p3", WINDOW, confirm_black(edition)).await;
}

#[tokio::test]
async fn one_server_computes_a_day_until_its_lease_runs_out() {
    let site = village().await;
    let taken = format!(
        "insert into lease (day, holder, until) values ({}, 'server-0', {})",
        day(33).get(),
        NOW + 1
    );
    run(&mut site.truth().await, &taken).await;
    let early = site.ledger.propose_edition(&Rule::V1, day(33), NOW, "server-1");
    let early = early.await.unwrap_err().refused().unwrap().clone();
    assert_eq!(early.why, Why::AlreadyDecided);
    assert_eq!(early.winner.unwrap().actor, "server-0");
    assert!(
        site.ledger
            .editions(&EditionQuery::newest(9))
            .await
            .unwrap()
            .is_empty()
    );
    let later = site
        .ledger
        .propose_edition(&Rule::V1, day(33), NOW + 1, "server-1");
    later.await.unwrap();
    // The lease ended with the edition: another day is for whoever comes first.
    let next = site.ledger.propose_edition(&Rule::V1, day(40), NOW, "server-2");
    next.await.unwrap();
}

#[tokio::test]
async fn of_two_servers_at_once_one_computes_the_day() {
    let site = village().await;
    let (one, other) = tokio::join!(
        site.ledger.propose_edition(&Rule::V1, day(33), NOW, "server-1"),
        site.ledger.propose_edition(&Rule::V1, day(33), NOW, "server-2"),
    );
    let lost = one.as_ref().err().or(other.as_ref().err()).unwrap();
    assert_eq!(lost.refused().unwrap().why, Why::AlreadyDecided);
    assert!(one.is_ok() != other.is_ok());
    assert_eq!(
        site.ledger
            .editions(&EditionQuery::newest(9))
            .await
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn one_person_takes_a_name_off_for_good_and_the_household_starts_anew() {
    let site = village().await;
    let edition = second(&site).await;
    notice(&site, edition).await;
    refused(&site, "system", NOW, lift(edition, "BAD"), Why::NotAPerson).await;
    refused(&site, "p1", NOW, lift(edition, "FINE"), Why::WrongState).await;
    refused(&site, "p1", NOW, lift(edition, "NEW"), Why::WrongState).await;
    act(&site, "p1", NOW, lift(edition, "BAD")).await;
    let lost = refused(&site, "p2", NOW, lift(edition, "BAD"), Why::AlreadyDecided).await;
    assert_eq!(lost.winner.unwrap().actor, "p1");
    open(&site, edition).await;
    let token = "BAD".to_owned();
    let black = Act::ProposeBlack { edition, token };
    refused(&site, "p2", WINDOW, black, Why::AlreadyDecided).await;
    // A corrected revision takes the lift over.
    act(&site, "p2", WINDOW, Act::strike((1, 5), "seen myself")).await;
    site.fold().await;
    let early = site.ledger.revise(edition, WINDOW, "server-1").await.unwrap_err();
    assert_eq!(
        early.refused().unwrap().why,
        Why::NotYet,
        "the week before is mended first"
    );
    let revision = revise_all(&site).await;
    let places = site.ledger.places(revision, Status::Black, 0, 9).await.unwrap();
    assert_eq!(places[0].lifted_by.as_deref(), Some("p1"));
    assert_eq!(places[0].shown(), Status::Grey);
    let next = propose(&site, 47).await;
    let place = site
        .ledger
        .places(next, Status::Grey, 0, 9)
        .await
        .unwrap()
        .remove(0);
    assert_eq!((place.token.as_str(), place.hits, place.notice), ("BAD", 1, true));
    assert_eq!(site.ledger.verify_projections(|_| ()).await.unwrap(), None);
}

#[tokio::test]
async fn an_edition_taken_back_counts_for_nothing_and_its_day_is_free_again() {
    let site = village().await;
    let first = propose(&site, 33).await;
    notice(&site, first).await;
    let edition = propose(&site, 40).await;
    refused(&site, "system", NOW, retract(edition), Why::NotAPerson).await;
    notice(&site, edition).await;
    act(&site, "p1", NOW, retract(edition)).await;
    refused(&site, "p2", NOW, retract(edition), Why::AlreadyDecided).await;
    refused(&site, "system", WINDOW, Act::Open { edition }, Why::WrongState).await;
    refused(&site, "r1", NOW, objection(edition), Why::WindowClosed).await;
    let next = propose(&site, 47).await;
    let row = site.ledger.edition_row(next).await.unwrap().unwrap();
    assert_eq!(row.before, Some(first), "not the one that was taken back");
    let again = propose(&site, 40).await;
    let row = site.ledger.edition_row(again).await.unwrap().unwrap();
    assert_eq!((row.revision, row.state), (2, EditionState::Draft));
    notice(&site, again).await;
    open(&site, again).await;
    publish(&site, again).await;
    act(&site, "p1", WINDOW, retract(again)).await;
    assert_eq!(state(&site, again).await, EditionState::Retracted);
    let public = site.ledger.public_places(again, WINDOW, Status::Red, 0, 9);
    assert!(public.await.unwrap().is_empty());
}

#[tokio::test]
async fn a_published_edition_gives_way_only_when_its_revision_is_published() {
    let site = village().await;
    let edition = second(&site).await;
    notice(&site, edition).await;
    open(&site, edition).await;
    confirm(&site, edition).await;
    publish(&site, edition).await;
    assert!(
        site.ledger.revise(edition, WINDOW, "s").await.is_err(),
        "lost nothing"
    );
    // So many that BAD is no longer black.
    for nth in 0..38 {
        act(&site, "p3", WINDOW, Act::strike((1, nth), "seen myself")).await;
    }
    site.fold().await;
    assert!(site.ledger.reopened().await.unwrap().contains(&edition));
    assert!(
        site.ledger
            .public_places(edition, WINDOW, Status::Black, 0, 9)
            .await
            .unwrap()
            .is_empty(),
        "a list that lost readings names nobody as black"
    );
    let revision = revise_all(&site).await;
    let again = site.ledger.revise(edition, WINDOW, "server-1").await.unwrap_err();
    assert_eq!(again.refused().unwrap().why, Why::AlreadyDecided);
    let moved = site.ledger.moved(revision).await.unwrap();
    let bad = moved.iter().find(|moved| moved.token == "BAD").unwrap();
    assert_eq!((bad.from.unwrap().status, bad.to), (Status::Black, None));
    assert!(moved.iter().all(|moved| moved.token != "NEW"));
    assert_eq!(site.ledger.moved(edition).await.unwrap(), []);
    assert_eq!(state(&site, edition).await, EditionState::Published);
    assert_eq!(state(&site, revision).await, EditionState::Draft);
    notice(&site, revision).await;
    open(&site, revision).await;
    publish(&site, revision).await;
    let row = site.ledger.edition_row(edition).await.unwrap().unwrap();
    assert_eq!(
        (row.state, row.superseded_by),
        (EditionState::Superseded, Some(revision))
    );
    assert_eq!(site.ledger.verify_projections(|_| ()).await.unwrap(), None);
}

#[tokio::test]
async fn a_rejected_objection_gives_the_household_its_time_back() {
    let site = village().await;
    let edition = second(&site).await;
    notice(&site, edition).await;
    let id = act(&site, "r1", NOW + DAY, objection(edition)).await;
    act(&site, "p1", NOW + 3 * DAY, reject(id)).await;
    open(&site, edition).await;
    let history = site.ledger.household_editions("BAD", None, 1).await.unwrap();
    assert_eq!(history[0].deadline, Some(WINDOW + 2 * DAY));
    assert_eq!(history[0].objections[0].upheld, Some(false));
    let black = propose_black(edition);
    let last = WINDOW + 2 * DAY - 1;
    refused(&site, "p1", last, black.clone(), Why::NotYet).await;
    refused(&site, "r1", last + 1, objection(edition), Why::WindowClosed).await;
    act(&site, "p1", last + 1, black).await;
    // Within its own time it may object once more, though others' is over.
    let again = act(&site, "r1", last, objection(edition)).await;
    assert_eq!(site.ledger.objection(again).await.unwrap().unwrap().upheld, None);
}

#[tokio::test]
async fn an_objection_names_a_few_readings_of_its_own_that_the_edition_looked_at() {
    let site = village().await;
    inspected(&site, "I3", "BAD", 45..46, 1_000).await;
    site.fold().await;
    let after = site.ledger.head().await.unwrap();
    let edition = second(&site).await;
    notice(&site, edition).await;
    let object = |readings: Vec<(u64, u32)>| Act::Object {
        edition,
        token: "BAD".into(),
        readings,
        words: Words::new("not ours"),
    };
    let most = u32::try_from(MAX_READINGS).unwrap();
    for (readings, why) in [
        (vec![], Why::Malformed),
        ((0..=most).map(|nth| (1, nth)).collect(), Why::Malformed),
        (vec![(1, 3), (1, 3)], Why::NoSuchReading),
        (vec![(2, 3)], Why::NoSuchReading),
        (vec![(after, 0)], Why::NoSuchReading),
        (vec![(1, 99)], Why::NoSuchReading),
    ] {
        refused(&site, "r1", NOW, object(readings), why).await;
    }
    refused(&site, "system:r", NOW, object(vec![(1, 3)]), Why::NotAPerson).await;
    let wordless = Act::Object {
        edition,
        token: "BAD".into(),
        readings: vec![(1, 3)],
        words: Words::new("  "),
    };
    refused(&site, "r1", NOW, wordless, Why::Malformed).await;
    act(&site, "r1", NOW, object((0..most).map(|nth| (1, nth)).collect())).await;
    let lost = refused(&site, "r2", NOW, object(vec![(1, 39)]), Why::AlreadyDecided).await;
    assert_eq!(lost.winner.unwrap().actor, "r1");
}
