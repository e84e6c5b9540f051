//! A household's row is what was written, whoever wrote it, or `verify` says so.

use hemu_ledger::acts::{Act, Correction, Words};
use hemu_ledger::registry::Household;

use crate::site::{NOW, Site, person, run};

pub(crate) fn home(token: &str, building: &str) -> Household {
    Household {
        token: token.to_owned(),
        estate: None,
        building: Some(building.to_owned()),
        unit: Some("1".to_owned()),
        door: Some("301".to_owned()),
        residents: Some(3),
        station: None,
        created_at: NOW,
    }
}

async fn found(site: &Site) -> Option<String> {
    site.ledger.verify_projections(|_| ()).await.unwrap()
}

#[tokio::test]
async fn a_row_that_is_not_what_was_written_is_named() {
    for change in [
        "building = '13'",
        "unit = null",
        "sealed = null",
        "created_at = 1",
        "digest = null",
        "token = 'hh-0003'",
    ] {
        let site = Site::new().await;
        site.ledger
            .put_households(&[home("hh-0001", "12"), home("hh-0002", "12")])
            .await
            .unwrap();
        let mut truth = site.truth().await;
        let flipped = format!("update household set {change} where token = 'hh-0001'");
        run(&mut truth, &flipped).await;
        let end = if change.starts_with("token") {
            "0003"
        } else {
            "0001"
        };
        let named = found(&site).await.expect(change);
        assert!(
            named.contains(&format!("token ends in {end}")) && !named.contains("hh-"),
            "{named}"
        );
    }
}

#[tokio::test]
async fn an_import_that_names_a_household_does_not_vouch_for_its_row() {
    let site = Site::new().await;
    site.ledger.put_households(&[home("H1", "12")]).await.unwrap();
    run(&mut site.truth().await, "update household set building = '13'").await;
    let named = found(&site).await;
    assert!(named.is_some());
    site.ledger.ensure_households(&[("H1", None)], NOW).await.unwrap();
    assert_eq!(found(&site).await, named);
}

#[tokio::test]
async fn the_households_file_read_again_puts_right_what_it_says() {
    let site = Site::new().await;
    site.ledger.put_households(&[home("H1", "12")]).await.unwrap();
    run(&mut site.truth().await, "update household set building = '13'").await;
    assert!(found(&site).await.is_some());
    site.ledger.put_households(&[home("H1", "12")]).await.unwrap();
    assert_eq!(found(&site).await, None);
    let row = site.ledger.household("H1").await.unwrap().unwrap();
    assert_eq!(row.building.as_deref(), Some("12"));
}

#[tokio::test]
async fn every_way_to_write_a_households_row_writes_its_digest() {
    let site = Site::new().await;
    site.ledger
        .put_households(&[home("H1", "12"), home("H2", "12")])
        .await
        .unwrap();
    site.ledger.put_households(&[home("H1", "14")]).await.unwrap();
    site.ledger
        .ensure_households(&[("H1", None), ("H3", None)], NOW)
        .await
        .unwrap();
    let elsewhere = Correction {
        door: Some("302".to_owned()),
        ..Correction::default()
    };
    site.ledger
        .correct(&person("keeper"), NOW, "H1", elsewhere)
        .await
        .unwrap();
    let erase = Act::Erase {
        token: "H2".to_owned(),
        reason: Words::new("asked for in writing"),
    };
    site.ledger.act(&person("keeper"), NOW, erase).await.unwrap();
    assert_eq!(found(&site).await, None);
}
