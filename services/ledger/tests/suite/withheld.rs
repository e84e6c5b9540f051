//! What keeps a name from the list, or takes it off again, beyond the steps of its own edition.

use std::time::Duration;

use hemu_ledger::acts::{Act, Audience, EditionQuery, EditionState, Why, Words};
use hemu_ledger::entry::Body;
use hemu_rules::{Rule, Status};

use crate::editions::{DAY, inspected, objection, propose, second, state, village};
use crate::process::{WINDOW, confirm, lift, notice, open, publication, publish, retract, revise_all};
use crate::site::{NOW, Site, act, day, deposit, person, refused, register, segment};

/// A reading of an early day from a bin that had no connection for long, in a batch of its own.
async fn came(site: &Site, token: &str) {
    let body = Body::Deposit(deposit(token, 600));
    site.append(&[segment(token, [(1, body)])]).await;
}

fn black(edition: u64) -> Act {
    let token = "BAD".to_owned();
    Act::ProposeBlack { edition, token }
}

async fn public(site: &Site, edition: u64) -> usize {
    let places = site.ledger.public_places(edition, WINDOW, Status::Black, 0, 9);
    places.await.unwrap().len()
}

/// An edition told and opened in which BAD is black.
async fn deciding(site: &Site) -> u64 {
    let edition = second(site).await;
    notice(site, edition).await;
    open(site, edition).await;
    edition
}

/// The same with BAD confirmed.
async fn confirmed(site: &Site) -> u64 {
    let edition = deciding(site).await;
    confirm(site, edition).await;
    edition
}

#[tokio::test]
async fn an_edition_waits_until_struck_readings_are_folded() {
    let site = village().await;
    act(&site, "p1", NOW, Act::strike((1, 5), "seen myself")).await;
    let early = site.ledger.propose_edition(&Rule::V1, day(33), NOW, "server-1");
    let early = early.await.unwrap_err();
    assert_eq!(early.refused().unwrap().why, Why::NotYet);
    assert!(
        site.ledger
            .editions(&EditionQuery::newest(9))
            .await
            .unwrap()
            .is_empty()
    );
    site.fold().await;
    propose(&site, 33).await;
}

#[tokio::test]
async fn while_folding_stands_still_no_edition_is_computed() {
    let site = village().await;
    // What people did is folded later too, and is no reading.
    act(&site, "p1", NOW, Act::RedOptIn { token: "FINE".into() }).await;
    propose(&site, 33).await;
    came(&site, "FINE").await;
    let impatient = site.ledger.waiting(Duration::ZERO);
    let early = impatient.propose_edition(&Rule::V1, day(40), NOW, "server-1");
    assert_eq!(early.await.unwrap_err().refused().unwrap().why, Why::NotFolded);
    // Whoever has patience is served when it is folded.
    let (edition, ()) = tokio::join!(propose(&site, 40), site.fold());
    assert_eq!(state(&site, edition).await, EditionState::Draft);
}

#[tokio::test]
async fn nobody_is_named_before_what_came_later_was_counted() {
    let site = village().await;
    let edition = deciding(&site).await;
    came(&site, "BAD").await;
    let (impatient, actor) = (site.ledger.waiting(Duration::ZERO), person("p1"));
    let unfolded = impatient.act(&actor, WINDOW, black(edition)).await;
    assert_eq!(unfolded.unwrap_err().refused().unwrap().why, Why::NotFolded);
    site.fold().await;
    let late = refused(&site, "p1", WINDOW, black(edition), Why::CameLater).await;
    assert!(late.sentence.contains("came after"), "{late:?}");
}

