//! What a logged-in device may say and is told: topic rules, the window of unacknowledged publishes, receipts and
//! commands. Sans-I/O: bytes come in, [`Step`]s and bytes go out; whoever drives it owns sockets, time and the store.
//!
//! An error or a DISCONNECT latches: nothing the client sent behind it is ever looked at.

use std::collections::VecDeque;

use bytes::{Buf, Bytes, BytesMut};
use hemu_wire::{DeviceId, Down, Up, down_topic, up_of};

use crate::backend::{COMMANDS_AT_ONCE, PendingCommand, Publish};
use crate::codec::{
    self, DecodeError, Disconnect, Packet, Puback, Qos, Reason, Subscribe, Unsubscribe, Version, encode,
};
use crate::greeting::Caller;
use crate::limits::Limits;

/// What the driver has to do before it asks again.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Read more bytes.
    Read,
    /// The window is full: read nothing until [`Session::stored`] has been called.
    Wait,
    /// Hand these over as one chunk; call [`Session::stored`] once they are stored, chunk by chunk in this order.
    Deliver(Vec<Publish>),
    /// Ask for the commands of the device, and pass them to [`Session::commands`].
    Commands,
    /// The device has the command of this number.
    CommandAcknowledged(u64),
    /// Write what is left of the output and close.
    Close(Ending),
}

/// How the client's side of a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It said goodbye.
    Goodbye,
    /// It said goodbye and asked for its will (v5 reason code 4).
    GoodbyeWithWill,
    /// It broke the protocol or a limit.
    Broken(DecodeError),
}

/// One logged-in connection.
#[derive(Debug)]
pub struct Session {
    device: DeviceId,
    version: Version,
    limits: Limits,
    /// Whole packets that were read and not looked at yet.
    block: Bytes,
    output: BytesMut,
    ending: Option<Ending>,
    uplink: Uplink,
    downlink: Downlink,
    counts: Counts,
    client_packet_bytes: usize,
    client_receive_maximum: usize,
    bound_to_connection: bool,
}

/// What a session has seen since [`Session::take_counts`].
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Packets of every kind.
    pub packets: u64,
    /// Publishes that were handed over.
    pub publishes: u64,
    /// Publishes and filters of other devices' topics.
    pub foreign: u64,
    /// Down messages dropped because the client takes only smaller packets.
    pub oversized: u64,
}

#[derive(Debug, Default)]
struct Uplink {
    filling: Vec<Publish>,
    filled: Batch,
    outstanding: VecDeque<Batch>,
    /// `QoS` 1 publishes without PUBACK, repeats of one identifier counted each.
    unacknowledged: usize,
    unstored_bytes: usize,
}

/// The acknowledgements that one chunk releases.
#[derive(Debug, Default)]
struct Batch {
    acks: Vec<(u16, Reason)>,
    bytes: usize,
    brief: bool,
}

#[derive(Debug, Default)]
struct Downlink {
    receipts: bool,
    /// The newest receipt that came while they were not subscribed.
    early: Vec<u8>,
    commands: Option<Qos>,
    /// Commands sent on this connection: packet identifier (none when nothing will come back) and number.
    in_flight: Vec<(Option<u16>, u64)>,
    last_id: u16,
    wanted: bool,
    /// The client's window kept some back.
    held_back: bool,
    acknowledged: VecDeque<u64>,
}

/// What became of one packet.
enum Taken {
    Yes,
    /// The window is full; the packet stays where it is.
    NoRoom,
    End(Ending),
}

impl Session {
    pub(crate) fn new(caller: Caller, limits: Limits, offer: &encode::Offer) -> Self {
        let mut session = Self {
            device: caller.device,
            version: caller.version,
            limits,
            block: Bytes::new(),
            output: BytesMut::new(),
            ending: None,
            uplink: Uplink::default(),
            downlink: Downlink::default(),
            counts: Counts::default(),
            client_packet_bytes: usize::try_from(caller.maximum_packet_size).unwrap_or(usize::MAX),
            client_receive_maximum: usize::from(caller.receive_maximum),
            bound_to_connection: caller.session_expiry_interval == 0,
        };
        session.answer(|out, version| encode::connack_accepted(out, version, offer));
        session
    }

    /// Who this is.
    pub const fn device(&self) -> &DeviceId {
        &self.device
    }

    /// Bytes to be written, oldest first; whoever writes them takes them off the front.
    pub const fn output(&mut self) -> &mut BytesMut {
        &mut self.output
    }

    /// `QoS` 1 publishes without their PUBACK.
    pub const fn unacknowledged(&self) -> usize {
        self.uplink.unacknowledged
    }

    /// Bytes this session holds or makes others hold: unread blocks, output, and what is not stored yet.
    pub fn held_bytes(&self) -> usize {
        self.block.len() + self.output.len() + self.uplink.unstored_bytes + self.uplink.filled.bytes
    }

