//! Readings that people take out and put back: exactly, in any order, and never by the machine.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use hemu_ledger::acts::{Act, Actor, ReadingAt, Why};
use hemu_ledger::entry::{Body, Deposit};
use hemu_ledger::privacy::TrailQuery;
use hemu_ledger::read::Held;
use hemu_rules::{Bp, By};
use proptest::prelude::*;

use crate::site::{MIDNIGHT, NOW, Site, act, deposit, person, refused, register, segment};

/// Six readings of three bags of one household, two inspectors' of one bag among them, and one of another; each has a
/// batch of its own, from 1 on.
fn readings() -> Vec<(&'static str, Deposit<'static>)> {
    let bagged = |by, minutes, quality| Deposit {
        bag: Some("B1"),
        by,
        quality: Bp::clamped(quality),
        ..deposit("H1", minutes)
    };
    vec![
        ("C1", bagged(By::Camera, 10, 9_000)),
        ("C2", bagged(By::Camera, 11, 4_000)),
        ("I1", bagged(By::Inspector, 12, 6_000)),
        ("C1", deposit("H1", 1_500)),
        ("C2", deposit("H2", 20)),
        (
            "C1",
            Deposit {
                bag: Some("B1"),
                ..deposit("H1", 3_000)
            },
        ),
        ("I2", bagged(By::Inspector, 13, 5_200)),
    ]
}

fn said(nth: usize) -> hemu_ledger::segment::Segment {
    let (device, deposit) = readings()[nth];
    segment(device, [(nth as u64 + 1, Body::Deposit(deposit))])
}

