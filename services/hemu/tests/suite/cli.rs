//! The command line as its user meets it: what it prints, what it refuses, and with which exit.

use std::fs;
use std::process::{Command, Stdio};

use crate::support::{Server, add_device, hemu, is_verified, refuse, succeed};

/// The columns that an import has to have.
pub(crate) const HEADER: &str =
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
    is_verified(&succeed(&data, &["verify"]));
    let _server = Server::start(&data, 0);
    is_verified(&succeed(&data, &["verify"]));
    assert!(refuse(&data, &["rebuild"]).contains("in use"));
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

#[test]
fn a_file_of_households_that_cannot_be_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let said = refuse(
        folder.path(),
        &["household", "import", folder.path().to_str().unwrap()],
    );
    assert!(said.contains("cannot read"), "{said}");
}
