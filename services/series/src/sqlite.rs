//! Hour and day rollups in SQLite, packed by the day.
//!
//! The key is the line and the day: a chart reads neighbouring rows, and a stretch of the journal touches few of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hemu_rules::{Day, Millis, Stream, Zone};
use sqlx::migrate::MigrateError;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row};
use tokio::sync::Mutex;

use crate::due::Marks;
use crate::packed::{Key, Packed, Sums};
use crate::point::Point;
use crate::query::{DAY_MS, HOUR_MS, Line, Query, Step};
use crate::{Error, Result};

const CONNECTIONS: u32 = 4;

#[derive(Debug, Clone)]
pub(crate) struct Rollups {
    pub(crate) pool: SqlitePool,
    pub(crate) zone: Zone,
    /// Whether what changes is due at an engine.
    has_engine: bool,
    shapes: Shapes,
    /// Held while writing: the numbers of the lines, as far as they are known to be in the file.
    lines: Arc<Mutex<Known>>,
}

/// Numbers of lines by device.
type Numbers = HashMap<String, Vec<(Option<Stream>, i64)>>;

/// The numbers hold until the file is cleared, by whatever process.
#[derive(Debug, Default)]
struct Known {
    clearings: i64,
    numbers: Numbers,
}

/// A point on its way into its day.
struct Added {
    place: Place,
    key: Key,
    sums: Sums,
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
            // A stretch touches a day of every line. Its pages fit into the cache, and most of them are written by the next
            // stretches again before the log is moved into the file.
            .pragma("cache_size", "-8192")
            .pragma("wal_autocheckpoint", "4000")
            .busy_timeout(Duration::from_secs(30))
            .disable_statement_logging();
        let pool = SqlitePoolOptions::new()
            .max_connections(CONNECTIONS)
            .idle_timeout(None)
            .max_lifetime(None)
            .after_release(|connection, _| Box::pin(async { Ok(at_rest(connection).await) }))
            .connect_with(options)
            .await?;
        let migrator = sqlx::migrate!("./migrations");
        migrator.run(&pool).await.map_err(|error| match error {
            MigrateError::VersionMissing(found) | MigrateError::VersionTooNew(found, _) => Error::Newer {
                path: path.to_owned(),
                found,
                known: migrator.iter().map(|step| step.version).max().unwrap_or_default(),
            },
            other => sqlx::Error::from(other).into(),
        })?;
        // All at once, and once the file is as it stays: a server has as much memory after a minute as after a week.
        let mut held = Vec::new();
        for _ in 0..CONNECTIONS {
            held.push(pool.acquire().await?);
        }
        drop(held);
        Ok(Self {
            pool,
            zone,
            has_engine,
            shapes: Shapes::new(),
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
        let mut added = Vec::with_capacity(points.len());
        for point in points {
            let line = number(&mut transaction, &mut known.numbers, point).await?;
            added.extend(self.added(line, point));
        }
        added.sort_unstable_by_key(|added| (added.place, added.key));
        if self.has_engine {
            self.mark(&mut transaction, &added).await?;
        }
        self.shapes.write(&mut transaction, &added).await?;
        transaction.commit().await?;
        *lines = known;
        Ok(true)
    }

    /// Where a point goes; nowhere before 1970 and in the far future.
    fn added(&self, line: i64, point: &Point<'_>) -> Option<Added> {
        let day = Day::of(point.at, self.zone);
        let hour = point.at.get().div_euclid(HOUR_MS);
        let of_day = u8::try_from(hour - self.first_hour(day.get().into())).ok()?;
        let at = point.at.get().rem_euclid(HOUR_MS);
        Some(Added {
            place: Place::of(line, day.get().into())?,
            key: (point.measure, of_day),
            sums: Sums::of(at, point.value),
        })
    }

    /// The hour since 1970 UTC that a local day begins in.
    pub(crate) fn first_hour(&self, day: i64) -> i64 {
        self.start(Step::Day, day).div_euclid(HOUR_MS)
    }

    /// Notes what the engine lacks by these points.
    async fn mark(&self, connection: &mut SqliteConnection, added: &[Added]) -> Result<()> {
        let hour = |added: &Added| {
            let hour = self.first_hour(added.place.day()) + i64::from(added.key.1);
            (added.place.line(), hour)
        };
        let hours: BTreeSet<_> = added.iter().map(hour).collect();
        let days: BTreeSet<_> = added
            .iter()
            .map(|added| (added.place.line(), added.place.day()))
            .collect();
        let mut marks = Marks::of(connection);
        marks.add(Step::Hour, hours.iter()).await?;
        marks.add(Step::Day, days.iter()).await
    }

    pub(crate) async fn read(&self, query: &Query) -> Result<Vec<Line>> {
        let mut lines = Vec::new();
        let mut left = query.limit;
        for device in &query.devices {
            let found = sqlx::query(
                "select no, stream from line where device = ?1 and (?2 is null or stream = ?2) order by stream",
            )
            .bind(device)
            .bind(query.stream.map(Stream::as_str))
            .fetch_all(&self.pool)
            .await?;
            for row in found {
                let stream: &str = row.try_get("stream")?;
                let points = self.points(row.try_get("no")?, query).await?;
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

    /// A line's part of a chart, or as much of it as is surely too much.
    async fn points(&self, line: i64, query: &Query) -> Result<Vec<(i64, f64)>> {
        let (from, to) = match query.step {
            Step::Hour => (query.from, query.to),
            Step::Day => (self.first_midnight(query.from), self.first_midnight(query.to)),
        };
        // The last hour may end on the day after.
        let (first, last) = (
            self.place_at(line, from),
            self.place_at(line, to.saturating_add(HOUR_MS)),
        );
        let mut buckets = BTreeMap::new();
        let mut next = first.0;
        while next <= last.0 && buckets.len() <= query.limit {
            let rows = sqlx::query(DAYS)
                .bind(next)
                .bind(last.0)
                .bind(DAYS_AT_ONCE)
                .fetch_all(&self.pool)
                .await?;
            next = last.0 + 1;
            for row in &rows {
                let place = Place(row.try_get("place")?);
                let packed = unpack(place, row.try_get("sums")?)?;
                for (start, sums) in self.buckets(query, place.day(), &packed) {
                    if (from..to).contains(&start) {
                        add(&mut buckets, start, sums);
                    }
                }
                if rows.len() == usize::from(DAYS_AT_ONCE) {
                    next = place.0 + 1;
                }
            }
        }
        let shown = |(start, sums): (i64, Sums)| {
            let value = query.shown(|field| Ok::<_, Error>(sums.field(field)))?;
            Ok((start, value))
        };
        buckets.into_iter().map(shown).collect()
    }

    fn place_at(&self, line: i64, at: i64) -> Place {
        let day = Day::of(Millis::clamped(at), self.zone);
        Place::nearest(line, day.get().into())
    }

    /// What of a day a chart shows, by the start of its buckets.
    fn buckets(&self, query: &Query, day: i64, packed: &Packed) -> Vec<(i64, Sums)> {
        let measure = query.measure.kept_as();
        match query.step {
            Step::Hour => {
                let first = self.first_hour(day);
                let hours = packed.hours(measure);
                hours
                    .map(|(hour, sums)| ((first + i64::from(hour)) * HOUR_MS, sums))
                    .collect()
            }
            Step::Day => {
                let whole = packed.day(measure);
                whole
                    .map(|sums| (self.start(Step::Day, day), sums))
                    .into_iter()
                    .collect()
            }
        }
    }

    /// When the first local day begins that does so at or after an instant.
    fn first_midnight(&self, at: i64) -> i64 {
        let day = ceil_div(at.saturating_add(self.zone.offset_ms()), DAY_MS);
        self.start(Step::Day, day)
    }

    pub(crate) async fn clear(&self) -> Result<()> {
        let mut transaction = self.pool.begin_with("begin immediate").await?;
        let next = clearings(&mut transaction).await?.wrapping_add(1) & i64::from(i32::MAX);
        let count = AssertSqlSafe(format!("pragma user_version = {next}"));
        sqlx::query(count).execute(&mut *transaction).await?;
        for sql in [
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

/// The line's number and the local day, as one number: the order of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place(pub(crate) i64);

/// Bits for the day: as far as the year 4840.
pub(crate) const DAY_BITS: u32 = 20;

impl Place {
    pub(crate) fn of(line: i64, day: i64) -> Option<Self> {
        (0..1 << DAY_BITS)
            .contains(&day)
            .then_some(Self(line << DAY_BITS | day))
    }

    fn nearest(line: i64, day: i64) -> Self {
        Self(line << DAY_BITS | day.clamp(0, (1 << DAY_BITS) - 1))
    }

    pub(crate) const fn line(self) -> i64 {
        self.0 >> DAY_BITS
    }

    pub(crate) const fn day(self) -> i64 {
        self.0 & ((1 << DAY_BITS) - 1)
    }
}

/// What a row holds.
pub(crate) fn unpack(place: Place, sums: &[u8]) -> Result<Packed> {
    Packed::decode(sums).ok_or(Error::Damaged { place: place.0 })
}

pub(crate) fn add<K: Ord>(sums: &mut BTreeMap<K, Sums>, key: K, more: Sums) {
    sums.entry(key)
        .and_modify(|known| known.add(more))
        .or_insert(more);
}

/// Days read at once: a chart of many years is no reason to hold them all.
const DAYS_AT_ONCE: u16 = 400;
const DAYS: &str = "select place, sums from day where place >= ? and place <= ? order by place limit ?";

/// Rows a statement; each shape is prepared once and kept.
const SHAPES: [usize; 3] = [512, 16, 1];

/// The statements that read and write days, with the rows each takes.
#[derive(Debug, Clone)]
struct Shapes([(usize, Arc<str>, Arc<str>); 3]);

impl Shapes {
    fn new() -> Self {
        Self(SHAPES.map(|count| {
            let places = vec!["?"; count].join(", ");
            let read = format!("select place, sums from day where place in ({places})");
            let rows = vec!["(?, ?, ?)"; count].join(", ");
            let write = format!("insert or replace into day (place, hours, sums) values {rows}");
            (count, read.into(), write.into())
        }))
    }

    /// Adds points, which are in the order of their places, to what the days hold.
    async fn write(&self, connection: &mut SqliteConnection, added: &[Added]) -> Result<()> {
        let days: Vec<&[Added]> = added.chunk_by(|one, other| one.place == other.place).collect();
        let mut left = &days[..];
        for (count, read, write) in &self.0 {
            while let Some((some, rest)) = left.split_at_checked(*count) {
                add_to_days(connection, read, write, some).await?;
                left = rest;
            }
        }
        Ok(())
    }
}

async fn add_to_days(
    connection: &mut SqliteConnection,
    read: &Arc<str>,
    write: &Arc<str>,
    days: &[&[Added]],
) -> Result<()> {
    let mut query = sqlx::query(AssertSqlSafe(Arc::clone(read)));
    for added in days.iter().filter_map(|day| day.first()) {
        query = query.bind(added.place.0);
    }
    let mut held: HashMap<Place, Packed> = HashMap::new();
    for row in query.fetch_all(&mut *connection).await? {
        let place = Place(row.try_get("place")?);
        held.insert(place, unpack(place, row.try_get("sums")?)?);
    }
    let mut query = sqlx::query(AssertSqlSafe(Arc::clone(write)));
    for day in days {
        let Some(Added { place, .. }) = day.first() else {
            continue;
        };
        let mut packed = held.remove(place).unwrap_or_default();
        for added in *day {
            packed.add(added.key, added.sums);
        }
        let hours = i64::try_from(packed.all_hours().len()).unwrap_or(i64::MAX);
        query = query.bind(place.0).bind(hours).bind(packed.encode());
    }
    query.execute(&mut *connection).await?;
    Ok(())
}

/// The number of a point's line; a new line gets the next.
async fn number(connection: &mut SqliteConnection, known: &mut Numbers, point: &Point<'_>) -> Result<i64> {
    let of_device = known.get(point.device);
    if let Some((_, line)) = of_device.and_then(|lines| lines.iter().find(|(kept, _)| *kept == point.stream))
    {
        return Ok(*line);
    }
    // `do update` rather than `do nothing`, so that the row comes back either way.
    let row = sqlx::query(
        "insert into line (device, stream) values (?, ?)
         on conflict do update set device = excluded.device returning no",
    )
    .bind(point.device)
    .bind(point.stream.map_or("", Stream::as_str))
    .fetch_one(connection)
    .await?;
    let line = row.try_get("no")?;
    let lines = known.entry(point.device.to_owned()).or_default();
    lines.push((point.stream, line));
    Ok(line)
}
