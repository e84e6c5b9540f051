//! Rules that run beside the one in force: each goes on from its own states, is compared with the real editions, and
//! publishes nothing. A shadow edition is in tables of its own that no step of an edition looks at.

use hemu_rules::{Day, Rule, Status};

use super::Moved;
use super::act::{Act, Actor, EditionId, Proposal, Sha, ShadowPlaced, Shadowed};
use super::command::Deed;
use super::place::{by_token, computed, digest, moves, placed, rule_hash};
use super::refused::{Refused, Why, must};
use super::roll::Roll;
use super::rules::stored;
use crate::db;
use crate::entry::Body;
use crate::error::{InFile, Result};
use crate::journal::Position;
use crate::ledger::Ledger;
use crate::read::{ByToken, Edition, gather, judge_all};
use crate::work::Stage;

type Outcome<T> = std::result::Result<T, sqlx::Error>;

/// A rule in the shadow: the position of the act that began it.
pub type ShadowId = Position;

/// Places of one act.
const PLACES: usize = 1_024;

/// A rule that runs in the shadow, or did.
#[derive(Debug, Clone, PartialEq)]
pub struct ShadowRow {
    pub id: ShadowId,
    pub rule: Rule,
    /// The first edition day it is computed for.
    pub from: Day,
    pub begun_by: String,
    pub begun_at: i64,
    /// Who ended it, and when (ms since 1970 UTC).
    pub ended: Option<(String, i64)>,
}

impl db::FromRow for ShadowRow {
    fn from_row(row: &db::Row) -> Outcome<Self> {
        let by: Option<String> = row.try_get("ended_by")?;
        let at: Option<i64> = row.try_get("ended_at")?;
        Ok(Self {
            id: row.try_get::<i64, _>("id")?.cast_unsigned(),
            rule: stored(row.try_get("rule")?)?,
            from: Day::clamped(row.try_get("from_day")?),
            begun_by: row.try_get("begun_by")?,
            begun_at: row.try_get("begun_at")?,
            ended: by.zip(at),
        })
    }
}

/// An edition by a rule in the shadow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShadowEditionRow {
    pub id: EditionId,
    pub shadow: ShadowId,
    pub day: Day,
    /// Red, black, grey, unrated.
    pub counts: [u64; 4],
    /// SHA-256 of everybody's place.
    pub digest: Sha,
}

impl db::FromRow for ShadowEditionRow {
    fn from_row(row: &db::Row) -> Outcome<Self> {
        let number = |column: &str| Ok::<_, sqlx::Error>(row.try_get::<i64, _>(column)?.cast_unsigned());
        Ok(Self {
            id: number("id")?,
            shadow: number("shadow")?,
            day: Day::clamped(row.try_get("day")?),
            counts: [
                number("red")?,
                number("black")?,
                number("grey")?,
                number("unrated")?,
            ],
            digest: Sha::stored(row.try_get("digest")?),
        })
    }
}

/// What a shadow edition is to be computed from.
struct Plan {
    shadow: ShadowRow,
    before: Option<EditionId>,
    known: Position,
    states: ByToken,
    roll: Roll,
}

impl Ledger {
    /// Computes the edition of a day by every rule in the shadow that has none for it yet, each after its own edition
    /// before; the new ones. Call it once `propose_edition` has given (or found) the day's edition, with the same holder:
    /// it takes the same lease of the day. Nobody is told of what it stores. `Err(Refused)` as there; ask again later,
    /// those that are there already are left alone.
    pub async fn propose_shadow(&self, day: Day, now: i64, holder: &str) -> Result<Vec<EditionId>> {
        let system = Actor::system();
        let mut done = Vec::new();
        for shadow in self.shadows().await? {
            let mut deed = self.deed(&system, now).await?;
            if shadow.from > day || !deed.wants_shadow(shadow.id, day).await? {
                continue;
            }
            let plan = deed.plan_shadow(shadow, day, holder).await?;
            let made = self.shadow_of(&plan, day, (&system, now)).await;
            done.push(self.or_give_back(made, day, holder).await?);
        }
        Ok(done)
    }

    async fn shadow_of(&self, plan: &Plan, day: Day, (by, now): (&Actor, i64)) -> Result<EditionId> {
        let path = self.folder().projections();
        let members = plan.roll.clone().members();
        let (from, rule) = ((&self.projections, path.as_path()), &plan.shadow.rule);
        let gathered = gather(from, members, rule, day, &self.work).await?;
        let edition = judge_all(rule, day, gathered, &plan.states, &self.work)?;
        let mut deed = self.deed(by, now).await?;
        let wanted = deed.wants_shadow(plan.shadow.id, day).await?;
        let moved = deed.moved_since(plan.known.min(edition.position)).await?;
        must(wanted && !moved, Why::NotYet, || {
            "the rule in the shadow ended or a household moved meanwhile; ask again".to_owned()
        })?;
        deed.release(day).await?;
        self.work.begin(Stage::Storing, edition.places.len() as u64)?;
        deed.store(bodies(plan, &edition)).await
    }

    /// Every rule that runs in the shadow, or did, oldest first.
    pub async fn shadows(&self) -> Result<Vec<ShadowRow>> {
        db::query_as("select * from shadow_rule order by id")
            .fetch_all(&self.truth)
            .await
            .of(&self.folder().truth())
    }

    /// The editions of a rule in the shadow, newest first.
    pub async fn shadow_editions(&self, shadow: ShadowId, limit: u32) -> Result<Vec<ShadowEditionRow>> {
        db::query_as("select * from shadow_edition where shadow = ? order by day desc limit ?")
            .bind(shadow.cast_signed())
            .bind(limit)
            .fetch_all(&self.truth)
            .await
            .of(&self.folder().truth())
    }

