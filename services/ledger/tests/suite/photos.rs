//! Which picture goes with a bag that a person graded: noted once, by whoever graded it, and erased with the household.

use hemu_ledger::acts::{Act, Actor, PhotoFate, Why, Words};
use hemu_ledger::entry::{Body, Deposit};
use hemu_ledger::privacy::{TrailQuery, Until};
use hemu_people::{Role, Scope};
use hemu_rules::{By, Day, Millis, Zone};

use crate::site::{NOW, Site, act, day, deposit, of_boot, person, refused, register};

const BOOT: u64 = 7;
const PHOTO: &str = "PHOTO-OF-A-BAG-0042";

/// Under which name an account's readings stand.
async fn handset(site: &Site, account: &str) -> String {
    let key = site.ledger.site_key([7; 32]).await.unwrap();
    hemu_people::handset(account, key.bytes())
}

/// Bags that `p1` graded on a phone, from number 1 on, a day each.
async fn graded(households: &[Option<&'static str>]) -> Site {
    let site = Site::new().await;
    register(&site, &["H1", "H2"]).await;
    let body = |(nth, household): (i64, Option<&'static str>)| {
        let body = Body::Deposit(Deposit {
            household,
            by: By::Inspector,
            ..deposit("", nth * 1_440 + 600)
        });
        (nth.cast_unsigned() + 1, body)
    };
    let phone = handset(&site, "p1").await;
    site.append(&[of_boot(
        &phone,
        BOOT,
        (0..).zip(households.iter().copied()).map(body),
    )])
    .await;
    site.fold().await;
    site
}

async fn name(site: &Site, account: &str, photos: &[(u64, &str)]) -> Vec<PhotoFate> {
    let photos: Vec<_> = photos
        .iter()
        .map(|(seq, photo)| (*seq, (*photo).to_owned()))
        .collect();
    let account = person(account);
    let named = site.ledger.name_photos(&account, NOW, BOOT, &photos);
    named.await.unwrap()
}

/// What the household's readings show, oldest first.
async fn shown(site: &Site, token: &str) -> Vec<Option<String>> {
    let sight = site.ledger.seen_by(Scope::Everyone);
    let seen = sight.household(token).await.unwrap().unwrap();
    let deposits = seen.deposits(day(0), day(30)).await.unwrap();
    let photos = seen.photos(&deposits).await.unwrap();
    let photo = |place| photos.get(place).cloned();
    deposits.iter().map(|row| photo(&row.place)).collect()
}

async fn acts(site: &Site) -> Vec<String> {
    let acts = site.ledger.acts(None, 99).await.unwrap();
    acts.into_iter().map(|act| act.kind).collect()
}

#[tokio::test]
async fn the_first_reference_stays_however_often_it_is_sent() {
    let site = graded(&[Some("H1"), Some("H1"), Some("H2")]).await;
    let first = name(&site, "p1", &[(1, PHOTO), (1, "another"), (1, PHOTO), (3, PHOTO)]).await;
    let (noted, stays) = (PhotoFate::Noted, PhotoFate::FirstStays);
    assert_eq!(first, [noted, stays, noted, noted]);
    let head = site.ledger.head().await.unwrap();
    assert_eq!(
        name(&site, "p1", &[(1, PHOTO), (3, "another")]).await,
        [noted, stays]
    );
    assert_eq!(
        site.ledger.head().await.unwrap(),
        head,
        "nothing more is in the journal"
    );
    assert_eq!(shown(&site, "H1").await, [Some(PHOTO.to_owned()), None]);
    assert_eq!(shown(&site, "H2").await, [Some(PHOTO.to_owned())]);
    assert_eq!(acts(&site).await, ["name_photo", "name_photo"]);
    assert_eq!(site.ledger.verify_projections(|_| ()).await.unwrap(), None);
    let (site, _) = site.rebuilt().await;
    assert_eq!(shown(&site, "H1").await, [Some(PHOTO.to_owned()), None]);
}

#[tokio::test]
async fn it_is_noted_with_the_accounts_own_reading_of_a_household_that_is_there() {
    let site = graded(&[Some("H1"), None, Some("unregistered"), Some("H2"), Some("H2")]).await;
    let head = site.ledger.head().await.unwrap();
    let not_kept = PhotoFate::NotKept;
    assert_eq!(
        name(&site, "p2", &[(1, PHOTO)]).await,
        [not_kept],
        "another's reading"
    );
    let nothing = name(&site, "p1", &[(2, PHOTO), (3, PHOTO), (99, PHOTO)]).await;
    assert_eq!(nothing, [not_kept; 3]);
    assert_eq!(site.ledger.head().await.unwrap(), head);
    // Numbers 4 and 5 are of the fourth and the fifth day; whoever lives there now came on the fourth.
    let moved = Act::MovedIn {
        token: "H2".into(),
        day: day(3),
    };
    act(&site, "g1", NOW, moved).await;
    site.fold().await;
    let fates = name(&site, "p1", &[(4, PHOTO), (5, PHOTO)]).await;
    assert_eq!(fates, [not_kept, PhotoFate::Noted]);
    assert_eq!(shown(&site, "H2").await, [Some(PHOTO.to_owned())]);
}

#[tokio::test]
async fn it_is_erased_with_the_household_and_the_journal_says_neither_what_nor_who() {
    let site = graded(&[Some("H1")]).await;
    name(&site, "p1", &[(1, PHOTO)]).await;
    let newest = TrailQuery {
        limit: 1,
        ..TrailQuery::default()
    };
    let line = site.ledger.trail(&newest).await.unwrap().remove(0);
    assert_eq!(line.act.actor, handset(&site, "p1").await, "not the account");
    assert_eq!((line.why, line.after.as_deref()), (None, Some(PHOTO)));
    assert!(
        !line.act.body.contains(PHOTO) && !line.act.body.contains("p1"),
        "{}",
        line.act.body
    );
    let Act::NamePhoto { reference, .. } = serde_json::from_str(&line.act.body).unwrap() else {
        panic!("a photo that was named: {}", line.act.body)
    };
    let kept = site.ledger.words(reference.hash(), Some("H1")).await.unwrap();
    // A camera's numbers could be tried against a hash that is not salted.
    assert!(kept.unwrap().contains("\"salt\":\""));
    let subject = site.ledger.subject("H1", NOW).await.unwrap().unwrap();
    assert_eq!(subject["readings"][0]["photo"], PHOTO);
    assert_eq!(subject["trail"][0]["after"], PHOTO);
    let erase = Act::Erase {
        token: "H1".into(),
        reason: Words::new("asked for in writing"),
    };
    act(&site, "keeper", NOW, erase).await;
    assert_eq!(
        site.ledger.words(reference.hash(), Some("H1")).await.unwrap(),
        None
    );
    assert_eq!(name(&site, "p1", &[(1, PHOTO)]).await, [PhotoFate::NotKept]);
    assert!(crate::privacy::found(site.dir.path(), PHOTO).is_empty());
    assert_eq!(site.ledger.verify_projections(|_| ()).await.unwrap(), None);
}

#[tokio::test]
async fn what_is_over_is_shown_no_more_and_nothing_takes_its_place() {
    let site = graded(&[Some("H1")]).await;
    name(&site, "p1", &[(1, PHOTO)]).await;
    let today = Day::of(Millis::clamped(NOW), Zone::SHANGHAI);
    let until = Until {
        looks: today,
        words: NOW + 1,
        logins: NOW,
    };
    assert_eq!(site.ledger.forget(until).await.unwrap().words, 1);
    assert_eq!(shown(&site, "H1").await, [None]);
    assert_eq!(name(&site, "p1", &[(1, PHOTO)]).await, [PhotoFate::FirstStays]);
}

#[tokio::test]
async fn only_whoever_grades_bags_names_a_photo_and_only_of_what_was_graded() {
    let site = graded(&[Some("H1")]).await;
    for (account, role) in [("p1", Role::Auditor), ("p2", Role::Volunteer)] {
        let (by, name) = (Actor::operator(), person(account));
        let added = site.ledger.add_account(&by, NOW, (&name, role), None);
        added.await.unwrap();
    }
    let photos = [(1, PHOTO.to_owned())];
    let denied = site.ledger.name_photos(&person("p1"), NOW, BOOT, &photos).await;
    assert_eq!(denied.unwrap_err().refused().unwrap().why, Why::NotYourDuty);
    let by_hand = Act::NamePhoto {
        token: "H1".into(),
        reading: (1, 0),
        reference: Words::new(PHOTO),
    };
    refused(&site, "p2", NOW, by_hand, Why::Malformed).await;
    assert_eq!(shown(&site, "H1").await, [None]);
}
