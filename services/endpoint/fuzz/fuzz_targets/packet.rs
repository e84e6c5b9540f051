//! Feeds a connection's bytes, cut arbitrarily, through greeting and session, and checks what must always hold.
//!
//! The first byte chooses the version and whether the bytes start with a CONNECT of their own; the second how they are
//! cut; the third how soon chunks are stored. The rest is what the client sends.
#![no_main]

use bytes::{Bytes, BytesMut};
use hemu_endpoint::codec::frame_length;
use hemu_endpoint::greeting::greet;
use hemu_endpoint::session::{Session, Step};
use hemu_endpoint::{Limits, PendingCommand};
use libfuzzer_sys::fuzz_target;

const CONNECT_311: &[u8] = b"\x10\x14\0\x04MQTT\x04\xc2\0\x3c\0\x01d\0\x01d\0\x02ok";
const CONNECT_5: &[u8] = b"\x10\x15\0\x04MQTT\x05\xc2\0\x3c\0\0\x01d\0\x01d\0\x02ok";

fn limits() -> Limits {
    // Small, so that every bound is met.
    Limits {
        packet_bytes: 1024,
        connect_bytes: 512,
        receive_maximum: 8,
        unstored_bytes: 600,
        chunk_publishes: 5,
        chunk_bytes: 300,
        brief_bytes: 200,
        ..Limits::default()
    }
}

fuzz_target!(|bytes: &[u8]| {
    let [mode, cut, patience, stream @ ..] = bytes else { return };
    let mut input = BytesMut::new();
    let mut pieces = stream.chunks(usize::from(*cut).max(1));
    let connect = match mode & 3 {
        0 => CONNECT_311.to_vec(),
        1 => CONNECT_5.to_vec(),
        _ => loop {
            match frame_length(&input, 512) {
                Ok(Some(length)) if length <= input.len() => break input.split_to(length).to_vec(),
                Ok(_) => {}
                Err(_) => return,
            }
            let Some(piece) = pieces.next() else { return };
            input.extend_from_slice(piece);
        },
    };
    let caller = match greet(&connect) {
        Ok(caller) => caller,
        Err(refusal) => {
            assert!(refusal.connack().len() <= 5);
            return;
        }
    };
    let (mut session, silence) = caller.accept(&limits());
    assert!(silence.as_secs() > 0, "no connection may be silent for ever");
    drive(&mut session, input, pieces, usize::from(*patience % 4));
});

fn drive<'a>(session: &mut Session, mut input: BytesMut, mut pieces: impl Iterator<Item = &'a [u8]>, patience: usize) {
    let mut unstored = 0;
    loop {
        let step = session.step(&mut input);
        assert!(session.unacknowledged() <= 8, "the window holds");
        assert!(session.held_bytes() <= session.output().len() + input.len() + 600 + 1024 + 65_536);
        match step {
            Step::Deliver(publishes) => {
                assert!(!publishes.is_empty() && publishes.len() <= 5);
                unstored += 1;
                if unstored > patience {
                    session.stored();
                    unstored -= 1;
                }
            }
            Step::Wait => {
                assert!(unstored > 0, "a wait that nothing ends");
                session.stored();
                unstored -= 1;
            }
            Step::Commands => {
                let commands: Vec<_> =
                    (0..3).map(|id| PendingCommand { id, payload: Bytes::from_static(b"{}") }).collect();
                session.commands(&commands);
            }
            Step::CommandAcknowledged(_) => {}
            Step::Read => {
                session.receipt(b"{\"upto\":1}");
                session.output().clear();
                match pieces.next() {
                    Some(piece) => input.extend_from_slice(piece),
                    None => return,
                }
            }
            Step::Close(_) => {
                input.extend_from_slice(b"\xc0\0");
                assert!(matches!(session.step(&mut input), Step::Close(_)), "the end latches");
                return;
            }
        }
    }
}
