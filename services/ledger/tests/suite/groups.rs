//! Buildings and units of an edition: stored as they may be shown, and computed again from the journal.

use hemu_ledger::acts::{Act, Audience, Words};
use hemu_ledger::entry::{Body, Deposit};
use hemu_ledger::read::EstateGroups;
use hemu_ledger::registry::Household;
use hemu_rules::{Bp, By, GroupView, Rule};

use crate::site::{NOW, Site, act, day, deposit, segment};

const DAY: i64 = 86_400_000;

/// Households by building, unit and how they sort: the last unit is too small to be shown, and the third building too.
const UNITS: [(&str, Option<&str>, usize, i64); 5] = [
    ("1", Some("1"), 12, 9_500),
    ("1", Some("2"), 10, 9_500),
    ("2", Some("1"), 20, 2_000),
    ("2", Some("2"), 3, 9_500),
    ("3", None, 4, 2_000),
];

fn households() -> Vec<(Household, i64)> {
    let mut all = Vec::new();
    for (building, unit, count, quality) in UNITS {
        for _ in 0..count {
            let household = Household {
                token: format!("H{:02}", all.len()),
                estate: Some("E".into()),
                building: Some(building.into()),
                unit: unit.map(str::to_owned),
                door: None,
                residents: None,
                station: None,
                created_at: 0,
            };
            all.push((household, quality));
        }
    }
    all
}

async fn estate() -> Site {
    let site = Site::new().await;
    let households = households();
    site.ledger.ensure_estate("E").await.unwrap();
    let rows: Vec<Household> = households
        .iter()
        .map(|(household, _)| household.clone())
        .collect();
    site.ledger.put_households(&rows).await.unwrap();
    let mut records = Vec::new();
    for (household, quality) in &households {
        for nth in 0..40 {
            let body = Body::Deposit(Deposit {
                by: By::Inspector,
                quality: Bp::clamped(*quality),
                ..deposit(&household.token, nth * 1_440 + 600)
            });
            records.push((records.len() as u64 + 1, body));
        }
    }
    site.append(&[segment("I1", records)]).await;
    site.fold().await;
    site
}

async fn groups(site: &Site, edition: u64, now: i64) -> EstateGroups {
    site.ledger
        .edition_groups(edition, "E", now)
        .await
        .unwrap()
        .unwrap()
}

/// What is said of the buildings.
fn shown(groups: &EstateGroups) -> Vec<Option<GroupView>> {
    groups
        .form
        .buildings
        .iter()
        .map(|building| building.whole)
        .collect()
}

#[tokio::test]
async fn an_editions_groups_are_stored_and_computed_again_and_a_rebuild_keeps_them() {
    let site = estate().await;
    let edition = site
        .ledger
        .propose_edition(&Rule::V1, day(40), NOW, "s")
        .await
        .unwrap();
    let stored = groups(&site, edition, NOW).await;
    let names: Vec<_> = stored
        .names
        .iter()
        .map(|n| (n.name.as_deref().unwrap(), n.units.len()))
        .collect();
    assert_eq!(names, [("1", 2), ("2", 2), ("3", 1)]);
    // The third building is too small, and the smallest of the others hides it from whoever subtracts.
    assert_eq!(
        shown(&stored).iter().map(Option::is_some).collect::<Vec<_>>(),
        [false, true, false]
    );
    let units = |nth: usize| {
        stored.form.buildings[nth]
            .units
            .iter()
            .map(Option::is_some)
            .collect::<Vec<_>>()
    };
    assert_eq!((units(0), units(1)), (vec![false, false], vec![false, false]));
    site.append(&[segment("I2", [(1, Body::Deposit(deposit("H00", 999)))])])
        .await;
    site.fold().await;
    assert_eq!(
        site.ledger.recompute_groups(edition).await.unwrap(),
        std::slice::from_ref(&stored)
    );
    assert_eq!(site.ledger.edition_groups(edition, "F", NOW).await.unwrap(), None);
    assert_eq!(site.ledger.verify_projections(|_| ()).await.unwrap(), None);
    let (site, _) = site.rebuilt().await;
    assert_eq!(groups(&site, edition, NOW).await, stored);
}

#[tokio::test]
async fn who_is_on_a_list_is_counted_while_the_edition_is_public_and_no_longer() {
    let site = estate().await;
    // Without the third building, both others are shown.
    for token in ["H45", "H46", "H47", "H48"] {
        let moved = Household {
            building: Some("2".into()),
            unit: Some("1".into()),
            ..households()[45].0.clone()
        };
        site.ledger
            .put_households(&[Household {
                token: token.into(),
                ..moved
            }])
            .await
            .unwrap();
    }
    let edition = site
        .ledger
        .propose_edition(&Rule::V1, day(40), NOW, "s")
        .await
        .unwrap();
    act(&site, "system", NOW, Act::Notice { edition, days: 1 }).await;
    let later = NOW + DAY;
    act(&site, "system", later, Act::Open { edition }).await;
    let red = |groups: EstateGroups| {
        let views = shown(&groups).into_iter();
        views.map(|view| view.unwrap().red).collect::<Vec<_>>()
    };
    assert_eq!(red(groups(&site, edition, later).await), [None, None]);
    let publication = Act::ProposePublication {
        edition,
        basis: Words::new("the village's covenant, article 9"),
        audience: Audience::Masked,
        expires_at: later + DAY,
    };
    act(&site, "p1", later, publication).await;
    act(&site, "p2", later, Act::Publish { edition }).await;
    let public = groups(&site, edition, later).await;
    // The estate's red are the first building's and three households of the second: a count of all of a building
    // may not be said.
    let whole = public.form.whole.unwrap();
    assert_eq!((whole.rated, whole.red, whole.black), (49, Some(25), None));
    assert_eq!(red(public), [None, None]);
    let over = groups(&site, edition, later + DAY).await;
    assert_eq!(over.form.whole.unwrap().red, None);
}