#[tokio::test]
async fn a_list_is_not_published_with_a_name_of_which_something_came_later() {
    let site = village().await;
    let edition = confirmed(&site).await;
    act(&site, "p1", WINDOW, publication(edition)).await;
    came(&site, "BAD").await;
    let (impatient, actor) = (site.ledger.waiting(Duration::ZERO), person("p2"));
    let unfolded = impatient.act(&actor, WINDOW, Act::Publish { edition }).await;
    assert_eq!(unfolded.unwrap_err().refused().unwrap().why, Why::NotFolded);
    site.fold().await;
    let outdated = refused(&site, "p2", WINDOW, Act::Publish { edition }, Why::NameOutdated).await;
    assert!(outdated.sentence.contains("BAD"), "{outdated:?}");
    // It goes without the name.
    let off = Act::Lift {
        edition,
        token: "BAD".to_owned(),
        reason: Words::new("something came later"),
    };
    act(&site, "p1", WINDOW, off).await;
    act(&site, "p2", WINDOW, Act::Publish { edition }).await;
    assert_eq!(public(&site, edition).await, 0);
}

/// Two good weeks after the edition, and the list that they are in.
async fn sorted_better(site: &Site) -> u64 {
    inspected(site, "I3", "BAD", 40..54, 9_800).await;
    site.fold().await;
    let newer = propose(site, 54).await;
    let place = site.ledger.place(newer, "BAD").await.unwrap();
    assert!(place.is_none_or(|place| place.status != Status::Black));
    newer
}

#[tokio::test]
async fn nobody_is_named_by_an_older_list_than_the_one_that_clears_them() {
    let site = village().await;
    let edition = deciding(&site).await;
    let newer = sorted_better(&site).await;
    let cleared = refused(&site, "p1", WINDOW, black(edition), Why::CameLater).await;
    assert!(
        cleared.sentence.contains(&format!("edition {newer}")),
        "{cleared:?}"
    );
}

#[tokio::test]
async fn nor_is_a_list_published_with_a_name_that_a_newer_one_clears() {
    let site = village().await;
    let edition = confirmed(&site).await;
    act(&site, "p1", WINDOW, publication(edition)).await;
    let newer = sorted_better(&site).await;
    refused(&site, "p2", WINDOW, Act::Publish { edition }, Why::NameOutdated).await;
    // One that was taken back says nothing.
    act(&site, "p1", WINDOW, retract(newer)).await;
    act(&site, "p2", WINDOW, Act::Publish { edition }).await;
    assert_eq!(public(&site, edition).await, 1);
}

#[tokio::test]
async fn nobody_is_named_on_a_warning_that_was_taken_back() {
    let site = village().await;
    let first = propose(&site, 33).await;
    notice(&site, first).await;
    let edition = propose(&site, 40).await;
    act(&site, "p1", NOW, retract(first)).await;
    notice(&site, edition).await;
    open(&site, edition).await;
    let warned = refused(&site, "p1", WINDOW, black(edition), Why::CameLater).await;
    assert!(warned.sentence.contains("taken back"), "{warned:?}");
}

#[tokio::test]
async fn nobody_is_named_by_a_card_that_is_lost() {
    let site = village().await;
    let edition = deciding(&site).await;
    // After the days of the edition, which is as it was.
    let (token, since) = ("BAD".to_owned(), NOW);
    act(&site, "w1", NOW, Act::CardLost { token, since }).await;
    let lost = refused(&site, "p1", WINDOW, black(edition), Why::CameLater).await;
    assert!(lost.sentence.contains("card"), "{lost:?}");
}

#[tokio::test]
async fn nobody_is_named_while_readings_are_set_aside_for_a_conflict() {
    let site = village().await;
    let edition = deciding(&site).await;
    // Another content under a number that the inspector's device used.
    let other = Body::Deposit(deposit("FINE", 5));
    site.append(&[segment("I1", [(36, other)])]).await;
    site.fold().await;
    let aside = refused(&site, "p1", WINDOW, black(edition), Why::CameLater).await;
    assert!(aside.sentence.contains("device I1"), "{aside:?}");
}

#[tokio::test]
async fn a_name_that_was_taken_off_elsewhere_is_shown_no_more() {
    let site = village().await;
    let edition = confirmed(&site).await;
    publish(&site, edition).await;
    let next = propose(&site, 47).await;
    assert_eq!(public(&site, edition).await, 1);
    act(&site, "p1", WINDOW, lift(next, "BAD")).await;
    assert_eq!(public(&site, edition).await, 0);
    let place = site.ledger.place(edition, "BAD").await.unwrap().unwrap();
    assert_eq!(place.shown(), Status::Grey);
}

