//! What pages, doctors and exports ask beyond what other tests here do: each question is put to both stores.

use std::collections::BTreeSet;

use hemu_ledger::acts::Act;
use hemu_ledger::entry::{Body, Deposit};
use hemu_ledger::privacy::{HeldRows, LookQuery};
use hemu_ledger::read::{BagsSeen, BuildingNames, States};
use hemu_ledger::registry::{Household, Station};
use hemu_rules::{Bp, By, Rule};

use crate::editions::{DAY, propose, second, village};
use crate::process::{WINDOW, confirm, notice, open, publish};
use crate::site::{NOW, Site, act, day, deposit, segment};

/// A camera reads what an inspector saw of FINE, ten days of the village's last, five points lower.
async fn with_a_camera() -> Site {
    let site = village().await;
    let names: Vec<String> = (30..40_i64).map(|nth| format!("bag-{nth}")).collect();
    for (device, by, quality) in [("C1", By::Camera, 9_000), ("I3", By::Inspector, 9_500)] {
        let body = |(nth, name): (i64, _)| {
            Body::Deposit(Deposit {
                by,
                bag: Some(name),
                quality: Bp::clamped(quality),
                ..deposit("FINE", nth * 1_440 + 700)
            })
        };
        let records = (1..).zip((30..).zip(names.iter().map(String::as_str)).map(body));
        site.append(&[segment(device, records)]).await;
    }
    site.fold().await;
    site
}

#[tokio::test]
async fn cameras_are_listed_with_their_pairs_and_how_far_they_lie_from_the_inspectors() {
    let site = with_a_camera().await;
    let listed = site.ledger.cameras(&Rule::V1, day(40)).await.unwrap().cameras;
    assert_eq!(listed.len(), 1);
    let camera = &listed[0];
    assert_eq!((camera.device.as_str(), camera.readings), ("C1", 10));
    assert_eq!((camera.pairs.n, camera.last_pair), (10, Some(day(39))));
    // The eighth pair is of day 37: the edition of day 38 is the first that sees it.
    assert_eq!(camera.counts_since, Some(day(38)));
    let apart = site.ledger.cameras_apart((day(30), day(32))).await.unwrap();
    let apart: Vec<_> = apart.iter().map(|a| (a.day, a.n, a.apart)).collect();
    assert_eq!(apart, [(day(30), 1, -500), (day(31), 1, -500)]);
    let parts = site.ledger.parts(&Rule::V1, day(0), day(40)).await.unwrap();
    assert_eq!(parts.len(), 2);
    assert!(
        parts
            .iter()
            .all(|parts| parts.even().e > 0 && parts.later().e > 0)
    );
}

#[tokio::test]
async fn a_day_is_told_by_who_was_there_what_was_seen_and_by_which_clocks() {
    let site = with_a_camera().await;
    let active = async |nth| site.ledger.active_households(day(nth)).await.unwrap();
    assert_eq!([active(0).await, active(39).await, active(40).await], [2, 2, 0]);
    let known = site.ledger.accepted("I1", 1, &[1, 40, 41]).await.unwrap();
    assert_eq!(known.keys().collect::<BTreeSet<_>>(), BTreeSet::from([&1, &40]));
    assert!(site.ledger.accepted("nobody", 1, &[1]).await.unwrap().is_empty());
    assert_eq!(site.ledger.newest_at().await.unwrap(), Some(NOW));
    let clocks = site.ledger.device_clocks(day(39)).await.unwrap();
    let clocks: Vec<_> = clocks
        .iter()
        .map(|clock| (clock.name.as_str(), clock.readings, clock.ahead))
        .collect();
    assert_eq!(clocks, [("C1", 1, 0), ("I1", 1, 0), ("I2", 1, 0), ("I3", 1, 0)]);
    let tokens = ["BAD", "FINE", "NEW"].map(str::to_owned);
    let seen = site.ledger.bags_seen(day(39), &tokens).await.unwrap();
    let bags = |bags, awaits_second| BagsSeen { bags, awaits_second };
    assert_eq!((seen["BAD"], seen["FINE"]), (bags(1, true), bags(2, false)));
    assert_eq!(seen.len(), 2);
}

#[tokio::test]
async fn households_are_found_by_station_and_by_building_and_what_has_no_name_comes_first() {
    let site = Site::new().await;
    site.ledger.ensure_estate("E").await.unwrap();
    let station = Station {
        id: "s1".into(),
        estate: "E".into(),
        name: "by the gate".into(),
        x: Some(1.5),
        y: None,
    };
    site.ledger.put_station(&station).await.unwrap();
    assert_eq!(site.ledger.stations(Some("E")).await.unwrap(), [station]);
    let home = |token: &str, building: Option<&str>, unit: Option<&str>| Household {
        token: token.into(),
        estate: Some("E".into()),
        building: building.map(str::to_owned),
        unit: unit.map(str::to_owned),
        door: Some("101".into()),
        residents: Some(3),
        station: building.map(|_| "s1".into()),
        created_at: 1,
    };
    let homes = [
        home("H1", Some("2"), Some("1")),
        home("H2", Some("1"), Some("1")),
        home("H3", Some("1"), None),
        home("H4", None, None),
    ];
    site.ledger.put_households(&homes).await.unwrap();
    let at = site.ledger.households_at("s1").await.unwrap();
    assert_eq!(at, homes[..3]);
    let buildings = site.ledger.buildings("E").await.unwrap();
    let names: Vec<_> = buildings
        .iter()
        .map(|(name, all)| (name.as_str(), all.len()))
        .collect();
    assert_eq!(names, [("1", 2), ("2", 1)]);

    let edition = propose(&site, 40).await;
    let groups = site.ledger.stored_groups(edition, "E").await.unwrap().unwrap();
    let names = |name: Option<&str>, units: &[Option<&str>]| BuildingNames {
        name: name.map(str::to_owned),
        units: units.iter().map(|unit| unit.map(str::to_owned)).collect(),
    };
    let expected = [
        names(None, &[None]),
        names(Some("1"), &[None, Some("1")]),
        names(Some("2"), &[Some("1")]),
    ];
    assert_eq!(groups.names, expected);
    assert_eq!(site.ledger.stored_groups(edition, "F").await.unwrap(), None);
}

