//! Editions, places and the audit trail as others read them. Nothing here changes anything.

use hemu_rules::{Day, Status};
use sqlx::AssertSqlSafe;

use super::act::{EditionId, ObjectionId};
use super::listing::Listing;
use super::objection::waited;
use super::occupancy::former;
use super::state::{EditionRow, EditionState, ObjectionRow, PLACE, PlaceRow};
use crate::db;
use crate::error::{InFile, Result};
use crate::journal::Position;
use crate::ledger::Ledger;

type Outcome<T> = std::result::Result<T, sqlx::Error>;

/// One line of the audit trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActRow {
    /// Where it stands in the journal.
    pub place: (Position, u32),
    pub at: i64,
    pub actor: String,
    /// Its word: `propose`, or that of an [`super::Act`].
    pub kind: String,
    pub edition: Option<EditionId>,
    pub token: Option<String>,
    /// The act as the journal has it, as JSON; what people wrote is there as a hash.
    pub body: String,
}

impl db::FromRow for ActRow {
    fn from_row(row: &db::Row) -> Outcome<Self> {
        Ok(Self {
            place: (
                row.try_get::<i64, _>("position")?.cast_unsigned(),
                row.try_get("idx")?,
            ),
            at: row.try_get("at")?,
            actor: row.try_get("actor")?,
            kind: row.try_get("kind")?,
            edition: row.try_get::<Option<i64>, _>("edition")?.map(i64::cast_unsigned),
            token: row.try_get("token")?,
            body: row.try_get("body")?,
        })
    }
}

/// Which editions.
#[derive(Debug, Clone, Copy)]
pub struct EditionQuery {
    pub day: Option<Day>,
    pub state: Option<EditionState>,
    /// Only those before this one.
    pub before: Option<EditionId>,
    pub limit: u32,
}

impl EditionQuery {
    /// The newest of all.
    pub const fn newest(limit: u32) -> Self {
        Self {
            day: None,
            state: None,
            before: None,
            limit,
        }
    }
}

/// Which objections.
#[derive(Debug, Clone, Copy)]
pub struct ObjectionQuery {
    pub edition: Option<EditionId>,
    /// Only those nobody has decided.
    pub pending: bool,
    /// Only those after this one.
    pub after: Option<ObjectionId>,
    pub limit: u32,
}

/// A household in one edition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub edition: EditionRow,
    /// `None`: on no list, and not warned.
    pub place: Option<PlaceRow>,
    pub objections: Vec<ObjectionRow>,
    /// Until when the household may object; `None` while an objection of it is pending, for then it stands still.
    pub deadline: Option<i64>,
}

impl Standing {
    pub(super) async fn of(connection: &mut db::Link<'_>, edition: EditionRow, token: &str) -> Outcome<Self> {
        let id = edition.id.cast_signed();
        let place = db::query_as(AssertSqlSafe(format!(
            "{PLACE} where place.edition = ? and place.token = ?"
        )))
        .bind(id)
        .bind(token)
        .fetch_optional(&mut *connection)
        .await?;
        let objections: Vec<ObjectionRow> =
            db::query_as("select * from objection where edition = ? and token = ? order by id")
                .bind(id)
                .bind(token)
                .fetch_all(&mut *connection)
                .await?;
        let waited = waited(connection, edition.id, token).await?;
        let pending = objections.iter().any(|objection| objection.upheld.is_none());
        let deadline = edition.deadline.filter(|_| !pending);
        Ok(Self {
            place,
            objections,
            deadline: deadline.map(|deadline| deadline.saturating_add(waited)),
            edition,
        })
    }

    /// What may be shown of its place; `None` is on neither list.
    pub fn shown(&self) -> Option<Status> {
        self.place
            .as_ref()
            .map(PlaceRow::shown)
            .filter(|status| matches!(status, Status::Red | Status::Black))
    }
}

/// Rows of one question to `hemu.db`: all there are, the one, or a value.
macro_rules! ask {
    ($ledger:expr, $question:ident $fetch:ident $sql:expr $(, $value:expr)* $(,)?) => {
        db::$question($sql)
            $(.bind($value))*
            .$fetch(&$ledger.truth)
            .await
            .of(&$ledger.folder().truth())
    };
}

