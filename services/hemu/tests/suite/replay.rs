//! Recordings of real sensors through the real server: every row is stored, quarantined with a reason, or a repeat.
//!
//! The recordings are not part of the repository; without them the test says so and passes.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use firmware_sim::keys::Keys;
use firmware_sim::replay::{Options, Order, Recording, send};

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
