//! `hemu backup` and `hemu restore`: what is in the file, who can open it, and that the devices make up for what was
//! received after it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test whose data cannot be prepared has failed"
)]

use std::fmt::Write as _;
use std::io::{Cursor, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use firmware_sim::estate::Estate;
use firmware_sim::faults;
use firmware_sim::keys::{Key, Keys};
use firmware_sim::life::{History, day_of, midnight};
use firmware_sim::load::Log;
use firmware_sim::oracle::Oracle;
use firmware_sim::run::{Plan, Tally, run};
use hemu_ledger::registry::{Household, key_digest};
use hemu_ledger::{Folder, Ledger};
use hemu_rules::Zone;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::serve::get;
use crate::support::{Server, free_port, hemu, hemu_in, is_verified, refuse, required, succeed};

const SEED: u64 = 54;
/// 2026-03-02 00:00 in Shanghai.
const FROM: i64 = 1_772_380_800_000;
/// Simulated seconds a second: a day in six.
const SPEED: u32 = 14_400;
const DAYS: i32 = 3;
/// Nothing takes longer unless it is broken.
const PATIENCE: Duration = Duration::from_mins(3);

/// A folder with a few imported readings, and its lists.
fn imported(data: &Path) -> String {
    let mut csv = String::from(
        "reading_id,bag_id,household,estate,at,stream,weight_g,source,device,quality,confidence\n",
    );
    for day in 0..40 {
        for (household, quality) in [("H1", "0.2"), ("H2", "0.95")] {
            let at = FROM + day * 86_400_000 + 36_000_000;
            writeln!(
                csv,
                "{household}-{day},,{household},E1,{at},food,700,insp,I1,{quality},1"
            )
            .unwrap();
        }
    }
    std::fs::create_dir_all(data).unwrap();
    let file = data.join("readings.csv");
    std::fs::write(&file, csv).unwrap();
    succeed(data, &["import", file.to_str().unwrap()]);
    lists(data, "2026-04-06")
}

fn lists(data: &Path, day: &str) -> String {
    succeed(data, &["lists", "--from", day, "--to", day, "--csv", "-"])
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_backup_is_a_packed_database_and_restored_it_gives_the_same_lists() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("backup.gz"));
    let before = imported(&data);
    let done = hemu(&data, &["backup", text(&file)]);
    let (out, err) = (
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr),
    );
    assert!(done.status.success(), "{err}");
    assert!(
        out.contains("80 records") && out.contains("generation 1"),
        "{out}"
    );
    assert!(err.contains("not encrypted"), "{err}");
    assert_eq!(mode(&file), 0o600);
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(std::fs::File::open(&file).unwrap())
        .read_to_end(&mut bytes)
        .unwrap();
    assert!(bytes.starts_with(b"SQLite format 3\0"));
    assert!(!data.join("backup.db").exists() && !folder.path().join("backup.gz.part").exists());

    let fresh = folder.path().join("fresh");
    let said = succeed(&fresh, &["restore", text(&file)]);
    assert!(
        said.contains("80 records") && said.contains("is restored, as generation "),
        "{said}"
    );
    is_verified(&succeed(&fresh, &["verify"]));
    assert_eq!(lists(&fresh, "2026-04-06"), before);

    // What is there stays, unless it is to be moved aside, and then it is only moved.
    let refused = refuse(&fresh, &["restore", text(&file)]);
    assert!(refused.contains("holds data already"), "{refused}");
    let said = succeed(&fresh, &["restore", text(&file), "--replace"]);
    assert!(said.contains("what was there before is in"), "{said}");
    assert_eq!(lists(&fresh, "2026-04-06"), before);
    let aside = std::fs::read_dir(&fresh)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let aside = aside
        .filter(|path| path.join("hemu.db").exists())
        .collect::<Vec<PathBuf>>();
    assert_eq!(aside.len(), 1, "{aside:?}");
    assert_eq!(lists(&aside[0], "2026-04-06"), before);
}

