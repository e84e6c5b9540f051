//! The pages in a real browser against a real demo: MQTT in, pictures out.
#![expect(clippy::expect_used, reason = "a test's helper fails loudly")]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::people::with_password;
use crate::support::{Server, required, succeed};

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

/// Drives a page by a script of `e2e`. Pictures are gone with the folder, unless `HEMU_SHOTS` names another.
fn drive(script: &str, server: &Server, folder: &Path, settings: &[(&str, &str)]) {
    let shots = std::env::var_os("HEMU_SHOTS").map_or_else(|| folder.join("shots"), PathBuf::from);
    let run = Command::new("node")
        .arg(script)
        .current_dir(web())
        .env("HEMU_URL", format!("{}/", server.http))
        .env("HEMU_SHOTS", shots)
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

/// Drives the inspectors' pages as a grid officer and an admin.
fn drive_as_staff(script: &str, speed: &str) {
    if !browser_is_there() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let server = demo(folder.path(), speed);
    for (name, role) in [("tester", "grid_officer"), ("keeper", "admin")] {
        let add = ["user", "add", name, "--role", role];
        let added = with_password(folder.path(), &add, "three-green-bins");
        let said = String::from_utf8_lossy(&added.stderr);
        assert!(added.status.success(), "{said}");
    }
    let logins = [
        ("HEMU_LOGIN", "tester three-green-bins"),
        ("HEMU_ADMIN", "keeper three-green-bins"),
    ];
    drive(script, &server, folder.path(), &logins);
    assert!(server.terminate().success());
}

#[test]
fn the_page_shows_what_the_simulated_bins_sent() {
    drive_as_staff("e2e/inspectors.mjs", FAST);
}

#[test]
fn a_phone_grades_bags_without_a_network_and_each_is_stored_once() {
    drive_as_staff("e2e/inspect.mjs", SLOW);
}

#[test]
fn charts_show_and_hand_out_what_the_stations_reported() {
    drive_as_staff("e2e/charts.mjs", SLOW);
}

#[test]
fn a_household_shows_what_its_score_is_made_of_and_what_may_be_done() {
    drive_as_staff("e2e/household.mjs", SLOW);
}

#[test]
fn a_household_reads_objects_and_agrees_on_its_own_page() {
    if !browser_is_there() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let server = demo(folder.path(), SLOW);
    let add = ["user", "add", "tester", "--role", "grid_officer"];
    let added = with_password(folder.path(), &add, "three-green-bins");
    let said = String::from_utf8_lossy(&added.stderr);
    assert!(added.status.success(), "{said}");
    let settings = [
        ("HEMU_LOGIN", "tester three-green-bins"),
        ("HEMU_BIN", env!("CARGO_BIN_EXE_hemu")),
        ("HEMU_DATA", folder.path().to_str().expect("a path of letters")),
    ];
    drive("e2e/home.mjs", &server, folder.path(), &settings);
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
