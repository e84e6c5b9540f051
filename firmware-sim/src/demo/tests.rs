use std::collections::{BTreeMap, HashSet};
use std::sync::Mutex;

use super::*;
use crate::estate::Estate;
use crate::keys::Key;
use crate::life::{DAY_MS, midnight};
use crate::mqtt::fake::{Fake, Manners};

fn fleet(days: u16) -> Fleet {
    let estate = Arc::new(Estate::hemu_xincun(54).unwrap());
    Fleet::new(History::new(1, estate, 20_000, days))
}

fn keys(fleet: &Fleet) -> Keys {
    Keys(
        fleet
            .devices
            .iter()
            .map(|c| Key {
                device: c.device.clone(),
                key: "k".to_owned(),
            })
            .collect(),
    )
}

/// Numbers received from each device; fails on two contents for one number.
fn received(fake: &Fake) -> BTreeMap<String, BTreeMap<u64, serde_json::Value>> {
    let mut devices: BTreeMap<String, BTreeMap<u64, serde_json::Value>> = BTreeMap::new();
    for (topic, record) in fake.records() {
        let device = topic.split('/').nth(2).unwrap().to_owned();
        let seq = record["seq"].as_u64().unwrap();
        let before = devices.entry(device).or_default().insert(seq, record.clone());
        assert!(
            before.is_none_or(|before| before == record),
            "number {seq} has two contents"
        );
    }
    devices
}

fn assert_gapless(fake: &Fake) -> u64 {
    let devices = received(fake);
    for (device, records) in &devices {
        assert!(
            records.keys().copied().eq(1..=records.len() as u64),
            "{device} has gaps"
        );
        let boots: HashSet<_> = records.values().map(|r| r["boot"].as_u64()).collect();
        assert_eq!(boots.len(), 1, "{device} changed its boot");
        assert!(
            records.values().map(|r| r["at"].as_i64()).is_sorted(),
            "{device} is out of time order"
        );
    }
    devices.values().map(|records| records.len() as u64).sum()
}

#[tokio::test]
async fn backfill_delivers_every_reading_once_in_arrays_and_tells_how_far_it_is() {
    let fake = Fake::start(Manners::default()).await;
    let fleet = fleet(2);
    let expected = fleet.history.remaining();
    let told = Mutex::new(Vec::new());
    let progress = |done, total| told.lock().unwrap().push((done, total));
    let (after, report) = backfill(fake.addr, &keys(&fleet), fleet, progress).await.unwrap();
    assert_eq!(
        (report.records, report.refused, report.reconnects),
        (expected, 0, 0)
    );
    assert_eq!(assert_gapless(&fake), expected);
    assert!(
        report.publishes * 50 < report.records,
        "arrays, not single records: {report:?}"
    );
    assert_eq!(told.lock().unwrap().last(), Some(&(expected, expected)));
    assert!(
        fake.seen
            .lock()
            .unwrap()
            .publishes
            .iter()
            .all(|(_, p)| p.len() < 64 * 1024 - 100)
    );
    assert_eq!(after.history.upcoming(), 20_002);
}

#[tokio::test]
async fn live_goes_on_with_the_same_boots_and_the_next_numbers() {
    let fake = Fake::start(Manners::default()).await;
    let start = fleet(1);
    let keys = keys(&start);
    let (fleet, report) = backfill(fake.addr, &keys, start, |_, _| {}).await.unwrap();
    let shutdown = CancellationToken::new();
    // One look at 10:00 of the next day, and the end.
    let stop = shutdown.clone();
    let clock = move || {
        stop.cancel();
        midnight(20_001) + 10 * 3_600_000
    };
    let fleet = live(fake.addr, &keys, fleet, clock, shutdown).await.unwrap();
    assert!(
        fleet
            .left
            .iter()
            .all(|r| r.at > midnight(20_001) + 10 * 3_600_000)
    );
    assert!(!fleet.left.is_empty());
    // Shutdown came first: what was packed is numbered; what was queued arrived.
    let total = received(&fake).values().map(|r| r.len() as u64).sum::<u64>();
    assert!(total >= report.records);
}

#[tokio::test]
async fn live_sends_what_the_clock_has_passed_and_nothing_else() {
    let fake = Fake::start(Manners::default()).await;
    let fleet = fleet(1);
    let keys = keys(&fleet);
    let shutdown = CancellationToken::new();
    let noon = midnight(20_000) + DAY_MS / 2;
    let task = tokio::spawn({
        let (addr, shutdown) = (fake.addr, shutdown.clone());
        async move { live(addr, &keys, fleet, move || noon, shutdown).await }
    });
    let arrived = || {
        received(&fake)
            .values()
            .map(std::collections::BTreeMap::len)
            .sum::<usize>()
    };
    let expected = {
        let mut history = self::fleet(1).history;
        history
            .next_day()
            .unwrap()
            .readings
            .iter()
            .filter(|r| r.at <= noon)
            .count()
    };
    while arrived() < expected {
        tokio::task::yield_now().await;
    }
    shutdown.cancel();
    task.await.unwrap().unwrap();
    assert_eq!(assert_gapless(&fake), expected as u64);
}

#[tokio::test]
async fn a_cut_connection_loses_nothing_of_the_backfill() {
    let fake = Fake::start(Manners {
        cut_after: Some(3),
        ..Manners::default()
    })
    .await;
    let fleet = fleet(2);
    let expected = fleet.history.remaining();
    let (_, report) = backfill(fake.addr, &keys(&fleet), fleet, |_, _| {})
        .await
        .unwrap();
    assert!(report.reconnects > 0);
    assert_eq!(
        received(&fake).values().map(|r| r.len() as u64).sum::<u64>(),
        expected
    );
}

#[tokio::test]
async fn a_device_without_a_key_is_named_before_anything_is_sent() {
    let fake = Fake::start(Manners::default()).await;
    let error = backfill(fake.addr, &Keys::default(), fleet(1), |_, _| {})
        .await
        .unwrap_err();
    assert!(error.to_string().contains("no key for st01"), "{error}");
    assert!(fake.seen.lock().unwrap().connects.is_empty());
}

#[test]
fn the_same_fleet_packs_the_same_bytes() {
    let bytes = || {
        let mut fleet = fleet(1);
        let day = fleet.history.next_day().unwrap();
        fleet
            .pack(&day.readings)
            .into_iter()
            .map(|(i, p)| (i, p.into_json()))
            .collect::<Vec<_>>()
    };
    assert_eq!(bytes(), bytes());
}
