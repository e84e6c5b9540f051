//! What only the embedded rollups do.

use hemu_rules::{Millis, Stream, Zone};
use hemu_series::{Measure, Point, Series};
use sqlx::{Connection as _, SqliteConnection};

const POINT: Point<'_> = Point {
    device: "C1",
    measure: Measure::DepositWeight,
    stream: Some(Stream::Food),
    at: Millis::clamped(0),
    value: 700,
};

#[tokio::test]
async fn a_file_of_before_is_filled_again_from_the_journal() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("series.db");
    let series = Series::open(&path, Zone::SHANGHAI).await.unwrap();
    assert!(series.write(0, 9, &[POINT]).await.unwrap());
    series.close().await;

    let mut file = SqliteConnection::connect(&format!("sqlite:{}", path.display()))
        .await
        .unwrap();
    // As it was before, without what came later.
    for undo in [
        "drop table due",
        "drop table engine",
        "drop table day",
        "drop table line",
        "create table hour (line, bucket)",
        "create table day (line, bucket)",
        "create table line (no, device, measure, stream)",
        "delete from _sqlx_migrations where version > 2",
    ] {
        sqlx::query(undo).execute(&mut file).await.unwrap();
    }
    file.close().await.unwrap();

    let series = Series::open(&path, Zone::SHANGHAI).await.unwrap();
    assert_eq!(series.position().await.unwrap(), 0);
    assert!(series.write(0, 9, &[POINT]).await.unwrap());
}

/// A full disk has SQLite end a transaction by itself, in the middle of a statement; a trigger does the same here.
#[tokio::test]
async fn charts_go_on_when_there_is_space_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("series.db");
    let series = Series::open(&path, Zone::SHANGHAI).await.unwrap();
    let mut file = SqliteConnection::connect(&format!("sqlite:{}", path.display()))
        .await
        .unwrap();
    sqlx::query(
        "create trigger no_space after insert on day
         begin select raise(rollback, 'database or disk is full'); end",
    )
    .execute(&mut file)
    .await
    .unwrap();
    // More than there are connections.
    for _ in 0..6 {
        assert!(series.write(0, 9, &[POINT]).await.is_err());
        assert_eq!(series.position().await.unwrap(), 0);
    }
    sqlx::query("drop trigger no_space")
        .execute(&mut file)
        .await
        .unwrap();
    assert!(series.write(0, 9, &[POINT]).await.unwrap());
    assert_eq!(series.position().await.unwrap(), 9);
}
