//! Inspectors who disagree: an edition holds their black names back, and says who and since when.

use hemu_ledger::acts::Act;
use hemu_ledger::entry::{Body, Deposit};
use hemu_ledger::read::{Edition, Standing, States};
use hemu_rules::{Bp, By, Gate, Rule, SharedBags, Status};

use crate::site::{NOW, Site, act, day, deposit, register, segment};

/// Records of an inspector, each on a day of its own: households, bags and qualities.
fn said<'a>(
    inspector: &str,
    first: u64,
    bags: impl IntoIterator<Item = (i64, &'a str, Option<&'a str>, i64)>,
) -> hemu_ledger::segment::Segment {
    let body = |(nth, household, bag, quality)| {
        Body::Deposit(Deposit {
            by: By::Inspector,
            bag,
            quality: Bp::clamped(quality),
            ..deposit(household, nth * 1_440 + 600)
        })
    };
    segment(inspector, (first..).zip(bags.into_iter().map(body)))
}

/// BAD was judged by I1 and WORSE by I3, forty days each; both are warned. Batch 1 is I1's of BAD.
async fn village() -> (Site, States) {
    let site = Site::new().await;
    register(&site, &["BAD", "BOTH", "WORSE"]).await;
    for (inspector, token) in [("I1", "BAD"), ("I3", "WORSE")] {
        let days = (0..40).map(|nth| (nth, token, None, 1_000));
        site.append(&[said(inspector, 1, days)]).await;
    }
    site.fold().await;
    let warned = edition(&site, 33, &States::new()).await.states();
    assert!(["BAD", "WORSE"].iter().all(|token| warned.of(token).hits == 1));
    (site, warned)
}

async fn edition(site: &Site, nth: i64, before: &States) -> Edition {
    site.ledger.edition(&Rule::V1, day(nth), before).await.unwrap()
}

fn place<'e>(edition: &'e Edition, token: &str) -> &'e hemu_rules::Outcome {
    &edition
        .places
        .iter()
        .find(|place| place.token == token)
        .unwrap()
        .outcome
}

/// Bags of BOTH that I1 and I2 judged on days 30 and on, I1 so many basis points above I2.
async fn share(site: &Site, bags: i64, apart: i64) {
    let names: Vec<String> = (0..bags).map(|nth| format!("S{nth}")).collect();
    for (inspector, first, quality) in [("I1", 101, 5_000 + apart), ("I2", 1, 5_000)] {
        let bags = names.iter().enumerate();
        let bags = bags.map(|(nth, bag)| {
            (
                30 + i64::try_from(nth).unwrap(),
                "BOTH",
                Some(bag.as_str()),
                quality,
            )
        });
        site.append(&[said(inspector, first, bags)]).await;
    }
    site.fold().await;
}

#[tokio::test]
async fn black_is_held_back_where_a_doubted_inspector_judged_and_nowhere_else() {
    let (site, warned) = village().await;
    let black = |edition: &Edition, token| place(edition, token).status == Status::Black;
    let trusted = edition(&site, 40, &warned).await;
    assert!(black(&trusted, "BAD") && black(&trusted, "WORSE"));
    share(&site, 8, 501).await;
    let doubted = edition(&site, 40, &warned).await;
    assert!(!black(&doubted, "BAD") && black(&doubted, "WORSE"));
    let (before, after) = (place(&trusted, "BAD"), place(&doubted, "BAD"));
    assert!(before.gates.passed(Gate::InspectorsTrusted) && !after.gates.passed(Gate::InspectorsTrusted));
    // The household that both judged moved the city's mean a little, and nothing of what was seen is taken away.
    assert_eq!((after.inspected_days, after.hits), (before.inspected_days, 0));
    let standing = Standing::of(site.ledger.gather(&Rule::V1, day(40)).await.unwrap());
    assert!(
        standing.doubted.contains("BAD")
            && standing.doubted.contains("BOTH")
            && !standing.doubted.contains("WORSE")
    );
}

#[tokio::test]
async fn eight_shared_bags_doubt_and_seven_do_not_and_a_struck_reading_is_one_less() {
    let (site, warned) = village().await;
    share(&site, 8, 501).await;
    act(&site, "w1", NOW, Act::strike((4, 0), "seen myself")).await;
    site.fold().await;
    assert_eq!(
        place(&edition(&site, 40, &warned).await, "BAD").status,
        Status::Black
    );
    act(&site, "w1", NOW, Act::Restore { reading: (4, 0) }).await;
    site.fold().await;
    assert_eq!(
        place(&edition(&site, 40, &warned).await, "BAD").status,
        Status::Grey
    );
    assert_eq!(site.ledger.verify_projections(|_| ()).await.unwrap(), None);
    let (site, _) = village().await;
    share(&site, 8, 500).await;
    assert_eq!(
        place(&edition(&site, 40, &warned).await, "BAD").status,
        Status::Black,
        "five points are not too far"
    );
}

#[tokio::test]
async fn inspectors_are_listed_by_device_with_what_they_shared_and_since_when_they_are_doubted() {
    let (site, _) = village().await;
    share(&site, 10, 600).await;
    let listed = async |nth| {
        let all = site.ledger.inspectors(&Rule::V1, day(nth)).await.unwrap();
        all.into_iter()
            .map(|i| (i.device, i.readings, i.households, i.shared, i.doubted_since))
            .collect::<Vec<_>>()
    };
    let shared = |n, apart| SharedBags { n, apart };
    // The eighth shared bag is of day 37: the edition of day 38 is the first that sees it.
    let expected = |since, shares: i64| {
        vec![
            (
                "I1".to_owned(),
                40 + shares.unsigned_abs(),
                2,
                shared(shares, 600 * shares),
                since,
            ),
            (
                "I2".to_owned(),
                shares.unsigned_abs(),
                1,
                shared(shares, -600 * shares),
                since,
            ),
            ("I3".to_owned(), 40, 1, shared(0, 0), None),
        ]
    };
    assert_eq!(listed(40).await, expected(Some(day(38)), 10));
    let early: Vec<_> = listed(37)
        .await
        .into_iter()
        .map(|(.., shared, since)| (shared.n, since))
        .collect();
    assert_eq!(early, [(7, None), (7, None), (0, None)]);
    let apart = site.ledger.inspectors_apart((day(30), day(32))).await.unwrap();
    let apart: Vec<_> = apart
        .into_iter()
        .map(|a| (a.device, a.day, a.n, a.apart))
        .collect();
    let row = |device: &str, nth, apart| (device.to_owned(), day(nth), 1, apart);
    assert_eq!(
        apart,
        [
            row("I1", 30, 600),
            row("I1", 31, 600),
            row("I2", 30, -600),
            row("I2", 31, -600)
        ]
    );
}
