//! What happens to a world: drawn from its seed before it begins, so that a world is its seed. Decides nothing later.

use firmware_sim::draw::Dice;
use firmware_sim::mqtt::Version;

/// Virtual ms in which things happen and go wrong.
pub(crate) const LIFE: i64 = 5 * 60_000;
/// Virtual ms after which whatever is held must be receipted.
pub(crate) const HEALED_WITHIN: i64 = 4 * 3_600_000;

/// How a device reaches the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Way {
    /// The embedded endpoint.
    Endpoint(Version311Or5),
    /// A broker of the operator's, which forgets, repeats and reorders.
    Broker,
}

/// [`Version`], which can be hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Version311Or5 {
    V311,
    V5,
}

impl From<Version311Or5> for Version {
    fn from(version: Version311Or5) -> Self {
        match version {
            Version311Or5::V311 => Self::V311,
            Version311Or5::V5 => Self::V5,
        }
    }
}

/// Name and key of every world's devices, in order.
pub(crate) fn devices() -> Vec<(String, String)> {
    (0..4)
        .map(|n| (format!("bin-{n}"), format!("key of {n}")))
        .collect()
}

pub(crate) const WAYS: [Way; 4] = [
    Way::Endpoint(Version311Or5::V311),
    Way::Endpoint(Version311Or5::V5),
    Way::Broker,
    Way::Broker,
];

pub(crate) const HOUSEHOLDS: u64 = 2;

/// A mistake planted into the world, not into the product: each must be caught.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sabotage {
    None,
    /// The PUBACK leaves when the publish came.
    AckBeforeCommit,
    /// Receipts name the largest number seen.
    MaximumReceipt,
    /// A restart forgets where devices stand.
    CursorsLost,
    /// A restored server passes for the one it was.
    GenerationKept,
    /// The disk said that the last batch was on it, and it was not.
    DiskLies,
}

impl Sabotage {
    pub(crate) const ALL: [Self; 5] = [
        Self::AckBeforeCommit,
        Self::MaximumReceipt,
        Self::CursorsLost,
        Self::GenerationKept,
        Self::DiskLies,
    ];
}

/// Where in the server's work it dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Moment {
    Submitted,
    Committed,
    Redeemed,
    Folded,
    Receipted,
}

const MOMENTS: [Moment; 5] = [
    Moment::Submitted,
    Moment::Committed,
    Moment::Redeemed,
    Moment::Folded,
    Moment::Receipted,
];

/// What is drawn at the beginning.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Slots of each device's ring.
    pub(crate) slots: Vec<usize>,
    /// When each device records something.
    pub(crate) records: Vec<Vec<i64>>,
    /// Not before when, and at which moment of its work, the server dies.
    pub(crate) crashes: Vec<(i64, Moment)>,
    /// When which device loses power, after so many more bytes of flash, and for how long.
    pub(crate) power_cuts: Vec<(i64, usize, usize, i64)>,
    /// When which device's flash loses both headers.
    pub(crate) boots_lost: Vec<(i64, usize)>,
    /// When which device is out of reach, and for how long.
    pub(crate) silences: Vec<(i64, usize, i64)>,
    pub(crate) backup: i64,
    /// When the server is restored from it.
    pub(crate) restores: Vec<i64>,
    pub(crate) broker_crashes: Vec<i64>,
}

impl Plan {
    pub(crate) fn draw(dice: &mut Dice) -> Self {
        let devices = devices().len();
        let when = |dice: &mut Dice| i64::from(dice.below(u32::try_from(LIFE).unwrap_or_default()));
        let which = |dice: &mut Dice| dice.below(u32::try_from(devices).unwrap_or_default()) as usize;
        let slots = (0..devices)
            .map(|_| {
                16 + if dice.chance(0.5) {
                    0
                } else {
                    dice.below(64) as usize
                }
            })
            .collect();
        let records = (0..devices)
            .map(|_| {
                let busy = if dice.chance(0.25) { 3 } else { 1 };
                (0..busy * (6 + dice.below(12))).map(|_| when(dice)).collect()
            })
            .collect();
        let silences = (0..dice.below(4))
            .map(|_| (when(dice) / 2, which(dice), 30_000 + when(dice) / 2))
            .collect();
        let mut crashes: Vec<_> = (0..dice.below(4))
            .map(|_| {
                let moment = dice.pick(&MOMENTS).copied();
                (when(dice), moment.unwrap_or(Moment::Committed))
            })
            .collect();
        crashes.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        let power_cuts = (0..dice.below(5))
            .map(|_| {
                let budget = dice.below(900) as usize;
                (
                    when(dice),
                    which(dice),
                    budget,
                    1_000 + i64::from(dice.below(60_000)),
                )
            })
            .collect();
        let boots_lost = (0..u32::from(dice.chance(0.2)))
            .map(|_| (when(dice), which(dice)))
            .collect();
        let backup = LIFE / 4 + when(dice) / 2;
        let restores = (0..u32::from(dice.chance(0.4)) + u32::from(dice.chance(0.2)))
            .map(|_| backup + 1_000 + when(dice) / 4)
            .collect();
        let broker_crashes = (0..dice.below(3)).map(|_| when(dice)).collect();
        Self {
            slots,
            records,
            crashes,
            power_cuts,
            boots_lost,
            silences,
            backup,
            restores,
            broker_crashes,
        }
    }
}
