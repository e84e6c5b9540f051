//! What the codec refuses, as tables: bytes, and the reason a v5 client is told.

use hemu_endpoint::codec::Version::{V5, V311};
use hemu_endpoint::codec::{MAX_FILTERS, Reason, Version, decode, decode_connect, frame_length};

use crate::packets::*;

const TOPIC: &str = "hemu/v1/bin-1/deposit";

fn check_refused(table: &[(&str, Version, Vec<u8>, Reason)]) {
    for (name, version, bytes, reason) in table {
        let error = match frame_length(bytes, 65_536) {
            Err(error) => error,
            Ok(Some(length)) => decode(&bytes[..length], *version).expect_err(name),
            Ok(None) => panic!("{name}: not even a header"),
        };
        assert_eq!(error.reason, *reason, "{name} {version:?}: {error}");
    }
}

fn check_connect_refused(table: &[(&str, Vec<u8>, Reason)]) {
    for (name, bytes, reason) in table {
        let error = match frame_length(bytes, 65_536) {
            Err(error) => error,
            Ok(_) => decode_connect(bytes).expect_err(name),
        };
        assert_eq!(error.reason, *reason, "{name}: {error}");
    }
}

#[test]
fn malformed_publishes_are_refused() {
    use Reason::*;
    let mut table = Vec::new();
    for version in [V311, V5] {
        let body = |qos: u8| publish(version, TOPIC, (qos > 0).then_some(1), b"{}")[2..].to_vec();
        let topic = |topic: &[u8]| frame(0x30, &[field(topic), properties(version, &[])].concat());
        table.extend([
            (
                "packet id 0",
                version,
                publish(version, TOPIC, Some(0), b"{}"),
                ProtocolError,
            ),
            ("DUP on QoS 0", version, frame(0x38, &body(0)), MalformedPacket),
            ("QoS 2", version, frame(0x34, &body(1)), QosNotSupported),
            ("QoS 3", version, frame(0x36, &body(1)), MalformedPacket),
            ("RETAIN", version, frame(0x31, &body(0)), RetainNotSupported),
            (
                "RETAIN, QoS 1",
                version,
                frame(0x33, &body(1)),
                RetainNotSupported,
            ),
            ("empty topic", version, topic(b""), TopicNameInvalid),
            (
                "plus in topic",
                version,
                topic(b"hemu/v1/+/deposit"),
                TopicNameInvalid,
            ),
            ("hash in topic", version, topic(b"hemu/#"), TopicNameInvalid),
            ("NUL in topic", version, topic(b"hemu/\0"), MalformedPacket),
            (
                "control character in topic",
                version,
                topic(b"hemu/\x07"),
                TopicNameInvalid,
            ),
            (
                "C1 control character in topic",
                version,
                topic("hemu/\u{85}".as_bytes()),
                TopicNameInvalid,
            ),
            ("not UTF-8", version, topic(b"\xff\xfe"), MalformedPacket),
            ("overlong UTF-8", version, topic(b"\xc0\xaf"), MalformedPacket),
            ("surrogate", version, topic(b"\xed\xa0\x80"), MalformedPacket),
            (
                "topic longer than the packet",
                version,
                frame(0x30, &[0, 9, b'a']),
                MalformedPacket,
            ),
            ("nothing at all", version, frame(0x30, &[]), MalformedPacket),
            (
                "no packet id",
                version,
                frame(0x32, &field(TOPIC)),
                MalformedPacket,
            ),
        ]);
    }
    check_refused(&table);
}

