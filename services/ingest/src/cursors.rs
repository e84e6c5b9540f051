//! The committer's memory of where each device stands: read from the projections at the first word of a boot, kept
//! ahead of them from then on. What memory does not know only costs a repeat in the journal.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use hemu_ledger::cursor::Cursor;
use hemu_ledger::entry::{Body, Entry, Origin};
use hemu_ledger::read::Folded;
use hemu_ledger::{Ledger, Position};
use tokio::time::Instant;

/// Boots of one device kept in memory; one that comes back after more others is read again.
const BOOTS_KEPT: usize = 16;
/// Batches of other nodes read at once.
const AT_ONCE: u32 = 16;
/// As many are read before an acknowledgement; where there are more, receipts wait for the fold instead.
const BATCHES_LEARNT: u64 = 1_024;
/// From one receipt of a device to its next: the contract allows no more. One that has long been silent hears at once.
const PACE: Duration = Duration::from_secs(1);
/// Gaps a receipt names; the device sends these and learns of the next.
const GAPS: usize = 64;

/// Where a device stands, to be signed and sent as its receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owed {
    pub device: Arc<str>,
    pub boot: u64,
    /// Everything up to here is stored.
    pub upto: u64,
    /// The first gaps beyond it.
    pub missing: Vec<(u64, u64)>,
}

/// Cursors by device and boot, and who has not heard yet where it stands.
#[derive(Debug)]
pub(crate) struct Cursors {
    ledger: Ledger,
    /// Places in `devices`.
    places: HashMap<Arc<str>, usize>,
    devices: Vec<Device>,
    owed: Vec<usize>,
    /// The last batch whose records were noted here.
    head: Position,
    /// The last batch before one of this process that another one stored.
    others: Position,
}

#[derive(Debug)]
struct Device {
    name: Arc<str>,
    /// The boot it last spoke with stands last.
    boots: Vec<Stand>,
    /// It is among those who are owed a receipt.
    owed: bool,
    /// When it was told last, or could not be.
    turn: Option<Instant>,
}

#[derive(Debug)]
struct Stand {
    boot: u64,
    cursor: Cursor,
    /// False when what is folded of it could not be read: it then knows too little for a receipt.
    whole: bool,
    /// It is whole once everything up to here is folded: what came later was noted here as it came.
    needs: Position,
}

impl Cursors {
    /// For a journal that ends at `head`.
    pub(crate) fn new(ledger: Ledger, head: Position) -> Self {
        Self {
            ledger,
            head,
            others: 0,
            places: HashMap::new(),
            devices: Vec::new(),
            owed: Vec::new(),
        }
    }

    /// The cursor of a boot, which becomes the one the device last spoke with. The device is owed a receipt for it.
    pub(crate) async fn of(&mut self, device: &str, boot: u64) -> &mut Cursor {
        let place = self.owe(device);
        let known = self.devices[place].boots.iter().rposition(|b| b.boot == boot);
        let spoken = match known {
            // The usual case moves nothing.
            Some(at) => self.devices[place].boots.remove(at),
            None => self.read(device, boot).await,
        };
        let boots = &mut self.devices[place].boots;
        if boots.len() == BOOTS_KEPT {
            boots.remove(0);
        }
        boots.push(spoken);
        let last = boots.len() - 1;
        &mut boots[last].cursor
    }

    /// Notes that a device should hear where it stands; its place.
    pub(crate) fn owe(&mut self, device: &str) -> usize {
        let place = self.places.get(device).copied().unwrap_or_else(|| {
            let name: Arc<str> = device.into();
            self.places.insert(Arc::clone(&name), self.devices.len());
            self.devices.push(Device {
                name,
                boots: Vec::new(),
                owed: false,
                turn: None,
            });
            self.devices.len() - 1
        });
        if !std::mem::replace(&mut self.devices[place].owed, true) {
            self.owed.push(place);
        }
        place
    }

