//! What Eclipse Paho's interoperability suites ask of a server, as far as an ingest endpoint has it: by client libraries
//! of others, which read the endpoint's packets with their own eyes. `docs/paho.md` lists every case of both suites.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use hemu_endpoint::codec::Version::{V5, V311};
use hemu_endpoint::{Limits, Presence, Publish};
use rumqttc::mqttbytes::v4 as four;
use rumqttc::v5::mqttbytes::v5 as five;
use rumqttc::{QoS, v5};
use tokio::sync::mpsc;

use crate::backend::*;
use crate::packets::*;
use crate::server::last_words;

const DEPOSIT: &str = "hemu/v1/bin-1/deposit";
const STATUS: &str = "hemu/v1/bin-1/status";
const RECEIPTS: &str = "hemu/v1/bin-1/receipt";
const COMMANDS: &str = "hemu/v1/bin-1/command";
const NOT_OURS: [&str; 6] = [
    "#",
    "+/+",
    "$SYS/#",
    "test/nosubscribe",
    "hemu/v1/+/receipt",
    "$share/g/hemu/v1/bin-1/receipt",
];

/// Stores whatever comes from now on; hands over what it was.
fn store_all(hemu: &mut Running) -> mpsc::UnboundedReceiver<Publish> {
    let (kept, stored) = mpsc::unbounded_channel();
    let mut chunks = std::mem::replace(&mut hemu.chunks, mpsc::unbounded_channel().1);
    tokio::spawn(async move {
        while let Some((_, publishes, ticket)) = chunks.recv().await {
            ticket.stored();
            for publish in publishes {
                // A test that looks no more has dropped its end.
                let _ = kept.send(publish);
            }
        }
    });
    stored
}

/// rumqttc on 3.1.1.
struct Four(rumqttc::AsyncClient, rumqttc::EventLoop);

impl Four {
    async fn open(hemu: &Running, shape: impl FnOnce(&mut rumqttc::MqttOptions)) -> Self {
        let mut options = rumqttc::MqttOptions::new("bin-1", "127.0.0.1", hemu.address.port());
        options.set_credentials("bin-1", "right-key");
        shape(&mut options);
        let (client, events) = rumqttc::AsyncClient::new(options, 100);
        let mut four = Self(client, events);
        let connack = four.next().await.unwrap();
        assert!(matches!(connack, four::Packet::ConnAck(ack) if !ack.session_present));
        four
    }

    /// The next packet from the endpoint, or how the connection ended.
    async fn next(&mut self) -> Result<four::Packet, String> {
        loop {
            match soon(self.1.poll()).await {
                Ok(rumqttc::Event::Incoming(packet)) => return Ok(packet),
                Ok(rumqttc::Event::Outgoing(_)) => {}
                Err(error) => return Err(error.to_string()),
            }
        }
    }

    async fn publish(&mut self, topic: &str, qos: QoS, retain: bool) -> Result<four::Packet, String> {
        self.0.publish(topic, qos, retain, "{}").await.unwrap();
        self.next().await
    }

    async fn subscribe(&mut self, filter: &str) -> Vec<four::SubscribeReasonCode> {
        self.0.subscribe(filter, QoS::AtLeastOnce).await.unwrap();
        match self.next().await {
            Ok(four::Packet::SubAck(suback)) => suback.return_codes,
            other => panic!("expected a SUBACK, came {other:?}"),
        }
    }
}

/// rumqttc on 5.
struct Five(v5::AsyncClient, v5::EventLoop);

impl Five {
    async fn open(
        hemu: &Running,
        shape: impl FnOnce(&mut v5::MqttOptions),
    ) -> (Self, five::ConnAckProperties) {
        let mut options = v5::MqttOptions::new("bin-1", "127.0.0.1", hemu.address.port());
        options.set_credentials("bin-1", "right-key");
        shape(&mut options);
        let (client, events) = v5::AsyncClient::new(options, 100);
        let mut five = Self(client, events);
        match five.next().await {
            Ok(five::Packet::ConnAck(ack)) if !ack.session_present => (five, ack.properties.unwrap()),
            other => panic!("expected a CONNACK without a session, came {other:?}"),
        }
    }

