//! The committer: nothing is acknowledged or receipted before it is stored, nothing is stored twice.

use hemu_ingest::Owed;
use hemu_ledger::entry::Body;
use hemu_ledger::segment::Segment;
use hemu_rules::Millis;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::site::{Desk, MIDNIGHT, Site, deposit, of_boot, segment, settle};

async fn sql(connection: &mut sqlx::sqlite::SqliteConnection, sql: &'static str) {
    sqlx::raw_sql(sql).execute(connection).await.unwrap();
}

/// What is owed to C1, the only device that is owed anything.
async fn owed(desk: &Desk) -> Option<Owed> {
    let mut owed = desk.owed().await;
    assert!(owed.len() <= 1, "{owed:?}");
    owed.pop()
}

#[tokio::test]
async fn an_acknowledgement_comes_after_the_append() {
    let site = Site::new().await;
    let desk = site.commit().await;
    let mut lock = site.truth().await;
    sql(&mut lock, "begin immediate").await;
    let mut stored = desk.submit(segment("C1", 1, 3)).await;
    settle(&site.ledger).await;
    assert!(stored.try_recv().is_err());
    assert_eq!(site.ledger.head().await.unwrap(), 0);
    sql(&mut lock, "rollback").await;
    assert_eq!(stored.await.unwrap(), 1);
    assert_eq!(site.beside().await.records_after(0).await.unwrap(), 3);
    desk.end().await;
}

#[tokio::test]
async fn a_greeting_tells_nothing_that_is_not_stored_yet() {
    let site = Site::new().await;
    let desk = site.commit().await;
    let mut lock = site.truth().await;
    sql(&mut lock, "begin immediate").await;
    let stored = desk.submit(segment("C1", 1, 3)).await;
    desk.intake.greet("C1").await;
    let intake = desk.intake.clone();
    let asked = tokio::spawn(async move { intake.owed(Instant::now()).await.unwrap() });
    settle(&site.ledger).await;
    assert!(!asked.is_finished());
    sql(&mut lock, "rollback").await;
    stored.await.unwrap();
    assert_eq!(asked.await.unwrap()[0].upto, 3);
    assert_eq!(owed(&desk).await, None, "once said");
    // And a device that comes back hears where it stands without sending.
    desk.intake.greet("C1").await;
    assert_eq!(owed(&desk).await.unwrap().upto, 3);
    // One that never spoke stands nowhere.
    desk.intake.greet("C2").await;
    assert_eq!(owed(&desk).await, None);
    desk.end().await;
}

#[tokio::test]
async fn many_submissions_share_few_batches() {
    let site = Site::new().await;
    let desk = site.commit().await;
    let mut lock = site.truth().await;
    sql(&mut lock, "begin immediate").await;
    let mut all = Vec::new();
    for seq in 1..=200 {
        all.push(desk.submit(segment("C1", seq, seq)).await);
    }
    sql(&mut lock, "rollback").await;
    for stored in all {
        stored.await.unwrap();
    }
    assert!(
        (1..=2).contains(&desk.metrics.batches.get()),
        "{}",
        desk.metrics.batches.get()
    );
    assert_eq!(desk.metrics.records.get(), 200);
    assert_eq!(site.ledger.records_after(0).await.unwrap(), 200);
    desk.end().await;
}

/// A committer whose first batch is as full as any, so that what comes now is in none before the second, and waits until
/// the lock goes.
async fn busy(site: &Site) -> (Desk, sqlx::sqlite::SqliteConnection, oneshot::Receiver<u64>) {
    let desk = site.commit().await;
    let mut lock = site.truth().await;
    sql(&mut lock, "begin immediate").await;
    let under_way = desk.submit(segment("C1", 1, 10_000)).await;
    settle(&site.ledger).await;
    (desk, lock, under_way)
}

/// The batches in which each was stored.
async fn all(stored: Vec<oneshot::Receiver<u64>>) -> Vec<u64> {
    let mut positions = Vec::new();
    for stored in stored {
        positions.push(stored.await.unwrap());
    }
    positions
}

