//! Many devices, many records, a long time: what a site must stand that grew.

use std::time::Duration;

use anyhow::{Context, Result};
use firmware_sim::reading::boot_number;
use indicatif::ProgressBar;
use rustix::process::{Resource, getrlimit};
use tempfile::TempDir;
use tokio::time::Instant;

use crate::child::Server;
use crate::fleet::{Bin, Fleet, Manners, Member, Threads, Trust, preload};
use crate::lag;
use crate::lists;
use crate::oracle::Sent;
use crate::plan::{Plan, Size};
use crate::report::Report;
use crate::scene::{CONNECTIONS, Scene, until};

/// Records of one device and day.
const A_DAY: u64 = 60;
/// Devices that live on while others come back.
const LIVE: u64 = 20;
/// Promises to them take no longer, 99 of 100, ms.
const LIVE_WITHIN_MS: f64 = 2_000.0;
/// Memory of a server that takes a backlog, KiB.
const BACKLOG_KIB: u64 = 512 * 1_024;
/// A storm of reconnects is over by then.
const STORM_WITHIN: Duration = Duration::from_secs(30);
/// Files that are open besides the devices' connections.
const OTHER_FILES: u64 = 500;
/// Files of a device that keeps its ring and its log open, with its connection.
const FILES_EACH: u64 = 3;

pub(super) async fn backlog(plan: &Plan) -> Result<Report> {
    let (devices, days) = plan.sized((200, 7), (2_000, 30));
    let each = plan.records.map_or(days * A_DAY, |records| records / devices);
    let scene = Scene::set(plan, devices + LIVE, devices * each).await?;
    let ring = usize::try_from(each)? + 16;
    let memory = memory_folder();
    let folder = memory.as_ref().map_or(scene.folder.path(), TempDir::path);
    let (back, here) = (folder.join("back"), folder.join("here"));
    std::fs::create_dir(&back)?;
    std::fs::create_dir(&here)?;
    let members = scene.members(0, Duration::ZERO);
    let (live, offline) = members.split_at(usize::try_from(LIVE)?);
    let seconds = plan.seconds.unwrap_or(plan.sized(10, 120));
    let lasting = Some(Duration::from_secs(seconds));
    let live: Vec<Member> = live
        .iter()
        .map(|member| Member {
            goal: seconds,
            lasting,
            ..member.clone()
        })
        .collect();
    let trust = Trust::Receipt;
    let waiting = |member: &Member| Member {
        goal: each,
        lasting: None,
        trust,
        ..member.clone()
    };
    let offline: Vec<Member> = offline.iter().map(waiting).collect();
    plan.bar.set_length(devices);
    for member in &offline {
        let (id, file) = (&member.key.device, format!("{}.ring", member.key.device));
        preload(&back.join(file), ring, member, boot_number(plan.seed, id, 0))?;
        plan.bar.inc(1);
    }
    let server = scene.home.serve()?;
    let rss_start_kib = server.rss_kib();
    // Theirs are the times: nothing but the server may keep them waiting.
    let threads = Threads::start()?;
    let manners = Manners {
        folder: here,
        batch: 1,
        ..scene.manners()
    };
    let alive = Fleet::start_on(&threads, &live, &manners)?;
    let live_tally = alive.tally.clone();
    let look = Duration::from_millis(50);
    let manners = Manners {
        folder: back,
        ring,
        batch: 64,
        window: 16,
        look,
        ..scene.manners()
    };
    let (began, returning) = (Instant::now(), Fleet::start(&offline, &manners)?);
    let tally = returning.tally.clone();
    let mut peak = rss_start_kib;
    until(Duration::from_mins(10), || {
        peak = peak.max(server.rss_kib());
        returning.is_done()
    })
    .await;
    let taken = began.elapsed();
    let mut bins = returning.finish(Duration::from_mins(2)).await?;
    bins.extend(alive.finish(Duration::from_mins(4)).await?);
    let n = devices * each;
    let goal = format!("{devices} devices with {days} days each: 0 lost, others' p99 < 2 s, memory < 512 MB");
    let mut report = Report {
        goal,
        n,
        rss_start_kib,
        rss_end_kib: server.rss_kib(),
        ..Report::default()
    };
    // The times are those of the devices that live on.
    report.close(&live_tally, bins.iter().map(Bin::held).sum());
    report
        .figures
        .insert("backlog_seconds".to_owned(), taken.as_secs_f64().round());
    report
        .figures
        .insert("rss_peak_while_back_kib".to_owned(), peak as f64);
    report
        .figures
        .insert("backlog_connections".to_owned(), tally.connections() as f64);
    let (p99, peak) = (report.p99_ms, peak.max(report.rss_end_kib));
    report.require(p99 < LIVE_WITHIN_MS, || {
        format!("99 of 100 of the others were acknowledged within {p99} ms")
    });
    report.require(peak < BACKLOG_KIB, || format!("memory reached {peak} KiB"));
    report.judged(scene.judge(server, &bins).await?);
    Ok(report)
}

