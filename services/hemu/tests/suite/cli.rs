//! The command line as its user meets it: what it prints, what it refuses, and with which exit.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use sqlx::Connection;

use hemu_ledger::{Folder, Ledger};

use crate::support::{Server, add_device, hemu, hemu_in, refuse, succeed};

const HEADER: &str =
    "reading_id,bag_id,household,estate,at,stream,weight_g,source,device,quality,confidence\n";

#[test]
fn the_printed_configuration_is_accepted_and_a_misspelt_key_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hemu.toml");
    let printed = succeed(folder.path(), &["config"]);
    fs::write(&file, &printed).unwrap();
    succeed(
        &folder.path().join("data"),
        &["--config", file.to_str().unwrap(), "migrate"],
    );
    fs::write(&file, format!("{printed}\nmqtt_lisen = \"127.0.0.1:1\"\n")).unwrap();
    let said = hemu(folder.path(), &["--config", file.to_str().unwrap(), "migrate"]);
    assert_eq!(said.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&said.stderr).contains("mqtt_lisen"));
}

#[test]
fn wrong_usage_exits_2() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(
        hemu(folder.path(), &["serve", "--mqtt-listen", "nowhere"])
            .status
            .code(),
        Some(2)
    );
    assert_eq!(hemu(folder.path(), &["dance"]).status.code(), Some(2));
}

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
fn whoever_reads_the_output_may_leave() {
    let folder = tempfile::tempdir().unwrap();
    add_device(folder.path(), "st01");
    let mut command = Command::new(env!("CARGO_BIN_EXE_hemu"));
    let command = command.arg("--data").arg(folder.path()).args(["device", "list"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let said = child.wait_with_output().unwrap();
    assert_eq!(
        (
            said.status.code(),
            String::from_utf8_lossy(&said.stderr).into_owned()
        ),
        (Some(1), String::new())
    );
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

#[test]
fn a_taken_port_is_named_with_the_setting_to_change() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for setting in ["mqtt_listen", "http_listen", "metrics_listen"] {
        let mut arguments = vec!["serve"];
        for other in ["--mqtt-listen", "--http-listen", "--metrics-listen"] {
            let this = other.trim_start_matches("--").replace('-', "_") == setting;
            arguments.extend([other, if this { address.as_str() } else { "127.0.0.1:0" }]);
        }
        let said = refuse(folder.path(), &arguments);
        assert!(
            said.contains(setting) && said.contains(&address),
            "{setting}: {said}"
        );
    }
}

#[test]
fn nothing_listens_in_the_clear_beyond_this_machine_unasked() {
    let folder = tempfile::tempdir().unwrap();
    for (flag, instead) in [
        ("--http-listen", "https_listen"),
        ("--mqtt-listen", "mqtt_tls_listen"),
    ] {
        let said = refuse(folder.path(), &["serve", flag, "0.0.0.0:0"]);
        assert!(said.contains(instead) && said.contains("allow_plain"), "{said}");
    }
}

#[test]
fn devices_are_added_listed_rotated_and_revoked_beside_a_running_server() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), 0);
    let first = add_device(folder.path(), "st01");
    assert_eq!(first.device, "st01");
    assert!(refuse(folder.path(), &["device", "add", "st01"]).contains("registered already"));
    assert!(refuse(folder.path(), &["device", "add", "st 01"]).contains("1 to 64 letters"));
    let nowhere = refuse(folder.path(), &["device", "add", "st02", "--station", "s02"]);
    assert!(
        nowhere.contains("station s02 is new; say with --estate"),
        "{nowhere}"
    );
    let placed = ["device", "add", "st02", "--estate", "E1", "--station", "s02"];
    succeed(folder.path(), &placed);
    let elsewhere = refuse(
        folder.path(),
        &["device", "add", "st03", "--estate", "E2", "--station", "s02"],
    );
    assert!(elsewhere.contains("stands in estate E1"), "{elsewhere}");
    let rotated = succeed(folder.path(), &["device", "rotate", "st01"]);
    assert!(!rotated.contains(&first.key));
    succeed(folder.path(), &["device", "revoke", "st01"]);
    assert!(refuse(folder.path(), &["device", "rotate", "st01"]).contains("there is no device st01 in use"));
    assert!(succeed(folder.path(), &["device", "list"]).contains("\"state\":\"revoked\""));
    assert!(server.terminate().success());
}

