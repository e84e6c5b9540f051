//! The containers without a container engine: Compose reads the file, and the same processes run with the same
//! configuration.
#![expect(clippy::expect_used, reason = "a test's helper fails loudly")]

use std::path::Path;
use std::process::Command;

use crate::support::required;

/// Whether what a script needs is installed; says so when not, unless it has to be.
fn is_there(programs: &[(&str, &str)]) -> bool {
    let missing = programs.iter().find(|(_, path)| !Path::new(path).exists());
    let Some((name, path)) = missing else {
        return true;
    };
    assert!(
        !required(name),
        "{path} is not there and HEMU_TEST_REQUIRE asks for it"
    );
    println!("skipped: {path} is not there");
    false
}

fn run(script: &str, arguments: &[&str]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let run = Command::new(root.join("scripts").join(script))
        .args(arguments)
        .output();
    let run = run.expect("the script runs");
    let said = [run.stdout, run.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    println!("{said}");
    assert!(run.status.success(), "{said}");
}

const COMPOSE: (&str, &str) = ("compose", "/usr/bin/docker-compose");

#[test]
fn compose_reads_the_file_for_every_profile_and_every_part_is_hardened() {
    if is_there(&[COMPOSE]) {
        run("compose-check", &[]);
    }
}

#[test]
fn the_parts_run_together_with_the_configuration_of_their_containers() {
    let needed = [
        COMPOSE,
        ("prometheus", "/usr/bin/prometheus"),
        ("victoria-metrics", "/usr/bin/victoria-metrics"),
        ("mosquitto", "/usr/sbin/mosquitto"),
        ("mosquitto", "/usr/bin/mosquitto_pub"),
    ];
    if is_there(&needed) {
        run("stack", &[env!("CARGO_BIN_EXE_hemu")]);
    }
}
