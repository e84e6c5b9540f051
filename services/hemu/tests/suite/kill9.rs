//! `kill -9` under load: every acknowledged record is in the export, none twice, and the ledger verifies.
//!
//! `scripts/kill9` runs it larger: `HEMU_TEST_KILLS` kills instead of 20.

use std::io::Cursor;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use firmware_sim::draw::Dice;
use firmware_sim::load::{self, Crowd, Gauge, Plan};
use firmware_sim::mqtt::Version;
use firmware_sim::oracle::Oracle;

use crate::support::{Server, add_device, free_port, is_verified, succeed};

fn kills() -> u32 {
    std::env::var("HEMU_TEST_KILLS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(20)
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_records_survive_kill_9_and_none_is_doubled() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let devices = ["dev-a", "dev-b", "dev-c", "dev-d"]
        .map(|id| add_device(&data, id))
        .to_vec();
    let port = free_port();
    let mut server = Server::start(&data, port);
    let plan = Plan {
        addr: server.mqtt,
        devices,
        window: 256,
        batch: 1,
        version: Version::V311,
        seed: 7,
        crowd: Arc::new(Crowd::Invented(500)),
        from: 1_767_225_600_000,
        time: Some(Duration::from_millis(700) * kills()),
        records: None,
        rate: Some(4_000.0),
        patience: Duration::from_mins(1),
    };
    let log: Arc<Mutex<Vec<u8>>> = Arc::default();
    let writer: load::Log = log.clone();
    let gauge = Arc::new(Gauge::default());
    let load = tokio::spawn({
        let gauge = gauge.clone();
        async move { load::run(&plan, Some(writer), gauge).await }
    });

    // Each kill comes at a moment of its own, but only after something was acknowledged since the last.
    let mut dice = Dice::new(11, "kill", 0);
    for _ in 0..kills() {
        let before = gauge.acked();
        let running = Duration::from_millis(u64::from(100 + dice.below(400)));
        tokio::time::sleep(running).await;
        while gauge.acked() == before && !load.is_finished() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        server.kill();
        server = Server::start(&data, port);
    }
    let report = load.await.unwrap().unwrap();
    assert!(server.terminate().success());

    let export = folder.path().join("export.csv");
    succeed(&data, &["export", "--csv", export.to_str().unwrap()]);
    let log = std::mem::take(&mut *log.lock().unwrap());
    let verdict = Oracle::read(Cursor::new(log))
        .unwrap()
        .check(std::fs::File::open(&export).unwrap())
        .unwrap();
    println!(
        "{} kills, {} reconnects, acknowledged {}, rows {}, missing {}, doubled {}, changed {}",
        kills(),
        report.reconnects,
        verdict.acked,
        verdict.rows,
        verdict.missing,
        verdict.doubled,
        verdict.changed
    );
    assert!(verdict.ok(), "{verdict:?}");
    assert!(
        verdict.acked >= 1_000,
        "the load was too small to mean anything: {verdict:?}"
    );
    assert!(report.reconnects > 0, "no connection was ever cut: {report:?}");
    is_verified(&succeed(&data, &["verify"]));
}