#[tokio::test]
async fn a_name_that_was_taken_off_is_not_back_when_its_list_is_computed_anew() {
    let site = village().await;
    let edition = deciding(&site).await;
    act(&site, "p1", WINDOW, lift(edition, "BAD")).await;
    act(&site, "p1", WINDOW, retract(edition)).await;
    let again = propose(&site, 40).await;
    act(
        &site,
        "system",
        WINDOW,
        Act::Notice {
            edition: again,
            days: 7,
        },
    )
    .await;
    let later = WINDOW + 7 * DAY;
    act(&site, "system", later, Act::Open { edition: again }).await;
    let off = refused(&site, "p1", later, black(again), Why::CameLater).await;
    assert!(off.sentence.contains("taken off"), "{off:?}");
}

#[tokio::test]
async fn nobody_is_named_on_half_of_the_readings_after_a_move_that_was_none() {
    let site = village().await;
    let (token, moved) = ("BAD".to_owned(), day(2));
    act(&site, "p1", NOW, Act::MovedIn { token, day: moved }).await;
    site.fold().await;
    let edition = deciding(&site).await;
    let token = "BAD".to_owned();
    act(&site, "p1", NOW, Act::MoveUndone { token, day: moved }).await;
    site.fold().await;
    refused(&site, "p1", WINDOW, black(edition), Why::WrongState).await;
}

#[tokio::test]
async fn nobody_is_named_to_everybody_by_what_is_anothers_too() {
    let site = village().await;
    let edition = confirmed(&site).await;
    act(&site, "p1", WINDOW, publication(edition)).await;
    register(&site, &["NOTBAD"]).await;
    let alike = refused(&site, "p2", WINDOW, Act::Publish { edition }, Why::NameAlike).await;
    assert!(alike.sentence.contains("BAD"), "{alike:?}");
}

#[tokio::test]
async fn what_others_did_or_what_is_of_a_later_day_withholds_nobodys_name() {
    let site = village().await;
    let edition = deciding(&site).await;
    came(&site, "FINE").await;
    let later = Body::Deposit(deposit("BAD", 40 * 1_440));
    site.append(&[segment("late", [(1, later)])]).await;
    site.fold().await;
    confirm(&site, edition).await;
}

#[tokio::test]
async fn nobody_is_named_on_a_warning_whose_readings_were_struck_when_its_list_was_over() {
    let site = village().await;
    let first = propose(&site, 33).await;
    notice(&site, first).await;
    open(&site, first).await;
    publish(&site, first).await;
    let (edition, system) = (first, "system");
    act(&site, system, WINDOW + 30 * DAY, Act::Expire { edition }).await;
    propose(&site, 40).await;
    act(&site, "p3", WINDOW, Act::strike((1, 5), "seen myself")).await;
    site.fold().await;
    let edition = revise_all(&site).await;
    notice(&site, edition).await;
    open(&site, edition).await;
    let tainted = refused(&site, "p1", WINDOW, black(edition), Why::CameLater).await;
    assert!(
        tainted.sentence.contains("began or ceased to count"),
        "{tainted:?}"
    );
}

#[tokio::test]
async fn an_objection_to_last_week_withholds_this_weeks_name() {
    let site = village().await;
    let edition = second(&site).await;
    notice(&site, edition).await;
    let next = propose(&site, 47).await;
    notice(&site, next).await;
    let id = act(&site, "r1", NOW + DAY, objection(edition)).await;
    open(&site, next).await;
    refused(&site, "p1", WINDOW, black(next), Why::NotYet).await;
    let rejected = Act::DecideObjection {
        objection: id,
        upheld: false,
        reason: Words::new("the photo shows the bag and the card"),
    };
    act(&site, "p2", WINDOW, rejected).await;
    confirm(&site, next).await;
    publish(&site, next).await;
    assert_eq!(public(&site, next).await, 1);
}

