//! What the ledger costs: an fsync'd commit by batch size (with the bytes it writes), folding, a cursor's look, and what
//! adding up alone would cost: from the journal in memory, and by a database from rows.
//!
//! The data is that of one estate: 3,566 households, 12 cameras, two bags a household and day with an id each, 5 % of
//! them inspected as well. `HEMU_BENCH_DAYS` makes the journal longer than 7 days.
#![expect(
    clippy::unwrap_used,
    reason = "a benchmark whose data cannot be prepared has failed"
)]

use std::collections::HashMap;
use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hemu_ledger::cursor::Cursor;
use hemu_ledger::entry::{Body, Deposit};
use hemu_ledger::journal::Batch;
use hemu_ledger::segment::Segment;
use hemu_ledger::{Alone, Folder, Ledger};
use hemu_rules::{Bp, By, Grams, Millis, Permille, Stream, Zone};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use tokio::runtime::Runtime;

const MIDNIGHT: i64 = 20_454 * 86_400_000 - 8 * 3_600_000;
/// The server's clock: after all of it.
const NOW: i64 = MIDNIGHT + 400 * 86_400_000;
const HOUSEHOLDS: u64 = 3_566;
const CAMERAS: u64 = 12;
/// Cameras and as many inspectors.
const DEVICES: usize = 24;
/// Records a batch: about what queues up during one fsync while a backlog comes in.
const BATCH: usize = 500;

/// A reading: when, which device, which bag of which household, by whom.
struct Said {
    at: i64,
    device: u64,
    bag: u64,
    household: u64,
    by: By,
    dice: u64,
}

