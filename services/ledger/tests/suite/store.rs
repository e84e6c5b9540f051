//! The data folder: who may have it, and what it says when nobody can.

use std::os::unix::fs::PermissionsExt;

use futures::future::join_all;
use hemu_ledger::entry::Body;
use hemu_ledger::{Alone, Error, Folder, Ledger, Role};
use hemu_rules::Zone;
use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};

use crate::site::{Site, deposit, run, segment};

#[tokio::test]
async fn a_second_holder_of_a_role_is_refused_until_the_first_ends() {
    let site = Site::new().await;
    let folder = site.folder();
    for role in [Role::Serve, Role::Project, Role::Verify] {
        let held = folder.lock(role).unwrap();
        let again = Folder::open(folder.path()).unwrap();
        assert!(matches!(again.lock(role), Err(Error::InUse(path)) if path == folder.path()));
        drop(held);
        drop(again.lock(role).unwrap());
    }
    let _serving = folder.lock(Role::Serve).unwrap();
    let (projector, lock) = site.ledger.projector().await.unwrap();
    assert!(matches!(site.ledger.projector().await, Err(Error::InUse(_))));
    drop((projector, lock));
    site.ledger.projector().await.unwrap();
    let _verifying = folder.lock(Role::Verify).unwrap();
    let second = site.ledger.verify_projections(|_| ()).await;
    assert!(matches!(second, Err(Error::InUse(_))), "{second:?}");
}

/// Under the umask that most systems give: others may read what is made.
#[test]
fn a_folder_that_is_made_is_its_owners_alone() {
    let dir = tempfile::tempdir().unwrap();
    let folder = Folder::open(&dir.path().join("site")).unwrap();
    let mode = std::fs::metadata(folder.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[tokio::test]
async fn files_are_replaced_only_while_nobody_has_them_open() {
    let site = Site::new().await;
    let (folder, zone) = (site.folder(), Zone::SHANGHAI);
    let Site { dir: _dir, ledger } = site;
    let journal = ledger.journal().await.unwrap();
    let (projector, lock) = ledger.projector().await.unwrap();
    let refused = async || {
        let refused = Alone::open(&folder, zone).await.map(|_| ());
        assert!(
            matches!(&refused, Err(Error::FilesInUse(path)) if path == folder.path()),
            "{refused:?}"
        );
    };
    refused().await;
    // A part that outlives its ledger still has the files open.
    drop((ledger, projector, lock));
    refused().await;
    drop(journal);
    let alone = Alone::open(&folder, zone).await.unwrap();
    let beside = Ledger::open(&folder, zone).await.map(|_| ());
    assert!(matches!(beside, Err(Error::Replaced(_))), "{beside:?}");
    alone.clear().await.unwrap();
    assert!(!folder.truth().exists() && !folder.projections().exists());
    Ledger::open(&folder, zone).await.unwrap();
}

#[tokio::test]
async fn a_schema_is_not_changed_under_whoever_has_the_folder_open() {
    let site = Site::new().await;
    let folder = site.folder();
    // To this version the file now looks as one that it would have to migrate.
    let mut file = site.projections().await;
    run(&mut file, "update _sqlx_migrations set checksum = x'00'").await;
    let beside = Ledger::open(&folder, Zone::SHANGHAI).await.map(|_| ());
    assert!(
        matches!(&beside, Err(Error::OtherVersion(path)) if path == folder.path()),
        "{beside:?}"
    );
    // With nobody else there, it is this version's own affair.
    let Site { dir: _dir, ledger } = site;
    ledger.close().await;
    drop(ledger);
    let migrated = Ledger::open(&folder, Zone::SHANGHAI).await.map(|_| ());
    assert!(matches!(migrated, Err(Error::Database { .. })), "{migrated:?}");
}

#[tokio::test]
async fn many_may_make_a_folder_s_files_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let folder = Folder::open(dir.path()).unwrap();
    let opened = join_all((0..8).map(|_| Ledger::open(&folder, Zone::SHANGHAI))).await;
    for ledger in opened {
        assert_eq!(ledger.unwrap().head().await.unwrap(), 0);
    }
}

#[tokio::test]
async fn projections_that_cannot_be_opened_are_folded_again() {
    let site = Site::new().await;
    site.append(&[segment("C1", [(1, Body::Deposit(deposit("H1", 1)))])])
        .await;
    let folder = site.folder();
    let Site { dir: _dir, ledger } = site;
    ledger.close().await;
    drop(ledger);
    std::fs::write(folder.projections(), "not a database, by far").unwrap();
    assert!(Ledger::open(&folder, Zone::SHANGHAI).await.is_err());
    let alone = Alone::open(&folder, Zone::SHANGHAI).await.unwrap();
    assert_eq!(alone.rebuild(|_| ()).await.unwrap(), 1);
    let ledger = Ledger::open(&folder, Zone::SHANGHAI).await.unwrap();
    assert_eq!(ledger.progress().await.unwrap().counters.accepted, 1);
}

#[tokio::test]
async fn files_of_a_newer_version_are_left_alone() {
    for truth in [true, false] {
        let site = Site::new().await;
        let folder = site.folder();
        let mut file = if truth {
            site.truth().await
        } else {
            site.projections().await
        };
        run(
            &mut file,
            "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
             values (9999, 'of the future', 1, x'00', 0)",
        )
        .await;
        site.ledger.close().await;
        let refused = Ledger::open(&folder, Zone::SHANGHAI).await.map(|_| ());
        let Err(Error::Newer {
            path,
            found: 9999,
            known,
        }) = refused
        else {
            panic!("expected Newer, got {refused:?}");
        };
        assert!(known < 9999);
        assert_eq!(
            path,
            if truth {
                folder.truth()
            } else {
                folder.projections()
            }
        );
    }
}

#[test]
fn a_folder_that_cannot_be_written_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("taken");
    std::fs::write(&file, "not a folder").unwrap();
    for path in [file.clone(), file.join("below"), "/proc/hemu-data".into()] {
        let refused = Folder::open(&path).map(|_| ());
        assert!(
            matches!(&refused, Err(Error::Folder { path: named, .. }) if *named == path),
            "{refused:?}"
        );
        assert!(refused.unwrap_err().to_string().contains("--data"));
    }
}

