//! Editions as computed: proposed once, computed again bit for bit, and corrected when an objection was upheld. The
//! machine does all of it, and none of it publishes anything.

use hemu_rules::{Day, Millis, Rule, Status};

use super::act::{Actor, EditionId, Placed, Proposal, Proposed, Sha};
use super::command::Deed;
use super::place::{computed, digest, is_worse, placed, rule_hash, states};
use super::refused::{Refused, Why, must};
use super::roll::Roll;
use super::rules::in_force;
use super::state::{EditionRow, EditionState};
use crate::db;
use crate::entry::Body;
use crate::error::{Error, InFile, Result};
use crate::journal::Position;
use crate::ledger::Ledger;
use crate::read::{ByToken, Edition, EstateGroups, Gathered, Grouping, gather, judge_all};
use crate::store::{Role, Tables};
use crate::work::Stage;

/// Days an objection window is open where nobody says otherwise.
pub const WINDOW_DAYS: u16 = 7;
/// Days between an edition and the one it goes on from, at most: the rule's steps are weeks, and one may be missed.
const LONGEST_GAP: i32 = 14;
/// Places of one act.
const PLACES: usize = 512;

/// What an edition is to be computed from.
struct Plan {
    rule: Rule,
    day: Day,
    before: Option<EditionId>,
    known: Position,
    states: ByToken,
    roll: Roll,
    revises: Option<EditionRow>,
}

impl Ledger {
    /// Computes the edition of a day (evidence before that day) and stores it as a draft, once: `holder` has the lease
    /// of the day meanwhile, and `Err(Refused)` shows who else has it or was faster. The rule is that of
    /// [`Ledger::rule_in_force`] for the day; another is refused, for it was not adopted.
    pub async fn propose_edition(&self, rule: &Rule, day: Day, now: i64, holder: &str) -> Result<EditionId> {
        let system = Actor::system();
        let mut deed = self.deed(&system, now).await?;
        deed.day_is_over(day)?;
        let ours = in_force(&mut deed.tx.link(), day).await;
        let ours = deed.of(ours)?;
        must(*rule == ours, Why::WrongState, || {
            let (came, ours) = (rule.version, ours.version);
            format!(
                "version {ours} of the rule is in force on {day}, came another, of version {came}; ask `rule_in_force`"
            )
        })?;
        deed.none_lives(day).await?;
        let roll = Roll::registered(&mut deed.tx.link()).await;
        let roll = deed.of(roll)?;
        let plan = deed.plan(rule, day, roll, None, holder).await?;
        self.propose(plan, &system, now, holder).await
    }

    /// Editions that lost a reading and whose corrected revision is due, oldest first.
    pub async fn reopened(&self) -> Result<Vec<EditionId>> {
        let ids: Vec<i64> = db::query_scalar(
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
        let day = plan.day;
        let made = self.propose_planned(plan, system, now, holder).await;
        self.or_give_back(made, day, holder).await
    }

    async fn propose_planned(&self, plan: Plan, system: &Actor, now: i64, holder: &str) -> Result<EditionId> {
        self.are_counted(plan.known).await?;
        let path = self.folder().projections();
        let members = plan.roll.clone().members();
        let from = (&self.projections, path.as_path());
        let gathered = gather(from, members, &plan.rule, plan.day, &self.work).await?;
        let grouping = self.grouping().await?;
        let (edition, groups) = self.judged(&plan.rule, plan.day, gathered, &plan.states, &grouping)?;
        let places = placed(&edition);
        let mut deed = self.deed(system, now).await?;
        deed.still_mine(&plan, edition.position, holder).await?;
        let mut bodies = deed.bodies(&plan, &edition, places).await?;
        let groups = groups.into_iter().flat_map(EstateGroups::parts);
        bodies.extend(groups.map(|part| Body::Proposal(Box::new(Proposal::Groups(part)))));
        deed.release(plan.day).await?;
        self.work.begin(Stage::Storing, edition.places.len() as u64)?;
        deed.store(bodies).await
    }

    /// Computes an edition again from the journal up to where it was computed from, beside everything else; the digest
    /// that comes out. It is `EditionRow::digest`, or somebody tampered with one of the two.
    pub async fn recompute(&self, edition: EditionId) -> Result<Sha> {
        let (edition, rule, _) = self.again(edition).await?;
        Ok(digest(&edition, &rule_hash(&rule)))
    }

    /// Computes again, in the same way, what may be said of buildings and units at an edition. It is what
    /// `Ledger::edition_groups` gives without counts, as long as nobody moved between buildings in the registry.
    pub async fn recompute_groups(&self, edition: EditionId) -> Result<Vec<EstateGroups>> {
        let (_, _, groups) = self.again(edition).await?;
        Ok(groups)
    }

    async fn again(&self, edition: EditionId) -> Result<(Edition, Rule, Vec<EstateGroups>)> {
        let _lock = self.folder().lock_tables(Role::Verify).await?;
        let system = Actor::system();
        let mut deed = self.deed(&system, 0).await?;
        let row = deed.edition(edition).await?;
        let (rule, roll) = deed.origins(&row).await?;
        let states = match row.before {
            Some(before) => states(&mut deed.tx.link(), before, (row.known, row.day)).await,
            None => Ok(ByToken::new()),
        };
        let states = deed.of(states)?;
        drop(deed);
        let beside = self.folder().place_named(Tables::Projections, "recompute");
        beside.remove().await?;
        self.fold_into(&beside, row.position, |_| ()).await?;
        let again = beside.pool();
        let shown = beside.shown();
        let gathered = gather((&again, &shown), roll.members(), &rule, row.day, &self.work).await;
        again.close().await;
        beside.remove().await?;
        let grouping = self.grouping().await?;
        let (edition, groups) = self.judged(&rule, row.day, gathered?, &states, &grouping)?;
        Ok((edition, rule, groups))
    }

    /// Everybody's place, and what may be said of the groups they are in.
    fn judged(
        &self,
        rule: &Rule,
        day: Day,
        gathered: Gathered,
        before: &ByToken,
        grouping: &Grouping,
    ) -> Result<(Edition, Vec<EstateGroups>)> {
        let sums = grouping.sums(rule, &gathered.households);
        let edition = judge_all(rule, day, gathered, before, &self.work)?;
        let groups = grouping.publish(rule, edition.city.prior(), &sums)?;
        Ok((edition, groups))
    }
}

/// The last edition before a day whose households were told, two weeks before at the earliest: only such a warning
/// counts for the next, and what was months ago is not the edition before.
pub(super) async fn last_valid(
    connection: &mut db::Link<'_>,
    day: Day,
) -> std::result::Result<Option<EditionId>, sqlx::Error> {
    let last: Option<i64> = db::query_scalar(
        "select id from edition where day between ? and ?
             and state in ('noticed', 'deciding', 'published', 'expired')
         order by day desc, revision desc limit 1",
    )
    .bind(day.get() - LONGEST_GAP)
    .bind(day.get() - 1)
    .fetch_optional(connection)
    .await?;
    Ok(last.map(i64::cast_unsigned))
}

/// An edition needs the whole days before it.
pub(super) fn day_is_over(day: Day, today: Day) -> Result<()> {
    must(day <= today, Why::InTheFuture, || {
        format!("an edition of {day} needs the days before it, and today is {today}")
    })
}

impl Deed<'_> {
    /// One live edition a day; the next revision comes by an objection, or after a person took it back.
    async fn none_lives(&mut self, day: Day) -> Result<()> {
        let lives = db::query_scalar(
            "select id from edition where day = ? and state not in ('superseded', 'retracted') limit 1",
        )
        .bind(day.get())
        .fetch_optional(&mut self.tx.link())
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
        let newer = db::query_scalar(
            "select id from edition where day = ? and revision > ? and state in ('draft', 'noticed', 'deciding') limit 1",
        )
        .bind(old.day.get())
        .bind(old.revision)
        .fetch_optional(&mut self.tx.link())
        .await;
        let newer: Option<i64> = self.of(newer)?;
        let Some(id) = newer else { return Ok(()) };
        let winner = self.winner("propose", Some(id.cast_unsigned()), None).await?;
        let sentence = format!("revision {newest} of {} is there already", old.day);
        Err(Refused::lost(sentence, winner))
    }

