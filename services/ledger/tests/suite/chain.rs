//! The journal: one chain whoever appends, no way to rewrite it, and every damage named by its first batch.

use hemu_ledger::entry::{Body, Origin};
use hemu_ledger::{Error, Head, Ledger};

use crate::raw::attempt;
use crate::site::{Site, batch, deposit, run, segment};

fn numbered(seq: u64) -> (u64, Vec<u8>) {
    batch(&[segment("C1", [(seq, Body::Deposit(deposit("H1", 0)))])])
}

/// Five batches of one record, folded.
async fn five() -> Site {
    let site = Site::new().await;
    let mut journal = site.ledger.journal().await.unwrap();
    for seq in 1..=5 {
        let (records, body) = numbered(seq);
        journal.append(1_000, records, &body).await.unwrap();
    }
    site.fold().await;
    site
}

pub(crate) async fn verdict(ledger: &Ledger) -> Result<Head, (u64, String)> {
    ledger.verify_chain(|_| ()).await.map_err(|error| match error {
        Error::Damaged { position, what } => (position, what),
        other => (0, other.to_string()),
    })
}

#[tokio::test]
async fn the_chain_leads_to_the_head() {
    let site = five().await;
    let mut reached = Vec::new();
    let head = site.ledger.verify_chain(|position| reached.push(position)).await;
    let head = head.unwrap();
    assert_eq!((head.position, reached), (5, vec![5]));
    assert_eq!(site.ledger.journal().await.unwrap().head(), head);
    assert_eq!(site.ledger.head().await.unwrap(), 5);
}

