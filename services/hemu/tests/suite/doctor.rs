//! `hemu doctor` on folders and settings that have one thing wrong each.
#![expect(
    clippy::unwrap_used,
    reason = "a test whose data cannot be prepared has failed"
)]

use std::path::Path;
use std::process::Output;

use hemu_ledger::{Folder, Ledger};
use hemu_rules::Zone;
use jiff::Timestamp;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

use crate::support::{hemu_in, succeed};

const LISTENERS: [&str; 3] = ["mqtt_listen", "http_listen", "metrics_listen"];

/// What doctor says where the settings are these and otherwise harmless.
fn doctor(locale: &str, data: &Path, settings: &str) -> Output {
    let file = data.with_extension("toml");
    let quiet = LISTENERS.iter().filter(|name| !settings.contains(**name));
    let lines: Vec<String> = quiet.map(|name| format!("{name} = \"127.0.0.1:0\"")).collect();
    std::fs::write(&file, format!("{}\n{settings}\n", lines.join("\n"))).unwrap();
    hemu_in(locale, data, &["--config", file.to_str().unwrap(), "doctor"])
}

/// The lines that begin with WRONG; exit 1 exactly when there are any.
fn wrong(data: &Path, settings: &str) -> Vec<String> {
    let found = doctor("C", data, settings);
    let text = String::from_utf8(found.stdout).unwrap();
    let wrong: Vec<String> = text
        .lines()
        .filter(|line| line.starts_with("WRONG"))
        .map(str::to_owned)
        .collect();
    assert_eq!(found.status.code(), Some(i32::from(!wrong.is_empty())), "{text}");
    wrong
}

fn one(data: &Path, settings: &str, says: &[&str]) {
    let wrong = wrong(data, settings);
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    assert!(says.iter().all(|part| wrong[0].contains(part)), "{wrong:?}");
}

fn now() -> Timestamp {
    Timestamp::now()
}

fn import(data: &Path, rows: &str) {
    std::fs::create_dir_all(data).unwrap();
    let file = data.join("rows.csv");
    let header = "reading_id,bag_id,household,estate,at,stream,weight_g,source,device,quality,confidence";
    std::fs::write(&file, format!("{header}\n{rows}")).unwrap();
    succeed(data, &["import", file.to_str().unwrap()]);
}

/// A reading of a device, so many minutes from now.
fn reading(device: &str, minutes: i64) -> String {
    let at = now().as_millisecond() + minutes * 60_000;
    format!("{device}-1,,H1,E1,{at},food,700,cam,{device},0.9,1\n")
}

#[test]
fn settings_that_will_cause_trouble_are_each_found_in_both_languages() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    assert_eq!(wrong(&data, ""), [""; 0]);
    let backups = folder.path().join("backups");
    let backed_up = format!("backup_to = {:?}", backups.to_str().unwrap());
    for (settings, english, chinese) in [
        (
            "mqtt_listen = \"0.0.0.0:0\"\nallow_plain = true",
            "keys in the clear",
            "明文",
        ),
        (
            "http_listen = \"0.0.0.0:0\"\nallow_plain = true\nhosts = [\"hemu.example\"]",
            "passwords and what is known of people",
            "居民信息",
        ),
        ("metrics_listen = \"0.0.0.0:0\"", "use 127.0.0.1", "防火墙"),
        ("disk_free_mb = 1000000000", "make room", "请腾出空间"),
        (&backed_up, "start the server", "请启动服务"),
    ] {
        one(&data, settings, &[english]);
        let told = doctor("zh_CN.UTF-8", &data, settings);
        let told = String::from_utf8(told.stdout).unwrap();
        assert!(told.contains(chinese), "{settings}: {told}");
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let pages = format!(
        "https_listen = \"127.0.0.1:{port}\"\nhosts = [\"hemu.example\"]\ntls_certificate = \"c.pem\"\ntls_key = \"k.pem\""
    );
    one(&data, &pages, &["https_listen", &port.to_string()]);
    // One that is old, then one that is not.
    std::fs::create_dir(&backups).unwrap();
    std::fs::write(backups.join("hemu-20260101T000000.000Z.gz"), "").unwrap();
    one(&data, &backed_up, &["more than twice backup_minutes"]);
    let fresh = now().strftime("hemu-%Y%m%dT%H%M%S%.3fZ.gz.age").to_string();
    std::fs::write(backups.join(fresh), "").unwrap();
    assert_eq!(wrong(&data, &backed_up), [""; 0]);
}

#[tokio::test]
async fn a_file_whose_log_another_program_took_away_is_found_once() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    succeed(&data, &["migrate"]);
    let file = SqliteConnectOptions::new().filename(data.join("hemu.db"));
    let mut connection = file.connect().await.unwrap();
    sqlx::raw_sql("pragma journal_mode = delete")
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    one(&data, "", &["hemu.db", "keep that program off"]);
    assert_eq!(wrong(&data, ""), [""; 0]);
}

#[tokio::test]
async fn a_clock_behind_the_journal_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let ledger = Ledger::open(&Folder::open(&data).unwrap(), Zone::SHANGHAI)
        .await
        .unwrap();
    let mut journal = ledger.journal().await.unwrap();
    let later = now().as_millisecond() + 3_600_000;
    journal.append(later, 0, &[]).await.unwrap();
    drop(journal);
    ledger.close().await;
    drop(ledger);
    one(&data, "", &["minutes ahead of it; set it right"]);
}

#[test]
fn one_device_ahead_is_named_and_when_most_are_it_is_this_machine_that_is_behind() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    import(
        &data,
        &[reading("C1", -5), reading("C2", -1), reading("C3", 60)].concat(),
    );
    one(&data, "", &["C3 is one"]);
    import(&data, &[reading("C4", 60), reading("C5", 60)].concat());
    one(&data, "", &["3 of 5", "this machine"]);
}
