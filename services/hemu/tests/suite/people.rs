//! Accounts on the command line, beside a running server.
#![expect(
    clippy::unwrap_used,
    reason = "a test whose data cannot be prepared has failed"
)]

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use tokio::runtime::Runtime;

use crate::serve::post;
use crate::support::{Server, is_verified, refuse, succeed};

/// Runs a command that reads a password.
pub(crate) fn with_password(data: &Path, arguments: &[&str], password: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_hemu"))
        .env_remove("HEMU_DATA")
        .env("LC_ALL", "C")
        .arg("--data")
        .arg(data)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "{password}").unwrap();
    drop(stdin);
    child.wait_with_output().unwrap()
}

/// The header of a program that may look at the site.
pub(crate) fn looking(data: &Path) -> String {
    let added = with_password(
        data,
        &["user", "add", "looks", "--role", "collector"],
        "a long password 7",
    );
    assert!(added.status.success(), "{added:?}");
    let made = ["token", "add", "looks", "--scopes", "see_site", "--label", "test"];
    let made: Value = serde_json::from_str(&succeed(data, &made)).unwrap();
    format!("authorization: Bearer {}\r\n", made["token"].as_str().unwrap())
}

fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn accounts_are_kept_beside_a_running_server_and_every_change_is_in_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let server = Server::start(data, 0);
    let weak = with_password(data, &["user", "add", "chief", "--role", "admin"], "password123");
    assert_eq!(weak.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&weak.stderr).contains("commonest"));
    let wrong = with_password(
        data,
        &["user", "add", "chief", "--role", "root"],
        "three green bins",
    );
    assert_eq!(wrong.status.code(), Some(2));
    for (name, role) in [("chief", "admin"), ("w1", "inspector")] {
        let added = with_password(data, &["user", "add", name, "--role", role], "three green bins");
        assert!(
            added.status.success(),
            "{}",
            String::from_utf8_lossy(&added.stderr)
        );
    }
    assert!(refuse(data, &["user", "disable", "chief"]).contains("only admin"));
    succeed(data, &["user", "role", "w1", "grid_officer"]);
    succeed(data, &["user", "disable", "w1"]);
    let scanned = succeed(data, &["user", "totp", "chief"]);
    assert!(scanned.contains("otpauth://totp/"), "{scanned}");
    let listed = lines(&succeed(data, &["user", "list"]));
    let states: Vec<_> = listed
        .iter()
        .map(|account| account["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["enabled", "disabled"]);
    assert_eq!(
        (&listed[0]["second_factor"], &listed[1]["role"]),
        (&true.into(), &"grid_officer".into())
    );
    let code = succeed(data, &["user", "code", "chief"]);
    assert_eq!(code.trim().len(), 14, "{code}");
    assert!(server.terminate().success());
    let verified = succeed(data, &["verify"]);
    assert!(verified.contains("journal: 6 batches"), "{verified}");
    is_verified(&verified);
    let files = std::fs::read(data.join("hemu.db")).unwrap();
    assert!(
        !String::from_utf8_lossy(&files).contains(code.trim()),
        "a code is kept as its digest"
    );
}

#[test]
fn a_token_is_told_once_and_ends() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    with_password(
        data,
        &["user", "add", "a1", "--role", "auditor"],
        "three green bins",
    );
    let add = [
        "token",
        "add",
        "a1",
        "--scopes",
        "see_site,read_trail",
        "--label",
        "export",
    ];
    let told = &lines(&succeed(data, &add))[0];
    assert!(told["token"].as_str().unwrap().starts_with("hemu_"));
    let more = [
        "token",
        "add",
        "a1",
        "--scopes",
        "keep_accounts",
        "--label",
        "export",
    ];
    assert!(refuse(data, &more).contains("see_site"));
    let listed = succeed(data, &["token", "list"]);
    assert!(!listed.contains("hemu_") && listed.contains("export"), "{listed}");
    let id = told["id"].as_str().unwrap();
    succeed(data, &["token", "revoke", id]);
    assert!(refuse(data, &["token", "revoke", id]).contains("no token"));
    assert_eq!(lines(&succeed(data, &["token", "list"]))[0]["revoked"], true);
}

/// Digests of the codes that somebody may log in with.
fn good_codes(data: &Path) -> Vec<Vec<u8>> {
    let file = SqliteConnectOptions::new().filename(data.join("hemu.db"));
    let read = async {
        let mut connection = file.connect().await.unwrap();
        sqlx::query_scalar("select digest from one_time_code where used_at is null order by digest")
            .fetch_all(&mut connection)
            .await
            .unwrap()
    };
    Runtime::new().unwrap().block_on(read)
}

