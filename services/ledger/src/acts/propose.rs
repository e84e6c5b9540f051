//! Editions as computed: proposed once, computed again bit for bit, and corrected when an objection was upheld. The
//! machine does all of it, and none of it publishes anything.

use std::collections::HashMap;

use hemu_rules::{Day, EstateNo, Millis, Rule, State, Status};
use sqlx::sqlite::SqliteConnection;

use super::act::{Actor, EditionId, Placed, Proposal, Proposed, Sha};
use super::command::Deed;
use super::refused::{Refused, Why, Winner, must};
use super::state::{EditionRow, EditionState};
use crate::bytes::Writer;
use crate::entry::Body;
use crate::error::{Error, InFile, Result};
use crate::journal::Position;
use crate::ledger::Ledger;
use crate::read::{Edition, States, gather, judge_all};
use crate::store::{self, Durability, Role};

/// Days an objection window is open where nobody says otherwise.
pub const WINDOW_DAYS: u16 = 7;
/// How long one server may take to compute an edition before another tries.
const LEASE_MS: i64 = 10 * 60 * 1_000;
/// Tokens and places of one act.
const TOKENS: usize = 1_024;
const PLACES: usize = 512;

/// A household that stands otherwise in a corrected revision; `None` is on no list and not warned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    pub token: String,
    pub from: Option<State>,
    pub to: Option<State>,
}

/// Who was registered: tokens by estate, both in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Roll(Vec<(String, Vec<String>)>);

impl Roll {
    async fn registered(connection: &mut SqliteConnection) -> std::result::Result<Self, sqlx::Error> {
        let rows: Vec<(String, String)> =
            sqlx::query_as("select coalesce(estate, '') as estate, token from household order by 1, 2")
                .fetch_all(connection)
                .await?;
        let mut roll = Self(Vec::new());
        for (estate, token) in rows {
            roll.add(estate, [token]);
        }
        Ok(roll)
    }

    fn add(&mut self, estate: String, tokens: impl IntoIterator<Item = String>) {
        match self.0.last_mut() {
            Some((last, all)) if *last == estate => all.extend(tokens),
            _ => self.0.push((estate, tokens.into_iter().collect())),
        }
    }

    async fn stored(
        connection: &mut SqliteConnection,
        hash: &Sha,
    ) -> std::result::Result<Option<Self>, sqlx::Error> {
        let parts: Vec<String> = sqlx::query_scalar("select body from roll where hash = ? order by part")
            .bind(hash.as_str())
            .fetch_all(connection)
            .await?;
        let mut roll = Self(Vec::new());
        for part in parts {
            match serde_json::from_str(&part) {
                Ok(Proposal::Roll { estate, tokens, .. }) => roll.add(estate, tokens),
                _ => return Ok(None),
            }
        }
        Ok((roll.hash() == *hash).then_some(roll))
    }

    fn hash(&self) -> Sha {
        let mut bytes = Vec::new();
        let mut w = Writer::new(&mut bytes);
        for (estate, tokens) in &self.0 {
            w.text(estate);
            w.number(tokens.len() as u64);
            for token in tokens {
                w.text(token);
            }
        }
        Sha::of(&bytes)
    }

    /// As acts.
    fn parts(&self) -> Vec<Body<'static>> {
        let hash = self.hash();
        let chunks = self
            .0
            .iter()
            .flat_map(|(estate, tokens)| tokens.chunks(TOKENS).map(move |tokens| (estate, tokens)));
        let part = |(part, (estate, tokens)): (u32, (&String, &[String]))| {
            Body::Proposal(Box::new(Proposal::Roll {
                hash: hash.clone(),
                part,
                estate: estate.clone(),
                tokens: tokens.to_vec(),
            }))
        };
        (0..).zip(chunks).map(part).collect()
    }

    /// Every household with its estate's number, in the order of the tokens.
    fn members(self) -> Vec<(String, EstateNo)> {
        let numbered = (0..).map(EstateNo).zip(self.0);
        let mut members: Vec<_> = numbered
            .flat_map(|(no, (_, tokens))| tokens.into_iter().map(move |token| (token, no)))
            .collect();
        members.sort_unstable();
        members
    }
}

