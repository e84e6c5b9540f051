//! The journal: append-only batches, each chained to the one before by its hash.
//!
//! Appending is one statement and one fsync. Several processes may append to one folder (a server and an import):
//! the statement takes effect only on the head it was computed for, and the writer that lost the race reads the
//! head again. This module must not know what entries mean.

use std::path::Path;

use sha2::{Digest, Sha256};

use crate::db;
use crate::error::{Error, InFile, Result};
use crate::segment::Entries;
use crate::store::{Lock, Place};

/// The number of a batch; the first is 1, and 0 is before all.
pub type Position = u64;

/// After every batch there can be; positions are signed in the store.
pub(crate) const END: Position = i64::MAX as u64;

/// SHA-256 of a batch and everything before it.
pub type Hash = [u8; 32];

/// Where the journal ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Head {
    pub position: Position,
    pub hash: Hash,
}

/// One stored batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    pub position: Position,
    /// When it was committed, ms since 1970 UTC by the server's clock.
    pub at: i64,
    pub records: u64,
    pub hash: Hash,
    pub body: Vec<u8>,
}

/// The records of a batch's bytes, in order.
pub(crate) fn entries(body: &[u8]) -> Entries<'_> {
    Entries::of(body)
}

impl Batch {
    /// The batch's records in order.
    pub fn entries(&self) -> Entries<'_> {
        entries(&self.body)
    }

    /// The hash this batch must have after the given one.
    pub fn chained(&self, previous: &Hash) -> Hash {
        chain(previous, self.position, self.at, self.records, &self.body)
    }
}

fn chain(previous: &Hash, position: Position, at: i64, records: u64, body: &[u8]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(previous);
    hasher.update(position.to_be_bytes());
    hasher.update(at.to_be_bytes());
    hasher.update(records.to_be_bytes());
    hasher.update(body);
    hasher.finalize().into()
}

/// Appends batches. One a process; the committer owns it.
#[derive(Debug)]
pub struct Journal {
    place: Place,
    /// `None` after a failure: a connection that broke does not heal.
    connection: Option<db::Connection>,
    head: Head,
    /// A batch that had no answer, and its time: it may be in the journal, or still on its way there.
    unanswered: Option<(Head, i64)>,
    /// Nobody replaces the file while it is open.
    _files: Lock,
}

impl Journal {
    pub(crate) async fn open(place: Place, files: Lock) -> Result<Self> {
        let mut connection = place.connect().await?;
        let head = head(&mut connection.link()).await.of(&place.shown())?;
        Ok(Self {
            place,
            connection: Some(connection),
            head,
            unanswered: None,
            _files: files,
        })
    }

    /// The last batch this writer knows of.
    pub fn head(&self) -> Head {
        self.head
    }

    /// Stores a batch durably; after this returns `Ok`, it survives a power cut.
    /// On an error it is stored or it is not; the same batch may be appended again, at another time too, and is stored once.
    pub async fn append(&mut self, at: i64, records: u64, body: &[u8]) -> Result<Head> {
        let path = self.place.shown();
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.place.connect().await?,
        };
        loop {
            let (mine, at) = self.next(at, records, body);
            self.unanswered = Some((mine, at));
            let answer = insert(&mut connection.link(), &mine, at, records, body).await;
            if !matches!(answer, Ok(true)) {
                if answer.is_err() {
                    connection = self.place.connect().await?;
                }
                // A commit whose answer was lost may still have happened; never store the same batch twice.
                if head_at(&mut connection.link(), mine.position).await.of(&path)? == Some(mine) {
                    connection.secure().await.of(&path)?;
                } else {
                    answer.of(&path)?;
                    // Another process appended first.
                    self.head = head(&mut connection.link()).await.of(&path)?;
                    self.unanswered = None;
                    continue;
                }
            }
            (self.head, self.unanswered) = (mine, None);
            self.connection = Some(connection);
            return Ok(mine);
        }
    }

    /// A batch as the journal's next. One that is tried again is what it was before, to its time, so that it is known
    /// wherever it is met: the database may be storing it for a connection that broke long ago.
    fn next(&self, at: i64, records: u64, body: &[u8]) -> (Head, i64) {
        let position = self.head.position + 1;
        let stored_at = |at| Head {
            position,
            hash: chain(&self.head.hash, position, at, records, body),
        };
        match self.unanswered {
            Some((before, then)) if stored_at(then) == before => (before, then),
            _ => (stored_at(at), at),
        }
    }

    /// Lets SQLite's write-ahead log start again from its beginning. Cheap when [`crate::Ledger::checkpoint`] has
    /// just moved the bulk; called between two batches, so that the log cannot grow for ever under steady load.
    pub async fn restart_log(&mut self) -> Result<()> {
        let Some(connection @ db::Connection::Sqlite(_)) = &mut self.connection else {
            return Ok(());
        };
        db::query("pragma wal_checkpoint(passive)")
            .execute(&mut connection.link())
            .await
            .of(&self.place.shown())?;
        Ok(())
    }
}