    /// Whether the chunk handed over last is brief, as [`crate::Chunk`] has it.
    pub fn is_brief(&self) -> bool {
        self.uplink.outstanding.back().is_some_and(|batch| batch.brief)
    }

    /// What was seen since the last call.
    pub fn take_counts(&mut self) -> Counts {
        std::mem::take(&mut self.counts)
    }

    /// Looks at the packets in `input`, as far as it can go, and says what to do next.
    pub fn step(&mut self, input: &mut BytesMut) -> Step {
        loop {
            if let Some(id) = self.downlink.acknowledged.pop_front() {
                return Step::CommandAcknowledged(id);
            }
            if let Some(ending) = self.ending {
                input.clear();
                return Step::Close(ending);
            }
            if self.block.is_empty()
                && let Err(error) = self.gather(input)
            {
                self.end(Ending::Broken(error));
            }
            let room = self.take_block();
            if !self.uplink.filling.is_empty() {
                return Step::Deliver(self.close_chunk());
            }
            self.settle_refusals();
            if self.ending.is_some() || !self.downlink.acknowledged.is_empty() {
                continue;
            }
            if std::mem::take(&mut self.downlink.wanted) {
                return Step::Commands;
            }
            if !room {
                return Step::Wait;
            }
            // Bytes that can never become a packet are not left lying until more come.
            if codec::frame_length(input, self.limits.packet_bytes).is_ok() {
                return Step::Read;
            }
        }
    }

    /// The oldest chunk that was handed over is stored: acknowledges its publishes.
    pub fn stored(&mut self) {
        let Some(batch) = self.uplink.outstanding.pop_front() else {
            return;
        };
        self.uplink.unstored_bytes -= batch.bytes;
        self.acknowledge(&batch);
    }

    /// Publishes a receipt, if the device subscribed to them and takes packets that large. One that comes before is
    /// published when it subscribes: who greets a device does not wait for its SUBSCRIBE, which may take its time.
    pub fn receipt(&mut self, payload: &[u8]) -> bool {
        if self.ending.is_some() {
            return false;
        }
        if !self.downlink.receipts {
            self.downlink.early.clear();
            self.downlink.early.extend_from_slice(payload);
            return false;
        }
        let topic = down_topic(&self.device, Down::Receipt);
        self.publish_down(&topic, None, payload)
    }

    /// Commands may have come for the device: the next step asks for them.
    pub const fn wake_commands(&mut self) {
        self.downlink.wanted = self.downlink.commands.is_some();
    }

    /// Publishes commands, oldest first: those not on their way yet, as far as the client's window goes.
    pub fn commands(&mut self, pending: &[PendingCommand]) {
        let Some(qos) = self.downlink.commands else { return };
        let window = self.command_window();
        let topic = down_topic(&self.device, Down::Command);
        self.downlink.held_back = false;
        // No acknowledgement will ever take these away; they are forgotten when the backend has.
        let still_pending = |number| pending.iter().any(|command| command.id == number);
        self.downlink
            .in_flight
            .retain(|&(id, number)| id.is_some() || still_pending(number));
        for command in pending {
            if self.downlink.in_flight.iter().any(|&(_, id)| id == command.id) {
                continue;
            }
            if self.ending.is_some() || self.downlink.in_flight.len() >= window {
                self.downlink.held_back = true;
                return;
            }
            let id = (qos == Qos::AtLeastOnce).then(|| self.downlink.free_id());
            let sent = self.publish_down(&topic, id, &command.payload);
            // One that cannot be sent is noted as well: asking again would not make it smaller.
            self.downlink.in_flight.push((id.filter(|_| sent), command.id));
        }
    }

    fn command_window(&self) -> usize {
        self.client_receive_maximum.min(COMMANDS_AT_ONCE as usize)
    }

    /// Ends the session from our side, and says why where the protocol can.
    pub fn close(&mut self, reason: Reason, what: &'static str) {
        self.end(Ending::Broken(DecodeError::new(reason, what)));
    }

    /// Takes every whole packet off `input`. An error behind whole packets is met again when they are done.
    fn gather(&mut self, input: &mut BytesMut) -> Result<(), DecodeError> {
        let mut whole = 0;
        while let Some(rest) = input.get(whole..) {
            match codec::frame_length(rest, self.limits.packet_bytes) {
                Ok(Some(length)) if length <= rest.len() => whole += length,
                Err(error) if whole == 0 => return Err(error),
                Ok(_) | Err(_) => break,
            }
        }
        self.block = input.split_to(whole).freeze();
        Ok(())
    }

