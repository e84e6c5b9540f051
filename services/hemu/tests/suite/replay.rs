//! Recordings of real sensors through the real server: every row is stored, quarantined with a reason, or a repeat.
//!
//! The recordings are not part of the repository; without them the test says so and passes.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use firmware_sim::keys::Keys;
use firmware_sim::replay::{Options, Order, Recording, send};

use crate::brokers::until;
use crate::people::looking;
use crate::serve::get_with;
use crate::support::{Server, add_device, succeed};

#[expect(clippy::unwrap_used, reason = "a test's helper fails loudly")]
fn recordings() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/telemetry");
    let mut files = Vec::new();
    for folder in [folder.clone(), folder.join("dtu_smart_trash_2016")] {
        let Ok(entries) = std::fs::read_dir(folder) else {
            continue;
        };
        files.extend(entries.map(|entry| entry.unwrap().path()).filter(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            path.extension().is_some_and(|suffix| suffix == "csv") || name.starts_with("s0201")
        }));
    }
    files.sort();
    files
}

/// What the charts of the pages are drawn from: how many readings are behind the points, whose values are shares.
#[expect(clippy::unwrap_used, clippy::panic, reason = "a test's helper fails loudly")]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts come as numbers of a chart"
)]
fn readings_of_fill(server: &Server, looking: &str) -> u64 {
    let chart = |agg: &str, year: i64| -> Vec<f64> {
        // The recordings are of 2016 to 2019, and a chart is of 400 days at most.
        let a_year = 365 * 86_400_000;
        let from = 1_451_577_600_000 + year * a_year;
        let url = format!(
            "{}/api/v1/series?device=gateway&measure=fill&step=day&agg={agg}&from={from}&to={}",
            server.http,
            from + a_year
        );
        let answer = get_with(&url, looking);
        let body = answer.split("\r\n\r\n").nth(1).unwrap_or_default();
        let chart: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
        let Some(lines) = chart["series"].as_array() else {
            panic!("{answer}")
        };
        let points = lines.iter().flat_map(|line| line["points"].as_array().unwrap());
        points.map(|point| point[1].as_f64().unwrap()).collect()
    };
    let years = 0..5;
    let means = years.clone().flat_map(|year| chart("mean", year));
    assert!(means.into_iter().all(|mean| (0.0..=1.0).contains(&mean)));
    years
        .flat_map(|year| chart("count", year))
        .map(|count| count as u64)
        .sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_recorded_row_is_accounted_for() {
    let files = recordings();
    if files.is_empty() {
        println!("skipped: the recordings of real sensors are not there");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let mut recording = Recording::default();
    for file in &files {
        recording.add(File::open(file).unwrap(), None).unwrap();
    }
    // Behind one gateway, as a site with other people's sensors would connect them.
    let (messages, expected) = recording.through("gateway").messages(Order::File);
    assert!(expected.add_up(), "{expected:?}");
    let keys = Keys(vec![add_device(data, "gateway")]);
    let server = Server::start(data, 0);
    let options = Options {
        addr: server.mqtt,
        speed: 0.0,
    };
    let report = send(&options, &keys, messages, Arc::default()).await.unwrap();
    let looking = looking(data);
    until("a fill curve of everything that was stored", || {
        let told = readings_of_fill(&server, &looking);
        assert!(told <= expected.stored, "{told} of {expected:?}");
        told == expected.stored
    });
    assert!(server.terminate().success());
    succeed(data, &["verify"]);

    let url = format!("sqlite:{}", data.join("projections.db").display());
    let mut file = <sqlx::SqliteConnection as sqlx::Connection>::connect(&url)
        .await
        .unwrap();
    let count = async |file: &mut sqlx::SqliteConnection, sql: &'static str| -> u64 {
        let (n,): (i64,) = sqlx::query_as(sql).fetch_one(file).await.unwrap();
        n.cast_unsigned()
    };
    let accepted = count(&mut file, "select accepted from progress").await;
    let quarantined = count(&mut file, "select quarantined from progress").await;
    let unexplained = count(
        &mut file,
        "select count(*) from quarantine where reason = '' or detail = ''",
    )
    .await;
    println!(
        "{expected:?}, acknowledged {}, accepted {accepted} of which quarantined {quarantined}",
        report.acked
    );
    assert_eq!(report.acked, expected.rows);
    assert_eq!(quarantined, expected.quarantined);
    assert_eq!(accepted - quarantined, expected.stored);
    assert_eq!(unexplained, 0);
}