/// Whether the batch was stored: it is, if it follows the journal's last.
async fn insert(
    connection: &mut db::Link<'_>,
    head: &Head,
    at: i64,
    records: u64,
    body: &[u8],
) -> std::result::Result<bool, sqlx::Error> {
    let done = db::query(
        "insert into journal (position, at, records, hash, body)
         select ?1, ?2, ?3, ?4, ?5
         where coalesce((select max(position) from journal), 0) = ?1 - 1
         on conflict do nothing",
    )
    .bind(head.position.cast_signed())
    .bind(at)
    .bind(records.cast_signed())
    .bind(&head.hash[..])
    .bind(body)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Stores a batch as part of a transaction that holds the file's write lock: nobody else can have appended.
pub(crate) async fn append_within(
    transaction: &mut db::Link<'_>,
    at: i64,
    records: u64,
    body: &[u8],
) -> std::result::Result<Head, sqlx::Error> {
    let last = head(transaction).await?;
    let position = last.position + 1;
    let hash = chain(&last.hash, position, at, records, body);
    let mine = Head { position, hash };
    if insert(transaction, &mine, at, records, body).await? {
        return Ok(mine);
    }
    Err(sqlx::Error::Protocol(
        "the journal grew under a transaction that held its lock".into(),
    ))
}

pub(crate) async fn head(connection: &mut db::Link<'_>) -> std::result::Result<Head, sqlx::Error> {
    let row = db::query("select position, hash from journal order by position desc limit 1")
        .fetch_optional(connection)
        .await?;
    row.map_or(Ok(Head::default()), |row| head_of(&row))
}

/// The head as it was when the batch at a position was the last; `None` when there is no such batch.
pub(crate) async fn head_at(
    connection: impl db::Runner<'_>,
    position: Position,
) -> std::result::Result<Option<Head>, sqlx::Error> {
    if position == 0 {
        return Ok(Some(Head::default()));
    }
    let row = db::query("select position, hash from journal where position = ?")
        .bind(position.cast_signed())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(head_of).transpose()
}

fn head_of(row: &db::Row) -> std::result::Result<Head, sqlx::Error> {
    let hash: Vec<u8> = row.try_get("hash")?;
    Ok(Head {
        position: row.try_get::<i64, _>("position")?.cast_unsigned(),
        hash: to_hash(&hash),
    })
}

/// The last batch the projections were folded from, as their `progress` row says.
pub(crate) fn folded(row: &db::Row) -> std::result::Result<Head, sqlx::Error> {
    let hash: Vec<u8> = row.try_get("hash")?;
    Ok(Head {
        position: row.try_get::<i64, _>("applied")?.cast_unsigned(),
        hash: to_hash(&hash),
    })
}

/// What is known of a batch before it is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stretch {
    pub(crate) records: u64,
    pub(crate) bytes: usize,
    pub(crate) acts: bool,
}

/// Whether a stretch of batches goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Take {
    /// With this batch, and on.
    On,
    /// With this batch, and no further.
    Last,
    /// Without it.
    Before,
}

/// Batches looked at in one question.
const AHEAD: u32 = 1_024;

/// The next whole batches of a range, as many as `take` takes. What is not taken is not read: a database sends all it
/// was asked for, however soon one stops listening.
pub(crate) async fn stretch(
    truth: &db::Pool,
    after: Position,
    until: Position,
    mut take: impl FnMut(&Stretch) -> Take,
) -> Result<Vec<Batch>> {
    let path = Path::new("the journal");
    let mut last = after;
    // Batches are small where devices wait for each acknowledgement, and many of them make a stretch.
    while let Some(further) = look_ahead(truth, last, until, &mut take).await? {
        last = further.last;
        if further.enough {
            break;
        }
    }
    if last == after {
        return Ok(Vec::new());
    }
    let rows = db::query("select * from journal where position > ? and position <= ? order by position")
        .bind(after.cast_signed())
        .bind(last.cast_signed())
        .fetch_all(truth);
    rows.await.of(path)?.iter().map(|row| batch(path, row)).collect()
}

/// How far a look ahead took batches.
struct Further {
    last: Position,
    /// No more are wanted.
    enough: bool,
}

