//! What the ledger costs: an fsync'd commit by batch size (with the bytes it writes), folding, a cursor's look.
//!
//! The data is that of one estate: 3,566 households, 12 cameras, two bags a household and day with an id each, 5 % of
//! them inspected as well. `HEMU_BENCH_DAYS` makes the journal longer than 7 days.
#![expect(
    clippy::unwrap_used,
    reason = "a benchmark whose data cannot be prepared has failed"
)]

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hemu_ledger::cursor::Cursor;
use hemu_ledger::entry::{Body, Deposit};
use hemu_ledger::segment::Segment;
use hemu_ledger::{Alone, Folder, Ledger};
use hemu_rules::{Bp, By, Grams, Millis, Permille, Stream, Zone};
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

fn project(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let days = std::env::var("HEMU_BENCH_DAYS").map_or(7, |days| days.parse().unwrap());
    let (readings, mut fleet) = (readings(days), Fleet::default());
    let dir = tempfile::tempdir().unwrap();
    runtime.block_on(async {
        let mut journal = open(dir.path()).await.journal().await.unwrap();
        for chunk in readings.chunks(BATCH) {
            let (records, body) = fleet.batch(chunk);
            journal.append(NOW, records, &body).await.unwrap();
        }
    });
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

criterion_group!(benches, store_commit, project, cursor_check);
criterion_main!(benches);
