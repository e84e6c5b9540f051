//! A queue of ready payloads on one connection: in order, each until it is acknowledged.
//! Must not: look inside a payload.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc::{self, error::TryRecvError};

use crate::mqtt::{Next, Traffic};
use crate::reading::Topic;

/// One publish under construction: an array of records of one topic.
#[derive(Debug, Clone)]
pub struct Payload {
    topic: Topic,
    count: u32,
    bytes: Vec<u8>,
}

impl Payload {
    /// An empty one.
    pub(crate) fn new(topic: Topic) -> Self {
        Self {
            topic,
            count: 0,
            bytes: Vec::with_capacity(1_024),
        }
    }

    /// Adds the record that `write` appends.
    pub(crate) fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.bytes.push(if self.count == 0 { b'[' } else { b',' });
        write(&mut self.bytes);
        self.count += 1;
    }

    /// Where it goes.
    pub fn topic(&self) -> Topic {
        self.topic
    }

    /// Records inside.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Bytes so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Nothing inside yet.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The finished JSON array.
    pub fn into_json(mut self) -> Vec<u8> {
        self.bytes.push(b']');
        self.bytes
    }
}

/// A payload on its way, kept until it is acknowledged.
#[derive(Debug, Clone)]
pub(super) struct Parcel {
    topic: Topic,
    count: u32,
    bytes: Bytes,
}

/// The [`Traffic`] of one device.
pub(super) struct Pump {
    queue: mpsc::Receiver<Payload>,
    waiting: VecDeque<Parcel>,
    closed: bool,
    done: Arc<AtomicU64>,
    pub(super) records: u64,
    pub(super) refused: u64,
    pub(super) publishes: u64,
}

impl Pump {
    pub(super) fn new(queue: mpsc::Receiver<Payload>, done: Arc<AtomicU64>) -> Self {
        Self {
            queue,
            waiting: VecDeque::new(),
            closed: false,
            done,
            records: 0,
            refused: 0,
            publishes: 0,
        }
    }

    fn take(&mut self, payload: Option<Payload>) {
        match payload {
            None => self.closed = true,
            Some(payload) => {
                let (topic, count) = (payload.topic, payload.count);
                self.waiting.push_back(Parcel {
                    topic,
                    count,
                    bytes: payload.into_json().into(),
                });
            }
        }
    }
}

impl Traffic for Pump {
    type Token = Parcel;

    fn next(&mut self, payload: &mut Vec<u8>) -> Next<Parcel> {
        if self.waiting.is_empty() {
            match self.queue.try_recv() {
                Ok(payload) => self.take(Some(payload)),
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => self.closed = true,
            }
        }
        match self.waiting.pop_front() {
            Some(parcel) => {
                payload.extend_from_slice(&parcel.bytes);
                Next::Publish(parcel.topic, parcel)
            }
            None if self.closed => Next::Done,
            None => Next::Wait,
        }
    }

    fn acked(&mut self, parcel: Parcel, reason: u8, _waited: Duration) {
        let count = u64::from(parcel.count);
        self.publishes += 1;
        if reason >= 0x80 {
            self.refused += count;
        } else {
            self.records += count;
        }
        self.done.fetch_add(count, Ordering::Relaxed);
    }

    fn dropped(&mut self, parcel: Parcel) {
        // Before what never went out. Order among the dropped does not matter: identity is the number.
        self.waiting.push_front(parcel);
    }

    async fn ready(&mut self) {
        let payload = self.queue.recv().await;
        self.take(payload);
    }
}
