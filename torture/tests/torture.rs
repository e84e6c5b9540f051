//! The scenarios at small sizes, against the real binary; and the proof that they would notice.
#![expect(clippy::expect_used, reason = "a test whose scene cannot be set has failed")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::SystemTime;

use hemu_torture::plan::{Db, Plan, Size};
use hemu_torture::report::Report;
use hemu_torture::sabotage::Sabotage;
use hemu_torture::scenario::Scenario;
use indicatif::ProgressBar;

/// The server's binary, as fresh as its sources: `cargo test --workspace` has built it, `-p hemu-torture` may not have.
fn hemu() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let program = Path::new(env!("CARGO_BIN_EXE_hemu-torture")).with_file_name("hemu");
        let built = program.metadata().and_then(|file| file.modified());
        let services = Path::new(env!("CARGO_MANIFEST_DIR")).join("../services");
        let rooms = std::fs::read_dir(services)
            .expect("the rooms")
            .filter_map(Result::ok);
        let sources = rooms
            .map(|room| newest(&room.path().join("src")))
            .max()
            .expect("sources");
        if built.is_ok_and(|built| built >= sources) {
            return program;
        }
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "-p", "hemu", "--bin", "hemu"]);
        if !cfg!(debug_assertions) {
            cargo.arg("--release");
        }
        assert!(cargo.status().expect("cargo runs").success());
        program
    })
}

/// When the newest file of a folder was written.
fn newest(folder: &Path) -> SystemTime {
    let files = std::fs::read_dir(folder)
        .expect("a folder")
        .filter_map(Result::ok);
    let of = |file: std::fs::DirEntry| {
        let about = file.metadata().expect("its state");
        if about.is_dir() {
            newest(&file.path())
        } else {
            about.modified().expect("its time")
        }
    };
    files.map(of).max().unwrap_or(SystemTime::UNIX_EPOCH)
}

#[expect(
    clippy::disallowed_methods,
    reason = "beside a real server, the time is the machine's"
)]
fn now() -> i64 {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).expect("an age of the calendar")
}

fn plan(sabotage: Option<Sabotage>) -> Plan {
    Plan {
        hemu: hemu().to_owned(),
        work: std::env::temp_dir(),
        seed: 1,
        size: Size::Ci,
        kills: None,
        records: None,
        seconds: None,
        now: now(),
        behind_mosquitto: false,
        db: Db::Sqlite,
        sabotage,
        bar: ProgressBar::hidden(),
    }
}

/// Runs a scenario that must miss nothing.
async fn holds(scenario: Scenario, plan: Plan) -> Report {
    let report = scenario.run(&plan).await.expect("the scene is set");
    println!("{}", report.line());
    may_be_skipped(&report);
    assert!(report.ok, "{:?}", report.misses);
    report
}

/// Fails where something was skipped for want of what has to be there.
fn may_be_skipped(report: &Report) {
    let names = std::env::var("HEMU_TEST_REQUIRE").unwrap_or_default();
    let missing = |why: &String| names.split_whitespace().any(|name| why.contains(name));
    assert!(
        !report.skipped.as_ref().is_some_and(missing),
        "HEMU_TEST_REQUIRE asks for it: {:?}",
        report.skipped
    );
}

/// The lists were held against their own oracle, which has to be there only where `HEMU_TEST_REQUIRE` says so.
fn lists_were_judged(report: &Report) {
    let names = std::env::var("HEMU_TEST_REQUIRE").unwrap_or_default();
    let required = names.split_whitespace().any(|name| name == "scipy");
    let rows = report.figures.get("rows_of_the_lists_oracle");
    assert!(rows.map_or(!required, |rows| *rows >= 100.0), "{report:?}");
}

