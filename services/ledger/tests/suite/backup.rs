//! Copies of the truth beside its writers, and putting one in a folder's place.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;

use hemu_ledger::acts::EditionState;
use hemu_ledger::entry::Body;
use hemu_ledger::{Contents, Error, Folder, Ledger, Position, Restore, Restored, Snapshot};
use hemu_rules::Zone;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions};
use tokio::sync::oneshot;

use crate::editions::{propose, second, settled, state};
use crate::process::{confirm, notice, open, publish};
use crate::site::{NOW, Site, deposit, segment};

const STAMP: &str = "20270101T000000Z";

async fn with_batches(count: u64) -> Site {
    // In files: a PostgreSQL has copies of its own.
    let dir = tempfile::tempdir().unwrap();
    let ledger = opened(&Folder::open(dir.path()).unwrap()).await;
    let site = Site { dir, ledger };
    for seq in 1..=count {
        let one = segment("C1", [(seq, Body::Deposit(deposit("H1", 0)))]);
        site.append(&[one]).await;
    }
    site.fold().await;
    site
}

/// The bytes of a copy.
async fn copied(folder: &Folder) -> (Contents, Vec<u8>) {
    let snapshot = Snapshot::take(folder, |_, _| ()).await.unwrap();
    (snapshot.contents(), std::fs::read(snapshot.path()).unwrap())
}

async fn begun(folder: &Folder, bytes: &[u8], replace: bool) -> Restore {
    let restore = Restore::begin(folder, replace).await.unwrap();
    restore.file().unwrap().write_all(bytes).unwrap();
    restore
}

async fn restored(folder: &Folder, bytes: &[u8], now: i64, stamp: &str) -> Restored {
    let restore = begun(folder, bytes, true).await;
    restore.check(|_, _| ()).await.unwrap();
    let done = restore.finish(Some(Zone::SHANGHAI), now, stamp, |_| ()).await;
    done.unwrap()
}

async fn opened(folder: &Folder) -> Ledger {
    Ledger::open(folder, Zone::SHANGHAI).await.unwrap()
}

async fn is_sound(ledger: &Ledger) -> Position {
    let head = ledger.verify_chain(|_| ()).await.unwrap();
    assert_eq!(ledger.verify_projections(|_| ()).await.unwrap(), None);
    head.position
}