    async fn next(&mut self) -> Result<five::Packet, String> {
        loop {
            match soon(self.1.poll()).await {
                Ok(v5::Event::Incoming(packet)) => return Ok(packet),
                Ok(v5::Event::Outgoing(_)) => {}
                Err(error) => return Err(format!("{error:?}")),
            }
        }
    }

    async fn publish(
        &mut self,
        topic: &str,
        qos: v5::mqttbytes::QoS,
        retain: bool,
    ) -> Result<five::Packet, String> {
        self.0.publish(topic, qos, retain, "{}").await.unwrap();
        self.next().await
    }

    async fn publish_with(&mut self, properties: five::PublishProperties) -> Result<five::Packet, String> {
        let qos = v5::mqttbytes::QoS::AtLeastOnce;
        let sent = self
            .0
            .publish_with_properties(DEPOSIT, qos, false, "{}", properties);
        sent.await.unwrap();
        self.next().await
    }

    async fn subscribe(&mut self, filter: five::Filter) -> Vec<five::SubscribeReasonCode> {
        self.0.subscribe_many([filter]).await.unwrap();
        match self.next().await {
            Ok(five::Packet::SubAck(suback)) => suback.return_codes,
            other => panic!("expected a SUBACK, came {other:?}"),
        }
    }
}

fn filter(path: &str) -> five::Filter {
    five::Filter::new(path, v5::mqttbytes::QoS::AtLeastOnce)
}

/// The connection ended with a DISCONNECT for this reason.
fn said(packet: &Result<five::Packet, String>, reason: &str) -> bool {
    packet.as_ref().is_err_and(|error| error.contains(reason))
}

fn acked(packet: &Result<five::Packet, String>) -> bool {
    matches!(packet, Ok(five::Packet::PubAck(ack)) if ack.reason == five::PubAckReason::Success)
}

#[tokio::test]
async fn basic() {
    let mut hemu = start();
    let mut stored = store_all(&mut hemu);
    for _ in 0..2 {
        let mut client = Four::open(&hemu, |_| {}).await;
        client
            .0
            .publish(DEPOSIT, QoS::AtMostOnce, false, "{}")
            .await
            .unwrap();
        assert!(matches!(
            client.publish(DEPOSIT, QoS::AtLeastOnce, false).await,
            Ok(four::Packet::PubAck(_))
        ));
        client.0.disconnect().await.unwrap();
        assert!(client.next().await.is_err());
        let (mut client, _) = Five::open(&hemu, |_| {}).await;
        let qos_0 = v5::mqttbytes::QoS::AtMostOnce;
        client.0.publish(DEPOSIT, qos_0, false, "{}").await.unwrap();
        assert!(acked(
            &client
                .publish(DEPOSIT, v5::mqttbytes::QoS::AtLeastOnce, false)
                .await
        ));
        client.0.disconnect().await.unwrap();
        assert!(client.next().await.is_err());
    }
    let mut qos1 = Vec::new();
    while qos1.len() < 8 {
        qos1.push(soon(stored.recv()).await.unwrap().qos1);
    }
    assert_eq!(qos1, [false, true].repeat(4));
    // QoS 2 is refused, not taken for something else.
    let mut client = Four::open(&hemu, |_| {}).await;
    assert!(client.publish(DEPOSIT, QoS::ExactlyOnce, false).await.is_err());
    assert!(stored.try_recv().is_err());
}

#[tokio::test]
async fn a_second_connect_and_another_protocol_are_closed() {
    for version in [V311, V5] {
        let hemu = start();
        let mut client = hemu.login(version, "bin-1").await;
        client.send(connect(version, "bin-1", KEY)).await;
        client.expect_end(last_words(version, 0x82)).await;
        let mut client = hemu.dial().await;
        let head = [field("hj"), vec![4, 0xc2, 0, 60]].concat();
        let login = ["bin-1", "bin-1", "right-key"].map(field).concat();
        client.send(frame(0x10, &[head, login].concat())).await;
        let mut end = Vec::new();
        let closed = tokio::io::AsyncReadExt::read_to_end(&mut client.stream, &mut end);
        soon(closed).await.unwrap();
        assert!(end.get(3) != Some(&0), "let in: {end:x?}");
    }
}