pub(super) async fn storm(plan: &Plan) -> Result<Report> {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let wanted = plan.records.unwrap_or(plan.sized(2_000, 10_000));
    let devices = wanted.min(limit.saturating_sub(OTHER_FILES));
    let scene = Scene::set(plan, devices, devices * 2).await?;
    let lasting = Some(Duration::from_secs(plan.seconds.unwrap_or(plan.sized(20, 90))));
    let slow = |member: Member| Member {
        goal: 2,
        lasting,
        ..member
    };
    let members: Vec<Member> = scene.members(0, Duration::ZERO).into_iter().map(slow).collect();
    let mut server = scene.home.serve()?;
    let rss_start_kib = server.rss_kib();
    let manners = Manners {
        ring: 32,
        files_stay_open: false,
        look: Duration::from_millis(500),
        ..scene.manners()
    };
    let (began, fleet) = (Instant::now(), Fleet::start(&members, &manners)?);
    plan.bar.set_length(2 * devices);
    let all = |times: u64| fleet.tally.connections() >= times * devices;
    until(Duration::from_mins(2), || all(1)).await;
    let first = began.elapsed();
    server.kill()?;
    server = scene.home.serve()?;
    let again = Instant::now();
    until(Duration::from_mins(2), || all(2)).await;
    let second = again.elapsed();
    let goal = format!(
        "{devices} connections, all back within {} s of the server",
        STORM_WITHIN.as_secs()
    );
    let mut report = Report {
        goal,
        n: devices,
        rss_start_kib,
        ..Report::default()
    };
    report
        .faults
        .extend([("server_kills".to_owned(), 1), ("asked_for".to_owned(), wanted)]);
    report
        .figures
        .insert("first_connections_ms".to_owned(), first.as_millis() as f64);
    report
        .figures
        .insert("reconnected_ms".to_owned(), second.as_millis() as f64);
    report.require(all(2), || {
        format!("only {} connections were made", fleet.tally.connections())
    });
    report.require(second <= STORM_WITHIN, || format!("it took {second:?}"));
    scene.conclude(server, fleet, report, false).await
}

/// A load that goes on evenly.
struct Load {
    seconds: u64,
    records: u64,
    /// Messages a second.
    rate: u64,
    devices: u64,
}

impl Load {
    fn of(plan: &Plan) -> Self {
        let seconds = plan.seconds.unwrap_or(plan.sized(60, 4 * 3_600));
        let records = plan.records.unwrap_or(plan.sized(1_000, 2_000) * seconds);
        let rate = records / seconds.max(1);
        // A word a second each, if that many may be connected: nobody waits for the receipt that would be a second one.
        let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        let devices = rate.min(limit.saturating_sub(OTHER_FILES) / FILES_EACH);
        Self {
            seconds,
            records,
            rate,
            devices: devices.clamp(LIVE, CONNECTIONS),
        }
    }

