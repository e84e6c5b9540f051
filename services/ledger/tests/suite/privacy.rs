//! Personal data apart, sealed and erasable: what is in the bytes, what opens, and what is left of whom is erased.

mod copies;

use std::path::Path;

use hemu_ledger::acts::{Act, Actor, Correction, Sha, Why, Words};
use hemu_ledger::people::{NewCode, NewToken, Purpose, SecondFactor};
use hemu_ledger::privacy::{Erased, LookQuery, Over, Until};
use hemu_ledger::read::States;
use hemu_ledger::registry::{Household, HouseholdQuery};
use hemu_ledger::{Dice, Folder, Ledger, Restore, Snapshot};
use hemu_people::{Right, Role, TotpSecret};
use hemu_rules::{Rule, Zone};

use crate::editions::{objection, second, village};
use crate::raw::rows;
use crate::site::{NOW, Site, day, person, run};

const DOOR: &str = "DOOR-4711-Q";
const WORDS: &str = "that bag was not ours";
/// A second factor's twenty bytes.
const SECRET: &str = "SECRET-OF-A-PHONE-20";
const DAY: i64 = 86_400_000;

fn home(token: &str, door: &str) -> Household {
    Household {
        token: token.into(),
        estate: None,
        building: Some("BUILDING-12".into()),
        unit: Some("UNIT-1".into()),
        door: Some(door.into()),
        residents: Some(3),
        station: None,
        created_at: 1,
    }
}

/// Whether some bytes are in any file of a folder, packed or not.
pub(crate) fn found(folder: &Path, needle: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let Ok(bytes) = std::fs::read(&path) else { continue };
        if bytes
            .windows(needle.len())
            .any(|window| window == needle.as_bytes())
        {
            found.push(path.file_name().unwrap().to_string_lossy().into_owned());
        }
    }
    found
}

#[tokio::test]
async fn doors_and_words_are_in_no_file_in_the_clear_and_read_as_written() {
    let site = Site::new().await;
    let homes = [home("H1", DOOR), home("H2", "DOOR-2")];
    assert_eq!(site.ledger.put_households(&homes).await.unwrap(), 2);
    assert_eq!(site.ledger.household("H1").await.unwrap(), Some(homes[0].clone()));
    let site = site.reopen().await;
    assert_eq!(site.ledger.household("H1").await.unwrap(), Some(homes[0].clone()));
    assert!(found(site.dir.path(), DOOR).is_empty());
    let searched = found(site.dir.path(), "BUILDING-12");
    assert!(
        site.folder().is_shared() || !searched.is_empty(),
        "the search itself finds what is there"
    );
    // What is not given stays: the door without the residents, and the other way round.
    let part = Household {
        door: None,
        residents: Some(5),
        ..home("H1", "")
    };
    site.ledger.put_households(&[part]).await.unwrap();
    let both = site.ledger.household("H1").await.unwrap().unwrap();
    assert_eq!((both.door.as_deref(), both.residents), (Some(DOOR), Some(5)));
}

#[tokio::test]
async fn a_household_is_found_by_building_unit_and_the_beginning_of_its_door() {
    let site = Site::new().await;
    let mut homes = Vec::new();
    for (building, unit, door) in [
        ("1", "1", "301"),
        ("12", "1", "301"),
        ("12", "1", "302"),
        ("12", "2", "301"),
        ("1", "2-1", "3"),
    ] {
        homes.push(Household {
            building: Some(building.into()),
            unit: Some(unit.into()),
            door: Some(door.into()),
            ..home(&format!("T{building}/{unit}/{door}"), door)
        });
    }
    homes.push(Household {
        door: None,
        ..home("no door", "")
    });
    site.ledger.put_households(&homes).await.unwrap();
    let find = async |text: &str, limit| {
        let mut tokens = Vec::new();
        loop {
            let find = HouseholdQuery {
                text: Some(text),
                after: tokens.last().map(String::as_str),
                limit,
                ..HouseholdQuery::default()
            };
            let page = site.ledger.households(&find).await.unwrap();
            if page.is_empty() {
                return tokens;
            }
            tokens.extend(page.into_iter().map(|row| row.token));
        }
    };
    for (text, expected) in [
        ("12-1-30", vec!["T12/1/301", "T12/1/302"]),
        ("12-1-302", vec!["T12/1/302"]),
        ("12-", vec!["T12/1/301", "T12/1/302", "T12/2/301"]),
        ("1-2-1-3", vec!["T1/2-1/3"]),
        ("1-", vec!["T1/1/301", "T1/2-1/3"]),
        ("12-1-3011", vec![]),
        ("BUILDING-12", vec![]),
        ("no d", vec!["no door"]),
    ] {
        for limit in [1, 2, 10] {
            assert_eq!(find(text, limit).await, expected, "{text}, {limit} at once");
        }
    }
}

