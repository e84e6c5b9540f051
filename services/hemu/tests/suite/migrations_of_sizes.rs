//! Folders of earlier builds that grew: with ten and a hundred times as much in them they are migrated, folded and sealed
//! all the same. `HEMU_TEST_MIGRATION_SIZES` names other factors; how long each took is printed, and nothing depends on it.
#![expect(
    clippy::unwrap_used,
    reason = "a test whose data cannot be prepared has failed"
)]

use std::path::Path;

use hemu_ledger::entry::{Body, Deposit};
use hemu_ledger::registry::HouseholdQuery;
use hemu_ledger::segment::Segment;
use hemu_ledger::{Folder, Ledger};
use hemu_rules::{Bp, By, Grams, Millis, Permille, Stream, Zone};
use sha2::{Digest, Sha256};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use tokio::time::Instant;

use crate::fixtures::{Fixture, fixtures};

/// About as many records as a fixture has, and how many a batch is given that is added.
pub(crate) const A_FIXTURES: u64 = 600;
const A_BATCH: u64 = 500;
/// 2026-11-20, before the fixtures were made.
const LAST: i64 = 1_795_132_800_000;
/// Tables with a row a day are given as many more days long before.
const LONG_AGO: u64 = 1_000;

pub(crate) fn factors() -> Vec<u64> {
    let asked = std::env::var("HEMU_TEST_MIGRATION_SIZES");
    let factors = asked.as_deref().unwrap_or("1,10,100").split(',');
    factors.map(|factor| factor.trim().parse().unwrap()).collect()
}

async fn open(data: &Path, file: &str) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(data.join(file));
    options.disable_statement_logging().connect().await.unwrap()
}

async fn run(connection: &mut SqliteConnection, sql: String) {
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(connection)
        .await
        .unwrap();
}

/// Rows that say 1, 2 and so on.
fn more(times: u64) -> String {
    format!(
        "with recursive more (times) as (
             select 1 where {times} > 0 union all select times + 1 from more where times < {times})"
    )
}

/// Every row of a day again on so many other days.
async fn more_days(projections: &mut SqliteConnection, times: u64) {
    let tables: Vec<String> = sqlx::query_scalar(
        "select name from sqlite_master where type = 'table' and exists (
             select 1 from pragma_table_info(sqlite_master.name) where name = 'day')",
    )
    .fetch_all(&mut *projections)
    .await
    .unwrap();
    for table in tables {
        let columns: Vec<String> = sqlx::query_scalar("select name from pragma_table_info(?)")
            .bind(&table)
            .fetch_all(&mut *projections)
            .await
            .unwrap();
        let moved = columns.iter().map(|column| match column.as_str() {
            "day" => format!("day - {LONG_AGO} * times"),
            other => other.to_owned(),
        });
        let moved = moved.collect::<Vec<_>>().join(", ");
        let sql = format!(
            "{} insert into {table} select {moved} from {table}, more;",
            more(times)
        );
        run(projections, sql).await;
    }
}

/// Households that nobody knows more of than where they live.
async fn more_households(truth: &mut SqliteConnection, times: u64) {
    let sql = format!(
        "{} insert into household (token, estate, building, unit, door, residents, created_at)
         select 'G' || times || token, estate, building, unit, door, residents, created_at from household, more;",
        more(times)
    );
    run(truth, sql).await;
}

/// A deposit of somebody on some day.
fn deposit(nth: u64, household: &str) -> Deposit<'_> {
    let minutes = i64::try_from(nth % 100_000).unwrap();
    Deposit {
        at: Millis::clamped(LAST - minutes * 60_000),
        household: Some(household),
        bag: None,
        stream: Stream::Food,
        weight: Grams::clamped(700),
        quality: Bp::clamped(8_000),
        confidence: Permille::MAX,
        by: By::Camera,
    }
}

