//! Hour and day rollups in SQLite.
//!
//! The key is (line, bucket): a chart reads neighbouring rows, and a stretch of the journal touches few of them.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hemu_rules::{Day, Stream, Zone};
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool,
    SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row, Sqlite};
use tokio::sync::Mutex;

use crate::due::Marks;
use crate::point::{Measure, Point};
use crate::query::{DAY_MS, Field, HOUR_MS, Line, Query, Step};
use crate::{Error, Result};

#[derive(Debug, Clone)]
pub(crate) struct Rollups {
    pub(crate) pool: SqlitePool,
    pub(crate) zone: Zone,
    /// Whether what changes is due at an engine.
    has_engine: bool,
    hour: Table,
    day: Table,
    /// Held while writing: the numbers of the lines, as far as they are known to be in the file.
    lines: Arc<Mutex<Known>>,
}

/// Numbers of lines by device.
type Numbers = HashMap<String, Vec<((Measure, Option<Stream>), i64)>>;

/// The numbers hold until the file is cleared, by whatever process.
#[derive(Debug, Default)]
struct Known {
    clearings: i64,
    numbers: Numbers,
}

/// What a bucket knows of its points.
#[derive(Debug, Clone, Copy)]
struct Sums {
    n: i64,
    sum: i64,
    min: i64,
    max: i64,
    last: (i64, i64),
}

impl Sums {
    fn of(at: i64, value: i64) -> Self {
        Self {
            n: 1,
            sum: value,
            min: value,
            max: value,
            last: (at, value),
        }
    }

    fn add(&mut self, other: Self) {
        self.n += other.n;
        self.sum = self.sum.saturating_add(other.sum);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        // Of two points of one instant the larger is kept: the same whichever came first.
        self.last = self.last.max(other.last);
    }
}

/// Waits for a lock that the operating system drops with the file.
async fn lock(path: PathBuf) -> Result<File> {
    let wait = move || {
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)?;
        file.lock()?;
        Ok(file)
    };
    let locked = tokio::task::spawn_blocking(wait).await;
    Ok(locked
        .map_err(|_| sqlx::Error::WorkerCrashed)?
        .map_err(sqlx::Error::Io)?)
}

/// Whether a connection is in no transaction. One that SQLite ended by itself, as it does where the disk is full, stays
/// counted by the driver, and nothing could be written through that connection again: it is given up.
async fn at_rest(connection: &mut SqliteConnection) -> bool {
    // A transaction that was dropped is rolled back behind whoever dropped it, and before this is answered.
    !connection.is_in_transaction() || (connection.ping().await.is_ok() && !connection.is_in_transaction())
}

impl Rollups {
    pub(crate) async fn open(path: &Path, zone: Zone, has_engine: bool) -> Result<Self> {
        // Until the tables are there: two processes that find a new file would both make them.
        let _alone = lock(path.with_extension("lock")).await?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // It can be filled again from the journal; a power cut may take its newest part, never its form.
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(Duration::from_secs(30))
            .disable_statement_logging();
        let pool = SqlitePoolOptions::new()
            .max_connections(4)
            .after_release(|connection, _| Box::pin(async { Ok(at_rest(connection).await) }))
            .connect_with(options)
            .await?;
        sqlx::migrate!("./migrations")
            .run(&pool)
            .await
            .map_err(sqlx::Error::from)?;
        Ok(Self {
            pool,
            zone,
            has_engine,
            hour: Table::new("hour"),
            day: Table::new("day"),
            lines: Arc::default(),
        })
    }

    pub(crate) async fn position(&self) -> Result<u64> {
        let row = sqlx::query("select position from progress")
            .fetch_one(&self.pool)
            .await?;
        Ok(row.try_get::<i64, _>("position")?.cast_unsigned())
    }