#[test]
fn publish_properties_that_are_not_offered_are_refused() {
    use Reason::*;
    check_refused(&[
        (
            "topic alias",
            V5,
            publish_with(V5, TOPIC, None, &[0x23, 0, 1], b""),
            TopicAliasInvalid,
        ),
        (
            "topic alias 0",
            V5,
            publish_with(V5, TOPIC, None, &[0x23, 0, 0], b""),
            TopicAliasInvalid,
        ),
        (
            "subscription identifier",
            V5,
            publish_with(V5, TOPIC, None, &[0x0b, 1], b""),
            ProtocolError,
        ),
        (
            "session expiry in a PUBLISH",
            V5,
            publish_with(V5, TOPIC, None, &[0x11, 0, 0, 0, 1], b""),
            ProtocolError,
        ),
        (
            "payload format 2",
            V5,
            publish_with(V5, TOPIC, None, &[0x01, 2], b""),
            ProtocolError,
        ),
        (
            "payload format twice",
            V5,
            publish_with(V5, TOPIC, None, &[0x01, 0, 0x01, 0], b""),
            ProtocolError,
        ),
        (
            "wildcard response topic",
            V5,
            publish_with(V5, TOPIC, None, &[0x08, 0, 1, b'#'], b""),
            TopicNameInvalid,
        ),
        (
            "property 0",
            V5,
            publish_with(V5, TOPIC, None, &[0, 0], b""),
            ProtocolError,
        ),
        (
            "property 200",
            V5,
            publish_with(V5, TOPIC, None, &[0xc8, 1, 0], b""),
            ProtocolError,
        ),
        (
            "property cut short",
            V5,
            publish_with(V5, TOPIC, None, &[0x02, 0, 0], b""),
            MalformedPacket,
        ),
        (
            "properties longer than the packet",
            V5,
            frame(0x30, &[field(TOPIC), vec![5]].concat()),
            MalformedPacket,
        ),
        (
            "padded property length",
            V5,
            frame(0x30, &[field(TOPIC), vec![0x80, 0]].concat()),
            MalformedPacket,
        ),
    ]);
}

#[test]
fn wrong_headers_are_refused_from_the_first_byte() {
    use Reason::*;
    for (name, first, reason) in [
        ("type 0", 0x00, MalformedPacket),
        ("CONNECT with flags", 0x1f, MalformedPacket),
        ("PUBACK with flags", 0x41, MalformedPacket),
        ("SUBSCRIBE without its flag", 0x80, MalformedPacket),
        ("SUBSCRIBE with another flag", 0x8a, MalformedPacket),
        ("UNSUBSCRIBE without its flag", 0xa0, MalformedPacket),
        ("PINGREQ with flags", 0xcf, MalformedPacket),
        ("DISCONNECT with flags", 0xe1, MalformedPacket),
        ("CONNACK", 0x20, ProtocolError),
        ("PUBREC", 0x50, ProtocolError),
        ("PUBREL", 0x62, ProtocolError),
        ("PUBCOMP", 0x70, ProtocolError),
        ("SUBACK", 0x90, ProtocolError),
        ("UNSUBACK", 0xb0, ProtocolError),
        ("PINGRESP", 0xd0, ProtocolError),
        ("AUTH", 0xf0, ProtocolError),
    ] {
        let error = frame_length(&[first], 65_536).expect_err(name);
        assert_eq!(error.reason, reason, "{name}");
        assert_eq!(
            decode(&[first, 0], V5).expect_err(name).reason,
            reason,
            "{name}, when it comes whole"
        );
    }
}

#[test]
fn the_length_is_judged_before_the_packet_comes() {
    let length = |bytes: &[u8]| frame_length(bytes, 1000).map_err(|error| error.reason);
    assert_eq!(length(&[]), Ok(None));
    assert_eq!(length(&[0x30]), Ok(None));
    assert_eq!(length(&[0x30, 0x80]), Ok(None), "the length goes on");
    assert_eq!(
        length(&[0x30, 0xe5, 0x07]),
        Ok(Some(1000)),
        "997 and 3 bytes of header"
    );
    assert_eq!(length(&[0x30, 0xe6, 0x07]), Err(Reason::PacketTooLarge));
    assert_eq!(
        length(&[0x30, 0xff, 0xff, 0xff, 0x7f]),
        Err(Reason::PacketTooLarge),
        "256 MiB"
    );
    assert_eq!(
        length(&[0x30, 0xff, 0xff, 0xff, 0xff]),
        Err(Reason::MalformedPacket),
        "a fifth length byte"
    );
    assert_eq!(
        length(&[0x30, 0xff, 0xff, 0xff, 0xff, 0x01]),
        Err(Reason::MalformedPacket)
    );
    assert_eq!(
        length(&[0x30, 0x85, 0x00]),
        Err(Reason::MalformedPacket),
        "a padded length"
    );
}

