//! A household's rights on the command line: to know, to correct, to be erased; and that nothing is left of whom is.
#![expect(
    clippy::unwrap_used,
    reason = "a test whose data cannot be prepared has failed"
)]

use std::fmt::Write as _;
use std::io::Read;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::{hemu, hemu_in, is_verified, succeed};

/// Strings that are nowhere by chance.
const DOOR: &str = "QX-4711-Z";
const RIGHT_DOOR: &str = "QX-4712-Z";

struct Site {
    dir: TempDir,
}

impl Site {
    /// Twelve households with forty days of inspections.
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let site = Self { dir };
        let mut households = "household,estate,building,unit,door,residents,station\n".to_owned();
        let mut readings =
            "reading_id,bag_id,household,estate,at,stream,weight_g,source,device,quality,confidence\n"
                .to_owned();
        for nth in 1..=12 {
            let door = if nth == 3 {
                DOOR.to_owned()
            } else {
                format!("{nth}01")
            };
            writeln!(households, "H{nth:02},E1,1,1,{door},3,").unwrap();
            for day in 0..40_i64 {
                let at = 1_772_380_800_000 + day * 86_400_000 + 36_000_000;
                let quality = if nth % 3 == 0 { "0.2" } else { "0.95" };
                let place = format!("{nth}-{day},,H{nth:02},E1,{at}");
                writeln!(readings, "{place},food,700,insp,I1,{quality},1").unwrap();
            }
        }
        site.put("households.csv", &households);
        site.put("readings.csv", &readings);
        site.put("reason.txt", "asked for in writing, file 7\n");
        site.run(&["household", "import", &site.file("households.csv")]);
        site.run(&["import", &site.file("readings.csv")]);
        // What was put in is not what is looked for.
        std::fs::remove_file(site.dir.path().join("households.csv")).unwrap();
        site
    }

    fn put(&self, name: &str, text: &str) {
        std::fs::write(self.dir.path().join(name), text).unwrap();
    }

    fn file(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Its log stays in the folder too, to be searched.
    fn run(&self, arguments: &[&str]) -> String {
        let output = hemu(&self.data(), &[&["--log", "debug"], arguments].concat());
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "hemu {arguments:?}: {log}");
        let kept = std::fs::read_to_string(self.file("log.txt")).unwrap_or_default();
        self.put("log.txt", &(kept + &log));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn lists(&self) -> String {
        let days = [
            "lists",
            "--from",
            "2026-04-06",
            "--to",
            "2026-04-13",
            "--csv",
            "-",
        ];
        self.run(&days)
    }

    fn erase(&self, token: &str) -> String {
        let reason = self.file("reason.txt");
        self.run(&[
            "household",
            "erase",
            token,
            "--account",
            "keeper",
            "--reason-file",
            &reason,
        ])
    }
}

/// Files below a folder that hold some bytes, unpacked where they are packed.
pub(crate) fn holding(folder: &Path, needle: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holding(&path, needle));
            continue;
        }
        let mut bytes = std::fs::read(&path).unwrap();
        if path.extension().is_some_and(|suffix| suffix == "gz") {
            let packed = std::mem::take(&mut bytes);
            flate2::read::GzDecoder::new(&packed[..])
                .read_to_end(&mut bytes)
                .unwrap();
        }
        if bytes
            .windows(needle.len())
            .any(|window| window == needle.as_bytes())
        {
            found.push(path);
        }
    }
    found
}

#[test]
fn nothing_is_left_of_whom_is_erased_and_nobody_elses_place_changes_by_a_byte() {
    let site = Site::new();
    let correct = [
        "household",
        "correct",
        "H03",
        "--account",
        "keeper",
        "--door",
        RIGHT_DOOR,
    ];
    site.run(&correct);
    let whole = site.run(&["household", "export", "H03", "--out", "-"]);
    assert!(whole.contains(DOOR) && whole.contains(RIGHT_DOOR), "{whole}");
    let before = site.lists();
    assert!(before.contains("H03"));
    let said = site.erase("H03");
    assert!(!said.contains(DOOR) && !said.contains(RIGHT_DOOR), "{said}");
    assert_eq!(site.lists(), before);
    site.run(&["backup", &site.file("after.gz")]);
    site.run(&["export", "--csv", &site.file("deposits.csv")]);
    site.run(&["audit", "--csv", &site.file("audit.csv")]);
    site.run(&["privacy"]);
    for needle in [DOOR, RIGHT_DOOR] {
        assert_eq!(
            holding(site.dir.path(), needle),
            Vec::<PathBuf>::new(),
            "{needle}"
        );
    }
    assert!(
        !holding(site.dir.path(), "H03").is_empty(),
        "the token is still in the journal"
    );
    is_verified(&site.run(&["verify"]));
    site.run(&["rebuild"]);
    assert_eq!(site.lists(), before);
    site.run(&["verify"]);
    let gone = hemu(&site.data(), &["household", "export", "H03", "--out", "-"]);
    let told = String::from_utf8_lossy(&gone.stderr).into_owned();
    assert!(
        !gone.status.success() && told.contains("there is no such household"),
        "{told}"
    );
    let audit = std::fs::read_to_string(site.dir.path().join("audit.csv")).unwrap();
    assert!(
        audit.contains("keeper,erase,,H03,\"asked for in writing, file 7\",registered,erased"),
        "{audit}"
    );
    assert!(audit.contains("keeper,correct,,H03"), "{audit}");
    let exported = |line: &str| {
        ["operator", "export", "H03"]
            .iter()
            .all(|part| line.contains(part))
    };
    assert!(
        audit.lines().any(exported),
        "whoever has the machine looked: {audit}"
    );
}

