//! What is changed in the registry beside a running server, by its command line or another server: a key that was taken
//! back or changed ends the connection that was opened with it, a new command wakes its device. Must not end anybody because
//! the registry could not be read.

use std::time::Duration;

use hemu_endpoint::{DeviceId, Downlink};
use hemu_ledger::Ledger;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::backend::Connected;

const LOOK: Duration = Duration::from_secs(1);
/// Looks in which everybody who is connected is looked at once: whoever has no right to be is heard at most so many
/// seconds longer, as through a broker.
const TURNS: usize = 5;
/// Commands whose devices are woken in one look.
const COMMANDS: u32 = 1_000;

pub(super) struct Changes {
    ledger: Ledger,
    downlink: Downlink,
    connected: Connected,
    turn: usize,
    /// The newest command whose device was woken.
    woken: i64,
}

impl Changes {
    /// From now on: whoever connects is told of older commands anyhow.
    pub(super) async fn new(
        ledger: Ledger,
        downlink: Downlink,
        connected: Connected,
    ) -> hemu_ledger::Result<Self> {
        Ok(Self {
            woken: ledger.newest_command().await?,
            ledger,
            downlink,
            connected,
            turn: 0,
        })
    }

    /// Looks until `shutdown`.
    pub(super) async fn run(mut self, shutdown: CancellationToken) {
        let mut tick = tokio::time::interval(LOOK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut readable = true;
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                () = shutdown.cancelled() => return,
            }
            let looked = tokio::select! {
                looked = self.look() => looked,
                () = shutdown.cancelled() => return,
            };
            if let Err(error) = &looked
                && readable
            {
                tracing::error!(%error, "the registry cannot be read; keys that were taken back are still heard until it can");
            }
            readable = looked.is_ok();
        }
    }

    async fn look(&mut self) -> hemu_ledger::Result<()> {
        self.end_old_keys().await?;
        self.wake().await
    }

    async fn end_old_keys(&mut self) -> hemu_ledger::Result<()> {
        let shown = self.connected.keys(self.turn, TURNS);
        self.turn = (self.turn + 1) % TURNS;
        let valid = self.ledger.device_keys(shown.iter().map(|(id, _)| &**id)).await?;
        for (id, key) in shown {
            if valid.get(&id) != Some(&key)
                && let Ok(device) = DeviceId::try_from(&*id)
            {
                tracing::info!(device.id = %device, "its key is not valid any more; its connection ends");
                self.downlink.disconnect(&device);
            }
        }
        Ok(())
    }

    async fn wake(&mut self) -> hemu_ledger::Result<()> {
        for (id, device) in self.ledger.commands_after(self.woken, COMMANDS).await? {
            self.woken = id;
            if let Ok(device) = DeviceId::try_from(&*device) {
                self.downlink.wake_commands(&device);
            }
        }
        Ok(())
    }
}
