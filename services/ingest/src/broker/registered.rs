//! Whether a device is registered, remembered for a short while: a broker's login list is not our registry. Must not say
//! no because the registry could not be read.

use std::collections::HashMap;
use std::time::Duration;

use hemu_ledger::Ledger;
use hemu_wire::DeviceId;
use tokio::time::Instant;

/// How long an answer holds: a revoked device is heard at most so much longer.
const HOLDS: Duration = Duration::from_secs(5);
/// Devices remembered; beyond, memory starts anew.
const DEVICES: usize = 65_536;
/// Pause while the registry cannot be read.
const RETRY: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub(super) struct Registered {
    ledger: Ledger,
    answers: HashMap<DeviceId, (bool, Instant)>,
}

impl Registered {
    pub(super) fn new(ledger: Ledger) -> Self {
        Self {
            ledger,
            answers: HashMap::new(),
        }
    }

    /// Whether a device has a key in force. Waits until the registry can be read: the message is not acknowledged
    /// meanwhile, which is the back-pressure.
    pub(super) async fn has(&mut self, device: &DeviceId) -> bool {
        let now = Instant::now();
        if let Some((registered, at)) = self.answers.get(device)
            && now.duration_since(*at) < HOLDS
        {
            return *registered;
        }
        let registered = self.read(device).await;
        if self.answers.len() >= DEVICES {
            self.answers.clear();
        }
        let before = self.answers.insert(device.clone(), (registered, now));
        if !registered && before.is_none_or(|(registered, _)| registered) {
            tracing::warn!(device.id = %device, "a device that is not registered here sends through the broker; its records are passed over until `hemu device add`");
        }
        registered
    }

    async fn read(&self, device: &DeviceId) -> bool {
        loop {
            match self.ledger.device_key(device.as_str()).await {
                Ok(key) => return key.is_some(),
                Err(error) => {
                    tracing::error!(%error, "the registry cannot be read; the broker's messages wait until it can");
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }
}
