//! What an engine beside the rollups has not got: kept with them, in the same transactions, so that it is never wrong.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::RangeInclusive;

use hemu_rules::{Day, Millis, Stream};
use sqlx::sqlite::SqliteConnection;
use sqlx::{QueryBuilder, Row, Sqlite};

use crate::Result;
use crate::engine::Bucket;
use crate::packed::{Packed, Sums};
use crate::point::Measure;
use crate::query::{Agg, DAY_MS, Field, HOUR_MS, Query, Step};
use crate::sqlite::{DAY_BITS, Place, Rollups, add, clearings, unpack};

/// Rows a statement.
const ROWS: usize = 500;
/// Lines of which everything is made due again at once.
const LINES: i64 = 20;

/// Buckets to send, with what tells afterwards that they are still what was sent.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) buckets: Vec<Bucket>,
    /// (grain, line, bucket, mark) of each.
    marks: Vec<(&'static str, i64, i64, i64)>,
    clearings: i64,
}

impl Batch {
    /// How many (line, bucket): each is sent with all its measures.
    pub(crate) fn len(&self) -> usize {
        self.marks.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }
}

/// Marks buckets as due, in the transaction that changes them.
pub(crate) struct Marks<'c>(&'c mut SqliteConnection);

impl<'c> Marks<'c> {
    pub(crate) fn of(connection: &'c mut SqliteConnection) -> Self {
        Self(connection)
    }

    pub(crate) async fn add<'p>(
        &mut self,
        grain: Step,
        places: impl ExactSizeIterator<Item = &'p (i64, i64)>,
    ) -> Result<()> {
        let places: Vec<_> = places.collect();
        for places in places.chunks(ROWS) {
            let mut query = QueryBuilder::<Sqlite>::new("insert into due (grain, line, bucket, mark) ");
            query.push_values(places, |mut row, (line, bucket)| {
                row.push_bind(grain.as_str()).push_bind(line).push_bind(bucket);
                row.push_bind(1);
            });
            query.push(" on conflict do update set mark = mark + 1, sent = null");
            query
                .build()
                .persistent(places.len() == ROWS)
                .execute(&mut *self.0)
                .await?;
        }
        Ok(())
    }
}

const UNSENT: &str = "select line, bucket, mark, device, stream from due join line on no = line
    where grain = ? and sent is null limit ?";

/// All days of some lines, by the number of the line.
const OF_LINES: &str = "select place, sums from day where place >= ?1 << ?3 and place < ?2 << ?3";

