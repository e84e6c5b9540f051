//! The second front door: devices behind a broker of the operator's (Mosquitto, NATS, EMQX). Same way in as the
//! endpoint's: [`crate::accept`], [`crate::Intake`], and an acknowledgement when the ticket is redeemed.
//!
//! Who a device is, the broker says: its access rules must let a device publish under its own name only
//! (`services/ingest/broker/` has Mosquitto's). The broker's PUBACK promises a device nothing; the receipt does.
//! Must not: publish from the task that polls, or acknowledge what is not stored.

mod client;
mod door;
mod metrics;
mod poll;
mod probe;
mod registered;
mod settings;
mod tls;
mod uplink;
mod watch;

use std::fmt;

pub use door::{Door, Parts, View};
pub use metrics::Metrics;
pub use probe::probe;
pub use settings::{Address, AddressError, Protocol, Secret, Settings, SettingsError};

use bytes::Bytes;
use hemu_wire::DeviceId;
use tokio::sync::mpsc;

/// Receipts that may wait for the broker; one beyond is dropped and counted, the next one says more.
const RECEIPTS: usize = 16_384;

/// A number below the one given, drawn by the caller's generator.
pub type Dice = Box<dyn FnMut(u64) -> u64 + Send>;

/// Why a connection to the broker ended, or cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// Not reached, refused, or lost.
    #[error("expected a connection to the broker, came: {0}")]
    Lost(String),
    /// The broker grants no subscription, or only a weaker one.
    #[error(
        "expected the broker to grant the subscription {filter} at QoS 1, came {answer}: give the ingest user the right to read it"
    )]
    Refused { filter: String, answer: String },
    /// Nothing came and nothing could be sent for too long.
    #[error("expected an answer from the broker within {0} s, came none")]
    Silent(u64),
    /// More waits to be stored than this server holds.
    #[error(
        "expected at most {0} bytes of messages waiting to be stored, came more: lower what the broker sends before it is acknowledged (Mosquitto: max_inflight_messages) or use MQTT 5"
    )]
    Flooded(usize),
    /// The client library broke.
    #[error("the client broke: {0}")]
    Broken(String),
}

/// The way down to devices behind the broker, from anywhere in the process.
#[derive(Debug, Clone)]
pub struct Downlink {
    receipts: mpsc::Sender<Receipt>,
    metrics: Metrics,
}

/// A signed receipt on its way.
struct Receipt {
    device: DeviceId,
    payload: Bytes,
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receipt")
            .field("device", &self.device)
            .finish_non_exhaustive()
    }
}

impl Downlink {
    /// Queues a receipt (`QoS` 0). False when it was dropped here; the next one makes up for it.
    pub fn try_receipt(&self, device: &DeviceId, payload: Bytes) -> bool {
        let receipt = Receipt {
            device: device.clone(),
            payload,
        };
        let queued = self.receipts.try_send(receipt).is_ok();
        if !queued {
            self.metrics.receipts_dropped.inc();
        }
        queued
    }
}
