//! The pages in a real browser against a real demo: MQTT in, pictures out; and an open page under which a server restarts.
#![expect(clippy::expect_used, reason = "a test's helper fails loudly")]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tokio::runtime::Runtime;

use crate::influx::{Fake, TOKEN};
use crate::people::with_password;
use crate::support::{Server, required, succeed};
use crate::victoria::Victoria;

/// Roles that look at the inspectors' pages too, as `as-` and the role.
const ROLES: [&str; 4] = ["volunteer", "collector", "auditor", "admin"];

fn web() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dashboards/web")
}

/// Whether a browser and what drives it are installed; says so when not, unless they have to be.
fn browser_is_there() -> bool {
    let needed = [
        "/usr/bin/chromium".into(),
        web().join("node_modules/playwright-core"),
    ];
    let Some(missing) = needed.iter().find(|path| !path.exists()) else {
        return true;
    };
    assert!(
        !required("chromium"),
        "{} is not there and HEMU_TEST_REQUIRE asks for it",
        missing.display()
    );
    println!(
        "skipped: {} is not there; install chromium and run npm ci in dashboards/web",
        missing.display()
    );
    false
}

/// So fast that a night, when nobody brings anything, is over in half a minute: for pages that wait for a deposit.
const FAST: &str = "1200";
/// So slow that what is asked twice is the same.
const SLOW: &str = "8";

fn demo(folder: &Path, speed: &str) -> Server {
    Server::run(folder, 0, &["demo", "--days", "40", "--speed", speed])
}

/// A script of `e2e` and the server it is for. Pictures are gone with the folder, unless `HEMU_SHOTS` names another; each
/// script has a folder of its own in it.
fn script(name: &str, server: &Server, folder: &Path) -> Command {
    let shots = std::env::var_os("HEMU_SHOTS").map_or_else(|| folder.join("shots"), PathBuf::from);
    let shots = shots.join(Path::new(name).file_stem().expect("a script's name"));
    let mut run = Command::new("node");
    run.arg(name)
        .current_dir(web())
        .env("HEMU_URL", format!("{}/", server.http))
        .env("HEMU_SHOTS", shots);
    run
}

/// Drives a page by a script to its end.
fn drive(name: &str, server: &Server, folder: &Path, settings: &[(&str, &str)]) {
    let run = script(name, server, folder)
        .envs(settings.iter().copied())
        .output()
        .expect("node runs");
    let (out, err) = (
        String::from_utf8_lossy(&run.stdout),
        String::from_utf8_lossy(&run.stderr),
    );
    println!("{out}");
    assert!(run.status.success(), "{out}{err}");
}

/// Adds somebody with the password of everybody here.
fn add(folder: &Path, name: &str, role: &str) {
    let add = ["user", "add", name, "--role", role];
    let added = with_password(folder, &add, "three-green-bins");
    let said = String::from_utf8_lossy(&added.stderr);
    assert!(added.status.success(), "{said}");
}

/// Drives the inspectors' pages as a grid officer and an admin, by one script after the other.
fn drive_as_staff(scripts: &[&str], speed: &str) {
    if !browser_is_there() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let server = demo(folder.path(), speed);
    for (name, role) in [("tester", "grid_officer"), ("keeper", "admin")] {
        add(folder.path(), name, role);
    }
    for role in ROLES {
        add(folder.path(), &format!("as-{role}"), role);
    }
    let roles = ROLES.join(" ");
    let logins = [
        ("HEMU_LOGIN", "tester three-green-bins"),
        ("HEMU_ADMIN", "keeper three-green-bins"),
        ("HEMU_ROLES", roles.as_str()),
    ];
    for script in scripts {
        drive(script, &server, folder.path(), &logins);
    }
    assert!(server.terminate().success());
}

#[test]
fn the_page_shows_what_the_simulated_bins_sent() {
    drive_as_staff(&["e2e/inspectors.mjs"], FAST);
}

#[test]
fn a_phone_grades_bags_without_a_network_and_accounts_and_tokens_are_kept() {
    drive_as_staff(&["e2e/inspect.mjs", "e2e/accounts.mjs"], SLOW);
}

#[test]
fn forms_say_what_is_wrong_keep_what_was_typed_and_are_sent_once() {
    drive_as_staff(&["e2e/forms.mjs"], SLOW);
}

#[test]
fn charts_show_and_hand_out_what_the_stations_reported() {
    drive_as_staff(&["e2e/charts.mjs"], SLOW);
}

