//! A computation that somebody waits for, stops, or that a restart breaks off: whole or without a trace.

use hemu_ledger::acts::{EditionQuery, Lease, Why};
use hemu_ledger::work::{Stage, Work};
use hemu_rules::Rule;

use crate::editions::{DAY, village};
use crate::site::{NOW, Site, day, run};

async fn editions(site: &Site) -> usize {
    let newest = EditionQuery::newest(9);
    site.ledger.editions(&newest).await.unwrap().len()
}

/// A village of so many households more.
async fn crowd(count: usize) -> Site {
    let site = village().await;
    let names: Vec<_> = (0..count).map(|nth| format!("CROWD-{nth:04}")).collect();
    let names: Vec<_> = names.iter().map(|name| (name.as_str(), None)).collect();
    site.ledger.ensure_households(&names, NOW).await.unwrap();
    site
}

#[tokio::test]
async fn a_stop_leaves_nothing_or_comes_too_late_and_changes_nothing() {
    let site = crowd(300).await;
    let mut left = 0;
    let (mut in_time, mut too_late) = (0, 0);
    // It is stopped wherever it happens to be: before it begins, as it reads, as it judges, as it stores, and never.
    for (nth, tick) in [(33, 0), (34, 1), (35, 10), (36, 100), (37, 300), (38, u64::MAX)] {
        let work = Work::watched();
        let stopper = {
            let work = work.clone();
            std::thread::spawn(move || {
                while work.progress().done < tick && work.progress().stage != Stage::Storing {
                    std::thread::yield_now();
                }
                work.stop()
            })
        };
        let ledger = site.ledger.watched(work.clone());
        let made = ledger.propose_edition(&Rule::V1, day(nth), NOW, "server-1").await;
        let in_vain = !stopper.join().unwrap();
        if let Err(error) = &made {
            assert_eq!(error.refused().unwrap().why, Why::Stopped);
            assert!(!in_vain);
            in_time += 1;
        } else {
            assert!(in_vain, "what was stored was not stopped");
            left += 1;
            too_late += 1;
        }
        assert_eq!(editions(&site).await, left);
        assert_eq!(site.ledger.leases(NOW).await.unwrap(), []);
    }
    assert!(in_time >= 1 && too_late >= 1, "{in_time} {too_late}");
    assert_eq!(site.ledger.verify_projections(|_| ()).await.unwrap(), None);
}

#[tokio::test]
async fn what_was_stopped_is_computed_when_it_is_asked_for_again_by_anybody() {
    let site = village().await;
    let work = Work::watched();
    assert!(work.stop());
    let stopped = site.ledger.watched(work);
    let stopped = stopped.propose_edition(&Rule::V1, day(33), NOW, "server-1").await;
    assert_eq!(stopped.unwrap_err().refused().unwrap().why, Why::Stopped);
    let edition = site
        .ledger
        .propose_edition(&Rule::V1, day(33), NOW, "server-2")
        .await
        .unwrap();
    let watched = site.ledger.watched(Work::watched());
    let row = site.ledger.edition_row(edition).await.unwrap().unwrap();
    assert_eq!(watched.recompute(edition).await.unwrap(), row.digest);
}

#[tokio::test]
async fn a_rule_that_is_tried_can_be_stopped_too() {
    let site = village().await;
    let work = Work::watched();
    work.stop();
    let strict = Rule {
        version: 2,
        inspection_days_least: 3,
        ..Rule::V1
    };
    let ledger = site.ledger.watched(work);
    let tried = ledger.try_rule(&strict, day(33), day(33)).await;
    assert_eq!(tried.unwrap_err().refused().unwrap().why, Why::Stopped);
}

#[tokio::test]
async fn a_restart_frees_the_day_that_was_being_computed_and_says_so_once() {
    let site = village().await;
    let left = format!(
        "insert into lease (day, holder, until) values ({}, 'server-0', {})",
        day(33).get(),
        NOW + 10 * 60_000
    );
    run(&mut site.truth().await, &left).await;
    let lease = Lease {
        day: day(33),
        holder: "server-0".into(),
        since: NOW,
    };
    assert_eq!(
        site.ledger.leases(NOW).await.unwrap(),
        std::slice::from_ref(&lease)
    );
    assert_eq!(site.ledger.leases(NOW + DAY).await.unwrap(), []);
    assert_eq!(site.ledger.broken_off().await.unwrap(), [lease]);
    assert_eq!(site.ledger.broken_off().await.unwrap(), []);
    site.ledger
        .propose_edition(&Rule::V1, day(33), NOW, "server-1")
        .await
        .unwrap();
}
