//! What an edition, and a name in it, rests on: everything that had come, and everything that people had decided of it.
//! Whatever came or was decided later may speak for a household, and nobody is named before it did.

use std::time::Duration;

use hemu_rules::{Day, Millis};

use super::act::Act;
use super::command::Deed;
use super::occupancy::former;
use super::refused::{Refused, Why, must};
use super::state::EditionRow;
use crate::db;
use crate::error::{Error, InFile, Result};
use crate::journal::{self, Position};
use crate::ledger::Ledger;
use crate::read::{DepositRow, window};

/// How often is looked whether all is folded.
const LOOK: Duration = Duration::from_millis(50);
/// The acts by which readings begin or cease to count, but for moves. They are those of the projector's `Hold`.
const ON_READINGS: &str =
    "('strike', 'restore', 'clock_checked', 'device_checked', 'card_lost', 'card_found')";

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

    /// Refuses to name a household of which something is known that its edition, or the warning it goes on from, was
    /// computed without.
    pub(super) async fn rests_on_everything(&mut self, edition: &EditionRow, token: &str) -> Result<()> {
        let before = match edition.before {
            Some(before) => Some(self.edition(before).await?),
            None => None,
        };
        let (from, _) = window(before.as_ref().map_or(edition.day, |before| before.day));
        let deposits = self.ledger.deposits_of(token, from, edition.day.plus(-1)).await?;
        let late = |deposit: &&DepositRow| deposit.reading.counts && deposit.place.0 > edition.position;
        let late = deposits.iter().filter(late).count();
        must(late == 0, Why::CameLater, || {
            format!(
                "readings of this household came after edition {} was computed: {late}; the next edition counts them, \
                 and until then it is not named",
                edition.id
            )
        })?;
        let Some(before) = before else { return Ok(()) };
        let told = deposits.iter().filter(|deposit| deposit.reading.day < before.day);
        let told: Vec<&DepositRow> = told.collect();
        let acts = self.acts_on_readings(before.position).await?;
        let touches = |act: &Act| self.touches(act, before.day, token, &told);
        must(!acts.iter().any(touches), Why::CameLater, || {
            format!(
                "readings behind this household's warning in edition {} began or ceased to count since; it is not \
                 named on that warning",
                before.id
            )
        })
    }

    /// The same of every name that would be shown: days may lie between its second person and the publication.
    pub(super) async fn every_name_rests_on_everything(&mut self, edition: &EditionRow) -> Result<()> {
        let names = db::query_scalar(concat!(
            "select place.token from place join edition on edition.id = place.edition
             where edition.id = ? and confirmed_by is not null and lifted is null and not ",
            former!("place.token"),
            " order by place.token"
        ))
        .bind(edition.id.cast_signed())
        .fetch_all(&mut self.tx.link())
        .await;
        let (names, mut outdated): (Vec<String>, _) = (self.of(names)?, Vec::new());
        for token in names {
            match self.rests_on_everything(edition, &token).await {
                Err(error)
                    if error
                        .refused()
                        .is_some_and(|refused| refused.why == Why::CameLater) =>
                {
                    outdated.push(token);
                }
                other => other?,
            }
        }
        must(outdated.is_empty(), Why::NameOutdated, || {
            let outdated = outdated.join(", ");
            format!(
                "readings of these households came after the list was computed, or those behind their warning began or \
                 ceased to count: {outdated}; take their names off before it is published"
            )
        })
    }

    async fn acts_on_readings(&mut self, after: Position) -> Result<Vec<Act>> {
        let sql = format!("select body from act where position > ? and kind in {ON_READINGS}");
        let bodies = db::query_scalar(sqlx::AssertSqlSafe(sql))
            .bind(after.cast_signed())
            .fetch_all(&mut self.tx.link())
            .await;
        let bodies: Vec<String> = self.of(bodies)?;
        let read = |body: &String| {
            serde_json::from_str(body).map_err(|_| Error::Damaged {
                position: after,
                what: "an act that stands after it cannot be read".to_owned(),
            })
        };
        bodies.iter().map(read).collect()
    }

    /// Whether an act is about readings of a household, or about all of them before a day.
    fn touches(&self, act: &Act, before: Day, token: &str, readings: &[&DepositRow]) -> bool {
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
                of == token && Day::of(Millis::clamped(*since), self.ledger.zone()) < before
            }
            _ => false,
        }
    }
}
