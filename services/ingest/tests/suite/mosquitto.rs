//! What only a real broker shows of the door: two that share one subscription, and TLS.

use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use firmware_sim::keys::Key;
use firmware_sim::load::{self, Crowd, Gauge, Plan};
use firmware_sim::mqtt::Version;
use hemu_ingest::broker::Protocol;

use crate::broker::{Open, site_with};
use crate::scripted::until;

const MOSQUITTO: &str = "/usr/sbin/mosquitto";

/// A running broker, killed when dropped.
struct Broker {
    child: Child,
    port: u16,
}

impl Drop for Broker {
    fn drop(&mut self) {
        // Gone already when the test ended it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Mosquitto that lets everybody in, with these further lines; `None` when it is not installed and need not be.
async fn mosquitto(folder: &Path, more: &str) -> Option<Broker> {
    if !Path::new(MOSQUITTO).exists() {
        let asked = std::env::var("HEMU_TEST_REQUIRE").unwrap_or_default();
        assert!(
            !asked.split_whitespace().any(|name| name == "mosquitto"),
            "{MOSQUITTO} is not there and HEMU_TEST_REQUIRE asks for it"
        );
        println!("skipped: {MOSQUITTO} is not there");
        return None;
    }
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let file = folder.join("mosquitto.conf");
    let conf = format!(
        "listener {port} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 0\nmax_queued_messages 0\nuser root\n{more}\n"
    );
    std::fs::write(&file, conf).unwrap();
    let mut child = Command::new(MOSQUITTO)
        .arg("-c")
        .arg(&file)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    until(|| {
        assert!(child.try_wait().unwrap().is_none(), "mosquitto ended by itself");
        TcpStream::connect(("127.0.0.1", port)).is_ok()
    })
    .await;
    Some(Broker { child, port })
}

#[tokio::test(flavor = "multi_thread")]
async fn two_doors_of_one_group_share_the_messages_and_store_each_once() {
    let folder = tempfile::tempdir().unwrap();
    let Some(broker) = mosquitto(folder.path(), "").await else {
        return;
    };
    let names = ["dev-a", "dev-b", "dev-c", "dev-d"];
    let site = site_with(&names).await;
    let desk = site.commit().await;
    let url = format!("mqtt://127.0.0.1:{}", broker.port);
    let mut doors = ["one", "two"].map(|name| {
        Open::new(&site, &desk, &url, |settings| {
            settings.protocol = Protocol::V5;
            settings.client_id = name.into();
            settings.group = Some("city".into());
        })
    });
    for door in &mut doors {
        assert!(door.view.granted().await);
    }
    let login = |name: &str| Key {
        device: name.into(),
        key: "key".into(),
    };
    let plan = Plan {
        addr: ([127, 0, 0, 1], broker.port).into(),
        devices: names.map(login).to_vec(),
        window: 256,
        batch: 1,
        version: Version::V311,
        seed: 5,
        crowd: Arc::new(Crowd::Invented(100)),
        from: 1_767_225_600_000,
        time: None,
        records: Some(20_000),
        rate: None,
        patience: Duration::from_mins(1),
    };
    let report = load::run(&plan, None, Arc::new(Gauge::default())).await.unwrap();
    assert_eq!(report.acked, 20_000);
    until(|| desk.metrics.records.get() >= 20_000).await;
    until(|| doors.iter().all(|door| door.metrics.in_flight.get() == 0)).await;
    let shares = doors.each_ref().map(|door| door.metrics.messages.get());
    assert_eq!(
        (desk.metrics.records.get(), desk.metrics.repeats.get()),
        (20_000, 0)
    );
    assert_eq!(shares.iter().sum::<u64>(), 20_000, "each message to one door");
    assert!(
        shares.iter().all(|share| *share > 5_000),
        "hardly shared: {shares:?}"
    );
    for door in doors {
        assert_eq!(door.metrics.dropped.get(), 0);
        door.close().await;
    }
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_a_broker_is_known_by_its_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let ours = rcgen::generate_simple_self_signed(["localhost".into()]).unwrap();
    let another = rcgen::generate_simple_self_signed(["localhost".into()]).unwrap();
    std::fs::write(file("cert.pem"), ours.cert.pem()).unwrap();
    std::fs::write(file("key.pem"), ours.signing_key.serialize_pem()).unwrap();
    std::fs::write(file("another.pem"), another.cert.pem()).unwrap();
    let tls = format!(
        "certfile {}\nkeyfile {}",
        file("cert.pem").display(),
        file("key.pem").display()
    );
    let Some(broker) = mosquitto(folder.path(), &tls).await else {
        return;
    };
    let site = site_with(&["dev-a"]).await;
    let desk = site.commit().await;
    let url = format!("mqtts://localhost:{}", broker.port);
    for (protocol, version) in [(Protocol::V311, "3.1.1"), (Protocol::V5, "5")] {
        let mut door = Open::new(&site, &desk, &url, |settings| {
            settings.protocol = protocol;
            settings.authorities = Some(file("cert.pem"));
        });
        assert!(door.view.granted().await, "{version}");
        door.close().await;
        let door = Open::new(&site, &desk, &url, |settings| {
            settings.protocol = protocol;
            settings.authorities = Some(file("another.pem"));
        });
        let refused = || door.view.check().is_err_and(|told| told.contains("certificate"));
        until(refused).await;
        door.close().await;
    }
    desk.end().await;
}