#[test]
fn malformed_connects_are_refused() {
    use Reason::*;
    let mut table = Vec::new();
    for version in [V311, V5] {
        let with = |flags: u8, rest: &[u8]| {
            frame(
                0x10,
                &[connect_head(version, flags, 60, &[]), rest.to_vec()].concat(),
            )
        };
        let credentials = [field("bin-1"), field("bin-1"), field(KEY)].concat();
        let will = |flags| connect_with_will(version, "bin-1", "hemu/v1/bin-1/status", flags);
        table.extend([
            ("reserved bit", with(0xc3, &credentials), MalformedPacket),
            ("will QoS without will", with(0xca, &credentials), MalformedPacket),
            (
                "will RETAIN without will",
                with(0xe2, &credentials),
                MalformedPacket,
            ),
            ("will QoS 3", will(0x18), MalformedPacket),
            (
                "will topic with a wildcard",
                connect_with_will(version, "bin-1", "hemu/#", 0),
                TopicNameInvalid,
            ),
            (
                "empty will topic",
                connect_with_will(version, "bin-1", "", 0),
                TopicNameInvalid,
            ),
            (
                "user name flag without user name",
                with(0x82, &field("bin-1")),
                MalformedPacket,
            ),
            (
                "password flag without password",
                with(0xc2, &[field("bin-1"), field("u")].concat()),
                MalformedPacket,
            ),
            (
                "user name without its flag",
                with(0x02, &credentials),
                MalformedPacket,
            ),
            (
                "trailing bytes",
                with(0xc2, &[credentials.clone(), vec![0]].concat()),
                MalformedPacket,
            ),
            ("cut short", with(0xc2, &credentials[..9]), MalformedPacket),
            (
                "client id not UTF-8",
                with(0x02, &field(b"\xff")),
                MalformedPacket,
            ),
            ("client id with NUL", with(0x02, &field("a\0b")), MalformedPacket),
            (
                "header flags",
                [vec![0x1f], with(0xc2, &credentials)[1..].to_vec()].concat(),
                MalformedPacket,
            ),
        ]);
    }
    check_connect_refused(&table);
}

#[test]
fn connects_of_other_protocols_and_with_wrong_properties_are_refused() {
    use Reason::*;
    let v5 = |props: &[u8]| connect_with(V5, "bin-1", KEY, 60, props);
    let named = |name: &str, level| frame(0x10, &[field(name), vec![level, 2, 0, 60], field("a")].concat());
    check_connect_refused(&[
        (
            "a password without a user name",
            frame(
                0x10,
                &[connect_head(V311, 0x42, 60, &[]), field("a"), field(KEY)].concat(),
            ),
            MalformedPacket,
        ),
        ("Receive Maximum 0", v5(&[0x21, 0, 0]), ProtocolError),
        ("Maximum Packet Size 0", v5(&[0x27, 0, 0, 0, 0]), ProtocolError),
        (
            "Receive Maximum twice",
            v5(&[0x21, 0, 1, 0x21, 0, 1]),
            ProtocolError,
        ),
        ("request problem information 2", v5(&[0x17, 2]), ProtocolError),
        ("request response information 2", v5(&[0x19, 2]), ProtocolError),
        ("a PUBLISH property", v5(&[0x23, 0, 1]), ProtocolError),
        ("authentication data alone", v5(&[0x16, 0, 1, 0]), ProtocolError),
        (
            "authentication method",
            v5(&[0x15, 0, 1, b'x']),
            BadAuthenticationMethod,
        ),
        (
            "user property cut short",
            v5(&[0x26, 0, 1, b'k', 0]),
            MalformedPacket,
        ),
        ("level 3", named("MQTT", 3), UnsupportedVersion),
        ("level 6", named("MQTT", 6), UnsupportedVersion),
        ("MQTT 3.1", named("MQIsdp", 3), UnsupportedVersion),
        ("another protocol", named("HTTP", 4), ProtocolError),
        (
            "another packet first",
            publish(V5, TOPIC, None, b""),
            ProtocolError,
        ),
        ("PINGREQ first", PINGREQ.to_vec(), ProtocolError),
    ]);
}