    /// Takes over what other nodes stored for devices that speak to this one too: everything up to a batch that was not
    /// noted here, before one of this node's. What cannot be read now has to be folded before anybody who may be in it gets
    /// a receipt again.
    pub(crate) async fn learn(&mut self, upto: Position) {
        let mut at = std::mem::replace(&mut self.head, upto + 1);
        if at < upto {
            self.others = upto;
        }
        // A batch of this node waits for its acknowledgement meanwhile: whoever was idle for long does not read it all.
        if upto.saturating_sub(at) > BATCHES_LEARNT {
            tracing::debug!(
                batches = upto - at,
                "too many of other nodes' batches to read; receipts wait until they are folded"
            );
            return self.doubt(upto);
        }
        while at < upto {
            let batches = match self.ledger.batches(at, AT_ONCE).await {
                Ok(batches) if !batches.is_empty() => batches,
                Ok(_) => return self.doubt(upto),
                Err(error) => {
                    tracing::warn!(%error, "what other nodes stored could not be read; receipts wait until it is folded");
                    return self.doubt(upto);
                }
            };
            for batch in batches.iter().filter(|batch| batch.position <= upto) {
                for entry in batch.entries().filter_map(Result::ok) {
                    self.learn_entry(&entry);
                }
            }
            at = batches.last().map_or(upto, |last| last.position);
        }
    }

    /// Batches up to a position were not seen: whoever is in them may have erased what they hold.
    fn doubt(&mut self, upto: Position) {
        for stand in self.devices.iter_mut().flat_map(|device| &mut device.boots) {
            stand.whole = false;
            stand.needs = stand.needs.max(upto);
        }
    }

    fn learn_entry(&mut self, entry: &Entry<'_>) {
        let Origin::Device { device, boot, seq } = entry.origin else {
            return;
        };
        let Some(&place) = self.places.get(device) else {
            return;
        };
        let boots = self.devices.get_mut(place).map(|device| &mut device.boots);
        let Some(stand) = boots.and_then(|boots| boots.iter_mut().find(|stand| stand.boot == boot)) else {
            return;
        };
        let lost = match entry.body {
            Body::Lost { from, to, .. } => Some((from, to)),
            _ => None,
        };
        crate::commit::cover(&mut stand.cursor, seq, entry.hash, lost);
    }

    /// Where everybody stands who is owed a receipt and had none for a while; a device that never spoke hears nothing, and
    /// one of whom too little is known is owed it until that can be read: it erases nothing before it has a receipt.
    pub(crate) async fn settle(&mut self, now: Instant) -> Vec<Owed> {
        let mut receipts = Vec::new();
        let mut readable = true;
        let needs = self.needs();
        for place in std::mem::take(&mut self.owed) {
            let device = &mut self.devices[place];
            if device.turn.is_some_and(|turn| now < turn + PACE) {
                self.owed.push(place);
                continue;
            }
            if device.boots.last().is_none_or(|last| !last.whole) {
                // One attempt for all: while nothing can be read, commits wait behind each.
                readable = readable && learn(&self.ledger, device, needs).await;
                // Or too little is folded yet.
                if !readable || device.boots.last().is_some_and(|last| !last.whole) {
                    device.turn = Some(now);
                    self.owed.push(place);
                    continue;
                }
            }
            device.owed = false;
            if let Some(last) = device.boots.last() {
                device.turn = Some(now);
                receipts.push(Owed {
                    device: Arc::clone(&device.name),
                    boot: last.boot,
                    upto: last.cursor.upto(),
                    missing: last.cursor.missing(GAPS),
                });
            }
        }
        receipts
    }

    /// What has to be folded for a cursor that is read now. Alone, a process noted all that is not, but for what an import
    /// stored beside it; where nodes share a journal, another stored what this one never saw, and the device has erased it
    /// since.
    fn needs(&self) -> Position {
        if self.ledger.folder().is_shared() {
            self.head
        } else {
            self.others
        }
    }

