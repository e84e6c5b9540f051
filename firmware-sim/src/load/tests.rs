use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use super::*;
use crate::life::day_of;
use crate::mqtt::fake::{Fake, Manners};
use crate::oracle::Oracle;

fn plan(fake: &Fake, devices: usize, records: u64, batch: u16) -> Plan {
    let key = |i| Key {
        device: format!("ld{i}"),
        key: "k".to_owned(),
    };
    Plan {
        addr: fake.addr,
        devices: (0..devices).map(key).collect(),
        window: 64,
        batch,
        version: Version::V311,
        seed: 5,
        crowd: Arc::new(Crowd::Invented(200)),
        from: 1_750_000_000_000,
        time: None,
        records: Some(records),
        rate: None,
        patience: Duration::from_secs(1),
    }
}

/// What the fake received as the export a server would write.
fn export(fake: &Fake) -> String {
    let mut text =
        "reading_id,bag_id,household,at,stream,weight_g,source,device,quality,confidence,boot,seq\n"
            .to_owned();
    let mut stored = HashSet::new();
    for (topic, r) in fake.records() {
        let device = topic.split('/').nth(2).unwrap().to_owned();
        if stored.insert((device.clone(), r["boot"].as_u64(), r["seq"].as_u64())) {
            let household = r["household"].as_str().unwrap_or("");
            let (bag, stream) = (r["bag"].as_str().unwrap(), r["stream"].as_str().unwrap());
            let (at, weight, quality) = (&r["at"], &r["weight_g"], &r["quality"]);
            let (confidence, boot, seq) = (&r["confidence"], &r["boot"], &r["seq"]);
            let row = format!(
                "r,{bag},{household},{at},{stream},{weight},cam,{device},{quality},{confidence},{boot},{seq}\n"
            );
            text.push_str(&row);
        }
    }
    text
}

#[tokio::test]
async fn every_record_is_sent_numbered_acknowledged_and_logged_once() {
    for batch in [1, 256] {
        let fake = Fake::start(Manners::default()).await;
        let log = Arc::new(Mutex::new(Vec::new()));
        let report = run(&plan(&fake, 3, 1_000, batch), Some(log.clone()), Arc::default())
            .await
            .unwrap();
        assert_eq!(
            (report.sent, report.acked, report.refused, report.resent),
            (1_000, 1_000, 0, 0)
        );
        let log = log.lock().unwrap().clone();
        assert_eq!(log.split(|b| *b == b'\n').count(), 1_001);
        let verdict = Oracle::read(&log[..])
            .unwrap()
            .check(export(&fake).as_bytes())
            .unwrap();
        assert!(verdict.ok(), "{verdict:?}");
        assert_eq!(verdict.acked, 1_000);
        let mut seqs: HashMap<String, Vec<u64>> = HashMap::new();
        for (topic, record) in fake.records() {
            seqs.entry(topic)
                .or_default()
                .push(record["seq"].as_u64().unwrap());
        }
        for (topic, seqs) in seqs {
            assert!(
                seqs.iter().copied().eq(1..=seqs.len() as u64),
                "{topic} numbers from 1 without gaps"
            );
        }
    }
}

#[tokio::test]
async fn a_resend_after_a_cut_repeats_records_exactly_and_the_oracle_is_content() {
    let fake = Fake::start(Manners {
        cut_after: Some(150),
        ..Manners::default()
    })
    .await;
    let log = Arc::new(Mutex::new(Vec::new()));
    let report = run(&plan(&fake, 2, 800, 2), Some(log.clone()), Arc::default())
        .await
        .unwrap();
    assert_eq!((report.sent, report.acked), (800, 800));
    assert!(report.reconnects >= 2 && report.resent >= 2, "{report:?}");
    let mut contents = HashMap::new();
    for (topic, record) in fake.records() {
        let identity = (topic, record["boot"].as_u64(), record["seq"].as_u64());
        let before = contents.insert(identity, record.clone());
        assert!(
            before.is_none_or(|before| before == record),
            "a repeat differs: {record}"
        );
    }
    assert_eq!(contents.len(), 800);
    let log = log.lock().unwrap().clone();
    assert!(
        Oracle::read(&log[..])
            .unwrap()
            .check(export(&fake).as_bytes())
            .unwrap()
            .ok()
    );
}

#[tokio::test]
async fn a_run_ends_in_time_though_nobody_answers() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let fake = Fake::start(Manners::default()).await;
    let short = Duration::from_millis(20);
    let addr = silent.local_addr().unwrap();
    let plan = Plan {
        addr,
        time: Some(short),
        patience: short,
        records: None,
        ..plan(&fake, 1, 0, 1)
    };
    let report = run(&plan, None, Arc::default()).await.unwrap();
    assert_eq!((report.sent, report.acked), (0, 0));
}

#[test]
fn a_household_drops_about_two_bags_a_day_however_fast_they_are_sent() {
    let crowd = Arc::new(Crowd::Invented(1_000));
    let script = Script::new(1, crowd, 0, 1, 4, "ld1");
    let mut days: HashMap<(Option<_>, i32), u32> = HashMap::new();
    for seq in 1..=50_000 {
        let (at, deposit) = script.record(seq);
        if deposit.household.is_some() {
            *days.entry((deposit.household, day_of(at))).or_default() += 1;
        }
    }
    let households: HashSet<_> = days.keys().map(|(household, _)| *household).collect();
    assert_eq!(households.len(), 250);
    assert!(*days.values().max().unwrap() <= 14);
    let last = day_of(script.record(50_000).0) - day_of(script.record(1).0);
    assert_eq!(last, 100);
}

#[test]
fn devices_share_neither_bags_nor_households() {
    let crowd = Arc::new(Crowd::Invented(100));
    let seen = |lane| {
        let script = Script::new(1, crowd.clone(), 0, lane, 2, "x");
        (1..2_000).map(|seq| script.record(seq).1).collect::<Vec<_>>()
    };
    let (a, b) = (seen(0), seen(1));
    let bags: HashSet<_> = a.iter().chain(&b).map(|d| d.bag).collect();
    assert_eq!(bags.len(), 2 * 1_999);
    let households =
        |d: &[crate::reading::Deposit]| d.iter().filter_map(|d| d.household).collect::<HashSet<_>>();
    assert!(households(&a).is_disjoint(&households(&b)));
}
