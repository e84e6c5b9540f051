//! The endpoint over TCP, with a real client and with one that speaks bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use hemu_endpoint::codec::Version::{self, V5, V311};
use hemu_endpoint::{Limits, LoginError, Presence, Up};
use rumqttc::v5::mqttbytes::v5 as five;
use rumqttc::{mqttbytes::v4 as four, v5};

use crate::backend::*;
use crate::packets::*;

pub(crate) const BOTH: [Version; 2] = [V311, V5];
const DEPOSIT: &str = "hemu/v1/bin-1/deposit";
const STATUS: &str = "hemu/v1/bin-1/status";
const RECEIPTS: &str = "hemu/v1/bin-1/receipt";
const COMMANDS: &str = "hemu/v1/bin-1/command";

/// What closes a connection: a DISCONNECT with this reason in v5, nothing in 3.1.1.
pub(crate) fn last_words(version: Version, reason: u8) -> Vec<u8> {
    if version == V5 {
        vec![0xe0, 2, reason, 0]
    } else {
        vec![]
    }
}

#[tokio::test]
async fn a_v311_client_library_is_acknowledged_only_after_the_store() {
    let mut hemu = start();
    let mut options = rumqttc::MqttOptions::new("bin-1", "127.0.0.1", hemu.address.port());
    options
        .set_credentials("bin-1", "right-key")
        .set_keep_alive(Duration::from_mins(1));
    let (client, mut events) = rumqttc::AsyncClient::new(options, 100);
    let stored = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&stored);
    let acknowledged = tokio::spawn(async move {
        loop {
            if let rumqttc::Event::Incoming(four::Packet::PubAck(ack)) = events.poll().await.unwrap() {
                return (ack.pkid, seen.load(Ordering::SeqCst));
            }
        }
    });
    client
        .publish(DEPOSIT, rumqttc::QoS::AtLeastOnce, false, "{}")
        .await
        .unwrap();
    let (publishes, ticket) = hemu.chunk().await;
    assert_eq!(
        (publishes[0].up, publishes[0].payload.as_ref(), publishes[0].qos1),
        (Up::Deposit, &b"{}"[..], true)
    );
    stored.store(true, Ordering::SeqCst);
    ticket.stored();
    assert_eq!(soon(acknowledged).await.unwrap(), (1, true));
}

#[tokio::test]
async fn a_v5_client_library_is_acknowledged_only_after_the_store() {
    let mut hemu = start();
    let mut options = v5::MqttOptions::new("bin-1", "127.0.0.1", hemu.address.port());
    options
        .set_credentials("bin-1", "right-key")
        .set_keep_alive(Duration::from_mins(1));
    let (client, mut events) = v5::AsyncClient::new(options, 100);
    let stored = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&stored);
    let acknowledged = tokio::spawn(async move {
        let mut receive_maximum = None;
        loop {
            match events.poll().await.unwrap() {
                v5::Event::Incoming(five::Packet::ConnAck(connack)) => {
                    receive_maximum = connack.properties.unwrap().receive_max;
                }
                v5::Event::Incoming(five::Packet::PubAck(ack)) => {
                    return (ack.pkid, ack.reason, receive_maximum, seen.load(Ordering::SeqCst));
                }
                _ => {}
            }
        }
    });
    client
        .publish(DEPOSIT, v5::mqttbytes::QoS::AtLeastOnce, false, "{}")
        .await
        .unwrap();
    let (publishes, ticket) = hemu.chunk().await;
    assert_eq!(publishes.len(), 1);
    stored.store(true, Ordering::SeqCst);
    ticket.stored();
    assert_eq!(
        soon(acknowledged).await.unwrap(),
        (1, five::PubAckReason::Success, Some(1024), true)
    );
}

