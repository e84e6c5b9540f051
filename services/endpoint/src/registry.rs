//! Who is connected: one seat a device, so that two connections of one device never serve at the same time, and the
//! way down to it. Must not wait: everything here is a short lock.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use hemu_wire::DeviceId;
use prometheus::IntCounter;
use tokio::sync::{mpsc, oneshot};
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
    lines: Mutex<Lines>,
    revocations: AtomicU64,
}

#[derive(Debug, Default)]
struct Lines {
    by_device: HashMap<DeviceId, Arc<Line>>,
    /// The endpoint stops: whoever comes now is dismissed at once.
    stopping: bool,
}

/// What others may do to a connection. A connection looks here with every packet, so looking takes no lock.
#[derive(Debug)]
struct Line {
    messages: mpsc::Sender<Message>,
    /// Also a message, but one that a full queue must not lose.
    commands: AtomicBool,
    dismissed: Mutex<Option<oneshot::Sender<Reason>>>,
    gone: CancellationToken,
}

/// A connection's right to serve its device; dropping it lets the next one in.
#[derive(Debug)]
pub(crate) struct Seat {
    registry: Arc<Registry>,
    device: DeviceId,
    line: Arc<Line>,
    messages: mpsc::Receiver<Message>,
    dismissed: Option<oneshot::Receiver<Reason>>,
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
        let (sender, messages) = mpsc::channel(receipts_queued.max(1));
        let (dismiss, dismissed) = oneshot::channel();
        let line = Arc::new(Line {
            messages: sender,
            commands: AtomicBool::new(false),
            dismissed: Mutex::new(Some(dismiss)),
            gone: CancellationToken::new(),
        });
        let before = {
            let mut lines = self.lines();
            if lines.stopping {
                line.dismiss(Reason::ServerShuttingDown);
            }
            lines.by_device.insert(device.clone(), Arc::clone(&line))
        };
        let seat = Seat {
            registry: Arc::clone(self),
            device: device.clone(),
            line,
            messages,
            dismissed: Some(dismissed),
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

    /// Dismisses every connection, and every later one.
    pub(crate) fn stop(&self) {
        let mut lines = self.lines();
        lines.stopping = true;
        for line in lines.by_device.values() {
            line.dismiss(Reason::ServerShuttingDown);
        }
    }

    fn line(&self, device: &DeviceId) -> Option<Arc<Line>> {
        self.lines().by_device.get(device).cloned()
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    /// The first reason stays.
    fn dismiss(&self, reason: Reason) {
        let sender = self
            .dismissed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(sender) = sender {
            // Nobody listens any more when the connection has ended by itself.
            let _ = sender.send(reason);
        }
    }
}

impl Seat {
    /// Resolves when this connection has to go. To be asked for once.
    pub(crate) fn dismissed(&mut self) -> impl Future<Output = Reason> + Send + use<> {
        let dismissed = self.dismissed.take();
        async move {
            match dismissed {
                Some(dismissed) => dismissed.await.unwrap_or(Reason::ServerShuttingDown),
                None => std::future::pending().await,
            }
        }
    }

    /// The next thing for the device. Nothing is lost when the wait is dropped.
    pub(crate) async fn message(&mut self) -> Message {
        loop {
            // Looked at with every packet, and hardly ever so: to look costs less than to take.
            if self.line.commands.load(Ordering::Acquire) && self.line.commands.swap(false, Ordering::AcqRel)
            {
                return Message::CommandsWaiting;
            }
            match self.messages.recv().await {
                // The word to look at the flag above.
                Some(Message::CommandsWaiting) => {}
                Some(receipt) => return receipt,
                None => std::future::pending().await,
            }
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut lines = self.registry.lines();
        if lines
            .by_device
            .get(&self.device)
            .is_some_and(|line| Arc::ptr_eq(line, &self.line))
        {
            lines.by_device.remove(&self.device);
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
        let queued = line.messages.try_send(Message::Receipt(payload)).is_ok();
        if !queued {
            self.receipts_dropped.inc();
        }
        queued
    }

    /// There may be new commands: the device's connection, if any, asks the backend for them.
    pub fn wake_commands(&self, device: &DeviceId) {
        if let Some(line) = self.registry.line(device)
            && !line.commands.swap(true, Ordering::AcqRel)
        {
            // A full queue wakes the connection as well.
            let _ = line.messages.try_send(Message::CommandsWaiting);
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
        self.registry.lines().by_device.len()
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
        let (mut first, taken_over) = registry.take_seat(&device(), 1).await;
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
