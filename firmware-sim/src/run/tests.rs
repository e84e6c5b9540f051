use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use super::*;
use crate::device::{Receipt, key_digest};
use crate::estate::Estate;
use crate::keys::Key;
use crate::life::DAY_MS;
use crate::mqtt::fake::{Fake, Manners};
use crate::oracle::Oracle;

const DAY: i32 = 20_000;

fn plan(fake: &Fake, history: &History, faults: FaultPlan) -> Plan {
    let keys = history
        .estate()
        .devices()
        .map(|(d, _)| Key {
            device: d.to_owned(),
            key: "k".to_owned(),
        })
        .collect();
    Plan {
        addr: fake.addr,
        keys: Keys(keys),
        faults,
        from: 0,
        behind_a_broker: false,
        ring_records: 2_048,
        flash: None,
        log: None,
    }
}

fn history() -> History {
    History::new(3, Arc::new(Estate::hemu_xincun(54).unwrap()), DAY, 1)
}

/// A clock that advances a simulated minute every time somebody looks, up to `end`.
fn clock(end: i64) -> Clock {
    let now = AtomicU64::new(midnight(DAY).unsigned_abs());
    Arc::new(move || now.fetch_add(60_000, Ordering::Relaxed).cast_signed().min(end))
}

/// Runs until the fake has heard `enough`.
async fn run_until(plan: Plan, end: i64, enough: impl Fn(&Figures) -> bool) -> Figures {
    let (tally, stop) = (Arc::new(Tally::default()), CancellationToken::new());
    let task = tokio::spawn({
        let (tally, stop) = (tally.clone(), stop.clone());
        async move { run(&plan, history(), clock(end), tally, stop).await }
    });
    while !enough(&tally.figures()) {
        assert!(!task.is_finished(), "the run ended early");
        tokio::task::yield_now().await;
    }
    stop.cancel();
    task.await.unwrap().unwrap();
    tally.figures()
}

fn expected(end: i64) -> u64 {
    let mut history = history();
    history
        .next_day()
        .unwrap()
        .readings
        .iter()
        .filter(|r| r.at <= end)
        .count() as u64
}

#[tokio::test]
async fn a_healthy_estate_sends_every_reading_once() {
    let fake = Fake::start(Manners::default()).await;
    let end = midnight(DAY) + DAY_MS / 3;
    let all = expected(end);
    let figures = run_until(plan(&fake, &history(), FaultPlan::default()), end, |f| {
        f.acked >= all
    })
    .await;
    assert_eq!(
        (figures.recorded, figures.sent, figures.acked, figures.connections),
        (all, all, all, 24)
    );
    let identities: HashSet<_> = fake
        .records()
        .iter()
        .map(|(t, r)| (t.split('/').nth(2).unwrap().to_owned(), r["seq"].as_u64()))
        .collect();
    assert_eq!(identities.len() as u64, all);
}

#[tokio::test]
async fn under_every_fault_each_record_keeps_one_content_and_the_oracle_knows_it() {
    let fake = Fake::start(Manners {
        cut_after: Some(40),
        ..Manners::default()
    })
    .await;
    let end = midnight(DAY) + DAY_MS / 3;
    let faults = FaultPlan {
        duplicate: 0.2,
        reorder: 0.2,
        garbage: 0.1,
        wrong_clock: 0.3,
        power_cuts_per_day: 5.0,
        storms_per_day: 5.0,
        ..FaultPlan::default()
    };
    let log = Arc::new(Mutex::new(Vec::new()));
    let plan = Plan {
        log: Some(log.clone()),
        ..plan(&fake, &history(), faults)
    };
    let all = expected(end);
    let figures = run_until(plan, end, |f| {
        f.recorded >= all * 9 / 10 && f.acked >= all && f.power_cuts > 3
    })
    .await;
    assert!(figures.garbage > 0 && figures.connections > 40, "{figures:?}");
    let mut contents = HashMap::new();
    for (topic, record) in fake.records() {
        let (Some(boot), Some(seq)) = (record["boot"].as_u64(), record["seq"].as_u64()) else {
            continue;
        };
        let device = topic.split('/').nth(2).unwrap().to_owned();
        let before = contents.insert((device, boot, seq), record.clone());
        assert!(
            before.is_none_or(|before| before == record),
            "two contents: {record}"
        );
    }
    let mut export =
        "household,bag_id,at,stream,weight_g,quality,confidence,source,device,boot,seq\n".to_owned();
    for ((device, boot, seq), r) in contents.iter().filter(|(_, r)| r["bag"].is_string()) {
        let text = |name: &str| r[name].as_str().unwrap_or("").to_owned();
        let source = if r["by"] == "inspector" { "insp" } else { "cam" };
        let confidence = r.get("confidence").map_or("1".to_owned(), ToString::to_string);
        let (household, bag, stream) = (text("household"), text("bag"), text("stream"));
        let (at, weight, quality) = (&r["at"], &r["weight_g"], &r["quality"]);
        let row = format!(
            "{household},{bag},{at},{stream},{weight},{quality},{confidence},{source},{device},{boot},{seq}\n"
        );
        export.push_str(&row);
    }
    let log = log.lock().unwrap().clone();
    let verdict = Oracle::read(&log[..]).unwrap().check(export.as_bytes()).unwrap();
    assert!(verdict.acked > 300, "{verdict:?}");
    assert_eq!(
        (verdict.missing, verdict.doubled, verdict.changed, verdict.garbage),
        (0, 0, 0, 0),
        "{verdict:?}"
    );
}

#[tokio::test]
async fn only_the_device_a_true_receipt_names_releases_records() {
    let end = midnight(DAY) + DAY_MS / 4;
    let boot = boot_number(3, "st01", end.unsigned_abs());
    let receipt = Receipt {
        boot,
        upto: 1,
        missing: vec![],
        generation: 4,
    };
    for (key, released) in [("k", 1), ("another", 0)] {
        let signed = receipt.signed(&key_digest(key));
        let fake = Fake::start(Manners {
            receipt: Some(signed),
            ..Manners::default()
        })
        .await;
        let plan = plan(&fake, &history(), FaultPlan::default());
        let all = expected(end);
        let (tally, stop) = (Arc::new(Tally::default()), CancellationToken::new());
        let fixed: Clock = Arc::new(move || end);
        let task = tokio::spawn({
            let (tally, stop) = (tally.clone(), stop.clone());
            async move { run(&plan, history(), fixed, tally, stop).await }
        });
        while tally.figures().acked < all || tally.figures().receipted < released {
            tokio::task::yield_now().await;
        }
        stop.cancel();
        task.await.unwrap().unwrap();
        assert_eq!(tally.figures().receipted, released);
        assert_eq!(tally.figures().bad_receipts > 0, key == "another");
    }
}
