//! The first packet: who is refused without anybody being asked, and which silence is granted.

use hemu_endpoint::Limits;
use hemu_endpoint::codec::Reason;
use hemu_endpoint::codec::Version::{V5, V311};
use hemu_endpoint::greeting::greet;

use crate::packets::*;
use crate::talk::OWN;

#[test]
fn logins_are_refused_before_anybody_is_asked() {
    let status = "hemu/v1/bin-1/status";
    let named = |client: &str, user: &str| {
        frame(
            0x10,
            &[
                connect_head(V5, 0xc2, 60, &[]),
                field(client),
                field(user),
                field(KEY),
            ]
            .concat(),
        )
    };
    for (name, bytes, reason) in [
        (
            "empty client id",
            connect(V5, "", KEY),
            Reason::ClientIdentifierNotValid,
        ),
        (
            "client id with a slash",
            connect(V5, "a/b", KEY),
            Reason::ClientIdentifierNotValid,
        ),
        (
            "client id of 65 bytes",
            connect(V5, &"a".repeat(65), KEY),
            Reason::ClientIdentifierNotValid,
        ),
        (
            "user is not client",
            named("bin-1", "bin-2"),
            Reason::BadUserNameOrPassword,
        ),
        (
            "no credentials",
            frame(0x10, &[connect_head(V5, 2, 60, &[]), field("bin-1")].concat()),
            Reason::BadUserNameOrPassword,
        ),
        (
            "no password",
            frame(
                0x10,
                &[connect_head(V5, 0x82, 60, &[]), field("a"), field("a")].concat(),
            ),
            Reason::BadUserNameOrPassword,
        ),
        (
            "will of another",
            connect_with_will(V5, "bin-1", "hemu/v1/bin-2/status", 0),
            Reason::NotAuthorized,
        ),
        (
            "will on another topic",
            connect_with_will(V5, "bin-1", OWN, 0),
            Reason::NotAuthorized,
        ),
        (
            "retained will",
            connect_with_will(V5, "bin-1", status, 0x20),
            Reason::RetainNotSupported,
        ),
        (
            "QoS 2 will",
            connect_with_will(V5, "bin-1", status, 0x10),
            Reason::QosNotSupported,
        ),
    ] {
        let refusal = greet(&bytes).expect_err(name);
        assert_eq!(refusal.error.reason, reason, "{name}");
        assert_eq!(
            refusal.connack().as_ref(),
            [0x20, 3, 0, reason.code(), 0],
            "{name}"
        );
    }
    assert!(greet(&connect_with_will(V5, "bin-1", status, 0x08)).is_ok());
    assert_eq!(
        greet(&connect(V311, "", KEY))
            .expect_err("empty")
            .connack()
            .as_ref(),
        [0x20, 2, 0, 2]
    );
    let level_6 = frame(0x10, &[field("MQTT"), vec![6, 2, 0, 60], field("a")].concat());
    assert_eq!(
        greet(&level_6).expect_err("level 6").connack().as_ref(),
        [0x20, 2, 0, 1]
    );
    assert_eq!(
        format!("{:?}", greet(&connect(V5, "bin-1", b"secret")).unwrap().key),
        "Key(..)"
    );
}

#[test]
fn keep_alive_is_one_and_a_half_times_and_never_without_end() {
    let silence = |version, keep_alive| {
        let caller = greet(&connect_with(version, "bin-1", KEY, keep_alive, &[])).unwrap();
        let (mut session, silence) = caller.accept(&Limits::default());
        let connack = session.output().to_vec();
        let told = connack
            .windows(3)
            .find(|window| connack.len() > 20 && window[0] == 0x13);
        (
            silence.as_secs(),
            told.map(|window| u16::from_be_bytes([window[1], window[2]])),
        )
    };
    assert_eq!(silence(V311, 60), (90, None));
    assert_eq!(silence(V5, 60), (90, None));
    assert_eq!(silence(V5, 0), (450, Some(300)));
    assert_eq!(silence(V5, 65_535), (5400, Some(3600)));
    assert_eq!(silence(V311, 0), (5400, None));
    assert_eq!(silence(V311, 65_535), (98_302, None));
}