#[tokio::test]
async fn retained_messages_are_refused() {
    let mut hemu = start();
    let mut stored = store_all(&mut hemu);
    let mut client = Four::open(&hemu, |_| {}).await;
    assert!(client.publish(DEPOSIT, QoS::AtLeastOnce, true).await.is_err());
    let (mut client, offer) = Five::open(&hemu, |_| {}).await;
    assert_eq!(offer.retain_available, Some(0));
    let refused = client
        .publish(DEPOSIT, v5::mqttbytes::QoS::AtLeastOnce, true)
        .await;
    assert!(said(&refused, "RetainNotSupported"), "{refused:?}");
    assert!(stored.try_recv().is_err());
}

#[tokio::test]
async fn wills_and_keep_alives_tell_that_a_device_is_lost() {
    let mut hemu = start();
    // Killed with a will: lost, whether it asked for a delay or not.
    let will = rumqttc::LastWill::new(STATUS, "client not disconnected", QoS::AtLeastOnce, false);
    let client = Four::open(&hemu, |options| {
        options.set_last_will(will);
    })
    .await;
    hemu.expect_presence(Presence::Connected).await;
    drop(client);
    hemu.expect_presence(Presence::Lost).await;
    let properties = five::LastWillProperties {
        delay_interval: Some(3_600),
        payload_format_indicator: None,
        message_expiry_interval: None,
        content_type: None,
        response_topic: None,
        correlation_data: None,
        user_properties: vec![],
    };
    let qos = v5::mqttbytes::QoS::AtLeastOnce;
    let will = five::LastWill::new(STATUS, "client not disconnected", qos, false, Some(properties));
    let client = Five::open(&hemu, |options| {
        options.set_last_will(will);
    })
    .await;
    hemu.expect_presence(Presence::Connected).await;
    drop(client);
    hemu.expect_presence(Presence::Lost).await;
    // Not polled, a client sends no pings.
    let second = Duration::from_secs(1);
    let _four = Four::open(&hemu, |options| {
        options.set_keep_alive(second);
    })
    .await;
    hemu.expect_presence(Presence::Connected).await;
    hemu.expect_presence(Presence::Lost).await;
}

#[tokio::test]
async fn a_client_without_a_name_is_refused() {
    let hemu = start();
    for clean in [true, false] {
        let mut options = v5::MqttOptions::new("", "127.0.0.1", hemu.address.port());
        options
            .set_credentials("bin-1", "right-key")
            .set_clean_start(clean);
        let (_client, mut events) = v5::AsyncClient::new(options, 10);
        let refused = format!("{:?}", soon(events.poll()).await.unwrap_err());
        assert!(refused.contains("ClientIdentifierNotValid"), "{refused}");
    }
    let mut options = rumqttc::MqttOptions::new("", "127.0.0.1", hemu.address.port());
    options.set_credentials("bin-1", "right-key");
    let (_client, mut events) = rumqttc::AsyncClient::new(options, 10);
    let refused = format!("{:?}", soon(events.poll()).await.unwrap_err());
    assert!(refused.contains("BadClientId"), "{refused}");
}

