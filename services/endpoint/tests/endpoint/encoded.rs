//! Client packets as other libraries encode them.

use bytes::BytesMut;
use hemu_endpoint::codec::Version::{self, V5, V311};
use mqtt_protocol_core::mqtt;
use mqtt_protocol_core::mqtt::packet::{self, SubEntry, SubOpts, v3_1_1, v5_0};
use rumqttc::mqttbytes::v4 as four;
use rumqttc::v5::mqttbytes::v5 as five;
use rumqttc::{mqttbytes as old, v5::mqttbytes as new};

use crate::packets;

const TOPIC: &str = "hemu/v1/bin-1/deposit";
const FILTERS: [(&str, u8); 2] = [("hemu/v1/bin-1/command", 1), ("a/+/#", 0)];

/// One packet of each kind, encoded by the other libraries.
fn core_311() -> Vec<Vec<u8>> {
    let id = 7_u16;
    vec![
        v3_1_1::Connect::builder()
            .client_id("bin-1")
            .unwrap()
            .clean_session(true)
            .keep_alive(60)
            .will_message("hemu/v1/bin-1/status", "gone", packet::Qos::AtLeastOnce, false)
            .unwrap()
            .user_name("bin-1")
            .unwrap()
            .password("right-key")
            .unwrap()
            .build()
            .unwrap()
            .to_continuous_buffer(),
        v3_1_1::Publish::builder()
            .topic_name(TOPIC)
            .unwrap()
            .qos(packet::Qos::AtLeastOnce)
            .packet_id(id)
            .payload("{}")
            .build()
            .unwrap()
            .to_continuous_buffer(),
        v3_1_1::Puback::builder()
            .packet_id(id)
            .build()
            .unwrap()
            .to_continuous_buffer(),
        v3_1_1::Subscribe::builder()
            .packet_id(id)
            .entries(entries())
            .build()
            .unwrap()
            .to_continuous_buffer(),
        v3_1_1::Unsubscribe::builder()
            .packet_id(id)
            .entries(FILTERS.map(|(filter, _)| filter))
            .unwrap()
            .build()
            .unwrap()
            .to_continuous_buffer(),
        v3_1_1::Pingreq::builder().build().unwrap().to_continuous_buffer(),
        v3_1_1::Disconnect::builder()
            .build()
            .unwrap()
            .to_continuous_buffer(),
    ]
}

fn core_5() -> Vec<Vec<u8>> {
    let id = 7_u16;
    vec![
        v5_0::Connect::builder()
            .client_id("bin-1")
            .unwrap()
            .clean_start(true)
            .keep_alive(60)
            .props(vec![
                mqtt::packet::ReceiveMaximum::new(9).unwrap().into(),
                mqtt::packet::UserProperty::new("k", "v").unwrap().into(),
            ])
            .will_message("hemu/v1/bin-1/status", "gone", packet::Qos::AtLeastOnce, false)
            .unwrap()
            .user_name("bin-1")
            .unwrap()
            .password("right-key")
            .unwrap()
            .build()
            .unwrap()
            .to_continuous_buffer(),
        v5_0::Publish::builder()
            .topic_name(TOPIC)
            .unwrap()
            .qos(packet::Qos::AtLeastOnce)
            .packet_id(id)
            .props(vec![
                mqtt::packet::MessageExpiryInterval::new(9).unwrap().into(),
                mqtt::packet::UserProperty::new("k", "v").unwrap().into(),
            ])
            .payload("{}")
            .build()
            .unwrap()
            .to_continuous_buffer(),
        v5_0::Puback::builder()
            .packet_id(id)
            .build()
            .unwrap()
            .to_continuous_buffer(),
        v5_0::Subscribe::builder()
            .packet_id(id)
            .entries(entries())
            .build()
            .unwrap()
            .to_continuous_buffer(),
        v5_0::Unsubscribe::builder()
            .packet_id(id)
            .entries(FILTERS.map(|(filter, _)| filter))
            .unwrap()
            .build()
            .unwrap()
            .to_continuous_buffer(),
        v5_0::Pingreq::builder().build().unwrap().to_continuous_buffer(),
        v5_0::Disconnect::builder()
            .reason_code(mqtt::result_code::DisconnectReasonCode::NormalDisconnection)
            .build()
            .unwrap()
            .to_continuous_buffer(),
    ]
}

fn entries() -> Vec<SubEntry> {
    let options = |qos| {
        SubOpts::new().set_qos(if qos == 0 {
            packet::Qos::AtMostOnce
        } else {
            packet::Qos::AtLeastOnce
        })
    };
    FILTERS
        .iter()
        .map(|&(filter, qos)| SubEntry::new(filter, options(qos)).unwrap())
        .collect()
}

