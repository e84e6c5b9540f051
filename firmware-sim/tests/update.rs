//! `firmware-sim update` as a maker and a device's owner type it.
#![expect(clippy::unwrap_used, reason = "a test's helper fails loudly")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use firmware_sim::device::{Device, FileFlash, SLOT_BYTES};
use firmware_sim::reading::{Body, Incident};

/// A folder with two keys and images of versions 5 and 6 for model `bin-a`, signed with the first.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let bench = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        for key in ["maker", "stranger"] {
            bench.good(&["key", key]);
        }
        bench.sign("maker", "bin-a", 5, &[]);
        bench.sign("maker", "bin-a", 6, &[]);
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn update(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_firmware-sim"));
        let command = command.arg("update").args(args).current_dir(&self.folder);
        command.output().unwrap()
    }

    /// What is printed when all is well.
    fn good(&self, args: &[&str]) -> serde_json::Value {
        let output = self.update(args);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {error}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// What is said when it is not: one line.
    fn refused(&self, args: &[&str]) -> String {
        let output = self.update(args);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(error.trim_end().lines().count(), 1, "{error}");
        error
    }

    /// Signs an image of its own as `VERSION.pkg`.
    fn sign(&self, key: &str, model: &str, version: u32, more: &[&str]) -> serde_json::Value {
        let image: Vec<u8> = (0..9_000_u32).map(|at| (at * version).to_le_bytes()[1]).collect();
        std::fs::write(self.path("image"), image).unwrap();
        let (version, out) = (version.to_string(), format!("{version}.pkg"));
        let args = ["sign", "--key", key, "--model", model, "--version", &version];
        let rest = ["--image", "image", "--out", &out];
        self.good(&[&args[..], &rest, more].concat())
    }

    fn factory(&self) {
        let made = self.good(&factory_with("9000"));
        assert_eq!(
            (made["running"].as_u64(), made["confirmed"].as_u64()),
            (Some(5), Some(5))
        );
    }

    fn install(&self, package: &str) -> serde_json::Value {
        self.good(&["install", "--device", "bin", package])
    }

    /// Refused, and not a byte of the device's folder is another, but for the slot that nothing runs from.
    fn install_refused(&self, package: &str, says: &str) {
        let state =
            || std::fs::read(self.path("bin/firmware.flash")).unwrap()[..1_024 + 184 + 9_000].to_vec();
        let before = state();
        let error = self.refused(&["install", "--device", "bin", package]);
        assert!(
            error.contains(&format!("{package}: refused: ")) && error.contains(says),
            "{error}"
        );
        assert!(state() == before, "{package} changed the device");
    }
}

fn ring(path: &Path) -> FileFlash {
    FileFlash::open(path, 1_024 + 16 * SLOT_BYTES).unwrap()
}

/// Sets a device up whose slots have so many bytes.
fn factory_with(slot: &str) -> [&str; 8] {
    [
        "factory",
        "--device",
        "bin",
        "--trust",
        "maker.pub",
        "--slot",
        slot,
        "5.pkg",
    ]
}