#[test]
fn a_buildings_codes_are_printed_with_the_code_where_no_server_sees_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let file = data.join("households.csv");
    std::fs::write(
        &file,
        "household,estate,building,unit,door\nH1,E1,12,1,101\nH2,E1,12,1,102\nH3,E1,13,1,101\n",
    )
    .unwrap();
    succeed(data, &["household", "import", file.to_str().unwrap()]);
    let url = ["--url", "https://hemu.example/"];
    let building = [
        "household",
        "code",
        "--estate",
        "E1",
        "--building",
        "12",
        "--csv",
        "-",
    ];
    let printed = succeed(data, &[&building[..], &url[..]].concat());
    let mut rows = csv::Reader::from_reader(printed.as_bytes());
    let rows: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 2);
    for (row, token) in rows.iter().zip(["H1", "H2"]) {
        assert_eq!((&row[0], &row[1]), (token, "12"));
        assert_eq!(row[5], format!("https://hemu.example/home#code={}", &row[4]));
    }
    // In a file they are the operator's alone, and what a spreadsheet would run as a formula is text.
    std::fs::write(&file, "household,estate,building,door\nH4,E1,14,=1+1\n").unwrap();
    succeed(data, &["household", "import", file.to_str().unwrap()]);
    let codes = data.join("codes.csv");
    succeed(
        data,
        &["household", "code", "H4", "--csv", codes.to_str().unwrap()],
    );
    let mode = std::fs::metadata(&codes).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let mut rows = csv::Reader::from_path(&codes).unwrap();
    assert_eq!(&rows.records().next().unwrap().unwrap()[3], "'=1+1");
    // Where they cannot be written, none was made: those that were printed before are good still.
    let before = good_codes(data);
    let unwritable = data.join("nowhere/codes.csv");
    refuse(
        data,
        &["household", "code", "H4", "--csv", unwritable.to_str().unwrap()],
    );
    assert_eq!(good_codes(data), before);
    assert_eq!(before.len(), 3, "of H1, H2 and H4");
    let one = succeed(data, &["household", "code", "H3"]);
    let mut told = one.lines();
    assert_eq!(told.next().unwrap().len(), 14);
    assert!(
        told.next()
            .unwrap()
            .starts_with("http://127.0.0.1:8080/home#code=")
    );
    assert!(told.count() > 10, "and drawn");
    assert!(refuse(data, &["household", "code", "H9"]).contains("no household"));
}

#[test]
fn who_acts_for_a_household_is_listed_and_ended_beside_a_running_server() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let file = data.join("households.csv");
    std::fs::write(&file, "household\nH1\nH2\n").unwrap();
    succeed(data, &["household", "import", file.to_str().unwrap()]);
    let server = Server::start(data, 0);
    let code = succeed(data, &["household", "code", "H1"]);
    let asked = json!({"code": code.lines().next().unwrap()}).to_string();
    let answer = post(&format!("{}/api/v1/login/code", server.http), "", &asked);
    let (_, entered) = answer.split_once("\r\n\r\n").unwrap();
    let entered: Value = serde_json::from_str(entered).unwrap();
    let account = entered["account"].as_str().unwrap();
    let listed = lines(&succeed(data, &["household", "people", "H1"]));
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (&listed[0]["account"], &listed[0]["delegate"]),
        (&json!(account), &json!(false))
    );
    assert!(listed[0]["since"].as_i64().unwrap() > 0);
    assert_eq!(succeed(data, &["household", "people", "H2"]), "");
    assert!(refuse(data, &["household", "people", "H9"]).contains("no such household"));
    assert!(
        refuse(data, &["household", "revoke", "H2", account]).contains("does not act for this household")
    );
    assert!(
        succeed(data, &["household", "revoke", "H1", account]).contains("acts for the household no longer")
    );
    assert_eq!(succeed(data, &["household", "people", "H1"]), "");
    let trail = succeed(data, &["audit", "--household", "H1"]);
    assert!(trail.contains("access_revoked"), "{trail}");
    assert!(
        trail.contains(&format!("{account}: acts for the household no longer")),
        "{trail}"
    );
    assert!(server.terminate().success());
    is_verified(&succeed(data, &["verify"]));
}
