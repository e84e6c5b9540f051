//! What the codec takes, and as what; and the bytes it writes.

use bytes::BytesMut;
use hemu_endpoint::codec::Version::{V5, V311};
use hemu_endpoint::codec::{
    Disconnect, Packet, Puback, Publish, Qos, Reason, Subscription, decode, decode_connect, encode,
    frame_length,
};
use proptest::prelude::*;

use crate::packets::*;

const TOPIC: &str = "hemu/v1/bin-1/deposit";

#[test]
fn topic_alias_maximum_0_is_legal() {
    let bytes = [
        16, 0x12, 0, 4, b'M', b'Q', b'T', b'T', 5, 2, 0, 0, 3, 0x22, 0, 0, 0, 2, b'd', b'1',
    ];
    let connect = decode_connect(&bytes).unwrap();
    assert_eq!(
        (connect.client_id, connect.username, connect.keep_alive),
        ("d1", None, 0)
    );
}

#[test]
fn a_connect_is_read_whole() {
    let props = [
        0x11, 0, 0, 0, 9, 0x21, 0, 7, 0x27, 0, 0, 1, 0, 0x22, 0, 3, 0x26, 0, 1, b'k', 0, 1, b'v', 0x26, 0, 0,
        0, 0,
    ];
    let bytes = connect_with(V5, "bin-1", b"\xff\0key", 30, &props);
    let connect = decode_connect(&bytes).unwrap();
    assert_eq!(
        (connect.version, connect.clean_start, connect.keep_alive),
        (V5, true, 30)
    );
    assert_eq!(
        (connect.client_id, connect.username, connect.password),
        ("bin-1", Some("bin-1"), Some(&b"\xff\0key"[..]))
    );
    assert_eq!(
        (
            connect.session_expiry_interval,
            connect.receive_maximum,
            connect.maximum_packet_size
        ),
        (9, 7, 256)
    );
    for version in [V311, V5] {
        let bytes = connect_with_will(version, "bin-1", "hemu/v1/bin-1/status", 0x28);
        let will = decode_connect(&bytes).unwrap().will.unwrap();
        assert_eq!(
            (will.topic, will.payload, will.qos, will.retain),
            ("hemu/v1/bin-1/status", &b"gone"[..], 1, true)
        );
    }
}

#[test]
fn good_packets_are_taken_as_what_they_are() {
    for version in [V311, V5] {
        let bytes = publish(version, TOPIC, Some(7), b"{}");
        let taken = Publish {
            topic: TOPIC,
            id: Some(7),
            dup: false,
            payload: b"{}",
        };
        assert_eq!(decode(&bytes, version), Ok(Packet::Publish(taken)));
        assert_eq!(taken.qos(), Qos::AtLeastOnce);
        let repeated = [vec![0x3a], bytes[1..].to_vec()].concat();
        assert_eq!(
            decode(&repeated, version),
            Ok(Packet::Publish(Publish { dup: true, ..taken }))
        );
        let empty = publish(version, "é", None, b"");
        let taken = Publish {
            topic: "é",
            id: None,
            dup: false,
            payload: b"",
        };
        assert_eq!(decode(&empty, version), Ok(Packet::Publish(taken)));
        assert_eq!(
            decode(&puback(9), version),
            Ok(Packet::Puback(Puback { id: 9, reason: 0 }))
        );
        assert_eq!(decode(&PINGREQ, version), Ok(Packet::Pingreq));
        let goodbye = Disconnect {
            reason: 0,
            session_expiry_interval: None,
        };
        assert_eq!(decode(&DISCONNECT, version), Ok(Packet::Disconnect(goodbye)));
        let bytes = subscribe(version, 3, &[("a/+/#", 2), ("b", 0)]);
        let Ok(Packet::Subscribe(taken)) = decode(&bytes, version) else {
            panic!("no SUBSCRIBE")
        };
        let wish = |filter, maximum_qos| Subscription { filter, maximum_qos };
        assert_eq!(
            (taken.id, taken.subscriptions),
            (
                3,
                vec![wish("a/+/#", Qos::AtLeastOnce), wish("b", Qos::AtMostOnce)]
            )
        );
        let bytes = unsubscribe(version, 4, &["a", "b"]);
        let Ok(Packet::Unsubscribe(taken)) = decode(&bytes, version) else {
            panic!("no UNSUBSCRIBE")
        };
        assert_eq!((taken.id, taken.filters), (4, vec!["a", "b"]));
    }
    let all = [
        0x01, 1, 0x02, 0, 0, 0, 9, 0x03, 0, 0, 0x08, 0, 1, b'r', 0x09, 0, 1, 0, 0x26, 0, 0, 0, 0, 0x26, 0, 0,
        0, 0,
    ];
    let bytes = publish_with(V5, TOPIC, None, &all, b"x");
    assert!(matches!(
        decode(&bytes, V5),
        Ok(Packet::Publish(Publish { payload: b"x", .. }))
    ));
    let refused = frame(0x40, &[0, 9, 0x97, 3, 0x1f, 0, 0]);
    assert_eq!(
        decode(&refused, V5),
        Ok(Packet::Puback(Puback { id: 9, reason: 0x97 }))
    );
    let goodbye = frame(0xe0, &[0x04, 5, 0x11, 0, 0, 0, 1]);
    let taken = Disconnect {
        reason: Disconnect::WITH_WILL,
        session_expiry_interval: Some(1),
    };
    assert_eq!(decode(&goodbye, V5), Ok(Packet::Disconnect(taken)));
}

