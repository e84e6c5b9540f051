//! The committer's memory of where each device stands: read from the projections at the first word of a boot, kept
//! ahead of them from then on. What memory does not know only costs a repeat in the journal.

use std::collections::HashMap;

use hemu_ledger::Ledger;
use hemu_ledger::cursor::Cursor;

/// Boots of one device kept in memory; one that comes back after more others is read again.
const BOOTS_KEPT: usize = 16;

/// Cursors by device and boot.
#[derive(Debug)]
pub(crate) struct Cursors {
    ledger: Ledger,
    /// The boot a device last spoke with stands last.
    devices: HashMap<String, Vec<(u64, Cursor)>>,
}

impl Cursors {
    pub(crate) fn new(ledger: Ledger) -> Self {
        Self {
            ledger,
            devices: HashMap::new(),
        }
    }

    /// The cursor of a boot, which becomes the one the device last spoke with.
    pub(crate) async fn of(&mut self, device: &str, boot: u64) -> &mut Cursor {
        let known = self
            .devices
            .get(device)
            .and_then(|boots| boots.iter().position(|(b, _)| *b == boot));
        let folded = if known.is_none() {
            self.folded(device, Some(boot)).await
        } else {
            None
        };
        let boots = self.devices.entry(device.to_owned()).or_default();
        if let Some(index) = known {
            boots[index..].rotate_left(1);
        } else {
            if boots.len() == BOOTS_KEPT {
                boots.remove(0);
            }
            boots.push(folded.unwrap_or((boot, Cursor::default())));
        }
        let last = boots.len() - 1;
        &mut boots[last].1
    }

    /// Where the device last spoke; `None` when it never did.
    pub(crate) async fn newest(&mut self, device: &str) -> Option<&(u64, Cursor)> {
        if !self.devices.contains_key(device) {
            let folded = self.folded(device, None).await?;
            self.devices.insert(device.to_owned(), vec![folded]);
        }
        self.devices.get(device)?.last()
    }

    async fn folded(&self, device: &str, boot: Option<u64>) -> Option<(u64, Cursor)> {
        let folded = self.ledger.cursor(device, boot).await;
        folded.unwrap_or_else(|error| {
            tracing::warn!(%error, device.id = device, "where a device stands could not be read; repeats are judged later");
            None
        })
    }
}
