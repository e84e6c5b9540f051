//! Who is connected: one seat a device, so that two connections of one device never serve at the same time, and the
//! way down to it. Must not wait: everything here is a short lock.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use hemu_wire::DeviceId;
use prometheus::IntCounter;
use tokio::sync::{Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::codec::Reason;

/// The way down to devices, from anywhere in the process.
#[derive(Debug, Clone)]
pub struct Downlink {
    registry: Arc<Registry>,
    receipts_dropped: IntCounter,
}

#[derive(Debug, Default)]
pub(crate) struct Registry {
    lines: Mutex<HashMap<DeviceId, Arc<Line>>>,
    revocations: AtomicU64,
}

/// What others may do to a connection.
#[derive(Debug)]
struct Line {
    receipts: mpsc::Sender<Bytes>,
    commands: Notify,
    dismissed: watch::Sender<Option<Reason>>,
    gone: CancellationToken,
}

/// A connection's right to serve its device; dropping it lets the next one in.
#[derive(Debug)]
pub(crate) struct Seat {
    registry: Arc<Registry>,
    device: DeviceId,
    line: Arc<Line>,
    receipts: mpsc::Receiver<Bytes>,
}

/// Something for the device.
#[derive(Debug)]
pub(crate) enum Message {
    Receipt(Bytes),
    CommandsWaiting,
}

impl Registry {
    /// Takes the device's seat. The connection that had it is dismissed; when there was one, this waits until it
    /// serves no more, and says so.
    pub(crate) async fn take_seat(
        self: &Arc<Self>,
        device: &DeviceId,
        receipts_queued: usize,
    ) -> (Seat, bool) {
        let (sender, receipts) = mpsc::channel(receipts_queued.max(1));
        let line = Arc::new(Line {
            receipts: sender,
            commands: Notify::new(),
            dismissed: watch::Sender::new(None),
            gone: CancellationToken::new(),
        });
        let before = self.lines().insert(device.clone(), Arc::clone(&line));
        let seat = Seat {
            registry: Arc::clone(self),
            device: device.clone(),
            line,
            receipts,
        };
        if let Some(before) = &before {
            before.dismiss(Reason::SessionTakenOver);
            before.gone.cancelled().await;
        }
        (seat, before.is_some())
    }

    /// How many keys were revoked so far. A login that was checked under another number must be checked again once it
    /// has its seat: before that there was nothing to dismiss it from.
    pub(crate) fn revocations(&self) -> u64 {
        self.revocations.load(Ordering::SeqCst)
    }

    fn line(&self, device: &DeviceId) -> Option<Arc<Line>> {
        self.lines().get(device).cloned()
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<DeviceId, Arc<Line>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    /// The first reason stays.
    fn dismiss(&self, reason: Reason) {
        self.dismissed.send_if_modified(|current| {
            let first = current.is_none();
            current.get_or_insert(reason);
            first
        });
    }
}

impl Seat {
    /// Resolves when this connection has to go.
    pub(crate) fn dismissed(&self) -> impl Future<Output = Reason> + Send + use<> {
        let mut dismissed = self.line.dismissed.subscribe();
        async move {
            loop {
                if let Some(reason) = *dismissed.borrow_and_update() {
                    return reason;
                }
                if dismissed.changed().await.is_err() {
                    return Reason::ServerShuttingDown;
                }
            }
        }
    }

    /// The next thing for the device. Nothing is lost when the wait is dropped.
    pub(crate) async fn message(&mut self) -> Message {
        tokio::select! {
            Some(receipt) = self.receipts.recv() => Message::Receipt(receipt),
            () = self.line.commands.notified() => Message::CommandsWaiting,
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut lines = self.registry.lines();
        if lines
            .get(&self.device)
            .is_some_and(|line| Arc::ptr_eq(line, &self.line))
        {
            lines.remove(&self.device);
        }
        drop(lines);
        self.line.gone.cancel();
    }
}

impl Downlink {
    pub(crate) const fn new(registry: Arc<Registry>, receipts_dropped: IntCounter) -> Self {
        Self {
            registry,
            receipts_dropped,
        }
    }

    /// Sends a receipt (`QoS` 0) if the device is connected and not too slow. False when it was dropped here; a receipt
    /// is cumulative, so the next one makes up for it.
    pub fn try_receipt(&self, device: &DeviceId, payload: Bytes) -> bool {
        let Some(line) = self.registry.line(device) else {
            return false;
        };
        let queued = line.receipts.try_send(payload).is_ok();
        if !queued {
            self.receipts_dropped.inc();
        }
        queued
    }

    /// There may be new commands: the device's connection, if any, asks the backend for them.
    pub fn wake_commands(&self, device: &DeviceId) {
        if let Some(line) = self.registry.line(device) {
            line.commands.notify_one();
        }
    }

    /// Closes the device's connection, if any: its key was revoked. To be called when [`crate::Backend::login`] already
    /// refuses that key; a login under way is then checked again.
    pub fn disconnect(&self, device: &DeviceId) {
        self.registry.revocations.fetch_add(1, Ordering::SeqCst);
        if let Some(line) = self.registry.line(device) {
            line.dismiss(Reason::NotAuthorized);
        }
    }

    /// Devices that have a seat now.
    pub fn connected(&self) -> usize {
        self.registry.lines().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device() -> DeviceId {
        DeviceId::try_from("bin-1").unwrap()
    }

    fn downlink(registry: &Arc<Registry>) -> Downlink {
        Downlink::new(
            Arc::clone(registry),
            IntCounter::new("dropped", "dropped").unwrap(),
        )
    }

    #[tokio::test]
    async fn a_second_connection_waits_until_the_first_has_left_its_seat() {
        let registry = Arc::new(Registry::default());
        let (first, taken_over) = registry.take_seat(&device(), 1).await;
        assert!(!taken_over);
        let registry2 = Arc::clone(&registry);
        let second = tokio::spawn(async move { registry2.take_seat(&device(), 1).await });
        assert_eq!(first.dismissed().await, Reason::SessionTakenOver);
        assert!(!second.is_finished(), "the first still sits");
        drop(first);
        let (second, taken_over) = second.await.unwrap();
        assert!(taken_over);
        assert_eq!(
            downlink(&registry).connected(),
            1,
            "the first took only its own entry away"
        );
        drop(second);
        assert_eq!(downlink(&registry).connected(), 0);
    }

    #[tokio::test]
    async fn receipts_beyond_the_queue_are_dropped_and_counted() {
        let registry = Arc::new(Registry::default());
        let downlink = downlink(&registry);
        assert!(!downlink.try_receipt(&device(), Bytes::from_static(b"nobody is there")));
        let (mut seat, _) = registry.take_seat(&device(), 1).await;
        assert!(downlink.try_receipt(&device(), Bytes::from_static(b"1")));
        assert!(!downlink.try_receipt(&device(), Bytes::from_static(b"2")));
        assert_eq!(downlink.receipts_dropped.get(), 1);
        assert!(matches!(seat.message().await, Message::Receipt(payload) if payload == "1"));
        downlink.wake_commands(&device());
        assert!(matches!(seat.message().await, Message::CommandsWaiting));
    }
}
