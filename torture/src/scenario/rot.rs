//! Bits that flip where the store lies: found by `hemu verify`, or of no consequence.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use firmware_sim::draw::Dice;

use crate::child::Home;
use crate::fleet::{Bin, Fleet};
use crate::lists;
use crate::plan::Plan;
use crate::report::Report;
use crate::scene::{Scene, copy, drawn, sent};

const DEVICES: u64 = 4;
/// What is flipped in: the journal with the registry, and what is folded from it.
const FILES: [&str; 2] = ["hemu.db", "projections.db"];

pub(super) async fn bit_flip(plan: &Plan) -> Result<Report> {
    let (copies, records) = (
        plan.kills.unwrap_or(plan.sized(20, 1_000)),
        plan.records.unwrap_or(3_000),
    );
    let scene = Scene::set(plan, DEVICES, records).await?;
    let server = scene.home.serve()?;
    let fleet = Fleet::start(
        &scene.members(records, Duration::from_millis(100)),
        &scene.manners(),
    )?;
    let bins = fleet.finish(Duration::from_mins(2)).await?;
    let mut report = Report {
        goal: format!("of {copies} flipped bits each is found, or changes nothing"),
        n: copies,
        ..Report::default()
    };
    report.close(&crate::fleet::Tally::default(), bins.iter().map(Bin::held).sum());
    report.judged(scene.judge(server, &bins).await?);
    let last = lists::write_import(&scene.folder.path().join("said.csv"), &sent(&bins))?;
    let right = lists::of(&scene.home, last)?;
    let mut dice = Dice::new(drawn(plan.seed, 2), "bits", 0);
    let (mut detected, mut harmless) = (0, 0);
    plan.bar.set_length(copies);
    for _ in 0..copies {
        let data = copy(&scene.home.data, &scene.folder.path().join("rotten"))?;
        let place = flip(&data, &mut dice)?;
        let home = Home {
            data,
            ..scene.home.clone()
        };
        match home.command(&["verify"]) {
            Err(error) => {
                detected += 1;
                let said = error.to_string();
                report.require(!said.contains("panicked"), || format!("{place}: {said}"));
            }
            Ok(_) if lists::of(&home, last).is_ok_and(|lists| lists == right) => harmless += 1,
            Ok(_) => report
                .misses
                .push(format!("{place}: not found, and the lists are others")),
        }
        std::fs::remove_dir_all(&home.data)?;
        plan.bar.inc(1);
    }
    report.faults.insert("bits_flipped".to_owned(), copies);
    report.figures.extend([
        ("detected".to_owned(), f64::from(detected)),
        ("harmless".to_owned(), f64::from(harmless)),
    ]);
    Ok(report)
}

/// Flips one bit somewhere in the files, each byte as likely as another; where that was.
fn flip(data: &Path, dice: &mut Dice) -> Result<String> {
    let length = |name: &&str| std::fs::metadata(data.join(name)).map_or(0, |file| file.len());
    let whole: u64 = FILES.iter().map(length).sum();
    let mut at = dice.bits() % whole.max(1);
    for name in FILES {
        let own = length(&name);
        if at >= own {
            at -= own;
            continue;
        }
        let file = OpenOptions::new().read(true).write(true).open(data.join(name))?;
        let (mut byte, bit) = ([0], dice.below(8));
        file.read_exact_at(&mut byte, at)?;
        file.write_all_at(&[byte[0] ^ (1 << bit)], at)?;
        return Ok(format!("bit {bit} of byte {at} of {name}"));
    }
    None.context("the store is empty")
}
