//! The inspectors' page in a real browser against a real demo: MQTT in, pictures out.

use std::path::Path;
use std::process::Command;

use crate::people::with_password;
use crate::support::{Server, required};

#[test]
fn the_page_shows_what_the_simulated_bins_sent() {
    let web = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dashboards/web");
    let needed = [
        "/usr/bin/chromium".into(),
        web.join("node_modules/playwright-core"),
    ];
    let missing = needed.iter().find(|path| !path.exists());
    if let Some(missing) = missing {
        assert!(
            !required("chromium"),
            "{} is not there and HEMU_TEST_REQUIRE asks for it",
            missing.display()
        );
        println!(
            "skipped: {} is not there; install chromium and run npm ci in dashboards/web",
            missing.display()
        );
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // So fast that a night, when nobody brings anything, is over in half a minute: the page waits for a deposit.
    let server = Server::run(folder.path(), 0, &["demo", "--days", "40", "--speed", "1200"]);
    let add = ["user", "add", "tester", "--role", "grid_officer"];
    let added = with_password(folder.path(), &add, "three-green-bins");
    assert!(
        added.status.success(),
        "{}",
        String::from_utf8_lossy(&added.stderr)
    );
    let run = Command::new("node")
        .arg("e2e/inspectors.mjs")
        .current_dir(&web)
        .env("HEMU_URL", format!("{}/", server.http))
        .env("HEMU_LOGIN", "tester three-green-bins")
        .env("HEMU_SHOTS", folder.path().join("shots"))
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&run.stdout),
        String::from_utf8_lossy(&run.stderr),
    );
    println!("{out}");
    assert!(run.status.success(), "{out}{err}");
    assert!(server.terminate().success());
}