    /// Works off the block until it is empty, a chunk is full, or the window is. False when the window is.
    fn take_block(&mut self) -> bool {
        let mut block = std::mem::take(&mut self.block);
        let mut room = true;
        while self.ending.is_none() && !self.chunk_full() {
            let Ok(Some(length)) = codec::frame_length(&block, self.limits.packet_bytes) else {
                break;
            };
            let Some(frame) = block.get(..length) else { break };
            let taken =
                codec::decode(frame, self.version).and_then(|packet| self.take(&packet, &block, length));
            match taken {
                Ok(Taken::Yes) => {}
                Ok(Taken::NoRoom) => {
                    room = false;
                    break;
                }
                Ok(Taken::End(ending)) => self.end(ending),
                Err(error) => self.end(Ending::Broken(error)),
            }
            self.counts.packets += 1;
            block.advance(length);
        }
        // What stands behind the end of a session is dropped unseen.
        self.block = if self.ending.is_none() && !block.is_empty() {
            block
        } else {
            // The end of a block would keep the whole of it.
            Bytes::new()
        };
        room
    }

    fn take(&mut self, packet: &Packet<'_>, block: &Bytes, length: usize) -> Result<Taken, DecodeError> {
        match packet {
            Packet::Publish(publish) => return self.take_publish(publish, block, length),
            Packet::Puback(puback) => self.take_puback(*puback)?,
            Packet::Subscribe(subscribe) => self.take_subscribe(subscribe),
            Packet::Unsubscribe(unsubscribe) => self.take_unsubscribe(unsubscribe),
            Packet::Pingreq => self.answer(|out, _| encode::pingresp(out)),
            Packet::Disconnect(goodbye) => return self.take_disconnect(*goodbye).map(Taken::End),
        }
        Ok(Taken::Yes)
    }

    fn take_publish(
        &mut self,
        publish: &codec::Publish<'_>,
        block: &Bytes,
        length: usize,
    ) -> Result<Taken, DecodeError> {
        if publish.id.is_some() && self.uplink.unacknowledged >= usize::from(self.limits.receive_maximum) {
            return match self.version {
                // A 3.1.1 client was never told the limit: it waits.
                Version::V311 => Ok(Taken::NoRoom),
                Version::V5 => Err(DecodeError::new(
                    Reason::ReceiveMaximumExceeded,
                    "more publishes than Receive Maximum",
                )),
            };
        }
        if self.uplink.unstored_bytes + self.uplink.filled.bytes >= self.limits.unstored_bytes {
            return Ok(Taken::NoRoom);
        }
        let up = up_of(publish.topic, &self.device);
        let reason = if up.is_some() {
            Reason::Success
        } else {
            self.foreign_publish(publish)?
        };
        if let Some(id) = publish.id {
            self.uplink.filled.acks.push((id, reason));
            self.uplink.unacknowledged += 1;
        }
        if let Some(up) = up {
            self.hand_over(up, publish, block, length);
        }
        Ok(Taken::Yes)
    }

    fn hand_over(&mut self, up: Up, publish: &codec::Publish<'_>, block: &Bytes, length: usize) {
        self.counts.publishes += 1;
        self.uplink.filled.bytes += length;
        self.uplink.filling.push(Publish {
            up,
            payload: block.slice_ref(publish.payload),
            qos1: publish.id.is_some(),
        });
    }

    /// A topic of somebody else: refused in the PUBACK where there is one that can say so.
    fn foreign_publish(&mut self, publish: &codec::Publish<'_>) -> Result<Reason, DecodeError> {
        self.counts.foreign += 1;
        if self.version == Version::V5 && publish.id.is_some() {
            return Ok(Reason::NotAuthorized);
        }
        Err(DecodeError::new(
            Reason::NotAuthorized,
            "expected one of the device's own up-topics",
        ))
    }

    fn take_puback(&mut self, puback: Puback) -> Result<(), DecodeError> {
        let in_flight = &mut self.downlink.in_flight;
        let Some(position) = in_flight.iter().position(|&(id, _)| id == Some(puback.id)) else {
            return Err(DecodeError::protocol("a PUBACK for nothing that was sent"));
        };
        let (_, command) = in_flight.remove(position);
        self.downlink.acknowledged.push_back(command);
        // With the window empty there may be room for more than was asked for last time; with half of it, for what was
        // held back.
        let half = in_flight.len() <= self.command_window() / 2;
        let empty = self.downlink.in_flight.iter().all(|(id, _)| id.is_none());
        if empty || (half && self.downlink.held_back) {
            self.wake_commands();
        }
        Ok(())
    }

