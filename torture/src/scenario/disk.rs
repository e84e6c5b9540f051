//! A disk without space, and a disk that is slow: acknowledgements wait, reading goes on, and work resumes by itself.

use std::time::Duration;

use anyhow::Result;
use tokio::time::Instant;

use crate::child::{Home, Server};
use crate::fleet::{Fleet, Tally};
use crate::plan::Plan;
use crate::report::Report;
use crate::scene::{Scene, until};
use crate::store::{self, Reached};

/// Pages that people look at while the disk is full.
const PAGES: [&str; 2] = ["/api/v1/overview", "/api/v1/devices"];
/// Acknowledgements resume within this time of the cause going away.
const RESUMES_WITHIN: Duration = Duration::from_secs(10);
/// What a server may grow by while its disk stalls, KiB.
const GROWS_BY: u64 = 64 * 1_024;
/// A stalled fsync takes this long.
const STALL: Duration = Duration::from_secs(5);
const DEVICES: u64 = 8;

pub(super) async fn full(plan: &Plan) -> Result<Report> {
    let (times, records) = (
        plan.kills.unwrap_or(plan.sized(2, 50)),
        plan.records.unwrap_or(plan.sized(6_000, 200_000)),
    );
    let scene = Scene::set(plan, DEVICES, records).await?.on_failing_disk()?;
    let token = scene.home.let_in()?;
    let server = scene.home.serve()?;
    // Longer than the faults take: a server with nothing to write cannot know that there is no space.
    let lasting = Duration::from_secs(20) * u32::try_from(times)?;
    let fleet = Fleet::start(&scene.members(records, lasting), &scene.manners())?;
    let mut report = Report {
        goal: "no acknowledgement without space, pages answer, readyz says so, resumes within 10 s"
            .to_owned(),
        n: times,
        rss_start_kib: server.rss_kib(),
        ..Report::default()
    };
    plan.bar.set_length(times);
    let mut slowest = Duration::ZERO;
    for number in 0..times {
        let due = fleet.goal * number / times;
        until(Duration::from_mins(2), || fleet.tally.erased() > due).await;
        scene.disk()?.full(true)?;
        while_full(&server, &token, &fleet.tally, &mut report).await?;
        scene.disk()?.full(false)?;
        let (freed, before) = (Instant::now(), fleet.tally.acked());
        until(RESUMES_WITHIN * 2, || fleet.tally.acked() > before).await;
        slowest = slowest.max(freed.elapsed());
        until(RESUMES_WITHIN, || is_ready(&server)).await;
        report.require(is_ready(&server), || {
            format!("readyz does not recover: {}", readiness(&server))
        });
        let behind = caught_up(&scene.home).await?;
        report.require(behind.is_none(), || {
            format!("what was stored is not in scores or charts: {behind:?}")
        });
        plan.bar.inc(1);
    }
    let refused = scene.disk()?.counters()?.refused;
    report.faults.extend([
        ("times_full".to_owned(), times),
        ("writes_refused".to_owned(), refused),
    ]);
    report.require(refused >= times, || {
        "the disk was never full for anybody".to_owned()
    });
    report
        .figures
        .insert("resumed_after_ms".to_owned(), slowest.as_millis() as f64);
    report.require(slowest <= RESUMES_WITHIN, || format!("resumed after {slowest:?}"));
    scene.conclude(server, fleet, report, true).await
}

/// Waits until scores and charts have what the journal has now; how far they got if they do not get there. Read from the
/// files: what a server believes of itself may be what it could not write.
async fn caught_up(home: &Home) -> Result<Option<Reached>> {
    let now = store::reached(home).await?.stored;
    let deadline = Instant::now() + RESUMES_WITHIN * 2;
    loop {
        let reached = store::reached(home).await?;
        if reached.folded.min(reached.charted) >= now {
            return Ok(None);
        }
        if Instant::now() >= deadline {
            return Ok(Some(reached));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Four seconds without space: nothing is promised, and people can go on reading.
async fn while_full(server: &Server, token: &str, tally: &Tally, report: &mut Report) -> Result<()> {
    let before = settled(tally).await;
    until(Duration::from_secs(4), || !is_ready(server)).await;
    report.require(!is_ready(server), || {
        "readyz says nothing of a full disk".to_owned()
    });
    report.require(server.get("/healthz")?.0 == 200, || {
        "healthz fails on a full disk".to_owned()
    });
    for page in PAGES {
        let status = server.get_as(token, page)?.0;
        report.require(status == 200, || {
            format!("{page} answers {status} on a full disk")
        });
    }
    tokio::time::sleep(Duration::from_millis(3_500)).await;
    let acked = tally.acked() - before;
    report.require(acked == 0, || {
        format!("{acked} records were acknowledged without space")
    });
    Ok(())
}

/// What was written before may still be acknowledged, later on a busy machine than on an idle one: how many are once no other
/// comes for a while. A server that goes on acknowledging never settles, and is found by what it acknowledges afterwards.
async fn settled(tally: &Tally) -> u64 {
    let mut acked = tally.acked();
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let now = tally.acked();
        if now == acked {
            break;
        }
        acked = now;
    }
    acked
}

/// What `/readyz` says, in a line.
fn readiness(server: &Server) -> String {
    match server.get("/readyz") {
        Ok((status, body)) => format!("{status} {}", body.replace(['\n', ' '], "")),
        Err(error) => error.to_string(),
    }
}

fn is_ready(server: &Server) -> bool {
    server.get("/readyz").is_ok_and(|(status, _)| status == 200)
}

pub(super) async fn slow(plan: &Plan) -> Result<Report> {
    let (seconds, records) = (
        plan.seconds.unwrap_or(plan.sized(10, 270)),
        plan.records.unwrap_or(plan.sized(20_000, 300_000)),
    );
    let scene = Scene::set(plan, DEVICES, records).await?.on_failing_disk()?;
    let server = scene.home.serve()?;
    let fleet = Fleet::start(
        &scene.members(records, Duration::from_secs(seconds)),
        &scene.manners(),
    )?;
    until(Duration::from_mins(2), || fleet.tally.acked() > records / 10).await;
    let rss_start_kib = server.rss_kib();
    let goal = format!(
        "memory grows by less than {} MB while every fsync takes 5 s more, nothing lost",
        GROWS_BY / 1_024
    );
    let mut report = Report {
        goal,
        n: records,
        rss_start_kib,
        ..Report::default()
    };
    scene.disk()?.stall(STALL)?;
    let (began, mut peak) = (Instant::now(), rss_start_kib);
    plan.bar.set_length(seconds);
    while began.elapsed() < Duration::from_secs(seconds) {
        tokio::time::sleep(Duration::from_millis(100)).await;
        peak = peak.max(server.rss_kib());
        plan.bar.set_position(began.elapsed().as_secs());
    }
    scene.disk()?.stall(Duration::ZERO)?;
    let stalled = scene.disk()?.counters()?.stalled;
    report.faults.insert("fsyncs_stalled".to_owned(), stalled);
    report.require(stalled > 0, || "no fsync was ever stalled".to_owned());
    let grown = peak.saturating_sub(rss_start_kib);
    report.figures.insert("rss_grown_kib".to_owned(), grown as f64);
    report.require(grown < GROWS_BY, || format!("memory grew by {grown} KiB"));
    scene.conclude(server, fleet, report, true).await
}