#[tokio::test]
async fn another_key_file_or_none_is_one_clear_sentence() {
    let site = Site::new().await;
    if site.folder().is_shared() {
        return;
    }
    site.ledger.put_households(&[home("H1", DOOR)]).await.unwrap();
    let (folder, key) = (site.folder(), site.folder().secrets().to_owned());
    site.ledger.close().await;
    let elsewhere = site.dir.path().join("elsewhere.key");
    std::fs::rename(&key, &elsewhere).unwrap();
    let refused = Ledger::open(&folder, Zone::SHANGHAI)
        .await
        .unwrap_err()
        .to_string();
    assert!(refused.contains("secrets.key is not there"), "{refused}");
    assert!(!key.exists(), "no other one is made in its place");
    std::fs::write(&key, format!("{}\n", "ab".repeat(32))).unwrap();
    let refused = Ledger::open(&folder, Zone::SHANGHAI)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("not the one") && !refused.contains("abab"),
        "{refused}"
    );
    let moved = Ledger::open(&folder.with_secrets(&elsewhere), Zone::SHANGHAI)
        .await
        .unwrap();
    assert_eq!(moved.household("H1").await.unwrap(), Some(home("H1", DOOR)));
}

/// A site with a household that was warned and objected.
async fn objected() -> (Site, u64) {
    let site = village().await;
    site.ledger
        .put_households(&[home("BAD", DOOR), home("FINE", "DOOR-2")])
        .await
        .unwrap();
    let edition = second(&site).await;
    let notice = Act::Notice { edition, days: 7 };
    site.ledger.act(&person("g1"), NOW, notice).await.unwrap();
    site.ledger
        .act(&person("resident"), NOW, objection(edition))
        .await
        .unwrap();
    (site, edition)
}

fn erase(token: &str) -> Act {
    Act::Erase {
        token: token.into(),
        reason: Words::new("asked for in writing"),
    }
}

async fn words(site: &Site, token: &str) -> Option<String> {
    site.ledger
        .words(&Sha::of(WORDS.as_bytes()), Some(token))
        .await
        .unwrap()
}

#[tokio::test]
async fn whom_a_person_erases_is_in_no_byte_and_nobody_elses_place_moves() {
    let (site, edition) = objected().await;
    assert_eq!(words(&site, "BAD").await.as_deref(), Some(WORDS));
    let rule = Rule::V1;
    let before = site.ledger.edition(&rule, day(40), &States::new()).await.unwrap();
    let refused = site.ledger.act(&Actor::system(), NOW, erase("BAD")).await;
    assert_eq!(refused.unwrap_err().refused().unwrap().why, Why::NotAPerson);
    site.ledger
        .act(&person("keeper"), NOW, erase("BAD"))
        .await
        .unwrap();
    site.fold().await;
    let after = site.ledger.edition(&rule, day(40), &States::new()).await.unwrap();
    assert_eq!(format!("{:?}", before.places), format!("{:?}", after.places));
    assert_eq!(site.ledger.household("BAD").await.unwrap(), None);
    assert_eq!(words(&site, "BAD").await, None);
    for needle in [DOOR, WORDS] {
        assert!(found(site.dir.path(), needle).is_empty(), "{needle}");
    }
    let place = site.ledger.place(edition, "BAD").await.unwrap().unwrap();
    assert!(place.former && place.shown() == hemu_rules::Status::Grey);
    assert!(
        site.ledger
            .household_editions("BAD", None, 9)
            .await
            .unwrap()
            .is_empty()
    );
    // Once is enough, and nothing else can be done about it.
    for act in [erase("BAD"), Act::RedOptIn { token: "BAD".into() }] {
        let refused = site.ledger.act(&person("keeper"), NOW, act).await.unwrap_err();
        assert_eq!(refused.refused().unwrap().why, Why::UnknownHousehold);
    }
    // Nor does an import of the old register bring it back.
    assert_eq!(site.ledger.put_households(&[home("BAD", DOOR)]).await.unwrap(), 0);
    assert!(
        site.ledger.tokens().await.unwrap().contains("BAD"),
        "it stays on the roll"
    );
    site.ledger.verify_chain(|_| ()).await.unwrap();
    assert_eq!(site.ledger.verify_projections(|_| ()).await.unwrap(), None);
    let (site, _) = site.rebuilt().await;
    assert_eq!(site.ledger.household("BAD").await.unwrap(), None);
    assert_eq!(site.ledger.verify_projections(|_| ()).await.unwrap(), None);
}

