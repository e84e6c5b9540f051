//! Our decoder against two others, packet by packet: what they encode we must read alike, and what we accept of
//! damaged bytes they must accept alike, but for the differences named in [`known`].

use std::panic::catch_unwind;

use bytes::{Bytes, BytesMut};
use hemu_endpoint::codec::Version::{self, V5, V311};
use hemu_endpoint::codec::{Packet, Qos, decode, decode_connect, frame_length};
use mqtt_protocol_core::mqtt::packet::{v3_1_1, v5_0};
use rumqttc::mqttbytes::v4 as four;
use rumqttc::v5::mqttbytes::v5 as five;
use rumqttc::{mqttbytes as old, v5::mqttbytes as new};

use crate::encoded::{by_hand, encoded};
use crate::packets;

/// What a decoder made of a packet, as far as all three can say it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Seen {
    Connect {
        client_id: String,
        clean: bool,
        keep_alive: u16,
        will: Option<Will>,
        login: Login,
    },
    Publish {
        topic: String,
        id: Option<u16>,
        dup: bool,
        payload: Vec<u8>,
    },
    Puback(u16),
    Subscribe(u16, Vec<(String, u8)>),
    Unsubscribe(u16, Vec<String>),
    Pingreq,
    Disconnect,
}

type Will = (String, Vec<u8>, u8, bool);
type Login = (Option<String>, Option<Vec<u8>>);

fn ours(bytes: &[u8], version: Version) -> Option<Seen> {
    let length = frame_length(bytes, 65_536).ok()??;
    let frame = bytes.get(..length).filter(|frame| frame.len() == bytes.len())?;
    if frame[0] >> 4 == 1 {
        let connect = decode_connect(frame)
            .ok()
            .filter(|connect| connect.version == version)?;
        return Some(Seen::Connect {
            client_id: connect.client_id.to_owned(),
            clean: connect.clean_start,
            keep_alive: connect.keep_alive,
            will: connect.will.map(|will| {
                (
                    will.topic.to_owned(),
                    will.payload.to_vec(),
                    will.qos,
                    will.retain,
                )
            }),
            login: (
                connect.username.map(str::to_owned),
                connect.password.map(<[u8]>::to_vec),
            ),
        });
    }
    Some(match decode(frame, version).ok()? {
        Packet::Publish(publish) => Seen::Publish {
            topic: publish.topic.to_owned(),
            id: publish.id,
            dup: publish.dup,
            payload: publish.payload.to_vec(),
        },
        Packet::Puback(puback) => Seen::Puback(puback.id),
        Packet::Subscribe(subscribe) => {
            let filters = subscribe.subscriptions.iter();
            let filters = filters.map(|wish| {
                (
                    wish.filter.to_owned(),
                    u8::from(wish.maximum_qos == Qos::AtLeastOnce),
                )
            });
            Seen::Subscribe(subscribe.id, filters.collect())
        }
        Packet::Unsubscribe(unsubscribe) => Seen::Unsubscribe(
            unsubscribe.id,
            unsubscribe
                .filters
                .iter()
                .map(|&filter| filter.to_owned())
                .collect(),
        ),
        Packet::Pingreq => Seen::Pingreq,
        Packet::Disconnect(_) => Seen::Disconnect,
    })
}