#[tokio::test]
async fn two_writers_interleaved_lose_and_double_nothing() {
    let site = Site::new().await;
    let (mut one, mut other) = (
        site.ledger.journal().await.unwrap(),
        site.ledger.journal().await.unwrap(),
    );
    for seq in 1..=40 {
        // Runs of different lengths, so that either writer is often behind.
        let writer = if seq % 7 < 3 { &mut one } else { &mut other };
        let (records, body) = numbered(seq);
        writer.append(0, records, &body).await.unwrap();
    }
    assert_eq!(verdict(&site.ledger).await.unwrap().position, 40);
    assert_eq!(seqs(&site.ledger).await, (1..=40).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_writers_at_once_lose_and_double_nothing() {
    let site = Site::new().await;
    let mut writers = Vec::new();
    for writer in 0..2 {
        let mut journal = site.ledger.journal().await.unwrap();
        writers.push(tokio::spawn(async move {
            for seq in 1..=30 {
                let (records, body) = numbered(100 * writer + seq);
                journal.append(0, records, &body).await.unwrap();
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(verdict(&site.ledger).await.unwrap().position, 60);
    let mut found = seqs(&site.ledger).await;
    found.sort_unstable();
    assert_eq!(found, (1..=30).chain(101..=130).collect::<Vec<_>>());
}

async fn seqs(ledger: &Ledger) -> Vec<u64> {
    let batches = ledger.batches(0, 1_000).await.unwrap();
    let entries = batches
        .iter()
        .flat_map(hemu_ledger::journal::Batch::entries)
        .map(Result::unwrap);
    entries
        .filter_map(|entry| match entry.origin {
            Origin::Device { seq, .. } => Some(seq),
            Origin::Unidentified { .. } | Origin::Import { .. } | Origin::Account { .. } => None,
        })
        .collect()
}

#[tokio::test]
async fn the_database_refuses_to_rewrite_history() {
    let site = five().await;
    let mut truth = site.truth().await;
    for sql in [
        "update journal set at = 7 where position = 3",
        "delete from journal where position = 5",
        "delete from journal",
        "insert into journal select 5, at, records, hash, body from journal where position = 4",
    ] {
        let refused = attempt(&mut truth, sql).await;
        assert!(refused.is_err(), "{sql}");
    }
    assert_eq!(verdict(&site.ledger).await.unwrap().position, 5);
}

/// What someone with the file in hand can do, and the batch that gives it away.
#[tokio::test]
async fn whoever_goes_around_the_triggers_is_found_at_the_first_bad_batch() {
    let flip = |expression: &str| format!("update journal set {expression} where position = 3");
    let tampering = [
        (flip("at = at + 1"), 3),
        (flip("at = at + (1 << 62)"), 3),
        (flip("records = records + 1"), 3),
        (flip("hash = zeroblob(32)"), 3),
        (flip("hash = substr(hash, 1, 31)"), 3),
        (flip("hash = 'text'"), 3),
        (flip("body = substr(body, 1, length(body) - 1)"), 3),
        (flip("body = body || x'00'"), 3),
        (flip("body = 'text'"), 3),
        (flip("at = 'text'"), 3),
        (flip("position = 9"), 4),
        (flip("position = -3"), 4),
        ("delete from journal where position = 1".into(), 2),
        ("delete from journal where position = 3".into(), 4),
        // Cut off at the end: only the projections remember.
        ("delete from journal where position = 5".into(), 5),
        ("delete from journal where position > 2".into(), 5),
        ("delete from journal".into(), 5),
        // Two rows swapped, whole or in part.
        (
            "update journal set position = 30 where position = 3;
             update journal set position = 3 where position = 4;
             update journal set position = 4 where position = 30"
                .into(),
            3,
        ),
        (
            "create temp table j as select * from journal;
             update journal set body = (select body from j where position = 4) where position = 2;
             update journal set body = (select body from j where position = 2) where position = 4"
                .into(),
            2,
        ),
    ];
    for (sql, first_bad) in tampering {
        let site = five().await;
        let mut truth = site.truth().await;
        run(
            &mut truth,
            "drop trigger journal_is_append_only; drop trigger journal_keeps_everything",
        )
        .await;
        run(&mut truth, &sql).await;
        let (position, what) = verdict(&site.ledger).await.expect_err(&sql);
        assert_eq!(position, first_bad, "{sql}: {what}");
    }
}

#[tokio::test]
async fn any_flipped_bit_of_a_batch_is_found() {
    let site = five().await;
    let mut truth = site.truth().await;
    run(&mut truth, "drop trigger journal_is_append_only").await;
    let batch = site.ledger.batches(2, 1).await.unwrap().remove(0);
    for bit in (0..batch.body.len() * 8).step_by(5) {
        let mut body = batch.body.clone();
        body[bit / 8] ^= 1 << (bit % 8);
        for bytes in [&body, &batch.body] {
            sqlx::query("update journal set body = ? where position = 3")
                .bind(bytes)
                .execute(truth.file().unwrap())
                .await
                .unwrap();
            let found = verdict(&site.ledger).await.map_err(|(position, _)| position);
            let expected = if *bytes == body { Err(3) } else { Ok(5) };
            assert_eq!(found.map(|head| head.position), expected, "bit {bit}");
        }
    }
}

#[tokio::test]
async fn an_end_that_was_cut_off_and_written_anew_is_found_and_not_folded() {
    let site = five().await;
    let before = site.everything().await;
    let mut truth = site.truth().await;
    run(
        &mut truth,
        "drop trigger journal_keeps_everything; delete from journal where position > 3",
    )
    .await;
    // Other readings in the place of those that were folded, and more; the chain itself is whole.
    for seq in 11..=14 {
        site.append(&[segment("C1", [(seq, Body::Deposit(deposit("H2", 0)))])])
            .await;
    }
    assert_eq!(verdict(&site.ledger).await.unwrap_err().0, 5);
    let refused = site.ledger.projector().await.map(|_| ());
    assert!(
        matches!(refused, Err(Error::Damaged { position: 5, .. })),
        "{refused:?}"
    );
    assert_eq!(site.everything().await, before);
    // Whoever means it folds again from the journal there is.
    let (site, _) = site.rebuilt().await;
    assert_eq!(verdict(&site.ledger).await.unwrap().position, 7);
    assert_eq!(site.ledger.progress().await.unwrap().counters.accepted, 7);
}

#[tokio::test]
async fn a_batch_that_does_not_chain_is_not_folded() {
    let site = five().await;
    site.append(&[segment("C1", [(6, Body::Deposit(deposit("H1", 0)))])])
        .await;
    let mut truth = site.truth().await;
    run(
        &mut truth,
        "drop trigger journal_is_append_only; update journal set at = at + 1 where position = 6",
    )
    .await;
    let (mut projector, _lock) = site.ledger.projector().await.unwrap();
    let refused = projector.step().await;
    assert!(
        matches!(refused, Err(Error::Damaged { position: 6, .. })),
        "{refused:?}"
    );
    assert_eq!(site.ledger.progress().await.unwrap().applied, 5);
}

#[tokio::test]
async fn the_newest_records_begin_one_batch_before_what_is_asked_at_most() {
    let site = Site::new().await;
    let mut seq = 0_u64;
    for records in [50_u64, 50, 1, 1, 1, 1, 1] {
        let of_batch =
            (seq + 1..=seq + records).map(|seq| (seq, Body::Deposit(deposit("H1", seq.cast_signed()))));
        site.append(&[segment("C1", of_batch)]).await;
        seq += records;
    }
    for ((after, upto, records), from) in [
        ((0, 7, 5), 2),
        ((0, 7, 6), 1),
        ((0, 7, 1_000), 0),
        ((4, 7, 1_000), 4),
        ((0, 6, 2), 4),
        ((0, 0, 2), 0),
        ((7, 7, 2), 7),
    ] {
        let newest = site.ledger.newest(after, upto, records).await.unwrap();
        assert_eq!(newest, from, "{after} {upto} {records}");
    }
}