#[tokio::test]
async fn commands_wait_for_their_device_and_come_again_until_acknowledged() {
    let mut hemu = start();
    hemu.desk.commands.lock().unwrap().push(command(7));
    let manual = |options: &mut rumqttc::MqttOptions| {
        options.set_manual_acks(true);
    };
    for acknowledge in [false, true] {
        let mut client = Four::open(&hemu, manual).await;
        // Named twice, a topic is one subscription all the same.
        let filters = [COMMANDS, COMMANDS].map(four_filter);
        client.0.subscribe_many(filters).await.unwrap();
        assert!(matches!(client.next().await, Ok(four::Packet::SubAck(_))));
        let Ok(four::Packet::Publish(publish)) = client.next().await else {
            panic!("no command");
        };
        assert_eq!(
            (publish.qos, &publish.payload[..]),
            (QoS::AtLeastOnce, &b"command 7"[..])
        );
        if acknowledge {
            client.0.ack(&publish).await.unwrap();
            let acknowledged = hemu.acknowledged.recv();
            tokio::select! {
                id = acknowledged => assert_eq!(id, Some(7)),
                more = client.next() => panic!("came twice: {more:?}"),
            }
        }
    }
    let (mut client, _) = Five::open(&hemu, |_| {}).await;
    client.subscribe(filter(COMMANDS)).await;
    hemu.desk.commands.lock().unwrap().push(command(8));
    hemu.downlink.wake_commands(&device("bin-1"));
    assert!(matches!(client.next().await, Ok(five::Packet::Publish(p)) if p.payload[..] == *b"command 8"));
}

fn four_filter(path: &str) -> rumqttc::SubscribeFilter {
    rumqttc::SubscribeFilter::new(path.to_owned(), QoS::AtLeastOnce)
}

#[tokio::test]
async fn foreign_wildcard_shared_and_dollar_topics_are_refused() {
    let mut hemu = start();
    let mut stored = store_all(&mut hemu);
    let mut client = Four::open(&hemu, |_| {}).await;
    for filter in ["#", "+/+", "$SYS/#", "test/nosubscribe", "hemu/v1/+/receipt"] {
        assert_eq!(
            client.subscribe(filter).await,
            [four::SubscribeReasonCode::Failure],
            "{filter}"
        );
    }
    assert!(
        client
            .publish("$TopicA/B", QoS::AtLeastOnce, false)
            .await
            .is_err()
    );
    let (mut client, offer) = Five::open(&hemu, |_| {}).await;
    assert_eq!(
        (
            offer.wildcard_subscription_available,
            offer.shared_subscription_available
        ),
        (Some(0), Some(0))
    );
    let refused = client.subscribe(filter("test/nosubscribe")).await;
    assert_eq!(refused, [five::SubscribeReasonCode::NotAuthorized]);
    let foreign = client
        .publish("$TopicA/B", v5::mqttbytes::QoS::AtLeastOnce, false)
        .await;
    assert!(
        matches!(&foreign, Ok(five::Packet::PubAck(ack)) if ack.reason == five::PubAckReason::NotAuthorized),
        "{foreign:?}"
    );
    for path in NOT_OURS {
        let (mut client, _) = Five::open(&hemu, |_| {}).await;
        client.0.subscribe_many([filter(path)]).await.unwrap();
        match client.next().await {
            Ok(five::Packet::SubAck(suback)) => {
                assert_eq!(
                    suback.return_codes,
                    [five::SubscribeReasonCode::NotAuthorized],
                    "{path}"
                );
            }
            Err(error) => assert!(error.contains("NotSupported"), "{path}: {error}"),
            other => panic!("{path}: {other:?}"),
        }
    }
    assert!(stored.try_recv().is_err());
}

#[tokio::test]
async fn after_unsubscribing_nothing_comes() {
    let hemu = start();
    let (mut client, _) = Five::open(&hemu, |_| {}).await;
    for option in [
        five::RetainForwardRule::OnEverySubscribe,
        five::RetainForwardRule::Never,
    ] {
        let mut own = filter(RECEIPTS);
        (own.nolocal, own.preserve_retain, own.retain_forward_rule) = (true, true, option);
        assert!(matches!(
            client.subscribe(own).await[..],
            [five::SubscribeReasonCode::Success(_)]
        ));
    }
    let receipt = Bytes::from_static(b"{}");
    assert!(hemu.downlink.try_receipt(&device("bin-1"), receipt.clone()));
    let came = client.next().await;
    assert!(
        matches!(&came, Ok(five::Packet::Publish(p)) if !p.retain && p.topic == RECEIPTS),
        "{came:?}"
    );
    client.0.unsubscribe(RECEIPTS).await.unwrap();
    assert!(matches!(client.next().await, Ok(five::Packet::UnsubAck(_))));
    hemu.downlink.try_receipt(&device("bin-1"), receipt);
    // Whatever is written next is the answer to this.
    assert!(matches!(
        client.subscribe(filter(COMMANDS)).await[..],
        [five::SubscribeReasonCode::Success(_)]
    ));
}

