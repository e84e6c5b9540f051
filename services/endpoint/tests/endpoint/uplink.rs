//! What a session does with publishes: window, order, latching, topic rules.

use hemu_endpoint::codec::Reason;
use hemu_endpoint::codec::Version::{V5, V311};
use hemu_endpoint::session::{Ending, Step};
use hemu_endpoint::{Limits, Up};

use crate::packets::*;
use crate::talk::*;

#[test]
fn all_whole_publishes_of_a_read_are_one_chunk_in_order() {
    let mut talk = Talk::new(V311, &Limits::default());
    let topics = ["deposit", "status", "incident"].map(|last| format!("hemu/v1/bin-1/{last}"));
    let bytes: Vec<u8> = topics
        .iter()
        .flat_map(|topic| publish(V311, topic, Some(7), topic.as_bytes()))
        .collect();
    let Step::Deliver(publishes) = talk.say([bytes, vec![0x30]].concat()) else {
        panic!("no delivery")
    };
    assert_eq!(
        publishes.iter().map(|publish| publish.up).collect::<Vec<_>>(),
        Up::ALL
    );
    assert!(
        publishes
            .iter()
            .zip(&topics)
            .all(|(publish, topic)| publish.payload == topic && publish.qos1)
    );
    assert_eq!(talk.step(), Step::Read, "half a packet waits for its rest");
    assert_eq!(talk.input.as_ref(), [0x30]);
}

#[test]
fn pubacks_wait_for_the_store_and_keep_the_order() {
    for version in [V311, V5] {
        let mut talk = Talk::new(version, &Limits::default());
        assert_eq!(talk.deliver(numbered(version, [3, 1])), 2);
        assert_eq!(talk.deliver(numbered(version, [2])), 1);
        assert_eq!(talk.step(), Step::Read);
        assert_eq!(talk.heard(), [0_u8; 0], "nothing is acknowledged unstored");
        assert_eq!(talk.session.unacknowledged(), 3);
        talk.session.stored();
        assert_eq!(talk.heard(), acks([3, 1]));
        talk.session.stored();
        assert_eq!(talk.heard(), acks([2]));
        assert_eq!((talk.session.unacknowledged(), talk.session.held_bytes()), (0, 0));
        talk.session.stored();
        assert_eq!(talk.heard(), [0_u8; 0], "no chunk, no acknowledgement");
    }
}

#[test]
fn a_chunk_is_brief_while_all_that_is_not_stored_is_little_and_never_behind_one_that_is_not() {
    let limits = Limits {
        brief_bytes: 100,
        ..Limits::default()
    };
    let mut talk = Talk::new(V311, &limits);
    let sized = |payload: usize| publish(V311, OWN, Some(1), &vec![b' '; payload]);
    let mut brief = |bytes: Vec<u8>| {
        talk.deliver(bytes);
        talk.session.is_brief()
    };
    assert!(brief(sized(10)) && brief(sized(10)), "two messages of a moment");
    assert!(!brief(sized(40)), "together they are more");
    assert!(!brief(sized(1)), "nothing overtakes its own");
    for _ in 0..3 {
        talk.session.stored();
    }
    // What is left is little, and still stands where much stood.
    talk.deliver(sized(1));
    assert!(!talk.session.is_brief());
    talk.session.stored();
    talk.session.stored();
    talk.deliver(sized(60));
    assert!(talk.session.is_brief());
}

#[test]
fn a_v5_client_over_the_receive_maximum_is_closed() {
    let mut talk = Talk::new(V5, &small());
    assert_eq!(talk.deliver(numbered(V5, 1..=5)), 4);
    assert_eq!(talk.broken_by([]), Reason::ReceiveMaximumExceeded);
    assert_eq!(talk.heard(), [0xe0, 2, 0x93, 0]);
}

#[test]
fn repeating_one_identifier_does_not_get_around_the_receive_maximum() {
    let mut talk = Talk::new(V5, &small());
    assert_eq!(talk.deliver(numbered(V5, [9, 9, 9, 9, 9])), 4);
    assert_eq!(talk.broken_by([]), Reason::ReceiveMaximumExceeded);
    let mut talk = Talk::new(V311, &small());
    assert_eq!(talk.deliver(numbered(V311, [9; 1000])), 4);
    assert_eq!(talk.step(), Step::Wait);
    talk.session.stored();
    assert_eq!(talk.heard(), acks([9; 4]), "every publish has its own PUBACK");
}

#[test]
fn a_v311_client_over_the_window_is_read_no_further_until_there_is_room() {
    let mut talk = Talk::new(V311, &small());
    assert_eq!(talk.deliver(numbered(V311, 1..=6)), 4);
    assert_eq!(talk.step(), Step::Wait);
    assert_eq!(talk.say(PINGREQ), Step::Wait, "nothing overtakes");
    talk.session.stored();
    assert_eq!(talk.deliver([]), 2);
    assert_eq!(talk.step(), Step::Read);
    talk.session.stored();
    assert_eq!(
        talk.heard(),
        [acks(1..=4), PINGRESP.to_vec(), acks(5..=6)].concat()
    );
}

#[test]
fn qos_0_floods_are_bounded_by_bytes() {
    let limits = Limits {
        unstored_bytes: 1000,
        ..Limits::default()
    };
    for version in [V311, V5] {
        let mut talk = Talk::new(version, &limits);
        let one = publish(version, OWN, None, &[0; 75]);
        let delivered = talk.deliver(one.repeat(50));
        assert!(delivered * one.len() < 1000 + one.len(), "{delivered} publishes");
        assert_eq!(talk.step(), Step::Wait);
        talk.session.stored();
        assert_eq!(talk.deliver([]), delivered);
        assert_eq!(talk.heard(), [0_u8; 0], "QoS 0 is not acknowledged");
    }
}