    /// Who stands otherwise in a shadow edition than in the real one of its day (the newest that was not taken back), in
    /// the order of the tokens: from the real place to the shadow's. Empty while there is no real one. For those who
    /// decide on rules, and for no household.
    pub async fn shadow_diff(&self, edition: EditionId) -> Result<Vec<Moved>> {
        let path = self.folder().truth();
        let mut tx = self.truth.snapshot().await.of(&path)?;
        let real: Option<i64> = db::query_scalar(
            "select id from edition where day = (select day from shadow_edition where id = ?) and state <> 'retracted'
             order by revision desc limit 1",
        )
        .bind(edition.cast_signed())
        .fetch_optional(&mut tx.link())
        .await
        .of(&path)?;
        let Some(real) = real else { return Ok(Vec::new()) };
        let real = computed(&mut tx.link(), real.cast_unsigned()).await.of(&path)?;
        let shadow = shadow_states(&mut tx.link(), edition, None).await.of(&path)?;
        Ok(moves(&real, &shadow))
    }
}

/// Where households stood in a shadow edition; to go on from at a day, of those who still live there.
async fn shadow_states(
    connection: &mut db::Link<'_>,
    edition: EditionId,
    day: Option<Day>,
) -> Outcome<ByToken> {
    let rows = db::query_as(
        "select token, status, hits from shadow_place join shadow_edition on shadow_edition.id = edition
         where edition = ?1 and not exists (
             select 1 from moved where moved.token = shadow_place.token and moved.undone is null and moved.day < ?2
               and (moved.day >= shadow_edition.day or moved.act > shadow_edition.position))",
    )
    .bind(edition.cast_signed())
    .bind(day.map_or(i64::MIN, |day| day.get().into()))
    .fetch_all(connection)
    .await?;
    Ok(by_token(rows))
}

fn bodies(plan: &Plan, edition: &Edition) -> Vec<Body<'static>> {
    let count = |status| {
        let of = edition
            .places
            .iter()
            .filter(|place| place.outcome.status == status);
        of.count() as u64
    };
    let shadowed = Shadowed {
        shadow: plan.shadow.id,
        day: edition.day,
        position: edition.position,
        before: plan.before,
        counts: Status::ALL.map(count),
        digest: digest(edition, &rule_hash(&plan.shadow.rule)),
    };
    let places: Vec<ShadowPlaced> = placed(edition)
        .into_iter()
        .map(|place| ShadowPlaced {
            token: place.token,
            status: place.status,
            hits: place.hits,
        })
        .collect();
    let parts = places.chunks(PLACES).map(|places| Proposal::ShadowPlaces {
        places: places.to_vec(),
    });
    let first = std::iter::once(Proposal::Shadow(Box::new(shadowed)));
    first
        .chain(parts)
        .map(|body| Body::Proposal(Box::new(body)))
        .collect()
}

impl Deed<'_> {
    pub(super) async fn on_shadow(&mut self, act: Act) -> Result<Vec<Body<'static>>> {
        self.person()?;
        match &act {
            Act::ShadowRule { rule, .. } => self.is_a_rule(rule).await?,
            Act::EndShadow { shadow } => {
                let ended = db::query_scalar("select ended from shadow_rule where id = ?")
                    .bind(shadow.cast_signed())
                    .fetch_optional(&mut self.tx.link())
                    .await;
                let Some(ended) = self.of::<Option<Option<i64>>>(ended)? else {
                    let sentence = format!("no rule runs in the shadow as {shadow}");
                    return Err(Refused::error(Why::UnknownRule, sentence));
                };
                if let Some(ended) = ended {
                    let winner = self.winner_at(ended).await?;
                    return Err(Refused::lost(
                        "this rule's run in the shadow was ended already",
                        winner,
                    ));
                }
            }
            _ => {}
        }
        Ok(vec![Body::Act(Box::new(act))])
    }

    /// Whether a rule still runs in the shadow and has no edition of a day or a later one: its states go on in order.
    async fn wants_shadow(&mut self, shadow: ShadowId, day: Day) -> Result<bool> {
        let wants = db::query_scalar(
            "select exists (select 1 from shadow_rule where id = ?1 and ended is null)
               and not exists (select 1 from shadow_edition where shadow = ?1 and day >= ?2)",
        )
        .bind(shadow.cast_signed())
        .bind(day.get())
        .fetch_one(&mut self.tx.link())
        .await;
        self.of(wants)
    }

    async fn plan_shadow(mut self, shadow: ShadowRow, day: Day, holder: &str) -> Result<Plan> {
        self.day_is_over(day)?;
        self.lease(day, holder).await?;
        let before = db::query_scalar(
            "select id from shadow_edition where shadow = ? and day < ? order by day desc limit 1",
        )
        .bind(shadow.id.cast_signed())
        .bind(day.get())
        .fetch_optional(&mut self.tx.link())
        .await;
        let before = self.of::<Option<i64>>(before)?.map(i64::cast_unsigned);
        let states = match before {
            Some(before) => shadow_states(&mut self.tx.link(), before, Some(day)).await,
            None => Ok(ByToken::new()),
        };
        let states = self.of(states)?;
        let roll = Roll::registered(&mut self.tx.link()).await;
        let roll = self.of(roll)?;
        let known = crate::journal::head(&mut self.tx.link()).await;
        let known = self.of(known)?.position;
        self.tx.commit().await.of(&self.ledger.folder().truth())?;
        Ok(Plan {
            shadow,
            before,
            known,
            states,
            roll,
        })
    }
}