#[test]
fn a_backup_of_before_an_erasure_is_erased_again_wherever_it_is_restored() {
    let site = Site::new();
    site.run(&["backup", &site.file("before.gz")]);
    site.erase("H03");
    // Beside every backup made since there is a file that remembers.
    site.run(&["backup", &site.file("after.gz")]);
    for (data, arguments) in [
        (site.data(), vec!["restore", "--replace"]),
        (site.dir.path().join("fresh"), vec!["restore"]),
    ] {
        let before = site.file("before.gz");
        let said = succeed(&data, &[&arguments[..], &[before.as_str()]].concat());
        assert!(
            said.contains("1 households that were erased since are erased again"),
            "{said}"
        );
        let gone = hemu(&data, &["household", "export", "H03", "--out", "-"]);
        assert!(!gone.status.success());
        assert!(succeed(&data, &["household", "export", "H04", "--out", "-"]).contains("\"H04\""));
        succeed(&data, &["verify"]);
    }
}

#[test]
fn an_open_backup_says_what_is_not_in_it_and_so_does_its_restore() {
    let site = Site::new();
    let plain = site.file("plain.gz");
    let made = hemu(&site.data(), &["backup", &plain]);
    let told = String::from_utf8_lossy(&made.stderr).into_owned();
    assert!(
        made.status.success() && told.contains("secrets.key, is not in it"),
        "{told}"
    );
    let fresh = site.dir.path().join("fresh");
    let restored = hemu(&fresh, &["restore", &plain]);
    let told = String::from_utf8_lossy(&restored.stderr).into_owned();
    assert!(
        restored.status.success() && told.contains("of 12 households nobody can read"),
        "{told}"
    );
    let exported = succeed(&fresh, &["household", "export", "H03", "--out", "-"]);
    assert!(
        exported.contains("\"door\": null") && exported.contains("\"building\": \"1\""),
        "{exported}"
    );
    // With a key around it the copy has everything.
    let key = site.file("backup.key");
    let recipient = site.run(&["backup", "--new-key", &key]);
    let sealed = site.file("sealed.gz.age");
    site.run(&["backup", &sealed, "--recipient", recipient.trim()]);
    let whole = site.dir.path().join("whole");
    let restored = hemu(&whole, &["restore", &sealed, "--identity", &key]);
    let told = String::from_utf8_lossy(&restored.stderr).into_owned();
    assert!(
        restored.status.success() && !told.contains("nobody can read"),
        "{told}"
    );
    assert!(succeed(&whole, &["household", "export", "H03", "--out", "-"]).contains(DOOR));
}

#[test]
fn the_page_about_privacy_says_what_is_really_done() {
    let site = Site::new();
    site.erase("H03");
    let data = site.data();
    let page = |locale: &str| {
        let output = hemu_in(locale, &data, &["privacy"]);
        assert!(output.status.success());
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let english = page("C");
    for fact in [
        "| 190 days | auditor |",
        "| 730 days |",
        "shown for 90 days",
        "corrected, exported and erased by: admin.",
        "11 households, 11 with a key of their own",
        "1 erased, the last on 20",
        "None are made by the server",
    ] {
        assert!(english.contains(fact), "{fact}: {english}");
    }
    let chinese = page("zh_CN.UTF-8");
    for fact in ["190 天", "730 天", "11 户", "已删除 1 户"] {
        assert!(chinese.contains(fact), "{fact}: {chinese}");
    }
    assert!(
        ![&english, &chinese]
            .iter()
            .any(|page| page.contains("H0") || page.contains(DOOR))
    );
}

#[test]
fn a_text_of_people_is_no_formula_in_a_spreadsheet() {
    let site = Site::new();
    site.put("reason.txt", "=HYPERLINK(\"http://x\")");
    site.erase("H05");
    site.run(&["audit", "--household", "H05", "--csv", &site.file("audit.csv")]);
    let mut csv = csv::Reader::from_path(site.dir.path().join("audit.csv")).unwrap();
    let rows: Vec<_> = csv.records().map(Result::unwrap).collect();
    assert_eq!(&rows[0][7], "'=HYPERLINK(\"http://x\")");
    let formula = |cell: &str| cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    assert!(!rows.iter().flatten().any(formula));
}
