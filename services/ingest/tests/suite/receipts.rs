//! Receipts: soon, but one a second and device at most, always the newest, signed with the device's own key.

use std::time::Duration;

use hemu_ingest::receipts::{Round, round, run};
use hemu_ledger::registry::key_digest;
use hemu_wire::{DeviceId, verify};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::site::{NOW, Site, of_boot, settle};

/// While this lives, a paused clock moves only when it is told to: the database answers from another thread, and the
/// runtime must not take waiting for it for idleness.
fn hold_the_clock() -> std::sync::mpsc::Sender<()> {
    let (release, held) = std::sync::mpsc::channel::<()>();
    tokio::task::spawn_blocking(move || held.recv().unwrap_or_default());
    release
}

#[tokio::test]
async fn a_device_hears_the_newest_soon_and_once_a_second() {
    let site = Site::new().await;
    for (device, key) in [("C1", "one"), ("C2", "two"), ("C3", "three")] {
        let key = key_digest(key.as_bytes());
        site.ledger
            .add_device(device, &key, None, None, NOW)
            .await
            .unwrap();
    }
    site.ledger.revoke_device("C3", NOW).await.unwrap();
    tokio::time::pause();
    let _held = hold_the_clock();

    let (desk, stop) = (site.commit().await, CancellationToken::new());
    let (out, mut heard) = mpsc::unbounded_channel();
    let send = move |device: &DeviceId, json: Option<String>| {
        out.send((device.to_string(), json.unwrap_or_default())).unwrap();
    };
    let task = tokio::spawn(run(
        desk.intake.clone(),
        site.ledger.clone(),
        7,
        send,
        stop.clone(),
    ));
    // The first tick is at once, as far as a timer of whole milliseconds can tell.
    settle(&site.ledger).await;
    tokio::time::advance(Duration::from_millis(1)).await;
    settle(&site.ledger).await;

    for last in 1..=3 {
        for device in ["C1", "C3", "nobody"] {
            desk.submit(of_boot(device, 4, last, last)).await.await.unwrap();
        }
    }
    desk.submit(of_boot("C2", 5, 1, 9)).await.await.unwrap();
    tokio::time::advance(Duration::from_millis(98)).await;
    settle(&site.ledger).await;
    assert!(heard.try_recv().is_err(), "sent between two looks");
    tokio::time::advance(Duration::from_millis(2)).await;
    let mut round = Vec::new();
    for _ in 0..4 {
        round.push(heard.recv().await.unwrap());
    }
    round.sort();
    let [(first, of_first), (second, of_second), revoked, unknown] = round.as_slice() else {
        panic!("{round:?}");
    };
    assert_eq!((first.as_str(), second.as_str()), ("C1", "C2"));
    // Whoever has no right to be connected gets nothing signed.
    assert_eq!(
        (revoked, unknown),
        (&("C3".into(), String::new()), &("nobody".into(), String::new()))
    );
    let receipt = verify(of_first.as_bytes(), &key_digest(b"one")).unwrap();
    assert_eq!((receipt.boot, receipt.upto, receipt.generation), (4, 3, 7));
    assert!(verify(of_first.as_bytes(), &key_digest(b"two")).is_err());
    assert_eq!(verify(of_second.as_bytes(), &key_digest(b"two")).unwrap().upto, 9);

    // Who goes on talking hears once a second, and then the newest.
    for last in 4..=12 {
        desk.submit(of_boot("C1", 4, last, last)).await.await.unwrap();
        tokio::time::advance(Duration::from_millis(100)).await;
        settle(&site.ledger).await;
        assert!(
            heard.try_recv().is_err(),
            "sent again within the second, after {last}"
        );
    }
    tokio::time::advance(Duration::from_millis(100)).await;
    let (whom, json) = heard.recv().await.unwrap();
    assert_eq!(whom, "C1");
    assert_eq!(verify(json.as_bytes(), &key_digest(b"one")).unwrap().upto, 12);

    // Nothing new, nothing said.
    for _ in 0..30 {
        tokio::time::advance(Duration::from_millis(100)).await;
        settle(&site.ledger).await;
    }
    assert!(heard.try_recv().is_err());
    stop.cancel();
    task.await.unwrap();
    desk.end().await;
}

#[tokio::test]
async fn a_receipt_that_waited_for_the_disk_is_not_followed_too_soon() {
    let site = Site::new().await;
    let (desk, held) = site.commit_held().await;
    tokio::time::pause();
    let _held = hold_the_clock();
    let asked = Instant::now();
    let stored = desk.submit_as(true, of_boot("C1", 4, 1, 3)).await;
    let (owed, ()) = tokio::join!(desk.intake.owed(asked), async {
        // It waits behind a batch for five seconds.
        settle(&site.ledger).await;
        tokio::time::advance(Duration::from_secs(5)).await;
        held.send(()).unwrap();
        stored.await.unwrap();
    });
    assert_eq!(owed.map(|owed| owed.len()), Some(1));

    desk.submit(of_boot("C1", 4, 4, 4)).await.await.unwrap();
    let owed_at = async |ms| desk.intake.owed(asked + Duration::from_millis(ms)).await;
    for at in [1_100, 5_100, 5_800] {
        let owed = owed_at(at).await;
        assert_eq!(owed, Some(Vec::new()), "{at} ms after it was asked first");
    }
    let owed = owed_at(6_000).await.unwrap();
    assert_eq!(owed.iter().map(|owed| owed.upto).collect::<Vec<_>>(), [4]);
    desk.end().await;
}

#[tokio::test]
async fn what_cannot_be_signed_is_owed_again() {
    let site = Site::new().await;
    let desk = site.commit().await;
    desk.submit(of_boot("C1", 4, 1, 3)).await.await.unwrap();
    let closed = site.beside().await;
    closed.close().await;
    let send = |device: &DeviceId, _: Option<String>| panic!("{device} heard something");
    let unsigned = round(&desk.intake, &closed, 1, Instant::now(), &send).await;
    assert_eq!(unsigned, Round::Unsigned);
    let owed = desk.owed().await;
    assert_eq!(
        owed.iter()
            .map(|owed| (&*owed.device, owed.upto))
            .collect::<Vec<_>>(),
        [("C1", 3)]
    );
    desk.end().await;
}
