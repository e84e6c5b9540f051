//! `kill -9` at every statement of every migration, from every schema there was: the file is as it was before that
//! migration, to the row, and opens.
//!
//! The process that is killed is this test again, told by the environment what to do. It runs sqlx's migrator, as the
//! ledger does, on the real migrations, of which one is cut after a statement and goes on with one that never ends;
//! there it kills itself.
#![expect(
    clippy::unwrap_used,
    reason = "a test whose data cannot be prepared has failed"
)]

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};

use hemu_ledger::{Folder, Ledger};
use hemu_rules::Zone;
use hemu_series::Series;
use rustix::process::{Signal, getpid, kill_process};
use sqlx::migrate::{Migration, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row, SqlSafeStr};

use crate::fixtures::{FILES, fixtures, migrations};

const NAME: &str = "migrations::a_kill_at_any_statement_of_any_migration_leaves_the_file_as_it_was_before_it";
const ORDER: &str = "HEMU_TEST_MIGRATE";
const ENDLESS: &str = "with recursive endless (n) as (select 1 union all select n + 1 from endless) select count(*) from endless;";
/// Steps of SQLite's machine in one statement. Only the endless one comes so far.
const MANY: i32 = 500_000;

pub(crate) async fn connect(file: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .foreign_keys(true);
    options.disable_statement_logging().connect().await.unwrap()
}

async fn migrator(kind: &str) -> Migrator {
    Migrator::new(migrations(kind)).await.unwrap()
}

/// The statements of a migration, each whole. A trigger's end with its body.
fn statements(sql: &str) -> Vec<String> {
    let (mut statements, mut open) = (Vec::new(), String::new());
    for line in sql.lines().filter(|line| !line.trim_start().starts_with("--")) {
        open.push_str(line);
        open.push('\n');
        let line = line.split("--").next().unwrap().trim_end();
        let body = open.trim_start().starts_with("create trigger");
        if line.ends_with(';') && (!body || line == "end;") {
            statements.push(std::mem::take(&mut open));
        }
    }
    assert_eq!(open.trim(), "", "a statement does not end");
    statements
}

/// The child: migrates until after a statement of one migration.
async fn die(order: &str) {
    let [file, kind, version, after] = order.split('|').collect::<Vec<_>>().try_into().unwrap();
    let (version, after): (i64, usize) = (version.parse().unwrap(), after.parse().unwrap());
    let whole = migrator(kind).await;
    let cut = |migration: &Migration| {
        let mut migration = migration.clone();
        if migration.version == version {
            let mut kept = statements(migration.sql.as_str());
            kept.truncate(after);
            kept.push(ENDLESS.to_owned());
            migration.sql = AssertSqlSafe(kept.concat()).into_sql_str();
        }
        migration
    };
    let deadly = Migrator::with_migrations(whole.iter().map(cut).collect());
    let mut connection = connect(Path::new(file)).await;
    let kill = || {
        kill_process(getpid(), Signal::KILL).unwrap();
        true
    };
    connection
        .lock_handle()
        .await
        .unwrap()
        .set_progress_handler(MANY, kill);
    deadly.run(&mut connection).await.unwrap();
}

/// Everything in a file but when it was migrated: schema and rows as text.
async fn everything(file: &Path) -> Vec<String> {
    let mut connection = connect(file).await;
    let sound: String = sqlx::query_scalar("pragma integrity_check")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(sound, "ok");
    let mut all = texts(
        &mut connection,
        "select coalesce(sql, name) from sqlite_master order by name",
    )
    .await;
    let tables = texts(
        &mut connection,
        "select name from sqlite_master where type = 'table' order by name",
    )
    .await;
    for table in tables {
        let columns = format!(
            "select 'quote(\"' || name || '\")' from pragma_table_info('{table}')
             where name not in ('installed_on', 'execution_time')"
        );
        let columns = texts(&mut connection, &columns).await.join("||','||");
        let rows = texts(
            &mut connection,
            &format!("select {columns} from \"{table}\" order by 1"),
        )
        .await;
        all.extend(rows.into_iter().map(|row| format!("{table}: {row}")));
    }
    connection.close().await.unwrap();
    all
}