#[cfg(unix)]
#[test]
fn a_read_only_folder_says_so() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o555)).unwrap();
    if std::fs::write(dir.path().join("probe"), "").is_ok() {
        println!("skipped: this user may write into read-only folders");
        return;
    }
    assert!(matches!(Folder::open(dir.path()), Err(Error::Folder { .. })));
}

#[tokio::test]
async fn settings_and_the_generation_are_kept() {
    let mut site = Site::new().await;
    assert_eq!(site.ledger.generation().await.unwrap(), 1);
    assert_eq!(site.ledger.meta("site").await.unwrap(), None);
    site.ledger.set_meta("site", "和睦新村").await.unwrap();
    site.ledger.set_meta("generation", "2").await.unwrap();
    site = site.reopen().await;
    assert_eq!(
        site.ledger.meta("site").await.unwrap().as_deref(),
        Some("和睦新村")
    );
    assert_eq!(site.ledger.generation().await.unwrap(), 2);
}

/// SQLite as it is built here (`.cargo/config.toml`): with a larger `STMTJRNL_SPILL` this says that the disk is full, and
/// folding stands still for good where one statement has to change much.
#[tokio::test]
async fn a_statement_may_change_more_than_its_journal_keeps_in_memory() {
    let dir = tempfile::tempdir().unwrap();
    let options = SqliteConnectOptions::new()
        .filename(dir.path().join("large.db"))
        .journal_mode(SqliteJournalMode::Wal)
        .create_if_missing(true);
    let mut connection = options.connect().await.unwrap();
    // The second half goes between the first, so that every page is changed.
    let filled = "create table t (n integer primary key, filling blob not null) without rowid;
        with recursive count (n) as (select 1 union all select n + 1 from count where n < 20000)
        insert into t select 2 * n, randomblob(700) from count;
        begin;
        with recursive count (n) as (select 1 union all select n + 1 from count where n < 20000)
        insert into t select 2 * n + 1, randomblob(700) from count;
        commit;";
    sqlx::raw_sql(filled).execute(&mut connection).await.unwrap();
    let stored: i64 = sqlx::query_scalar("select count(*) from t")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(stored, 40_000);
}