#[tokio::test]
async fn a_name_is_confirmed_a_week_after_its_warning_at_the_earliest() {
    let site = village().await;
    let edition = second(&site).await;
    let days = 1;
    act(&site, "system", NOW, Act::Notice { edition, days }).await;
    act(&site, "system", NOW + DAY, Act::Open { edition }).await;
    refused(&site, "p1", NOW + DAY, black(edition), Why::NotYet).await;
    refused(&site, "p1", WINDOW - 1, black(edition), Why::NotYet).await;
    act(&site, "p1", WINDOW, black(edition)).await;
}

#[tokio::test]
async fn a_newer_list_ends_the_older_one_and_never_the_other_way_round() {
    let site = village().await;
    let edition = confirmed(&site).await;
    publish(&site, edition).await;
    assert_eq!(public(&site, edition).await, 1);
    let next = propose(&site, 47).await;
    notice(&site, next).await;
    open(&site, next).await;
    publish(&site, next).await;
    assert_eq!(state(&site, edition).await, EditionState::Expired);
    assert_eq!(public(&site, edition).await, 0);

    let site = village().await;
    let edition = confirmed(&site).await;
    let next = propose(&site, 47).await;
    notice(&site, next).await;
    open(&site, next).await;
    publish(&site, next).await;
    let first = Act::ProposePublication {
        edition,
        basis: Words::new("the village's covenant, article 9"),
        audience: Audience::Masked,
        expires_at: WINDOW + 30 * DAY,
    };
    act(&site, "p1", WINDOW, first).await;
    let lost = refused(&site, "p2", WINDOW, Act::Publish { edition }, Why::AlreadyDecided).await;
    assert_eq!(lost.winner.unwrap().what, "publish");
}

#[tokio::test]
async fn a_list_is_public_for_ninety_days_at_most() {
    let site = village().await;
    let edition = confirmed(&site).await;
    let until = |expires_at| Act::ProposePublication {
        edition,
        basis: Words::new("the village's covenant, article 9"),
        audience: Audience::Masked,
        expires_at,
    };
    let late = WINDOW + 90 * DAY;
    refused(&site, "p1", WINDOW, until(late + 1), Why::Malformed).await;
    act(&site, "p1", WINDOW, until(late)).await;
}

#[tokio::test]
async fn whatever_changes_what_counts_reopens_the_lists_that_looked_at_it() {
    let site = village().await;
    act(&site, "p1", NOW, Act::strike((2, 5), "seen myself")).await;
    site.fold().await;
    let edition = confirmed(&site).await;
    publish(&site, edition).await;
    let reading = (2, 5);
    act(&site, "p1", WINDOW, Act::Restore { reading }).await;
    assert_eq!(public(&site, edition).await, 0, "a good reading counts again");
    site.fold().await;
    let first = site.ledger.reopened().await.unwrap()[0];
    site.ledger.revise(first, WINDOW, "server-1").await.unwrap();
    assert_eq!(site.ledger.reopened().await.unwrap(), [edition]);

    let site = village().await;
    let edition = confirmed(&site).await;
    publish(&site, edition).await;
    let lost = |since| Act::CardLost {
        token: "BAD".into(),
        since,
    };
    refused(&site, "system", WINDOW, lost(NOW - 360 * DAY), Why::NotAPerson).await;
    act(&site, "p1", WINDOW, lost(NOW - 360 * DAY)).await;
    assert_eq!(public(&site, edition).await, 0);
    assert!(site.ledger.reopened().await.unwrap().contains(&edition));
}

#[tokio::test]
async fn a_warning_taken_off_takes_off_what_was_computed_from_it() {
    let site = village().await;
    let first = propose(&site, 33).await;
    notice(&site, first).await;
    let edition = propose(&site, 40).await;
    notice(&site, edition).await;
    let lift = Act::Lift {
        edition: first,
        token: "BAD".into(),
        reason: Words::new("the bag was a neighbour's"),
    };
    act(&site, "p1", NOW, lift).await;
    open(&site, edition).await;
    refused(&site, "p2", WINDOW, black(edition), Why::AlreadyDecided).await;
    assert_eq!(site.ledger.verify_projections(|_| ()).await.unwrap(), None);
}