/// Batches at the journal's end, chained as it chains them; how many records.
async fn more_records(truth: &mut SqliteConnection, records: u64) {
    let (mut position, mut hash): (i64, Vec<u8>) =
        sqlx::query_as("select position, hash from journal order by position desc limit 1")
            .fetch_one(&mut *truth)
            .await
            .unwrap();
    for first in (1..=records).step_by(usize::try_from(A_BATCH).unwrap()) {
        let last = records.min(first + A_BATCH - 1);
        let mut segment = Segment::of_device("grown", 1, first);
        for seq in first..=last {
            let household = format!("H{:02}", seq % 12 + 1);
            segment.push(seq, &Body::Deposit(deposit(seq, &household)));
        }
        let mut body = Vec::new();
        let count = segment.write(&mut body, |_| true);
        position += 1;
        let mut hasher = Sha256::new();
        hasher.update(&hash);
        hasher.update(position.to_be_bytes());
        hasher.update(LAST.to_be_bytes());
        hasher.update(count.to_be_bytes());
        hasher.update(&body);
        hash = hasher.finalize().to_vec();
        sqlx::query("insert into journal (position, at, records, hash, body) values (?, ?, ?, ?, ?)")
            .bind(position)
            .bind(LAST)
            .bind(i64::try_from(count).unwrap())
            .bind(&hash)
            .bind(&body)
            .execute(&mut *truth)
            .await
            .unwrap();
    }
}

/// A fixture that grew by a factor; by how many records and households.
async fn grown(fixture: &Fixture, data: &Path, factor: u64) -> [u64; 2] {
    fixture.unpack(data);
    let more = factor - 1;
    let mut projections = open(data, "projections.db").await;
    more_days(&mut projections, more).await;
    projections.close().await.unwrap();
    let mut truth = open(data, "hemu.db").await;
    more_households(&mut truth, more).await;
    more_records(&mut truth, more * A_FIXTURES).await;
    let households: i64 = sqlx::query_scalar("select count(*) from household")
        .fetch_one(&mut truth)
        .await
        .unwrap();
    truth.close().await.unwrap();
    [more * A_FIXTURES, households.cast_unsigned()]
}

/// What counts of a folder once it is migrated and folded; it is whole, and every household has its door.
async fn migrated(data: &Path, households: u64, what: &str) -> u64 {
    let began = Instant::now();
    let ledger = Ledger::open(&Folder::open(data).unwrap(), Zone::SHANGHAI)
        .await
        .unwrap();
    let opened = began.elapsed();
    let head = ledger.verify_chain(|_| ()).await.unwrap();
    let folding = Instant::now();
    hemu_ingest::fold::settle(&ledger, head.position).await.unwrap();
    println!(
        "{what}: migrated and sealed in {opened:?}, folded in {:?}",
        folding.elapsed()
    );
    assert_eq!(ledger.verify_projections(|_| ()).await.unwrap(), None, "{what}");
    assert_eq!(ledger.integrity().await.unwrap(), [None, None], "{what}");
    let all = HouseholdQuery {
        limit: u32::MAX,
        ..HouseholdQuery::default()
    };
    let found = ledger.households(&all).await.unwrap();
    assert_eq!(found.len() as u64, households, "{what}");
    assert!(found.iter().all(|household| household.door.is_some()), "{what}");
    let accepted = ledger.progress().await.unwrap().counters.accepted;
    ledger.close().await;
    accepted
}

#[tokio::test]
async fn folders_of_any_size_are_migrated_whole() {
    let all = fixtures();
    // The oldest, and the newest whose doors are still to be sealed.
    let newest = all.iter().rfind(|fixture| fixture.versions[0] < 10);
    for fixture in [all.first(), newest].map(Option::unwrap) {
        let mut first = None;
        for factor in factors() {
            let folder = tempfile::tempdir().unwrap();
            let [records, households] = grown(fixture, folder.path(), factor).await;
            let what = format!("schema {:?} with {records} records more", fixture.versions);
            let accepted = migrated(folder.path(), households, &what).await;
            let own = *first.get_or_insert(accepted - records);
            assert_eq!(accepted, own + records, "{what}");
        }
    }
}