#[test]
fn a_sealed_backup_is_opened_by_its_key_and_by_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let data = path("data");
    let before = imported(&data);
    let keys = [path("key"), path("other")];
    let recipients = keys.clone().map(|key| {
        let printed = succeed(&data, &["backup", "--new-key", text(&key)]);
        assert_eq!(mode(&key), 0o600);
        printed.trim().to_owned()
    });
    let (sealed, phrase) = (path("sealed.gz.age"), path("phrase.gz.age"));
    let done = hemu(&data, &["backup", text(&sealed), "--recipient", &recipients[0]]);
    assert!(
        done.status.success() && done.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    std::fs::write(path("secret"), "correct horse\n").unwrap();
    std::fs::write(path("wrong"), "battery staple\n").unwrap();
    succeed(
        &data,
        &[
            "backup",
            text(&phrase),
            "--passphrase-file",
            text(&path("secret")),
        ],
    );
    for file in [&sealed, &phrase] {
        assert!(std::fs::read(file).unwrap().starts_with(b"age-encryption.org/v1"));
    }

    let fresh = path("fresh");
    for (file, options, says) in [
        (&sealed, vec![], "give the file with that key as --identity"),
        (&sealed, vec!["--identity", text(&keys[1])], "another key"),
        (
            &sealed,
            vec!["--passphrase-file", text(&path("secret"))],
            "--identity",
        ),
        (&phrase, vec!["--identity", text(&keys[0])], "--passphrase-file"),
        (
            &phrase,
            vec!["--passphrase-file", text(&path("wrong"))],
            "another passphrase",
        ),
        (&sealed, vec!["--identity", text(&path("secret"))], "holds no key"),
    ] {
        let arguments = [&["restore", text(file)], &options[..]].concat();
        let refused = refuse(&fresh, &arguments);
        assert!(refused.contains(says), "{says}: {refused}");
        assert!(!fresh.join("hemu.db").exists() && !fresh.join("restoring").exists());
    }
    succeed(&fresh, &["restore", text(&sealed), "--identity", text(&keys[0])]);
    assert_eq!(lists(&fresh, "2026-04-06"), before);
    let other = path("by-passphrase");
    succeed(
        &other,
        &[
            "restore",
            text(&phrase),
            "--passphrase-file",
            text(&path("secret")),
        ],
    );
    assert_eq!(lists(&other, "2026-04-06"), before);
}

#[test]
fn a_backup_that_is_cut_short_or_changed_is_refused_and_nothing_is_left_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let data = path("data");
    imported(&data);
    let recipient = succeed(&data, &["backup", "--new-key", text(&path("key"))]);
    succeed(&data, &["backup", text(&path("open"))]);
    succeed(
        &data,
        &["backup", text(&path("sealed")), "--recipient", recipient.trim()],
    );
    let fresh = path("fresh");
    for (name, summed) in [("open", 8), ("sealed", 1)] {
        let whole = std::fs::read(path(name)).unwrap();
        let (half, most) = (whole.len() / 2, whole.len() - 1);
        let mut changed = whole.clone();
        // In gzip's sum and in age's: one bit of what gzip packed may be another way to write the very same bytes.
        changed[whole.len() - summed] ^= 0x10;
        let longer = [&whole[..], b"and more"].concat();
        for bytes in [
            &whole[..half],
            &whole[..most],
            &changed,
            &longer,
            &whole[..10],
            b"",
            b"no backup",
        ] {
            std::fs::write(path("bad"), bytes).unwrap();
            let refused = refuse(
                &fresh,
                &["restore", text(&path("bad")), "--identity", text(&path("key"))],
            );
            assert!(
                refused.contains("damaged") || refused.contains("no backup"),
                "{name}, {} bytes: {refused}",
                bytes.len()
            );
            assert!(!fresh.join("hemu.db").exists() && !fresh.join("restoring").exists());
        }
    }
    // In the user's language.
    let told = hemu_in("zh_CN.UTF-8", &fresh, &["restore", text(&path("bad"))]);
    assert!(String::from_utf8_lossy(&told.stderr).contains("这不是备份"));
}

#[test]
fn the_standard_tools_open_a_sealed_backup() {
    let tool = Path::new("/usr/bin/age");
    if !tool.exists() {
        assert!(
            !required("age"),
            "{} is not there and HEMU_TEST_REQUIRE asks for it",
            tool.display()
        );
        println!("skipped: {} is not there; install age", tool.display());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    imported(&path("data"));
    let recipient = succeed(&path("data"), &["backup", "--new-key", text(&path("key"))]);
    succeed(
        &path("data"),
        &["backup", text(&path("file")), "--recipient", recipient.trim()],
    );
    let opened = Command::new(tool)
        .args(["-d", "-i", text(&path("key")), text(&path("file"))])
        .output()
        .unwrap();
    assert!(
        opened.status.success(),
        "{}",
        String::from_utf8_lossy(&opened.stderr)
    );
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(&*opened.stdout)
        .read_to_end(&mut bytes)
        .unwrap();
    assert!(bytes.starts_with(b"SQLite format 3\0"));
    // And what the tool makes is restored.
    std::fs::write(path("again"), &opened.stdout).unwrap();
    let sealed = Command::new(tool)
        .args([
            "-r",
            recipient.trim(),
            "-o",
            text(&path("theirs")),
            text(&path("again")),
        ])
        .status();
    assert!(sealed.unwrap().success());
    succeed(
        &path("fresh"),
        &["restore", text(&path("theirs")), "--identity", text(&path("key"))],
    );
}

#[test]
fn nothing_is_restored_under_a_running_server() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("backup.gz"));
    let server = Server::start(&data, 0);
    succeed(&data, &["backup", text(&file)]);
    let refused = refuse(&data, &["restore", text(&file), "--replace"]);
    assert!(refused.contains("in use by another hemu process"), "{refused}");
    assert!(server.terminate().success());
    succeed(&data, &["restore", text(&file), "--replace"]);
}