    async fn read(&self, device: &str, boot: u64) -> Stand {
        let needs = self.needs();
        let folded = self.ledger.cursor(device, Some(boot)).await;
        if let Err(error) = &folded {
            tracing::warn!(%error, device.id = device, "where a device stands could not be read; it gets no receipts until it can");
        }
        let (whole, stand) = folded.map_or((false, None), |folded| (folded.applied >= needs, folded.stand));
        Stand {
            boot,
            whole,
            needs,
            cursor: stand.map(|(_, cursor)| cursor).unwrap_or_default(),
        }
    }
}

/// Reads what is folded of the boot a device last spoke with, in this process or before; false when that fails.
async fn learn(ledger: &Ledger, device: &mut Device, needs: Position) -> bool {
    let spoken = device.boots.last_mut();
    let needs = spoken.as_ref().map_or(needs, |last| last.needs);
    let boot = spoken.as_ref().map(|last| last.boot);
    let Ok(Folded { applied, stand }) = ledger.cursor(&device.name, boot).await else {
        return false;
    };
    let whole = applied >= needs;
    match (spoken, stand) {
        (Some(last), stand) => {
            // Both are on the disk: what came in this process, and what was folded before.
            if let Some((_, cursor)) = stand {
                last.cursor.join(&cursor);
            }
            last.whole = whole;
        }
        // What comes from now on is noted, so that what is missing need only be folded once.
        (None, Some((boot, cursor))) => device.boots.push(Stand {
            boot,
            cursor,
            whole,
            needs,
        }),
        (None, None) => {}
    }
    true
}

#[cfg(test)]
mod tests {
    use hemu_ledger::Folder;
    use hemu_ledger::entry::Incident;
    use hemu_ledger::segment::Segment;
    use hemu_rules::{Millis, Zone};

    use super::*;

    async fn ledger(folder: &tempfile::TempDir) -> Ledger {
        let folder = Folder::open(folder.path()).unwrap();
        Ledger::open(&folder, Zone::SHANGHAI).await.unwrap()
    }

    /// Batches as another process stores them, one record of a device in each.
    async fn store(ledger: &Ledger, device: &str, batches: u64) {
        let mut journal = ledger.journal().await.unwrap();
        for seq in 1..=batches {
            let mut segment = Segment::of_device(device, 1, seq);
            let incident = Incident {
                at: Millis::clamped(1),
                kind: "fire",
                stream: None,
                note: None,
                photo: None,
            };
            segment.push(seq, &Body::Incident(incident));
            let mut body = Vec::new();
            segment.write(&mut body, |_| true);
            journal.append(1, 1, &body).await.unwrap();
        }
    }

    async fn fold(ledger: &Ledger) {
        let (mut projector, _lock) = ledger.projector().await.unwrap();
        while projector.step().await.unwrap().records > 0 {}
    }

    fn told(owed: &[Owed]) -> Vec<(&str, u64)> {
        owed.iter().map(|owed| (&*owed.device, owed.upto)).collect()
    }

    #[tokio::test]
    async fn whoever_was_idle_for_long_reads_no_thousands_of_batches_and_answers_once_they_are_folded() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = ledger(&folder).await;
        let mut cursors = Cursors::new(ledger.clone(), 0);
        cursors.of("D1", 1).await.take(1, 7);
        let many = BATCHES_LEARNT + 2;
        store(&ledger, "D1", many).await;
        let now = Instant::now();
        cursors.learn(many).await;
        assert!(cursors.settle(now).await.is_empty(), "it was not read");
        fold(&ledger).await;
        let later = now + 2 * PACE;
        assert_eq!(told(&cursors.settle(later).await), [("D1", many)]);
    }

    #[tokio::test]
    async fn what_an_import_stored_beside_is_known_before_a_receipt_says_less() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = ledger(&folder).await;
        let mut cursors = Cursors::new(ledger.clone(), 0);
        store(&ledger, "D1", 3).await;
        cursors.learn(3).await;
        // It was nobody here when those batches were read, and speaks before they are folded.
        cursors.of("D1", 1).await.take(4, 7);
        let now = Instant::now();
        assert!(cursors.settle(now).await.is_empty());
        fold(&ledger).await;
        let later = now + 2 * PACE;
        assert_eq!(told(&cursors.settle(later).await), [("D1", 4)]);
    }
}
