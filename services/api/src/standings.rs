//! What scores are computed against, kept for a while: calibration, the city's mean, and everybody's rating.
//!
//! It is computed by one task at a time, however many requests wait, and that task outlives the request that started
//! it. A household's own evidence is never kept here.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use hemu_ledger::Ledger;
use hemu_ledger::read::Standing;
use hemu_rules::{Day, Rule};
use tokio::sync::{Mutex, OwnedMutexGuard, watch};
use tokio::time::Instant;

use crate::api::Clock;
use crate::problem::Problem;

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
    /// Scores 0..=100 of rated households by token.
    pub(crate) ratings: HashMap<String, u8>,
}

impl Standings {
    /// `fresh_for` is real time: how long a standing is used without asking whether the journal moved on.
    pub fn new(ledger: Ledger, clock: Clock, fresh_for: Duration) -> Self {
        Self { ledger, clock, fresh_for, newest: watch::Sender::new(None), busy: Arc::default() }
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
        let standing = self.ledger.standing(&Rule::V1, edition).await?;
        // A few hundred milliseconds of arithmetic for a whole city: not on a thread that others wait for.
        let kept = tokio::task::spawn_blocking(move || Kept::of(standing));
        kept.await.map_err(|_| Problem::internal())?.map(Arc::new)
    }
}

impl Kept {
    fn of(standing: Standing) -> Result<Self, Problem> {
        let mut ratings = HashMap::new();
        for (token, totals) in standing.totals.iter().filter(|(_, totals)| totals.rated(standing.rule())) {
            ratings.insert(token.clone(), standing.posterior(*totals)?.score);
        }
        Ok(Self { standing, ratings })
    }
}
