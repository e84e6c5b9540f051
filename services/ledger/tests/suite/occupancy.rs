//! Households that move: whoever lives there now answers for nothing that was before them, and nothing is lost.

use hemu_ledger::acts::{Act, Why, Words};
use hemu_ledger::entry::Body;
use hemu_ledger::read::{Place, States};
use hemu_rules::{Rule, Status};

use crate::editions::{inspected, propose, second, village};
use crate::process::{confirm, notice, open, publish};
use crate::site::{NOW, Site, act, day, deposit, refused, segment};

fn moved(token: &str, nth: i64) -> Act {
    Act::MovedIn {
        token: token.into(),
        day: day(nth),
    }
}

fn undone(token: &str, nth: i64) -> Act {
    Act::MoveUndone {
        token: token.into(),
        day: day(nth),
    }
}

/// Recorded by a person and folded.
async fn move_in(site: &Site, token: &str, nth: i64) {
    act(site, "w1", NOW, moved(token, nth)).await;
    site.fold().await;
}

/// A household's place in an edition that nobody stores.
async fn placed(site: &Site, token: &str, nth: i64) -> Place {
    let nothing = States::new();
    let edition = site.ledger.edition(&Rule::V1, day(nth), &nothing);
    let places = edition.await.unwrap().places;
    places.into_iter().find(|place| place.token == token).unwrap()
}

async fn is_whole(site: Site) -> Site {
    assert_eq!(site.ledger.verify_projections(|_| ()).await.unwrap(), None);
    let before = site.everything().await;
    let (site, _) = site.rebuilt().await;
    assert_eq!(site.everything().await, before);
    site
}

#[tokio::test]
async fn a_new_occupant_answers_for_the_days_after_the_move_and_the_day_itself_is_nobodys() {
    let site = village().await;
    let before = placed(&site, "BAD", 30).await;
    move_in(&site, "BAD", 30).await;
    let days = site.ledger.household_days("BAD", day(0), day(60)).await.unwrap();
    let days: Vec<_> = days.iter().map(|(day, _)| *day).collect();
    assert_eq!(days, (31..40).map(day).collect::<Vec<_>>());
    assert_eq!(site.ledger.first_day("BAD").await.unwrap(), Some(day(31)));
    let deposits = site.ledger.deposits("BAD", day(0), day(60)).await.unwrap();
    assert_eq!(deposits.len(), 9);
    assert_eq!(site.ledger.evidence("BAD", day(40)).await.unwrap().len(), 9);
    let place = placed(&site, "BAD", 40).await;
    assert_eq!((place.outcome.deposit_days, place.outcome.inspected_days), (9, 9));
    // To the edition of the move's day, the one before lives there still; to the next, nobody brought anything yet.
    let old = placed(&site, "BAD", 30).await;
    assert_eq!(old.outcome, before.outcome);
    assert_eq!(site.ledger.evidence("BAD", day(30)).await.unwrap().len(), 30);
    let new = placed(&site, "BAD", 31).await;
    assert_eq!(
        (new.outcome.status, new.outcome.deposit_days),
        (Status::Unrated, 0)
    );
    let gathered = site.ledger.gather(&Rule::V1, day(40)).await.unwrap();
    assert_eq!(gathered.households[0].first_day, Some(day(31)));
    is_whole(site).await;
}