#[test]
fn an_import_counts_rejects_with_line_and_reason_and_repeats_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let file = folder.path().join("rows.csv");
    let good = "R1,B1,H1,E1,2026-03-01T08:00:00+08:00,food,900,cam,C1,0.8123,0.9511\n\
                R2,B1,H1,E1,1772323200000,food,900,insp,I1,0.8500,1.0000\n";
    let bad =
        "R3,B2,H1,E1,yesterday,food,900,cam,C1,0.8,0.9\nR4,B2,H1,E1,1772323200000,glass,900,cam,C1,0.8,0.9\n";
    fs::write(&file, format!("{HEADER}{good}{bad}")).unwrap();
    let name = file.to_str().unwrap();
    assert!(
        succeed(&data, &["import", name])
            .starts_with("read 4, new 2, repeated 0, rejected 2, conflicting 0\n")
    );
    assert!(
        succeed(&data, &["import", name])
            .starts_with("read 4, new 0, repeated 2, rejected 2, conflicting 0\n")
    );
    let rejected = fs::read_to_string(folder.path().join("rows.rejected.csv")).unwrap();
    let lines: Vec<&str> = rejected.lines().collect();
    assert!(
        lines[1].starts_with("4,") && lines[1].contains("at: expected RFC 3339"),
        "{rejected}"
    );
    assert!(
        lines[2].starts_with("5,") && lines[2].contains("stream: expected one of food"),
        "{rejected}"
    );

    let exported = succeed(&data, &["export", "--csv", "-"]);
    assert_eq!(exported.lines().count(), 3, "{exported}");
    assert!(
        exported.contains("R1,B1,H1,E1,2026-03-01T00:00:00Z,food,900,cam,C1,0.8123,0.951,,,"),
        "{exported}"
    );
    let one_day = [
        "export",
        "--csv",
        "-",
        "--from",
        "2026-03-02",
        "--to",
        "2026-03-02",
    ];
    assert_eq!(succeed(&data, &one_day).lines().count(), 1);
    succeed(&data, &["verify"]);

    // What was exported can be imported elsewhere and is the same again.
    let copy = folder.path().join("copy.csv");
    fs::write(&copy, &exported).unwrap();
    let elsewhere = folder.path().join("elsewhere");
    assert!(succeed(&elsewhere, &["import", copy.to_str().unwrap()]).starts_with("read 2, new 2"));
    let again = succeed(&elsewhere, &["export", "--csv", "-"]);
    let fields = |text: &str| -> Vec<Vec<String>> {
        text.lines()
            .skip(1)
            .map(|line| line.split(',').take(11).map(str::to_owned).collect())
            .collect()
    };
    assert_eq!(fields(&again), fields(&exported));
}

#[test]
fn the_file_of_rejected_rows_is_this_run_s_or_nobody_s() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (file, rejected) = (
        folder.path().join("rows.csv"),
        folder.path().join("rows.rejected.csv"),
    );
    let name = file.to_str().unwrap();
    let row =
        |id: &str, quality: &str| format!("{id},B1,H1,E1,1772323200000,food,900,cam,C1,{quality},0.9\n");
    fs::write(&file, format!("{HEADER}{}{}", row("R1", "0.8"), row("R2", "2"))).unwrap();
    succeed(&data, &["import", name]);
    assert!(rejected.exists());
    fs::write(&file, format!("{HEADER}{}", row("R1", "0.8"))).unwrap();
    let said = succeed(&data, &["import", name]);
    assert_eq!(said, "read 1, new 0, repeated 1, rejected 0, conflicting 0\n");
    assert!(!rejected.exists());
    fs::write(&file, format!("{HEADER}{}", row("R1", "0.7"))).unwrap();
    let said = succeed(&data, &["import", name]);
    assert!(
        said.starts_with("read 1, new 0, repeated 0, rejected 0, conflicting 1\n"),
        "{said}"
    );
    assert!(
        fs::read_to_string(&rejected)
            .unwrap()
            .contains("\n2,reading_id: ")
    );
    // A file of that name that is not ours stays, and nothing is imported.
    fs::write(&rejected, "my own notes\n").unwrap();
    let said = refuse(&data, &["import", name]);
    assert!(said.contains("move it away"), "{said}");
    assert_eq!(fs::read_to_string(&rejected).unwrap(), "my own notes\n");
}

#[test]
fn a_file_without_the_columns_is_refused_and_strict_adds_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rows.csv");
    fs::write(&file, "reading_id,household\nR1,H1\n").unwrap();
    assert!(refuse(folder.path(), &["import", file.to_str().unwrap()]).contains("lacks the column bag_id"));
    fs::write(
        &file,
        format!("{HEADER}R1,B1,H1,E1,1772323200000,food,900,cam,C1,0.8,0.9\n"),
    )
    .unwrap();
    let strict = succeed(folder.path(), &["import", "--strict", file.to_str().unwrap()]);
    assert!(
        strict.starts_with("read 1, new 0, repeated 0, rejected 1, conflicting 0\n"),
        "{strict}"
    );
    assert!(refuse(folder.path(), &["import", "nowhere.csv"]).contains("cannot read nowhere.csv"));
}

