//! What the command line changes about devices takes hold at a running server: commands come down, keys that were changed or
//! taken back end the connection that was opened with them.
#![expect(clippy::expect_used, reason = "a test's helper fails loudly")]

use std::time::Duration;

use firmware_sim::keys::Key;
use rumqttc::{Client, Connection, Event, Incoming, MqttOptions, QoS};
use serde_json::{Value, json};

use crate::brokers::until;
use crate::support::{Server, add_device, hemu, refuse, succeed};

/// As long as a slow machine may take over what takes seconds.
const PATIENCE: Duration = Duration::from_mins(1);

fn connect(server: &Server, key: &Key) -> (Client, Connection) {
    let mut options = MqttOptions::new(&*key.device, "127.0.0.1", server.mqtt.port());
    options
        .set_credentials(&*key.device, &*key.key)
        .set_keep_alive(Duration::from_mins(1));
    Client::new(options, 10)
}

/// What comes next from the server; `None` when it hung up or let nobody in.
fn next(connection: &mut Connection) -> Option<Incoming> {
    loop {
        match connection
            .recv_timeout(PATIENCE)
            .expect("something comes in time")
        {
            Ok(Event::Incoming(packet)) => return Some(packet),
            Ok(Event::Outgoing(_)) => {}
            Err(_) => return None,
        }
    }
}

/// Until the server has hung up.
fn until_ended(connection: &mut Connection) {
    while next(connection).is_some() {}
}

fn logged_in(connection: &mut Connection) -> bool {
    matches!(next(connection), Some(Incoming::ConnAck(_)))
}

#[test]
fn a_command_comes_down_to_a_connected_device_and_is_kept_for_one_that_is_away() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let server = Server::start(data, 0);
    let key = add_device(data, "st01");
    let (client, mut connection) = connect(&server, &key);
    client
        .subscribe("hemu/v1/st01/command", QoS::AtLeastOnce)
        .unwrap();
    while !matches!(next(&mut connection), Some(Incoming::SubAck(_))) {}

    let order = [
        "device",
        "command",
        "st01",
        "message",
        "--set",
        "text=满",
        "--set",
        "seconds=30",
    ];
    let said: Value = serde_json::from_str(&succeed(data, &order)).unwrap();
    let mut came = || loop {
        if let Incoming::Publish(publish) = next(&mut connection).unwrap() {
            return serde_json::from_slice::<Value>(&publish.payload).unwrap();
        }
    };
    let wanted = json!({ "id": said["command"], "kind": "message", "text": "满", "seconds": 30 });
    assert_eq!(came(), wanted);
    let listed = || serde_json::from_str::<Value>(&succeed(data, &["device", "commands", "st01"])).unwrap();
    assert_eq!(listed()["command"], wanted);
    // The client acknowledges while it is driven.
    until("the device has it", || {
        drop(connection.recv_timeout(Duration::from_millis(10)));
        listed()["acknowledged_at"].is_i64()
    });

    let away = refuse(data, &["device", "command", "st02", "collect"]);
    assert!(away.contains("there is no device st02 in use"), "{away}");
    let text = format!("text={}", "x".repeat(5_000));
    let long = refuse(data, &["device", "command", "st01", "message", "--set", &text]);
    assert!(long.contains("at most 4096 bytes"), "{long}");
    for wrong in [
        &["dance"][..],
        &["message", "--set", "id=5"],
        &["message", "--set", "=5"],
    ] {
        let order = [&["device", "command", "st01"], wrong].concat();
        assert_eq!(hemu(data, &order).status.code(), Some(2), "{wrong:?}");
    }
    assert!(server.terminate().success());
}

#[test]
fn a_key_that_is_changed_or_taken_back_ends_the_connection_opened_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let server = Server::start(data, 0);
    let old = add_device(data, "st01");
    let other = add_device(data, "st02");
    let (_other, mut beside) = connect(&server, &other);
    assert!(logged_in(&mut beside));
    let (_client, mut connection) = connect(&server, &old);
    assert!(logged_in(&mut connection));

    // It says nothing, and nothing is owed to it.
    let new: Key = serde_json::from_str(&succeed(data, &["device", "rotate", "st01"])).unwrap();
    until_ended(&mut connection);
    assert!(!logged_in(&mut connection), "the old key still logs in");

    let (_client, mut connection) = connect(&server, &new);
    assert!(logged_in(&mut connection));
    succeed(data, &["device", "revoke", "st01"]);
    until_ended(&mut connection);
    assert!(!logged_in(&mut connection), "a revoked key still logs in");

    let untouched = beside.recv_timeout(Duration::from_millis(10));
    assert!(!matches!(untouched, Ok(Err(_))), "{untouched:?}");
    assert!(server.terminate().success());
}