#[tokio::test]
async fn the_old_occupants_record_stays_and_is_theirs() {
    let site = village().await;
    let end = placed(&site, "BAD", 30).await;
    move_in(&site, "BAD", 30).await;
    move_in(&site, "BAD", 35).await;
    // A bin that was offline: its reading is of a day before the moves.
    let late = [(1, Body::Deposit(deposit("BAD", 29 * 1_440 + 700)))];
    site.append(&[segment("C9", late)]).await;
    site.fold().await;
    let periods = site.ledger.occupancies("BAD").await.unwrap();
    let bounds: Vec<_> = periods.iter().map(|period| (period.from, period.to)).collect();
    assert_eq!(
        bounds,
        [
            (None, Some(day(29))),
            (Some(day(31)), Some(day(34))),
            (Some(day(36)), None)
        ]
    );
    assert_eq!(periods[1].recorded, Some(("w1".to_owned(), NOW)));
    let mut counts = Vec::new();
    for period in &periods {
        let all = site
            .ledger
            .period_deposits("BAD", period, (day(0), day(60)))
            .await;
        counts.push(all.unwrap().len());
    }
    assert_eq!(counts, [31, 4, 4]);
    let stood = site.ledger.moved_out("BAD", &periods[0]).await.unwrap().unwrap();
    assert_eq!(
        (stood.edition, stood.posterior.score),
        (day(30), end.outcome.score)
    );
    assert!(stood.rated && stood.first_day == Some(day(0)));
    let between = site.ledger.moved_out("BAD", &periods[1]).await.unwrap().unwrap();
    assert_eq!(between.first_day, Some(day(31)));
    assert!(site.ledger.moved_out("BAD", &periods[2]).await.unwrap().is_none());
    assert_eq!(site.ledger.occupancies("FINE").await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_edition_from_before_the_move_is_computed_again_to_the_bit() {
    let site = village().await;
    let edition = second(&site).await;
    let digest = site.ledger.edition_row(edition).await.unwrap().unwrap().digest;
    move_in(&site, "BAD", 30).await;
    assert_eq!(site.ledger.recompute(edition).await.unwrap(), digest);
    notice(&site, edition).await;
    let after = propose(&site, 47).await;
    let digest = site.ledger.edition_row(after).await.unwrap().unwrap().digest;
    act(&site, "w1", NOW, undone("BAD", 30)).await;
    site.fold().await;
    assert_eq!(site.ledger.recompute(after).await.unwrap(), digest);
    assert_eq!(site.ledger.first_day("BAD").await.unwrap(), Some(day(0)));
    assert_eq!(site.ledger.recompute(edition).await.unwrap(), {
        let row = site.ledger.edition_row(edition).await.unwrap();
        row.unwrap().digest
    });
    is_whole(site).await;
}

#[tokio::test]
async fn a_new_occupant_takes_over_no_name_and_no_warning() {
    let site = village().await;
    let edition = second(&site).await;
    notice(&site, edition).await;
    open(&site, edition).await;
    confirm(&site, edition).await;
    publish(&site, edition).await;
    inspected(&site, "I3", "BAD", 42..80, 1_000).await;
    site.fold().await;
    let nothing = States::new();
    let plain = site.ledger.edition(&Rule::V1, day(40), &nothing);
    let chain = plain.await.unwrap().states();
    move_in(&site, "BAD", 41).await;
    let next = propose(&site, 75).await;
    let places = site.ledger.places(next, Status::Grey, 0, 9).await.unwrap();
    let place = &places[0];
    assert_eq!((place.token.as_str(), place.hits, place.notice), ("BAD", 1, true));
    let digest = site.ledger.edition_row(next).await.unwrap().unwrap().digest;
    assert_eq!(site.ledger.recompute(next).await.unwrap(), digest);
    // The computation without people does not either.
    let alone = site.ledger.edition(&Rule::V1, day(75), &chain).await.unwrap();
    assert_eq!(
        (alone.places[0].token.as_str(), alone.places[0].outcome.hits),
        ("BAD", 1)
    );
}

#[tokio::test]
async fn an_edition_that_names_the_one_before_shows_nobody_and_decides_on_nobody() {
    let site = village().await;
    let edition = second(&site).await;
    notice(&site, edition).await;
    act(&site, "g1", NOW, Act::RedOptIn { token: "FINE".into() }).await;
    open(&site, edition).await;
    confirm(&site, edition).await;
    publish(&site, edition).await;
    let public = async |status| {
        let places = site
            .ledger
            .public_places(edition, crate::process::WINDOW, status, 0, 9);
        places.await.unwrap().len()
    };
    assert_eq!((public(Status::Black).await, public(Status::Red).await), (1, 1));
    for token in ["BAD", "FINE"] {
        act(&site, "w1", NOW, moved(token, 20)).await;
        let history = site.ledger.household_editions(token, None, 9).await.unwrap();
        assert_eq!(history, []);
    }
    assert_eq!((public(Status::Black).await, public(Status::Red).await), (0, 0));
    let place = site
        .ledger
        .places(edition, Status::Black, 0, 9)
        .await
        .unwrap()
        .remove(0);
    assert_eq!((place.former, place.shown()), (true, Status::Grey));
    // The consent was that of whoever lived there before.
    let out = Act::RedOptOut { token: "FINE".into() };
    refused(&site, "g2", NOW, out, Why::WrongState).await;
    act(&site, "w1", NOW, undone("BAD", 20)).await;
    act(&site, "w1", NOW, undone("FINE", 20)).await;
    assert_eq!((public(Status::Black).await, public(Status::Red).await), (1, 1));
    site.fold().await;
    is_whole(site).await;
}

#[tokio::test]
async fn people_decide_on_nobody_who_moved_and_objections_name_own_readings() {
    let site = village().await;
    let edition = second(&site).await;
    notice(&site, edition).await;
    open(&site, edition).await;
    act(&site, "w1", NOW, moved("BAD", 41)).await;
    let black = Act::ProposeBlack {
        edition,
        token: "BAD".into(),
    };
    refused(&site, "p1", crate::process::WINDOW, black, Why::WrongState).await;
    refused(
        &site,
        "r1",
        NOW,
        crate::editions::objection(edition),
        Why::WrongState,
    )
    .await;
    inspected(&site, "I3", "BAD", 42..46, 1_000).await;
    site.fold().await;
    let head = site.ledger.head().await.unwrap();
    let next = propose(&site, 47).await;
    notice(&site, next).await;
    let object = |reading| Act::Object {
        edition: next,
        token: "BAD".into(),
        readings: vec![reading],
        words: Words::new("not ours"),
    };
    refused(&site, "r1", NOW, object((1, 35)), Why::NoSuchReading).await;
    act(&site, "r1", NOW, object((head, 0))).await;
}

#[tokio::test]
async fn a_move_is_recorded_once_by_a_person_and_for_a_day_that_has_begun() {
    let site = village().await;
    refused(&site, "system", NOW, moved("BAD", 30), Why::NotAPerson).await;
    refused(&site, "w1", NOW, moved("NOBODY", 30), Why::UnknownHousehold).await;
    refused(&site, "w1", NOW, moved("BAD", 366), Why::InTheFuture).await;
    refused(&site, "w1", NOW, undone("BAD", 30), Why::WrongState).await;
    act(&site, "w1", NOW, moved("BAD", 30)).await;
    let lost = refused(&site, "w2", NOW, moved("BAD", 30), Why::AlreadyDecided).await;
    assert_eq!(lost.winner.unwrap().actor, "w1");
    // Not folded yet: the evidence would be of one occupant and the state of another.
    let early = site
        .ledger
        .propose_edition(&Rule::V1, day(40), NOW, "server-1")
        .await;
    assert_eq!(early.unwrap_err().refused().unwrap().why, Why::NotYet);
    site.fold().await;
    propose(&site, 40).await;
    act(&site, "w2", NOW, undone("BAD", 30)).await;
    act(&site, "w2", NOW, moved("BAD", 30)).await;
    site.fold().await;
    is_whole(site).await;
}