#[test]
fn households_are_registered_from_a_file_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let file = folder.path().join("households.csv");
    fs::write(
        &file,
        "household,estate,building,unit,door,residents,station\nH1,E1,12,1,301,3,s01\nH2,E1,12,1,302,,\n",
    )
    .unwrap();
    assert_eq!(
        succeed(&data, &["household", "import", file.to_str().unwrap()]),
        "2 households registered\n"
    );
    fs::write(
        &file,
        "household,estate,building,unit,door,residents,station\nH3,E1,12,1,301,3,s01\n,E1,1,1,1,1,\n",
    )
    .unwrap();
    let said = refuse(&data, &["household", "import", file.to_str().unwrap()]);
    assert!(
        said.contains("line 3") && said.contains("nothing was imported"),
        "{said}"
    );
}

#[test]
fn a_household_s_new_station_needs_the_estate_it_stands_in() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let file = folder.path().join("households.csv");
    let import = ["household", "import", file.to_str().unwrap()];
    fs::write(&file, "household,estate,station\nH1,E1,\nH2,,s09\n").unwrap();
    let said = refuse(&data, &import);
    for part in [
        "line 3: station s09 is new",
        "column estate",
        "nothing was imported",
    ] {
        assert!(said.contains(part), "{said}");
    }
    // Another row may say where it stands, and then it is known.
    fs::write(&file, "household,estate,station\nH2,,s09\nH1,E1,s09\n").unwrap();
    assert_eq!(succeed(&data, &import), "2 households registered\n");
    fs::write(&file, "household,estate,station\nH3,,s09\n").unwrap();
    assert_eq!(succeed(&data, &import), "1 households registered\n");
}

#[test]
fn rebuild_gives_the_same_projections_and_needs_the_server_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let file = folder.path().join("rows.csv");
    fs::write(
        &file,
        format!("{HEADER}R1,B1,H1,E1,1772323200000,food,900,cam,C1,0.8,0.9\n"),
    )
    .unwrap();
    succeed(&data, &["import", file.to_str().unwrap()]);
    assert_eq!(succeed(&data, &["rebuild"]), "1 records folded again\n");
    assert!(succeed(&data, &["verify"]).contains("every row is what the journal adds up to"));
    let _server = Server::start(&data, 0);
    assert!(
        succeed(&data, &["verify"]).contains("every row is what the journal adds up to"),
        "beside a server"
    );
    assert!(refuse(&data, &["rebuild"]).contains("in use"));
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
fn doctor_finds_nothing_wrong_with_a_new_folder() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hemu.toml");
    let config = succeed(folder.path(), &["config"]);
    let config = ["1883", "8080", "9090"].iter().fold(config, |text, port| {
        text.replace(&format!("127.0.0.1:{port}"), "127.0.0.1:0")
    });
    fs::write(&file, config).unwrap();
    let said = succeed(
        &folder.path().join("data"),
        &["--config", file.to_str().unwrap(), "doctor"],
    );
    assert!(said.lines().all(|line| line.starts_with("ok ")), "{said}");
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

#[test]
fn a_device_s_exported_record_stays_the_same_record() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let file = folder.path().join("rows.csv");
    let header = HEADER.trim_end();
    let own = "st01:7:1,B1,H1,E1,1772323200000,food,900,cam,st01,0.8,0.9,7,1,2026-03-01T00:00:01Z";
    let ahead = "st01:7:2,B2,H1,E1,1772323200000,food,900,cam,st01,0.8,0.9,7,2,2026-02-01T00:00:00Z";
    fs::write(&file, format!("{header},boot,seq,received_at\n{own}\n{ahead}\n")).unwrap();
    let name = file.to_str().unwrap();
    assert!(
        succeed(&data, &["import", name])
            .starts_with("read 2, new 1, repeated 0, rejected 1, conflicting 0\n")
    );
    assert!(
        succeed(&data, &["import", name])
            .starts_with("read 2, new 0, repeated 1, rejected 1, conflicting 0\n")
    );
    let exported = succeed(&data, &["export", "--csv", "-"]);
    assert!(
        exported.contains("st01:7:1,B1,H1,E1,") && exported.contains(",7,1,"),
        "{exported}"
    );
}