/// The points of some charts as the station page draws them from a folder whose charts an engine keeps; none: the folder.
fn points(folder: &Path, engine: Option<&str>) -> String {
    let (config, file) = (folder.join("hemu.toml"), folder.join("points.json"));
    let (data, named) = (folder.join("data"), config.to_str().expect("a path of letters"));
    let setting = engine.map_or_else(String::new, |url| {
        format!("series_url = {url:?}\nseries_token = {TOKEN:?}\n")
    });
    std::fs::write(&config, setting).expect("written");
    if engine.is_some() {
        succeed(&data, &["--config", named, "series", "backfill"]);
    }
    let server = Server::run(&data, 0, &["--config", named, "serve"]);
    let settings = [
        ("HEMU_LOGIN", "tester three-green-bins"),
        ("HEMU_POINTS", file.to_str().expect("a path of letters")),
    ];
    drive("e2e/engines.mjs", &server, folder, &settings);
    assert!(server.terminate().success());
    std::fs::read_to_string(&file).expect("what the page gave out")
}

#[test]
fn the_page_draws_the_same_points_whichever_engine_keeps_the_charts() {
    if !browser_is_there() {
        return;
    }
    let Some(victoria) = Victoria::start() else { return };
    let influx = Fake::start();
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::run(
        &folder.path().join("data"),
        0,
        &["demo", "--days", "20", "--speed", SLOW],
    );
    add(&folder.path().join("data"), "tester", "grid_officer");
    assert!(server.terminate().success());
    let own = points(folder.path(), None);
    assert!(own.matches('\n').count() > 500, "{own}");
    let of_victoria = points(folder.path(), Some(&victoria.url()));
    assert!(own == of_victoria, "VictoriaMetrics: {own}\n{of_victoria}");
    let of_influx = points(folder.path(), Some(&influx.url()));
    assert!(own == of_influx, "InfluxDB: {own}\n{of_influx}");
    assert!(!influx.bodies().is_empty(), "the charts were asked of it");
}

#[test]
fn a_household_shows_what_its_score_is_made_of_and_what_may_be_done() {
    drive_as_staff(&["e2e/household.mjs"], SLOW);
}

#[test]
fn a_household_reads_objects_and_agrees_on_its_own_page() {
    if !browser_is_there() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let server = demo(folder.path(), SLOW);
    add(folder.path(), "tester", "grid_officer");
    let settings = [
        ("HEMU_LOGIN", "tester three-green-bins"),
        ("HEMU_BIN", env!("CARGO_BIN_EXE_hemu")),
        ("HEMU_DATA", folder.path().to_str().expect("a path of letters")),
    ];
    drive("e2e/home.mjs", &server, folder.path(), &settings);
    assert!(server.terminate().success());
}

#[test]
fn an_open_page_heals_when_the_server_was_killed_and_is_back_elsewhere() {
    if !browser_is_there() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), 0);
    add(folder.path(), "tester", "grid_officer");
    drive_over_a_kill("e2e/restart.mjs", server, folder.path());
}

#[test]
fn a_household_that_looks_is_told_of_a_deposit_also_after_the_server_was_killed() {
    if !browser_is_there() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let demo = Server::run(folder.path(), 0, &["demo", "--days", "20", "--speed", SLOW]);
    add(folder.path(), "tester", "grid_officer");
    assert!(demo.terminate().success());
    let server = Server::start(folder.path(), 0);
    drive_over_a_kill("e2e/home-live.mjs", server, folder.path());
}

/// Drives a page by a script that has its server killed, and brings the server back elsewhere.
fn drive_over_a_kill(name: &str, server: Server, folder: &Path) {
    let mut run = script(name, &server, folder)
        .env("HEMU_LOGIN", "tester three-green-bins")
        .env("HEMU_BIN", env!("CARGO_BIN_EXE_hemu"))
        .env("HEMU_DATA", folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node runs");
    let (mut before, mut after) = (Some(server), None);
    let mut stdin = run.stdin.take().expect("its stdin");
    let told = BufReader::new(run.stdout.take().expect("its stdout")).lines();
    for line in told.map_while(Result::ok) {
        println!("{line}");
        if line == "restart" {
            before.take().expect("the first server").kill();
        } else if line.starts_with("ok  a_server_that_is_gone") {
            let server = Server::start(folder, 0);
            writeln!(stdin, "{}/", server.http).expect("node listens");
            after = Some(server);
        }
    }
    assert!(run.wait().expect("node ends").success());
    assert!(after.expect("the second server").terminate().success());
}

/// A transaction that holds up whoever else writes, until it is dropped.
struct Held {
    connection: Option<SqliteConnection>,
    runtime: Runtime,
}

impl Held {
    fn new(data: &Path) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let options = SqliteConnectOptions::new().filename(data.join("hemu.db"));
        let begun = async {
            let mut connection = options.connect().await?;
            sqlx::query("begin immediate").execute(&mut connection).await?;
            Ok::<_, sqlx::Error>(connection)
        };
        let connection = Some(runtime.block_on(begun).expect("the folder's lock"));
        Self { connection, runtime }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            // A test that failed already is not to fail otherwise.
            let _ = self.runtime.block_on(connection.close());
        }
    }
}