#[tokio::test]
async fn a_copy_is_the_truth_of_one_moment_for_its_owners_eyes_and_goes_with_its_value() {
    let site = with_batches(5).await;
    let folder = site.folder();
    let mut seen = Vec::new();
    let snapshot = Snapshot::take(&folder, |at, last| seen.push((at, last)))
        .await
        .unwrap();
    assert_eq!(seen, [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]);
    let contents = snapshot.contents();
    assert_eq!(contents.head, site.ledger.verify_chain(|_| ()).await.unwrap());
    assert_eq!(
        (contents.records, contents.newest, contents.generation),
        (5, Some(NOW), 1)
    );
    let mode = std::fs::metadata(snapshot.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // Another one would write into the same file.
    let second = Snapshot::take(&folder, |_, _| ()).await;
    assert!(matches!(second, Err(Error::InUse(_))));
    let path = snapshot.path().to_owned();
    drop(snapshot);
    assert!(!path.exists());
    assert!(Snapshot::take(&folder, |_, _| ()).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_who_writes_waits_for_a_copy() {
    let site = with_batches(300).await;
    let folder = site.folder();
    let (ended, mut until) = oneshot::channel::<()>();
    let truth = folder.truth();
    // This writer has no patience: a lock it met would be an error.
    let writer = tokio::spawn(async move {
        let file = SqliteConnectOptions::new()
            .filename(truth)
            .busy_timeout(std::time::Duration::ZERO);
        let mut connection = file.connect().await.unwrap();
        let mut written = 0;
        while until.try_recv().is_err() {
            let sql = format!("insert or replace into meta (key, value) values ('written', '{written}')");
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
            written += 1;
            tokio::task::yield_now().await;
        }
        Ok::<u32, sqlx::Error>(written)
    });
    for _ in 0..5 {
        copied(&folder).await;
    }
    ended.send(()).unwrap();
    assert!(writer.await.unwrap().expect("no lock was met") > 0);
}

#[tokio::test]
async fn what_is_restored_is_what_was_copied_folded_and_of_another_generation() {
    let site = with_batches(5).await;
    let (contents, bytes) = copied(&site.folder()).await;
    let elsewhere = tempfile::tempdir().unwrap();
    let folder = Folder::open(elsewhere.path()).unwrap();
    let done = restored(&folder, &bytes, NOW, STAMP).await;
    assert_eq!(
        done,
        Restored {
            generation: NOW.unsigned_abs(),
            replaced: None,
            locked: 0,
            erased: 0,
            withheld: 0,
        }
    );
    let ledger = opened(&folder).await;
    assert_eq!(is_sound(&ledger).await, contents.head.position);
    assert_eq!(ledger.progress().await.unwrap().applied, 5);
    assert_eq!(ledger.generation().await.unwrap(), done.generation);
}

#[tokio::test]
async fn no_list_is_public_or_decided_on_again_because_an_old_copy_was_restored() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = opened(&Folder::open(dir.path()).unwrap()).await;
    let site = settled(Site { dir, ledger }).await;
    let published = second(&site).await;
    notice(&site, published).await;
    open(&site, published).await;
    confirm(&site, published).await;
    publish(&site, published).await;
    let told = propose(&site, 47).await;
    notice(&site, told).await;
    let (_, bytes) = copied(&site.folder()).await;
    for (keeps, withheld, states) in [
        // The first week's, too, was told.
        (false, 3, [EditionState::Retracted; 2]),
        (true, 0, [EditionState::Published, EditionState::Noticed]),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path()).unwrap();
        let restore = begun(&folder, &bytes, true).await.keeping_lists(keeps);
        restore.check(|_, _| ()).await.unwrap();
        let done = restore.finish(Some(Zone::SHANGHAI), NOW, STAMP, |_| ()).await;
        assert_eq!(done.unwrap().withheld, withheld);
        let ledger = opened(&folder).await;
        is_sound(&ledger).await;
        let again = Site { dir, ledger };
        for (edition, wanted) in [published, told].into_iter().zip(states) {
            assert_eq!(state(&again, edition).await, wanted, "keeps {keeps}");
        }
    }
}

#[tokio::test]
async fn what_was_there_is_moved_aside_whole_and_only_when_told() {
    let site = with_batches(5).await;
    let folder = site.folder();
    let (_, bytes) = copied(&folder).await;
    let more = segment("C1", [(6, Body::Deposit(deposit("H1", 1)))]);
    site.append(&[more]).await;
    let Site { dir: _dir, ledger } = site;
    // As long as somebody has it open, nobody may.
    assert!(matches!(
        Restore::begin(&folder, true).await,
        Err(Error::FilesInUse(_))
    ));
    ledger.close().await;
    drop(ledger);
    let refused = Restore::begin(&folder, false).await.unwrap_err().to_string();
    assert!(refused.contains("--replace"), "{refused}");
    let done = restored(&folder, &bytes, NOW, STAMP).await;
    assert_eq!(is_sound(&opened(&folder).await).await, 5);
    let aside = Folder::open(&done.replaced.unwrap()).unwrap();
    let old = opened(&aside).await;
    assert_eq!(old.head().await.unwrap(), 6);
    // The same copy again, with the clock set back: the folder knows what it was.
    let again = restored(&folder, &bytes, 0, "20270101T000001Z").await;
    assert_eq!(again.generation, done.generation + 1);
}

#[tokio::test]
async fn a_restore_that_was_cut_off_before_it_was_ready_leaves_the_folder_as_it_was() {
    let site = with_batches(5).await;
    let folder = site.folder();
    let (_, bytes) = copied(&folder).await;
    let Site { dir: _dir, ledger } = site;
    ledger.close().await;
    drop(ledger);
    let restore = begun(&folder, &bytes, true).await;
    // A kill runs no destructor, and takes the lock.
    let work = folder.path().join("restoring");
    let kept = folder.path().join("kept");
    std::fs::rename(&work, &kept).unwrap();
    drop(restore);
    std::fs::rename(&kept, &work).unwrap();
    let ledger = opened(&folder).await;
    assert_eq!(
        (is_sound(&ledger).await, ledger.generation().await.unwrap()),
        (5, 1)
    );
    ledger.close().await;
    drop(ledger);
    restored(&folder, &bytes, NOW, STAMP).await;
    assert!(!work.exists());
}

#[tokio::test]
async fn a_restore_that_was_cut_off_once_it_was_ready_is_ended_by_whoever_opens_the_folder() {
    let site = with_batches(5).await;
    let folder = site.folder();
    let (_, bytes) = copied(&folder).await;
    let more = segment("C1", [(6, Body::Deposit(deposit("H1", 1)))]);
    site.append(&[more]).await;
    let Site { dir, ledger } = site;
    ledger.close().await;
    drop(ledger);
    // What a restore makes ready, from a folder where it had nothing to replace.
    let elsewhere = tempfile::tempdir().unwrap();
    let there = Folder::open(elsewhere.path()).unwrap();
    folder.copy_secrets_to(&there).unwrap();
    restored(&there, &bytes, NOW, STAMP).await;
    let ready = dir.path().join(format!("restored-{STAMP}"));
    std::fs::create_dir(&ready).unwrap();
    for name in ["hemu.db", "projections.db"] {
        std::fs::copy(elsewhere.path().join(name), ready.join(name)).unwrap();
    }
    // Some of it is done already.
    let aside = dir.path().join(format!("replaced-{STAMP}"));
    std::fs::create_dir(&aside).unwrap();
    std::fs::rename(dir.path().join("projections.db"), aside.join("projections.db")).unwrap();
    let ledger = opened(&folder).await;
    assert_eq!(is_sound(&ledger).await, 5);
    assert_eq!(ledger.generation().await.unwrap(), NOW.unsigned_abs());
    assert!(aside.join("hemu.db").exists() && !ready.exists());
}

#[tokio::test]
async fn a_copy_with_one_bit_changed_is_not_restored() {
    let site = with_batches(40).await;
    let (_, bytes) = copied(&site.folder()).await;
    let elsewhere = tempfile::tempdir().unwrap();
    let folder = Folder::open(elsewhere.path()).unwrap();
    let mut unnoticed = Vec::new();
    // Where the journal's bodies are, and in the pages of SQLite around them.
    for at in (0..bytes.len()).step_by(bytes.len() / 400) {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        let restore = begun(&folder, &changed, true).await;
        match restore.check(|_, _| ()).await {
            Ok(found) => unnoticed.push((at, found)),
            Err(Error::Damaged { .. } | Error::Database { .. }) => {}
            Err(other) => panic!("{at}: {other}"),
        }
    }
    // What nothing lies on may change; of what lies in the journal nothing has.
    let whole = copied(&site.folder()).await.0;
    for (at, found) in unnoticed {
        assert_eq!((found.head, found.records), (whole.head, whole.records), "{at}");
    }
}

#[tokio::test]
async fn what_a_file_holds_is_read_before_it_is_believed() {
    let elsewhere = tempfile::tempdir().unwrap();
    let folder = Folder::open(elsewhere.path()).unwrap();
    for bytes in [&b""[..], b"not a database, and longer than a header of one would be ............................................."] {
        let restore = begun(&folder, bytes, false).await;
        assert!(restore.check(|_, _| ()).await.is_err(), "{bytes:?}");
    }
    let mut left = String::new();
    for entry in std::fs::read_dir(elsewhere.path()).unwrap() {
        left.push_str(entry.unwrap().file_name().to_str().unwrap());
    }
    assert!(!left.contains(".db") && !left.contains("restor"), "{left}");
}