#[test]
fn a_key_is_its_owners_alone_and_never_written_over_or_printed() {
    let bench = Bench::new();
    let secret = std::fs::read_to_string(bench.path("maker")).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(bench.path("maker"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let error = bench.refused(&["key", "maker"]);
    assert!(error.contains("not there yet: maker"), "{error}");
    assert_eq!(std::fs::read_to_string(bench.path("maker")).unwrap(), secret);
    let printed = bench.good(&["key", "third"]).to_string();
    let secrets = std::fs::read_to_string(bench.path("third")).unwrap();
    assert!(secrets.trim().len() == 64 && !printed.contains(secrets.trim()));
    assert_ne!(secrets, secret);
    // A public key that is there stays, too, and no secret is left without its other half.
    std::fs::write(bench.path("fourth.pub"), "kept").unwrap();
    bench.refused(&["key", "fourth"]);
    assert!(!bench.path("fourth").exists());
    assert_eq!(std::fs::read_to_string(bench.path("fourth.pub")).unwrap(), "kept");
    std::fs::write(bench.path("fifth"), "kept").unwrap();
    bench.refused(&["key", "fifth"]);
    assert!(!bench.path("fifth.pub").exists());
    assert_eq!(std::fs::read_to_string(bench.path("fifth")).unwrap(), "kept");
}

#[test]
fn a_package_shows_what_it_says_and_who_signed_it() {
    let bench = Bench::new();
    let signed = bench.sign("maker", "bin-a", 7, &["--next-key", "stranger.pub"]);
    let shown = bench.good(&["show", "7.pkg"]);
    assert_eq!(shown["signature"], "not checked");
    for field in [
        "model",
        "version",
        "image_bytes",
        "image_sha256",
        "key",
        "next_key",
    ] {
        assert_eq!(shown[field], signed[field], "{field}");
    }
    assert_eq!(
        (shown["version"].as_u64(), shown["model"].as_str()),
        (Some(7), Some("bin-a"))
    );
    assert_eq!(
        bench.good(&["show", "7.pkg", "--trust", "maker.pub"])["signature"],
        "good"
    );
    let output = bench.update(&["show", "7.pkg", "--trust", "stranger.pub"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("does not trust"));
}

#[test]
fn a_device_is_updated_and_its_ring_is_not_touched() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("bin")).unwrap();
    let ring_file = bench.path("bin/st01.ring");
    let mut device = Device::start("st01", "a key", ring(&ring_file), 77, 0).unwrap();
    let (kind, stream, note) = ("tilt", None, "");
    for at in 1..=4 {
        device
            .append(at, &Body::Incident(Incident { kind, stream, note }))
            .unwrap();
    }
    drop(device);
    let before = std::fs::read(&ring_file).unwrap();
    bench.factory();
    let installed = bench.install("6.pkg");
    assert_eq!(
        (
            installed["before"].as_u64(),
            installed["running"].as_u64(),
            installed["confirmed"].as_u64()
        ),
        (Some(5), Some(6), Some(6))
    );
    assert!(std::fs::read(&ring_file).unwrap() == before);
    let device = Device::start("st01", "a key", ring(&ring_file), 78, 0).unwrap();
    assert_eq!((device.boot(), device.held()), (77, 4));
}

#[test]
fn what_is_old_forged_foreign_cut_off_or_for_another_model_is_refused_in_a_sentence() {
    let bench = Bench::new();
    bench.factory();
    let good = std::fs::read(bench.path("6.pkg")).unwrap();
    let damaged = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    std::fs::write(bench.path("forged.pkg"), damaged(8)).unwrap();
    std::fs::write(bench.path("flipped.pkg"), damaged(5_000)).unwrap();
    std::fs::write(bench.path("cut.pkg"), &good[..5_000]).unwrap();
    std::fs::write(bench.path("long.pkg"), [good.as_slice(), b"x"].concat()).unwrap();
    std::fs::write(bench.path("empty.pkg"), "").unwrap();
    std::fs::write(bench.path("text.pkg"), "x".repeat(500)).unwrap();
    bench.sign("stranger", "bin-a", 7, &[]);
    bench.sign("maker", "bin-b", 8, &[]);
    bench.sign("maker", "bin-a", 4, &[]);
    for (package, says) in [
        ("forged.pkg", "forged or damaged"),
        ("flipped.pkg", "the image is not the one that was signed"),
        ("cut.pkg", "expected 9184 bytes, the package ends after 5000"),
        ("long.pkg", "goes on after them"),
        ("empty.pkg", "ends after 0"),
        ("text.pkg", "begins with HEMUUPD1"),
        ("7.pkg", "which this device does not trust"),
        ("8.pkg", "expected a package for model bin-a, came one for bin-b"),
        ("4.pkg", "expected a version above 5, came 4"),
        ("5.pkg", "expected a version above 5, came 5"),
    ] {
        bench.install_refused(package, says);
    }
    assert_eq!(bench.install("6.pkg")["running"], 6);
    let error = bench.refused(&["install", "--device", "bin", "6.pkg"]);
    assert!(error.contains("expected a version above 6, came 6"), "{error}");
}

#[test]
fn an_image_that_never_confirms_falls_back_and_may_come_again() {
    let bench = Bench::new();
    bench.factory();
    let output = bench.update(&["install", "--device", "bin", "--never-confirm", "6.pkg"]);
    assert_eq!(output.status.code(), Some(1));
    let printed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&printed["running"], &printed["confirmed"]),
        (&5.into(), &5.into())
    );
    assert_eq!(printed["fell_back"], true);
    assert_eq!(bench.install("6.pkg")["running"], 6);
}

#[test]
fn a_key_that_was_announced_takes_over_and_the_old_one_is_refused() {
    let bench = Bench::new();
    bench.factory();
    bench.sign("maker", "bin-a", 6, &["--next-key", "stranger.pub"]);
    bench.sign("stranger", "bin-a", 7, &[]);
    bench.install_refused("7.pkg", "does not trust");
    bench.install("6.pkg");
    assert_eq!(bench.install("7.pkg")["running"], 7);
    bench.sign("maker", "bin-a", 8, &[]);
    let error = bench.refused(&["install", "--device", "bin", "8.pkg"]);
    assert!(error.contains("does not trust"), "{error}");
}

#[test]
fn a_device_is_set_up_once_and_nothing_is_installed_where_none_is() {
    let bench = Bench::new();
    let error = bench.refused(&["install", "--device", "bin", "6.pkg"]);
    assert!(error.contains("update factory"), "{error}");
    let foreign = ["factory", "--device", "bin", "--trust", "stranger.pub", "5.pkg"];
    assert!(bench.refused(&foreign).contains("does not trust"));
    assert!(!bench.path("bin").exists());
    assert!(
        bench
            .refused(&factory_with("8999"))
            .contains("at most 8999 bytes")
    );
    bench.factory();
    let again = ["factory", "--device", "bin", "--trust", "maker.pub", "6.pkg"];
    assert!(bench.refused(&again).contains("not set up yet"));
    assert_eq!(bench.install("6.pkg")["before"], 5);
}