fn encoded_by_rumqtt(version: Version) -> Vec<Vec<u8>> {
    let mut written = Vec::new();
    if version == V311 {
        let mut connect = four::Connect::new("bin-1");
        connect.set_login("bin-1", "right-key");
        connect.last_will = Some(four::LastWill::new(
            "hemu/v1/bin-1/status",
            "gone",
            old::QoS::AtLeastOnce,
            false,
        ));
        let mut publish = four::Publish::new(TOPIC, old::QoS::AtLeastOnce, "{}");
        publish.pkid = 7;
        let mut subscribe = four::Subscribe::new(FILTERS[0].0, old::QoS::AtLeastOnce);
        subscribe.add(FILTERS[1].0.to_owned(), old::QoS::AtMostOnce);
        subscribe.pkid = 7;
        let mut unsubscribe = four::Unsubscribe::new(FILTERS[0].0);
        unsubscribe.pkid = 7;
        for packet in [
            four::Packet::Connect(connect),
            four::Packet::Publish(publish),
            four::Packet::PubAck(four::PubAck::new(7)),
            four::Packet::Subscribe(subscribe),
            four::Packet::Unsubscribe(unsubscribe),
            four::Packet::PingReq,
            four::Packet::Disconnect,
        ] {
            let mut bytes = BytesMut::new();
            packet.write(&mut bytes, 65_536).unwrap();
            written.push(bytes.to_vec());
        }
    } else {
        let connect = five::Connect {
            keep_alive: 60,
            client_id: "bin-1".to_owned(),
            clean_start: true,
            properties: None,
        };
        let will = five::LastWill::new("hemu/v1/bin-1/status", "gone", new::QoS::AtLeastOnce, false, None);
        let login = five::Login {
            username: "bin-1".to_owned(),
            password: "right-key".to_owned(),
        };
        let mut publish = five::Publish::new(TOPIC, new::QoS::AtLeastOnce, "{}", None);
        publish.pkid = 7;
        let filter = |(path, qos): (&str, u8)| {
            five::Filter::new(
                path,
                if qos == 0 {
                    new::QoS::AtMostOnce
                } else {
                    new::QoS::AtLeastOnce
                },
            )
        };
        let mut subscribe = five::Subscribe::new_many(FILTERS.map(filter), None);
        subscribe.pkid = 7;
        let mut unsubscribe = five::Unsubscribe::new(FILTERS[0].0, None);
        unsubscribe.pkid = 7;
        for packet in [
            five::Packet::Connect(connect, Some(will), Some(login)),
            five::Packet::Publish(publish),
            five::Packet::PubAck(five::PubAck::new(7, None)),
            five::Packet::Subscribe(subscribe),
            five::Packet::Unsubscribe(unsubscribe),
            five::Packet::PingReq(five::PingReq),
            five::Packet::Disconnect(five::Disconnect::new(
                five::DisconnectReasonCode::NormalDisconnection,
            )),
        ] {
            let mut bytes = BytesMut::new();
            packet.write(&mut bytes, Some(65_536)).unwrap();
            written.push(bytes.to_vec());
        }
    }
    written
}

pub(crate) fn encoded(version: Version) -> Vec<Vec<u8>> {
    let core = if version == V5 { core_5() } else { core_311() };
    [core, encoded_by_rumqtt(version)].concat()
}

/// What neither library was asked to encode: every property of a PUBLISH and of a CONNECT, other filters and flags.
pub(crate) fn by_hand(version: Version) -> Vec<Vec<u8>> {
    let publish = b"\x01\x01\x02\0\0\0\x09\x03\0\x01t\x08\0\x01r\x09\0\x01z\x26\0\0\0\0\x26\0\x01a\0\0";
    let connect = b"\x11\0\0\0\x09\x21\0\x02\x27\0\0\0\x40\x22\0\x03\x17\x01\x19\0\x26\0\x01k\0\x01v";
    vec![
        packets::publish_with(version, "é/桶", Some(1), publish, b"payload"),
        packets::publish(version, "a", None, b""),
        packets::connect_with(version, "bin-1", b"key", 0, connect),
        packets::connect_with_will(version, "bin-1", "a", 0x28),
        packets::subscribe(version, 1, &[("#", 0), ("+", 1), ("a/+/b/#", 2)]),
        packets::unsubscribe(version, 1, &["a", "b/#"]),
    ]
}