#[tokio::test]
async fn sessions_end_with_their_connection() {
    let hemu = start();
    for interval in [0, 5, u32::MAX] {
        for clean in [true, false] {
            let (client, offer) = Five::open(&hemu, |options| {
                options
                    .set_clean_start(clean)
                    .set_session_expiry_interval(Some(interval));
            })
            .await;
            assert_eq!(offer.session_expiry_interval, (interval > 0).then_some(0));
            client.0.disconnect().await.unwrap();
        }
    }
}

#[tokio::test]
async fn properties_of_a_publish_are_taken_and_change_nothing() {
    let mut hemu = start();
    let mut stored = store_all(&mut hemu);
    let (mut client, offer) = Five::open(&hemu, |_| {}).await;
    let table = [
        five::PublishProperties {
            user_properties: vec![("a".into(), "2".into()), ("c".into(), "3".into())],
            ..five::PublishProperties::default()
        },
        five::PublishProperties {
            payload_format_indicator: Some(1),
            content_type: Some("My name".into()),
            ..five::PublishProperties::default()
        },
        five::PublishProperties {
            message_expiry_interval: Some(1),
            ..five::PublishProperties::default()
        },
        five::PublishProperties {
            response_topic: Some(RECEIPTS.into()),
            correlation_data: Some(Bytes::from_static(b"334")),
            ..five::PublishProperties::default()
        },
    ];
    for properties in table {
        let said = format!("{properties:?}");
        assert!(acked(&client.publish_with(properties).await), "{said}");
        assert_eq!(&soon(stored.recv()).await.unwrap().payload[..], b"{}", "{said}");
    }
    // None are offered, and number 0 is none anywhere.
    assert_eq!(offer.topic_alias_max, None);
    let alias = five::PublishProperties {
        topic_alias: Some(0),
        ..five::PublishProperties::default()
    };
    let refused = client.publish_with(alias).await;
    assert!(said(&refused, "TopicAliasInvalid"), "{refused:?}");
    assert!(stored.try_recv().is_err());
}

#[tokio::test]
async fn subscription_identifiers_and_server_aliases_are_not_used() {
    let hemu = start();
    let (mut client, offer) = Five::open(&hemu, |options| {
        options.set_topic_alias_max(Some(1));
    })
    .await;
    assert_eq!(offer.subscription_identifiers_available, Some(0));
    client.subscribe(filter(RECEIPTS)).await;
    for _ in 0..3 {
        hemu.downlink
            .try_receipt(&device("bin-1"), Bytes::from_static(b"{}"));
        let Ok(five::Packet::Publish(publish)) = client.next().await else {
            panic!("no receipt");
        };
        let alias = publish.properties.and_then(|properties| properties.topic_alias);
        assert_eq!((&publish.topic[..], alias), (RECEIPTS.as_bytes(), None));
    }
    let properties = five::SubscribeProperties {
        id: Some(456_789),
        user_properties: vec![],
    };
    let qos = v5::mqttbytes::QoS::AtLeastOnce;
    client
        .0
        .subscribe_with_properties(COMMANDS, qos, properties)
        .await
        .unwrap();
    let refused = client.next().await;
    assert!(
        said(&refused, "SubscriptionIdentifiersNotSupported"),
        "{refused:?}"
    );
}

#[tokio::test]
async fn packet_sizes_and_keep_alives_are_agreed_on() {
    let hemu = start();
    let (mut client, offer) = Five::open(&hemu, |options| {
        options
            .set_max_packet_size(Some(64))
            .set_keep_alive(Duration::from_mins(2));
    })
    .await;
    assert_eq!(
        (offer.max_packet_size, offer.server_keep_alive),
        (Some(65_536), None)
    );
    client.subscribe(filter(RECEIPTS)).await;
    let small = Bytes::from(vec![b'.'; 32]);
    for receipt in [vec![b'.'; 64].into(), small.clone()] {
        hemu.downlink.try_receipt(&device("bin-1"), receipt);
    }
    assert!(matches!(client.next().await, Ok(five::Packet::Publish(p)) if p.payload == small));
}