/// `mqtt-protocol-core`; a packet it does not consume whole counts as refused.
macro_rules! core_decoder {
    ($name:ident, $v:ident) => {
        fn $name(bytes: &[u8]) -> Option<Seen> {
            let header = packets::remaining(bytes)?;
            let body = bytes.get(header..)?;
            let whole = |consumed: usize| (consumed == body.len()).then_some(());
            Some(match bytes[0] >> 4 {
                1 => {
                    let (connect, consumed) = $v::Connect::parse(body).ok()?;
                    whole(consumed)?;
                    let will = connect.will_flag().then(|| {
                        let topic = connect.will_topic().unwrap_or_default().to_owned();
                        let payload = connect.will_payload().unwrap_or_default().to_vec();
                        (topic, payload, connect.will_qos() as u8, connect.will_retain())
                    });
                    Seen::Connect {
                        client_id: connect.client_id().to_owned(),
                        clean: core_decoder!(@clean connect $v),
                        keep_alive: connect.keep_alive(),
                        will,
                        login: (connect.user_name().map(str::to_owned), connect.password().map(<[u8]>::to_vec)),
                    }
                }
                3 => {
                    let (publish, consumed) = $v::Publish::parse(bytes[0] & 0x0f, body.into()).ok()?;
                    whole(consumed)?;
                    Seen::Publish {
                        topic: publish.topic_name().to_owned(),
                        id: publish.packet_id(),
                        dup: publish.dup(),
                        payload: publish.payload().as_slice().to_vec(),
                    }
                }
                4 => {
                    let (puback, consumed) = $v::Puback::parse(body).ok()?;
                    whole(consumed)?;
                    Seen::Puback(puback.packet_id())
                }
                8 => {
                    let (subscribe, consumed) = $v::Subscribe::parse(body).ok()?;
                    whole(consumed)?;
                    let filters = subscribe.entries().iter();
                    let filters =
                        filters.map(|entry| (entry.topic_filter().to_owned(), (entry.sub_opts().qos() as u8).min(1)));
                    Seen::Subscribe(subscribe.packet_id(), filters.collect())
                }
                10 => {
                    let (unsubscribe, consumed) = $v::Unsubscribe::parse(body).ok()?;
                    whole(consumed)?;
                    let filters = unsubscribe.entries().iter().map(|filter| filter.as_str().to_owned());
                    Seen::Unsubscribe(unsubscribe.packet_id(), filters.collect())
                }
                12 => {
                    whole($v::Pingreq::parse(body).ok()?.1)?;
                    Seen::Pingreq
                }
                14 => {
                    whole($v::Disconnect::parse(body).ok()?.1)?;
                    Seen::Disconnect
                }
                _ => return None,
            })
        }
    };
    (@clean $connect:ident v3_1_1) => { $connect.clean_session() };
    (@clean $connect:ident v5_0) => { $connect.clean_start() };
}

core_decoder!(core_311, v3_1_1);
core_decoder!(core_5, v5_0);

fn rumqtt_311(bytes: &[u8]) -> Option<Seen> {
    Some(
        match four::Packet::read(&mut BytesMut::from(bytes), 65_536).ok()? {
            four::Packet::Connect(connect) => Seen::Connect {
                client_id: connect.client_id,
                clean: connect.clean_session,
                keep_alive: connect.keep_alive,
                will: connect
                    .last_will
                    .map(|will| (will.topic, will.message.to_vec(), will.qos as u8, will.retain)),
                login: login(connect.login.map(|login| (login.username, login.password))),
            },
            four::Packet::Publish(publish) => Seen::Publish {
                topic: publish.topic,
                id: (publish.qos != old::QoS::AtMostOnce).then_some(publish.pkid),
                dup: publish.dup,
                payload: publish.payload.to_vec(),
            },
            four::Packet::PubAck(ack) => Seen::Puback(ack.pkid),
            four::Packet::Subscribe(subscribe) => {
                let filters = subscribe
                    .filters
                    .into_iter()
                    .map(|filter| (filter.path, (filter.qos as u8).min(1)));
                Seen::Subscribe(subscribe.pkid, filters.collect())
            }
            four::Packet::Unsubscribe(unsubscribe) => Seen::Unsubscribe(unsubscribe.pkid, unsubscribe.topics),
            four::Packet::PingReq => Seen::Pingreq,
            four::Packet::Disconnect => Seen::Disconnect,
            _ => return None,
        },
    )
}

fn rumqtt_5(bytes: &[u8]) -> Option<Seen> {
    let text = |bytes: Bytes| String::from_utf8(bytes.to_vec()).unwrap_or_default();
    Some(
        match five::Packet::read(&mut BytesMut::from(bytes), Some(65_536)).ok()? {
            five::Packet::Connect(connect, will, credentials) => Seen::Connect {
                client_id: connect.client_id,
                clean: connect.clean_start,
                keep_alive: connect.keep_alive,
                will: will.map(|will| {
                    (
                        text(will.topic),
                        will.message.to_vec(),
                        will.qos as u8,
                        will.retain,
                    )
                }),
                login: login(credentials.map(|login| (login.username, login.password))),
            },
            five::Packet::Publish(publish) => Seen::Publish {
                topic: text(publish.topic),
                id: (publish.qos != new::QoS::AtMostOnce).then_some(publish.pkid),
                dup: publish.dup,
                payload: publish.payload.to_vec(),
            },
            five::Packet::PubAck(ack) => Seen::Puback(ack.pkid),
            five::Packet::Subscribe(subscribe) => {
                let filters = subscribe
                    .filters
                    .into_iter()
                    .map(|filter| (filter.path, (filter.qos as u8).min(1)));
                Seen::Subscribe(subscribe.pkid, filters.collect())
            }
            five::Packet::Unsubscribe(unsubscribe) => {
                Seen::Unsubscribe(unsubscribe.pkid, unsubscribe.filters)
            }
            five::Packet::PingReq(_) => Seen::Pingreq,
            five::Packet::Disconnect(_) => Seen::Disconnect,
            _ => return None,
        },
    )
}

