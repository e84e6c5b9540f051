//! A city's projections and registry, written as they lie on the disk, without a journal: for benchmarks of what reads
//! them.
//!
//! Estates of 80 households and two cameras, 1.9 readings a household and day, 4 % of the bags inspected. Households are
//! numbered across the estates, as they come to speak for the first time.

use std::collections::BTreeMap;
use std::path::Path;

use hemu_ledger::{Folder, Ledger};
use hemu_rules::{Bp, Day, DeviceNo, PairSums, Source, Stream, Zone};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};

/// The day after the last one.
pub(crate) const EDITION: Day = Day::clamped(20_544);
const ESTATE: u32 = 80;
const CAMERAS: u32 = 2;
/// Households a row of `day_sums` holds.
const BLOCK: u32 = 64;
/// Rows a transaction.
const STRETCH: u32 = 50_000;

/// Marsaglia's xorshift: the same city every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((u128::from(self.0) * u128::from(n)) >> 64) as u64
    }

    /// About normal, times 100.
    fn noise(&mut self) -> i64 {
        (0..3).map(|_| self.below(200).cast_signed() - 100).sum()
    }
}

/// Where a household brings its bags and how well it sorts.
struct Home {
    camera: u32,
    habit: i64,
}

impl Home {
    fn of(no: u32, estates: u32) -> Self {
        let mut dice = Dice(u64::from(no).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        dice.below(2);
        // One in ten sorts badly.
        let best = if dice.below(10) == 0 { 5_000 } else { 9_500 };
        Self {
            camera: no % estates * CAMERAS + dice.below(u64::from(CAMERAS)) as u32,
            habit: best - dice.below(2_500).cast_signed(),
        }
    }
}

/// A household's token; its estate is `E00000` and so on, in the order of the numbers.
pub(crate) fn token(no: u32) -> String {
    // Odd times number modulo a power of two: every number once, in no order.
    format!(
        "hx{:010x}",
        u64::from(no).wrapping_mul(0x9e_3779_b97f_4a7d) & 0xff_ffff_ffff
    )
}

/// Fills a new folder.
pub(crate) async fn make(folder: &Path, households: u32, days: i32) {
    let folder = Folder::open(folder).unwrap();
    let ledger = Ledger::open(&folder, Zone::SHANGHAI).await.unwrap();
    ledger.close().await;
    drop(ledger);
    let estates = households.div_ceil(ESTATE);
    let mut truth = raw(&folder.truth()).await;
    register(&mut truth, households, estates).await;
    truth.close().await.unwrap();
    let mut projections = raw(&folder.projections()).await;
    name(&mut projections, households, estates, days).await;
    let mut pairs = BTreeMap::new();
    let mut rows = 0;
    execute(&mut projections, "begin").await;
    for day in (1..=days).rev().map(|ago| EDITION.plus(-ago)) {
        for block in 0..households.div_ceil(BLOCK) {
            let those = block * BLOCK..((block + 1) * BLOCK).min(households);
            let sums = block_of(day, those, estates, &mut pairs);
            sqlx::query("insert into day_sums (day, block, sums) values (?, ?, ?)")
                .bind(day.get())
                .bind(block)
                .bind(sums)
                .execute(&mut projections)
                .await
                .unwrap();
            rows += 1;
            if rows % STRETCH == 0 {
                execute(&mut projections, "commit").await;
                execute(&mut projections, "begin").await;
            }
        }
    }
    for ((device, day), sums) in pairs {
        sqlx::query(
            "insert into pair (device, day, n, sy, sq, syy, sqq, syq) values (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(device)
        .bind(day)
        .bind(sums.n)
        .bind(sums.sy)
        .bind(sums.sq)
        .bind(sums.syy)
        .bind(sums.sqq)
        .bind(sums.syq)
        .execute(&mut projections)
        .await
        .unwrap();
    }
    execute(&mut projections, "commit").await;
    projections.close().await.unwrap();
}

/// A connection that only writes what can be made again.
async fn raw(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Off);
    options.connect().await.unwrap()
}

async fn execute(connection: &mut SqliteConnection, sql: &'static str) {
    sqlx::query(sql).execute(connection).await.unwrap();
}

async fn register(truth: &mut SqliteConnection, households: u32, estates: u32) {
    execute(truth, "begin").await;
    for estate in 0..estates {
        sqlx::query("insert into estate (id, name) values (?1, ?1)")
            .bind(format!("E{estate:05}"))
            .execute(&mut *truth)
            .await
            .unwrap();
    }
    let mut tokens: Vec<(String, u32)> = (0..households).map(|no| (token(no), no % estates)).collect();
    tokens.sort_unstable();
    for (token, estate) in tokens {
        sqlx::query("insert into household (token, estate, created_at) values (?, ?, 0)")
            .bind(token)
            .bind(format!("E{estate:05}"))
            .execute(&mut *truth)
            .await
            .unwrap();
    }
    execute(truth, "commit").await;
}

/// Numbers and first days of cameras and households.
async fn name(projections: &mut SqliteConnection, households: u32, estates: u32, days: i32) {
    execute(projections, "begin").await;
    for device in 0..estates * CAMERAS {
        sqlx::query("insert into device (no, name) values (?, ?)")
            .bind(device)
            .bind(format!("C{device:06}"))
            .execute(&mut *projections)
            .await
            .unwrap();
    }
    for no in 0..households {
        sqlx::query("insert into household (no, token, first_day) values (?, ?, ?)")
            .bind(no)
            .bind(token(no))
            .bind(EDITION.plus(-days).get())
            .execute(&mut *projections)
            .await
            .unwrap();
    }
    execute(projections, "commit").await;
}

type Pairs = BTreeMap<(u32, i32), PairSums>;

/// One row of `day_sums`, in the bytes the ledger keeps it in.
fn block_of(day: Day, households: std::ops::Range<u32>, estates: u32, pairs: &mut Pairs) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(2_048);
    for no in households {
        let mut dice = Dice(u64::from(no) << 32 ^ u64::from(day.get().cast_unsigned()) << 1 | 1);
        // Its first draws still look like the seed.
        (0..4).for_each(|_| {
            dice.below(2);
        });
        let bags = [1, 1, 1, 2, 2, 2, 2, 3, 3, 4, 0, 4].get(dice.below(13) as usize);
        let bags = bags.copied().unwrap_or(0);
        if bags > 0 {
            household(&mut bytes, no, day, bags, &mut dice, estates, pairs);
        }
    }
    bytes
}

