//! Hemu behind real brokers: a living estate sends through them, and what receipts cover is in the ledger, once.
#![expect(clippy::unwrap_used, reason = "a test whose scene cannot be set has failed")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use firmware_sim::keys::Key;
use firmware_sim::life::midnight;
use firmware_sim::load;
use firmware_sim::mqtt::Version;
use tempfile::TempDir;

use crate::brokers::{self, Broker, is_there, signal, until};
use crate::living::{DAY, Life, Lived, Pace, estate};
use crate::serve::{get, metric};
use crate::support::{Server, hemu, holds_exactly, is_verified, succeed};

/// From midnight to a quarter past eight, the morning's rush included, in so many seconds.
const fn morning_in(seconds: i64) -> Pace {
    Pace {
        lives_ms: (8 * 60 + 15) * 60_000,
        seconds,
    }
}

struct Scene {
    folder: TempDir,
    keys: Vec<Key>,
}

impl Scene {
    /// Every device of the estate, registered in the ledger and in a password file.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let add = |(id, _): (&str, _)| brokers::add_device(folder.path(), &data, id);
        let keys = estate().devices().map(add).collect();
        Self { folder, keys }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    /// The shipped Mosquitto with every device's login.
    fn mosquitto(&self, change: &[(&str, &str)]) -> Broker {
        let devices = std::fs::read_to_string(brokers::passwords(self.path())).unwrap();
        let broker = Broker::mosquitto(self.path(), change);
        let file = brokers::passwords(self.path());
        let ingest = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, ingest + &devices).unwrap();
        broker.reload();
        broker
    }

    fn serve(&self, config: &Path) -> Server {
        Server::run(&self.data(), 0, &["serve", "--config", &config.to_string_lossy()])
    }

    /// The estate lives a morning in `seconds`, through the broker.
    fn live(&self, broker: &Broker, seconds: i64) -> Life {
        Life::begin(broker.port, &self.keys, morning_in(seconds))
    }

    /// What the ledger holds: every deposit of that life, each once as it was sent, and no other; and it verifies.
    fn holds(&self, lived: &Lived) {
        lived.is_all_of(&succeed(&self.data(), &["export", "--csv", "-"]));
        is_verified(&succeed(&self.data(), &["verify"]));
    }
}

fn ready(server: &Server) -> String {
    get(&format!("{}/readyz", server.http))
}