/// SHA-256 over everybody's place, in the order of the tokens.
fn digest(edition: &Edition, rule_hash: &Sha) -> Sha {
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
fn placed(edition: &Edition) -> Vec<Placed> {
    let says = |place: &&crate::read::Place| {
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

/// What an edition is to be computed from.
struct Plan {
    rule: Rule,
    day: Day,
    before: Option<EditionId>,
    known: Position,
    states: States,
    roll: Roll,
    revises: Option<EditionRow>,
}

impl Ledger {
    /// Computes the edition of a day (evidence before that day) and stores it as a draft, once: `holder` has the lease
    /// of the day meanwhile, and `Err(Refused)` shows who else has it or was faster.
    pub async fn propose_edition(&self, rule: &Rule, day: Day, now: i64, holder: &str) -> Result<EditionId> {
        rule.validate()
            .map_err(|error| Refused::error(Why::Malformed, error.to_string()))?;
        let today = Day::of(Millis::clamped(now), self.zone());
        must(day <= today, Why::InTheFuture, || {
            format!("an edition of {day} needs the days before it, and today is {today}")
        })?;
        let system = Actor::system();
        let mut deed = self.deed(&system, now).await?;
        deed.none_lives(day).await?;
        let roll = Roll::registered(&mut deed.tx).await;
        let roll = deed.of(roll)?;
        let plan = deed.plan(rule, day, roll, None, holder).await?;
        self.propose(plan, &system, now, holder).await
    }

    /// Editions that lost a reading and whose corrected revision is due, oldest first.
    pub async fn reopened(&self) -> Result<Vec<EditionId>> {
        let ids: Vec<i64> = sqlx::query_scalar(
            "select id from edition where reopened is not null
               and state in ('draft', 'noticed', 'deciding', 'published')
               and not exists (select 1 from edition newer where newer.day = edition.day
                   and newer.revision > edition.revision and newer.state in ('draft', 'noticed', 'deciding'))
             order by id",
        )
        .fetch_all(&self.truth)
        .await
        .of(&self.folder().truth())?;
        Ok(ids.into_iter().map(i64::cast_unsigned).collect())
    }

    /// Computes the corrected revision of an edition that lost a reading, by the same rule and for the same households.
    /// An edition that is still open gives way to it; a published one stays until a person publishes the revision.
    pub async fn revise(&self, edition: EditionId, now: i64, holder: &str) -> Result<EditionId> {
        let system = Actor::system();
        let mut deed = self.deed(&system, now).await?;
        let old = deed.edition(edition).await?;
        let Some(reopened) = old
            .reopened
            .filter(|_| old.state.may_become(EditionState::Superseded))
        else {
            let sentence = format!("edition {edition} lost no reading since it was computed");
            return Err(Refused::error(Why::WrongState, sentence));
        };
        let applied = self.progress().await?.applied;
        must(applied >= reopened, Why::NotYet, || {
            format!("batch {reopened} is not folded yet; ask again in a moment")
        })?;
        deed.is_newest(&old).await?;
        let (rule, roll) = deed.origins(&old).await?;
        let day = old.day;
        let plan = deed.plan(&rule, day, roll, Some(old), holder).await?;
        self.propose(plan, &system, now, holder).await
    }

    async fn propose(&self, plan: Plan, system: &Actor, now: i64, holder: &str) -> Result<EditionId> {
        let path = self.folder().projections();
        let members = plan.roll.clone().members();
        let gathered = gather(&self.projections, &path, members, &plan.rule, plan.day).await?;
        let edition = judge_all(&plan.rule, plan.day, gathered, &plan.states)?;
        let places = placed(&edition);
        let mut deed = self.deed(system, now).await?;
        deed.still_mine(&plan, holder).await?;
        let bodies = deed.bodies(&plan, &edition, places).await?;
        let released = sqlx::query("delete from lease where day = ?")
            .bind(plan.day.get())
            .execute(&mut *deed.tx)
            .await;
        deed.of(released)?;
        deed.store(bodies).await
    }

    /// Computes an edition again from the journal up to where it was computed from, beside everything else; the digest
    /// that comes out. It is `EditionRow::digest`, or somebody tampered with one of the two.
    pub async fn recompute(&self, edition: EditionId) -> Result<Sha> {
        let _lock = self.folder().lock(Role::Verify)?;
        let system = Actor::system();
        let mut deed = self.deed(&system, 0).await?;
        let row = deed.edition(edition).await?;
        let (rule, roll) = deed.origins(&row).await?;
        let states = match row.before {
            Some(before) => states(&mut deed.tx, before, row.known).await,
            None => Ok(States::new()),
        };
        let states = deed.of(states)?;
        drop(deed);
        let beside = self.folder().path().join("recompute.db");
        store::remove_database(&beside)?;
        self.fold_into(&beside, row.position, |_| ()).await?;
        let again = store::pool(&beside, Durability::Whole);
        let gathered = gather(&again, &beside, roll.members(), &rule, row.day).await;
        again.close().await;
        store::remove_database(&beside)?;
        let edition = judge_all(&rule, row.day, gathered?, &states)?;
        Ok(digest(&edition, &Sha::of(json(&rule).as_bytes())))
    }

    /// Who stands otherwise in an edition than in the one it corrects, in the order of the tokens.
    pub async fn moved(&self, edition: EditionId) -> Result<Vec<Moved>> {
        let path = self.folder().truth();
        let mut tx = self.truth.begin().await.of(&path)?;
        let row = EditionRow::find(&mut tx, edition).await.of(&path)?;
        let Some((new, old)) = row.and_then(|row| Some((row.id, row.revises?))) else {
            return Ok(Vec::new());
        };
        let new = computed(&mut tx, new).await.of(&path)?;
        let old = computed(&mut tx, old).await.of(&path)?;
        let mut tokens: Vec<&String> = new.keys().chain(old.keys()).collect();
        tokens.sort_unstable();
        tokens.dedup();
        let moved = tokens.into_iter().map(|token| Moved {
            token: token.clone(),
            from: old.get(token).copied(),
            to: new.get(token).copied(),
        });
        Ok(moved.filter(|moved| moved.from != moved.to).collect())
    }
}

fn json(rule: &Rule) -> String {
    serde_json::to_string(rule).unwrap_or_default()
}

/// Every place as computed.
async fn computed(
    connection: &mut SqliteConnection,
    edition: EditionId,
) -> std::result::Result<HashMap<String, State>, sqlx::Error> {
    states_where(connection, edition, i64::MAX, "1").await
}

/// What an edition leaves to the next, as people had left it by a position: who was lifted starts anew.
async fn states(
    connection: &mut SqliteConnection,
    edition: EditionId,
    known: Position,
) -> std::result::Result<States, sqlx::Error> {
    states_where(
        connection,
        edition,
        known.cast_signed(),
        "(lifted is null or lifted > ?2)",
    )
    .await
}

async fn states_where(
    connection: &mut SqliteConnection,
    edition: EditionId,
    known: i64,
    which: &str,
) -> std::result::Result<States, sqlx::Error> {
    let sql = format!("select token, status, hits from place where edition = ?1 and {which}");
    let rows: Vec<(String, i64, u16)> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(edition.cast_signed())
        .bind(known)
        .fetch_all(connection)
        .await?;
    let state = |(token, status, hits): (String, i64, u16)| {
        let status = Status::from_code(status).unwrap_or_default();
        (token, State { status, hits })
    };
    Ok(rows.into_iter().map(state).collect())
}

impl Deed<'_> {
    /// One live edition a day; the next revision comes by an objection, or after a person took it back.
    async fn none_lives(&mut self, day: Day) -> Result<()> {
        let lives = sqlx::query_scalar(
            "select id from edition where day = ? and state not in ('superseded', 'retracted') limit 1",
        )
        .bind(day.get())
        .fetch_optional(&mut *self.tx)
        .await;
        let lives: Option<i64> = self.of(lives)?;
        let Some(id) = lives.map(i64::cast_unsigned) else {
            return Ok(());
        };
        let winner = self.winner("propose", Some(id), None).await?;
        Err(Refused::lost(
            format!("the edition of {day} is there already, as {id}"),
            winner,
        ))
    }

    async fn is_newest(&mut self, old: &EditionRow) -> Result<()> {
        let newest = self.newest(old.day).await?;
        let newer = sqlx::query_scalar(
            "select id from edition where day = ? and revision > ? and state in ('draft', 'noticed', 'deciding') limit 1",
        )
        .bind(old.day.get())
        .bind(old.revision)
        .fetch_optional(&mut *self.tx)
        .await;
        let newer: Option<i64> = self.of(newer)?;
        let Some(id) = newer else { return Ok(()) };
        let winner = self.winner("propose", Some(id.cast_unsigned()), None).await?;
        let sentence = format!("revision {newest} of {} is there already", old.day);
        Err(Refused::lost(sentence, winner))
    }

    async fn newest(&mut self, day: Day) -> Result<u32> {
        let newest = sqlx::query_scalar("select coalesce(max(revision), 0) from edition where day = ?")
            .bind(day.get())
            .fetch_one(&mut *self.tx)
            .await;
        self.of(newest)
    }

    /// The rule and the roll that an edition was computed by.
    async fn origins(&mut self, edition: &EditionRow) -> Result<(Rule, Roll)> {
        let damaged = |what: &str| Error::Damaged {
            position: edition.id,
            what: format!("the {what} of its edition cannot be read"),
        };
        let rule = serde_json::from_str(&edition.rule).map_err(|_| damaged("rule"))?;
        let roll = Roll::stored(&mut self.tx, &edition.roll).await;
        let roll = self.of(roll)?.ok_or_else(|| damaged("roll"))?;
        Ok((rule, roll))
    }

    /// The last edition before a day whose households were told: only such a warning counts for the next.
    async fn last_valid(&mut self, day: Day) -> Result<Option<EditionId>> {
        let last = sqlx::query_scalar(
            "select id from edition where day < ? and state in ('noticed', 'deciding', 'published', 'expired')
             order by day desc, revision desc limit 1",
        )
        .bind(day.get())
        .fetch_optional(&mut *self.tx)
        .await;
        Ok(self.of::<Option<i64>>(last)?.map(i64::cast_unsigned))
    }

    /// Takes the lease of the day, and notes what the edition is to be computed from.
    async fn plan(
        mut self,
        rule: &Rule,
        day: Day,
        roll: Roll,
        revises: Option<EditionRow>,
        holder: &str,
    ) -> Result<Plan> {
        self.lease(day, holder).await?;
        let before = self.last_valid(day).await?;
        let known = crate::journal::head(&mut self.tx).await;
        let known = self.of(known)?.position;
        let states = match before {
            Some(before) => states(&mut self.tx, before, known).await,
            None => Ok(States::new()),
        };
        let plan = Plan {
            rule: *rule,
            day,
            before,
            known,
            states: self.of(states)?,
            roll,
            revises,
        };
        let committed = self.tx.commit().await;
        committed.of(&self.ledger.folder().truth())?;
        Ok(plan)
    }

    async fn lease(&mut self, day: Day, holder: &str) -> Result<()> {
        let other = self.other_holder(day, holder).await?;
        if let Some((other, until)) = other.filter(|(_, until)| *until > self.now) {
            let winner = Winner {
                actor: other,
                at: self.now,
                what: "lease".to_owned(),
                position: 0,
            };
            let sentence =
                format!("the edition of {day} is being computed, until {until} (ms since 1970) at most");
            return Err(Refused::lost(sentence, Some(winner)));
        }
        let taken = sqlx::query("insert or replace into lease (day, holder, until) values (?, ?, ?)")
            .bind(day.get())
            .bind(holder)
            .bind(self.now.saturating_add(LEASE_MS))
            .execute(&mut *self.tx)
            .await;
        self.of(taken).map(|_| ())
    }

    async fn other_holder(&mut self, day: Day, holder: &str) -> Result<Option<(String, i64)>> {
        let other = sqlx::query_as("select holder, until from lease where day = ? and holder <> ?")
            .bind(day.get())
            .bind(holder)
            .fetch_optional(&mut *self.tx)
            .await;
        self.of(other)
    }

    /// Nothing that the edition was computed from was decided otherwise meanwhile.
    async fn still_mine(&mut self, plan: &Plan, holder: &str) -> Result<()> {
        match &plan.revises {
            None => self.none_lives(plan.day).await?,
            Some(old) => {
                let now = self.edition(old.id).await?;
                self.is_newest(old).await?;
                must(now == *old, Why::NotYet, || {
                    format!(
                        "edition {} changed while its revision was computed; ask again",
                        old.id
                    )
                })?;
            }
        }
        let other = self.other_holder(plan.day, holder).await?;
        let before = self.last_valid(plan.day).await?;
        must(other.is_none() && before == plan.before, Why::NotYet, || {
            let day = plan.day;
            format!("the lease of {day} ran out, or the edition before it changed; ask again")
        })
    }

    async fn bodies(
        &mut self,
        plan: &Plan,
        edition: &Edition,
        places: Vec<Placed>,
    ) -> Result<Vec<Body<'static>>> {
        let roll = plan.roll.hash();
        let kept = Roll::stored(&mut self.tx, &roll).await;
        let mut bodies = match self.of(kept)? {
            Some(kept) if !kept.0.is_empty() => Vec::new(),
            _ => plan.roll.parts(),
        };
        let count = |status| {
            edition
                .places
                .iter()
                .filter(|place| place.outcome.status == status)
                .count() as u64
        };
        let rule_hash = Sha::of(json(&plan.rule).as_bytes());
        let revises = plan.revises.as_ref().map(|old| old.id);
        let old = match revises {
            Some(old) => computed(&mut self.tx, old).await,
            None => Ok(HashMap::new()),
        };
        let old = self.of(old)?;
        let proposed = Proposed {
            day: plan.day,
            revision: self.newest(plan.day).await? + 1,
            rule: plan.rule,
            digest: digest(edition, &rule_hash),
            rule_hash,
            position: edition.position,
            before: plan.before,
            known: plan.known,
            roll,
            counts: Status::ALL.map(count),
            notices: places.iter().filter(|place| place.notice).count() as u64,
            revises,
            inherits: revises.is_some() && !places.iter().any(|place| is_worse(place, &old)),
        };
        bodies.push(Body::Proposal(Box::new(Proposal::Edition(Box::new(proposed)))));
        let places = places.chunks(PLACES).map(|places| Proposal::Places {
            places: places.to_vec(),
        });
        bodies.extend(places.map(|places| Body::Proposal(Box::new(places))));
        Ok(bodies)
    }
}

/// Whether a household has to be told what it was not told before.
fn is_worse(place: &Placed, old: &HashMap<String, State>) -> bool {
    let old = old.get(&place.token).copied().unwrap_or_default();
    (place.status == Status::Black && old.status != Status::Black) || place.hits > old.hits
}