/// The end of the journal, as a place to read back from.
const LAST: (Position, u32) = (i64::MAX.cast_unsigned(), 0);

impl Ledger {
    /// Editions that fit, newest first.
    pub async fn editions(&self, find: &EditionQuery) -> Result<Vec<EditionRow>> {
        let sql =
            "select * from edition where id < ?1 and (?2 is null or day = ?2) and (?3 is null or state = ?3)
             order by id desc limit ?4";
        ask!(
            self,
            query_as fetch_all sql,
            find.before.map_or(i64::MAX, u64::cast_signed),
            find.day.map(Day::get),
            find.state.map(EditionState::as_str),
            find.limit
        )
    }

    /// One edition with its counts and how far it is.
    pub async fn edition_row(&self, id: EditionId) -> Result<Option<EditionRow>> {
        let path = self.folder().truth();
        let mut connection = self.truth.acquire().await.of(&path)?;
        EditionRow::find(&mut connection.link(), id).await.of(&path)
    }

    /// Published editions whose time has run out: what the machine is to expire.
    pub async fn run_out(&self, now: i64) -> Result<Vec<EditionId>> {
        let sql = "select id from edition where state = 'published' and expires_at <= ? order by id";
        let ids: Vec<i64> = ask!(self, query_scalar fetch_all sql, now)?;
        Ok(ids.into_iter().map(i64::cast_unsigned).collect())
    }

    /// The places of an edition that the rule gave a status, after a rank. For those who decide: what may be shown of
    /// a place is [`PlaceRow::shown`].
    pub async fn places(
        &self,
        edition: EditionId,
        status: Status,
        after_rank: u32,
        limit: u32,
    ) -> Result<Vec<PlaceRow>> {
        self.places_where("1 = 1", edition, status, after_rank, limit)
            .await
    }

    /// How many there are of all statuses.
    pub async fn count_places(&self, edition: EditionId) -> Result<u64> {
        let sql = "select count(*) from place where edition = ?";
        let count: i64 = ask!(self, query_scalar fetch_one sql, edition.cast_signed())?;
        Ok(count.cast_unsigned())
    }

    /// One household's place in an edition; `None`: on no list, and not warned.
    pub async fn place(&self, edition: EditionId, token: &str) -> Result<Option<PlaceRow>> {
        let sql = AssertSqlSafe(format!("{PLACE} where place.edition = ? and place.token = ?"));
        ask!(self, query_as fetch_optional sql, edition.cast_signed(), token)
    }

    /// The red or black places of an edition that its audience may see at an instant, after a rank: of a published
    /// edition whose time has not run out and that is not private, those that two persons confirmed and nobody lifted
    /// or objects to, and those that agreed to be praised. By rank, red is the ranking.
    pub async fn public_places(
        &self,
        edition: EditionId,
        now: i64,
        status: Status,
        after_rank: u32,
        limit: u32,
    ) -> Result<Vec<PlaceRow>> {
        let row = self.edition_row(edition).await?;
        if !row.is_some_and(|row| row.is_public(now)) {
            return Ok(Vec::new());
        }
        let which = match status {
            Status::Red => "red_opt_in and not former",
            Status::Black => {
                "confirmed_by is not null and lifted is null and not off_since and not appeal_open and not reopened and not former"
            }
            Status::Grey | Status::Unrated => "1 = 0",
        };
        self.places_where(which, edition, status, after_rank, limit).await
    }

    async fn places_where(
        &self,
        which: &'static str,
        edition: EditionId,
        status: Status,
        after_rank: u32,
        limit: u32,
    ) -> Result<Vec<PlaceRow>> {
        let sql = format!(
            "select * from ({PLACE} where place.edition = ? and place.status = ? and place.rank > ?) as listed
             where {which} order by rank limit ?"
        );
        ask!(
            self,
            query_as fetch_all AssertSqlSafe(sql),
            edition.cast_signed(),
            status.code(),
            after_rank,
            limit
        )
    }

