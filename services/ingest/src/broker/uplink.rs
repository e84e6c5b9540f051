//! From messages to the committer, and the acknowledgement when they are stored: what the endpoint does for a
//! connection, for all devices of a broker. Must not acknowledge by itself.

use hemu_wire::DeviceId;
use tokio::sync::mpsc;

use super::Metrics;
use super::client::{Ack, Message};
use super::poll::Waiting;
use super::registered::Registered;
use crate::accept::{Accepted, accept};
use crate::commit::{Intake, Submission};

/// Messages submitted together at most.
const CHUNK: usize = 256;

/// The way up of one door.
#[derive(Debug)]
pub(super) struct Uplink {
    pub(super) registered: Registered,
    pub(super) intake: Intake,
    pub(super) ingest: crate::Metrics,
    pub(super) metrics: Metrics,
}

/// Messages that are acknowledged together.
#[derive(Default)]
struct Chunk {
    accepted: Accepted,
    acks: Vec<Ack>,
}

impl Uplink {
    /// Submits what comes, in order, for as long as it comes. `acks` is this connection's: when it has ended by the time
    /// a chunk is stored, the broker delivers those messages again.
    pub(super) async fn run(
        &mut self,
        mut inbox: mpsc::Receiver<Message>,
        acks: mpsc::Sender<Vec<Ack>>,
        waiting: &Waiting,
    ) {
        let mut messages = Vec::with_capacity(CHUNK);
        while inbox.recv_many(&mut messages, CHUNK).await > 0 {
            let Chunk { accepted, acks: owed } = self.chunk(&messages).await;
            let bytes = messages.iter().map(|message| message.payload.len()).sum();
            messages.clear();
            self.ingest.quarantined.inc_by(accepted.quarantined);
            self.ingest.unknown_fields.inc_by(accepted.unknown_fields);
            let (acks, stale) = (acks.clone(), self.metrics.stale.clone());
            let stored = Box::new(move || {
                let count = owed.len() as u64;
                // As many places as messages may be in flight: only an ended connection refuses.
                if count > 0 && acks.try_send(owed).is_err() {
                    stale.inc_by(count);
                }
            });
            self.intake
                .submit(Submission {
                    segments: accepted.segments,
                    brief: false,
                    stored,
                })
                .await;
            waiting.gone(bytes);
        }
    }

    async fn chunk(&mut self, messages: &[Message]) -> Chunk {
        let mut chunk = Chunk {
            acks: messages.iter().filter_map(|message| message.ack).collect(),
            ..Chunk::default()
        };
        // What a device sent in a row is one segment.
        for row in messages.chunk_by(|a, b| device(a).is_some() && device(a) == device(b)) {
            let Some(device) = device(&row[0]) else {
                self.metrics.foreign.inc_by(row.len() as u64);
                continue;
            };
            if !self.registered.has(&device).await {
                self.metrics.unregistered.inc_by(row.len() as u64);
                continue;
            }
            let payloads = row.iter().filter_map(|message| {
                let (_, up) = hemu_wire::parse_up(topic(message)?).ok()?;
                Some((up, &message.payload[..]))
            });
            chunk.accepted.join(accept(&device, payloads));
        }
        chunk
    }
}

fn topic(message: &Message) -> Option<&str> {
    std::str::from_utf8(&message.topic).ok()
}

/// The device whose up-topic this is.
fn device(message: &Message) -> Option<DeviceId> {
    hemu_wire::parse_up(topic(message)?)
        .ok()
        .map(|(device, _)| device)
}
