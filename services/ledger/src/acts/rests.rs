//! What an edition, and a name in it, rests on: everything that had come, and everything that people had decided of it.
//! Whatever came, was computed or was decided later may speak for a household, and nobody is named before it did.

use std::time::Duration;

use hemu_rules::{Day, Millis, Status};

use super::act::{Act, Audience};
use super::command::Deed;
use super::refused::{Refused, Why, must};
use super::state::{EditionRow, EditionState};
use crate::db;
use crate::error::{Error, InFile, Result};
use crate::journal::{self, Position};
use crate::ledger::Ledger;
use crate::read::{DepositRow, Held, window};

/// How often is looked whether all is folded.
const LOOK: Duration = Duration::from_millis(50);
/// The acts by which readings begin or cease to count, but for moves. They are those of the projector's `Hold`.
const ON_READINGS: &str =
    "('strike', 'restore', 'clock_checked', 'device_checked', 'card_lost', 'card_found')";

/// A later edition, of any state in which it counts, in which a household is not black.
const CLEARED_BY: &str = "select id from edition as later
     where later.day > ?1 and later.state not in ('superseded', 'retracted')
       and not exists (
           select 1 from place where place.edition = later.id and place.token = ?2 and place.status = ?3
               and place.lifted is null)
     order by later.day limit 1";
const TAKEN_OFF: &str =
    "select exists (select 1 from act where kind = 'lift' and token = ?1 and position > ?2)";
/// By an act after a position, as the one before.
const CARD_LOST: &str = "select exists (select 1 from lost_card where token = ?1 and act > ?2)";
/// Whether the revision of a day that holds warns a household.
const WARNS: &str = "select exists (
     select 1 from place where place.token = ?1 and place.hits > 0 and place.lifted is null and place.edition = (
         select id from edition where day = ?2 and state not in ('superseded', 'retracted')
         order by revision desc limit 1))";

