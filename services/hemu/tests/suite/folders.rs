//! Data folders that cannot be used, or not now: a sentence that says what to do, and nothing changed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use hemu_ledger::{Folder, Ledger};
use sqlx::Connection;

use crate::support::{Server, add_device, refuse, succeed};

#[test]
fn a_folder_that_cannot_be_used_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a-file");
    fs::write(&file, "").unwrap();
    let said = refuse(&file.join("data"), &["migrate"]);
    assert!(said.contains("--data") && said.contains("a-file"), "{said}");
}

/// Who may not write, for an administrator may everywhere.
const NOBODY: u32 = 65_534;

#[test]
fn a_folder_that_cannot_be_written_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let program = folder.path().join("hemu");
    fs::copy(env!("CARGO_BIN_EXE_hemu"), &program).unwrap();
    let (empty, used) = (folder.path().join("empty"), folder.path().join("used"));
    fs::create_dir(&empty).unwrap();
    succeed(&used, &["migrate"]);
    for data in [&empty, &used] {
        fs::set_permissions(data, fs::Permissions::from_mode(0o555)).unwrap();
        let mut command = Command::new(&program);
        if rustix::process::geteuid().is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        let said = command
            .env("LC_ALL", "C")
            .current_dir(folder.path())
            .arg("--data")
            .arg(data)
            .args([
                "serve",
                "--mqtt-listen",
                "127.0.0.1:0",
                "--http-listen",
                "127.0.0.1:0",
            ])
            .output()
            .unwrap();
        fs::set_permissions(data, fs::Permissions::from_mode(0o755)).unwrap();
        let text = String::from_utf8_lossy(&said.stderr).into_owned();
        assert_eq!(said.status.code(), Some(1), "{text}");
        assert_eq!(text.trim().lines().count(), 1, "{text}");
        assert!(text.contains("--data") && text.contains("may write"), "{text}");
    }
}

#[test]
fn a_second_server_on_the_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let _first = Server::start(folder.path(), 0);
    let said = refuse(
        folder.path(),
        &[
            "serve",
            "--mqtt-listen",
            "127.0.0.1:0",
            "--http-listen",
            "127.0.0.1:0",
        ],
    );
    assert!(said.contains("in use by another hemu process"), "{said}");
}

#[tokio::test]
async fn files_that_another_process_has_open_are_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let demo = ["demo", "--history-only", "--days", "0"];
    let open = Folder::open(folder.path()).unwrap();
    // As an import or a check that is at work.
    let ledger = Ledger::open(&open, None).await.unwrap();
    ledger.set_meta("demo", "yes").await.unwrap();
    for command in [&["rebuild"][..], &demo] {
        let said = refuse(folder.path(), command);
        assert!(
            said.contains("in use by another hemu process") && said.contains("run this again"),
            "{said}"
        );
    }
    ledger.close().await;
    drop(ledger);
    assert_eq!(succeed(folder.path(), &["rebuild"]), "0 records folded again\n");
}

#[test]
fn a_demo_leaves_a_folder_alone_in_which_somebody_is_registered() {
    let folder = tempfile::tempdir().unwrap();
    add_device(folder.path(), "st01");
    let said = refuse(folder.path(), &["demo", "--history-only", "--days", "0"]);
    assert!(said.contains("not a demo's"), "{said}");
    assert!(succeed(folder.path(), &["device", "list"]).contains("st01"));
}

#[tokio::test]
async fn a_command_of_another_version_does_not_migrate_under_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), 0);
    succeed(folder.path(), &["migrate"]);
    // To the command the file now looks as one whose schema is not its own.
    let url = format!("sqlite:{}", folder.path().join("hemu.db").display());
    let mut file = sqlx::SqliteConnection::connect(&url).await.unwrap();
    let sql = "update _sqlx_migrations set checksum = x'00'";
    sqlx::query(sql).execute(&mut file).await.unwrap();
    for command in [&["migrate"][..], &["device", "list"]] {
        let said = refuse(folder.path(), command);
        assert!(
            said.contains("a server of another version") && said.contains("use its hemu"),
            "{said}"
        );
    }
    assert!(server.terminate().success());
}

#[tokio::test]
async fn a_folder_of_a_newer_version_is_left_alone() {
    for name in ["hemu.db", "projections.db", "series.db"] {
        let folder = tempfile::tempdir().unwrap();
        succeed(folder.path(), &["migrate"]);
        let url = format!("sqlite:{}?mode=rwc", folder.path().join(name).display());
        let mut file = sqlx::SqliteConnection::connect(&url).await.unwrap();
        let sql = "insert into _sqlx_migrations values (99, 'later', '2026-01-01', 1, x'00', 1)";
        sqlx::query(sql).execute(&mut file).await.unwrap();
        file.close().await.unwrap();
        let said = refuse(folder.path(), &["serve"]);
        let words = ["newer hemu", "99", name, "install that version"];
        assert!(words.iter().all(|word| said.contains(word)), "{said}");
    }
}

#[test]
fn the_days_of_a_folder_are_counted_in_one_zone() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let file = folder.path().join("hemu.toml");
    fs::write(&file, "zone = \"UTC\"\n").unwrap();
    succeed(&data, &["--config", file.to_str().unwrap(), "migrate"]);
    // Who says nothing gets the folder's; who says otherwise is told.
    succeed(&data, &["migrate"]);
    fs::write(&file, "zone = \"Asia/Shanghai\"\n").unwrap();
    let said = refuse(&data, &["--config", file.to_str().unwrap(), "migrate"]);
    assert!(said.contains("counted in UTC"), "{said}");
}