#[tokio::test]
async fn where_a_household_stands_is_told_at_every_step_and_what_ran_out_is_found() {
    let site = village().await;
    let ledger = &site.ledger;
    let listing = async |now| ledger.listing("BAD", now).await.unwrap();
    assert_eq!(ledger.noticed(day(40)).await.unwrap(), None);
    let edition = second(&site).await;
    let warned = ledger.noticed(day(40)).await.unwrap().unwrap();
    assert!(warned.contains("BAD") && !warned.contains("FINE"), "{warned:?}");
    assert_eq!(listing(NOW).await.warned_at, Some(NOW));
    notice(&site, edition).await;
    assert_eq!(listing(NOW).await.told.unwrap().edition.id, edition);
    open(&site, edition).await;
    confirm(&site, edition).await;
    publish(&site, edition).await;
    let published = listing(WINDOW).await;
    assert_eq!(published.published.unwrap().edition.id, edition);
    assert_eq!(published.since, Some(day(40)));
    assert_eq!(listing(WINDOW + 30 * DAY).await.published, None);
    assert_eq!(ledger.run_out(WINDOW).await.unwrap(), [0; 0]);
    assert_eq!(ledger.run_out(WINDOW + 30 * DAY).await.unwrap(), [edition]);
}

#[tokio::test]
async fn a_rule_is_tried_beside_the_one_in_force() {
    let site = village().await;
    second(&site).await;
    let blind = Rule {
        version: 2,
        inspection_days_least: 60,
        ..Rule::V1
    };
    let (tried, before) = site.ledger.try_rule(&blind, day(40), day(41)).await.unwrap();
    assert!(before.is_some());
    let otherwise: Vec<_> = tried.otherwise().map(|both| both.token).collect();
    assert!(otherwise.contains(&"BAD"), "{otherwise:?}");
    let none = States::new();
    let by_hand = site
        .ledger
        .dry_run(&blind, day(40), [&none, &none])
        .await
        .unwrap();
    assert_eq!(by_hand.in_force.places.len(), by_hand.tried.places.len());
}

#[tokio::test]
async fn what_is_held_about_a_household_is_told_to_it_and_counted() {
    let site = village().await;
    let ledger = &site.ledger;
    let token = || "FINE".to_owned();
    act(&site, "g1", NOW, Act::RedOptIn { token: token() }).await;
    act(&site, "g1", NOW + 1, Act::RedOptOut { token: token() }).await;
    ledger
        .note_looks(&["BAD", "FINE"], "p1", "list", NOW)
        .await
        .unwrap();
    ledger.note_looks(&["FINE"], "p1", "list", NOW + 2).await.unwrap();
    let consents = ledger.consents("FINE").await.unwrap();
    assert_eq!(
        consents.iter().map(|row| row.given).collect::<Vec<_>>(),
        [true, false]
    );
    assert_eq!(ledger.occupied_since("FINE").await.unwrap(), 0);
    let looks = LookQuery {
        token: Some("FINE"),
        limit: 10,
        ..LookQuery::default()
    };
    let looks = ledger.looks(&looks).await.unwrap();
    assert_eq!((looks.len(), looks[0].count, looks[0].last_at), (1, 2, NOW + 2));
    let held = HeldRows {
        households: 3,
        looks: 2,
        ..HeldRows::default()
    };
    let found = ledger.held_rows().await.unwrap();
    assert_eq!(HeldRows { sealed: 0, ..found }, held);
    let subject = ledger.subject("FINE", NOW).await.unwrap().unwrap();
    assert_eq!(subject["readings"].as_array().unwrap().len(), 40);
    assert_eq!(subject["consents"].as_array().unwrap().len(), 2);
    assert_eq!(subject["looks"].as_array().unwrap().len(), 1);
    assert_eq!(ledger.subject("NOBODY", NOW).await.unwrap(), None);

    let moved = Act::MovedIn {
        token: token(),
        day: day(30),
    };
    let since = act(&site, "w1", NOW + 3, moved).await;
    site.fold().await;
    assert_eq!(ledger.occupied_since("FINE").await.unwrap(), since);
    assert!(ledger.consents("FINE").await.unwrap().is_empty());
    let subject = ledger.subject("FINE", NOW).await.unwrap().unwrap();
    assert_eq!(subject["readings"].as_array().unwrap().len(), 9);
}

#[tokio::test]
async fn the_secret_of_the_draws_is_kept_from_the_first_time_on() {
    let site = Site::new().await;
    let first = site.ledger.site_key([1; 32]).await.unwrap();
    let site = site.reopen().await;
    assert_eq!(site.ledger.site_key([2; 32]).await.unwrap(), first);
    assert_eq!(first.bytes(), &[1; 32]);
}