    fn take_subscribe(&mut self, subscribe: &Subscribe<'_>) {
        let mut codes = Vec::with_capacity(subscribe.subscriptions.len());
        for subscription in &subscribe.subscriptions {
            codes.push(match own_down(subscription.filter, &self.device) {
                Some(Down::Receipt) => {
                    self.downlink.receipts = true;
                    Qos::AtMostOnce as u8
                }
                Some(Down::Command) => {
                    self.downlink.commands = Some(subscription.maximum_qos);
                    self.downlink.wanted = true;
                    subscription.maximum_qos as u8
                }
                None => {
                    self.counts.foreign += 1;
                    if self.version == Version::V5 {
                        Reason::NotAuthorized.code()
                    } else {
                        0x80
                    }
                }
            });
        }
        self.answer(|out, version| encode::suback(out, version, subscribe.id, &codes));
        if self.downlink.receipts && !self.downlink.early.is_empty() {
            let early = std::mem::take(&mut self.downlink.early);
            self.receipt(&early);
        }
    }

    fn take_unsubscribe(&mut self, unsubscribe: &Unsubscribe<'_>) {
        let mut codes = Vec::with_capacity(unsubscribe.filters.len());
        for filter in &unsubscribe.filters {
            let was_there = match own_down(filter, &self.device) {
                Some(Down::Receipt) => std::mem::take(&mut self.downlink.receipts),
                Some(Down::Command) => self.downlink.commands.take().is_some(),
                None => false,
            };
            codes.push(
                if was_there {
                    Reason::Success
                } else {
                    Reason::NoSubscriptionExisted
                }
                .code(),
            );
        }
        self.answer(|out, version| encode::unsuback(out, version, unsubscribe.id, &codes));
    }

    fn take_disconnect(&self, goodbye: Disconnect) -> Result<Ending, DecodeError> {
        if self.bound_to_connection && goodbye.session_expiry_interval.is_some_and(|seconds| seconds > 0) {
            return Err(DecodeError::protocol(
                "a session expiry that the CONNECT did not ask for",
            ));
        }
        Ok(if goodbye.reason == Disconnect::WITH_WILL {
            Ending::GoodbyeWithWill
        } else {
            Ending::Goodbye
        })
    }

    const fn chunk_full(&self) -> bool {
        self.uplink.filling.len() >= self.limits.chunk_publishes
            || self.uplink.filled.bytes >= self.limits.chunk_bytes
    }

    fn close_chunk(&mut self) -> Vec<Publish> {
        let mut batch = std::mem::take(&mut self.uplink.filled);
        self.uplink.unstored_bytes += batch.bytes;
        batch.brief = self.uplink.unstored_bytes <= self.limits.brief_bytes
            && self.uplink.outstanding.back().is_none_or(|before| before.brief);
        self.uplink.outstanding.push_back(batch);
        std::mem::take(&mut self.uplink.filling)
    }

    /// Refused publishes with no accepted one beside them: their PUBACKs still may not overtake earlier ones.
    fn settle_refusals(&mut self) {
        let batch = std::mem::take(&mut self.uplink.filled);
        match self.uplink.outstanding.back_mut() {
            Some(last) => last.acks.extend(batch.acks),
            None => self.acknowledge(&batch),
        }
    }

    fn acknowledge(&mut self, batch: &Batch) {
        self.uplink.unacknowledged -= batch.acks.len();
        for &(id, reason) in &batch.acks {
            self.answer(|out, version| encode::puback(out, version, id, reason));
        }
    }

    fn publish_down(&mut self, topic: &str, id: Option<u16>, payload: &[u8]) -> bool {
        let start = self.output.len();
        encode::publish(&mut self.output, self.version, topic, id, payload);
        let fits = self.output.len() - start <= self.client_packet_bytes;
        if !fits {
            self.output.truncate(start);
            self.counts.oversized += 1;
        }
        fits
    }

    /// Writes an answer. A client that takes no packet of its size cannot be served at all.
    fn answer(&mut self, write: impl FnOnce(&mut BytesMut, Version)) {
        if self.ending.is_some() {
            return;
        }
        let start = self.output.len();
        write(&mut self.output, self.version);
        if self.output.len() - start > self.client_packet_bytes {
            self.output.truncate(start);
            let what = "a client that takes no packet as large as its answer";
            self.ending = Some(Ending::Broken(DecodeError::new(Reason::PacketTooLarge, what)));
        }
    }

    fn end(&mut self, ending: Ending) {
        if self.ending.is_some() {
            return;
        }
        if let Ending::Broken(error) = ending {
            self.answer(|out, version| encode::disconnect(out, version, error.reason));
        }
        self.ending = self.ending.or(Some(ending));
    }
}

impl Downlink {
    /// The next packet identifier that no command on its way has. There are far fewer of those than identifiers.
    fn free_id(&mut self) -> u16 {
        loop {
            self.last_id = self.last_id.checked_add(1).unwrap_or(1);
            if self.in_flight.iter().all(|&(id, _)| id != Some(self.last_id)) {
                return self.last_id;
            }
        }
    }
}

fn own_down(filter: &str, device: &DeviceId) -> Option<Down> {
    Down::ALL
        .into_iter()
        .find(|&down| down_topic(device, down) == filter)
}