#[tokio::test]
async fn what_is_brief_goes_before_a_queue_of_bulk() {
    let site = Site::new().await;
    let (desk, mut lock, under_way) = busy(&site).await;
    let mut bulk = Vec::new();
    for load in 0..3 {
        let seq = 10_001 + load * 10_000;
        bulk.push(desk.submit(segment("C1", seq, seq + 9_999)).await);
    }
    let brief = desk.submit_as(true, segment("C2", 1, 1)).await;
    sql(&mut lock, "rollback").await;
    assert_eq!(under_way.await.unwrap(), 1);
    assert_eq!(brief.await.unwrap(), 2);
    assert_eq!(all(bulk).await, [2, 3, 4], "and a batch has room for both");
    desk.end().await;
}

#[tokio::test]
async fn what_is_brief_takes_half_of_a_batch_and_no_more_while_bulk_waits() {
    let site = Site::new().await;
    let (desk, mut lock, under_way) = busy(&site).await;
    let mut brief = Vec::new();
    for load in 0..3 {
        let seq = 1 + load * 5_000;
        brief.push(desk.submit_as(true, segment("C2", seq, seq + 4_999)).await);
    }
    let bulk = desk.submit(segment("C1", 10_001, 15_000)).await;
    sql(&mut lock, "rollback").await;
    assert_eq!(under_way.await.unwrap(), 1);
    assert_eq!(bulk.await.unwrap(), 2);
    assert_eq!(all(brief).await, [2, 3, 3]);
    desk.end().await;
}

#[tokio::test]
async fn a_failing_store_withholds_and_resumes_and_stores_once() {
    let site = Site::new().await;
    let mut desk = site.commit().await;
    let mut truth = site.truth().await;
    sql(
        &mut truth,
        "create trigger full before insert on journal begin select raise(abort, 'disk full'); end",
    )
    .await;
    let (mut first, second) = (
        desk.submit(segment("C1", 1, 2)).await,
        desk.submit(segment("C1", 2, 3)).await,
    );
    desk.signals.healthy.wait_for(|healthy| !healthy).await.unwrap();
    assert!(first.try_recv().is_err());
    sql(&mut truth, "drop trigger full").await;
    desk.signals.healthy.wait_for(|healthy| *healthy).await.unwrap();
    first.await.unwrap();
    second.await.unwrap();
    assert!(desk.metrics.commit_failures.get() >= 1);
    assert_eq!(site.ledger.records_after(0).await.unwrap(), 3);
    site.ledger.verify_chain(|_| ()).await.unwrap();
    desk.end().await;
}

#[tokio::test]
async fn a_store_that_fails_for_good_lets_the_process_end_unacknowledged() {
    let site = Site::new().await;
    let mut desk = site.commit().await;
    let mut truth = site.truth().await;
    sql(
        &mut truth,
        "create trigger full before insert on journal begin select raise(abort, 'disk full'); end",
    )
    .await;
    let stored = desk.submit(segment("C1", 1, 2)).await;
    desk.signals.healthy.wait_for(|healthy| !healthy).await.unwrap();
    desk.abandon.cancel();
    desk.task.await.unwrap();
    assert!(stored.await.is_err());
    assert_eq!(site.ledger.head().await.unwrap(), 0);
}

#[tokio::test]
async fn known_repeats_are_acknowledged_without_being_stored() {
    let site = Site::new().await;
    let desk = site.commit().await;
    desk.submit(segment("C1", 1, 5)).await.await.unwrap();
    // All known: no batch at all. Some known: only the others.
    desk.submit(segment("C1", 2, 4)).await.await.unwrap();
    assert_eq!(site.ledger.head().await.unwrap(), 1);
    desk.submit(segment("C1", 4, 7)).await.await.unwrap();
    assert_eq!(site.ledger.records_after(0).await.unwrap(), 7);
    assert_eq!((desk.metrics.records.get(), desk.metrics.repeats.get()), (7, 5));
    // The same number with other content is stored, for the projector to judge.
    let mut other = Segment::of_device("C1", 1, 1);
    other.push(1, &deposit("H2", 1));
    desk.submit(other).await.await.unwrap();
    assert_eq!(site.ledger.records_after(0).await.unwrap(), 8);
    desk.end().await;
    site.fold().await;
    let counters = site.ledger.progress().await.unwrap().counters;
    assert_eq!(
        (counters.accepted, counters.repeats, counters.conflicts),
        (7, 0, 1)
    );
}

