//! What an edition of the lists costs by the size of the city: wall and processor time, and peak memory.
//!
//! ```text
//! cargo bench -p hemu-ledger --bench edition                                # ten thousand households, in seconds
//! cargo bench -p hemu-ledger --bench edition -- --households 1000000 --days 90
//! ```
//!
//! The city is written by a process of its own, so that the memory measured is the edition's.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a benchmark whose data cannot be prepared has failed"
)]

mod city;

use std::path::Path;
use std::process::Command;

use hemu_ledger::read::States;
use hemu_ledger::{Folder, Ledger};
use hemu_rules::{Rule, Status, Zone};
use tokio::time::Instant;

struct Options {
    households: u32,
    days: i32,
    /// What this process is to do, and where; `None` for the one that starts the others.
    part: Option<(Part, String)>,
}

#[derive(Clone, Copy)]
enum Part {
    Make,
    Measure,
}

impl Options {
    fn of(arguments: impl Iterator<Item = String>) -> Self {
        let mut options = Self {
            households: 10_000,
            days: 90,
            part: None,
        };
        let mut arguments = arguments.filter(|argument| argument != "--bench");
        while let Some(name) = arguments.next() {
            let value = arguments.next().unwrap_or_default();
            match name.as_str() {
                "--households" => options.households = value.parse().unwrap(),
                "--days" => options.days = value.parse().unwrap(),
                "--make" => options.part = Some((Part::Make, value)),
                "--measure" => options.part = Some((Part::Measure, value)),
                _ => {}
            }
        }
        options
    }

    fn run_part(&self, part: &str, folder: &Path) {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg(part).arg(folder);
        command.args(["--households", &self.households.to_string()]);
        command.args(["--days", &self.days.to_string()]);
        assert!(command.status().unwrap().success(), "{part}");
    }
}

fn main() {
    let options = Options::of(std::env::args().skip(1));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    match &options.part {
        Some((Part::Make, folder)) => {
            runtime.block_on(city::make(Path::new(folder), options.households, options.days));
        }
        Some((Part::Measure, folder)) => runtime.block_on(measure(Path::new(folder), &options)),
        None => {
            let folder = tempfile::tempdir().unwrap();
            options.run_part("--make", folder.path());
            options.run_part("--measure", folder.path());
        }
    }
}

async fn measure(folder: &Path, options: &Options) {
    let ledger = Ledger::open(&Folder::open(folder).unwrap(), Zone::SHANGHAI)
        .await
        .unwrap();
    let (began, processor) = (Instant::now(), processor_seconds());
    let edition = ledger
        .edition(&Rule::V1, city::EDITION, &States::new())
        .await
        .unwrap();
    let (wall, processor) = (began.elapsed().as_secs_f64(), processor_seconds() - processor);
    assert_eq!(edition.places.len(), options.households as usize);
    let count = |status| {
        let of_status = edition
            .places
            .iter()
            .filter(|place| place.outcome.status == status);
        of_status.count()
    };
    let [red, _, grey, unrated] = Status::ALL.map(count);
    assert!(
        unrated < grey && red > 0,
        "{red} red, {grey} grey, {unrated} unrated"
    );
    let households = f64::from(options.households);
    println!(
        "edition/{}: wall {wall:.2} s, processor {processor:.2} s ({:.1} us a household), peak memory {} MiB",
        options.households,
        processor / households * 1e6,
        peak_kib() >> 10,
    );
}

/// Most memory this process ever had.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = peak.and_then(|peak| peak.trim().strip_suffix(" kB"));
    number.and_then(|number| number.parse().ok()).unwrap_or_default()
}

/// User and system time of this process, in the kernel's hundredths.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2);
    ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}
