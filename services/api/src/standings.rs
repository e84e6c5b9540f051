//! What scores are computed against, kept for a while: calibration, the city's mean, and everybody's rating.
//!
//! It is computed by one task at a time, however many requests wait, and that task outlives the request that started
//! it. A household's own evidence is never kept here.

use std::sync::Arc;
use std::time::Duration;

use hemu_ledger::Ledger;
use hemu_ledger::read::{EstateGroups, Gathered, Grouping, Standing};
use hemu_rules::{Census, City, Day, posterior};
use tokio::sync::{Mutex, OwnedMutexGuard, watch};
use tokio::time::Instant;

use crate::api::Clock;
use crate::problem::Problem;
use crate::rank::{Ranked, Ranking, lower_bound};

/// The newest complete standing. Cheap to clone; every clone sees the same one.
#[derive(Debug, Clone)]
pub struct Standings {
    ledger: Ledger,
    clock: Clock,
    fresh_for: Duration,
    newest: watch::Sender<Option<(Instant, Arc<Kept>)>>,
    busy: Arc<Mutex<()>>,
}

/// A standing and what follows from it.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) standing: Standing,
    /// What the rule judges a household against.
    pub(crate) city: City,
    /// Rated households, best first.
    pub(crate) ranking: Ranking,
    /// Every estate's buildings and units, as far as anything may be said of them.
    pub(crate) groups: Vec<EstateGroups>,
}

impl Standings {
    /// `fresh_for` is real time: how long a standing is used without asking whether the journal moved on.
    pub fn new(ledger: Ledger, clock: Clock, fresh_for: Duration) -> Self {
        Self {
            ledger,
            clock,
            fresh_for,
            newest: watch::Sender::new(None),
            busy: Arc::default(),
        }
    }

    /// The newest complete standing; an old one is replaced in the background. Waits only for the very first.
    pub(crate) async fn newest(&self) -> Result<Arc<Kept>, Problem> {
        let newest = self.newest.borrow().clone();
        match newest {
            Some((checked, kept)) => {
                if self.is_old(checked, &kept)
                    && let Ok(turn) = self.busy.clone().try_lock_owned()
                {
                    tokio::spawn(self.clone().replace(turn, Some(kept.clone())));
                }
                Ok(kept)
            }
            None => self.first().await,
        }
    }

    async fn first(&self) -> Result<Arc<Kept>, Problem> {
        let turn = self.busy.clone().lock_owned().await;
        if let Some((_, kept)) = self.newest.borrow().clone() {
            return Ok(kept);
        }
        let task = tokio::spawn(self.clone().replace(turn, None));
        task.await.map_err(|_| Problem::internal())?
    }

    fn is_old(&self, checked: Instant, kept: &Kept) -> bool {
        kept.standing.edition != self.edition() || checked.elapsed() >= self.fresh_for
    }

    /// Evidence of today counts: the edition is tomorrow's.
    fn edition(&self) -> Day {
        self.clock.today(self.ledger.zone()).plus(1)
    }

    async fn replace(self, turn: OwnedMutexGuard<()>, old: Option<Arc<Kept>>) -> Result<Arc<Kept>, Problem> {
        let started = Instant::now();
        let kept = self.compute(old).await?;
        self.newest.send_replace(Some((started, kept.clone())));
        drop(turn);
        Ok(kept)
    }

    async fn compute(&self, old: Option<Arc<Kept>>) -> Result<Arc<Kept>, Problem> {
        let edition = self.edition();
        if let Some(old) = old
            && old.standing.edition == edition
            && old.standing.position == self.ledger.progress().await?.applied
        {
            return Ok(old);
        }
        let rule = self.ledger.rule_in_force(edition).await?;
        let gathered = self.ledger.gather(&rule, edition).await?;
        let grouping = self.ledger.grouping().await?;
        // Seconds of arithmetic for a whole city: not on a thread that others wait for.
        let kept = tokio::task::spawn_blocking(move || Kept::of(gathered, &grouping));
        kept.await.map_err(|_| Problem::internal())?.map(Arc::new)
    }
}

