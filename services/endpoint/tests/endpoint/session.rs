//! The session without a socket: window, order, latching, topic rules, commands.

use bytes::{Bytes, BytesMut};
use hemu_endpoint::codec::Reason;
use hemu_endpoint::codec::Version::{self, V5, V311};
use hemu_endpoint::greeting::greet;
use hemu_endpoint::session::{Ending, Session, Step};
use hemu_endpoint::{Limits, PendingCommand, Up};
use proptest::prelude::*;

use crate::packets::*;

const OWN: &str = "hemu/v1/bin-1/deposit";
const FOREIGN: &str = "hemu/v1/bin-2/deposit";
const COMMANDS: &str = "hemu/v1/bin-1/command";
const RECEIPTS: &str = "hemu/v1/bin-1/receipt";

struct Talk {
    session: Session,
    input: BytesMut,
}

impl Talk {
    fn new(version: Version, limits: &Limits) -> Self {
        Self::with_properties(version, limits, &[])
    }

    fn with_properties(version: Version, limits: &Limits, properties: &[u8]) -> Self {
        let connect = connect_with(version, "bin-1", KEY, 60, properties);
        let mut session = greet(&connect).unwrap().accept(limits).0;
        session.output().clear();
        Self {
            session,
            input: BytesMut::new(),
        }
    }

    fn say(&mut self, bytes: impl AsRef<[u8]>) -> Step {
        self.input.extend_from_slice(bytes.as_ref());
        self.step()
    }

    fn step(&mut self) -> Step {
        self.session.step(&mut self.input)
    }

    fn heard(&mut self) -> Vec<u8> {
        self.session.output().split().to_vec()
    }

    /// Says it, and tells how many publishes were handed over.
    fn deliver(&mut self, bytes: impl AsRef<[u8]>) -> usize {
        match self.say(bytes) {
            Step::Deliver(publishes) => publishes.len(),
            other => panic!("expected a delivery, came {other:?}"),
        }
    }

    fn broken_by(&mut self, bytes: impl AsRef<[u8]>) -> Reason {
        match self.say(bytes) {
            Step::Close(Ending::Broken(error)) => error.reason,
            other => panic!("expected a broken session, came {other:?}"),
        }
    }
}

fn small() -> Limits {
    Limits {
        receive_maximum: 4,
        chunk_publishes: 8,
        ..Limits::default()
    }
}

fn numbered(version: Version, ids: impl IntoIterator<Item = u16>) -> Vec<u8> {
    ids.into_iter()
        .flat_map(|id| publish(version, OWN, Some(id), b"{}"))
        .collect()
}

fn acks(ids: impl IntoIterator<Item = u16>) -> Vec<u8> {
    ids.into_iter().flat_map(puback).collect()
}

fn command(id: u64) -> PendingCommand {
    PendingCommand {
        id,
        payload: Bytes::from(format!("command {id}")),
    }
}

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
fn a_v5_client_over_the_receive_maximum_is_closed() {
    let mut talk = Talk::new(V5, &small());
    assert_eq!(talk.deliver(numbered(V5, 1..=5)), 4);
    assert_eq!(
        talk.step(),
        Step::Close(talk_error(Reason::ReceiveMaximumExceeded, &mut talk))
    );
    assert_eq!(talk.heard(), [0xe0, 1, 0x93]);
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
    assert_eq!(talk.heard(), [0xe0, 1, 0x87]);
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
    assert!(!talk.session.receipt(b"{}"), "not subscribed");
    assert_eq!(talk.say(subscribe(V5, 1, &[(RECEIPTS, 0)])), Step::Read);
    talk.heard();
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
    assert_eq!(talk.step(), Step::Read);
    assert_eq!(talk.say(acks([1])), Step::CommandAcknowledged(70));
    assert_eq!(talk.step(), Step::Commands, "there may be more than fitted");
    talk.session.commands(&[command(90)]);
    assert_eq!(talk.heard(), sent(3, 90));
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

/// Everything a session does with some bytes, fed in the given pieces; chunks are stored at once.
fn run(version: Version, bytes: &[u8], cuts: &[usize]) -> (Vec<(Up, Bytes, bool)>, Vec<u8>, Option<Reason>) {
    let mut talk = Talk::new(version, &Limits::default());
    let (mut delivered, mut ending, mut rest) = (Vec::new(), None, bytes);
    let mut cuts = cuts.iter().copied();
    while !rest.is_empty() && ending.is_none() {
        let (piece, tail) = rest.split_at(cuts.next().unwrap_or(usize::MAX).clamp(1, rest.len()));
        rest = tail;
        talk.input.extend_from_slice(piece);
        loop {
            assert!(
                talk.session.held_bytes() <= bytes.len() + 70 * bytes.len(),
                "memory stays in proportion"
            );
            match talk.step() {
                Step::Read => break,
                Step::Wait => panic!("everything is stored at once"),
                Step::Deliver(publishes) => {
                    delivered.extend(
                        publishes
                            .into_iter()
                            .map(|publish| (publish.up, publish.payload, publish.qos1)),
                    );
                    talk.session.stored();
                }
                Step::Commands => talk.session.commands(&[command(1), command(2)]),
                Step::CommandAcknowledged(_) => {}
                Step::Close(Ending::Broken(error)) => {
                    ending = Some(error.reason);
                    break;
                }
                Step::Close(_) => {
                    ending = Some(Reason::Success);
                    break;
                }
            }
        }
    }
    (delivered, talk.heard(), ending)
}

fn sorted(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.sort_unstable();
    bytes
}

fn packet(version: Version) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => (any::<bool>(), prop::option::of(1_u16..5), prop::collection::vec(any::<u8>(), 0..40))
            .prop_map(move |(own, id, payload)| publish(version, if own { OWN } else { FOREIGN }, id, &payload)),
        1 => Just(PINGREQ.to_vec()),
        1 => Just(subscribe(version, 9, &[(RECEIPTS, 0), ("#", 0)])),
        1 => Just(unsubscribe(version, 9, &[RECEIPTS])),
        1 => (1_u16..4).prop_map(puback),
        1 => Just(DISCONNECT.to_vec()),
        1 => prop::collection::vec(any::<u8>(), 1..20),
    ]
}

proptest! {
    #[test]
    fn how_the_bytes_are_cut_changes_nothing(
        five in any::<bool>(),
        (old, new) in (prop::collection::vec(packet(V311), 0..20), prop::collection::vec(packet(V5), 0..20)),
        cuts in prop::collection::vec(1_usize..60, 0..40),
    ) {
        let (version, bytes) = if five { (V5, new.concat()) } else { (V311, old.concat()) };
        let (publishes, answers, ending) = run(version, &bytes, &[]);
        for cuts in [cuts, vec![1; bytes.len()]] {
            let (again, said, end) = run(version, &bytes, &cuts);
            prop_assert_eq!((&again, end), (&publishes, ending));
            if ending.is_none() {
                prop_assert_eq!(sorted(said), sorted(answers.clone()), "answers differ at most in their order");
            }
        }
    }
}