#[tokio::test]
async fn other_packets_are_answered_while_a_publish_waits_for_its_store() {
    for version in BOTH {
        let mut hemu = start();
        let mut client = hemu.login(version, "bin-1").await;
        client
            .send([publish(version, DEPOSIT, Some(1), b"{}"), PINGREQ.to_vec()].concat())
            .await;
        client.expect(PINGRESP).await;
        let (_, first) = hemu.chunk().await;
        client.send(publish(version, STATUS, Some(2), b"{}")).await;
        let (_, second) = hemu.chunk().await;
        second.stored();
        client.send(PINGREQ).await;
        client.expect(PINGRESP).await;
        first.stored();
        client.expect([puback(1), puback(2)].concat()).await;
        assert_eq!(hemu.metrics.publishes.get(), 2);
    }
}

#[tokio::test]
async fn a_chunk_that_is_not_stored_is_not_acknowledged_and_closes_the_connection() {
    for version in BOTH {
        let mut hemu = start();
        let mut client = hemu.login(version, "bin-1").await;
        client.send(publish(version, DEPOSIT, Some(1), b"{}")).await;
        let (_, first) = hemu.chunk().await;
        client.send(publish(version, DEPOSIT, Some(2), b"{}")).await;
        let (_, second) = hemu.chunk().await;
        second.stored();
        drop(first);
        client.expect_end(last_words(version, 0x89)).await;
        hemu.expect_presence(Presence::Connected).await;
        hemu.expect_presence(Presence::Disconnected).await;
    }
}

#[tokio::test]
async fn logins_and_topics_follow_the_matrix() {
    for version in BOTH {
        let mut hemu = start();
        let code = |v311: u8, v5: u8| if version == V5 { v5 } else { v311 };
        let anonymous = frame(
            0x10,
            &[connect_head(version, 2, 60, &[]), field("bin-1")].concat(),
        );
        let mixed = [
            connect_head(version, 0xc2, 60, &[]),
            field("bin-1"),
            field("bin-2"),
            field(KEY),
        ]
        .concat();
        for (bytes, expected) in [
            (connect(version, "bin-1", b"wrong"), code(4, 0x86)),
            (anonymous, code(4, 0x86)),
            (frame(0x10, &mixed), code(4, 0x86)),
            (connect(version, "bin/1", KEY), code(2, 0x85)),
        ] {
            let mut client = hemu.dial().await;
            client
                .send([bytes, publish(version, DEPOSIT, Some(1), b"{}")].concat())
                .await;
            let connack = if version == V5 {
                vec![0x20, 3, 0, expected, 0]
            } else {
                vec![0x20, 2, 0, expected]
            };
            client.expect_end(connack).await;
        }
        for topic in [
            "hemu/v1/bin-2/deposit",
            "hemu/v1/bin-11/deposit",
            "hemu/v1/bin-1/deposit/x",
            RECEIPTS,
            "桶",
        ] {
            let mut client = hemu.login(version, "bin-1").await;
            client.send(publish(version, topic, Some(7), b"{}")).await;
            match version {
                V5 => client.expect([0x40, 3, 0, 7, 0x87]).await,
                V311 => client.expect_end([]).await,
            }
        }
        hemu.nothing_came();
        let mut client = hemu.login(version, "bin-1").await;
        client.send(publish(version, DEPOSIT, Some(1), b"{}")).await;
        hemu.chunk().await.1.stored();
        client.expect(puback(1)).await;
    }
}

#[tokio::test]
async fn none_of_twenty_devices_speaks_for_another() {
    let mut hemu = start();
    let mut refused = 0;
    for own in 1..=20_u8 {
        let mut client = hemu.login(V5, &format!("bin-{own}")).await;
        for other in (1..=20_u8).filter(|other| *other != own) {
            let topic = format!("hemu/v1/bin-{other}/deposit");
            client.send(publish(V5, &topic, Some(other.into()), b"{}")).await;
            client.expect([0x40, 3, 0, other, 0x87]).await;
            refused += 1;
        }
    }
    assert_eq!(refused, 380);
    hemu.nothing_came();
}