fn granted(server: &Server) {
    until("the broker grants the subscriptions", || {
        ready(server).starts_with("HTTP/1.1 200")
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn through_the_shipped_mosquitto_everything_is_stored_once_and_receipted() {
    if !is_there("mosquitto") {
        return;
    }
    let scene = Scene::new();
    let broker = scene.mosquitto(&[]);
    let config = broker.config(scene.path(), "");
    let server = scene.serve(&config);
    granted(&server);
    let life = scene.live(&broker, 4);
    let lived = life.all_receipted().await;
    assert_eq!(lived.figures.connections, scene.keys.len() as u64);
    assert_eq!(metric(&server.metrics, "hemu_broker_dropped_by_broker_total"), 0);
    assert!(
        ready(&server).contains("what it drops is watched"),
        "{}",
        ready(&server)
    );
    let doctor = hemu(&scene.data(), &["--config", &config.to_string_lossy(), "doctor"]);
    let found = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(found.lines().any(|line| line == "ok    broker"), "{found}");
    assert!(server.terminate().success());
    scene.holds(&lived);
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_of_hemu_behind_a_broker_loses_and_doubles_nothing() {
    if !is_there("mosquitto") {
        return;
    }
    let scene = Scene::new();
    let broker = scene.mosquitto(&[]);
    let config = broker.config(scene.path(), "");
    let mut server = scene.serve(&config);
    let life = scene.live(&broker, 10);
    for part in 1..=5 {
        life.until("another part receipted", |figures| {
            figures.receipted >= life.records * part / 8
        })
        .await;
        server.kill();
        server = scene.serve(&config);
    }
    let lived = life.all_receipted().await;
    assert!(server.terminate().success());
    scene.holds(&lived);
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_of_the_broker_costs_resends_and_nothing_else() {
    if !is_there("mosquitto") {
        return;
    }
    let scene = Scene::new();
    let mut broker = scene.mosquitto(&[]);
    let server = scene.serve(&broker.config(scene.path(), ""));
    let life = scene.live(&broker, 10);
    for _ in 0..3 {
        // Receipts go on, so the door was open again.
        let before = life.tally.figures().receipted;
        life.until("more receipted", |figures| figures.receipted > before)
            .await;
        broker.kill_and_restart();
    }
    let lived = life.all_receipted().await;
    assert!(
        lived.figures.sent > lived.figures.recorded,
        "nothing had to be sent again: {:?}",
        lived.figures
    );
    assert!(metric(&server.metrics, "hemu_broker_reconnects_total") >= 3);
    assert!(server.terminate().success());
    scene.holds(&lived);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_full_queue_drops_is_an_alarm_and_no_loss() {
    if !is_there("mosquitto") {
        return;
    }
    let scene = Scene::new();
    // With a bound on what is in flight, the sockets' buffers cannot hold what should queue. 900 records are 57 messages at
    // least, for a bin sends up to 16 in one.
    let broker = scene.mosquitto(&[
        ("max_inflight_messages", "10"),
        ("max_queued_messages", "30"),
        ("sys_interval", "1"),
    ]);
    let server = scene.serve(&broker.config(scene.path(), "broker_receive_maximum = 10"));
    granted(&server);
    // Before the first message, so that each of those counted below had to queue.
    signal(server.pid(), "-STOP");
    // Devices that keep their window would never fill it.
    let life = Life::begin_careless(broker.port, &scene.keys, morning_in(6));
    life.until("more acknowledged than can queue", |figures| figures.acked > 900)
        .await;
    signal(server.pid(), "-CONT");
    until("the alarm", || {
        metric(&server.metrics, "hemu_broker_dropped_by_broker_total") > 0
    });
    let told = ready(&server);
    assert!(
        told.starts_with("HTTP/1.1 503") && told.contains("max_queued_messages"),
        "{told}"
    );
    let lived = life.all_receipted().await;
    assert!(server.terminate().success());
    scene.holds(&lived);
}

#[test]
fn doctor_finds_a_broker_that_drops() {
    if !is_there("mosquitto") {
        return;
    }
    let scene = Scene::new();
    // One that keeps its figures tells them at once.
    let broker = scene.mosquitto(&[
        ("max_queued_messages", "1"),
        ("sys_interval", "1"),
        ("retain_available", "true"),
    ]);
    let login = |id: &str, name: &str, key: &str| {
        let mut options = rumqttc::MqttOptions::new(id, "127.0.0.1", broker.port);
        options.set_credentials(name, key).set_clean_session(false);
        rumqttc::Client::new(options, 100)
    };
    let acknowledged = |connection: &mut rumqttc::Connection, wanted: fn(&rumqttc::Incoming) -> bool| {
        let mut packets = connection.iter().filter_map(|event| match event.unwrap() {
            rumqttc::Event::Incoming(packet) => Some(packet),
            rumqttc::Event::Outgoing(_) => None,
        });
        assert!(packets.any(|packet| wanted(&packet)));
    };
    // Somebody who went away and left a queue.
    let (client, mut connection) = login("away", brokers::INGEST, brokers::PASSWORD);
    client
        .subscribe("hemu/v1/+/deposit", rumqttc::QoS::AtLeastOnce)
        .unwrap();
    acknowledged(&mut connection, |packet| {
        matches!(packet, rumqttc::Incoming::SubAck(_))
    });
    drop((client, connection));
    let key = &scene.keys[0];
    let (client, mut connection) = login(&key.device, &key.device, &key.key);
    for _ in 0..50 {
        let topic = format!("hemu/v1/{}/deposit", key.device);
        client
            .publish(topic, rumqttc::QoS::AtLeastOnce, false, "{}")
            .unwrap();
        acknowledged(&mut connection, |packet| {
            matches!(packet, rumqttc::Incoming::PubAck(_))
        });
    }
    let config = broker.config(scene.path(), "");
    until("doctor finds it", || {
        let doctor = hemu(&scene.data(), &["--config", &config.to_string_lossy(), "doctor"]);
        let found = String::from_utf8_lossy(&doctor.stdout).into_owned();
        let told = found.lines().find(|line| line.contains("broker")).unwrap();
        !told.starts_with("ok") && told.contains("dropped")
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn through_nats_in_mqtt_3_1_1_everything_is_stored_once_and_receipted() {
    if !is_there("nats") || !is_there("mosquitto") {
        return;
    }
    let scene = Scene::new();
    let broker = Broker::nats(scene.path(), &scene.keys);
    let server = scene.serve(&broker.config(scene.path(), "broker_protocol = \"3.1.1\""));
    granted(&server);
    let life = scene.live(&broker, 4);
    let lived = life.all_receipted().await;
    assert!(server.terminate().success());
    scene.holds(&lived);
}

#[test]
fn a_refused_subscription_is_reported_with_its_filter() {
    if !is_there("mosquitto") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let broker = Broker::that_refuses_subscriptions(folder.path());
    for protocol in ["5", "3.1.1"] {
        let data = folder.path().join(protocol);
        let config = broker.config(folder.path(), &format!("broker_protocol = \"{protocol}\""));
        let server = Server::run(&data, 0, &["serve", "--config", &config.to_string_lossy()]);
        // Twice three filters: it was tried again.
        until("two attempts", || {
            metric(&server.metrics, "hemu_broker_refused_subscriptions_total") >= 6
        });
        let told = ready(&server);
        assert!(
            told.starts_with("HTTP/1.1 503") && told.contains("hemu/v1/+/deposit"),
            "{protocol}: {told}"
        );
        assert!(server.terminate().success());
    }
}

fn publish(port: u16, key: &Key, topic: &str, record: &str) -> Output {
    let login = [
        "-i",
        &key.device,
        "-u",
        &key.device,
        "-P",
        &key.key,
        "-V",
        "mqttv5",
    ];
    Command::new("/usr/bin/mosquitto_pub")
        .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-q", "1"])
        .args(login)
        .args(["-t", topic, "-m", record])
        .output()
        .unwrap()
}

#[test]
fn the_shipped_rules_let_nobody_be_somebody_else_and_a_key_works_until_it_is_taken_out() {
    if !is_there("mosquitto") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let broker = Broker::mosquitto(folder.path(), &[]);
    let [one, two] = ["st01", "st02"].map(|id| brokers::add_device(folder.path(), &data, id));
    broker.reload();
    let config = broker.config(folder.path(), "");
    let server = Server::run(&data, 0, &["serve", "--config", &config.to_string_lossy()]);
    granted(&server);
    let record = |seq| {
        format!(r#"{{"boot":1,"seq":{seq},"at":1767225600000,"stream":"food","weight_g":500,"quality":0.5}}"#)
    };
    // Its own is taken; another's, and a receipt, are refused.
    let mut seq = 0;
    until("the new login", || {
        seq += 1;
        publish(broker.port, &one, "hemu/v1/st01/deposit", &record(seq))
            .status
            .success()
    });
    for topic in [
        "hemu/v1/st02/deposit",
        "hemu/v1/st01/receipt",
        "hemu/v1/st02/receipt",
    ] {
        let refused = publish(broker.port, &one, topic, &record(50));
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(said.contains("Not authorized"), "{topic}: {said}");
    }
    assert!(
        publish(broker.port, &two, "hemu/v1/st02/deposit", &record(1))
            .status
            .success()
    );
    until("both stored", || {
        metric(&server.metrics, "hemu_ingest_records_total") == 2
    });
    // Taken out of the file, it is not let in any more; also where somebody forgot the file at first.
    let file = brokers::passwords(folder.path());
    let revoke = ["device", "revoke", "st01"];
    succeed(&data, &revoke);
    let with_file = ["--mosquitto-password-file", &file.to_string_lossy()];
    succeed(&data, &[&revoke[..], &with_file].concat());
    broker.reload();
    until("the login ends", || {
        !publish(broker.port, &one, "hemu/v1/st01/deposit", &record(51))
            .status
            .success()
    });
    assert!(server.terminate().success());
    let export = succeed(&data, &["export", "--csv", "-"]);
    assert_eq!(
        export.lines().filter(|line| line.contains("st02")).count(),
        1,
        "{export}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_within_the_shipped_limits_loses_and_doubles_nothing() {
    if !is_there("mosquitto") {
        return;
    }
    let scene = Scene::new();
    let broker = scene.mosquitto(&[]);
    let server = scene.serve(&broker.config(scene.path(), ""));
    granted(&server);
    let plan = load::Plan {
        addr: ([127, 0, 0, 1], broker.port).into(),
        devices: scene.keys[..4].to_vec(),
        window: 1_024,
        batch: 1,
        version: Version::V311,
        seed: 7,
        crowd: Arc::new(load::Crowd::Invented(500)),
        from: midnight(DAY),
        time: None,
        records: Some(40_000),
        rate: None,
        patience: Duration::from_mins(1),
    };
    let log: Arc<Mutex<Vec<u8>>> = Arc::default();
    let writer: load::Log = log.clone();
    let report = load::run(&plan, Some(writer), Arc::default()).await.unwrap();
    // The broker's word is not ours: only what it has not dropped has to arrive.
    until("all stored", || {
        metric(&server.metrics, "hemu_ingest_records_total") >= report.acked
    });
    assert_eq!(metric(&server.metrics, "hemu_broker_dropped_by_broker_total"), 0);
    assert!(server.terminate().success());
    let export = succeed(&scene.data(), &["export", "--csv", "-"]);
    let log = std::mem::take(&mut *log.lock().unwrap());
    holds_exactly(&export, &log, 40_000);
}
