//! What a session sends: subscriptions, receipts, commands.

use bytes::BytesMut;
use hemu_endpoint::Limits;
use hemu_endpoint::codec::Reason;
use hemu_endpoint::codec::Version::{V5, V311};
use hemu_endpoint::greeting::greet;
use hemu_endpoint::session::{Ending, Step};

use crate::backend::command;
use crate::packets::*;
use crate::talk::*;

#[test]
fn only_the_two_own_down_topics_are_granted() {
    let filters = [
        (RECEIPTS, 1),
        (COMMANDS, 2),
        ("hemu/v1/bin-2/receipt", 0),
        ("hemu/v1/bin-1/#", 0),
        ("hemu/v1/bin-1/+", 0),
        ("hemu/v1/+/command", 0),
        ("#", 0),
        ("+/+", 0),
        ("$SYS/#", 0),
        ("$share/g/hemu/v1/bin-1/receipt", 0),
        ("hemu/v1/bin-1/deposit", 0),
        ("hemu/v1/bin-1/receipt/", 0),
    ];
    for (version, no) in [(V311, 0x80), (V5, 0x87)] {
        let mut talk = Talk::new(version, &Limits::default());
        assert_eq!(talk.say(subscribe(version, 5, &filters)), Step::Commands);
        let codes = [vec![0, 1], vec![no; 10]].concat();
        let properties = if version == V5 { vec![0] } else { vec![] };
        assert_eq!(
            talk.heard(),
            frame(0x90, &[vec![0, 5], properties, codes].concat())
        );
    }
}

#[test]
fn receipts_go_only_to_subscribers_that_take_their_size() {
    let mut talk = Talk::with_properties(V5, &Limits::default(), &[0x27, 0, 0, 0, 60]);
    for early in [b"{}", b"[]"] {
        assert!(!talk.session.receipt(early), "not subscribed");
    }
    assert_eq!(talk.say(subscribe(V5, 1, &[(RECEIPTS, 0)])), Step::Read);
    let newest = publish(V5, RECEIPTS, None, b"[]");
    assert_eq!(talk.heard(), [vec![0x90, 4, 0, 1, 0, 0], newest].concat());
    assert_eq!(talk.say(subscribe(V5, 1, &[(RECEIPTS, 0)])), Step::Read);
    assert_eq!(talk.heard(), [0x90, 4, 0, 1, 0, 0], "once");
    assert!(talk.session.receipt(b"{}"));
    assert_eq!(talk.heard(), publish(V5, RECEIPTS, None, b"{}"));
    assert!(
        !talk.session.receipt(&[b' '; 60]),
        "over the client's Maximum Packet Size"
    );
    assert_eq!(talk.heard(), [0_u8; 0]);
    assert_eq!(talk.session.take_counts().oversized, 1);
    assert_eq!(
        talk.say(unsubscribe(V5, 2, &[RECEIPTS, RECEIPTS, "#"])),
        Step::Read
    );
    assert_eq!(talk.heard(), [0xb0, 6, 0, 2, 0, 0, 0x11, 0x11]);
    assert!(!talk.session.receipt(b"{}"), "not subscribed any more");
}

#[test]
fn commands_are_sent_once_a_connection_and_acknowledged_by_number() {
    let mut talk = Talk::with_properties(V5, &Limits::default(), &[0x21, 0, 2]);
    assert_eq!(talk.say(subscribe(V5, 1, &[(COMMANDS, 1)])), Step::Commands);
    talk.heard();
    talk.session.commands(&[command(70), command(80), command(90)]);
    let sent = |id, number| publish(V5, COMMANDS, Some(id), format!("command {number}").as_bytes());
    assert_eq!(
        talk.heard(),
        [sent(1, 70), sent(2, 80)].concat(),
        "as many as the client's Receive Maximum"
    );
    talk.session.wake_commands();
    assert_eq!(talk.step(), Step::Commands);
    talk.session.commands(&[command(70), command(80), command(90)]);
    assert_eq!(talk.heard(), [0_u8; 0], "they are on their way");
    assert_eq!(talk.say(acks([2])), Step::CommandAcknowledged(80));
    assert_eq!(talk.step(), Step::Commands, "there is more than fitted");
    talk.session.commands(&[command(70), command(90)]);
    assert_eq!(talk.heard(), sent(3, 90));
    assert_eq!(talk.say(acks([1])), Step::CommandAcknowledged(70));
    assert_eq!(talk.step(), Step::Read, "all there is is on its way");
    assert_eq!(
        talk.broken_by(acks([1])),
        Reason::ProtocolError,
        "nothing of that number is on its way"
    );
}

#[test]
fn commands_of_a_qos_0_subscriber_are_sent_once_and_stay_pending() {
    let mut talk = Talk::new(V311, &Limits::default());
    assert_eq!(talk.say(subscribe(V311, 1, &[(COMMANDS, 0)])), Step::Commands);
    talk.heard();
    talk.session.commands(&[command(1)]);
    talk.session.commands(&[command(1), command(2)]);
    let sent = |number| publish(V311, COMMANDS, None, format!("command {number}").as_bytes());
    assert_eq!(talk.heard(), [sent(1), sent(2)].concat());
    for number in 3..200 {
        talk.session.commands(&[command(number)]);
    }
    assert_eq!(
        talk.heard(),
        (3..200).flat_map(sent).collect::<Vec<_>>(),
        "those that the backend has dropped take no room"
    );
}

#[test]
fn a_client_that_takes_no_answer_is_closed() {
    let connect = connect_with(V5, "bin-1", KEY, 60, &[0x27, 0, 0, 0, 1]);
    let (mut session, _) = greet(&connect).unwrap().accept(&Limits::default());
    assert!(
        session.output().is_empty(),
        "not even a CONNACK fits into one byte"
    );
    let step = session.step(&mut BytesMut::from(&PINGREQ[..]));
    assert!(matches!(step, Step::Close(Ending::Broken(error)) if error.reason == Reason::PacketTooLarge));
}