#[tokio::test]
async fn a_login_that_cannot_be_checked_says_try_later() {
    let hemu = start_with(
        Limits {
            login_timeout: Duration::from_millis(20),
            ..Limits::default()
        },
        None,
    );
    hemu.desk
        .logins
        .lock()
        .unwrap()
        .push_back(Err(LoginError::Unavailable));
    let mut client = hemu.dial().await;
    client.send(connect(V5, "bin-1", KEY)).await;
    client.expect_end([0x20, 3, 0, 0x88, 0]).await;
    hemu.desk.doors.forget_permits(usize::MAX);
    let mut client = hemu.dial().await;
    client.send(connect(V311, "bin-1", KEY)).await;
    client.expect_end([0x20, 2, 0, 3]).await;
}

#[tokio::test]
async fn what_stands_behind_a_connect_waits_for_the_login() {
    let mut hemu = start();
    hemu.desk.doors.forget_permits(usize::MAX);
    let mut early = hemu.dial().await;
    early
        .send(
            [
                connect(V311, "bin-1", KEY),
                publish(V311, DEPOSIT, Some(1), b"{}"),
            ]
            .concat(),
        )
        .await;
    // Another connection that is refused at once shows that the endpoint has had time to misbehave.
    let mut other = hemu.dial().await;
    other.send(connect(V311, "", KEY)).await;
    other.expect_end([0x20, 2, 0, 2]).await;
    hemu.nothing_came();
    hemu.desk.doors.add_permits(1);
    early.expect([0x20, 2, 0, 0]).await;
    hemu.chunk().await.1.stored();
    early.expect(puback(1)).await;
}

#[tokio::test]
async fn the_next_login_of_a_device_takes_over() {
    for version in BOTH {
        let mut hemu = start();
        let mut first = hemu.login(version, "bin-1").await;
        let mut other = hemu.login(version, "bin-2").await;
        first.send(publish(version, DEPOSIT, Some(1), b"old")).await;
        let (_, old) = hemu.chunk().await;
        let mut second = hemu.login(version, "bin-1").await;
        // The first is out before the second hears its CONNACK: what it sends now goes nowhere.
        let _ = tokio::io::AsyncWriteExt::write_all(
            &mut first.stream,
            &publish(version, DEPOSIT, Some(2), b"late"),
        )
        .await;
        old.stored();
        first.expect_end(last_words(version, 0x8e)).await;
        second.send(publish(version, DEPOSIT, Some(1), b"new")).await;
        let (publishes, ticket) = hemu.chunk().await;
        assert_eq!(publishes[0].payload, "new");
        ticket.stored();
        second.expect(puback(1)).await;
        other.send(PINGREQ).await;
        other.expect(PINGRESP).await;
        assert_eq!((hemu.metrics.take_overs.get(), hemu.downlink.connected()), (1, 2));
        for _ in 0..3 {
            hemu.expect_presence(Presence::Connected).await;
        }
        assert!(
            hemu.presence.try_recv().is_err(),
            "a device that was taken over is not gone"
        );
    }
}

#[tokio::test]
async fn a_connection_that_waits_for_room_can_be_taken_over() {
    let mut hemu = start();
    hemu.desk.room.forget_permits(usize::MAX);
    let mut first = hemu.login(V5, "bin-1").await;
    first.send(publish(V5, DEPOSIT, Some(1), b"stuck")).await;
    let mut second = hemu.login(V5, "bin-1").await;
    first.expect_end([0xe0, 2, 0x8e, 0]).await;
    hemu.desk.room.add_permits(1);
    second.send(publish(V5, DEPOSIT, Some(1), b"again")).await;
    let (publishes, _ticket) = hemu.chunk().await;
    assert_eq!(
        publishes[0].payload, "again",
        "the stuck chunk was given up, unacknowledged"
    );
}