#[test]
fn the_drill_restores_verifies_compares_and_says_how_long_it_took() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    imported(&data);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/restore-drill");
    let drill = Command::new(script)
        .arg(&data)
        .env("HEMU", env!("CARGO_BIN_EXE_hemu"))
        .env("HEMU_DRILL_DAY", "2026-04-06")
        .env("LC_ALL", "C")
        .env("TMPDIR", folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&drill.stdout);
    assert!(
        drill.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&drill.stderr)
    );
    for part in [
        "80 records",
        "every row is what",
        "lists: 2 households, the same",
        "RPO ",
        "RTO ",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

/// The files of a folder, once there is one.
async fn first_in(folder: &Path) -> PathBuf {
    let there = || {
        std::fs::read_dir(folder)
            .ok()?
            .next()?
            .ok()
            .map(|entry| entry.path())
    };
    let whole = || there().filter(|path| path.extension().is_some_and(|suffix| suffix != "part"));
    eventually("a backup", || whole().is_some()).await;
    whole().unwrap()
}

#[tokio::test]
async fn a_server_makes_backups_by_itself_and_goes_on_where_it_cannot() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let data = path("data");
    let before = imported(&data);
    let recipient = succeed(&data, &["backup", "--new-key", text(&path("key"))]);
    let settings = |to: &str| {
        let lines = format!(
            "backup_to = {:?}\nbackup_recipient = {:?}\n",
            path(to),
            recipient.trim()
        );
        std::fs::write(path("hemu.toml"), lines).unwrap();
    };
    let metric = |server: &Server, line: &str| get(&server.metrics).contains(line);
    settings("backups");
    let server = Server::run(&data, 0, &["--config", text(&path("hemu.toml")), "serve"]);
    let made = first_in(&path("backups")).await;
    assert!(text(&made).ends_with(".gz.age"), "{made:?}");
    assert!(metric(&server, "hemu_backup_failures_total 0") && metric(&server, "hemu_backup_age_seconds"));
    let ready = get(&format!("{}/readyz", server.http));
    assert!(
        ready.contains("\"disk\"") && ready.contains("bytes free"),
        "{ready}"
    );
    assert_eq!(std::fs::metadata(data.join("reserve")).unwrap().len(), 8 << 20);
    assert!(server.terminate().success());
    let fresh = path("fresh");
    succeed(
        &fresh,
        &["restore", text(&made), "--identity", text(&path("key"))],
    );
    assert_eq!(lists(&fresh, "2026-04-06"), before);

    std::fs::write(path("file"), "no folder").unwrap();
    settings("file");
    let server = Server::run(&data, 0, &["--config", text(&path("hemu.toml")), "serve"]);
    eventually("a failure", || metric(&server, "hemu_backup_failures_total 1")).await;
    assert!(get(&format!("{}/readyz", server.http)).starts_with("HTTP/1.1 200"));
    assert!(server.terminate().success());
}