fn household(
    bytes: &mut Vec<u8>,
    no: u32,
    day: Day,
    bags: u32,
    dice: &mut Dice,
    estates: u32,
    pairs: &mut Pairs,
) {
    let home = Home::of(no, estates);
    let mut buckets = BTreeMap::<(Source, Stream), [i64; 3]>::new();
    let mut participation = [0_i64; 5];
    for _ in 0..bags {
        let stream = match dice.below(100) {
            0..50 => Stream::Food,
            50..58 => Stream::Recyclable,
            58..60 => Stream::Hazardous,
            _ => Stream::Residual,
        };
        let grams = 200 + dice.below(1_200).cast_signed();
        let other = dice.below(100) < 15;
        let camera = if other { home.camera ^ 1 } else { home.camera };
        let true_quality = (home.habit + 6 * dice.noise()).clamp(0, 10_000);
        let seen = (1_000 + true_quality * 4 / 5 + 6 * dice.noise()).clamp(0, 10_000);
        participation[0] += grams;
        participation[1 + usize::from(stream.code())] += 1;
        let mut add = |source, trust: i64, quality: i64| {
            let sums = buckets.entry((source, stream)).or_default();
            sums[0] += grams * trust;
            sums[1] += grams * trust * quality;
            sums[2] += 1;
        };
        add(
            Source::Camera(DeviceNo(camera)),
            300 + dice.below(600).cast_signed(),
            seen,
        );
        if dice.below(100) < 4 {
            add(Source::Inspector, 1_000, true_quality);
            let pair = PairSums::of_bag(Bp::clamped(seen), Bp::clamped(true_quality));
            *pairs.entry((camera, day.get())).or_default() += pair;
        }
    }
    number(bytes, u64::from(no % BLOCK));
    for sum in participation {
        signed(bytes, sum);
    }
    number(bytes, buckets.len() as u64);
    for ((source, stream), sums) in buckets {
        signed(bytes, source.code());
        bytes.push(stream.code());
        for sum in sums {
            signed(bytes, sum);
        }
    }
}

/// LEB128.
fn number(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// Zig-zag.
fn signed(bytes: &mut Vec<u8>, value: i64) {
    number(bytes, ((value << 1) ^ (value >> 63)).cast_unsigned());
}