impl Kept {
    fn of(gathered: Gathered, grouping: &Grouping) -> Result<Self, Problem> {
        let rule = *gathered.calibration.rule();
        let mut census = Census::default();
        for member in &gathered.households {
            census.add(&rule, member.estate, &member.tally);
        }
        let city = census.city(&rule, gathered.calibration.edition());
        let prior = city.prior();
        let mut rated = Vec::new();
        for member in &gathered.households {
            let sums = member.tally.totals();
            if sums.rated(&rule) {
                let token: Arc<str> = member.token.as_str().into();
                let score = posterior(&rule, sums, prior)?.score;
                let bound = lower_bound(&rule, sums, prior);
                rated.push((Ranked { token, score, bound }, member.estate));
            }
        }
        let ranking = Ranking::of(rated, &gathered.estates);
        let sums = grouping.sums(&rule, &gathered.households);
        let groups = grouping.publish(&rule, prior, &sums)?;
        let standing = Standing::of(gathered);
        Ok(Self {
            standing,
            city,
            ranking,
            groups,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use futures::future::join_all;
    use hemu_rules::Totals;

    use super::*;
    use crate::testing::{NOON, Site, TODAY, day};

    fn standings(site: &Site, clock: Clock, fresh_for: Duration) -> Standings {
        Standings::new(site.ledger.clone(), clock, fresh_for)
    }

    async fn replaced(standings: &Standings, old: &Arc<Kept>) -> Arc<Kept> {
        let mut newest = standings.newest.subscribe();
        let other = newest.wait_for(|kept| kept.as_ref().is_some_and(|(_, kept)| !Arc::ptr_eq(kept, old)));
        other.await.unwrap().clone().unwrap().1
    }

    #[tokio::test]
    async fn many_requests_share_one_computation() {
        let site = Site::filled().await;
        let standings = standings(&site, Clock::new(|| NOON), Duration::from_hours(1));
        let all = join_all((0..20).map(|_| standings.newest())).await;
        let first = all[0].clone().unwrap();
        assert!(all.into_iter().all(|kept| Arc::ptr_eq(&kept.unwrap(), &first)));
        assert_eq!(first.standing.edition, day(TODAY).plus(1));
        let (best, _) = first.ranking.top(None, 10);
        let mut rated: Vec<_> = best.iter().map(|(_, ranked)| ranked.token.as_ref()).collect();
        rated.sort_unstable();
        assert_eq!(rated, ["hh-good-0001", "hh-poor-0002"]);
    }

    #[tokio::test]
    async fn an_old_standing_serves_until_the_next_is_whole() {
        let site = Site::filled().await;
        let standings = standings(&site, Clock::new(|| NOON), Duration::ZERO);
        let old = standings.newest().await.unwrap();
        site.inspect("hh-good-0001", 0).await;
        let served = standings.newest().await.unwrap();
        assert!(Arc::ptr_eq(&served, &old));
        let new = replaced(&standings, &old).await;
        assert!(new.standing.position > old.standing.position && new.standing.prior < old.standing.prior);
    }

    #[tokio::test]
    async fn a_journal_that_did_not_move_is_not_computed_again() {
        let site = Site::filled().await;
        let standings = standings(&site, Clock::new(|| NOON), Duration::ZERO);
        let old = standings.newest().await.unwrap();
        let mut newest = standings.newest.subscribe();
        standings.newest().await.unwrap();
        newest.changed().await.unwrap();
        let (_, checked) = newest.borrow().clone().unwrap();
        assert!(Arc::ptr_eq(&checked, &old));
    }

    #[tokio::test]
    async fn a_new_day_is_a_new_edition_at_once() {
        let site = Site::filled().await;
        let now = Arc::new(AtomicI64::new(NOON));
        let told = now.clone();
        let clock = Clock::new(move || told.load(Ordering::SeqCst));
        let standings = standings(&site, clock, Duration::from_hours(1));
        let old = standings.newest().await.unwrap();
        now.fetch_add(24 * 3_600_000, Ordering::SeqCst);
        standings.newest().await.unwrap();
        let new = replaced(&standings, &old).await;
        assert_eq!(new.standing.edition, old.standing.edition.plus(1));
        let evidence = |kept: &Kept| kept.standing.totals["hh-good-0001"];
        let (before, after): (Totals, Totals) = (evidence(&old), evidence(&new));
        assert!(after.e < before.e, "a day older is worth less");
    }
}