/// A simulated estate that lives beside a server.
struct Living {
    tally: Arc<Tally>,
    log: Arc<Mutex<Vec<u8>>>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Living {
    fn begin(server: &Server, estate: &Arc<Estate>, began: Instant) -> Self {
        let log: Arc<Mutex<Vec<u8>>> = Arc::default();
        let writer: Log = log.clone();
        let plan = Plan {
            addr: server.mqtt,
            keys: keys(estate),
            faults: faults::Plan::default(),
            from: FROM,
            ring_records: 8_192,
            flash: None,
            log: Some(writer),
            behind_a_broker: false,
        };
        let history = History::new(SEED, estate.clone(), day_of(FROM), 1);
        let clock = Arc::new(move || FROM + i64::try_from((began.elapsed() * SPEED).as_millis()).unwrap());
        let (tally, stop) = (Arc::new(Tally::default()), CancellationToken::new());
        let (counted, until) = (tally.clone(), stop.clone());
        let task = tokio::spawn(async move {
            run(&plan, history, clock, counted, until)
                .await
                .expect("the estate lives");
        });
        Self {
            tally,
            log,
            stop,
            task,
        }
    }

    async fn end(self) -> Vec<u8> {
        self.stop.cancel();
        self.task.await.expect("it ended");
        std::mem::take(&mut *self.log.lock().unwrap())
    }

    /// Waits until so many more records were released by receipts.
    async fn receipted(&self, more: u64) {
        let begun = self.tally.figures().receipted;
        eventually("receipts", || self.tally.figures().receipted >= begun + more).await;
    }
}

async fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(
            Instant::now() < deadline,
            "{what} did not come within {PATIENCE:?}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn keys(estate: &Estate) -> Keys {
    let key = |(device, _): (&str, _)| Key {
        device: device.to_owned(),
        key: format!("the-key-of-{device}"),
    };
    Keys(estate.devices().map(key).collect())
}

async fn registered(data: &Path, estate: &Estate) {
    let ledger = Ledger::open(&Folder::open(data).unwrap(), Zone::SHANGHAI)
        .await
        .unwrap();
    for key in keys(estate).0 {
        let digest = key_digest(key.key.as_bytes());
        ledger
            .add_device(&key.device, &digest, None, None, FROM)
            .await
            .unwrap();
    }
    let household = |household: &firmware_sim::estate::Household| Household {
        token: household.token.as_str().to_owned(),
        estate: None,
        building: None,
        unit: None,
        door: None,
        residents: None,
        station: None,
        created_at: FROM,
    };
    let households: Vec<Household> = estate.households.iter().map(household).collect();
    ledger.put_households(&households).await.unwrap();
    ledger.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_lost_is_restored_and_the_devices_make_up_for_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (data, calm) = (path("data"), path("calm"));
    let estate = Arc::new(Estate::hemu_xincun(SEED).unwrap());
    registered(&data, &estate).await;
    registered(&calm, &estate).await;
    let recipient = succeed(&data, &["backup", "--new-key", text(&path("key"))]);

    let port = free_port();
    let (server, undisturbed) = (Server::start(&data, port), Server::start(&calm, 0));
    let began = Instant::now();
    let living = Living::begin(&server, &estate, began);
    let beside = Living::begin(&undisturbed, &estate, began);
    living.receipted(2_000).await;
    let file = path("backup.gz.age");
    let sealed = ["backup", text(&file), "--recipient", recipient.trim()];
    let made = succeed(&data, &sealed);
    // These the devices need not keep any more, and no backup has them.
    living.receipted(2_000).await;
    server.kill();
    std::fs::remove_dir_all(&data).unwrap();

    let restored = succeed(&data, &["restore", text(&file), "--identity", text(&path("key"))]);
    assert_eq!(
        made.lines().next(),
        restored.lines().next(),
        "what it holds is told alike"
    );
    is_verified(&succeed(&data, &["verify"]));
    let server = Server::start(&data, port);
    let over = Duration::from_secs_f64((f64::from(DAYS) + 0.2) * 86_400.0) / SPEED;
    eventually("the last day", || began.elapsed() > over).await;
    let day = "2026-03-05";
    assert_eq!(midnight(day_of(FROM) + DAYS), FROM + i64::from(DAYS) * 86_400_000);
    let expected = lists(&calm, day);
    assert!(
        expected
            .lines()
            .filter(|line| line.contains(",0.000000000,"))
            .count()
            < 1_000,
        "too little was read"
    );
    eventually("equal lists", || lists(&data, day) == expected).await;

    beside.end().await;
    let log = living.end().await;
    assert!(undisturbed.terminate().success() && server.terminate().success());
    let export = path("export.csv");
    succeed(&data, &["export", "--csv", text(&export)]);
    let oracle = Oracle::read(Cursor::new(log)).unwrap();
    let verdict = oracle.check(std::fs::File::open(&export).unwrap()).unwrap();
    // What was stored and whose acknowledgement was cut off is in the export and not in the devices' log.
    let wrong = verdict.missing + verdict.doubled + verdict.changed + verdict.foreign;
    assert!(wrong == 0 && verdict.acked > 5_000, "{verdict:?}");
    println!("acknowledged {}, missing 0, doubled 0", verdict.acked);
    is_verified(&succeed(&data, &["verify"]));
    assert_eq!(lists(&data, day), expected);
}