    fn time(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    fn members(&self, scene: &Scene) -> Vec<Member> {
        let steady = |member: Member| Member {
            lasting: Some(self.time()),
            trust: Trust::Receipt,
            ..member
        };
        let members = scene.members(self.records, Duration::ZERO);
        members.into_iter().map(steady).collect()
    }
}

pub(super) async fn soak(plan: &Plan) -> Result<Report> {
    let load = Load::of(plan);
    let (seconds, time) = (load.seconds, load.time());
    let scene = Scene::set(plan, load.devices, load.records).await?;
    let members = load.members(&scene);
    let server = scene.home.serve()?;
    let (memory, manners) = (memory_folder(), scene.manners());
    let manners = Manners {
        folder: memory
            .as_ref()
            .map_or(manners.folder, |memory| memory.path().to_owned()),
        batch: 1,
        ring: 512,
        look: Duration::from_millis(200),
        ..manners
    };
    let began = Instant::now();
    let fleet = Fleet::start(&members, &manners)?;
    plan.bar.set_length(seconds);
    let look = Duration::from_millis(100);
    let over = || began.elapsed() >= time || fleet.is_done();
    let (samples, lag) = tokio::join!(watch(&server, &plan.bar, over), lag::watched(&server, look, over));
    // A quarter to warm up.
    let (_, warm) = samples.split_at(samples.len() / 4);
    let at_start = warm.first().map_or(0, |(_, kib)| *kib);
    let rate = load.rate;
    let mut report = Report {
        goal: format!(
            "{rate} messages a second for {seconds} s: receipts within 1 s, flat memory, nothing lost"
        ),
        n: load.records,
        rss_start_kib: at_start,
        ..Report::default()
    };
    report.figures.insert("devices".to_owned(), load.devices as f64);
    growth(&mut report, warm, seconds);
    lag::reported(&mut report, &lag?, plan.size);
    let mut report = scene.conclude(server, fleet, report, false).await?;
    report
        .figures
        .insert("receipt_p99_ms".to_owned(), report.receipt_p99_ms);
    let (grown, late) = (report.rss_end_kib.saturating_sub(at_start), report.receipt_p99_ms);
    report.require(grown < 64 * 1_024, || format!("memory grew by {grown} KiB"));
    report.require(plan.size == Size::Ci || late <= 1_000.0, || {
        format!("receipts within {late} ms")
    });
    Ok(report)
}

/// How memory grows; it must not, where there was time to see it.
fn growth(report: &mut Report, samples: &[(Duration, u64)], seconds: u64) {
    let pieces = means(samples);
    let slope = slope(&pieces);
    let error = slope_error(&pieces, slope);
    report.figures.insert("rss_kib_an_hour".to_owned(), slope.round());
    report
        .figures
        .insert("rss_error_kib_an_hour".to_owned(), error.round());
    report.require(seconds < 3_600 || slope < 1_024.0, || {
        format!("memory grows by {slope:.0} KiB an hour")
    });
}

/// What is looked at is the server's disk: that of many devices is in memory, where there is such a folder.
fn memory_folder() -> Option<TempDir> {
    let mut folder = tempfile::Builder::new();
    folder.prefix("hemu-torture-").tempdir_in("/dev/shm").ok()
}

/// Time and memory, once a second.
async fn watch(server: &Server, bar: &ProgressBar, over: impl Fn() -> bool) -> Vec<(Duration, u64)> {
    let (began, mut samples) = (Instant::now(), Vec::new());
    while !over() {
        tokio::time::sleep(Duration::from_secs(1)).await;
        samples.push((began.elapsed(), server.rss_kib()));
        bar.set_position(began.elapsed().as_secs());
    }
    samples
}

/// Pieces of the time that are looked at for growth: what folding borrows for a moment is evened out in each.
const PIECES: usize = 12;

/// Hours since the beginning, and KiB: the mean of each piece.
fn means(samples: &[(Duration, u64)]) -> Vec<(f64, f64)> {
    let mean = |piece: &[(Duration, u64)]| {
        let n = piece.len() as f64;
        let hours: f64 = piece.iter().map(|(at, _)| at.as_secs_f64() / 3_600.0).sum();
        let kib: f64 = piece.iter().map(|(_, kib)| *kib as f64).sum();
        (hours / n, kib / n)
    };
    let size = samples.len().div_ceil(PIECES).max(1);
    samples.chunks(size).map(mean).collect()
}

/// The straight line through the pieces, KiB an hour.
fn slope(pieces: &[(f64, f64)]) -> f64 {
    let (at, kib) = middle(pieces);
    let above: f64 = pieces.iter().map(|(x, y)| (x - at) * (y - kib)).sum();
    let below = spread(pieces);
    if below > 0.0 { above / below } else { 0.0 }
}

/// The standard error of that line: as much it may rise or fall where nothing grows.
fn slope_error(pieces: &[(f64, f64)], slope: f64) -> f64 {
    let (at, kib) = middle(pieces);
    let beside: f64 = pieces
        .iter()
        .map(|(x, y)| (y - kib - slope * (x - at)).powi(2))
        .sum();
    let below = spread(pieces) * pieces.len().saturating_sub(2) as f64;
    if below > 0.0 { (beside / below).sqrt() } else { 0.0 }
}

fn middle(pieces: &[(f64, f64)]) -> (f64, f64) {
    let n = pieces.len().max(1) as f64;
    let add = |(x, y): (f64, f64), piece: &(f64, f64)| (x + piece.0 / n, y + piece.1 / n);
    pieces.iter().fold((0.0, 0.0), add)
}

fn spread(pieces: &[(f64, f64)]) -> f64 {
    let (at, _) = middle(pieces);
    pieces.iter().map(|(x, _)| (x - at).powi(2)).sum()
}

pub(super) async fn recovery(plan: &Plan) -> Result<Report> {
    let (rows, kills) = (
        plan.records.unwrap_or(plan.sized(50_000, 1_000_000)),
        plan.kills.unwrap_or(plan.sized(3, 20)),
    );
    let told = kills * 2_000;
    let scene = Scene::set(plan, 8, rows + told).await?;
    let says = scene.usual(0);
    let file = scene.folder.path().join("rows.csv");
    let (device, boot) = ("archive".to_owned(), 1);
    lists::write_import(
        &file,
        &[Sent {
            device,
            boot,
            upto: rows,
            says,
        }],
    )?;
    scene.home.command(&["import", &file.to_string_lossy()])?;
    let mut server = scene.home.serve()?;
    let lasting = Duration::from_secs(kills);
    let fleet = Fleet::start(&scene.members(told, lasting), &scene.manners())?;
    let mut slowest = Duration::ZERO;
    plan.bar.set_length(kills);
    for number in 1..=kills {
        let due = fleet.goal * number / (kills + 1);
        until(Duration::from_mins(1), || fleet.tally.erased() >= due).await;
        server.kill()?;
        server = scene.home.serve()?;
        slowest = slowest.max(server.started_in);
        plan.bar.inc(1);
    }
    let bins = fleet.finish(Duration::from_mins(2)).await?;
    let mut report = Report {
        goal: format!("ready within 2 s of a start after a kill, with {rows} rows"),
        n: rows,
        rss_end_kib: server.rss_kib(),
        ..Report::default()
    };
    server.end()?;
    scene.home.command(&["verify"]).context("after the kills")?;
    let held: u64 = bins.iter().map(Bin::held).sum();
    report.require(held == 0, || format!("{held} records were never promised"));
    report.faults.insert("server_kills".to_owned(), kills);
    report
        .figures
        .insert("slowest_start_ms".to_owned(), slowest.as_millis() as f64);
    report.require(slowest <= Duration::from_secs(2), || {
        format!("the slowest start took {slowest:?}")
    });
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kib: impl Fn(u64) -> u64) -> Vec<(f64, f64)> {
        let samples: Vec<_> = (0..3_600).map(|s| (Duration::from_secs(s), kib(s))).collect();
        means(&samples)
    }

    #[test]
    fn what_is_borrowed_is_no_growth_and_growth_is_found_beside_it() {
        let borrowed = |second: u64| if second.is_multiple_of(7) { 20_000 } else { 0 };
        let flat = of(|second| 400_000 + borrowed(second));
        assert!(slope(&flat).abs() < 200.0 && slope_error(&flat, slope(&flat)) < 200.0);
        let grows = of(|second| 400_000 + second + borrowed(second));
        assert!((slope(&grows) - 3_600.0).abs() < 200.0);
        assert!((slope(&of(|_| 5)), slope(&[])) == (0.0, 0.0));
    }
}