impl Ledger {
    /// Waits until the readings up to a position are folded; while folding stands still nobody's days are whole. Nothing may
    /// be held meanwhile.
    pub(super) async fn are_counted(&self, upto: Position) -> Result<()> {
        let counted = async {
            loop {
                let applied = self.progress().await?.applied;
                let missing = journal::readings_between(&self.truth, applied, upto).await;
                if !missing.of(&self.folder().truth())? {
                    return Ok(());
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::time::timeout(self.patience, counted).await.unwrap_or_else(|_| {
            let sentence = "readings that were received are not in the scores yet, and a list would be wrong; ask again \
                            in a minute, and if they still are not then, look at the server's log";
            Err(Refused::error(Why::NotFolded, sentence))
        })
    }
}

impl Deed<'_> {
    /// Refuses what was computed without an act on readings that stands in the journal by now: such an act reopens the
    /// editions there are, and would not know of this one.
    pub(super) async fn evidence_is_in(&mut self, position: Position) -> Result<()> {
        let sql = format!("select exists (select 1 from act where position > ? and kind in {ON_READINGS})");
        must(!self.stands(sql, position).await?, Why::NotYet, || {
            "readings began or ceased to count meanwhile, and that is not folded yet; ask again in a moment"
                .to_owned()
        })
    }

    /// Refuses to go on from names, warnings or lists as they stood at a position, when one was taken off or back since.
    pub(super) async fn nothing_was_taken_off(&mut self, known: Position) -> Result<()> {
        let sql = "select exists (select 1 from act where position > ? and kind in ('lift', 'retract'))";
        must(!self.stands(sql.to_owned(), known).await?, Why::NotYet, || {
            "a name, a warning or a list was taken off while this was computed; ask again".to_owned()
        })
    }

    async fn stands(&mut self, sql: String, after: Position) -> Result<bool> {
        let found = db::query_scalar(sqlx::AssertSqlSafe(sql))
            .bind(after.cast_signed())
            .fetch_one(&mut self.tx.link())
            .await;
        self.of(found)
    }
}

/// What the names of an edition rest on.
struct Grounds {
    edition: EditionRow,
    /// The edition they go on from, if any, and what people did to readings since it was computed.
    before: Option<(EditionRow, Vec<Act>)>,
}

impl Ledger {
    /// Refuses to name a household of which something is known that its edition, or the warning it goes on from, was
    /// computed without.
    pub(super) async fn rests_on_everything(&self, edition: EditionRow, token: &str) -> Result<()> {
        let grounds = self.grounds(edition).await?;
        match self.unknown_to(&grounds, token).await? {
            Some(sentence) => Err(Refused::error(Why::CameLater, sentence)),
            None => Ok(()),
        }
    }

    /// Whose names an edition would be published with though something came later: days may lie between a name's second
    /// person and the publication. Whoever moved is looked at too, for a move may be undone. Nothing may be held meanwhile:
    /// a long list takes a while.
    pub(super) async fn outdated_names(&self, id: Position) -> Result<Vec<String>> {
        let Some(edition) = self.edition_row(id).await? else {
            return Ok(Vec::new());
        };
        let (grounds, mut outdated) = (self.grounds(edition).await?, Vec::new());
        for token in self.confirmed_names(id).await? {
            if self.unknown_to(&grounds, &token).await?.is_some() {
                outdated.push(token);
            }
        }
        Ok(outdated)
    }

    async fn confirmed_names(&self, id: Position) -> Result<Vec<String>> {
        let names = db::query_scalar(
            "select token from place where edition = ? and confirmed_by is not null and lifted is null
               and not exists (select 1 from erased where erased.token = place.token)
             order by token",
        )
        .bind(id.cast_signed())
        .fetch_all(&self.truth)
        .await;
        names.of(&self.folder().truth())
    }

    /// Names that everybody would see of an edition, of which what is shown is also another household's.
    pub(super) async fn names_alike(&self, id: Position) -> Result<Vec<String>> {
        let edition = self.edition_row(id).await?;
        if edition.is_none_or(|edition| edition.audience != Some(Audience::Masked)) {
            return Ok(Vec::new());
        }
        let (mut names, ends) = (self.confirmed_names(id).await?, self.ends(id).await?);
        names.retain(|token| !ends.tells(token));
        Ok(names)
    }

    async fn grounds(&self, edition: EditionRow) -> Result<Grounds> {
        let before = match edition.before {
            Some(before) => self.edition_row(before).await?,
            None => None,
        };
        let before = match before {
            Some(before) => {
                let acts = self.acts_on_readings(before.position).await?;
                Some((before, acts))
            }
            None => None,
        };
        Ok(Grounds { edition, before })
    }

    /// What is known of a household that its name was computed without, in a sentence.
    async fn unknown_to(&self, grounds: &Grounds, token: &str) -> Result<Option<String>> {
        match self.decided_since(grounds, token).await? {
            None => self.came_since(grounds, token).await,
            decided => Ok(decided),
        }
    }

    /// The same of what was computed or decided since.
    async fn decided_since(&self, grounds: &Grounds, token: &str) -> Result<Option<String>> {
        let Grounds { edition, before } = grounds;
        if let Some(later) = self.cleared_by(edition, token).await? {
            return Ok(Some(format!(
                "edition {later}, of a later day, does not have this household on the black list; it is not named by an \
                 older one"
            )));
        }
        let from = before.as_ref().map_or(edition.id, |(before, _)| before.id);
        if self.is_so(TAKEN_OFF, token, from.cast_signed()).await? {
            return Ok(Some(format!(
                "a name or a warning of this household was taken off after edition {from}; it starts anew"
            )));
        }
        if self.is_so(CARD_LOST, token, 0).await? {
            return Ok(Some(
                "the card of this household is lost, and nobody is named by a card that others may hold; a later \
                 edition may name it when the card is found"
                    .to_owned(),
            ));
        }
        let Some((before, _)) = before else {
            return Ok(None);
        };
        let warns = self.still_warns(before, token).await?;
        Ok((!warns).then(|| {
            format!(
                "edition {}, in which this household was warned, was taken back or corrected, and warns it no more",
                before.id
            )
        }))
    }

    /// An edition of a later day that does not propose a household as black, or of which its name was taken off.
    async fn cleared_by(&self, edition: &EditionRow, token: &str) -> Result<Option<Position>> {
        let found: Option<i64> = db::query_scalar(CLEARED_BY)
            .bind(edition.day.get())
            .bind(token)
            .bind(Status::Black.code())
            .fetch_optional(&self.truth)
            .await
            .of(&self.folder().truth())?;
        Ok(found.map(i64::cast_unsigned))
    }

    /// Whether an edition that was gone on from still warns a household, or the revision that took its place does.
    async fn still_warns(&self, before: &EditionRow, token: &str) -> Result<bool> {
        match before.state {
            EditionState::Retracted => Ok(false),
            // A published one stays until its revision is published.
            _ if before.superseded_by.is_some() => self.is_so(WARNS, token, before.day.get().into()).await,
            _ => Ok(true),
        }
    }

    /// What is so of a household from a position, or of a day, on.
    async fn is_so(&self, sql: &'static str, token: &str, from: i64) -> Result<bool> {
        let found = db::query_scalar(sql)
            .bind(token)
            .bind(from)
            .fetch_one(&self.truth)
            .await;
        found.of(&self.folder().truth())
    }

    /// The same of readings.
    async fn came_since(&self, grounds: &Grounds, token: &str) -> Result<Option<String>> {
        let Grounds { edition, before } = grounds;
        let earliest = before.as_ref().map_or(edition.day, |(before, _)| before.day);
        let deposits = self
            .deposits_of(token, window(earliest).0, edition.day.plus(-1))
            .await?;
        let late = |deposit: &&DepositRow| deposit.reading.counts && deposit.place.0 > edition.position;
        let late = deposits.iter().filter(late).count();
        if late > 0 {
            return Ok(Some(format!(
                "readings of this household came after edition {} was computed: {late}; the next edition counts them, \
                 and until then it is not named",
                edition.id
            )));
        }
        if let Some(aside) = deposits.iter().find(|deposit| deposit.held.has(Held::CONFLICT)) {
            return Ok(Some(format!(
                "readings of this household are set aside until a person has looked at device {}, which said two things \
                 under one number; look at it first (`hemu device checked`)",
                aside.device
            )));
        }
        let Some((before, acts)) = before else {
            return Ok(None);
        };
        let told = deposits.iter().filter(|deposit| deposit.reading.day < before.day);
        let told: Vec<&DepositRow> = told.collect();
        let touched = acts.iter().any(|act| self.touches(act, token, &told, before.day));
        Ok(touched.then(|| {
            format!(
                "readings behind this household's warning in edition {} began or ceased to count since; it is not \
                 named on that warning",
                before.id
            )
        }))
    }

    async fn acts_on_readings(&self, after: Position) -> Result<Vec<Act>> {
        let sql = format!("select body from act where position > ? and kind in {ON_READINGS}");
        let bodies = db::query_scalar(sqlx::AssertSqlSafe(sql))
            .bind(after.cast_signed())
            .fetch_all(&self.truth)
            .await;
        let bodies: Vec<String> = bodies.of(&self.folder().truth())?;
        let read = |body: &String| {
            serde_json::from_str(body).map_err(|_| Error::Damaged {
                position: after,
                what: "an act that stands after it cannot be read".to_owned(),
            })
        };
        bodies.iter().map(read).collect()
    }

    /// Whether an act is about readings of a household, or about all of them before a day.
    fn touches(&self, act: &Act, token: &str, readings: &[&DepositRow], before: Day) -> bool {
        let is = |place| readings.iter().any(|reading| reading.place == place);
        match act {
            Act::Strike { reading, .. } | Act::Restore { reading } | Act::ClockChecked { reading } => {
                is(*reading)
            }
            Act::DeviceChecked { device, boot } => readings
                .iter()
                .any(|reading| reading.device == *device && reading.boot == *boot),
            Act::CardFound { token: of } => of == token,
            Act::CardLost { token: of, since } => {
                of == token && Day::of(Millis::clamped(*since), self.zone()) < before
            }
            _ => false,
        }
    }
}

/// Refuses to publish an edition with these names.
pub(super) fn name_outdated(tokens: &[String]) -> Error {
    let tokens = tokens.join(", ");
    let sentence = format!(
        "something is known of these households that their names were computed without: readings that came later, that \
         began or ceased to count, or that are set aside for a conflict; a later list without them, a name or a warning \
         that was taken off or back, or a lost card: {tokens}; take their names off before it is published"
    );
    Refused::error(Why::NameOutdated, sentence)
}

/// Refuses to publish these names to everybody.
pub(super) fn name_alike(tokens: &[String]) -> Error {
    let tokens = tokens.join(", ");
    let sentence = format!(
        "half of these households' tokens does not tell them from others, and no more of them is shown: {tokens}; nobody could \
         say who is meant, so publish to another audience, or take their names off"
    );
    Refused::error(Why::NameAlike, sentence)
}