/// Marsaglia's xorshift: the same days every time.
fn roll(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// The readings of some days in the order of their times.
fn readings(days: i64) -> Vec<Said> {
    let (mut all, mut state, mut bag) = (Vec::new(), 88_172_645_463_325_252, 0);
    for day in 0..days {
        for household in 0..HOUSEHOLDS {
            for _ in 0..2 {
                bag += 1;
                let dice = roll(&mut state);
                let minute = i64::try_from(6 * 60 + dice % (16 * 60)).unwrap();
                let camera = Said {
                    at: MIDNIGHT
                        + day * 86_400_000
                        + minute * 60_000
                        + i64::try_from(dice >> 20 & 0xffff).unwrap(),
                    device: household * CAMERAS / HOUSEHOLDS,
                    bag,
                    household,
                    by: By::Camera,
                    dice: dice >> 36,
                };
                if dice >> 10 & 0xff < 13 {
                    let (device, at) = (CAMERAS + camera.device, camera.at + 20_000);
                    all.push(Said {
                        by: By::Inspector,
                        device,
                        at,
                        ..camera
                    });
                }
                all.push(camera);
            }
        }
    }
    all.sort_by_key(|said| said.at);
    all
}

/// The devices' sequence numbers.
#[derive(Default)]
struct Fleet {
    seqs: [u64; DEVICES],
    /// Added to the numbers of bags, so that readings used again are readings of other bags.
    bags: u64,
}

impl Fleet {
    /// A batch as the committer makes it: one segment a device.
    fn batch(&mut self, chunk: &[Said]) -> (u64, Vec<u8>) {
        let mut segments: Vec<Option<Segment>> = vec![None; self.seqs.len()];
        for said in chunk {
            let device = usize::try_from(said.device).unwrap();
            self.seqs[device] += 1;
            let seq = self.seqs[device];
            let segment =
                segments[device].get_or_insert_with(|| Segment::of_device(&format!("D{device:02}"), 1, seq));
            let (household, bag) = (
                format!("HX-{:05}", said.household),
                format!("B{:09}", self.bags + said.bag),
            );
            segment.push(seq, &Body::Deposit(said.deposit(&household, &bag)));
        }
        let mut body = Vec::new();
        let records = segments
            .iter()
            .flatten()
            .map(|segment| segment.write(&mut body, |_| true));
        (records.sum(), body)
    }
}

impl Said {
    fn deposit<'a>(&self, household: &'a str, bag: &'a str) -> Deposit<'a> {
        Deposit {
            at: Millis::clamped(self.at),
            household: Some(household),
            bag: Some(bag),
            stream: Stream::from_code(i64::try_from(self.dice & 3).unwrap()).unwrap(),
            weight: Grams::clamped(i64::try_from(200 + (self.dice >> 2) % 2_000).unwrap()),
            quality: Bp::clamped(i64::try_from(5_000 + (self.dice >> 13) % 5_000).unwrap()),
            confidence: Permille::clamped(900),
            by: self.by,
        }
    }
}

async fn open(path: &std::path::Path) -> Ledger {
    let folder = Folder::open(path).unwrap();
    Ledger::open(&folder, Zone::SHANGHAI).await.unwrap()
}

/// Bytes this process has sent to the disk; `None` where the system does not say.
fn bytes_written() -> Option<u64> {
    let io = std::fs::read_to_string("/proc/self/io").ok()?;
    let line = io.lines().find_map(|line| line.strip_prefix("write_bytes: "))?;
    line.parse().ok()
}

fn store_commit(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let readings = readings(2);
    let mut group = c.benchmark_group("store_commit");
    group.sample_size(20);
    for records in [1, 100, 1_000, 10_000] {
        let dir = tempfile::tempdir().unwrap();
        let ledger = runtime.block_on(open(dir.path()));
        let mut journal = runtime.block_on(ledger.journal()).unwrap();
        let (_, body) = Fleet::default().batch(readings.get(..records).unwrap());
        let (before, mut commits) = (bytes_written(), 0);
        group.throughput(Throughput::Elements(records as u64));
        group.bench_function(BenchmarkId::from_parameter(records), |b| {
            b.iter(|| {
                commits += 1;
                runtime
                    .block_on(journal.append(0, records as u64, &body))
                    .unwrap()
            });
        });
        if let (Some(before), Some(after), 1..) = (before, bytes_written(), commits) {
            let (each, own) = (
                (after - before) / (commits * records as u64),
                body.len() / records,
            );
            println!("store_commit/{records}: {each} bytes written a record, {own} of them its own");
        }
    }
    group.finish();
}

fn bench_days() -> i64 {
    std::env::var("HEMU_BENCH_DAYS").map_or(7, |days| days.parse().unwrap())
}

/// Appends the readings as so many batches; the fleet that said them.
async fn fill(ledger: &Ledger, readings: &[Said]) -> Fleet {
    let (mut journal, mut fleet) = (ledger.journal().await.unwrap(), Fleet::default());
    for chunk in readings.chunks(BATCH) {
        let (records, body) = fleet.batch(chunk);
        journal.append(NOW, records, &body).await.unwrap();
    }
    fleet
}

fn project(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let readings = readings(bench_days());
    let dir = tempfile::tempdir().unwrap();
    let mut fleet = runtime.block_on(async { fill(&open(dir.path()).await, &readings).await });
    let mut group = c.benchmark_group("project");
    group.sample_size(10);
    group.throughput(Throughput::Elements(readings.len() as u64));
    // Behind by everything: the largest transactions.
    group.bench_function("rebuild", |b| {
        b.iter(|| {
            runtime.block_on(async {
                let folder = Folder::open(dir.path()).unwrap();
                let alone = Alone::open(&folder, Zone::SHANGHAI).await.unwrap();
                alone.rebuild(|_| ()).await.unwrap()
            })
        });
    });
    // Right behind the committer: a transaction a batch, of readings all over the past.
    let ledger = runtime.block_on(open(dir.path()));
    let (mut projector, _lock) = runtime.block_on(ledger.projector()).unwrap();
    let mut journal = runtime.block_on(ledger.journal()).unwrap();
    let mut chunks = readings.chunks_exact(BATCH).cycle();
    group.throughput(Throughput::Elements(BATCH as u64));
    group.bench_function("live", |b| {
        let append = || {
            fleet.bags += 1_000_000;
            let (records, body) = fleet.batch(chunks.next().unwrap());
            runtime.block_on(journal.append(NOW, records, &body)).unwrap()
        };
        b.iter_batched(
            append,
            |_| runtime.block_on(projector.step()).unwrap(),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

/// The same sums of the same readings without anything kept of them: read from the journal and added up in memory, and
/// as `group by` has them from a table of rows. What `project/rebuild` takes beyond the first is writing.
fn add_up(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let readings = readings(bench_days());
    let dir = tempfile::tempdir().unwrap();
    let ledger = runtime.block_on(open(dir.path()));
    runtime.block_on(fill(&ledger, &readings));
    let mut table = runtime.block_on(rows_of(&readings, &dir.path().join("rows.db")));
    let mut group = c.benchmark_group("add_up");
    group.sample_size(10);
    group.throughput(Throughput::Elements(readings.len() as u64));
    group.bench_function("journal", |b| {
        b.iter(|| runtime.block_on(journal_sums(&ledger)).len());
    });
    group.bench_function("group_by", |b| {
        b.iter(|| {
            runtime
                .block_on(sqlx::query(GROUP_BY).fetch_all(&mut table))
                .unwrap()
                .len()
        });
    });
    group.finish();
}

const GROUP_BY: &str = "select household, (at + 28800000) / 86400000, stream, count(*), sum(weight), sum(quality * weight) \
                        from reading group by 1, 2, 3";

/// By household, day and stream: how many, their grams, and grams times quality.
type Sums = HashMap<(u32, i64, u8), (u64, i64, i64)>;

async fn journal_sums(ledger: &Ledger) -> Sums {
    let (mut sums, mut households, mut after) = (Sums::new(), HashMap::new(), 0);
    loop {
        let batches = ledger.batches(after, 1_000).await.unwrap();
        let Some(last) = batches.last() else { return sums };
        after = last.position;
        for entry in batches.iter().flat_map(Batch::entries) {
            let Body::Deposit(deposit) = entry.unwrap().body else {
                continue;
            };
            let token = deposit.household.unwrap();
            let next = u32::try_from(households.len()).unwrap();
            let household = match households.get(token) {
                Some(household) => *household,
                None => *households.entry(token.to_owned()).or_insert(next),
            };
            let day = (deposit.at.get() + 28_800_000) / 86_400_000;
            let sum = sums.entry((household, day, deposit.stream.code())).or_default();
            let weight = i64::from(deposit.weight.get());
            sum.0 += 1;
            sum.1 += weight;
            sum.2 += weight * i64::from(deposit.quality.get());
        }
    }
}

/// The readings as rows of integers, in the order they came, in a file that is in the memory of the system.
async fn rows_of(readings: &[Said], path: &std::path::Path) -> sqlx::SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let mut table = options.connect().await.unwrap();
    let create = "create table reading (at integer, household integer, stream integer, weight integer, quality integer)";
    sqlx::query(create).execute(&mut table).await.unwrap();
    let mut all = table.begin().await.unwrap();
    for said in readings {
        let deposit = said.deposit("", "");
        sqlx::query("insert into reading values (?, ?, ?, ?, ?)")
            .bind(deposit.at.get())
            .bind(i64::try_from(said.household).unwrap())
            .bind(i64::from(deposit.stream.code()))
            .bind(i64::from(deposit.weight.get()))
            .bind(i64::from(deposit.quality.get()))
            .execute(&mut *all)
            .await
            .unwrap();
    }
    all.commit().await.unwrap();
    table
}

fn cursor_check(c: &mut Criterion) {
    let mut cursor = Cursor::default();
    for seq in 1..=100_000 {
        cursor.take(seq, seq);
    }
    for gap in 0..64 {
        cursor.take(100_002 + 2 * gap, gap);
    }
    let mut group = c.benchmark_group("cursor_check");
    for (what, seq) in [("new", 100_400), ("repeat", 100_000), ("old", 5)] {
        group.bench_function(what, |b| b.iter(|| cursor.check(black_box(seq), seq)));
    }
    group.finish();
}

criterion_group!(benches, store_commit, project, add_up, cursor_check);
criterion_main!(benches);