#[tokio::test]
async fn the_same_words_about_another_household_stay() {
    let (site, edition) = objected().await;
    let same = Act::Lift {
        edition,
        token: "BAD".into(),
        reason: Words::new("asked for in writing"),
    };
    site.ledger.act(&person("g1"), NOW, same).await.unwrap();
    site.ledger
        .act(&person("keeper"), NOW, erase("BAD"))
        .await
        .unwrap();
    let hash = Sha::of(b"asked for in writing");
    assert_eq!(site.ledger.words(&hash, Some("BAD")).await.unwrap(), None);
    let why = site.ledger.words(&hash, None).await.unwrap();
    assert_eq!(
        why.as_deref(),
        Some("asked for in writing"),
        "why it was erased outlasts it"
    );
}

#[tokio::test]
async fn a_correction_keeps_what_was_and_what_is_until_the_household_is_erased() {
    let site = Site::new().await;
    site.ledger.put_households(&[home("H1", DOOR)]).await.unwrap();
    let wrong = Correction {
        door: Some("DOOR-9".into()),
        ..Correction::default()
    };
    site.ledger
        .correct(&person("keeper"), NOW, "H1", wrong.clone())
        .await
        .unwrap();
    let now = site.ledger.household("H1").await.unwrap().unwrap();
    assert_eq!(
        (now.door.as_deref(), now.residents, now.unit.as_deref()),
        (Some("DOOR-9"), Some(3), Some("UNIT-1"))
    );
    let again = site
        .ledger
        .correct(&person("keeper"), NOW, "H1", wrong)
        .await
        .unwrap_err();
    assert_eq!(again.refused().unwrap().why, Why::Malformed);
    let act = site.ledger.acts(None, 1).await.unwrap().remove(0);
    assert_eq!((act.kind.as_str(), act.token.as_deref()), ("correct", Some("H1")));
    let Act::Correct { before, after, .. } = serde_json::from_str(&act.body).unwrap() else {
        panic!("a correction")
    };
    for (written, door) in [(&before, DOOR), (&after, "DOOR-9")] {
        let text = site
            .ledger
            .words(written.hash(), Some("H1"))
            .await
            .unwrap()
            .unwrap();
        assert!(text.contains(door), "{text}");
        // Doors are few: without a salt anybody could try them against the hash.
        assert!(text.contains("\"salt\":\""), "{text}");
    }
    assert!(!act.body.contains("DOOR"));
    site.ledger
        .act(&person("keeper"), NOW, erase("H1"))
        .await
        .unwrap();
    assert_eq!(site.ledger.words(before.hash(), Some("H1")).await.unwrap(), None);
    assert!(found(site.dir.path(), "DOOR-9").is_empty());
    assert_eq!(site.ledger.verify_projections(|_| ()).await.unwrap(), None);
}

#[tokio::test]
async fn looks_are_counted_by_household_account_page_and_day() {
    let site = Site::new().await;
    for (token, actor, at) in [
        ("H1", "p1", NOW),
        ("H1", "p1", NOW + 5),
        ("H1", "p2", NOW),
        ("H2", "p1", NOW),
    ] {
        site.ledger
            .note_look(token, actor, "household", at)
            .await
            .unwrap();
    }
    let find = LookQuery {
        token: Some("H1"),
        limit: 9,
        ..LookQuery::default()
    };
    let looks = site.ledger.looks(&find).await.unwrap();
    let seen: Vec<_> = looks
        .iter()
        .map(|look| (look.actor.as_str(), look.count, look.first_at, look.last_at))
        .collect();
    assert_eq!(seen, [("p1", 2, NOW, NOW + 5), ("p2", 1, NOW, NOW)]);
    let rest = LookQuery {
        after: looks.first(),
        ..find
    };
    assert_eq!(site.ledger.looks(&rest).await.unwrap(), looks[1..]);
}