/// What decides about people, and every reading with why it is held; numbers and places under names.
async fn state(site: &Site) -> (BTreeSet<String>, BTreeMap<String, Option<hemu_rules::Day>>) {
    let mut sums = site.sums().await;
    let mut firsts = BTreeMap::new();
    for token in ["H1", "H2"] {
        for row in site
            .ledger
            .deposits(token, crate::site::day(-5), crate::site::day(30))
            .await
            .unwrap()
        {
            sums.insert(format!(
                "reading {} {} {:?} {}",
                row.device, row.seq, row.held, row.reading.counts
            ));
        }
        firsts.insert(token.to_owned(), site.ledger.first_day(token).await.unwrap());
    }
    (sums, firsts)
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Do {
    Send(usize),
    Flip(usize),
    Lose,
    Find,
    Fold,
}

async fn play(order: &[Do], struck_at_the_end: &BTreeSet<usize>, lost: bool) -> Site {
    let site = Site::new().await;
    register(&site, &["H1", "H2"]).await;
    let mut places: BTreeMap<usize, ReadingAt> = BTreeMap::new();
    let (mut struck, mut is_lost) = (BTreeSet::new(), false);
    for step in order {
        match *step {
            Do::Send(nth) => {
                let head = site.append(&[said(nth)]).await;
                places.entry(nth).or_insert((head.position, 0));
            }
            Do::Flip(nth) => {
                if let Some(reading) = places.get(&nth).copied() {
                    site.fold().await;
                    flip(&site, &mut struck, nth, reading).await;
                }
            }
            Do::Lose => {
                let since = MIDNIGHT + 1_400 * 60_000;
                act(
                    &site,
                    "w1",
                    NOW,
                    Act::CardLost {
                        token: "H1".into(),
                        since,
                    },
                )
                .await;
                is_lost = true;
            }
            Do::Find if is_lost => {
                act(&site, "w1", NOW, Act::CardFound { token: "H1".into() }).await;
                is_lost = false;
            }
            Do::Find => {}
            Do::Fold => site.fold().await,
        }
    }
    site.fold().await;
    for nth in 0..readings().len() {
        if let Entry::Vacant(place) = places.entry(nth) {
            let head = site.append(&[said(nth)]).await;
            place.insert((head.position, 0));
        }
    }
    site.fold().await;
    for (nth, reading) in places {
        if struck.contains(&nth) != struck_at_the_end.contains(&nth) {
            flip(&site, &mut struck, nth, reading).await;
        }
    }
    if is_lost != lost {
        let token = "H1".to_owned();
        let since = MIDNIGHT + 1_400 * 60_000;
        let what = if lost {
            Act::CardLost { token, since }
        } else {
            Act::CardFound { token }
        };
        act(&site, "w1", NOW, what).await;
    }
    site.fold().await;
    site
}

async fn flip(site: &Site, struck: &mut BTreeSet<usize>, nth: usize, reading: ReadingAt) {
    let what = if struck.remove(&nth) {
        Act::Restore { reading }
    } else {
        struck.insert(nth);
        Act::strike(reading, "seen myself")
    };
    act(site, "w1", NOW, what).await;
}

fn steps() -> impl Strategy<Value = Vec<Do>> {
    let step = prop_oneof![
        4 => (0..7usize).prop_map(Do::Send),
        3 => (0..7usize).prop_map(Do::Flip),
        1 => Just(Do::Lose),
        1 => Just(Do::Find),
        2 => Just(Do::Fold),
    ];
    prop::collection::vec(step, 0..24)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    #[test]
    fn the_same_struck_readings_are_the_same_sums_however_they_came(
        one in steps(), other in steps(), struck in prop::collection::btree_set(0..7usize, 0..5), lost: bool,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            // Those that are struck or lost at the end might as well never have counted.
            let one = play(&one, &struck, lost).await;
            let other = play(&other, &struck, lost).await;
            prop_assert_eq!(state(&one).await, state(&other).await);
            prop_assert_eq!(one.ledger.verify_projections(|_| ()).await.unwrap(), None);
            let before = one.everything().await;
            let (one, _) = one.rebuilt().await;
            prop_assert_eq!(one.everything().await, before);
            Ok(())
        })?;
    }

    #[test]
    fn struck_and_restored_is_never_touched_to_the_byte(flips in prop::collection::vec(0..7usize, 0..6)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (plain, touched) = (Site::new().await, Site::new().await);
            for site in [&plain, &touched] {
                register(site, &["H1", "H2"]).await;
                for nth in 0..7 {
                    site.append(&[said(nth)]).await;
                }
                site.fold().await;
            }
            for nth in flips {
                let reading = (nth as u64 + 1, 0);
                act(&touched, "w1", NOW, Act::strike(reading, "seen myself")).await;
                touched.fold().await;
                act(&touched, "w1", NOW, Act::Restore { reading }).await;
                touched.fold().await;
            }
            let rows = |all: Vec<String>| all.into_iter().filter(|row| !row.starts_with("progress")).collect::<Vec<_>>();
            prop_assert_eq!(rows(plain.everything().await), rows(touched.everything().await));
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn a_struck_reading_leaves_its_bag_to_the_next_and_the_first_day_to_a_later_one() {
    let site = Site::new().await;
    register(&site, &["H1", "H2"]).await;
    for nth in 0..6 {
        site.append(&[said(nth)]).await;
    }
    site.fold().await;
    let pairs = |sums: BTreeSet<String>| {
        sums.into_iter()
            .filter(|row| row.starts_with("pair"))
            .collect::<Vec<_>>()
    };
    assert!(pairs(site.sums().await)[0].contains("C1 Some(1) Some(9000) Some(6000)"));
    act(&site, "w1", NOW, Act::strike((1, 0), "seen myself")).await;
    site.fold().await;
    assert!(pairs(site.sums().await)[0].contains("C2 Some(1) Some(4000) Some(6000)"));
    assert_eq!(
        site.ledger.first_day("H1").await.unwrap(),
        Some(crate::site::day(0))
    );
    for reading in [(2, 0), (3, 0)] {
        act(&site, "w1", NOW, Act::strike(reading, "seen myself")).await;
    }
    site.fold().await;
    assert_eq!(pairs(site.sums().await), Vec::<String>::new());
    assert_eq!(
        site.ledger.first_day("H1").await.unwrap(),
        Some(crate::site::day(1))
    );
    assert_eq!(site.ledger.verify_projections(|_| ()).await.unwrap(), None);
}

#[tokio::test]
async fn a_clock_that_was_ahead_counts_once_a_person_has_looked() {
    let site = Site::new().await;
    register(&site, &["H1"]).await;
    site.append_at(MIDNIGHT, &[said(0)]).await;
    site.append_at(NOW, &[said(3)]).await;
    site.fold().await;
    let held = |site: &Site| {
        let ledger = site.ledger.clone();
        async move {
            let rows = ledger
                .deposits("H1", crate::site::day(0), crate::site::day(1))
                .await
                .unwrap();
            rows.iter()
                .map(|row| (row.held, row.clock_ahead))
                .collect::<Vec<_>>()
        }
    };
    assert_eq!(held(&site).await, [(Held::CLOCK, true), (Held::NOT, false)]);
    assert_eq!(
        site.ledger.first_day("H1").await.unwrap(),
        Some(crate::site::day(1))
    );
    act(&site, "w1", NOW, Act::ClockChecked { reading: (1, 0) }).await;
    // Not folded yet, and decided all the same.
    refused(
        &site,
        "w2",
        NOW,
        Act::ClockChecked { reading: (1, 0) },
        Why::AlreadyDecided,
    )
    .await;
    site.fold().await;
    assert_eq!(held(&site).await, [(Held::NOT, true), (Held::NOT, false)]);
    assert_eq!(
        site.ledger.first_day("H1").await.unwrap(),
        Some(crate::site::day(0))
    );
    refused(
        &site,
        "w2",
        NOW,
        Act::ClockChecked { reading: (2, 0) },
        Why::WrongState,
    )
    .await;
    assert_eq!(site.ledger.verify_projections(|_| ()).await.unwrap(), None);
}

#[tokio::test]
async fn only_a_known_reading_is_struck_and_only_by_a_person_and_only_once() {
    let site = Site::new().await;
    register(&site, &["H1"]).await;
    site.append(&[said(0)]).await;
    let strike = |position, index| Act::strike((position, index), "seen myself");
    refused(&site, "w1", NOW, strike(1, 0), Why::NotYet).await;
    site.fold().await;
    site.append(&[said(0)]).await;
    site.fold().await;
    refused(&site, "w1", NOW, strike(9, 0), Why::NoSuchReading).await;
    refused(&site, "w1", NOW, strike(1, 7), Why::NoSuchReading).await;
    // A repeat is no reading of its own.
    refused(&site, "w1", NOW, strike(2, 0), Why::NoSuchReading).await;
    refused(&site, "system", NOW, strike(1, 0), Why::NotAPerson).await;
    refused(
        &site,
        "w1",
        NOW,
        Act::Restore { reading: (1, 0) },
        Why::WrongState,
    )
    .await;
    let position = act(&site, "w1", NOW + 5, strike(1, 0)).await;
    let lost = refused(&site, "w2", NOW + 6, strike(1, 0), Why::AlreadyDecided).await;
    let winner = lost.winner.unwrap();
    assert_eq!(
        (winner.actor.as_str(), winner.at, winner.position),
        ("w1", NOW + 5, position)
    );
    let unknown = Act::CardLost {
        token: "H7".into(),
        since: 0,
    };
    refused(&site, "w1", NOW, unknown, Why::UnknownHousehold).await;
}

#[tokio::test]
async fn acts_that_follow_one_another_are_folded_in_one_step_and_apart_from_readings() {
    let site = Site::new().await;
    register(&site, &["H1"]).await;
    site.append(&[said(0)]).await;
    site.fold().await;
    for _ in 0..3 {
        act(&site, "w1", NOW, Act::strike((1, 0), "seen myself")).await;
        act(&site, "w1", NOW, Act::Restore { reading: (1, 0) }).await;
    }
    act(&site, "w1", NOW, Act::strike((1, 0), "seen myself")).await;
    site.append(&[said(3)]).await;
    let (mut projector, _lock) = site.ledger.projector().await.unwrap();
    let mut steps = Vec::new();
    for _ in 0..3 {
        steps.push(projector.step().await.unwrap().records);
    }
    assert_eq!(steps, [7, 1, 0]);
    let (sums, _) = state(&site).await;
    let held: Vec<_> = sums.iter().filter(|row| row.starts_with("reading")).collect();
    assert_eq!(held.len(), 2);
    assert!(
        held[0].ends_with("false"),
        "the last act of the step is the one that holds: {held:?}"
    );
}

#[tokio::test]
async fn acts_are_chained_and_committers_cope_with_them() {
    let site = Site::new().await;
    register(&site, &["H1"]).await;
    let mut journal = site.ledger.journal().await.unwrap();
    let (records, body) = crate::site::batch(&[said(0)]);
    journal.append(NOW, records, &body).await.unwrap();
    // An act gets in between two batches of a committer that does not know.
    act(&site, "w1", NOW, Act::RedOptIn { token: "H1".into() }).await;
    let (records, body) = crate::site::batch(&[said(3)]);
    assert_eq!(journal.append(NOW, records, &body).await.unwrap().position, 3);
    site.fold().await;
    assert_eq!(site.ledger.verify_chain(|_| ()).await.unwrap().position, 3);
    let mut kinds = Vec::new();
    let tail = site.ledger.tail(0, 100).await.unwrap();
    tail.for_each(|_, _, entry| kinds.push(matches!(entry.body, Body::Act(_))))
        .unwrap();
    assert_eq!(kinds, [false, true, false]);
    assert!(person("w1").is_person() && !Actor::system().is_person());
    assert!("name with spaces".parse::<Actor>().is_err() && "".parse::<Actor>().is_err());
}

#[tokio::test]
async fn of_a_hundred_bags_with_a_card_that_was_lost_none_counts_however_they_came() {
    let site = Site::new().await;
    register(&site, &["H1", "H2"]).await;
    let since = MIDNIGHT + 10 * 60_000;
    // Half of them are folded before anybody says so, and half come after.
    let bags = |from: u64, to: u64| {
        let bag = |seq: u64| (seq, Body::Deposit(deposit("H1", 10 + seq.cast_signed())));
        segment("C1", (from..=to).map(bag))
    };
    site.append(&[bags(1, 50)]).await;
    site.fold().await;
    let token = "H1".to_owned();
    act(&site, "w1", NOW, Act::CardLost { token, since }).await;
    site.append(&[bags(51, 100)]).await;
    site.fold().await;
    let seen = site
        .ledger
        .deposits("H1", crate::site::day(-5), crate::site::day(30))
        .await
        .unwrap();
    assert_eq!(seen.len(), 100, "each is kept, with its reason");
    let accepted = seen
        .iter()
        .filter(|row| row.reading.counts || !row.held.has(Held::CARD));
    assert_eq!(accepted.count(), 0, "of 100");
    assert_eq!(site.ledger.first_day("H1").await.unwrap(), None);
}

#[tokio::test]
async fn a_household_s_trail_has_what_was_done_to_its_readings_and_nobody_else_s() {
    let site = Site::new().await;
    register(&site, &["H1", "H2"]).await;
    site.append_at(MIDNIGHT, &[said(0)]).await;
    site.append_at(NOW, &[said(3), said(4)]).await;
    site.fold().await;
    let acts = [
        Act::ClockChecked { reading: (1, 0) },
        Act::strike((2, 0), "seen myself"),
        Act::strike((2, 1), "seen myself"),
        Act::Restore { reading: (2, 0) },
    ];
    for what in acts {
        act(&site, "w1", NOW, what).await;
    }
    let trail = async |token, since, limit| {
        let find = TrailQuery {
            token: Some(token),
            since,
            limit,
            ..TrailQuery::default()
        };
        let rows = site.ledger.trail(&find).await.unwrap();
        rows.into_iter().map(|row| row.act.kind).collect::<Vec<_>>()
    };
    assert_eq!(trail("H1", None, 9).await, ["restore", "strike", "clock_checked"]);
    assert_eq!(trail("H1", None, 2).await, ["restore", "strike"]);
    assert_eq!(
        trail("H2", None, 1).await,
        ["strike"],
        "behind a line of another's"
    );
    assert!(trail("H3", None, 9).await.is_empty());
    // Whoever lives there since is told of their own readings: the clock's was of the day they came, which is nobody's.
    let day = crate::site::day(0);
    let token = "H1".to_owned();
    let since = act(&site, "w1", NOW, Act::MovedIn { token, day }).await;
    site.fold().await;
    for reading in [(1, 0), (2, 0)] {
        act(&site, "w1", NOW, Act::strike(reading, "seen myself")).await;
    }
    assert_eq!(trail("H1", Some(since), 9).await, ["strike"]);
}

#[tokio::test]
async fn a_bag_that_an_inspector_opened_as_well_is_tallied_once() {
    let site = Site::new().await;
    register(&site, &["H1", "H2"]).await;
    // One bag by a camera and two inspectors, and one that an inspector alone saw, without a number.
    let alone = Deposit {
        by: By::Inspector,
        ..deposit("H2", 30)
    };
    let alone = segment("I1", [(9, Body::Deposit(alone))]);
    site.append(&[said(6), said(2), said(0), alone]).await;
    site.fold().await;
    let tally = site.ledger.day_tally(crate::site::day(0), None).await.unwrap();
    let grams = u64::try_from(i64::from(deposit("H1", 0).weight.get())).unwrap();
    assert_eq!((tally.deposits, tally.weight_g), (2, 2 * grams));
    assert_eq!((tally.attributed, tally.inspected), (2, 3));
    assert_eq!(site.ledger.verify_projections(|_| ()).await.unwrap(), None);
}
