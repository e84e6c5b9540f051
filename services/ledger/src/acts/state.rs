//! The states of an edition and the steps between them, and the rows that acts are folded into.

use hemu_rules::{Day, Status};

use super::act::{Audience, EditionId, ObjectionId, Sha};
use super::occupancy::former;
use crate::db;
use crate::journal::Position;

type Outcome<T> = Result<T, sqlx::Error>;

/// How far an edition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EditionState {
    /// Computed. Nobody was told.
    Draft,
    /// Households were told in private; they may object.
    Noticed,
    /// The window is over; people decide.
    Deciding,
    /// For its audience to see.
    Published,
    /// Its time ran out.
    Expired,
    /// A corrected revision took its place.
    Superseded,
    /// A person took it back.
    Retracted,
}

impl EditionState {
    pub const ALL: [Self; 7] = [
        Self::Draft,
        Self::Noticed,
        Self::Deciding,
        Self::Published,
        Self::Expired,
        Self::Superseded,
        Self::Retracted,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Noticed => "noticed",
            Self::Deciding => "deciding",
            Self::Published => "published",
            Self::Expired => "expired",
            Self::Superseded => "superseded",
            Self::Retracted => "retracted",
        }
    }

    /// The steps there are; everything else is refused.
    pub const fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Draft, Self::Noticed)
                | (Self::Noticed, Self::Deciding)
                | (Self::Deciding, Self::Published)
                | (Self::Published, Self::Expired)
                | (
                    Self::Draft | Self::Noticed | Self::Deciding | Self::Published,
                    Self::Superseded | Self::Retracted
                )
        )
    }

    /// Neither published nor over.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Draft | Self::Noticed | Self::Deciding)
    }

    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// An edition with its counts and how far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditionRow {
    pub id: EditionId,
    pub day: Day,
    pub revision: u32,
    pub state: EditionState,
    pub rule_version: u16,
    /// The whole rule as JSON, and its SHA-256.
    pub rule: String,
    pub rule_hash: Sha,
    /// Computed from the journal up to here.
    pub position: Position,
    pub before: Option<EditionId>,
    pub known: Position,
    pub roll: Sha,
    /// Red, black, grey, unrated.
    pub counts: [u64; 4],
    pub notices: u64,
    /// SHA-256 of everybody's place.
    pub digest: Sha,
    pub proposed_at: i64,
    pub revises: Option<EditionId>,
    pub superseded_by: Option<EditionId>,
    /// The act by which an objection to it was upheld: a corrected revision is due.
    pub reopened: Option<Position>,
    pub noticed_at: Option<i64>,
    /// The end of the objection window; a household's own is later by the time its objections took.
    pub deadline: Option<i64>,
    pub basis: Option<Sha>,
    pub audience: Option<Audience>,
    pub expires_at: Option<i64>,
    pub publication_by: Option<String>,
    pub published_by: Option<String>,
    pub published_at: Option<i64>,
}

fn position(row: &db::Row, column: &str) -> Outcome<Position> {
    Ok(row.try_get::<i64, _>(column)?.cast_unsigned())
}

fn maybe(row: &db::Row, column: &str) -> Outcome<Option<Position>> {
    Ok(row.try_get::<Option<i64>, _>(column)?.map(i64::cast_unsigned))
}

fn wrong(column: &str, value: &str) -> sqlx::Error {
    sqlx::Error::Protocol(format!(
        "column {column} holds {value}, which cannot be; run `hemu rebuild`"
    ))
}

impl db::FromRow for EditionRow {
    fn from_row(row: &db::Row) -> Outcome<Self> {
        let state: &str = row.try_get("state")?;
        let sha = |column: &str| -> Outcome<Sha> { Ok(Sha::stored(row.try_get(column)?)) };
        let audience: Option<&str> = row.try_get("audience")?;
        let basis: Option<String> = row.try_get("basis")?;
        Ok(Self {
            id: position(row, "id")?,
            day: Day::clamped(row.try_get("day")?),
            revision: row.try_get("revision")?,
            state: EditionState::from_word(state).ok_or_else(|| wrong("state", state))?,
            rule_version: row.try_get("rule_version")?,
            rule: row.try_get("rule")?,
            rule_hash: sha("rule_hash")?,
            position: position(row, "position")?,
            before: maybe(row, "before")?,
            known: position(row, "known")?,
            roll: sha("roll")?,
            counts: [
                position(row, "red")?,
                position(row, "black")?,
                position(row, "grey")?,
                position(row, "unrated")?,
            ],
            notices: position(row, "notices")?,
            digest: sha("digest")?,
            proposed_at: row.try_get("proposed_at")?,
            revises: maybe(row, "revises")?,
            superseded_by: maybe(row, "superseded_by")?,
            reopened: maybe(row, "reopened")?,
            noticed_at: row.try_get("noticed_at")?,
            deadline: row.try_get("deadline")?,
            basis: basis.map(Sha::stored),
            audience: audience.and_then(Audience::from_word),
            expires_at: row.try_get("expires_at")?,
            publication_by: row.try_get("publication_by")?,
            published_by: row.try_get("published_by")?,
            published_at: row.try_get("published_at")?,
        })
    }
}

