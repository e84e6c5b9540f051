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
    devices: HashMap<String, Vec<Place>>,
}

#[derive(Debug)]
struct Place {
    boot: u64,
    cursor: Cursor,
    /// False when what is folded of it could not be read: it then knows too little for a receipt.
    whole: bool,
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
        let place = |boots: &Vec<Place>| boots.iter().position(|known| known.boot == boot);
        let spoken = match self
            .devices
            .get_mut(device)
            .and_then(|boots| Some(boots.remove(place(boots)?)))
        {
            Some(known) => known,
            None => self.read(device, boot).await,
        };
        let boots = self.devices.entry(device.to_owned()).or_default();
        if boots.len() == BOOTS_KEPT {
            boots.remove(0);
        }
        boots.push(spoken);
        let last = boots.len() - 1;
        &mut boots[last].cursor
    }

    /// Where the device last spoke; `None` when it never did, or when that is not surely known.
    pub(crate) async fn newest(&mut self, device: &str) -> Option<(u64, &Cursor)> {
        if !self.devices.contains_key(device) {
            let (boot, cursor) = self.ledger.cursor(device, None).await.ok()??;
            let spoken = Place {
                boot,
                cursor,
                whole: true,
            };
            self.devices.insert(device.to_owned(), vec![spoken]);
        }
        let newest = self.devices.get(device)?.last()?;
        newest.whole.then_some((newest.boot, &newest.cursor))
    }

    async fn read(&self, device: &str, boot: u64) -> Place {
        let folded = self.ledger.cursor(device, Some(boot)).await;
        if let Err(error) = &folded {
            tracing::warn!(%error, device.id = device, "where a device stands could not be read; it gets no receipts for now");
        }
        Place {
            boot,
            whole: folded.is_ok(),
            cursor: folded
                .ok()
                .flatten()
                .map(|(_, cursor)| cursor)
                .unwrap_or_default(),
        }
    }
}
