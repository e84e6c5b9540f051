//! Somebody else's MQTT clients against the real server: Mosquitto's, in both protocol versions.

use std::path::Path;
use std::process::{Command, Output};

use firmware_sim::keys::Key;

use crate::support::{Server, add_device, required, succeed};

const PUB: &str = "/usr/bin/mosquitto_pub";
const SUB: &str = "/usr/bin/mosquitto_sub";

#[expect(clippy::expect_used, reason = "a test's helper fails loudly")]
fn client(program: &str, server: &Server, key: &Key, version: &str, arguments: &[&str]) -> Output {
    let port = server.mqtt.port().to_string();
    let login = ["-i", &key.device, "-u", &key.device, "-P", &key.key];
    Command::new(program)
        .args(["-h", "127.0.0.1", "-p", &port, "-V", version, "-q", "1"])
        .args(login)
        .args(arguments)
        .output()
        .expect("the client runs")
}

#[test]
fn mosquittos_clients_are_acknowledged_receipted_and_kept_to_their_topics() {
    if !Path::new(PUB).exists() || !Path::new(SUB).exists() {
        assert!(
            !required("mosquitto"),
            "{PUB} is not there and HEMU_TEST_REQUIRE asks for it"
        );
        println!("skipped: {PUB} is not there; install mosquitto-clients");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let key = add_device(data, "st01");
    let server = Server::start(data, 0);
    for (seq, version) in [(1, "mqttv311"), (2, "mqttv5")] {
        let deposit = format!(
            r#"{{"boot":1,"seq":{seq},"at":1772323200000,"household":"H1","stream":"food","weight_g":900,"quality":0.8}}"#
        );
        let sent = client(
            PUB,
            &server,
            &key,
            version,
            &["-t", "hemu/v1/st01/deposit", "-m", &deposit],
        );
        assert!(
            sent.status.success(),
            "{version}: {}",
            String::from_utf8_lossy(&sent.stderr)
        );
        let wrong = Key {
            device: key.device.clone(),
            key: "guess".into(),
        };
        let refused = client(
            PUB,
            &server,
            &wrong,
            version,
            &["-t", "hemu/v1/st01/deposit", "-m", &deposit],
        );
        assert!(!refused.status.success(), "{version}: a wrong key was let in");
        let heard = client(
            SUB,
            &server,
            &key,
            version,
            &["-t", "hemu/v1/st01/receipt", "-C", "1", "-W", "20"],
        );
        let receipt = String::from_utf8_lossy(&heard.stdout).into_owned();
        assert!(
            receipt.contains(&format!(r#"{{"boot":1,"upto":{seq},"missing":[],"gen":"#)),
            "{receipt}"
        );
        let denied = client(
            SUB,
            &server,
            &key,
            version,
            &["-t", "hemu/v1/st02/receipt", "-C", "1", "-W", "20"],
        );
        let said = String::from_utf8_lossy(&denied.stderr).into_owned();
        assert!(
            denied.stdout.is_empty() && said.contains("denied"),
            "{version}: {said}"
        );
    }
    assert!(server.terminate().success());
    assert_eq!(succeed(data, &["export", "--csv", "-"]).lines().count(), 3);
}