/// Offers the next batches of a range to `take`; `None` when there are none.
async fn look_ahead(
    truth: &db::Pool,
    after: Position,
    until: Position,
    take: &mut impl FnMut(&Stretch) -> Take,
) -> Result<Option<Further>> {
    let path = Path::new("the journal");
    let rows = db::query(
        "select position, records, length(body) as bytes, substr(body, 1, 1) as kind from journal
         where position > ? and position <= ? order by position limit ?",
    )
    .bind(after.cast_signed())
    .bind(until.cast_signed())
    .bind(AHEAD)
    .fetch_all(truth);
    let mut last = after;
    let mut enough = None;
    for row in rows.await.of(path)? {
        let position = row.try_get::<i64, _>("position").of(path)?.cast_unsigned();
        let taken = take(&known(&row).map_err(|error| damaged(position, &error))?);
        if taken != Take::Before {
            last = position;
        }
        enough = Some(taken != Take::On);
        if enough == Some(true) {
            break;
        }
    }
    Ok(enough.map(|enough| Further { last, enough }))
}

fn known(row: &db::Row) -> db::Outcome<Stretch> {
    Ok(Stretch {
        records: row.try_get::<i64, _>("records")?.cast_unsigned(),
        bytes: usize::try_from(row.try_get::<i64, _>("bytes")?).unwrap_or(usize::MAX),
        acts: crate::segment::are_acts(row.try_get("kind")?),
    })
}

/// Whether there are readings after a position, up to another.
pub(crate) async fn readings_between(truth: &db::Pool, after: Position, upto: Position) -> db::Outcome<bool> {
    db::query_scalar(
        "select exists (select 1 from journal where position > ? and position <= ? and substr(body, 1, 1) <> ?)",
    )
    .bind(after.cast_signed())
    .bind(upto.cast_signed())
    .bind(&[crate::segment::ACTS][..])
    .fetch_one(truth)
    .await
}

/// Checks that the batch the projections were folded up to is still in the journal: the chain alone cannot tell
/// that its end was cut off.
pub(crate) async fn anchored(truth: &db::Pool, folded: &Head) -> Result<()> {
    let there = head_at(truth, folded.position)
        .await
        .of(Path::new("the journal"))?;
    if there == Some(*folded) {
        return Ok(());
    }
    Err(Error::Damaged {
        position: folded.position,
        what: "the projections were folded from a journal with another batch here, or one that went on to here; \
               if an older journal was put back on purpose, run `hemu rebuild`"
            .into(),
    })
}

/// A hash column of another length can only be damage; it then matches nothing.
fn to_hash(bytes: &[u8]) -> Hash {
    bytes.try_into().unwrap_or_default()
}

/// A row of the journal; a column of another type than was written is damage, and the batch is named.
pub(crate) fn batch(path: &Path, row: &db::Row) -> Result<Batch> {
    let position = row.try_get::<i64, _>("position").of(path)?.cast_unsigned();
    let read = || -> std::result::Result<Batch, sqlx::Error> {
        let hash: Vec<u8> = row.try_get("hash")?;
        Ok(Batch {
            position,
            at: row.try_get("at")?,
            records: row.try_get::<i64, _>("records")?.cast_unsigned(),
            hash: to_hash(&hash),
            body: row.try_get("body")?,
        })
    };
    read().map_err(|error| damaged(position, &error))
}

fn damaged(position: Position, error: &sqlx::Error) -> Error {
    Error::Damaged {
        position,
        what: error.to_string(),
    }
}

/// Checks that a batch follows the one before it: position and hash.
pub fn follows(previous: &Head, batch: &Batch) -> Result<Head> {
    let damaged = |what: String| Error::Damaged {
        position: batch.position,
        what,
    };
    if batch.position != previous.position + 1 {
        return Err(damaged(format!(
            "expected batch {} here, a batch is missing",
            previous.position + 1
        )));
    }
    if batch.chained(&previous.hash) != batch.hash {
        return Err(damaged(
            "its hash does not follow from its content and the batch before it".into(),
        ));
    }
    Ok(Head {
        position: batch.position,
        hash: batch.hash,
    })
}

/// The same, and that its bytes can be read and hold as many records as it says.
pub fn check(previous: &Head, batch: &Batch) -> Result<Head> {
    let head = follows(previous, batch)?;
    let damaged = |what: String| Error::Damaged {
        position: batch.position,
        what,
    };
    let mut records = 0;
    for entry in batch.entries() {
        entry.map_err(|error| damaged(error.to_string()))?;
        records += 1;
    }
    if records != batch.records {
        return Err(damaged(format!(
            "it says it holds {} records and holds {records}",
            batch.records
        )));
    }
    Ok(head)
}