    async fn newest(&mut self, day: Day) -> Result<u32> {
        let newest = db::query_scalar("select coalesce(max(revision), 0) from edition where day = ?")
            .bind(day.get())
            .fetch_one(&mut self.tx.link())
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
        let roll = Roll::stored(&mut self.tx.link(), &edition.roll).await;
        let roll = self.of(roll)?.ok_or_else(|| damaged("roll"))?;
        Ok((rule, roll))
    }

    async fn last_valid(&mut self, day: Day) -> Result<Option<EditionId>> {
        let last = last_valid(&mut self.tx.link(), day).await;
        self.of(last)
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
        self.before_is_right(before).await?;
        let known = crate::journal::head(&mut self.tx.link()).await;
        let known = self.of(known)?.position;
        let states = match before {
            Some(before) => states(&mut self.tx.link(), before, (known, day)).await,
            None => Ok(ByToken::new()),
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

    pub(super) fn day_is_over(&self, day: Day) -> Result<()> {
        day_is_over(day, Day::of(Millis::clamped(self.now), self.ledger.zone()))
    }

    /// Refuses to go on from an edition that lost a reading: its hits may rest on it, and the corrected revision's count.
    async fn before_is_right(&mut self, before: Option<EditionId>) -> Result<()> {
        let Some(before) = before else { return Ok(()) };
        let edition = self.edition(before).await?;
        must(edition.reopened.is_none(), Why::NotYet, || {
            format!(
                "the edition before, {before}, lost a reading; its corrected revision is computed and told first"
            )
        })
    }

    /// Nothing that the edition was computed from was decided otherwise meanwhile.
    async fn still_mine(&mut self, plan: &Plan, position: Position, holder: &str) -> Result<()> {
        self.evidence_is_in(position).await?;
        self.nothing_was_taken_off(plan.known).await?;
        // Otherwise the evidence could be of one occupant and the state of another.
        let moved = self.moved_since(plan.known.min(position)).await?;
        must(!moved, Why::NotYet, || {
            "a household moved, and that is not folded yet; ask again in a moment".to_owned()
        })?;
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
        let kept = Roll::stored(&mut self.tx.link(), &roll).await;
        let mut bodies = match self.of(kept)? {
            Some(kept) if !kept.is_empty() => Vec::new(),
            _ => plan.roll.parts(),
        };
        let count = |status| {
            edition
                .places
                .iter()
                .filter(|place| place.outcome.status == status)
                .count() as u64
        };
        let rule_hash = rule_hash(&plan.rule);
        let revises = plan.revises.as_ref().map(|old| old.id);
        let old = match revises {
            Some(old) => computed(&mut self.tx.link(), old).await,
            None => Ok(ByToken::new()),
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
