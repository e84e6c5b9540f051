//! Balances, entries and services as others read them. Nothing here changes anything; whose they are is for the caller's
//! scope to say (`sight.rs`).

use super::deal::{Currency, Help};
use super::fold::home;
use crate::acts::{ReadingAt, Sha};
use crate::db;
use crate::error::{InFile, Result};
use crate::journal::Position;
use crate::ledger::Ledger;

type Outcome<T> = std::result::Result<T, sqlx::Error>;

/// What the present occupant of a household has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Balances {
    pub minutes: i64,
    pub points: i64,
}

/// An account as one that knows households reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Side {
    /// Whence minutes and points come and whither they end.
    Issued,
    Pool(String),
    /// A household, by its token.
    Home(String),
}

impl Side {
    fn of(id: &str) -> Self {
        let home = id.strip_prefix("home/").and_then(|rest| rest.split_once('/'));
        match (home, id.strip_prefix("pool/")) {
            (Some((_, token)), _) => Self::Home(token.to_owned()),
            (None, Some(name)) => Self::Pool(name.to_owned()),
            (None, None) => Self::Issued,
        }
    }
}

/// An entry, as one of its two accounts has it; or, in the books, as the account that gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryRow {
    /// The act it came with, and which of its entries.
    pub place: ReadingAt,
    pub at: i64,
    pub by: String,
    pub currency: Currency,
    /// `fund`, `release`, `award`, `redeem`, `service`, `transfer`, `reverse` or `close`.
    pub kind: String,
    pub debit: Side,
    pub credit: Side,
    pub amount: i64,
    /// The account that asked gets it.
    pub gets: bool,
    pub help: Option<Help>,
    /// Of what was written; see `Ledger::words`.
    pub words: Option<Sha>,
    pub service: Option<Position>,
    /// The entry it takes back, and the one that took it back.
    pub reverses: Option<Position>,
    pub reversed: Option<Position>,
}

/// How far a service is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceState {
    Pending,
    Confirmed,
    Declined,
    Reversed,
}

impl ServiceState {
    pub const ALL: [Self; 4] = [Self::Pending, Self::Confirmed, Self::Declined, Self::Reversed];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Confirmed => "confirmed",
            Self::Declined => "declined",
            Self::Reversed => "reversed",
        }
    }
}

/// A service that an officer recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceRow {
    pub id: Position,
    /// Tokens of whoever helped and of whoever was helped.
    pub helper: String,
    pub helped: String,
    pub help: Help,
    pub began: i64,
    pub ended: i64,
    pub minutes: i64,
    pub by: String,
    pub at: i64,
    pub state: ServiceState,
}

/// A pool of points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    pub name: String,
    pub points: i64,
    /// What it was given, and what of that households have or had.
    pub funded: i64,
    pub awarded: i64,
}
db::from_columns!(Pool {
    name,
    points,
    funded,
    awarded
});

fn wrong(column: &str) -> sqlx::Error {
    sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: "expected a word this version knows".into(),
    }
}

fn maybe(row: &db::Row, column: &str) -> Outcome<Option<Position>> {
    Ok(row.try_get::<Option<i64>, _>(column)?.map(i64::cast_unsigned))
}

impl db::FromRow for EntryRow {
    fn from_row(row: &db::Row) -> Outcome<Self> {
        let currency: &str = row.try_get("currency")?;
        let help: Option<&str> = row.try_get("help")?;
        let words: Option<String> = row.try_get("words")?;
        Ok(Self {
            place: (
                row.try_get::<i64, _>("position")?.cast_unsigned(),
                row.try_get("idx")?,
            ),
            at: row.try_get("at")?,
            by: row.try_get("by")?,
            currency: Currency::from_word(currency).ok_or_else(|| wrong("currency"))?,
            kind: row.try_get("kind")?,
            debit: Side::of(row.try_get("debit")?),
            credit: Side::of(row.try_get("credit")?),
            amount: row.try_get("amount")?,
            gets: row.try_get("gets")?,
            help: help.and_then(Help::from_word),
            words: words.map(Sha::stored),
            service: maybe(row, "service")?,
            reverses: maybe(row, "reverses")?,
            reversed: maybe(row, "reversed")?,
        })
    }
}