#[test]
fn malformed_subscriptions_are_refused() {
    use Reason::*;
    let mut table = Vec::new();
    for version in [V311, V5] {
        let many = vec![("a", 0_u8); MAX_FILTERS + 1];
        let sub = |filter: &str, options| subscribe(version, 1, &[(filter, options)]);
        let raw = |id: u8, rest: &[u8]| {
            frame(
                0x82,
                &[vec![0, id], properties(version, &[]), rest.to_vec()].concat(),
            )
        };
        table.extend([
            (
                "packet id 0",
                version,
                subscribe(version, 0, &[("a", 0)]),
                ProtocolError,
            ),
            ("no filter", version, subscribe(version, 1, &[]), ProtocolError),
            ("33 filters", version, subscribe(version, 1, &many), QuotaExceeded),
            ("empty filter", version, sub("", 0), TopicFilterInvalid),
            ("# not last", version, sub("a/#/b", 0), TopicFilterInvalid),
            ("# not alone", version, sub("a#", 0), TopicFilterInvalid),
            ("+ not alone", version, sub("a+/b", 0), TopicFilterInvalid),
            ("NUL", version, sub("a\0", 0), MalformedPacket),
            ("control character", version, sub("a\x1b", 0), TopicFilterInvalid),
            ("QoS 3", version, sub("a", 3), MalformedPacket),
            ("reserved option bits", version, sub("a", 0xc0), MalformedPacket),
            ("no options", version, raw(1, &field("a")), MalformedPacket),
            (
                "unsubscribe: packet id 0",
                version,
                unsubscribe(version, 0, &["a"]),
                ProtocolError,
            ),
            (
                "unsubscribe: no filter",
                version,
                unsubscribe(version, 1, &[]),
                ProtocolError,
            ),
            (
                "unsubscribe: 33 filters",
                version,
                unsubscribe(version, 1, &["a"; 33]),
                QuotaExceeded,
            ),
            (
                "unsubscribe: bad filter",
                version,
                unsubscribe(version, 1, &["a/#/b"]),
                TopicFilterInvalid,
            ),
        ]);
    }
    let with_property = |props: &[u8]| {
        frame(
            0x82,
            &[vec![0, 1], properties(V5, props), field("a"), vec![0]].concat(),
        )
    };
    table.extend([
        (
            "v5 options in 3.1.1",
            V311,
            subscribe(V311, 1, &[("a", 0x04)]),
            MalformedPacket,
        ),
        (
            "retain handling 3",
            V5,
            subscribe(V5, 1, &[("a", 0x30)]),
            ProtocolError,
        ),
        (
            "no local, shared",
            V5,
            subscribe(V5, 1, &[("$share/g/a", 0x04)]),
            ProtocolError,
        ),
        (
            "subscription identifier",
            V5,
            with_property(&[0x0b, 1]),
            SubscriptionIdentifiersNotSupported,
        ),
        (
            "subscription identifier 0",
            V5,
            with_property(&[0x0b, 0]),
            ProtocolError,
        ),
        ("reason string", V5, with_property(&[0x1f, 0, 0]), ProtocolError),
    ]);
    check_refused(&table);
}

#[test]
fn malformed_short_packets_are_refused() {
    use Reason::*;
    check_refused(&[
        ("PUBACK 0", V311, puback(0), ProtocolError),
        ("PUBACK 0", V5, puback(0), ProtocolError),
        ("PUBACK of one byte", V5, frame(0x40, &[0]), MalformedPacket),
        (
            "PUBACK with a v5 reason",
            V311,
            frame(0x40, &[0, 1, 0]),
            MalformedPacket,
        ),
        (
            "PUBACK with an unknown reason",
            V5,
            frame(0x40, &[0, 1, 0x42]),
            ProtocolError,
        ),
        (
            "PUBACK with trailing bytes",
            V5,
            frame(0x40, &[0, 1, 0, 0, 0]),
            MalformedPacket,
        ),
        (
            "PUBACK with two reason strings",
            V5,
            frame(0x40, &[0, 1, 0, 6, 0x1f, 0, 0, 0x1f, 0, 0]),
            ProtocolError,
        ),
        ("PINGREQ with a body", V311, frame(0xc0, &[0]), MalformedPacket),
        ("PINGREQ with a body", V5, frame(0xc0, &[0]), MalformedPacket),
        ("DISCONNECT with a body", V311, frame(0xe0, &[0]), MalformedPacket),
        (
            "DISCONNECT with a server's reason",
            V5,
            frame(0xe0, &[0x8b]),
            ProtocolError,
        ),
        (
            "DISCONNECT with a server reference",
            V5,
            frame(0xe0, &[0, 4, 0x1c, 0, 1, b'x']),
            ProtocolError,
        ),
        (
            "a second CONNECT",
            V311,
            connect(V311, "bin-1", KEY),
            ProtocolError,
        ),
        ("a second CONNECT", V5, connect(V5, "bin-1", KEY), ProtocolError),
    ]);
}
