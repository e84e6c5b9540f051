//! Receipts: at most one a second and device, always the newest, signed with the device's key digest.
//!
//! The committer puts, this sends. A receipt that is lost or replaced costs nothing: the next one says more.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hemu_ledger::Ledger;
use hemu_ledger::cursor::Cursor;
use hemu_wire::{DeviceId, Receipt};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// Gaps a receipt names; the device sends these and learns of the next.
const GAPS: usize = 64;

/// Where receipts wait for the next second; one a device at most.
#[derive(Debug, Clone, Default)]
pub struct Outbox(Arc<Mutex<HashMap<String, Waiting>>>);

#[derive(Debug)]
struct Waiting {
    boot: u64,
    upto: u64,
    missing: Vec<(u64, u64)>,
}

impl Outbox {
    /// Replaces the device's waiting receipt.
    pub fn put(&self, device: &str, boot: u64, cursor: &Cursor) {
        let waiting = Waiting {
            boot,
            upto: cursor.upto(),
            missing: cursor.missing(GAPS),
        };
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(device.to_owned(), waiting);
    }

    fn take(&self) -> HashMap<String, Waiting> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Sends what waits, once a second. `send` hands a signed receipt to the front door and must not wait; without one,
/// the device has no right to be connected any more.
pub async fn run(
    outbox: Outbox,
    ledger: Ledger,
    generation: u64,
    send: impl Fn(&DeviceId, Option<String>) + Send,
    shutdown: CancellationToken,
) {
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = shutdown.cancelled() => return,
        }
        for (name, Waiting { boot, upto, missing }) in outbox.take() {
            let Ok(device) = DeviceId::try_from(name.as_str()) else {
                continue;
            };
            let receipt = Receipt {
                boot,
                upto,
                missing,
                generation,
            };
            match ledger.device_key(&name).await {
                Ok(key) => send(&device, key.map(|key| hemu_wire::sign(&receipt, &key))),
                // The next receipt says the same and more.
                Err(error) => tracing::warn!(%error, device.id = %device, "a receipt could not be signed"),
            }
        }
    }
}