/// What a command prints, and how it exits, in a locale.
fn told(locale: &str, data: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = hemu_in(locale, data, arguments);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn people_are_told_in_the_language_of_their_locale() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rows.csv");
    fs::write(
        &file,
        format!("{HEADER}R1,B1,H1,E1,1772323200000,food,900,cam,C1,0.8,0.9\n"),
    )
    .unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let serve = [
        "serve",
        "--metrics-listen",
        "127.0.0.1:0",
        "--mqtt-listen",
        "127.0.0.1:0",
    ];
    let serve = [&serve[..], &["--http-listen", &taken]].concat();
    let cases: [(&[&str], i32, &str, &str); 6] = [
        (
            &["--help"],
            0,
            "用法：hemu [选项] <命令>",
            "Usage: hemu [OPTIONS] <COMMAND>",
        ),
        (
            &["import", file.to_str().unwrap()],
            0,
            "读取 1 行，新增 1 行，重复 0 行，拒收 0 行，冲突 0 行\n",
            "read 1, new 1, repeated 0, rejected 0, conflicting 0\n",
        ),
        (
            &["device", "rotate", "st01"],
            1,
            "hemu: 没有在用的设备 st01；",
            "hemu: there is no device st01 in use;",
        ),
        (
            &serve,
            1,
            "请释放该端口，或将 http_listen 改为其他端口",
            "free that port or set http_listen to another",
        ),
        (
            &["dance"],
            2,
            "错误：没有名为“dance”的命令",
            "error: unrecognized subcommand 'dance'",
        ),
        (&["config"], 0, "# 数据目录：", "# The data folder:"),
    ];
    for (locale, chinese) in [("zh_CN.UTF-8", true), ("C", false)] {
        let data = folder.path().join(locale);
        for (arguments, exit, zh, en) in cases {
            let (code, out, err) = told(locale, &data, arguments);
            assert_eq!(code, Some(exit), "{arguments:?}: {out}{err}");
            let (said, silent) = if exit == 0 { (&out, &err) } else { (&err, &out) };
            let (expected, other) = if chinese { (zh, en) } else { (en, zh) };
            assert!(
                said.contains(expected) && !said.contains(other),
                "{arguments:?}: {said}"
            );
            assert_eq!(silent, "", "{arguments:?}");
        }
    }
}

#[test]
fn what_the_ledger_refuses_is_told_in_chinese_too() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let file = folder.path().join("hemu.toml");
    fs::write(&file, "zone = \"UTC\"\n").unwrap();
    let placed = ["device", "add", "st01", "--estate", "E1", "--station", "s01"];
    succeed(&data, &placed);
    let zone = ["--config", file.to_str().unwrap(), "migrate"];
    let elsewhere = ["device", "add", "st02", "--estate", "E2", "--station", "s01"];
    let cases: [(&[&str], &str); 4] = [
        (
            &placed,
            "hemu: 设备 st01 已登记；可用 `hemu device rotate st01` 为其更换密钥\n",
        ),
        (&elsewhere, "hemu: 集置点 s01 属于小区 E1，而不是 E2\n"),
        (
            &["device", "add", "st03", "--station", "s02"],
            "hemu: 集置点 s02 尚未登记；请用 --estate 指明所属小区\n",
        ),
        (
            &zone,
            "按时区 Asia/Shanghai 划分日期，与配置不符；请将 zone 设为该时区，或不设置\n",
        ),
    ];
    for (arguments, expected) in cases {
        let (code, out, err) = told("zh_CN.UTF-8", &data, arguments);
        assert_eq!((code, out.as_str()), (Some(1), ""), "{arguments:?}");
        assert!(err.ends_with(expected), "{arguments:?}: {err}");
    }
}

#[test]
fn programs_read_the_same_in_every_language() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let zh = |arguments: &[&str]| {
        let (code, out, err) = told("zh_CN.UTF-8", &data, arguments);
        assert_eq!(code, Some(0), "{arguments:?}: {err}");
        out
    };
    let mut demo = vec!["demo", "--days", "1", "--history-only"];
    for listen in ["--mqtt-listen", "--http-listen", "--metrics-listen"] {
        demo.extend([listen, "127.0.0.1:0"]);
    }
    let lines = zh(&demo);
    let starts = [
        "mqtt 127.0.0.1:",
        "http http://127.0.0.1:",
        "metrics http://127.0.0.1:",
        "ready",
    ];
    assert_eq!(lines.lines().count(), starts.len(), "{lines}");
    assert!(
        lines
            .lines()
            .zip(starts)
            .all(|(line, start)| line.starts_with(start)),
        "{lines}"
    );
    assert!(
        zh(&["device", "list"])
            .lines()
            .all(|line| line.contains("\"state\":\"registered\""))
    );
    assert!(zh(&["device", "add", "st99"]).starts_with("{\"device\":\"st99\",\"key\":\""));
    assert_eq!(
        zh(&["export", "--csv", "-"]),
        succeed(&data, &["export", "--csv", "-"])
    );
    // The configuration is explained in the user's language and is one that is accepted.
    let file = folder.path().join("hemu.toml");
    fs::write(&file, zh(&["config"])).unwrap();
    zh(&["--config", file.to_str().unwrap(), "migrate"]);
}

#[test]
fn a_file_of_households_that_cannot_be_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let said = refuse(
        folder.path(),
        &["household", "import", folder.path().to_str().unwrap()],
    );
    assert!(said.contains("cannot read"), "{said}");
}
