//! The swap, step by step. That what is swapped in is right is for `tests/suite/backup.rs`.

use std::collections::BTreeMap;

use super::*;

const STAMP: &str = "20260101T000000Z";

/// What the folder holds, and what is in a folder of it, by name: `old` or `new`.
fn holds(folder: &Path) -> BTreeMap<String, String> {
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file());
    files
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(&path).unwrap())
        })
        .collect()
}

fn named(names: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = names
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    owned.collect()
}

/// A folder that a restore has just become ready in.
fn just_ready() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let ready = dir.path().join(format!("{READY}{STAMP}"));
    std::fs::create_dir(&ready).unwrap();
    for name in [
        "hemu.db",
        "hemu.db-wal",
        "hemu.db-shm",
        "projections.db",
        "series.db",
        "series.db-wal",
    ] {
        std::fs::write(dir.path().join(name), "old").unwrap();
    }
    for name in ["hemu.db", "projections.db"] {
        std::fs::write(ready.join(name), "new").unwrap();
    }
    std::fs::write(ready.join("files.lock"), "").unwrap();
    let aside = dir.path().join(format!("{ASIDE}{STAMP}"));
    (dir, ready, aside)
}

#[test]
fn whichever_step_was_the_last_before_a_kill_the_next_call_ends_the_same() {
    let (dir, ready, aside) = just_ready();
    let steps = moves(dir.path(), &ready, &aside).len();
    assert_eq!(steps, 8);
    for done in 0..=steps {
        let (dir, ready, aside) = just_ready();
        std::fs::create_dir(&aside).unwrap();
        for (from, to) in moves(dir.path(), &ready, &aside).into_iter().take(done) {
            std::fs::rename(from, to).unwrap();
        }
        let folder = Folder::open(dir.path()).unwrap();
        assert!(is_pending(&folder).unwrap());
        put_in_place(&folder).unwrap();
        assert!(!is_pending(&folder).unwrap(), "after {done} steps");
        let mut there = holds(dir.path());
        there.remove("lock");
        assert_eq!(
            there,
            named(&[("hemu.db", "new"), ("projections.db", "new")]),
            "after {done} steps"
        );
        let old = [
            ("hemu.db", "old"),
            ("hemu.db-shm", "old"),
            ("hemu.db-wal", "old"),
            ("projections.db", "old"),
            ("series.db", "old"),
            ("series.db-wal", "old"),
        ];
        assert_eq!(holds(&aside), named(&old), "after {done} steps");
    }
}

#[test]
fn nothing_is_moved_aside_where_nothing_was() {
    let dir = tempfile::tempdir().unwrap();
    let ready = dir.path().join(format!("{READY}{STAMP}"));
    std::fs::create_dir(&ready).unwrap();
    for name in ["hemu.db", "projections.db"] {
        std::fs::write(ready.join(name), "new").unwrap();
    }
    put_in_place(&Folder::open(dir.path()).unwrap()).unwrap();
    assert!(!dir.path().join(format!("{ASIDE}{STAMP}")).exists() && !ready.exists());
}

#[test]
fn a_generation_is_none_that_was_before() {
    // The same copy twice, with nothing left of the first restore but the time.
    let (first, second) = (
        next_generation(1, 1_767_225_600_000),
        next_generation(1, 1_767_225_700_000),
    );
    assert!(first < second && first > 1);
    // A clock that was set back does not bring an old one back, as long as the folder or the copy knows it.
    assert_eq!(next_generation(second, 0), second + 1);
    assert_eq!(next_generation(7, -1), 8);
}