#[tokio::test]
async fn windows_are_kept_both_ways() {
    let mut hemu = start_with(
        Limits {
            receive_maximum: 4,
            ..Limits::default()
        },
        None,
    );
    hemu.desk.commands.lock().unwrap().extend((1..=3).map(command));
    let (mut client, offer) = Five::open(&hemu, |options| {
        options.set_receive_maximum(Some(2)).set_manual_acks(true);
    })
    .await;
    assert_eq!(offer.receive_max, Some(4));
    client.subscribe(filter(COMMANDS)).await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let Ok(five::Packet::Publish(publish)) = client.next().await else {
            panic!("no command");
        };
        held.push(publish);
    }
    // The third is not among what is written before the answer to this.
    let again = client.subscribe(filter(RECEIPTS)).await;
    assert!(matches!(again[..], [five::SubscribeReasonCode::Success(_)]));
    client.0.ack(&held[0]).await.unwrap();
    assert!(matches!(client.next().await, Ok(five::Packet::Publish(p)) if p.payload[..] == *b"command 3"));
    hemu.acknowledged.recv().await.unwrap();
    // Nothing is stored, so a fifth publish is one too many; a library would never send it.
    let mut client = hemu.login(V5, "bin-2").await;
    let publishes = (1..=5).flat_map(|id| publish(V5, "hemu/v1/bin-2/deposit", Some(id), b"{}"));
    client.send(publishes.collect::<Vec<_>>()).await;
    client.expect_end([0xe0, 2, 0x93, 0]).await;
}

/// Eclipse Paho's own client, if this machine has it.
#[tokio::test]
async fn pahos_python_client_agrees() {
    let there = |python: &&str| {
        let mut import = std::process::Command::new(python);
        import
            .args(["-c", "import paho.mqtt.properties"])
            .stderr(Stdio::null());
        import.status().is_ok_and(|status| status.success())
    };
    let Some(python) = ["/usr/bin/python3", "python3"].into_iter().find(there) else {
        let required = std::env::var("HEMU_TEST_REQUIRE").unwrap_or_default();
        assert!(
            !required.split_whitespace().any(|name| name == "paho"),
            "paho is not there and HEMU_TEST_REQUIRE asks for it"
        );
        println!("skipped: Paho's Python client is not there; install python3-paho-mqtt");
        return;
    };
    let mut hemu = start();
    let mut stored = store_all(&mut hemu);
    hemu.desk.commands.lock().unwrap().push(command(9));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/endpoint/cases.py");
    let mut child = tokio::process::Command::new(python)
        .arg(script)
        .arg(hemu.address.port().to_string())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut tick = tokio::time::interval(Duration::from_millis(50));
    let status = soon(async {
        loop {
            tokio::select! {
                status = child.wait() => return status.unwrap(),
                // To whoever has subscribed by now.
                _ = tick.tick() => drop(hemu.downlink.try_receipt(&device("bin-1"), Bytes::from_static(b"{}"))),
            }
        }
    })
    .await;
    let mut said = String::new();
    let mut out = child.stdout.take().unwrap();
    tokio::io::AsyncReadExt::read_to_string(&mut out, &mut said)
        .await
        .unwrap();
    println!("{said}");
    let cases = said.lines().filter(|line| line.starts_with("ok ")).count();
    assert!(
        status.success() && cases == 28,
        "{cases} cases, {status}:\n{said}"
    );
    let mut payloads = 0;
    while let Ok(publish) = stored.try_recv() {
        assert_eq!(&publish.payload[..], b"{}");
        payloads += 1;
    }
    assert!(payloads >= 8, "{payloads} publishes stored");
    assert_eq!(hemu.acknowledged.recv().await, Some(9));
}
