//! The audit trail: who did what, when, about whom and why, as the acts in the journal say it. Must not show what was
//! erased: a hash is all that is left of it.

use crate::acts::{Act, ActRow, ReadingAt, Why, Words};
use crate::db;
use crate::error::{InFile, Result};
use crate::journal::Position;
use crate::ledger::Ledger;
use crate::people::Change;
use crate::read::Named;

/// Which lines of the trail.
#[derive(Debug, Clone, Copy, Default)]
pub struct TrailQuery<'a> {
    pub actor: Option<&'a str>,
    pub kind: Option<&'a str>,
    pub token: Option<&'a str>,
    /// From this instant on, and to this one, ms since 1970 UTC.
    pub from: Option<i64>,
    pub to: Option<i64>,
    /// Only those that stand before this place; the trail is read newest first.
    pub before: Option<ReadingAt>,
    /// Only those that stand after this batch.
    pub since: Option<Position>,
    pub limit: u32,
}

/// A line of the trail with what is known beyond the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrailRow {
    pub act: ActRow,
    /// In the words of whoever did it, while they are kept.
    pub why: Option<String>,
    /// What it was before and is now, where the act changed one thing into another; of an attempt that came too late, what
    /// was tried, and what refused it.
    pub before: Option<String>,
    pub after: Option<String>,
}

impl Ledger {
    /// The trail, newest first. A household's has what was done to its readings as well; with `since`, to those of its
    /// present occupant.
    pub async fn trail(&self, find: &TrailQuery<'_>) -> Result<Vec<TrailRow>> {
        let most = find.limit as usize;
        let (mut trail, mut before) = (Vec::new(), find.before);
        loop {
            let acts = self.trail_part(find, before).await?;
            let is_last = acts.is_empty() || acts.len() < most;
            before = acts.last().map(|act| act.place);
            for act in acts {
                if self.is_about(&act, find).await? {
                    trail.push(self.told(act).await?);
                }
                if trail.len() == most {
                    return Ok(trail);
                }
            }
            if is_last {
                return Ok(trail);
            }
        }
    }

    /// Acts that may belong to the trail: those on readings name no household.
    async fn trail_part(&self, find: &TrailQuery<'_>, before: Option<ReadingAt>) -> Result<Vec<ActRow>> {
        let (position, index) = before.unwrap_or((i64::MAX.cast_unsigned(), 0));
        db::query_as(
            "select * from act where (position, idx) < (?1, ?2) and (?3 is null or actor = ?3)
               and (?4 is null or kind = ?4)
               and (?5 is null or token = ?5 or kind in ('strike', 'restore', 'clock_checked'))
               and at >= ?6 and at <= ?7 and position > ?8 order by position desc, idx desc limit ?9",
        )
        .bind(position.cast_signed())
        .bind(index)
        .bind(find.actor)
        .bind(find.kind)
        .bind(find.token)
        .bind(find.from.unwrap_or(i64::MIN))
        .bind(find.to.unwrap_or(i64::MAX))
        .bind(find.since.unwrap_or(0).cast_signed())
        .bind(find.limit)
        .fetch_all(&self.truth)
        .await
        .of(&self.folder().truth())
    }

    async fn is_about(&self, row: &ActRow, find: &TrailQuery<'_>) -> Result<bool> {
        let Some(token) = find.token else { return Ok(true) };
        if row.token.as_deref() == Some(token) {
            return Ok(true);
        }
        let Some(reading) = row.reading() else {
            return Ok(false);
        };
        let named = Named::find(&self.truth, self.zone(), reading).await;
        let named = named.of(&self.folder().truth())?;
        let Some(named) = named.filter(|named| named.token.as_deref() == Some(token)) else {
            return Ok(false);
        };
        let occupied = match find.since {
            Some(_) => self.occupancies(token).await?.pop(),
            None => None,
        };
        let from = occupied.and_then(|period| period.from);
        Ok(from.is_none_or(|from| named.day >= from))
    }

    /// Where the present occupant's part of a household's trail begins.
    pub async fn occupied_since(&self, token: &str) -> Result<Position> {
        let act: Option<i64> =
            db::query_scalar("select max(act) from moved where token = ? and undone is null")
                .bind(token)
                .fetch_one(&self.truth)
                .await
                .of(&self.folder().truth())?;
        Ok(act.unwrap_or(0).cast_unsigned())
    }