    /// The present occupant's history, newest first, before an edition: the editions it was told of, and what it and
    /// others did about them. What is of an earlier occupant is not theirs to see.
    pub async fn household_editions(
        &self,
        token: &str,
        before: Option<EditionId>,
        limit: u32,
    ) -> Result<Vec<Standing>> {
        let path = self.folder().truth();
        let mut tx = self.truth.snapshot().await.of(&path)?;
        let editions: Vec<EditionRow> = db::query_as(concat!(
            "select * from edition where id < ?1 and noticed_at is not null and not ",
            former!("?3"),
            " order by id desc limit ?2"
        ))
        .bind(before.map_or(i64::MAX, u64::cast_signed))
        .bind(limit)
        .bind(token)
        .fetch_all(&mut tx.link())
        .await
        .of(&path)?;
        let mut history = Vec::with_capacity(editions.len());
        for edition in editions {
            history.push(Standing::of(&mut tx.link(), edition, token).await.of(&path)?);
        }
        Ok(history)
    }

    /// Where a household stands at an instant.
    pub async fn listing(&self, token: &str, now: i64) -> Result<Listing> {
        let path = self.folder().truth();
        let mut tx = self.truth.snapshot().await.of(&path)?;
        Listing::read(&mut tx.link(), token, now).await.of(&path)
    }

    /// The audit trail of an edition, oldest first, after a place of the journal.
    pub async fn acts_of(
        &self,
        edition: EditionId,
        after: Option<(Position, u32)>,
        limit: u32,
    ) -> Result<Vec<ActRow>> {
        let (position, index) = after.unwrap_or_default();
        let sql =
            "select * from act where edition = ? and (position, idx) > (?, ?) order by position, idx limit ?";
        ask!(
            self,
            query_as fetch_all sql,
            edition.cast_signed(),
            position.cast_signed(),
            index,
            limit
        )
    }

    /// The whole audit trail, newest first, before a place of the journal.
    pub async fn acts(&self, before: Option<(Position, u32)>, limit: u32) -> Result<Vec<ActRow>> {
        let (position, index) = before.unwrap_or(LAST);
        let sql = "select * from act where (position, idx) < (?, ?) order by position desc, idx desc limit ?";
        ask!(self, query_as fetch_all sql, position.cast_signed(), index, limit)
    }

    /// Objections that fit, oldest first.
    pub async fn objections(&self, find: &ObjectionQuery) -> Result<Vec<ObjectionRow>> {
        let sql = "select * from objection
             where id > ?1 and (?2 is null or edition = ?2) and (?3 = 0 or state = 'pending') order by id limit ?4";
        ask!(
            self,
            query_as fetch_all sql,
            find.after.map_or(0, u64::cast_signed),
            find.edition.map(u64::cast_signed),
            find.pending,
            find.limit
        )
    }

    /// The same of one household's present occupant.
    pub(crate) async fn own_objections(
        &self,
        token: &str,
        find: &ObjectionQuery,
    ) -> Result<Vec<ObjectionRow>> {
        let sql = concat!(
            "select objection.* from objection join edition on edition.id = objection.edition
             where objection.token = ?1 and objection.id > ?2 and (?3 is null or objection.edition = ?3)
               and (?4 = 0 or objection.state = 'pending') and not ",
            former!("?1"),
            " order by objection.id limit ?5"
        );
        ask!(
            self,
            query_as fetch_all sql,
            token,
            find.after.map_or(0, u64::cast_signed),
            find.edition.map(u64::cast_signed),
            find.pending,
            find.limit
        )
    }

    /// One objection.
    pub async fn objection(&self, id: ObjectionId) -> Result<Option<ObjectionRow>> {
        let sql = "select * from objection where id = ?";
        ask!(self, query_as fetch_optional sql, id.cast_signed())
    }
}

impl EditionRow {
    /// Whether anybody but the households themselves may see it at an instant.
    pub fn is_public(&self, now: i64) -> bool {
        let audience = self
            .audience
            .is_some_and(|audience| audience != super::Audience::Private);
        let lasts = self.expires_at.is_some_and(|expires_at| now < expires_at);
        self.state == EditionState::Published && audience && lasts
    }
}
