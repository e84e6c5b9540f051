//! An edition as a due process: what is proposed, who may take which step, and what the machine can never do.

use std::ops::Range;

use hemu_ledger::acts::{Act, Audience, EditionState, Sha, Why, Words};
use hemu_ledger::entry::{Body, Deposit};
use hemu_rules::{Bp, By, Rule, Status};

use crate::site::{NOW, Site, act, day, deposit, person, refused, register, run, segment};

pub(crate) const DAY: i64 = 86_400_000;

/// Forty days of two households that an inspector looked at: one sorts badly, one well. Batch 1 holds the bad one's.
pub(crate) async fn village() -> Site {
    settled(Site::new().await).await
}

/// The same at a site that is there already.
pub(crate) async fn settled(site: Site) -> Site {
    register(&site, &["BAD", "FINE", "NEW"]).await;
    inspected(&site, "I1", "BAD", 0..40, 1_000).await;
    inspected(&site, "I2", "FINE", 0..40, 9_800).await;
    site.fold().await;
    site
}

/// A batch of an inspector's readings of one household, one a day.
pub(crate) async fn inspected(site: &Site, device: &str, token: &str, days: Range<i64>, quality: i64) {
    let body = |nth: i64| {
        Body::Deposit(Deposit {
            by: By::Inspector,
            quality: Bp::clamped(quality),
            ..deposit(token, nth * 1_440 + 600)
        })
    };
    let records = days.map(|nth| (nth.cast_unsigned() + 1, body(nth)));
    site.append(&[segment(device, records)]).await;
}

pub(crate) async fn propose(site: &Site, nth: i64) -> u64 {
    let proposed = site.ledger.propose_edition(&Rule::V1, day(nth), NOW, "server-1");
    proposed.await.unwrap()
}

/// The second edition, in which BAD is black; the first one's notices were given.
pub(crate) async fn second(site: &Site) -> u64 {
    let first = propose(site, 33).await;
    act(
        site,
        "system",
        NOW,
        Act::Notice {
            edition: first,
            days: 7,
        },
    )
    .await;
    propose(site, 40).await
}

pub(crate) fn objection(edition: u64) -> Act {
    Act::Object {
        edition,
        token: "BAD".into(),
        readings: vec![(1, 35), (1, 36)],
        words: Words::new("that bag was not ours"),
    }
}

pub(crate) async fn state(site: &Site, edition: u64) -> EditionState {
    site.ledger.edition_row(edition).await.unwrap().unwrap().state
}

#[tokio::test]
async fn from_draft_to_published_and_expired() {
    let site = village().await;
    let edition = second(&site).await;
    let row = site.ledger.edition_row(edition).await.unwrap().unwrap();
    assert_eq!((row.state, row.counts), (EditionState::Draft, [1, 1, 0, 1]));
    let bad = || "BAD".to_owned();
    let (propose_black, confirm) = (
        Act::ProposeBlack {
            edition,
            token: bad(),
        },
        Act::ConfirmBlack {
            edition,
            token: bad(),
        },
    );
    refused(&site, "p1", NOW, propose_black.clone(), Why::WrongState).await;
    refused(&site, "r1", NOW, objection(edition), Why::NotYet).await;
    act(&site, "system", NOW, Act::Notice { edition, days: 7 }).await;
    refused(
        &site,
        "system",
        NOW,
        Act::Notice { edition, days: 7 },
        Why::AlreadyDecided,
    )
    .await;
    refused(&site, "system", NOW, Act::Open { edition }, Why::NotYet).await;
    let later = NOW + 7 * DAY;
    refused(&site, "r1", later, objection(edition), Why::WindowClosed).await;
    act(&site, "system", later, Act::Open { edition }).await;
    refused(&site, "system", later, propose_black.clone(), Why::NotAPerson).await;
    refused(&site, "p1", later, confirm.clone(), Why::WrongState).await;
    let good = Act::ProposeBlack {
        edition,
        token: "FINE".into(),
    };
    refused(&site, "p1", later, good, Why::WrongState).await;
    act(&site, "p1", later, propose_black.clone()).await;
    refused(&site, "p2", later, propose_black, Why::AlreadyDecided).await;
    refused(&site, "p1", later, confirm.clone(), Why::SamePerson).await;
    act(&site, "p2", later, confirm).await;
    refused(&site, "p1", later, Act::Publish { edition }, Why::WrongState).await;
    let basis = Words::new("the village's covenant, article 9");
    let publication = |expires_at| Act::ProposePublication {
        edition,
        basis: basis.clone(),
        audience: Audience::Masked,
        expires_at,
    };
    refused(&site, "p1", later, publication(later), Why::Malformed).await;
    act(&site, "p1", later, publication(later + 7 * DAY)).await;
    refused(&site, "p1", later, Act::Publish { edition }, Why::SamePerson).await;
    refused(&site, "system", later, Act::Publish { edition }, Why::NotAPerson).await;
    act(&site, "p2", later, Act::Publish { edition }).await;
    let public = async |now, status| {
        site.ledger
            .public_places(edition, now, status, 0, 9)
            .await
            .unwrap()
            .len()
    };
    assert_eq!(
        (
            public(later, Status::Black).await,
            public(later, Status::Red).await
        ),
        (1, 0)
    );
    act(&site, "g1", later, Act::RedOptIn { token: "FINE".into() }).await;
    assert_eq!(public(later, Status::Red).await, 1);
    let end = later + 7 * DAY;
    assert_eq!(public(end, Status::Black).await, 0);
    refused(&site, "system", end - 1, Act::Expire { edition }, Why::NotYet).await;
    act(&site, "system", end, Act::Expire { edition }).await;
    assert_eq!(state(&site, edition).await, EditionState::Expired);
    assert_eq!(site.ledger.verify_projections(|_| ()).await.unwrap(), None);
    let (site, _) = site.rebuilt().await;
    // With that of p2, who proposed the name too late.
    assert_eq!(site.ledger.acts_of(edition, None, 99).await.unwrap().len(), 9);
}

