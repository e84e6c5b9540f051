//! A raw `QoS` 1 client that pipelines: pre-encoded packets, one write for many of them, PUBACKs in bulk.
//!
//! It exists so that the generator is never the bottleneck. Must not: keep or interpret readings; what to
//! send and what became of it is the [`Traffic`]'s business.

pub mod codec;
#[cfg(test)]
pub(crate) mod fake;
mod link;

use std::time::Duration;

pub use codec::{Incoming, MAX_PACKET, ProtocolError, Version, parse};
pub use link::{Link, Options};

use crate::draw::Dice;
use crate::reading::Topic;
use tokio_util::sync::CancellationToken;

/// What a traffic source wants next.
#[derive(Debug)]
pub enum Next<T> {
    /// The payload is in the buffer.
    Publish(Topic, T),
    /// Nothing now; ask again after [`Traffic::ready`] or an acknowledgement.
    Wait,
    /// Drop the connection as if the cable were pulled, then start a new one.
    Hangup,
    /// Nothing more, ever.
    Done,
}

/// A source of publishes for one connection, told what became of each.
pub trait Traffic: Send {
    /// Travels with a publish and comes back with its fate.
    type Token: Send;

    /// Resolves when a connection may be attempted.
    fn before_connecting(&mut self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }

    /// A connection stands.
    fn connected(&mut self) {}

    /// Appends the next payload to `payload` (given empty).
    fn next(&mut self, payload: &mut Vec<u8>) -> Next<Self::Token>;

    /// The server acknowledged; `reason` is MQTT 5's, 0 on 3.1.1. From 128 up it refused.
    fn acked(&mut self, token: Self::Token, reason: u8, waited: Duration);

    /// The connection ended before an acknowledgement came: it may or may not be stored.
    fn dropped(&mut self, token: Self::Token);

    /// Something came on a down-topic.
    fn message(&mut self, _topic: &[u8], _payload: &[u8]) {}

    /// Resolves when a source that said [`Next::Wait`] may have more.
    fn ready(&mut self) -> impl Future<Output = ()> + Send {
        std::future::pending()
    }
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub enum MqttError {
    /// The socket failed.
    #[error("connection: {0}")]
    Io(#[from] std::io::Error),
    /// The peer does not speak MQTT as we know it.
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    /// CONNACK with a refusal.
    #[error("the server refused {client}: code {code}; check the device id and its key")]
    Refused {
        /// Client id.
        client: String,
        /// Return code (3.1.1) or reason code (5).
        code: u8,
    },
    /// CONNACK says that the server cannot take anybody now.
    #[error("the server could not take {client} now: code {code}")]
    Unavailable {
        /// Client id.
        client: String,
        /// Return code (3.1.1) or reason code (5).
        code: u8,
    },
    /// The server said goodbye.
    #[error("the server disconnected {client}: reason {reason}")]
    Disconnected {
        /// Client id.
        client: String,
        /// Reason code.
        reason: u8,
    },
    /// Nothing came for too long.
    #[error("{client} heard nothing for {seconds} s")]
    Silent {
        /// Client id.
        client: String,
        /// How long.
        seconds: u64,
    },
}

/// Waits between attempts: doubling, jittered over the upper half, capped.
#[derive(Debug, Clone)]
pub struct Backoff {
    dice: Dice,
    first: Duration,
    cap: Duration,
    failures: u32,
    most: u32,
}

impl Backoff {
    /// Starts at `first` and never waits longer than `cap`.
    pub fn new(dice: Dice, first: Duration, cap: Duration) -> Self {
        Self {
            dice,
            first,
            cap,
            failures: 0,
            most: u32::MAX,
        }
    }

    /// Gives up after `most` failures in a row instead of never.
    #[must_use]
    pub fn at_most(self, most: u32) -> Self {
        Self { most, ..self }
    }

    fn exhausted(&self) -> bool {
        self.failures >= self.most
    }

    /// A connection stood: start small again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// How long to wait before the next attempt.
    pub fn pause(&mut self) -> Duration {
        let doubled = self.first.saturating_mul(1 << self.failures.min(16));
        self.failures += 1;
        doubled.min(self.cap).mul_f64(self.dice.between(0.5, 1.0))
    }
}

/// Drives `traffic` to its end over as many connections as it takes. Gives how often it had to reconnect.
/// A refused login ends it at once (one that the server could not check does not), as does the last failure that `backoff` allows; `stop` ends it between attempts and on an idle connection.
pub async fn keep_driving<T: Traffic>(
    options: &Options,
    traffic: &mut T,
    backoff: &mut Backoff,
    stop: &CancellationToken,
) -> Result<u64, MqttError> {
    let mut reconnects = 0;
    loop {
        let ended = tokio::select! {
            () = stop.cancelled() => return Ok(reconnects),
            ended = one_connection(options, traffic, backoff) => ended,
        };
        match ended {
            Ok(true) => return Ok(reconnects),
            Err(MqttError::Refused { client, code }) => return Err(MqttError::Refused { client, code }),
            Err(error) if backoff.exhausted() => return Err(error),
            Ok(false) | Err(_) => reconnects += 1,
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(reconnects),
            () = tokio::time::sleep(backoff.pause()) => {}
        }
    }
}

async fn one_connection<T: Traffic>(
    options: &Options,
    traffic: &mut T,
    backoff: &mut Backoff,
) -> Result<bool, MqttError> {
    traffic.before_connecting().await;
    let mut link = Link::connect(options).await?;
    backoff.reset();
    traffic.connected();
    link.drive(traffic).await
}

#[cfg(test)]
mod tests;
