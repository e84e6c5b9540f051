//! A session without a socket, to talk to.

use bytes::BytesMut;
use hemu_endpoint::Limits;
use hemu_endpoint::codec::Reason;
use hemu_endpoint::codec::Version;
use hemu_endpoint::greeting::greet;
use hemu_endpoint::session::{Ending, Session, Step};

use crate::packets::*;

pub(crate) const OWN: &str = "hemu/v1/bin-1/deposit";
pub(crate) const FOREIGN: &str = "hemu/v1/bin-2/deposit";
pub(crate) const COMMANDS: &str = "hemu/v1/bin-1/command";
pub(crate) const RECEIPTS: &str = "hemu/v1/bin-1/receipt";

pub(crate) struct Talk {
    pub(crate) session: Session,
    pub(crate) input: BytesMut,
}

impl Talk {
    pub(crate) fn new(version: Version, limits: &Limits) -> Self {
        Self::with_properties(version, limits, &[])
    }

    pub(crate) fn with_properties(version: Version, limits: &Limits, properties: &[u8]) -> Self {
        let connect = connect_with(version, "bin-1", KEY, 60, properties);
        let mut session = greet(&connect).unwrap().accept(limits).0;
        session.output().clear();
        Self {
            session,
            input: BytesMut::new(),
        }
    }

    pub(crate) fn say(&mut self, bytes: impl AsRef<[u8]>) -> Step {
        self.input.extend_from_slice(bytes.as_ref());
        self.step()
    }

    pub(crate) fn step(&mut self) -> Step {
        self.session.step(&mut self.input)
    }

    pub(crate) fn heard(&mut self) -> Vec<u8> {
        self.session.output().split().to_vec()
    }

    /// Says it, and tells how many publishes were handed over.
    pub(crate) fn deliver(&mut self, bytes: impl AsRef<[u8]>) -> usize {
        match self.say(bytes) {
            Step::Deliver(publishes) => publishes.len(),
            other => panic!("expected a delivery, came {other:?}"),
        }
    }

    pub(crate) fn broken_by(&mut self, bytes: impl AsRef<[u8]>) -> Reason {
        match self.say(bytes) {
            Step::Close(Ending::Broken(error)) => error.reason,
            other => panic!("expected a broken session, came {other:?}"),
        }
    }
}

pub(crate) fn small() -> Limits {
    Limits {
        receive_maximum: 4,
        chunk_publishes: 8,
        ..Limits::default()
    }
}

pub(crate) fn numbered(version: Version, ids: impl IntoIterator<Item = u16>) -> Vec<u8> {
    ids.into_iter()
        .flat_map(|id| publish(version, OWN, Some(id), b"{}"))
        .collect()
}

pub(crate) fn acks(ids: impl IntoIterator<Item = u16>) -> Vec<u8> {
    ids.into_iter().flat_map(puback).collect()
}
