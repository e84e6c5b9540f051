//! What stands behind the MQTT endpoint: the registry checks keys, ingest stores what comes.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use hemu_endpoint::{Backend, COMMANDS_AT_ONCE, Chunk, DeviceId, LoginError, PendingCommand, Presence};
use hemu_ingest::{Clock, Intake, Metrics, Submission, accept};
use hemu_ledger::Ledger;
use hemu_ledger::registry::{KeyDigest, key_digest};

/// Devices that logged in since the server began, and which of them are connected now.
#[derive(Debug, Clone, Default)]
pub(crate) struct Connected(Arc<RwLock<HashMap<String, LoggedIn>>>);

#[derive(Debug)]
struct LoggedIn {
    /// Of the key it showed last.
    key: KeyDigest,
    connected: bool,
    /// Given in the order of first logins: whoever looks at all of them in turns goes by it.
    number: usize,
}

impl Connected {
    /// Whether a device is connected.
    pub(crate) fn is(&self, device: &str) -> bool {
        let devices = self.0.read().unwrap_or_else(PoisonError::into_inner);
        devices.get(device).is_some_and(|device| device.connected)
    }

    /// The keys with which those logged in who are connected and whose turn it is, of so many turns.
    pub(crate) fn keys(&self, turn: usize, of: usize) -> Vec<(String, KeyDigest)> {
        let devices = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mine = |device: &LoggedIn| device.connected && device.number % of == turn;
        let mine = devices.iter().filter(|(_, device)| mine(device));
        mine.map(|(id, device)| (id.clone(), device.key)).collect()
    }

    fn showed(&self, device: &str, key: KeyDigest) {
        let mut devices = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let number = devices.len();
        if let Some(known) = devices.get_mut(device) {
            known.key = key;
        } else {
            let connected = false;
            devices.insert(
                device.to_owned(),
                LoggedIn {
                    key,
                    connected,
                    number,
                },
            );
        }
    }

    fn set(&self, device: &str, connected: bool) {
        let mut devices = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(device) = devices.get_mut(device) {
            device.connected = connected;
        }
    }
}

/// The endpoint's backend.
pub(crate) struct Devices {
    pub(crate) ledger: Ledger,
    pub(crate) intake: Intake,
    pub(crate) connected: Connected,
    pub(crate) metrics: Metrics,
    pub(crate) clock: Clock,
}

impl Backend for Devices {
    async fn login(&self, device: &DeviceId, key: &[u8]) -> Result<(), LoginError> {
        let shown = key_digest(key);
        match self.ledger.device_key(device.as_str()).await {
            // Equal time is not needed between digests of random keys: a guess cannot be steered by its hash.
            Ok(Some(known)) if known == shown => {
                self.connected.showed(device.as_str(), shown);
                Ok(())
            }
            Ok(_) => Err(LoginError::Refused),
            Err(error) => {
                tracing::error!(%error, device.id = %device, "a device's key could not be checked");
                Err(LoginError::Unavailable)
            }
        }
    }

    async fn uplink(&self, device: &DeviceId, chunk: Chunk) {
        let Chunk {
            publishes,
            brief,
            ticket,
        } = chunk;
        let payloads = publishes.iter().map(|publish| (publish.up, &publish.payload[..]));
        let accepted = accept(device, payloads);
        // What was received is not kept beside what was made of it while that waits.
        drop(publishes);
        self.metrics.quarantined.inc_by(accepted.quarantined);
        self.metrics.unknown_fields.inc_by(accepted.unknown_fields);
        let stored = Box::new(move || ticket.stored());
        self.intake
            .submit(Submission {
                segments: accepted.segments,
                brief,
                stored,
            })
            .await;
    }

    async fn presence(&self, device: &DeviceId, presence: Presence) {
        self.connected
            .set(device.as_str(), presence == Presence::Connected);
        if presence == Presence::Connected {
            self.intake.greet(device.as_str()).await;
        }
    }

    async fn commands(&self, device: &DeviceId) -> Vec<PendingCommand> {
        let open = self
            .ledger
            .open_commands(device.as_str(), COMMANDS_AT_ONCE)
            .await
            .unwrap_or_else(|error| {
                tracing::error!(%error, device.id = %device, "a device's commands could not be read");
                Vec::new()
            });
        let pending = |command: hemu_ledger::registry::Command| PendingCommand {
            id: command.id.cast_unsigned(),
            payload: command.payload.into(),
        };
        open.into_iter().map(pending).collect()
    }

    async fn command_acknowledged(&self, device: &DeviceId, id: u64) {
        let done = self
            .ledger
            .acknowledge_command(device.as_str(), id.cast_signed(), (self.clock)())
            .await;
        if let Err(error) = done {
            tracing::error!(%error, device.id = %device, "an acknowledged command could not be marked; it is sent again");
        }
    }
}