/// It knows credentials only as a pair of strings, where an absent one is empty.
fn login(pair: Option<(String, String)>) -> Login {
    pair.map_or((None, None), |(user, password)| {
        (Some(user), Some(password.into_bytes()))
    })
}

type Decoder = fn(&[u8]) -> Option<Seen>;

const OTHERS: [(&str, Version, Decoder); 4] = [
    ("mqtt-protocol-core", V311, core_311),
    ("mqtt-protocol-core", V5, core_5),
    ("rumqttc", V311, rumqtt_311),
    ("rumqttc", V5, rumqtt_5),
];

/// Where we accept and another refuses, and why that is right.
fn known(other: &str, version: Version, ours: &Seen, theirs: Option<&Seen>, bytes: &[u8]) -> bool {
    match (other, version, ours, theirs) {
        // Reason code and properties of a v5 DISCONNECT may be left out (3.14.2.1, 3.14.2.2.1).
        ("rumqttc", V5, Seen::Disconnect, None) => bytes.len() <= 3,
        // A password is binary data, not a string (3.1.1: 3.1.3.5; 5: 3.1.3.6).
        (
            "rumqttc",
            _,
            Seen::Connect {
                login: (_, Some(password)),
                ..
            },
            None,
        ) => std::str::from_utf8(password).is_err(),
        _ => false,
    }
}

/// Damages a packet a little and, mostly, mends its length again: damaged lengths are easily refused.
fn damage(packet: &[u8], dice: &mut impl FnMut(usize) -> usize) -> Vec<u8> {
    let header = packets::remaining(packet).unwrap_or(packet.len());
    let (mut first, mut body) = (packet[0], packet[header..].to_vec());
    for _ in 0..=dice(3) {
        let at = dice(body.len() + 1);
        match dice(6) {
            0 if at < body.len() => body[at] = u8::try_from(dice(256)).unwrap_or(0),
            1 if at < body.len() => body[at] ^= 1 << dice(8),
            2 if at < body.len() => drop(body.remove(at)),
            3 => body.insert(at, u8::try_from(dice(256)).unwrap_or(0)),
            4 => body.truncate(at),
            5 if dice(4) == 0 => first ^= 1 << dice(8),
            _ => {}
        }
    }
    let mut damaged = packets::frame(first, &body);
    if dice(20) == 0 {
        let at = dice(damaged.len());
        damaged[at] ^= 1 << dice(8);
    }
    damaged
}

#[test]
fn what_others_encode_is_read_as_they_read_it() {
    for (name, version, other) in OTHERS {
        for bytes in encoded(version) {
            let seen = ours(&bytes, version).unwrap_or_else(|| panic!("{version:?}: we refuse {bytes:x?}"));
            let theirs = other(&bytes);
            let agree =
                theirs.as_ref() == Some(&seen) || known(name, version, &seen, theirs.as_ref(), &bytes);
            assert!(
                agree,
                "{name} {version:?} {bytes:x?}\n ours: {seen:?}\n theirs: {theirs:?}"
            );
        }
    }
}

#[test]
fn what_we_accept_of_damaged_packets_others_accept_alike() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut dice = |sides: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap_or(0) % sides
    };
    let (mut accepted, mut differences) = (0, Vec::new());
    for version in [V311, V5] {
        let mut packets = encoded(version);
        packets.extend(by_hand(version));
        for _ in 0..60_000 {
            let bytes = damage(&packets[dice(packets.len())], &mut dice);
            let Some(seen) = ours(&bytes, version) else {
                continue;
            };
            accepted += 1;
            for (name, _, other) in OTHERS.into_iter().filter(|other| other.1 == version) {
                let theirs = catch_unwind(|| other(&bytes)).unwrap_or(None);
                if theirs.as_ref() != Some(&seen) && !known(name, version, &seen, theirs.as_ref(), &bytes) {
                    differences.push(format!(
                        "{name} {version:?} {bytes:x?}\n  ours:   {seen:?}\n  theirs: {theirs:?}"
                    ));
                }
            }
        }
    }
    assert!(
        accepted > 10_000,
        "only {accepted} packets were accepted: nothing was compared"
    );
    let first = differences.first();
    assert!(
        first.is_none(),
        "{} differences, such as {}",
        differences.len(),
        first.unwrap()
    );
}