#[tokio::test]
async fn after_a_restart_receipts_go_on_where_they_were_for_every_boot() {
    let site = Site::new().await;
    let desk = site.commit().await;
    desk.submit(of_boot("C1", 1, 1, 4)).await.await.unwrap();
    desk.submit(of_boot("C1", 2, 1, 9)).await.await.unwrap();
    // A late record of the old boot, and an import that names the device.
    desk.submit(of_boot("C1", 1, 5, 5)).await.await.unwrap();
    let mut row = Segment::of_import("C1");
    row.push_import("R1", &deposit("H1", 1));
    desk.submit(row).await.await.unwrap();
    desk.end().await;
    site.fold().await;
    let desk = site.commit().await;
    for (boot, upto) in [(2, 10), (1, 6)] {
        desk.submit(of_boot("C1", boot, upto, upto)).await.await.unwrap();
        let receipt = owed(&desk).await.unwrap();
        assert_eq!(
            (receipt.boot, receipt.upto, receipt.missing),
            (boot, upto, vec![])
        );
    }
    desk.end().await;
}

#[tokio::test]
async fn a_device_whose_cursor_could_not_be_read_gets_its_receipt_when_it_can() {
    let site = Site::new().await;
    site.append(&segment("C1", 1, 2)).await;
    site.fold().await;
    let desk = site.commit().await;
    let mut file = site.projections().await;
    sql(&mut file, "alter table cursor rename to hidden").await;
    desk.submit(segment("C1", 3, 4)).await.await.unwrap();
    assert_eq!(owed(&desk).await, None, "3 and 4 alone would be a lie");
    sql(&mut file, "alter table hidden rename to cursor").await;
    let receipt = owed(&desk).await.unwrap();
    assert_eq!((receipt.upto, receipt.missing), (4, Vec::new()));
    assert_eq!(owed(&desk).await, None, "once said");
}

#[tokio::test]
async fn what_another_node_stored_is_known_though_the_append_that_met_it_failed() {
    let site = Site::new().await;
    let mut desk = site.commit().await;
    desk.submit(segment("C1", 1, 2)).await.await.unwrap();
    site.append(&segment("C1", 3, 4)).await;
    let mut truth = site.truth().await;
    // The second batch of this node finds the other's in its place, and fails at the next.
    sql(
        &mut truth,
        "create trigger full before insert on journal when new.position = 3
         begin select raise(abort, 'disk full'); end",
    )
    .await;
    let stored = desk.submit(segment("C1", 5, 6)).await;
    desk.signals.healthy.wait_for(|healthy| !healthy).await.unwrap();
    sql(&mut truth, "drop trigger full").await;
    stored.await.unwrap();
    let receipt = owed(&desk).await.unwrap();
    assert_eq!((receipt.upto, receipt.missing), (6, Vec::new()));
    desk.end().await;
}

#[tokio::test]
async fn receipts_are_contiguous_and_name_what_is_missing() {
    let site = Site::new().await;
    let desk = site.commit().await;
    desk.submit(segment("C1", 1, 2)).await.await.unwrap();
    desk.submit(segment("C1", 5, 6)).await.await.unwrap();
    desk.submit(segment("C1", 9, 9)).await.await.unwrap();
    let first = owed(&desk).await.unwrap();
    assert_eq!(
        (first.boot, first.upto, first.missing),
        (1, 2, vec![(3, 4), (7, 8)])
    );
    let mut lost = Segment::of_device("C1", 1, 1);
    let at = Millis::clamped(MIDNIGHT);
    lost.push(10, &Body::Lost { at, from: 3, to: 4 });
    desk.submit(lost).await.await.unwrap();
    let second = owed(&desk).await.unwrap();
    assert_eq!((second.upto, second.missing), (6, vec![(7, 8)]));
    desk.end().await;
}

#[tokio::test]
async fn what_is_queued_when_the_doors_close_is_stored() {
    let site = Site::new().await;
    let desk = site.commit().await;
    let mut all = Vec::new();
    for seq in 1..=50 {
        all.push(desk.submit(segment("C1", seq, seq)).await);
    }
    desk.end().await;
    for stored in all {
        stored.await.unwrap();
    }
    assert_eq!(site.ledger.records_after(0).await.unwrap(), 50);
}