/// An account's readings stand under the name of its handset, not under its own.
#[tokio::test]
async fn whoever_graded_on_a_phone_does_not_decide_on_it() {
    let site = village().await;
    let key = site.ledger.site_key([7; 32]).await.unwrap();
    let phone = hemu_people::handset("p1", key.bytes());
    inspected(&site, &phone, "BAD", 30..38, 1_000).await;
    site.fold().await;
    let edition = second(&site).await;
    act(&site, "system", NOW, Act::Notice { edition, days: 7 }).await;
    let graded = Act::Object {
        edition,
        token: "BAD".into(),
        readings: vec![(3, 0)],
        words: Words::new("that bag was not ours"),
    };
    let objection = act(&site, "r1", NOW + DAY, graded).await;
    let decide = || Act::DecideObjection {
        objection,
        upheld: false,
        reason: Words::new("seen on the photo"),
    };
    refused(&site, "p1", NOW + DAY, decide(), Why::SamePerson).await;
    act(&site, "p2", NOW + DAY, decide()).await;
}

#[tokio::test]
async fn an_upheld_objection_strikes_and_corrects() {
    let site = village().await;
    let edition = second(&site).await;
    act(&site, "system", NOW, Act::Notice { edition, days: 7 }).await;
    let id = act(&site, "r1", NOW + DAY, objection(edition)).await;
    refused(&site, "r1", NOW + DAY, objection(edition), Why::AlreadyDecided).await;
    let pending = site
        .ledger
        .household_editions("BAD", None, 1)
        .await
        .unwrap()
        .remove(0);
    assert_eq!(
        (pending.deadline, pending.place.unwrap().shown()),
        (None, Status::Grey)
    );
    let decide = || Act::DecideObjection {
        objection: id,
        upheld: true,
        reason: Words::new("seen on the photo"),
    };
    refused(&site, "r1", NOW + DAY, decide(), Why::SamePerson).await;
    refused(&site, "I1", NOW + DAY, decide(), Why::SamePerson).await;
    let (one, other) = (site.ledger.clone(), site.ledger.clone());
    let (p1, p2) = (person("p1"), person("p2"));
    let both = tokio::join!(
        one.act(&p1, NOW + DAY, decide()),
        other.act(&p2, NOW + DAY, decide())
    );
    let lost = both
        .0
        .as_ref()
        .err()
        .or(both.1.as_ref().err())
        .unwrap()
        .refused()
        .unwrap();
    assert!(both.0.is_ok() != both.1.is_ok() && lost.winner.is_some() && lost.why == Why::AlreadyDecided);
    site.fold().await;
    assert!(site.ledger.reopened().await.unwrap().contains(&edition));
    let revision = site.ledger.revise(edition, NOW + DAY, "server-1").await.unwrap();
    assert_eq!(state(&site, edition).await, EditionState::Superseded);
    assert_eq!(state(&site, revision).await, EditionState::Noticed);
    assert_eq!(site.ledger.verify_projections(|_| ()).await.unwrap(), None);
    let hash = Sha::of(b"that bag was not ours");
    assert!(
        site.ledger.erase_words(&hash).await.unwrap()
            && site.ledger.words(&hash, Some("BAD")).await.unwrap().is_none()
    );
}

#[tokio::test]
async fn an_edition_is_computed_again_to_the_bit_whatever_came_after() {
    let site = village().await;
    let edition = second(&site).await;
    let digest = site.ledger.edition_row(edition).await.unwrap().unwrap().digest;
    register(&site, &["LATER"]).await;
    act(&site, "p1", NOW, Act::strike((1, 5), "seen myself")).await;
    site.append(&[segment("I2", [(41, Body::Deposit(deposit("BAD", 999)))])])
        .await;
    site.fold().await;
    assert_eq!(site.ledger.recompute(edition).await.unwrap(), digest);
    let future = site
        .ledger
        .propose_edition(&Rule::V1, day(900), NOW, "s")
        .await
        .unwrap_err();
    assert_eq!(future.refused().unwrap().why, Why::InTheFuture);
    let again = site
        .ledger
        .propose_edition(&Rule::V1, day(40), NOW, "s")
        .await
        .unwrap_err();
    assert_eq!(again.refused().unwrap().why, Why::AlreadyDecided);
}

#[tokio::test]
async fn a_tampered_place_or_edition_is_found() {
    for change in [
        "update place set status = 1 where token = 'FINE'",
        "update edition set state = 'published'",
    ] {
        let site = village().await;
        second(&site).await;
        run(&mut site.truth().await, change).await;
        assert!(
            site.ledger.verify_projections(|_| ()).await.unwrap().is_some(),
            "{change}"
        );
    }
}
