//! Devices that say odd things: impossible times, another's numbers, records the contract does not allow. All of it is kept
//! and none of it counts.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio::time::Instant;

use crate::fleet::{Fleet, Manners, Member, Trust};
use crate::lag;
use crate::plan::Plan;
use crate::report::Report;
use crate::said::{self, Expected, LAST, Says, expected};
use crate::scene::Scene;
use crate::store::Store;

const DEVICES: u64 = 8;
const YEAR: i64 = 365 * 86_400_000;
/// Records go out as fast as they can.
const AT_ONCE: Duration = Duration::from_millis(100);

/// Whoever was promised nothing by then will be promised nothing.
const PATIENCE: Duration = Duration::from_mins(5);
/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// Event times: the ends of the scale, beyond them, a year off, a leap day's last moment, and a summer time's first.
fn times(now: i64) -> [i64; 10] {
    let (leap_day, summer_time) = (1_709_222_399_999, 1_774_749_600_000);
    [
        0,
        i64::MAX,
        i64::MIN,
        -1,
        now + YEAR,
        now - YEAR,
        leap_day,
        summer_time,
        LAST,
        LAST + 1,
    ]
}

fn report(goal: &str, n: u64) -> Report {
    Report {
        goal: goal.to_owned(),
        n,
        ..Report::default()
    }
}

/// How many of what these members say must become what is asked for.
fn expect(members: &[Member], so: impl Fn(&Expected) -> bool) -> u64 {
    let of = |member: &Member| {
        (1..=member.goal)
            .filter(|seq| so(&expected((member.says)(*seq))))
            .count() as u64
    };
    members.iter().map(of).sum()
}

pub(super) async fn skew(plan: &Plan) -> Result<Report> {
    let records = plan.records.unwrap_or(plan.sized(4_000, 100_000));
    let scene = Scene::set(plan, DEVICES, records).await?;
    let times = times(plan.now);
    let mut members = scene.members(records, AT_ONCE);
    for member in &mut members {
        let says = member.says.clone();
        let skewed = move |seq: u64| {
            (
                times[usize::try_from(seq).unwrap_or(0) % times.len()],
                says(seq).1,
            )
        };
        member.says = Arc::new(skewed);
    }
    let server = scene.home.serve()?;
    let fleet = Fleet::start(&members, &scene.manners())?;
    let report = report(
        "impossible times are set aside, times ahead are flagged and not scored",
        records,
    );
    let mut report = scene.conclude(server, fleet, report, false).await?;
    let aside = expect(&members, |record| *record == Expected::Quarantined);
    let ahead =
        |record: &Expected| matches!(record, Expected::Deposit(reading) if reading.at > plan.now + YEAR / 2);
    let ahead = expect(&members, ahead);
    let mut store = Store::open(&scene.home).await?;
    let flagged = store.flagged().await?.unsigned_abs();
    store.close().await?;
    let quarantined = report.verdict.as_ref().map_or(0, |verdict| verdict.quarantined);
    report.faults.extend([
        ("impossible_times".to_owned(), aside),
        ("clocks_ahead".to_owned(), ahead),
    ]);
    report.require(flagged == ahead, || {
        format!("{flagged} of {ahead} clocks ahead were flagged")
    });
    report.require(quarantined == aside, || {
        format!("{quarantined} of {aside} impossible times were set aside")
    });
    Ok(report)
}

pub(super) async fn clone(plan: &Plan) -> Result<Report> {
    let records = plan.records.unwrap_or(plan.sized(4_000, 100_000));
    let scene = Scene::set(plan, DEVICES, records).await?;
    let first = scene.members(records, AT_ONCE);
    // They do not listen: a receipt would tell them that their numbers are stored already, and they would keep silent.
    let again = |member: &Member| Member {
        says: said::cloned(member.says.clone()),
        trust: Trust::Puback,
        ..member.clone()
    };
    let clones: Vec<Member> = first.iter().map(again).collect();
    let server = scene.home.serve()?;
    let folder = scene.folder.path().join("clones");
    std::fs::create_dir(&folder)?;
    let mut bins = Fleet::start(&first, &scene.manners())?
        .finish(Duration::from_mins(2))
        .await?;
    let second = Fleet::start(
        &clones,
        &Manners {
            folder,
            ..scene.manners()
        },
    )?;
    let tally = second.tally.clone();
    bins.extend(second.finish(Duration::from_mins(2)).await?);
    let mut report = report(
        "every record of a clone is kept aside and counted as a conflict",
        records,
    );
    report.rss_end_kib = server.rss_kib();
    report.close(&tally, bins.iter().map(crate::fleet::Bin::held).sum());
    report.judged(scene.judge(server, &bins).await?);
    let differs = |of: &Says, other: &Says, seq| expected(of(seq)) != expected(other(seq));
    let pairs = first.iter().zip(&clones);
    let of = |(one, other): (&Member, &Member)| {
        (1..=one.goal)
            .filter(|seq| differs(&one.says, &other.says, *seq))
            .count() as u64
    };
    let all: u64 = pairs.map(of).sum();
    let mut store = Store::open(&scene.home).await?;
    let theirs = store.progress().await?.conflicts.unsigned_abs();
    store.close().await?;
    report.faults.insert("cloned_records".to_owned(), all);
    let journaled = report.conflicts;
    report.require(journaled >= all, || {
        format!("{journaled} of {all} conflicts are in the journal")
    });
    report.require(theirs == journaled, || {
        format!("the server counts {theirs} conflicts of {journaled}")
    });
    Ok(report)
}

pub(super) async fn poison(plan: &Plan) -> Result<Report> {
    let records = plan.records.unwrap_or(plan.sized(20_000, 100_000));
    let scene = Scene::set(plan, DEVICES, records).await?;
    let mut members = scene.members(records, AT_ONCE);
    for member in &mut members {
        member.says = said::poisoned(member.says.clone());
    }
    let server = scene.home.serve()?;
    let fleet = Fleet::start(
        &members,
        &Manners {
            noise: 0.1,
            ..scene.manners()
        },
    )?;
    let tally = fleet.tally.clone();
    let report = report(
        "one record in ten is poison, and noise beside: good ones all stored, everything receipted",
        records,
    );
    let deadline = Instant::now() + PATIENCE;
    let lag = lag::watched(&server, LOOK, || fleet.is_done() || Instant::now() >= deadline).await?;
    let mut report = scene.conclude(server, fleet, report, true).await?;
    report
        .figures
        .insert("receipt_p99_ms".to_owned(), report.receipt_p99_ms);
    lag::reported(&mut report, &lag, plan.size);
    let poison = expect(&members, |record| *record == Expected::Quarantined);
    report
        .faults
        .extend([("poison".to_owned(), poison), ("noise".to_owned(), tally.noise())]);
    let kept = report.verdict.as_ref().map_or(0, |verdict| verdict.quarantined);
    report.require(kept >= poison, || format!("{kept} of {poison} were set aside"));
    Ok(report)
}