    pub(crate) async fn write(&self, after: u64, upto: u64, points: &[Point<'_>]) -> Result<bool> {
        let mut lines = self.lines.lock().await;
        // Numbers are believed again only when the transaction that relied on them is in the file.
        let mut known = std::mem::take(&mut *lines);
        let mut transaction = self.pool.begin_with("begin immediate").await?;
        let moved = sqlx::query("update progress set position = ? where position = ?")
            .bind(upto.cast_signed())
            .bind(after.cast_signed())
            .execute(&mut *transaction)
            .await?;
        if moved.rows_affected() == 0 {
            return Ok(false);
        }
        let clearings = clearings(&mut transaction).await?;
        if known.clearings != clearings {
            known = Known {
                clearings,
                numbers: Numbers::new(),
            };
        }
        let (mut hours, mut days) = (BTreeMap::new(), BTreeMap::new());
        for point in points {
            let line = number(&mut transaction, &mut known.numbers, point).await?;
            let sums = Sums::of(point.at.get(), point.value);
            let day = i64::from(Day::of(point.at, self.zone).get());
            add(&mut hours, (line, point.at.get().div_euclid(HOUR_MS)), sums);
            add(&mut days, (line, day), sums);
        }
        if self.has_engine {
            let mut marks = Marks::of(&mut transaction);
            marks.add(Step::Hour, hours.keys()).await?;
            marks.add(Step::Day, days.keys()).await?;
        }
        self.hour.write(&mut transaction, hours).await?;
        self.day.write(&mut transaction, days).await?;
        transaction.commit().await?;
        *lines = known;
        Ok(true)
    }

    pub(crate) async fn read(&self, query: &Query) -> Result<Vec<Line>> {
        let mut lines = Vec::new();
        let mut left = query.limit;
        for device in &query.devices {
            let found = sqlx::query(
                "select no, stream from line where device = ?1 and measure = ?2 and (?3 is null or stream = ?3)
                 order by stream",
            )
            .bind(device)
            .bind(query.measure.kept_as().as_str())
            .bind(query.stream.map(Stream::as_str))
            .fetch_all(&self.pool)
            .await?;
            for row in found {
                let stream: &str = row.try_get("stream")?;
                let points = self.points(row.try_get("no")?, query, left).await?;
                left = left
                    .checked_sub(points.len())
                    .ok_or(Error::TooMany { limit: query.limit })?;
                if points.is_empty() {
                    continue;
                }
                lines.push(Line {
                    device: device.clone(),
                    stream: stream.parse().ok(),
                    points,
                });
            }
        }
        Ok(lines)
    }

    async fn points(&self, line: i64, query: &Query, left: usize) -> Result<Vec<(i64, f64)>> {
        let (sql, from, to) = match query.step {
            Step::Hour => (
                "select * from hour where line = ? and bucket >= ? and bucket < ? order by bucket limit ?",
                ceil_div(query.from, HOUR_MS),
                ceil_div(query.to, HOUR_MS),
            ),
            Step::Day => (
                "select * from day where line = ? and bucket >= ? and bucket < ? order by bucket limit ?",
                self.first_day(query.from),
                self.first_day(query.to),
            ),
        };
        let most = i64::try_from(left).unwrap_or(i64::MAX).saturating_add(1);
        let rows = sqlx::query(sql)
            .bind(line)
            .bind(from)
            .bind(to)
            .bind(most)
            .fetch_all(&self.pool)
            .await?;
        let mut points = Vec::with_capacity(rows.len());
        for row in rows {
            let bucket: i64 = row.try_get("bucket")?;
            let start = self.start(query.step, bucket);
            points.push((start, query.shown(|field: Field| row.try_get(field.as_str()))?));
        }
        Ok(points)
    }

    /// The first local day that begins at or after an instant.
    fn first_day(&self, at: i64) -> i64 {
        ceil_div(at.saturating_add(self.zone.offset_ms()), DAY_MS)
    }

    pub(crate) async fn clear(&self) -> Result<()> {
        let mut transaction = self.pool.begin_with("begin immediate").await?;
        let next = clearings(&mut transaction).await?.wrapping_add(1) & i64::from(i32::MAX);
        let count = AssertSqlSafe(format!("pragma user_version = {next}"));
        sqlx::query(count).execute(&mut *transaction).await?;
        for sql in [
            "delete from hour",
            "delete from day",
            "delete from line",
            "delete from due",
            "update progress set position = 0",
            "update engine set wipe = wipe + 1, filling = null where target <> ''",
        ] {
            sqlx::query(sql).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}

pub(crate) fn ceil_div(value: i64, by: i64) -> i64 {
    value.div_euclid(by) + i64::from(value.rem_euclid(by) != 0)
}

/// How often the file was cleared: a number that SQLite keeps for its users, and rolls back with the rest.
pub(crate) async fn clearings(connection: &mut SqliteConnection) -> Result<i64> {
    let row = sqlx::query("pragma user_version").fetch_one(connection).await?;
    Ok(row.try_get(0)?)
}

/// (line, bucket): the order of the tables' pages.
pub(crate) type Place = (i64, i64);

fn add(sums: &mut BTreeMap<Place, Sums>, place: Place, more: Sums) {
    sums.entry(place)
        .and_modify(|known| known.add(more))
        .or_insert(more);
}

/// Rows a statement; each shape is prepared once and kept.
const SHAPES: [usize; 3] = [512, 16, 1];

/// The statements that write into one of the two tables.
#[derive(Debug, Clone)]
struct Table {
    shapes: [(usize, Arc<str>); 3],
}

impl Table {
    fn new(name: &str) -> Self {
        let shapes = SHAPES.map(|count| {
            let rows = vec!["(?, ?, ?, ?, ?, ?, ?, ?)"; count].join(", ");
            let into = format!("insert into {name} (line, bucket, n, sum, min, max, last_at, last)");
            (count, format!("{into} values {rows} {ADD}").into())
        });
        Self { shapes }
    }

    async fn write(&self, connection: &mut SqliteConnection, rows: BTreeMap<Place, Sums>) -> Result<()> {
        let rows: Vec<_> = rows.into_iter().collect();
        let mut left = &rows[..];
        for (count, sql) in &self.shapes {
            while let Some((some, rest)) = left.split_at_checked(*count) {
                insert(sql, some).execute(&mut *connection).await?;
                left = rest;
            }
        }
        Ok(())
    }
}

fn insert<'q>(sql: &Arc<str>, rows: &[(Place, Sums)]) -> sqlx::query::Query<'q, Sqlite, SqliteArguments> {
    let mut query = sqlx::query(AssertSqlSafe(Arc::clone(sql)));
    for ((line, bucket), sums) in rows {
        query = query.bind(*line).bind(*bucket).bind(sums.n).bind(sums.sum);
        query = query.bind(sums.min).bind(sums.max);
        query = query.bind(sums.last.0).bind(sums.last.1);
    }
    query
}

/// Sums add up, extremes extend, and the latest event stays the latest.
const ADD: &str = " on conflict do update set n = n + excluded.n, sum = sum + excluded.sum,
      min = min(min, excluded.min), max = max(max, excluded.max),
      last = iif((excluded.last_at, excluded.last) > (last_at, last), excluded.last, last),
      last_at = max(last_at, excluded.last_at)";

/// The number of a point's line; a new line gets the next.
async fn number(connection: &mut SqliteConnection, known: &mut Numbers, point: &Point<'_>) -> Result<i64> {
    let key = (point.measure, point.stream);
    let of_device = known.get(point.device);
    if let Some((_, line)) = of_device.and_then(|lines| lines.iter().find(|(kept, _)| *kept == key)) {
        return Ok(*line);
    }
    // `do update` rather than `do nothing`, so that the row comes back either way.
    let row = sqlx::query(
        "insert into line (device, measure, stream) values (?, ?, ?)
         on conflict do update set device = excluded.device returning no",
    )
    .bind(point.device)
    .bind(point.measure.as_str())
    .bind(point.stream.map_or("", Stream::as_str))
    .fetch_one(connection)
    .await?;
    let line = row.try_get("no")?;
    let lines = known.entry(point.device.to_owned()).or_default();
    lines.push((key, line));
    Ok(line)
}