#[test]
fn an_edition_that_is_computed_survives_a_reload_and_is_cancelled_whole() {
    if !browser_is_there() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (data, config) = (folder.path().join("data"), folder.path().join("hemu.toml"));
    std::fs::write(&config, "lists_weekday = \"off\"\n").expect("written");
    let config = config.display().to_string();
    let command = ["demo", "--config", &config, "--days", "20", "--speed", SLOW];
    let server = Server::run(&data, 0, &command);
    add(&data, "tester", "grid_officer");
    let mut run = script("e2e/jobs.mjs", &server, folder.path())
        .env("HEMU_LOGIN", "tester three-green-bins")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node runs");
    let mut stdin = run.stdin.take().expect("its stdin");
    let told = BufReader::new(run.stdout.take().expect("its stdout")).lines();
    let mut held = None;
    for line in told.map_while(Result::ok) {
        println!("{line}");
        match line.as_str() {
            "hold" => held = Some(Held::new(&data)),
            "release" => held = None,
            _ => continue,
        }
        writeln!(stdin, "so").expect("node listens");
    }
    drop(held);
    assert!(run.wait().expect("node ends").success());
    assert!(server.terminate().success());
}

#[test]
fn the_public_screen_shows_the_estate_and_nobody_in_it() {
    if !browser_is_there() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let server = demo(folder.path(), FAST);
    let token = |account: &str, role: &str, scopes: &str| {
        succeed(folder.path(), &["user", "add", account, "--role", role, "--code"]);
        let add = ["token", "add", account, "--scopes", scopes, "--label", "screen"];
        let made: Value = serde_json::from_str(&succeed(folder.path(), &add)).expect("one JSON line");
        made["token"].as_str().expect("a token").to_owned()
    };
    let screen = token("hall", "collector", "see_screen");
    let decide = "see_lists,prepare_lists,decide_lists";
    let officers = ["first", "second"].map(|name| token(name, "grid_officer", decide));
    let settings = [
        ("HEMU_SCREEN_TOKEN", screen.as_str()),
        ("HEMU_SCREEN_OFFICERS", &officers.join(" ")),
    ];
    drive("e2e/screen.mjs", &server, folder.path(), &settings);
    assert!(server.terminate().success());
}

#[test]
fn four_people_and_a_household_take_a_list_through_its_due_process_on_their_pages() {
    if !browser_is_there() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (data, config) = (folder.path().join("data"), folder.path().join("hemu.toml"));
    // The people of the story have the editions computed and give the notices.
    std::fs::write(&config, "lists_weekday = \"off\"\n").expect("written");
    let config = config.display().to_string();
    // A week, which is how long households may object, is over in less than three minutes.
    let command = ["demo", "--config", &config, "--days", "40", "--speed", "3600"];
    let server = Server::run(&data, 0, &command);
    let seats = [
        ("HEMU_INSPECTOR", "ines", "inspector"),
        ("HEMU_OFFICER", "otto", "grid_officer"),
        ("HEMU_OFFICER2", "olga", "grid_officer"),
        ("HEMU_AUDITOR", "anna", "auditor"),
    ];
    let logins = seats.map(|(seat, name, role)| {
        let add = ["user", "add", name, "--role", role];
        let added = with_password(&data, &add, "three-green-bins");
        assert!(added.status.success(), "{added:?}");
        (seat, format!("{name} three-green-bins"))
    });
    let mut settings: Vec<_> = logins
        .iter()
        .map(|(seat, login)| (*seat, login.as_str()))
        .collect();
    settings.push(("HEMU_BIN", env!("CARGO_BIN_EXE_hemu")));
    settings.push(("HEMU_DATA", data.to_str().expect("a path of letters")));
    drive("e2e/lists.mjs", &server, folder.path(), &settings);
    assert!(server.terminate().success());
}