impl db::FromRow for ServiceRow {
    fn from_row(row: &db::Row) -> Outcome<Self> {
        let (help, state): (&str, &str) = (row.try_get("help")?, row.try_get("state")?);
        let state = ServiceState::ALL
            .into_iter()
            .find(|known| known.as_str() == state);
        Ok(Self {
            id: row.try_get::<i64, _>("id")?.cast_unsigned(),
            helper: row.try_get("helper_token")?,
            helped: row.try_get("helped_token")?,
            help: Help::from_word(help).ok_or_else(|| wrong("help"))?,
            began: row.try_get("began")?,
            ended: row.try_get("ended")?,
            minutes: row.try_get("minutes")?,
            by: row.try_get("by")?,
            at: row.try_get("at")?,
            state: state.ok_or_else(|| wrong("state"))?,
        })
    }
}

impl Ledger {
    async fn account_of(&self, token: &str) -> Result<String> {
        let since = self.occupied_since(token).await?;
        Ok(home(since.cast_signed(), token))
    }

    /// What the present occupant of a household has.
    pub(crate) async fn balances(&self, token: &str) -> Result<Balances> {
        let rows: Vec<(String, i64)> =
            db::query_as("select currency, balance from bank_account where id = ?")
                .bind(self.account_of(token).await?)
                .fetch_all(&self.truth)
                .await
                .of(&self.folder().truth())?;
        let of = |currency: Currency| {
            let row = rows.iter().find(|(word, _)| word == currency.as_str());
            row.map_or(0, |(_, balance)| *balance)
        };
        Ok(Balances {
            minutes: of(Currency::Minutes),
            points: of(Currency::Points),
        })
    }

    /// Entries of the present occupant, newest first, before a place.
    pub(crate) async fn entries(
        &self,
        token: &str,
        before: Option<ReadingAt>,
        limit: u32,
    ) -> Result<Vec<EntryRow>> {
        let (position, index) = before.unwrap_or((i64::MAX.cast_unsigned(), 0));
        db::query_as(
            "select bank_entry.*, case when credit = ?1 then 1 else 0 end as gets,
                (select later.position from bank_entry as later where later.reverses = bank_entry.position) as reversed
             from bank_entry where (debit = ?1 or credit = ?1) and (position, idx) < (?2, ?3)
             order by position desc, idx desc limit ?4",
        )
        .bind(self.account_of(token).await?)
        .bind(position.cast_signed())
        .bind(index)
        .bind(limit)
        .fetch_all(&self.truth)
        .await
        .of(&self.folder().truth())
    }

    /// Services by the present occupant and for them, newest first.
    pub(crate) async fn services(&self, token: &str, limit: u32) -> Result<Vec<ServiceRow>> {
        db::query_as("select * from bank_service where helper = ?1 or helped = ?1 order by id desc limit ?2")
            .bind(self.account_of(token).await?)
            .bind(limit)
            .fetch_all(&self.truth)
            .await
            .of(&self.folder().truth())
    }

    /// All pools by name.
    pub async fn pools(&self) -> Result<Vec<Pool>> {
        db::query_as(
            "select substr(id, 6) as name, balance as points,
                cast(coalesce((select sum(amount) from bank_entry where credit = id and kind = 'fund'), 0) as bigint) as funded,
                cast(coalesce((select sum(amount) from bank_entry where debit = id and kind = 'award'), 0) as bigint) as awarded
             from bank_account where id like 'pool/%' order by name",
        )
        .fetch_all(&self.truth)
        .await
        .of(&self.folder().truth())
    }

    /// The books: every entry, oldest first, after a place.
    pub async fn books(&self, after: ReadingAt, limit: u32) -> Result<Vec<EntryRow>> {
        db::query_as(
            "select bank_entry.*, 1 as gets,
                (select later.position from bank_entry as later where later.reverses = bank_entry.position) as reversed
             from bank_entry where (position, idx) > (?1, ?2) order by position, idx limit ?3",
        )
        .bind(after.0.cast_signed())
        .bind(after.1)
        .bind(limit)
        .fetch_all(&self.truth)
        .await
        .of(&self.folder().truth())
    }
}