    async fn token_of(&self, reading: ReadingAt) -> Result<Option<String>> {
        let named = Named::find(&self.truth, self.zone(), reading).await;
        let named = named.of(&self.folder().truth())?;
        Ok(named.and_then(|named| named.token))
    }

    /// The role that the act before gave an account, as the trail tells it.
    async fn role_before(&self, name: &str, (position, index): ReadingAt) -> Result<Option<String>> {
        let bodies: Vec<String> = db::query_scalar(
            "select body from act where kind in ('account_added', 'role_changed') and (position, idx) < (?1, ?2)
               and body like ?3 order by position desc, idx desc",
        )
        .bind(position.cast_signed())
        .bind(index)
        .bind(format!("%\"{name}\"%"))
        .fetch_all(&self.truth)
        .await
        .of(&self.folder().truth())?;
        let role = |body: &String| match serde_json::from_str(body) {
            Ok(Act::Account(
                Change::AccountAdded { name: of, role } | Change::RoleChanged { name: of, role },
            )) if of == name => Some(format!("{of}: {role}")),
            _ => None,
        };
        Ok(bodies.iter().find_map(role))
    }

    async fn told(&self, row: ActRow) -> Result<TrailRow> {
        let mut line = TrailRow {
            why: None,
            before: None,
            after: None,
            act: row,
        };
        let Ok(act) = serde_json::from_str::<Act>(&line.act.body) else {
            return Ok(line);
        };
        let about = match &act {
            Act::Erase { .. } => None,
            // The act names the reading, and the reading its household.
            Act::Strike { reading, .. } => self.token_of(*reading).await?,
            _ => line.act.token.clone(),
        };
        let kept = async |words: &Words| self.words(words.hash(), about.as_deref()).await;
        if let Act::Correct { before, after, .. } = &act {
            line.before = kept(before).await?;
            line.after = kept(after).await?;
        } else if let Act::NamePhoto { token, reference, .. } = &act {
            line.after = self.photo(token, reference).await?;
        } else if let Act::Late { act, by, winner } = &act {
            let rule = Why::AlreadyDecided;
            line.before = Some(act.kind().to_owned());
            line.after = Some(format!("{rule} by {by} at {winner}"));
        } else if let Act::Account(change) = &act {
            (line.before, line.after) = change.told();
            if let Change::RoleChanged { name, .. } = change {
                line.before = self.role_before(name, line.act.place).await?;
            }
        } else {
            for words in act.words() {
                line.why = kept(words).await?;
            }
            if let Some((before, after)) = act.change() {
                (line.before, line.after) = (Some(before.to_owned()), Some(after.to_owned()));
            }
        }
        Ok(line)
    }
}

impl ActRow {
    /// The reading that the act is about, where that is all it names.
    fn reading(&self) -> Option<ReadingAt> {
        match serde_json::from_str(&self.body) {
            Ok(Act::Strike { reading, .. } | Act::Restore { reading } | Act::ClockChecked { reading }) => {
                Some(reading)
            }
            _ => None,
        }
    }
}

impl Act {
    /// What it changed into what, where that is one thing.
    const fn change(&self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::Strike { .. } => ("counts", "struck"),
            Self::Restore { .. } => ("struck", "counts"),
            Self::ClockChecked { .. } => ("held for its clock", "counts"),
            Self::CardLost { .. } => ("in use", "lost"),
            Self::CardFound { .. } => ("lost", "in use"),
            Self::RedOptIn { .. } => ("no consent", "consent"),
            Self::RedOptOut { .. } => ("consent", "no consent"),
            Self::Notice { .. } => ("draft", "noticed"),
            Self::Open { .. } => ("noticed", "deciding"),
            Self::Publish { .. } => ("deciding", "published"),
            Self::Expire { .. } => ("published", "expired"),
            Self::ProposeBlack { .. } => ("undecided", "proposed"),
            Self::ConfirmBlack { .. } => ("proposed", "confirmed"),
            Self::DecideObjection { upheld: true, .. } => ("pending", "upheld"),
            Self::DecideObjection { upheld: false, .. } => ("pending", "rejected"),
            Self::AdoptRule { .. } => ("proposed", "adopted"),
            Self::Erase { .. } => ("registered", "erased"),
            _ => return None,
        })
    }
}