#[test]
fn chunks_are_bounded_in_number_and_bytes() {
    let mut talk = Talk::new(
        V5,
        &Limits {
            chunk_publishes: 3,
            ..Limits::default()
        },
    );
    assert_eq!(talk.deliver(numbered(V5, 1..=7)), 3);
    assert_eq!((talk.deliver([]), talk.deliver([])), (3, 1));
    assert_eq!(talk.step(), Step::Read);
    let mut talk = Talk::new(
        V5,
        &Limits {
            chunk_bytes: 100,
            ..Limits::default()
        },
    );
    assert_eq!(talk.deliver(publish(V5, OWN, Some(1), &[0; 80]).repeat(3)), 1);
}

#[test]
fn a_foreign_publish_is_refused_and_its_puback_keeps_its_place() {
    let mut talk = Talk::new(V5, &Limits::default());
    let foreign = publish(V5, FOREIGN, Some(2), b"{}");
    assert_eq!(
        talk.deliver([numbered(V5, [1]), foreign, numbered(V5, [3])].concat()),
        2
    );
    assert_eq!(talk.say(publish(V5, FOREIGN, Some(4), b"{}")), Step::Read);
    assert_eq!(talk.heard(), [0_u8; 0], "the refusal does not overtake");
    talk.session.stored();
    let refusal = |id: u8| vec![0x40, 3, 0, id, 0x87];
    assert_eq!(
        talk.heard(),
        [acks([1]), refusal(2), acks([3]), refusal(4)].concat()
    );
    assert_eq!(talk.say(publish(V5, FOREIGN, Some(5), b"{}")), Step::Read);
    assert_eq!(talk.heard(), refusal(5), "with nothing before it, at once");
    assert_eq!(
        talk.broken_by(publish(V5, FOREIGN, None, b"{}")),
        Reason::NotAuthorized
    );
    assert_eq!(talk.heard(), [0xe0, 2, 0x87, 0]);
}

#[test]
fn refused_publishes_count_in_the_window() {
    let mut talk = Talk::new(V5, &small());
    assert_eq!(talk.deliver(numbered(V5, [1])), 1);
    let foreign: Vec<u8> = (2..=5)
        .flat_map(|id| publish(V5, FOREIGN, Some(id), b"{}"))
        .collect();
    assert_eq!(talk.broken_by(foreign), Reason::ReceiveMaximumExceeded);
}

#[test]
fn a_foreign_publish_closes_a_v311_connection() {
    for id in [None, Some(1)] {
        let mut talk = Talk::new(V311, &Limits::default());
        assert_eq!(
            talk.broken_by(publish(V311, FOREIGN, id, b"{}")),
            Reason::NotAuthorized
        );
        assert_eq!(talk.heard(), [0_u8; 0]);
    }
}

#[test]
fn publishes_before_an_error_are_delivered_and_none_behind_it() {
    for version in [V311, V5] {
        let mut talk = Talk::new(version, &Limits::default());
        let bytes = [
            numbered(version, [1]),
            publish(version, OWN, Some(0), b""),
            numbered(version, [2]),
        ]
        .concat();
        assert_eq!(talk.deliver(bytes), 1);
        assert_eq!(talk.broken_by([]), Reason::ProtocolError);
        assert_eq!(
            talk.broken_by(numbered(version, [3])),
            Reason::ProtocolError,
            "the error latches"
        );
        assert!(talk.input.is_empty(), "and nothing is kept");
        talk.heard();
        talk.session.stored();
        assert_eq!(talk.heard(), [0_u8; 0], "nothing is said behind the last word");
    }
}

#[test]
fn an_error_behind_a_whole_packet_is_noticed_at_once() {
    for version in [V311, V5] {
        let mut talk = Talk::new(version, &Limits::default());
        assert_eq!(
            talk.broken_by([PINGREQ, [0x00, 0x00]].concat()),
            Reason::MalformedPacket
        );
    }
}

#[test]
fn nothing_behind_a_disconnect_is_looked_at() {
    for version in [V311, V5] {
        let mut talk = Talk::new(version, &Limits::default());
        let bytes = [
            publish(version, OWN, None, b"last"),
            DISCONNECT.to_vec(),
            numbered(version, [1]),
        ]
        .concat();
        assert_eq!(talk.deliver(bytes), 1);
        assert_eq!(talk.step(), Step::Close(Ending::Goodbye));
        assert_eq!(
            talk.say(connect(version, "bin-1", KEY)),
            Step::Close(Ending::Goodbye)
        );
        assert_eq!(talk.heard(), [0_u8; 0]);
    }
    let mut talk = Talk::new(V5, &Limits::default());
    assert_eq!(talk.say([0xe0, 1, 4]), Step::Close(Ending::GoodbyeWithWill));
    let mut talk = Talk::new(V5, &Limits::default());
    assert_eq!(
        talk.broken_by([0xe0, 7, 0, 5, 0x11, 0, 0, 0, 1]),
        Reason::ProtocolError,
        "no session to extend"
    );
}

#[test]
fn a_second_connect_breaks_the_session() {
    for version in [V311, V5] {
        let mut talk = Talk::new(version, &Limits::default());
        assert_eq!(
            talk.broken_by(connect(version, "bin-1", KEY)),
            Reason::ProtocolError
        );
    }
}