impl EditionRow {
    pub(crate) async fn find(connection: &mut db::Link<'_>, id: EditionId) -> Outcome<Option<Self>> {
        db::query_as("select * from edition where id = ?")
            .bind(id.cast_signed())
            .fetch_optional(connection)
            .await
    }
}

/// A household's place in an edition and what people decided about it.
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts of a row, none of which follows from another"
)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceRow {
    pub edition: EditionId,
    pub token: String,
    /// As computed.
    pub status: Status,
    pub hits: u16,
    pub notice: bool,
    pub score: u8,
    pub p_black: u32,
    pub p_red: u32,
    pub deposit_days: u32,
    pub inspected_days: u32,
    /// Within the status, 1 is first.
    pub rank: u32,
    pub proposed_by: Option<String>,
    pub confirmed_by: Option<String>,
    pub lifted_by: Option<String>,
    /// The act that lifted it.
    pub lifted: Option<Position>,
    /// An objection of the household is pending, to whatever edition.
    pub appeal_open: bool,
    /// The edition lost a reading: until its corrected revision is there, nobody can say who is black.
    pub reopened: bool,
    /// The household agreed to be praised.
    pub red_opt_in: bool,
    /// It is not of the present occupant, or not of that one alone.
    pub former: bool,
    /// A name or a warning of the household was taken off in another edition, after this name was confirmed.
    pub off_since: bool,
}

/// The columns of a [`PlaceRow`]; `place` and `edition` are joined.
pub(crate) const PLACE: &str = concat!(
    "select place.*,
     exists (select 1 from objection where objection.token = place.token and objection.state = 'pending') as appeal_open,
     edition.reopened is not null as reopened,
     exists (select 1 from red_opt_in where red_opt_in.token = place.token and not exists (
         select 1 from moved where moved.token = place.token and moved.undone is null
             and moved.act > red_opt_in.act)) as red_opt_in,
     ",
    former!("place.token"),
    // Or of a part of what one occupant brought: a move that the edition went by was undone since.
    " or exists (
         select 1 from moved where moved.token = place.token and moved.day < edition.day
             and moved.act <= edition.position and moved.undone > edition.position) as former,
     exists (select 1 from act where act.kind = 'lift' and act.token = place.token
         and act.position > place.confirmed) as off_since
     from place join edition on edition.id = place.edition"
);

impl db::FromRow for PlaceRow {
    fn from_row(row: &db::Row) -> Outcome<Self> {
        let code: i64 = row.try_get("status")?;
        Ok(Self {
            edition: position(row, "edition")?,
            token: row.try_get("token")?,
            status: Status::from_code(code).ok_or_else(|| wrong("status", &code.to_string()))?,
            hits: row.try_get("hits")?,
            notice: row.try_get("notice")?,
            score: row.try_get("score")?,
            p_black: row.try_get("p_black")?,
            p_red: row.try_get("p_red")?,
            deposit_days: row.try_get("deposit_days")?,
            inspected_days: row.try_get("inspected_days")?,
            rank: row.try_get("rank")?,
            proposed_by: row.try_get("proposed_by")?,
            confirmed_by: row.try_get("confirmed_by")?,
            lifted_by: row.try_get("lifted_by")?,
            lifted: maybe(row, "lifted")?,
            appeal_open: row.try_get("appeal_open")?,
            reopened: row.try_get("reopened")?,
            red_opt_in: row.try_get("red_opt_in")?,
            former: row.try_get("former")?,
            off_since: row.try_get("off_since")?,
        })
    }
}

impl PlaceRow {
    /// What may be shown: black only where two persons said so, nobody lifted it here or elsewhere since, no objection of
    /// the household is pending and the edition lost no reading; and nothing of whoever lived there before.
    pub fn shown(&self) -> Status {
        let stands =
            self.confirmed_by.is_some() && self.lifted.is_none() && !self.off_since && !self.reopened;
        match self.status {
            _ if self.former => Status::Grey,
            Status::Black if !stands => Status::Grey,
            status => status.shown(self.appeal_open),
        }
    }
}

/// An objection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectionRow {
    pub id: ObjectionId,
    pub edition: EditionId,
    pub token: String,
    pub by: String,
    pub at: i64,
    /// Of what was written; see `Ledger::words`.
    pub words: Sha,
    pub readings: Vec<(Position, u32)>,
    /// `None` while it is pending; else whether it was upheld.
    pub upheld: Option<bool>,
    pub decided_by: Option<String>,
    pub decided_at: Option<i64>,
    pub reason: Option<Sha>,
}

impl db::FromRow for ObjectionRow {
    fn from_row(row: &db::Row) -> Outcome<Self> {
        let (state, readings): (&str, &str) = (row.try_get("state")?, row.try_get("readings")?);
        let reason: Option<String> = row.try_get("reason")?;
        Ok(Self {
            id: position(row, "id")?,
            edition: position(row, "edition")?,
            token: row.try_get("token")?,
            by: row.try_get("by")?,
            at: row.try_get("at")?,
            words: Sha::stored(row.try_get("words")?),
            readings: serde_json::from_str(readings).map_err(|_| wrong("readings", readings))?,
            upheld: match state {
                "upheld" => Some(true),
                "rejected" => Some(false),
                _ => None,
            },
            decided_by: row.try_get("decided_by")?,
            decided_at: row.try_get("decided_at")?,
            reason: reason.map(Sha::stored),
        })
    }
}
