//! `verify`: every projection table is compared, and a row that was changed, added or taken away is named.

use crate::replay::batches;
use hemu_ledger::acts::Act;

use crate::site::{NOW, Site, TABLES, act, day, register, run};

async fn full() -> Site {
    let site = Site::new().await;
    for batch in batches() {
        site.append(&batch).await;
    }
    register(&site, &["H1"]).await;
    let token = "H1".to_owned();
    act(
        &site,
        "w1",
        NOW,
        Act::CardLost {
            token,
            since: NOW - 1,
        },
    )
    .await;
    let (token, day) = ("H1".to_owned(), day(3));
    act(&site, "w1", NOW, Act::MovedIn { token, day }).await;
    site.fold().await;
    site
}

async fn verdict(site: &Site) -> Option<String> {
    site.ledger.verify_projections(|_| ()).await.unwrap()
}

#[tokio::test]
async fn untouched_projections_are_in_order() {
    let site = full().await;
    assert_eq!(verdict(&site).await, None);
    assert_eq!(site.ledger.integrity().await.unwrap(), [None, None]);
    assert!(!site.folder().path().join("verify.db").exists());
}

#[tokio::test]
async fn a_row_taken_away_is_named_in_every_table() {
    for table in TABLES {
        let site = full().await;
        let mut file = site.projections().await;
        if table == "progress" {
            run(&mut file, "update progress set accepted = accepted + 1").await;
        } else {
            let one = format!("delete from {table} where (select count(*) from {table}) > 0");
            run(&mut file, &one).await;
        }
        let difference = verdict(&site).await.expect(table);
        assert!(
            difference.contains(&format!("table {table} ")),
            "{table}: {difference}"
        );
        assert!(!site.folder().path().join("verify.db").exists());
    }
}

#[tokio::test]
async fn a_changed_value_is_named_whatever_its_type() {
    for (table, change) in [
        ("day_sums", "update day_sums set sums = zeroblob(length(sums))"),
        ("day_sums", "update day_sums set sums = 'good'"),
        ("day_sums", "update day_sums set sums = 0.5"),
        ("pair", "update pair set sq = sq + 1"),
        (
            "household",
            "update household set token = 'H1x' where token = 'H1'",
        ),
        (
            "reading",
            "update reading set reading_id = 'R9' where reading_id = 'R1'",
        ),
        ("device", "update device set battery_mv = 0.5"),
        ("device", "update device set battery_mv = x'00'"),
        ("device", "update device set firmware = null"),
        ("cursor", "update cursor set beyond = x'0505'"),
        ("seen", "update seen set hashes = zeroblob(length(hashes))"),
        ("tally", "insert into tally values (1, 0, 1, 1, 1, 1)"),
    ] {
        let site = full().await;
        run(&mut site.projections().await, change).await;
        let difference = verdict(&site)
            .await
            .unwrap_or_else(|| panic!("{change} was not found"));
        assert!(
            difference.contains(&format!("table {table} ")),
            "{change}: {difference}"
        );
        assert!(!difference.contains("H1"), "a token was shown: {difference}");
    }
}

#[tokio::test]
async fn batches_appended_meanwhile_are_no_difference() {
    let site = full().await;
    site.append(&batches()[0]).await;
    assert_eq!(verdict(&site).await, None);
}
