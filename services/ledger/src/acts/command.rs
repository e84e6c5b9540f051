//! The human-strict path: validate, append and apply in one transaction; and the acts on readings and cards.

use std::ops::RangeInclusive;

use hemu_rules::{Day, Millis};

use super::act::{Act, Actor, MAX_WORDS, Proposal, ReadingAt};
use super::apply::Stamp;
use super::refused::{Refused, Why, Winner, must};
use super::rests::{name_alike, name_outdated};
use super::state::EditionRow;
use super::words::seal_words;
use crate::db;
use crate::entry::Body;
use crate::error::{Error, InFile, Result};
use crate::journal::{self, Position};
use crate::ledger::Ledger;
use crate::privacy::SITE;
use crate::read::{DepositRow, Held, Named, deposit};
use crate::segment::Segment;

/// An act on its way: a transaction that holds the write lock of `hemu.db`, so that what it sees stays true until it
/// is stored. Dropped, it leaves no trace.
pub(crate) struct Deed<'l> {
    pub(crate) ledger: &'l Ledger,
    pub(crate) tx: db::Transaction<'static>,
    pub(crate) actor: &'l Actor,
    pub(crate) now: i64,
}

impl Ledger {
    /// Does what an account asks for at an instant (ms since 1970 UTC), durably; where it stands in the journal, which
    /// is also the id of what came into being. `Err(Refused)` says why not, and who was faster.
    ///
    /// An account does what its role or its household gives it; see `duty`.
    pub async fn act(&self, actor: &Actor, now: i64, act: Act) -> Result<Position> {
        if let Act::ProposeBlack { .. } | Act::ConfirmBlack { .. } | Act::Publish { .. } = act {
            self.are_counted(self.head().await?).await?;
        }
        let [outdated, alike] = match act {
            Act::Publish { edition } => [
                self.outdated_names(edition).await?,
                self.names_alike(edition).await?,
            ],
            _ => Default::default(),
        };
        let mut deed = self.deed(actor, now).await?;
        deed.is_its_duty(&act).await?;
        Deed::words_fit(&act)?;
        if let Act::Correct { .. } | Act::Erase { .. } = act {
            return deed.on_register(act).await;
        }
        match deed.comes_to(act.clone()).await {
            Ok(_) if !outdated.is_empty() => Err(name_outdated(&outdated)),
            Ok(_) if !alike.is_empty() => Err(name_alike(&alike)),
            Ok(bodies) => deed.store(bodies).await,
            Err(error) => Err(deed.refused(act, error).await),
        }
    }

    pub(crate) async fn deed<'l>(&'l self, actor: &'l Actor, now: i64) -> Result<Deed<'l>> {
        let path = self.folder().truth();
        Ok(Deed {
            ledger: self,
            tx: self.truth.begin_alone().await.of(&path)?,
            actor,
            now,
        })
    }
}