#[test]
fn a_publish_is_borrowed_not_copied() {
    let bytes = publish(V5, TOPIC, Some(1), b"payload");
    let Ok(Packet::Publish(publish)) = decode(&bytes, V5) else {
        panic!("no PUBLISH")
    };
    assert!(bytes.as_ptr_range().contains(&publish.payload.as_ptr()));
    assert!(bytes.as_ptr_range().contains(&publish.topic.as_ptr()));
}

#[test]
fn server_packets_have_the_bytes_of_the_specification() {
    let written = |write: &dyn Fn(&mut BytesMut)| {
        let mut out = BytesMut::new();
        write(&mut out);
        out.to_vec()
    };
    let offer = encode::Offer {
        receive_maximum: 1024,
        maximum_packet_size: 65_536,
        server_keep_alive: Some(300),
        session_ends: true,
    };
    assert_eq!(
        written(&|out| encode::connack_accepted(out, V311, &offer)),
        [0x20, 2, 0, 0]
    );
    let props = [
        0x11, 0, 0, 0, 0, 0x21, 4, 0, 0x24, 1, 0x25, 0, 0x28, 0, 0x29, 0, 0x2a, 0, 0x27, 0, 1, 0, 0, 0x13, 1,
        44,
    ];
    let connack = frame(0x20, &[vec![0, 0], properties(V5, &props)].concat());
    assert_eq!(written(&|out| encode::connack_accepted(out, V5, &offer)), connack);
    let refused = |version, reason| written(&|out| encode::connack_refused(out, version, reason));
    assert_eq!(refused(V311, Reason::BadUserNameOrPassword), [0x20, 2, 0, 4]);
    assert_eq!(refused(V5, Reason::BadUserNameOrPassword), [0x20, 3, 0, 0x86, 0]);
    assert_eq!(refused(V311, Reason::MalformedPacket), [0_u8; 0]);
    let puback = |version, reason| written(&|out| encode::puback(out, version, 258, reason));
    assert_eq!(puback(V311, Reason::NotAuthorized), [0x40, 2, 1, 2]);
    assert_eq!(puback(V5, Reason::Success), [0x40, 2, 1, 2]);
    assert_eq!(puback(V5, Reason::NotAuthorized), [0x40, 3, 1, 2, 0x87]);
    assert_eq!(
        written(&|out| encode::suback(out, V311, 1, &[0, 1, 0x80])),
        [0x90, 5, 0, 1, 0, 1, 0x80]
    );
    assert_eq!(
        written(&|out| encode::suback(out, V5, 1, &[0x87])),
        [0x90, 4, 0, 1, 0, 0x87]
    );
    assert_eq!(
        written(&|out| encode::unsuback(out, V311, 1, &[0x11])),
        [0xb0, 2, 0, 1]
    );
    assert_eq!(
        written(&|out| encode::unsuback(out, V5, 1, &[0x11])),
        [0xb0, 4, 0, 1, 0, 0x11]
    );
    assert_eq!(written(&|out| encode::pingresp(out)), PINGRESP);
    assert_eq!(
        written(&|out| encode::disconnect(out, V311, Reason::ServerBusy)),
        [0_u8; 0]
    );
    assert_eq!(
        written(&|out| encode::disconnect(out, V5, Reason::ServerBusy)),
        [0xe0, 2, 0x89, 0]
    );
    for version in [V311, V5] {
        for (id, payload) in [
            (None, vec![]),
            (Some(1), vec![7; 200]),
            (Some(65_535), vec![0; 20_000]),
        ] {
            let bytes = written(&|out| encode::publish(out, version, TOPIC, id, &payload));
            assert_eq!(
                bytes,
                publish(version, TOPIC, id, &payload),
                "the client's encoding of the same"
            );
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_decoded_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(Some(length)) = frame_length(&bytes, 100) {
            prop_assert!(length <= 100);
        }
        for version in [V311, V5] {
            let _ = decode(&bytes, version);
        }
        let _ = decode_connect(&bytes);
    }

    #[test]
    fn publishes_come_back_as_they_went(
        topic in "[a-zA-Z0-9/_ é桶-]{1,300}", id in prop::option::of(1_u16..), payload in prop::collection::vec(any::<u8>(), 0..2000)
    ) {
        for version in [V311, V5] {
            let mut out = BytesMut::new();
            encode::publish(&mut out, version, &topic, id, &payload);
            prop_assert_eq!(frame_length(&out, 65_536), Ok(Some(out.len())));
            let back = Publish { topic: &topic, id, dup: false, payload: &payload };
            prop_assert_eq!(decode(&out, version), Ok(Packet::Publish(back)));
        }
    }
}