impl Rollups {
    /// Says which engine is to have what is here (`""` for none); one that is new to the file lacks everything.
    pub(crate) async fn aim_at(&self, target: &str) -> Result<()> {
        let sql = "update engine set target = ?1, instance = '', wipe = 0, filling = iif(?1 = '', null, 0)
                   where target <> ?1";
        let mut transaction = self.pool.begin_with("begin immediate").await?;
        let other = sqlx::query(sql).bind(target).execute(&mut *transaction).await?;
        if other.rows_affected() > 0 {
            sqlx::query("delete from due").execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// How often the file was cleared since the engine was last wiped.
    pub(crate) async fn wipe_due(&self) -> Result<i64> {
        let row = sqlx::query("select wipe from engine")
            .fetch_one(&self.pool)
            .await?;
        Ok(row.try_get(0)?)
    }

    /// Notes that the engine was wiped, unless the file has been cleared again.
    pub(crate) async fn wiped(&self, clearings: i64) -> Result<()> {
        let sql = "update engine set wipe = 0 where wipe = ?";
        sqlx::query(sql).bind(clearings).execute(&self.pool).await?;
        Ok(())
    }

    /// Notes which run of the engine answers. What was sent to another run, and of which it was not yet sure, is due again.
    pub(crate) async fn meet(&self, instance: &str) -> Result<()> {
        let mut transaction = self.pool.begin_with("begin immediate").await?;
        let sql = "update engine set instance = ?1 where instance <> ?1";
        let other = sqlx::query(sql).bind(instance).execute(&mut *transaction).await?;
        if other.rows_affected() > 0 {
            let sql = "update due set sent = null where sent is not null";
            sqlx::query(sql).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// What was sent by then is there for good.
    pub(crate) async fn settle(&self, until: i64) -> Result<()> {
        let sql = "delete from due where sent <= ?";
        sqlx::query(sql).bind(until).execute(&self.pool).await?;
        Ok(())
    }

    /// While everything is to be sent again: makes more of it due until there are two batches, so that an empty one says
    /// that nothing is left.
    pub(crate) async fn fill(&self, batch: usize) -> Result<()> {
        let enough = i64::try_from(2 * batch).unwrap_or(i64::MAX);
        while self.fill_some(enough).await? {}
        Ok(())
    }

    /// Whether there may be more to do.
    async fn fill_some(&self, enough: i64) -> Result<bool> {
        let idle = sqlx::query("select 1 from engine where filling is null");
        if idle.fetch_optional(&self.pool).await?.is_some() {
            return Ok(false);
        }
        let mut transaction = self.pool.begin_with("begin immediate").await?;
        let sql = "select coalesce(filling, 0) as line, (select coalesce(max(no), 0) from line) as lines,
                   (select count(*) from (select 1 from due where sent is null limit ?)) as due from engine";
        let row = sqlx::query(sql).bind(enough).fetch_one(&mut *transaction).await?;
        let (line, lines): (i64, i64) = (row.try_get("line")?, row.try_get("lines")?);
        let due: i64 = row.try_get("due")?;
        let filling = line < lines;
        let most = if filling { enough } else { 1 };
        if due >= most {
            return Ok(false);
        }
        let upto = line.saturating_add(LINES);
        self.mark_all(&mut transaction, line + 1, upto + 1).await?;
        // All lines are through, and sent: the next time begins anew.
        let next = filling.then_some(upto);
        let sql = "update engine set filling = ?";
        sqlx::query(sql).bind(next).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(filling)
    }

    /// Makes everything due again, bit by bit; nothing changes while that is going on already. Answers what is left.
    pub(crate) async fn refill(&self) -> Result<u64> {
        let mut transaction = self.pool.begin_with("begin immediate").await?;
        let sql = "update engine set filling = 0 where filling is null and target <> ''";
        sqlx::query(sql).execute(&mut *transaction).await?;
        transaction.commit().await?;
        self.waiting().await
    }

    /// Some of what is due.
    pub(crate) async fn unsent(&self, most: usize) -> Result<Batch> {
        let mut transaction = self.pool.begin().await?;
        let mut batch = Batch {
            clearings: clearings(&mut transaction).await?,
            buckets: Vec::new(),
            marks: Vec::new(),
        };
        for grain in [Step::Hour, Step::Day] {
            let left = i64::try_from(most - batch.marks.len()).unwrap_or(i64::MAX);
            let query = sqlx::query(UNSENT).bind(grain.as_str()).bind(left);
            let mut days = HashMap::new();
            for row in query.fetch_all(&mut *transaction).await? {
                let (line, bucket) = (row.try_get("line")?, row.try_get("bucket")?);
                batch
                    .marks
                    .push((grain.as_str(), line, bucket, row.try_get("mark")?));
                for (measure, sums) in self
                    .held(&mut transaction, &mut days, grain, line, bucket)
                    .await?
                {
                    batch.buckets.push(Bucket {
                        grain,
                        device: row.try_get("device")?,
                        measure: measure.as_str(),
                        stream: row.try_get("stream")?,
                        start: self.start(grain, bucket),
                        fields: Field::ALL.map(|field| sums.field(field)),
                    });
                }
            }
        }
        Ok(batch)
    }

    /// What a line's bucket holds of each measure. `days` keeps what was read for the ones before.
    async fn held(
        &self,
        connection: &mut SqliteConnection,
        days: &mut HashMap<Place, Packed>,
        grain: Step,
        line: i64,
        bucket: i64,
    ) -> Result<BTreeMap<Measure, Sums>> {
        let mut held = BTreeMap::new();
        for day in self.days_of(grain, bucket) {
            let Some(place) = Place::of(line, day) else {
                continue;
            };
            let packed = match days.entry(place) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(free) => {
                    let row = sqlx::query("select sums from day where place = ?").bind(place.0);
                    let row = row.fetch_optional(&mut *connection).await?;
                    let packed = row.map(|row| unpack(place, row.try_get("sums")?)).transpose()?;
                    free.insert(packed.unwrap_or_default())
                }
            };
            for measure in packed.measures() {
                let sums = match grain {
                    Step::Day => packed.day(measure),
                    Step::Hour => u8::try_from(bucket - self.first_hour(day))
                        .ok()
                        .and_then(|hour| packed.hour(measure, hour)),
                };
                if let Some(sums) = sums {
                    add(&mut held, measure, sums);
                }
            }
        }
        Ok(held)
    }

    /// The local days a bucket has parts in: of an hour two, where days do not begin with one.
    fn days_of(&self, grain: Step, bucket: i64) -> RangeInclusive<i64> {
        let day = |at| i64::from(Day::of(Millis::clamped(at), self.zone).get());
        match grain {
            Step::Day => bucket..=bucket,
            Step::Hour => day(bucket * HOUR_MS)..=day((bucket + 1) * HOUR_MS - 1),
        }
    }

    /// Makes everything of some lines due.
    async fn mark_all(&self, connection: &mut SqliteConnection, first: i64, end: i64) -> Result<()> {
        let (mut hours, mut days) = (BTreeSet::new(), BTreeSet::new());
        let rows = sqlx::query(OF_LINES).bind(first).bind(end).bind(DAY_BITS);
        for row in rows.fetch_all(&mut *connection).await? {
            let place = Place(row.try_get("place")?);
            let packed = unpack(place, row.try_get("sums")?)?;
            let first = self.first_hour(place.day());
            let of_day = packed.all_hours().into_iter();
            hours.extend(of_day.map(|hour| (place.line(), first + i64::from(hour))));
            days.insert((place.line(), place.day()));
        }
        let mut marks = Marks::of(connection);
        marks.add(Step::Hour, hours.iter()).await?;
        marks.add(Step::Day, days.iter()).await
    }

    /// When a bucket begins, in ms.
    pub(crate) fn start(&self, grain: Step, bucket: i64) -> i64 {
        match grain {
            Step::Hour => bucket * HOUR_MS,
            Step::Day => Day::clamped(bucket).start(self.zone).get(),
        }
    }

    /// Notes that a batch was sent; with `keep`, when it was, because it may yet be forgotten there. What has changed
    /// meanwhile stays due.
    pub(crate) async fn sent(&self, batch: &Batch, keep: Option<i64>) -> Result<()> {
        let mut transaction = self.pool.begin_with("begin immediate").await?;
        if clearings(&mut transaction).await? != batch.clearings {
            return Ok(());
        }
        let sql = match keep {
            Some(_) => {
                "update due set sent = ?5 where grain = ?1 and line = ?2 and bucket = ?3 and mark = ?4"
            }
            None => {
                "delete from due where grain = ?1 and line = ?2 and bucket = ?3 and mark = ?4 and ?5 is null"
            }
        };
        for (grain, line, bucket, mark) in &batch.marks {
            let query = sqlx::query(sql).bind(grain).bind(line).bind(bucket);
            query.bind(mark).bind(keep).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// How many buckets are due, and how many more were sent of which it is not sure that they stay.
    pub(crate) async fn due(&self) -> Result<(u64, u64)> {
        let sql = "select (select count(*) from due where sent is null), (select count(*) from due where sent is not null)";
        let row = sqlx::query(sql).fetch_one(&self.pool).await?;
        let count = |column| row.try_get::<i64, usize>(column).map(i64::cast_unsigned);
        Ok((count(0)?, count(1)?))
    }

    /// How many buckets are to be sent, with those that are yet to be made due again.
    pub(crate) async fn waiting(&self) -> Result<u64> {
        let sql = "select (select coalesce(sum(hours + 1), 0) from day where place >= (filling + 1) << ?)
                   + (select count(*) from due where sent is null and line <= coalesce(filling, line)) from engine";
        let row = sqlx::query(sql).bind(DAY_BITS).fetch_one(&self.pool).await?;
        Ok(row.try_get::<i64, _>(0)?.max(0).cast_unsigned())
    }

    /// A chart of the oldest day that the engine should have.
    pub(crate) async fn oldest_day(&self) -> Result<Option<Query>> {
        let sql = "select place, sums, device, stream from
                   (select *, place >> ?1 as of_line, place & ((1 << ?1) - 1) as at from day) join line on no = of_line
                   where at > 0 and (select filling from engine) is null and not exists
                   (select 1 from due where grain = 'day' and line = of_line and bucket = at)
                   order by at limit 1";
        let query = sqlx::query(sql).bind(DAY_BITS);
        let Some(row) = query.fetch_optional(&self.pool).await? else {
            return Ok(None);
        };
        let place = Place(row.try_get("place")?);
        let from = self.start(Step::Day, place.day());
        let measure = unpack(place, row.try_get("sums")?)?.measures().next();
        let stream: Option<Stream> = row.try_get::<&str, _>("stream")?.parse().ok();
        let query = |measure| Query {
            devices: vec![],
            measure,
            stream,
            from,
            to: from + DAY_MS,
            step: Step::Day,
            agg: Agg::Count,
            limit: Stream::ALL.len() + 1,
        };
        let mut query = measure.map(query);
        if let Some(query) = &mut query {
            query.devices.push(row.try_get("device")?);
        }
        Ok(query)
    }
}
