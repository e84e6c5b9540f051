//! The failing disk itself, under somebody else's program: `dd` writes, with an fsync and without.
#![expect(clippy::expect_used, reason = "a test whose scene cannot be set has failed")]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use hemu_torture::disk::{Disk, Taken};
use tempfile::TempDir;

struct Scene {
    folder: TempDir,
    disk: Disk,
}

impl Scene {
    /// A file of ten bytes on the failing disk; nothing where there is no compiler.
    fn set() -> Option<Self> {
        if !Disk::can_be_built() {
            let required = std::env::var("HEMU_TEST_REQUIRE").unwrap_or_default();
            assert!(
                !required.split_whitespace().any(|name| name == "cc"),
                "HEMU_TEST_REQUIRE asks for cc"
            );
            println!("skipped: cc is not there");
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("root")).expect("a folder in it");
        let disk = Disk::build(&folder.path().join("disk")).expect("it builds");
        let scene = Self { folder, disk };
        std::fs::write(scene.root().join("file"), "0123456789").expect("written");
        Some(scene)
    }

    fn root(&self) -> std::path::PathBuf {
        self.folder.path().join("root")
    }

    /// Writes `text` at `offset`; whether that worked.
    fn write(&self, text: &str, offset: usize, more: &str) -> bool {
        let input = self.folder.path().join("input");
        std::fs::write(&input, text).expect("written");
        let of = |path: &Path| path.display().to_string();
        let dd = Command::new("dd")
            .envs(self.disk.environment(&self.root()))
            .args([
                format!("if={}", of(&input)),
                format!("of={}", of(&self.root().join("file"))),
            ])
            .args([
                "bs=1".to_owned(),
                format!("seek={offset}"),
                format!("conv=notrunc{more}"),
            ])
            .output();
        dd.expect("dd runs").status.success()
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.root().join("file")).expect("its text")
    }
}

#[test]
fn a_write_without_fsync_is_gone_after_a_power_cut_and_one_with_it_stays() {
    let Some(scene) = Scene::set() else { return };
    assert!(scene.write("ab", 2, ""));
    assert!(scene.write("long", 8, ""));
    assert_eq!(
        scene.text(),
        "01ab4567long",
        "while the power is on, nothing is different"
    );
    assert_eq!(
        scene.disk.power_cut(&scene.root()).expect("cut"),
        Taken { writes: 6, files: 1 }
    );
    assert_eq!(scene.text(), "0123456789");
    assert!(scene.write("xy", 9, ",fsync"));
    assert!(scene.write("z", 0, ""));
    assert_eq!(scene.text(), "z12345678xy");
    assert_eq!(scene.disk.power_cut(&scene.root()).expect("cut").writes, 1);
    assert_eq!(
        scene.text(),
        "012345678xy",
        "what was synced stays, in a process before as well"
    );
}

#[test]
fn an_fsync_that_lies_loses_what_it_promised() {
    let Some(scene) = Scene::set() else { return };
    scene.disk.lie(true).expect("told");
    assert!(scene.write("xy", 9, ",fsync"));
    scene.disk.power_cut(&scene.root()).expect("cut");
    assert_eq!(scene.text(), "0123456789");
}

#[test]
fn a_full_disk_refuses_and_a_slow_one_waits() {
    let Some(scene) = Scene::set() else { return };
    scene.disk.full(true).expect("told");
    assert!(!scene.write("ab", 0, ""));
    assert_eq!(scene.text(), "0123456789");
    scene.disk.full(false).expect("told");
    scene.disk.stall(Duration::from_millis(1)).expect("told");
    assert!(scene.write("ab", 0, ",fsync"));
    let counters = scene.disk.counters().expect("read");
    assert_eq!((counters.writes, counters.refused, counters.stalled), (2, 1, 1));
}
