//! What an edition says of households, and what it leaves to the next. Reads; steps are taken elsewhere.

use hemu_rules::{Day, Rule, State, Status};

use super::act::{EditionId, Placed, Sha};
use super::state::EditionRow;
use crate::bytes::Writer;
use crate::db;
use crate::error::{InFile, Result};
use crate::journal::Position;
use crate::ledger::Ledger;
use crate::read::{ByToken, Edition, Place};

type Outcome<T> = std::result::Result<T, sqlx::Error>;

/// A household that stands otherwise in a corrected revision; `None` is on no list and not warned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    pub token: String,
    pub from: Option<State>,
    pub to: Option<State>,
}

/// SHA-256 over everybody's place, in the order of the tokens.
pub(super) fn digest(edition: &Edition, rule_hash: &Sha) -> Sha {
    let mut bytes = Vec::new();
    let mut w = Writer::new(&mut bytes);
    w.signed(edition.day.get().into());
    w.text(rule_hash.as_str());
    for place in &edition.places {
        let o = &place.outcome;
        w.text(&place.token);
        w.byte(o.status.code());
        w.byte(o.score);
        for number in [o.p_black.get(), o.p_red.get(), o.deposit_days, o.inspected_days] {
            w.number(number.into());
        }
        w.number(o.hits.into());
        for flag in [o.notice, o.inactive, o.cut] {
            w.byte(flag.into());
        }
    }
    Sha::of(&bytes)
}

/// The places that say something, in the order of the tokens, each with its rank within its status.
pub(super) fn placed(edition: &Edition) -> Vec<Placed> {
    let says = |place: &&Place| {
        let o = &place.outcome;
        matches!(o.status, Status::Red | Status::Black) || o.hits > 0 || o.notice
    };
    let mut places: Vec<Placed> = edition
        .places
        .iter()
        .filter(says)
        .map(|place| {
            let o = &place.outcome;
            Placed {
                token: place.token.clone(),
                status: o.status,
                hits: o.hits,
                notice: o.notice,
                score: o.score,
                p_black: o.p_black,
                p_red: o.p_red,
                deposit_days: o.deposit_days,
                inspected_days: o.inspected_days,
                rank: 0,
            }
        })
        .collect();
    // The surest first: of being good for red, of being poor for everybody else; by token where that is the same.
    places.sort_by_cached_key(|place| {
        let sure = if place.status == Status::Red {
            place.p_red
        } else {
            place.p_black
        };
        (place.status, std::cmp::Reverse(sure), place.token.clone())
    });
    let (mut last, mut rank) = (None, 0);
    for place in &mut places {
        rank = if last == Some(place.status) { rank + 1 } else { 1 };
        (last, place.rank) = (Some(place.status), rank);
    }
    places.sort_by(|a, b| a.token.cmp(&b.token));
    places
}

/// The hash an edition keeps its rule under.
pub(super) fn rule_hash(rule: &Rule) -> Sha {
    Sha::of(serde_json::to_string(rule).unwrap_or_default().as_bytes())
}

/// Every place as computed.
pub(super) async fn computed(connection: &mut db::Link<'_>, edition: EditionId) -> Outcome<ByToken> {
    let rows = db::query_as("select token, status, hits from place where edition = ?")
        .bind(edition.cast_signed())
        .fetch_all(connection)
        .await?;
    Ok(by_token(rows))
}

/// Whether people had left a household on the black list, by an edition's `place`: two persons confirmed it there, or,
/// while that edition is not decided, in the last one published before it, and no edition in between said otherwise.
const LISTED: &str = "place.confirmed <= ?2 or exists (
     select 1 from word join place as kept on kept.edition = word.id and kept.token = place.token
     where word.id <> ?1 and kept.confirmed <= ?2 and (kept.lifted is null or kept.lifted > ?2)
       and not exists (
           select 1 from moved where moved.token = place.token and moved.day >= word.day and moved.act <= ?2
             and (moved.undone is null or moved.undone > ?2))
       and not exists (
           select 1 from edition as since where since.id <= ?2 and since.day < word.until
             and (since.day > word.day or (since.day = word.day and since.id > word.id))
             and not exists (
                 select 1 from place as said where said.edition = since.id and said.token = place.token
                   and said.status = ?3 and (said.lifted is null or said.lifted > ?2))))";

