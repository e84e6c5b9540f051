//! What a crash, a failed transaction and a rebuild leave behind: the same rows.

use hemu_ledger::entry::{Body, Deposit, Status};
use hemu_ledger::segment::Segment;
use hemu_rules::{Bp, By, Millis};

use crate::site::{MIDNIGHT, NOW, Site, batch, deposit, fold, of_boot, quarantined, run, segment};

/// A bit of everything: eight batches that touch every table.
pub(crate) fn batches() -> Vec<Vec<Segment>> {
    let bagged = |household, bag, by, minutes| {
        Body::Deposit(Deposit {
            bag: Some(bag),
            by,
            quality: Bp::clamped(7_000 + 10 * minutes),
            ..deposit(household, minutes)
        })
    };
    let mut import = Segment::of_import("C1");
    import.push_import("R1", &bagged("H3", "B3", By::Camera, 40));
    import.push_import("R2", &Body::Deposit(deposit("H4", 41)));
    let mut unread = Segment::unidentified("C2");
    unread.push_unidentified(&quarantined(b"{"));
    let status = Body::Status(Status {
        at: Millis::clamped(MIDNIGHT),
        bins: vec![hemu_ledger::entry::BinState {
            stream: hemu_rules::Stream::Food,
            fill: Some(Bp::clamped(5)),
            weight_g: None,
        }],
        firmware: Some("1.2"),
        ..Status::default()
    });
    let smoke = Body::Incident(hemu_ledger::entry::Incident {
        at: Millis::clamped(MIDNIGHT),
        kind: "smoke",
        stream: None,
        note: None,
        photo: Some("p1"),
    });
    let lost = Body::Lost {
        at: Millis::clamped(MIDNIGHT),
        from: 4,
        to: 6,
    };
    vec![
        vec![segment(
            "C2",
            [
                (1, bagged("H1", "B1", By::Camera, 30)),
                (2, Body::Deposit(deposit("H2", 3))),
            ],
        )],
        vec![segment(
            "I1",
            [
                (1, bagged("H1", "B1", By::Inspector, 31)),
                (2, bagged("H3", "B3", By::Inspector, 45)),
            ],
        )],
        vec![segment(
            "C1",
            [(1, bagged("H1", "B1", By::Camera, 29)), (3, status)],
        )],
        vec![import.clone(), unread],
        vec![segment(
            "C2",
            [
                (1, Body::Deposit(deposit("H9", 9))),
                (2, Body::Deposit(deposit("H2", 3))),
            ],
        )],
        vec![
            segment("C1", [(7, lost), (9, smoke)]),
            of_boot("C1", 2, [(1, Body::Deposit(deposit("H1", 1_500)))]),
        ],
        vec![import],
        vec![segment(
            "I2",
            [
                (1, bagged("H3", "B3", By::Inspector, 50)),
                (2, Body::Deposit(deposit("H5", 60))),
            ],
        )],
    ]
}

#[tokio::test]
async fn a_crash_after_any_append_replays_to_the_same_rows() {
    let straight = Site::new().await;
    for batch in batches() {
        straight.append(&batch).await;
    }
    straight.fold().await;
    let expected = straight.everything().await;

    for crash in 0..batches().len() {
        let mut site = Site::new().await;
        for (nth, batch) in batches().iter().enumerate() {
            site.append(batch).await;
            if nth == crash {
                // Appended, acknowledged, not folded: the process is gone.
                site = site.reopen().await;
            } else if nth % 2 == 0 {
                site.fold().await;
            }
        }
        site.fold().await;
        assert_eq!(site.everything().await, expected, "crash after batch {crash}");
    }
}

/// A site with all of it in its journal and nothing folded, and what its tables hold when it is.
pub(crate) async fn unfolded() -> (Site, Vec<String>) {
    let straight = Site::new().await;
    let site = Site::new().await;
    for batch in batches() {
        straight.append(&batch).await;
        site.append(&batch).await;
    }
    straight.fold().await;
    (site, straight.everything().await)
}

#[tokio::test]
async fn a_failed_transaction_leaves_memory_as_the_file_says() {
    let (site, expected) = unfolded().await;
    let (mut projector, _lock) = site.ledger.projector().await.unwrap();
    let mut file = site.projections().await;
    // Late in the transaction: names, cursors and readings are in memory and in the transaction by then.
    run(&mut file, "alter table quarantine rename to gone").await;
    for _ in 0..2 {
        assert!(projector.step().await.is_err());
        assert_eq!(projector.applied(), 0);
        assert!(site.sums().await.is_empty());
    }
    run(&mut file, "alter table gone rename to quarantine").await;
    fold(&mut projector).await;
    assert_eq!(site.everything().await, expected);
}

#[tokio::test]
async fn memory_is_not_believed_while_it_could_not_be_read_again() {
    let site = Site::new().await;
    let (mut projector, _lock) = site.ledger.projector().await.unwrap();
    let mut file = site.projections().await;
    site.append(&batches()[0]).await;
    run(
        &mut file,
        "alter table quarantine rename to gone; alter table household rename to people",
    )
    .await;
    assert!(projector.step().await.is_err());
    run(&mut file, "alter table gone rename to quarantine").await;
    // The household table is still gone, so even reading everything again fails.
    assert!(projector.step().await.is_err());
    run(&mut file, "alter table people rename to household").await;
    fold(&mut projector).await;
    assert_eq!(site.ledger.verify_projections(|_| ()).await.unwrap(), None);
    assert_eq!(site.ledger.device_states().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_rebuild_gives_the_same_rows_byte_for_byte() {
    let site = Site::new().await;
    for batch in batches() {
        site.append(&batch).await;
        site.fold().await;
    }
    let before = site.everything().await;
    let records: u64 = site.ledger.records_after(0).await.unwrap();
    let (site, folded) = site.rebuilt().await;
    assert_eq!(folded, records);
    assert_eq!(site.everything().await, before);
    assert!(!site.folder().path().join("rebuild.db").exists());
}

#[tokio::test]
async fn numbers_go_by_the_journal_not_by_the_cut() {
    let (slowly, at_once) = (Site::new().await, Site::new().await);
    for batch in batches() {
        slowly.append(&batch).await;
        slowly.fold().await;
        at_once.append(&batch).await;
    }
    at_once.fold().await;
    assert_eq!(slowly.everything().await, at_once.everything().await);
}

/// Where devices wait for each acknowledgement a batch holds a record or two. Whoever reads on in steps and rests after one
/// that was not full must not be left behind by that.
#[tokio::test]
async fn a_step_takes_as_many_batches_as_there_are() {
    let site = Site::new().await;
    let mut journal = site.ledger.journal().await.unwrap();
    for nth in 1..=1_100 {
        let (records, body) = batch(&[segment("C1", [(nth, Body::Deposit(deposit("H1", 30)))])]);
        journal.append(NOW, records, &body).await.unwrap();
    }
    let (mut projector, _lock) = site.ledger.projector().await.unwrap();
    assert_eq!(projector.step().await.unwrap().records, 1_100);
    assert_eq!(site.ledger.tail(0, 100_000).await.unwrap().records(), 1_100);
    assert_eq!(site.ledger.tail(0, 1_050).await.unwrap().records(), 1_050);
    let delays = site.ledger.delays(1_100, 0).await.unwrap();
    assert_eq!(delays.devices["C1"].records, 1_100);
}