impl Deed<'_> {
    /// What an act that may be done comes to, with nothing written yet.
    async fn comes_to(&mut self, act: Act) -> Result<Vec<Body<'static>>> {
        match &act {
            Act::Strike { .. }
            | Act::Restore { .. }
            | Act::ClockChecked { .. }
            | Act::CardLost { .. }
            | Act::CardFound { .. }
            | Act::RedOptIn { .. }
            | Act::RedOptOut { .. } => self.on_evidence(act).await,
            Act::Object { .. } => self.object(act).await,
            Act::DecideObjection { .. } => self.decide_objection(act).await,
            Act::ShadowRule { .. } | Act::EndShadow { .. } => self.on_shadow(act).await,
            Act::DeviceChecked { .. } => self.on_device(act).await,
            Act::MovedIn { .. } | Act::MoveUndone { .. } => self.on_occupancy(act).await,
            Act::ProposeRule { .. } | Act::AdoptRule { .. } => self.on_rule(act).await,
            Act::Correct { .. }
            | Act::Erase { .. }
            | Act::NamePhoto { .. }
            | Act::Bank(_)
            | Act::Account(_)
            | Act::Late { .. } => Err(not_by_itself()),
            _ => self.on_edition(act).await,
        }
    }

    /// Appends and applies what was found to be in order.
    pub(crate) async fn store(mut self, bodies: Vec<Body<'static>>) -> Result<Position> {
        let position = self.append(&bodies).await?;
        self.commit().await?;
        Ok(position)
    }

    /// The same as far as it goes without the end of the transaction: what belongs to it may still be written.
    pub(crate) async fn append(&mut self, bodies: &[Body<'static>]) -> Result<Position> {
        let path = self.ledger.folder().truth();
        let mut segment = Segment::of_acts(self.actor.name());
        for body in bodies {
            segment.push_unidentified(body);
        }
        let mut bytes = Vec::new();
        let records = segment.write(&mut bytes, |_| true);
        let head = journal::append_within(&mut self.tx.link(), self.now, records, &bytes)
            .await
            .of(&path)?;
        for (index, body) in (0..).zip(bodies) {
            let stamp = Stamp {
                position: head.position,
                index,
                at: self.now,
                actor: self.actor.name(),
            };
            stamp.apply(&mut self.tx.link(), body).await.of(&path)?;
            if let Body::Act(act) = body {
                self.keep_words(act).await?;
                self.register(act).await?;
            }
        }
        Ok(head.position)
    }

    pub(crate) async fn commit(self) -> Result<()> {
        self.tx.commit().await.of(&self.ledger.folder().truth())
    }

    /// Changes rows; how many.
    pub(crate) async fn run(&mut self, order: db::Query) -> Result<u64> {
        let done = order.execute(&mut self.tx.link()).await;
        self.of(done).map(db::Done::rows_affected)
    }

    /// What a person wrote goes where it can be erased; the journal has its hash.
    async fn keep_words(&mut self, act: &Act) -> Result<()> {
        let token = self.concerned(act).await?;
        // A key that may be found again is worth more than what the machine says.
        if !self.actor.is_person() && self.ledger.vault.is_locked(&mut self.tx.link(), &token).await? {
            return Ok(());
        }
        for words in act.words() {
            if let Some(text) = words.text() {
                let (vault, mut link) = (&self.ledger.vault, self.tx.link());
                seal_words(vault, &mut link, (words.hash(), &token), text, self.now).await?;
            }
        }
        Ok(())
    }

    /// The household that an act's words are about.
    async fn concerned(&mut self, act: &Act) -> Result<String> {
        let token = if let Act::DecideObjection { objection, .. } = act {
            let token = db::query_scalar("select token from objection where id = ?")
                .bind(objection.cast_signed())
                .fetch_optional(&mut self.tx.link())
                .await;
            self.of(token)?
        } else if let Act::Strike { reading, .. } = act {
            let named = Named::find(&mut self.tx.link(), self.ledger.zone(), *reading).await;
            self.of(named)?.and_then(|named| named.token)
        } else if let Act::Erase { .. } = act {
            // Why somebody was erased outlasts them.
            None
        } else {
            act.about().token.map(str::to_owned)
        };
        Ok(token.unwrap_or_else(|| SITE.to_owned()))
    }

    pub(crate) fn of<T>(&self, outcome: std::result::Result<T, sqlx::Error>) -> Result<T> {
        outcome.of(&self.ledger.folder().truth())
    }

    pub(crate) fn words_fit(act: &Act) -> Result<()> {
        for words in act.words() {
            let length = words.text().map_or(0, |text| text.trim().chars().count());
            must((1..=MAX_WORDS).contains(&length), Why::Malformed, || {
                format!("expected 1 to {MAX_WORDS} characters of words, came {length}")
            })?;
        }
        Ok(())
    }

    /// Refuses the machine.
    pub(crate) fn person(&self) -> Result<()> {
        must(self.actor.is_person(), Why::NotAPerson, || {
            format!("only a named person may do this, and {} is none", self.actor)
        })
    }

    pub(crate) async fn household(&mut self, token: &str) -> Result<()> {
        let known: Result<Option<i64>> = db::query_scalar(
            "select 1 from household where token = ?1 and not exists (select 1 from erased where token = ?1)",
        )
        .bind(token)
        .fetch_optional(&mut self.tx.link())
        .await
        .of(&self.ledger.folder().truth());
        must(known?.is_some(), Why::UnknownHousehold, || {
            "no household is registered under this token".to_owned()
        })
    }

    /// The latest act of a kind on an edition, and on one of its households.
    pub(super) async fn winner(
        &mut self,
        kind: &str,
        edition: Option<Position>,
        token: Option<&str>,
    ) -> Result<Option<Winner>> {
        let row: std::result::Result<Option<(String, i64, String, i64)>, _> = db::query_as(
            "select actor, at, kind, position from act
             where kind = ?1 and edition is not distinct from ?2 and (?3 is null or token = ?3) order by position desc limit 1",
        )
        .bind(kind)
        .bind(edition.map(u64::cast_signed))
        .bind(token)
        .fetch_optional(&mut self.tx.link())
        .await;
        let winner = |(actor, at, what, position): (String, i64, String, i64)| Winner {
            actor,
            at,
            what,
            position: position.cast_unsigned(),
        };
        Ok(self.of(row)?.map(winner))
    }

    /// The act that stands at a position.
    pub(crate) async fn winner_at(&mut self, position: i64) -> Result<Option<Winner>> {
        let row: std::result::Result<Option<(String, i64, String)>, _> =
            db::query_as("select actor, at, kind from act where position = ? order by idx limit 1")
                .bind(position)
                .fetch_optional(&mut self.tx.link())
                .await;
        let winner = |(actor, at, what): (String, i64, String)| Winner {
            actor,
            at,
            what,
            position: position.cast_unsigned(),
        };
        Ok(self.of(row)?.map(winner))
    }

    pub(super) async fn edition(&mut self, id: Position) -> Result<EditionRow> {
        let found = EditionRow::find(&mut self.tx.link(), id).await;
        self.of(found)?
            .ok_or_else(|| Refused::error(Why::UnknownEdition, format!("there is no edition {id}")))
    }

    /// A stored reading and the token it names.
    pub(super) async fn reading(&mut self, place: ReadingAt) -> Result<(DepositRow, Option<String>)> {
        let (position, index) = place;
        let named = Named::find(&mut self.tx.link(), self.ledger.zone(), place).await;
        let nothing = || {
            let sentence = format!("no reading stands at {position}/{index} of the journal");
            Refused::error(Why::NoSuchReading, sentence)
        };
        let named = self.of(named)?.ok_or_else(nothing)?;
        let path = self.ledger.folder().projections();
        let mut projections = self.ledger.projections.acquire().await.of(&path)?;
        let Some(row) = named.row(&mut projections.link()).await.of(&path)? else {
            drop(projections);
            let applied = self.ledger.progress().await?.applied;
            must(applied >= position, Why::NotYet, || {
                format!("batch {position} is not folded yet; ask again in a moment")
            })?;
            return Err(nothing());
        };
        Ok((deposit(&row).of(&path)?, named.token))
    }

    async fn on_evidence(&mut self, act: Act) -> Result<Vec<Body<'static>>> {
        match &act {
            Act::Strike { reading, reason } => {
                let said = reason.is_some();
                return self.strike(*reading, said, act).await;
            }
            Act::Restore { reading } => {
                self.person()?;
                let (position, index) = *reading;
                must(self.struck(*reading).await?.is_some(), Why::WrongState, || {
                    format!("the reading at {position}/{index} is not struck")
                })?;
                let (row, _) = self.reading(*reading).await?;
                return self.reopening(act, row.reading.day..=row.reading.day).await;
            }
            Act::ClockChecked { reading } => {
                self.person()?;
                let day = self.clock_unchecked(*reading).await?;
                return self.reopening(act, day..=day).await;
            }
            Act::CardLost { token, since } => {
                self.person()?;
                self.household(token).await?;
                must(
                    Millis::new(*since).is_ok() && *since <= self.now,
                    Why::Malformed,
                    || format!("expected an instant that is over, came {since}"),
                )?;
                let days = self.day(*since)..=self.day(self.now);
                return self.reopening(act, days).await;
            }
            Act::CardFound { token } => {
                self.person()?;
                let lost = "select since from lost_card where token = ?";
                self.is_there(lost, token, "the card is not lost").await?;
                let since = self.found(lost, token).await?.unwrap_or(self.now);
                let days = self.day(since)..=self.day(self.now);
                return self.reopening(act, days).await;
            }
            Act::RedOptIn { token } => {
                self.person()?;
                self.household(token).await?;
                let act = self.found(AGREED, token).await?;
                if let Some(act) = act {
                    let winner = self.winner_at(act).await?;
                    return Err(Refused::lost("the household agreed already", winner));
                }
            }
            Act::RedOptOut { token } => {
                let sentence = "the household has not agreed to be praised";
                self.is_there(AGREED, token, sentence).await?;
            }
            _ => {}
        }
        Ok(vec![Body::Act(Box::new(act))])
    }

    async fn found(&mut self, sql: &'static str, token: &str) -> Result<Option<i64>> {
        let found = db::query_scalar(sql)
            .bind(token)
            .fetch_optional(&mut self.tx.link())
            .await;
        self.of(found)
    }

    async fn is_there(&mut self, sql: &'static str, token: &str, sentence: &str) -> Result<()> {
        self.household(token).await?;
        let found = self.found(sql, token).await?;
        must(found.is_some(), Why::WrongState, || sentence.to_owned())
    }

    /// The act that struck a reading.
    pub(super) async fn struck(&mut self, (position, index): ReadingAt) -> Result<Option<i64>> {
        let found = db::query_scalar("select act from struck where position = ? and idx = ?")
            .bind(position.cast_signed())
            .bind(index)
            .fetch_optional(&mut self.tx.link())
            .await;
        self.of(found)
    }

    async fn strike(&mut self, reading: ReadingAt, said: bool, act: Act) -> Result<Vec<Body<'static>>> {
        self.person()?;
        must(said, Why::Malformed, || {
            "expected why the reading is struck, in words; came none".to_owned()
        })?;
        let (row, _) = self.reading(reading).await?;
        if let Some(by) = self.struck(reading).await? {
            let winner = self.winner_at(by).await?;
            return Err(Refused::lost("the reading is struck already", winner));
        }
        self.reopening(act, row.reading.day..=row.reading.day).await
    }

    fn day(&self, at: i64) -> Day {
        Day::of(Millis::clamped(at), self.ledger.zone())
    }

    /// An act on readings of some days, and with it every edition that looked at them: for better or for worse, who is
    /// on a list is computed from what counts.
    pub(super) async fn reopening(
        &mut self,
        act: Act,
        days: RangeInclusive<Day>,
    ) -> Result<Vec<Body<'static>>> {
        let mut bodies = vec![Body::Act(Box::new(act))];
        bodies.extend(
            self.reopen(|from, to| *days.start() < to && from <= *days.end())
                .await?,
        );
        Ok(bodies)
    }

    /// The reading's day, if its clock was ahead and nobody looked.
    async fn clock_unchecked(&mut self, reading: ReadingAt) -> Result<Day> {
        let (row, _) = self.reading(reading).await?;
        must(row.held.has(Held::CLOCK), Why::WrongState, || {
            "the reading's clock was not ahead, or was checked already".to_owned()
        })?;
        let checked = db::query_scalar("select act from clock_checked where position = ? and idx = ?")
            .bind(reading.0.cast_signed())
            .bind(reading.1)
            .fetch_optional(&mut self.tx.link())
            .await;
        let checked: Option<i64> = self.of(checked)?;
        let Some(by) = checked else {
            return Ok(row.reading.day);
        };
        let winner = self.winner_at(by).await?;
        Err(Refused::lost("the reading's clock was checked already", winner))
    }

    /// Editions that are not over and whose days, from one to before another, are concerned must be computed again.
    pub(super) async fn reopen(
        &mut self,
        concerned: impl Fn(Day, Day) -> bool,
    ) -> Result<Option<Body<'static>>> {
        let live = db::query_as(
            "select * from edition where state in ('draft', 'noticed', 'deciding', 'published') order by id",
        )
        .fetch_all(&mut self.tx.link())
        .await;
        let live: Vec<EditionRow> = self.of(live)?;
        let looked = |edition: &&EditionRow| {
            let (from, to) = crate::read::window(edition.day);
            concerned(from, to)
        };
        let editions: Vec<Position> = live.iter().filter(looked).map(|edition| edition.id).collect();
        let reopen = Proposal::Reopen {
            editions: editions.clone(),
        };
        Ok((!editions.is_empty()).then(|| Body::Proposal(Box::new(reopen))))
    }
}

/// The act by which the present occupant agreed to be praised.
const AGREED: &str = "select act from red_opt_in where token = ?1 and not exists (
     select 1 from moved where moved.token = ?1 and moved.undone is null and moved.act > red_opt_in.act)";

/// What an account's change, a deal or a picture's reference is made with is not in its act.
fn not_by_itself() -> Error {
    Refused::error(
        Why::Malformed,
        "this is done by the order that does it, not by its act",
    )
}

/// Told apart from everything that is a failure.
impl Error {
    /// Why an act was refused, if that is what this is.
    pub fn refused(&self) -> Option<&Refused> {
        match self {
            Self::Refused(refused) => Some(refused),
            _ => None,
        }
    }
}