#[tokio::test]
async fn what_is_over_is_deleted_and_what_is_pending_stays() {
    let (site, _) = objected().await;
    site.ledger.note_look("BAD", "p1", "days", NOW).await.unwrap();
    let today = hemu_rules::Day::of(hemu_rules::Millis::new(NOW).unwrap(), Zone::SHANGHAI);
    let until = |days: i32, words: i64| Until {
        looks: today.plus(days),
        words: NOW + words * DAY,
        logins: NOW,
    };
    let nothing = site.ledger.forget(until(0, 0)).await.unwrap();
    assert_eq!(nothing, Over::default());
    // The objection is not decided: its words are needed, however old.
    let over = site.ledger.forget(until(1, 800)).await.unwrap();
    assert_eq!((over.looks, over.words), (1, 0));
    let objection = site.ledger.objections(&hemu_ledger::acts::ObjectionQuery {
        edition: None,
        pending: true,
        after: None,
        limit: 1,
    });
    let decide = Act::DecideObjection {
        objection: objection.await.unwrap()[0].id,
        upheld: false,
        reason: Words::new("seen on the photo"),
    };
    site.ledger.act(&person("g1"), NOW + DAY, decide).await.unwrap();
    assert_eq!(site.ledger.overdue(until(0, 1)).await.unwrap(), Over::default());
    let over = site.ledger.forget(until(1, 2)).await.unwrap();
    assert_eq!((over.looks, over.words), (0, 2));
    assert_eq!(words(&site, "BAD").await, None);
    assert!(site.folder().is_shared() || found(site.dir.path(), WORDS).is_empty());
    assert_eq!(site.ledger.verify_projections(|_| ()).await.unwrap(), None);
}

#[tokio::test]
async fn what_an_earlier_build_kept_in_the_clear_is_sealed_at_the_first_start_and_left_nowhere() {
    let (site, _) = objected().await;
    // As the migration leaves it: set aside, the columns gone.
    let hash = Sha::of(b"an old text").as_str().to_owned();
    let bytes = if site.folder().is_shared() {
        "bytea"
    } else {
        "blob"
    };
    run(
        &mut site.truth().await,
        &format!(
            "update household set sealed = null; delete from words; delete from household_key;
             insert into unsealed_household values ('BAD', '{DOOR}', 2), ('FINE', null, 4);
             insert into unsealed_words select words, '{WORDS}', 5 from objection;
             insert into unsealed_words values ('{hash}', 'an old text', 6);
             insert into account (name, role, created_at, unsealed_totp)
                 values ('w1', 'inspector', 1, cast('{SECRET}' as {bytes})), ('w2', 'inspector', 1, null)"
        ),
    )
    .await;
    if !site.folder().is_shared() {
        assert!(!found(site.dir.path(), DOOR).is_empty(), "it is there before");
    }
    let site = site.reopen().await;
    let home = async |token| site.ledger.household(token).await.unwrap().unwrap();
    let (bad, good) = (home("BAD").await, home("FINE").await);
    assert_eq!((bad.door.as_deref(), bad.residents), (Some(DOOR), Some(2)));
    assert_eq!((good.door, good.residents), (None, Some(4)));
    assert_eq!(words(&site, "BAD").await.as_deref(), Some(WORDS));
    let nobodys = site.ledger.words(&Sha::of(b"an old text"), None).await.unwrap();
    assert_eq!(nobodys.as_deref(), Some("an old text"));
    let second = async |name| site.ledger.keys(name).await.unwrap().unwrap().second;
    let secret = TotpSecret::kept(SECRET.as_bytes()).unwrap();
    assert!(second("w1").await == SecondFactor::Totp(secret, None));
    assert!(second("w2").await == SecondFactor::None);
    let left = "select (select count(*) from unsealed_household) + (select count(*) from unsealed_words)
        + (select count(*) from account where unsealed_totp is not null)";
    assert_eq!(rows(&mut site.truth().await, left).await, ["Some(0)"]);
    site.ledger
        .act(&person("keeper"), NOW, erase("BAD"))
        .await
        .unwrap();
    if !site.folder().is_shared() {
        for needle in [DOOR, WORDS, SECRET] {
            assert!(found(site.dir.path(), needle).is_empty(), "{needle}");
        }
    }
}

