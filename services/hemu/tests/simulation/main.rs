//! The road from a bin to the evidence as one world: the device's state machine on its flash, the endpoint's session,
//! the committer, the projector and the receipts, under one seeded scheduler in virtual time, with everything that goes
//! wrong between them. A seed that breaks an invariant prints itself and the step, and does the same again.
//!
//! `scripts/simulate SEEDS` runs it larger. It opens no socket and waits for no clock; processes, real disks and real
//! brokers are the other tests'.

mod air;
mod bin;
mod disk;
mod oracle;
mod order;
mod plan;
mod report;
mod server;
mod site;
mod world;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use disk::Disk;
use plan::Sabotage;
use report::{Broken, Report};
use world::World;

/// Worlds of an ordinary test run.
const SEEDS: u64 = 500;

fn seeds() -> u64 {
    let wanted = std::env::var("HEMU_TEST_SEEDS").ok();
    wanted.and_then(|text| text.parse().ok()).unwrap_or(SEEDS)
}

/// The first seed; a failing one is looked at with `HEMU_TEST_SEED=n HEMU_TEST_SEEDS=1`.
fn first() -> u64 {
    let wanted = std::env::var("HEMU_TEST_SEED").ok();
    wanted.and_then(|text| text.parse().ok()).unwrap_or(1)
}

fn play(blank: &Disk, seed: u64, sabotage: Sabotage) -> Result<Report, Broken> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Broken::before(seed, &error))?;
    runtime.block_on(World::new(blank, seed, sabotage).live())
}

/// A folder that every world begins with.
#[expect(clippy::unwrap_used, reason = "a test's helper fails loudly")]
fn blank() -> Disk {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(Disk::blank(&plan::devices()))
}

/// Plays many seeds on every core, until one breaks if `stop`; what came of each.
fn play_many(
    blank: &Disk,
    sabotage: Sabotage,
    seeds: std::ops::Range<u64>,
    stop: bool,
) -> Vec<Result<Report, Broken>> {
    let (next, broken) = (AtomicU64::new(seeds.start), AtomicU64::new(0));
    let outcomes = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(2, |n| n.get().min(8));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while !(stop && broken.load(Ordering::Relaxed) > 0) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    let outcome = play(blank, seed, sabotage);
                    broken.fetch_add(u64::from(outcome.is_err()), Ordering::Relaxed);
                    outcomes
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(outcome);
                }
            });
        }
    });
    outcomes.into_inner().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn no_seed_breaks_an_invariant() {
    let blank = blank();
    let outcomes = play_many(&blank, Sabotage::None, first()..first() + seeds(), false);
    let broken: Vec<String> = outcomes
        .iter()
        .filter_map(|outcome| outcome.as_ref().err().map(ToString::to_string))
        .collect();
    let mut sum = Report::default();
    outcomes.iter().flatten().for_each(|report| sum.add(report));
    println!("{} seeds, {sum}", outcomes.len());
    assert!(
        broken.is_empty(),
        "{} seeds broke:\n{}",
        broken.len(),
        broken.join("\n")
    );
    if seeds() >= SEEDS {
        let (quiet, enough) = sum.seldom(seeds());
        assert!(enough, "too little of this happened to mean anything: {quiet}");
    }
}

#[test]
fn the_same_seed_is_the_same_world() {
    let blank = blank();
    for seed in 1..=4 {
        let [one, other] = [(); 2].map(|()| play(&blank, seed, Sabotage::None).unwrap());
        assert_eq!(one, other);
    }
    let [one, other] = [1, 2].map(|seed| play(&blank, seed, Sabotage::None).unwrap().trace);
    assert_ne!(one, other, "two seeds, one world: the seed decides nothing");
    // A world that breaks does so at the same step, too.
    let [one, other] = [(); 2].map(|()| play(&blank, 1, Sabotage::AckBeforeCommit).unwrap_err());
    assert_eq!(one, other);
}

#[test]
fn every_planted_fault_is_caught() {
    let blank = blank();
    for sabotage in Sabotage::ALL {
        let outcomes = play_many(&blank, sabotage, 1..SEEDS + 1, true);
        let caught = outcomes.iter().find_map(|outcome| outcome.as_ref().err());
        let played = outcomes.len();
        println!(
            "{sabotage:?}: {} worlds, {}",
            played,
            caught.map_or("not caught".into(), ToString::to_string)
        );
        assert!(caught.is_some(), "{sabotage:?} was not caught in {played} worlds");
    }
}

/// `HEMU_TEST_PERMUTATIONS` orders instead of 100.
#[test]
fn five_hundred_records_in_any_order_give_the_same_scores_to_the_byte() {
    let wanted = std::env::var("HEMU_TEST_PERMUTATIONS").ok();
    let orders: u64 = wanted.and_then(|text| text.parse().ok()).unwrap_or(100);
    let (blank, records) = (blank(), order::records());
    let score = |seed| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let scores = order::scores(&blank, &records, seed);
        runtime.unwrap().block_on(scores).unwrap()
    };
    let first = score(0);
    assert!(first.lines().count() > 20, "{first}");
    let next = AtomicU64::new(1);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, |n| n.get().min(8)) {
            scope.spawn(|| {
                while let Some(seed) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).filter(|seed| *seed < orders)
                {
                    assert_eq!(score(seed), first, "order {seed}");
                }
            });
        }
    });
    println!(
        "{orders} orders of {} records, {} bytes each the same",
        records.len(),
        first.len()
    );
}
