//! What a stretch of the journal adds to the projections, before it is written. Plain data.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use hemu_rules::{Bucket, Day, PairSums, Participation, SharedBags, Source, Stream};

use super::hold::Hold;
use crate::entry::{BinState, Deposit, Incident, Quarantined, Status};
use crate::read::Held;
use crate::seen::Seen;

/// A record's place in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) position: u64,
    pub(super) index: u32,
    /// When its batch was committed.
    pub(super) received_at: i64,
}

/// 64 neighbouring numbers: device, boot, block.
pub(super) type BlockKey = (u32, u64, u64);

/// Counters since the journal began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) accepted: u64,
    pub(super) repeats: u64,
    pub(super) conflicts: u64,
    pub(super) quarantined: u64,
}

/// A deposit's reading, as its row.
#[derive(Debug, Clone)]
pub(super) struct ReadingRow<'e> {
    pub(super) day: Day,
    /// 0 is unattributed.
    pub(super) household: u32,
    pub(super) place: Place,
    pub(super) device: u32,
    pub(super) boot: u64,
    pub(super) seq: u64,
    pub(super) deposit: Deposit<'e>,
    pub(super) clock_ahead: bool,
    pub(super) held: Held,
    pub(super) reading_id: Option<&'e str>,
}

impl ReadingRow<'_> {
    /// Whether it may move a score.
    pub(super) fn counts(&self) -> bool {
        self.household != 0 && self.held == Held::NOT
    }
}

/// Deposits of a device and day.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) deposits: i64,
    pub(super) weight_g: i64,
    pub(super) attributed: i64,
    pub(super) inspected: i64,
}

/// What happened to a device.
#[derive(Debug, Clone, Default)]
pub(super) struct DeviceChange<'e> {
    /// Of its last identified record, if there was one.
    pub(super) boot: Option<u64>,
    pub(super) records: i64,
    pub(super) quarantined: i64,
    pub(super) last_at: Option<i64>,
    /// The latest with its time.
    pub(super) status: Option<(i64, Status<'e>)>,
}

/// A bin's latest state in this stretch.
#[derive(Debug, Clone, Copy)]
pub(super) struct BinChange {
    pub(super) at: i64,
    pub(super) bin: BinState,
}

/// Something set aside.
#[derive(Debug, Clone)]
pub(super) struct QuarantineRow<'e> {
    pub(super) place: Place,
    pub(super) device: u32,
    pub(super) identity: Option<(u64, u64)>,
    pub(super) what: Aside<'e>,
}

/// What a device declared lost.
#[derive(Debug, Clone, Copy)]
pub(super) struct LostRow {
    pub(super) place: Place,
    pub(super) at: i64,
    pub(super) device: u32,
    pub(super) boot: u64,
    pub(super) range: (u64, u64),
}

/// Why something is set aside.
#[derive(Debug, Clone)]
pub(super) enum Aside<'e> {
    /// As it came.
    AsSent(Quarantined<'e>),
    /// By the projector's judgement: reason, detail, the record written out.
    Judged(&'static str, &'static str, String),
}

/// The deltas of one transaction. Maps are ordered so that rows are written in the order of their pages.
#[derive(Debug, Default)]
pub(super) struct Changes<'e> {
    pub(super) totals: Totals,
    pub(super) new_devices: Vec<(u32, &'e str)>,
    pub(super) new_households: Vec<(u32, &'e str)>,
    pub(super) first_days: BTreeMap<u32, Day>,
    pub(super) devices: BTreeMap<u32, DeviceChange<'e>>,
    pub(super) cursors: BTreeSet<(u32, u64)>,
    /// What was accepted.
    pub(super) seen: BTreeMap<BlockKey, Seen>,
    pub(super) imported: HashMap<[u8; 16], u64>,
    pub(super) ignored: Vec<(Place, &'static str)>,
    pub(super) readings: Vec<ReadingRow<'e>>,
    pub(super) evidence: BTreeMap<(Day, u32, Source, Stream), Bucket>,
    pub(super) participation: BTreeMap<(Day, u32), Participation>,
    pub(super) pairs: BTreeMap<(u32, Day), PairSums>,
    /// Bags two inspectors judged: day, the one whose name comes first, the other; the sums are the first one's.
    pub(super) shared: BTreeMap<(Day, u32, u32), SharedBags>,
    /// Readings of weight that an inspector gave of a household: inspector, day, household.
    pub(super) inspected: BTreeMap<(u32, Day, u32), i64>,
    pub(super) tally: BTreeMap<(Day, u32), Tally>,
    pub(super) bins: BTreeMap<(u32, Stream), BinChange>,
    pub(super) incidents: Vec<(Place, u32, Incident<'e>)>,
    pub(super) lost: Vec<LostRow>,
    pub(super) quarantine: Vec<QuarantineRow<'e>>,
    /// Records of a device and boot that were conflicts.
    pub(super) conflicting: BTreeMap<(u32, u64), i64>,
    /// What people, or conflicts, do to readings that are stored already.
    pub(super) holds: Vec<Hold>,
}

impl Changes<'_> {
    pub(super) fn new(totals: Totals) -> Self {
        Self {
            totals,
            ..Self::default()
        }
    }
}