#[tokio::test]
async fn goodbye_is_disconnected_and_everything_else_is_lost() {
    for version in BOTH {
        let mut hemu = start();
        let broken = publish(version, DEPOSIT, Some(0), b"");
        for (last, expected) in [
            (DISCONNECT.to_vec(), Presence::Disconnected),
            (vec![], Presence::Lost),
            (broken, Presence::Lost),
        ] {
            let mut client = hemu.dial().await;
            client
                .send(connect_with_will(version, "bin-1", STATUS, 0x08))
                .await;
            client.expect_connack(version, 0).await;
            hemu.expect_presence(Presence::Connected).await;
            client.send(last).await;
            drop(client);
            hemu.expect_presence(expected).await;
        }
        hemu.nothing_came();
        assert_eq!(hemu.downlink.connected(), 0);
    }
    let mut hemu = start();
    let mut client = hemu.login(V5, "bin-1").await;
    client.send([0xe0, 1, 4]).await;
    client.expect_end([]).await;
    hemu.expect_presence(Presence::Connected).await;
    hemu.expect_presence(Presence::Lost).await;
}

#[tokio::test]
async fn commands_are_sent_again_until_acknowledged() {
    for version in BOTH {
        let mut hemu = start();
        hemu.desk.commands.lock().unwrap().push(command(70));
        let suback = if version == V5 {
            vec![0x90, 4, 0, 1, 0, 1]
        } else {
            vec![0x90, 3, 0, 1, 1]
        };
        let sent = |id, number: u64| {
            publish(
                version,
                COMMANDS,
                Some(id),
                format!("command {number}").as_bytes(),
            )
        };
        let mut client = hemu.login(version, "bin-1").await;
        client.send(subscribe(version, 1, &[(COMMANDS, 1)])).await;
        client.expect([suback.clone(), sent(1, 70)].concat()).await;
        drop(client);
        let mut client = hemu.login(version, "bin-1").await;
        client.send(subscribe(version, 1, &[(COMMANDS, 1)])).await;
        client.expect([suback, sent(1, 70)].concat()).await;
        client.send(puback(1)).await;
        assert_eq!(soon(hemu.acknowledged.recv()).await, Some(70));
        hemu.desk.commands.lock().unwrap().push(command(71));
        hemu.downlink.wake_commands(&device("bin-1"));
        client.expect(sent(2, 71)).await;
    }
}

#[tokio::test]
async fn receipts_reach_the_subscriber() {
    for version in BOTH {
        let hemu = start();
        let receipt = Bytes::from_static(b"{\"upto\":9}");
        assert!(
            !hemu.downlink.try_receipt(&device("bin-1"), receipt.clone()),
            "nobody is there"
        );
        let mut client = hemu.login(version, "bin-1").await;
        client.send(subscribe(version, 1, &[(RECEIPTS, 1)])).await;
        client
            .expect(if version == V5 {
                vec![0x90, 4, 0, 1, 0, 0]
            } else {
                vec![0x90, 3, 0, 1, 0]
            })
            .await;
        assert!(hemu.downlink.try_receipt(&device("bin-1"), receipt.clone()));
        client.expect(publish(version, RECEIPTS, None, &receipt)).await;
    }
}

#[tokio::test]
async fn a_revoked_device_is_disconnected() {
    for version in BOTH {
        let mut hemu = start();
        let mut client = hemu.login(version, "bin-1").await;
        hemu.downlink.disconnect(&device("bin-1"));
        client.expect_end(last_words(version, 0x87)).await;
        hemu.expect_presence(Presence::Connected).await;
        hemu.expect_presence(Presence::Disconnected).await;
    }
}

#[tokio::test]
async fn a_key_revoked_while_it_is_checked_does_not_slip_in() {
    let hemu = start();
    hemu.desk.doors.forget_permits(usize::MAX);
    hemu.desk
        .logins
        .lock()
        .unwrap()
        .extend([Ok(()), Err(LoginError::Refused)]);
    let mut client = hemu.dial().await;
    client.send(connect(V5, "bin-1", KEY)).await;
    soon(async {
        while hemu.desk.asked.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    hemu.downlink.disconnect(&device("bin-1"));
    hemu.desk.doors.add_permits(2);
    client.expect_end([0x20, 3, 0, 0x86, 0]).await;
    assert_eq!(hemu.downlink.connected(), 0);
}
