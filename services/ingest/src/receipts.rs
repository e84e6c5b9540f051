//! Receipts: soon, but at most one a second and device, always the newest, signed with the device's key digest.
//!
//! The committer knows, this asks and sends. A receipt that is lost costs nothing: the next one says more.

use std::time::Duration;

use hemu_ledger::Ledger;
use hemu_wire::{DeviceId, Receipt};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::commit::Intake;

/// How often it is looked who is owed one: a bin that says a word an hour need not stay awake for its receipt.
pub(crate) const LOOK: Duration = Duration::from_millis(100);

/// Rest where keys cannot be read.
const PAUSE: Duration = Duration::from_secs(1);

/// What became of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Round {
    /// What was owed is sent.
    Sent,
    /// Keys could not be read; what was owed is owed again.
    Unsigned,
    /// The committer has ended.
    Over,
}

/// Sends what is owed until the committer has ended or `shutdown`. `send` hands a signed receipt to the front door and
/// must not wait; without one, the device has no right to be connected any more.
pub async fn run(
    intake: Intake,
    ledger: Ledger,
    generation: u64,
    send: impl Fn(&DeviceId, Option<String>) + Send + Sync,
    shutdown: CancellationToken,
) {
    let mut tick = tokio::time::interval(LOOK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        // When it was due: what is counted from one that came late would be later still.
        let now = tokio::select! {
            now = tick.tick() => now,
            () = shutdown.cancelled() => return,
        };
        tokio::select! {
            round = round(&intake, &ledger, generation, now, &send) => match round {
                Round::Sent => {}
                Round::Unsigned => tick.reset_after(PAUSE),
                Round::Over => return,
            },
            () = shutdown.cancelled() => return,
        }
    }
}

/// Sends what is owed at a time.
pub async fn round(
    intake: &Intake,
    ledger: &Ledger,
    generation: u64,
    now: Instant,
    send: &(impl Fn(&DeviceId, Option<String>) + Sync),
) -> Round {
    let Some(owed) = intake.owed(now).await else {
        return Round::Over;
    };
    let keys = match ledger.device_keys(owed.iter().map(|owed| &*owed.device)).await {
        Ok(keys) => keys,
        Err(error) => {
            tracing::warn!(%error, devices = owed.len(), "receipts could not be signed; they wait until they can be");
            for owed in owed {
                intake.greet(&owed.device).await;
            }
            return Round::Unsigned;
        }
    };
    for owed in owed {
        let Ok(device) = DeviceId::try_from(&*owed.device) else {
            continue;
        };
        let receipt = Receipt {
            boot: owed.boot,
            upto: owed.upto,
            missing: owed.missing,
            generation,
        };
        let key = keys.get(device.as_str());
        send(&device, key.map(|key| hemu_wire::sign(&receipt, key)));
    }
    Round::Sent
}
