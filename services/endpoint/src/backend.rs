//! The face towards the rest of Hemu: what the endpoint asks for, and what it hands over. Holds no logic; what is
//! stored, and who may log in, is decided behind [`Backend`].

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hemu_wire::{DeviceId, Up};
use tokio::sync::oneshot;

/// Commands handed over at once, and so those on their way to one device at most.
pub const COMMANDS_AT_ONCE: u32 = 64;

/// Whatever stands behind the endpoint. Every call may be dropped half-way when its connection ends.
pub trait Backend: Send + Sync + 'static {
    /// Checks the key of a device. `key` is the CONNECT's password, unchanged.
    fn login(&self, device: &DeviceId, key: &[u8]) -> impl Future<Output = Result<(), LoginError>> + Send;

    /// Takes publishes in the order they were sent, and waits while there is no room: that wait is what holds back a
    /// device. Returning promises nothing; [`Ticket::stored`] does, after the commit.
    fn uplink(&self, device: &DeviceId, chunk: Chunk) -> impl Future<Output = ()> + Send;

    /// Hears that a device came or went. [`Presence::Connected`] may repeat without an end between (take-over).
    fn presence(&self, device: &DeviceId, presence: Presence) -> impl Future<Output = ()> + Send;

    /// Commands the device has not acknowledged, oldest first, at most [`COMMANDS_AT_ONCE`]. Asked when it subscribes,
    /// after [`crate::Downlink::wake_commands`], and when it has acknowledged all it was sent.
    fn commands(&self, device: &DeviceId) -> impl Future<Output = Vec<PendingCommand>> + Send;

    /// The device has this command; it is not to be sent again.
    fn command_acknowledged(&self, device: &DeviceId, id: u64) -> impl Future<Output = ()> + Send;
}

/// Why a login fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// Unknown device, wrong or revoked key: trying again will not help.
    #[error("expected the key of a registered device, came another: check the key or rotate it")]
    Refused,
    /// The answer cannot be had now: trying again later may help.
    #[error("the key could not be checked now: try again later")]
    Unavailable,
}

/// Whether a device is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It has logged in.
    Connected,
    /// It said goodbye, or the endpoint closed for reasons of its own.
    Disconnected,
    /// It vanished, broke the protocol, or asked for its will: its state is "lost".
    Lost,
}

/// Publishes of one connection, in order, that are acknowledged together.
#[derive(Debug)]
pub struct Chunk {
    /// At least one.
    pub publishes: Vec<Publish>,
    /// Whether this and all that the connection has handed over before and that is not stored yet are little: it need not
    /// wait behind those who bring much, and what may go before others cannot go before its own.
    pub brief: bool,
    /// To be redeemed when every one of them is stored.
    pub ticket: Ticket,
}

/// A message of a device on one of its own topics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publish {
    /// Which topic.
    pub up: Up,
    /// The bytes as they came, not looked into; a slice of the receive buffer.
    pub payload: Bytes,
    /// `QoS` 1: the device waits for the acknowledgement and sends again without it.
    pub qos1: bool,
}

/// A command waiting for its device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingCommand {
    /// The backend's own number for it.
    pub id: u64,
    /// The bytes to publish.
    pub payload: Bytes,
}

/// The endpoint's promise to acknowledge. Dropped without [`Ticket::stored`], nothing is acknowledged and the
/// connection closes, so that the device sends again.
#[derive(Debug)]
#[must_use = "a dropped ticket closes the connection"]
pub struct Ticket(oneshot::Sender<()>);

impl Ticket {
    /// A ticket and the wait for its end.
    pub fn new() -> (Self, Stored) {
        let (sender, receiver) = oneshot::channel();
        (Self(sender), Stored(receiver))
    }

    /// The chunk is on disk: acknowledge it.
    pub fn stored(self) {
        // Nobody listens when the connection has ended: the device will send again, and the repeat is known.
        let _ = self.0.send(());
    }
}

/// The wait for a [`Ticket`]: true when it was redeemed, false when it was dropped.
#[derive(Debug)]
pub struct Stored(oneshot::Receiver<()>);

impl Stored {
    /// The answer, if there is one already.
    pub fn poll_now(&mut self) -> Option<bool> {
        match self.0.try_recv() {
            Ok(()) => Some(true),
            Err(oneshot::error::TryRecvError::Closed) => Some(false),
            Err(oneshot::error::TryRecvError::Empty) => None,
        }
    }
}

impl Future for Stored {
    type Output = bool;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<bool> {
        Pin::new(&mut self.0).poll(context).map(|answer| answer.is_ok())
    }
}
