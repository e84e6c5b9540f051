//! Two devices with one key: both are let in, and people are told.

use std::time::Duration;

use rumqttc::{AsyncClient, Event, Incoming, MqttOptions, QoS};

use crate::brokers::until;
use crate::people::looking;
use crate::serve::{get, get_with};
use crate::support::{Server, add_device, hemu, succeed};

#[tokio::test(flavor = "multi_thread")]
async fn one_identity_with_two_contents_is_counted_told_and_never_scored() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let key = add_device(data, "st01");
    let found = hemu(data, &["doctor"]);
    assert!(String::from_utf8_lossy(&found.stdout).contains("ok    identities of records"));
    let server = Server::start(data, 0);
    for weight in [900, 901] {
        let mut options = MqttOptions::new("st01", "127.0.0.1", server.mqtt.port());
        options
            .set_credentials("st01", key.key.clone())
            .set_keep_alive(Duration::from_mins(1));
        let (client, mut events) = AsyncClient::new(options, 10);
        let deposit = format!(
            r#"{{"boot":1,"seq":1,"at":1772323200000,"household":"H1","stream":"food","weight_g":{weight},"quality":0.8}}"#
        );
        client
            .publish("hemu/v1/st01/deposit", QoS::AtLeastOnce, false, deposit)
            .await
            .unwrap();
        // Both are acknowledged: sending again heals nothing.
        while !matches!(events.poll().await.unwrap(), Event::Incoming(Incoming::PubAck(_))) {}
    }
    until("the alarm", || {
        get(&server.metrics).contains("\nhemu_ingest_conflicts 1\n")
    });
    let found = hemu(data, &["doctor"]);
    let said = String::from_utf8_lossy(&found.stdout).into_owned();
    assert_eq!(found.status.code(), Some(1), "{said}");
    let told = said
        .lines()
        .find(|line| line.contains("identities of records"))
        .unwrap();
    assert!(told.contains("1 records") && told.contains("st01"), "{told}");
    assert!(
        said.contains("1 readings count for nobody") && said.contains("st01 --boot 1."),
        "{said}"
    );
    let device = get_with(&format!("{}/api/v1/devices/st01", server.http), &looking(data));
    assert!(
        device.contains(r#""conflicts":1,"frozen":["1"],"held":1"#),
        "{device}"
    );
    assert!(server.terminate().success());
    let export = succeed(data, &["export", "--csv", "-"]);
    // A person looks, and it counts again.
    let checked = ["device", "checked", "st01", "--boot", "1", "--account", "keeper"];
    succeed(data, &checked);
    let found = hemu(data, &["doctor"]);
    let said = String::from_utf8_lossy(&found.stdout).into_owned();
    assert!(said.contains("ok    readings that wait for a person"), "{said}");
    assert_eq!(
        hemu(data, &checked).status.code(),
        Some(1),
        "nothing waits any more"
    );
    assert!(
        export.lines().count() == 2 && export.contains(",900,"),
        "{export}"
    );
}
