//! TCP cuts where it likes: the same bytes in other pieces are the same conversation.

use hemu_endpoint::codec::Reason;
use hemu_endpoint::codec::Version::{self, V5, V311};
use hemu_endpoint::session::{Ending, Step};
use hemu_endpoint::{Limits, Publish};
use proptest::prelude::*;

use crate::backend::command;
use crate::packets::*;
use crate::talk::*;

/// Everything a session does with some bytes, fed in the given pieces; chunks are stored at once.
fn run(version: Version, bytes: &[u8], cuts: &[usize]) -> (Vec<Publish>, Vec<u8>, Option<Reason>) {
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
                    delivered.extend(publishes);
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