/// Whatever is killed, at whatever door and store.
async fn twenty_kills_lose_nothing(plan: Plan) {
    let report = holds(Scenario::Kill9, plan).await;
    if report.skipped.is_some() {
        return;
    }
    let kills = report.faults.iter().filter(|(name, _)| name.ends_with("_kills"));
    assert!(
        report.acked >= 20_000 && kills.map(|(_, kills)| kills).sum::<u64>() >= 20,
        "{report:?}"
    );
    lists_were_judged(&report);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_over_twenty_kills() {
    let report = holds(Scenario::Kill9, plan(None)).await;
    assert!(
        report.acked >= 20_000 && report.faults["server_kills"] == 20,
        "{report:?}"
    );
    lists_were_judged(&report);
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_mosquitto_nothing_receipted_is_lost() {
    let plan = Plan {
        behind_mosquitto: true,
        ..plan(None)
    };
    twenty_kills_lose_nothing(plan).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_shared_postgresql_nothing_acknowledged_is_lost_and_everything_receipted_whoever_dies() {
    let plan = Plan {
        db: Db::Postgres,
        ..plan(None)
    };
    twenty_kills_lose_nothing(plan).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_shared_postgresql_behind_mosquitto_nothing_receipted_is_lost_whoever_dies() {
    let plan = Plan {
        behind_mosquitto: true,
        db: Db::Postgres,
        ..plan(None)
    };
    twenty_kills_lose_nothing(plan).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_when_a_standby_takes_over_from_a_primary_that_died() {
    let report = holds(Scenario::Failover, plan(None)).await;
    if report.skipped.is_some() {
        return;
    }
    assert!(
        report.acked >= 3_000 && report.faults["primary_kills"] == 2,
        "{report:?}"
    );
    lists_were_judged(&report);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_spends_twice_over_ten_kills() {
    let report = holds(Scenario::Timebank, plan(None)).await;
    assert!(
        report.faults["server_kills"] == 10
            && report.acked >= 500
            && report.figures["refused_not_enough"] >= 100.0,
        "{report:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_spends_twice_on_postgresql_whether_server_or_database_dies() {
    let plan = Plan {
        db: Db::Postgres,
        records: Some(1_500),
        kills: Some(6),
        ..plan(None)
    };
    holds(Scenario::Timebank, plan).await;
}

/// The same run as without it, and the line of the verdict that is red.
async fn is_caught(scenario: Scenario, plan: Plan) {
    let sabotage = plan.sabotage.expect("something is spoilt");
    let report = scenario.run(&plan).await.expect("the scene is set");
    println!("{sabotage:?}\n{}", report.line());
    may_be_skipped(&report);
    if report.skipped.is_some() {
        return;
    }
    let red = report.verdict.map(|verdict| verdict.red()).unwrap_or_default();
    assert!(
        !report.ok && red.contains(&sabotage.red()),
        "{sabotage:?} went unnoticed: {red:?}"
    );
}

fn small(sabotage: Option<Sabotage>) -> Plan {
    Plan {
        kills: Some(6),
        records: Some(6_000),
        ..plan(sabotage)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_sabotage_is_caught_and_the_same_runs_without_are_green() {
    for sabotage in Sabotage::ALL {
        let plan = small(Some(sabotage));
        match sabotage {
            Sabotage::SyncNormal => is_caught(Scenario::PowerCut, plan).await,
            // The test of failovers is the same run without.
            Sabotage::AsyncStandby => {
                let kills = Some(1);
                is_caught(Scenario::Failover, Plan { kills, ..plan }).await;
            }
            _ => is_caught(Scenario::Kill9, plan).await,
        }
    }
    holds(Scenario::Kill9, small(None)).await;
    holds(Scenario::PowerCut, small(None)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_withholds_acknowledgements_and_work_resumes_by_itself() {
    holds(Scenario::DiskFull, plan(None)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_stalls_costs_no_record_and_little_memory() {
    holds(Scenario::SlowDisk, plan(None)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_is_found_or_changes_nothing() {
    let report = holds(Scenario::BitFlip, plan(None)).await;
    assert!(
        report.figures["detected"] > 0.0,
        "no flip was found at all: {report:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn clocks_that_are_wrong_clones_and_poison_are_kept_and_counted_for_what_they_are() {
    for scenario in [Scenario::Skew, Scenario::Clone, Scenario::Poison] {
        holds(
            scenario,
            Plan {
                records: Some(4_000),
                ..plan(None)
            },
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_minute_of_load_with_receipts_in_time() {
    let report = holds(Scenario::Soak, plan(None)).await;
    assert!(report.acked >= 60_000, "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_two_hundred_devices_held_for_days_is_stored_once() {
    let plan = Plan {
        records: Some(20_000),
        ..plan(None)
    };
    let report = Scenario::Backlog.run(&plan).await.expect("the scene is set");
    println!("{}", report.line());
    // How long the others waited is for the release size to say.
    let verdict = report.verdict.expect("the oracle was asked");
    assert!(verdict.red().is_empty() && verdict.acked >= 20_000, "{verdict:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn good_devices_and_pages_are_served_beside_hundreds_who_say_next_to_nothing() {
    let report = holds(Scenario::Slowloris, plan(None)).await;
    assert!(report.faults["connections_made"] >= 440, "{report:?}");
}