pub(crate) async fn texts(connection: &mut SqliteConnection, sql: &str) -> Vec<String> {
    let rows = sqlx::query(AssertSqlSafe(sql.to_owned()))
        .fetch_all(connection)
        .await
        .unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// A data folder to begin with, made anew each time.
type Begin<'a> = &'a dyn Fn(&Path);

/// Every kill of the migrations of one file after a version; how many there were.
async fn killed(begin: Begin<'_>, file: &str, kind: &str, from: i64) -> usize {
    let whole = migrator(kind).await;
    let mut kills = 0;
    for migration in whole.iter().filter(|migration| migration.version > from) {
        // As it is once everything before this migration is done.
        let before = tempfile::tempdir().unwrap();
        begin(before.path());
        let mut connection = connect(&before.path().join(file)).await;
        whole
            .run_to(migration.version - 1, &mut connection)
            .await
            .unwrap();
        connection.close().await.unwrap();
        let expected = everything(&before.path().join(file)).await;
        let count = statements(migration.sql.as_str()).len();
        for after in 0..=count {
            let folder = tempfile::tempdir().unwrap();
            begin(folder.path());
            let path = folder.path().join(file);
            let order = format!("{}|{kind}|{}|{after}", path.display(), migration.version);
            let died = Command::new(std::env::current_exe().unwrap())
                .args([NAME, "--exact", "--nocapture"])
                .env(ORDER, order)
                .stdout(Stdio::null())
                .status()
                .unwrap();
            assert_eq!(
                died.signal(),
                Some(9),
                "it was to be killed, and ended with {died}"
            );
            let found = everything(&path).await;
            let what = format!(
                "{kind} {} after statement {after}, from {from}",
                migration.version
            );
            assert!(found == expected, "{what}: the file is not as it was before");
            if after == count {
                match kind {
                    "series" => charts_open(&path).await,
                    _ => opens(folder.path(), &what).await,
                }
            }
            kills += 1;
        }
    }
    kills
}

/// The folder opens as this build's and is whole.
async fn opens(data: &Path, what: &str) {
    let ledger = Ledger::open(&Folder::open(data).unwrap(), Zone::SHANGHAI)
        .await
        .unwrap();
    let head = ledger.verify_chain(|_| ()).await.unwrap();
    hemu_ingest::fold::settle(&ledger, head.position).await.unwrap();
    assert_eq!(ledger.verify_projections(|_| ()).await.unwrap(), None, "{what}");
    ledger.close().await;
}

/// The charts' file opens as this build's, to be filled again from the journal's beginning.
async fn charts_open(file: &Path) {
    let charts = Series::open(file, Zone::SHANGHAI).await.unwrap();
    assert_eq!(charts.position().await.unwrap(), 0);
    charts.close().await;
}

/// The charts' file, and where its migrations are. No fixture has one: whatever was in it is filled again.
const CHARTS: (&str, &str) = ("series.db", "series");

/// What the first build to have charts left in them.
async fn first_charts(file: &Path) {
    let mut connection = connect(file).await;
    migrator(CHARTS.1).await.run_to(1, &mut connection).await.unwrap();
    let rows = "
        insert into line values (1, 'C1', 'deposits', 'food'), (2, 'C1', 'weight', 'food');
        insert into hour values (1, 490896, 2, 2, 1, 1, 1767225600000, 1), (2, 490896, 2, 900, 200, 700, 1767225600000, 700);
        insert into day values (1, 20454, 2, 2, 1, 1, 1767225600000, 1), (2, 20454, 2, 900, 200, 700, 1767225600000, 700);
        update progress set position = 2;";
    sqlx::raw_sql(rows).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn a_kill_at_any_statement_of_any_migration_leaves_the_file_as_it_was_before_it() {
    if let Ok(order) = std::env::var(ORDER) {
        return die(&order).await;
    }
    let mut kills = 0;
    for (file, kind) in FILES {
        kills += killed(&|_| (), file, kind, 0).await;
    }
    for fixture in fixtures() {
        for ((file, kind), from) in FILES.into_iter().zip(fixture.versions) {
            kills += killed(&|folder| fixture.unpack(folder), file, kind, from).await;
        }
    }
    let (file, kind) = CHARTS;
    let before = tempfile::tempdir().unwrap();
    let first = before.path().join(file);
    first_charts(&first).await;
    let begin = |folder: &Path| {
        std::fs::copy(&first, folder.join(file)).unwrap();
    };
    let charts = killed(&|_| (), file, kind, 0).await + killed(&begin, file, kind, 1).await;
    println!("{kills} kills, and {charts} of the charts");
    assert!(
        charts > 45,
        "{charts} kills are not every statement of the charts"
    );
    assert!(kills > 300, "{kills} kills are not every statement");
}