#[tokio::test]
async fn a_second_factor_is_in_no_file_in_the_clear_and_locked_where_its_key_is_gone() {
    let site = Site::new().await;
    let (by, name) = (Actor::operator(), person("w1"));
    let added = site
        .ledger
        .add_account(&by, NOW, (&name, Role::Inspector), Some("x"));
    added.await.unwrap();
    let secret = TotpSecret::kept(SECRET.as_bytes()).unwrap();
    site.ledger.offer_totp("w1", &secret, NOW + 1).await.unwrap();
    assert!(site.ledger.offered_totp("w1", NOW).await.unwrap() == Some(secret.clone()));
    assert!(site.ledger.offered_totp("w1", NOW + 1).await.unwrap().is_none());
    site.ledger.set_totp(&by, NOW, "w1", Some(&secret)).await.unwrap();
    assert!(site.ledger.offered_totp("w1", NOW).await.unwrap().is_none());
    let site = site.reopen().await;
    let second = async || site.ledger.keys("w1").await.unwrap().unwrap().second;
    assert!(second().await == SecondFactor::Totp(secret, None));
    assert!(found(site.dir.path(), SECRET).is_empty());
    // Moved to another account it opens nothing; without its key it is there and nobody's way in.
    let moved = "insert into account (name, role, created_at, totp) select 'w2', role, 1, totp from account";
    run(&mut site.truth().await, moved).await;
    let other = site.ledger.keys("w2").await.unwrap().unwrap().second;
    assert!(other == SecondFactor::Locked);
    run(&mut site.truth().await, "delete from household_key").await;
    assert!(second().await == SecondFactor::Locked);
    assert!(site.ledger.account("w1").await.unwrap().unwrap().has_totp);
}

#[tokio::test]
async fn with_a_household_go_its_codes_and_links_and_the_logins_of_those_who_lived_there() {
    let site = Site::new().await;
    site.ledger
        .put_households(&[home("H1", DOOR), home("H2", "DOOR-2")])
        .await
        .unwrap();
    let code = |of: u8, token| NewCode {
        digest: [of; 32],
        purpose: Purpose::Resident,
        account: None,
        token: Some(token),
    };
    let by = person("root");
    let codes = [code(1, "H1"), code(2, "H2")];
    site.ledger
        .make_codes(&by, NOW, NOW + 1_000, &codes)
        .await
        .unwrap();
    let enter = async |of: u8, name: &str| {
        site.ledger
            .enter(&[of; 32], NOW + 1, &person(name), None)
            .await
            .unwrap()
            .unwrap()
    };
    let (one, two) = (enter(1, "res-1").await, enter(2, "res-2").await);
    let another = [code(3, "H1")];
    site.ledger
        .make_codes(&by, NOW + 1, NOW + 1_000, &another)
        .await
        .unwrap();
    for (of, account) in [(8, &one), (9, &two)] {
        let token = NewToken {
            id: account,
            digest: [of; 32],
            account,
            label: "the phone of Zhang San",
            scopes: &[Right::SeeHouseholds],
            until: NOW + 1_000,
        };
        site.ledger.add_token(&by, NOW + 2, &token).await.unwrap();
        let began = site
            .ledger
            .begin_session(&[of; 32], (account, Role::Resident), None, NOW + 2)
            .await;
        assert!(began.unwrap());
    }
    site.ledger
        .act(&person("keeper"), NOW + 3, erase("H1"))
        .await
        .unwrap();
    let session = async |of: u8| site.ledger.session(&[of; 32], NOW + 4).await.unwrap();
    assert!(session(8).await.is_none() && session(9).await.is_some());
    let tokens = async |of: &str| site.ledger.api_tokens(Some(of)).await.unwrap().len();
    assert_eq!((tokens(&one).await, tokens(&two).await), (0, 1));
    assert!(site.ledger.own_households(&one).await.unwrap().is_empty());
    assert!(
        site.ledger
            .account(&one)
            .await
            .unwrap()
            .unwrap()
            .disabled_at
            .is_some()
    );
    assert!(
        site.ledger
            .account(&two)
            .await
            .unwrap()
            .unwrap()
            .disabled_at
            .is_none()
    );
    assert!(
        site.ledger.code(&[3; 32], NOW + 4).await.unwrap().is_none(),
        "a code that was not used yet"
    );
    assert_eq!(site.ledger.verify_projections(|_| ()).await.unwrap(), None);
}

#[tokio::test]
async fn where_no_randomness_is_to_be_had_nothing_is_sealed_and_nothing_is_stored() {
    let site = Site::new().await;
    if site.folder().is_shared() {
        return;
    }
    site.ledger.close().await;
    let none = Dice::new(|_| Err(std::io::Error::other("no randomness")));
    let ledger = Ledger::open(&site.folder().with_dice(none), Zone::SHANGHAI)
        .await
        .unwrap();
    let refused = ledger
        .put_households(&[home("H1", DOOR)])
        .await
        .unwrap_err()
        .to_string();
    assert!(refused.contains("no randomness"), "{refused}");
    assert_eq!(ledger.count_households(None).await.unwrap(), 0);
}