/// What people had last published before an edition (or in it), by a position; nothing where they took it back.
const WORD: &str = "with word (id, day, until) as (
     select * from (
         select edition.id, edition.day, this.day from edition join edition as this on this.id = ?1
         join act on act.edition = edition.id and act.kind = 'publish' and act.position <= ?2
         where edition.published_at is not null and edition.day <= this.day
         order by edition.day desc, act.position desc limit 1) as last
     where not exists (
         select 1 from act where act.edition = last.id and act.kind = 'retract' and act.position <= ?2))";

/// Whether the place in an edition is of whoever lives there on a later day, as it was known by a position.
const SAME_OCCUPANT: &str = "not exists (
     select 1 from moved where moved.token = place.token and moved.day < ?5 and moved.act <= ?2
       and (moved.undone is null or moved.undone > ?2)
       and (moved.day >= edition.day or moved.act > edition.position))";

/// What an edition leaves to the next, as people had left it by a position: who was lifted starts anew, and a black name
/// that people did not confirm is a warned household that must meet the bar for coming on the list again
/// (docs/decisions/0009-rules-and-what-people-left.md). A new occupant takes over nothing.
pub(super) async fn states(
    connection: &mut db::Link<'_>,
    edition: EditionId,
    (known, day): (Position, Day),
) -> Outcome<ByToken> {
    let sql = format!(
        "{WORD} select token, case when status = ?3 and ({LISTED}) is not true then ?4 else status end as status, hits
         from place join edition on edition.id = place.edition
         where place.edition = ?1 and (lifted is null or lifted > ?2) and {SAME_OCCUPANT}"
    );
    let rows = db::query_as(sqlx::AssertSqlSafe(sql))
        .bind(edition.cast_signed())
        .bind(known.cast_signed())
        .bind(Status::Black.code())
        .bind(Status::Grey.code())
        .bind(day.get())
        .fetch_all(connection)
        .await?;
    Ok(by_token(rows))
}

pub(super) fn by_token(rows: Vec<(String, i64, u16)>) -> ByToken {
    let state = |(token, status, hits): (String, i64, u16)| {
        let status = Status::from_code(status).unwrap_or_default();
        (token, State { status, hits })
    };
    rows.into_iter().map(state).collect()
}

/// Who stands otherwise in one than in another, in the order of the tokens.
pub(super) fn moves(old: &ByToken, new: &ByToken) -> Vec<Moved> {
    let mut tokens: Vec<&String> = new.keys().chain(old.keys()).collect();
    tokens.sort_unstable();
    tokens.dedup();
    let moved = tokens.into_iter().map(|token| Moved {
        token: token.clone(),
        from: old.get(token).copied(),
        to: new.get(token).copied(),
    });
    moved.filter(|moved| moved.from != moved.to).collect()
}

impl Ledger {
    /// Who stands otherwise in an edition than in the one it corrects, in the order of the tokens.
    pub async fn moved(&self, edition: EditionId) -> Result<Vec<Moved>> {
        let path = self.folder().truth();
        let mut tx = self.truth.snapshot().await.of(&path)?;
        let row = EditionRow::find(&mut tx.link(), edition).await.of(&path)?;
        let Some((new, old)) = row.and_then(|row| Some((row.id, row.revises?))) else {
            return Ok(Vec::new());
        };
        let new = computed(&mut tx.link(), new).await.of(&path)?;
        let old = computed(&mut tx.link(), old).await.of(&path)?;
        Ok(moves(&old, &new))
    }
}

/// Whether a household has to be told what it was not told before.
pub(super) fn is_worse(place: &Placed, old: &ByToken) -> bool {
    let old = old.get(&place.token).copied().unwrap_or_default();
    (place.status == Status::Black && old.status != Status::Black) || place.hits > old.hits
}
