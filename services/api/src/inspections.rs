//! Which bags are to be opened today: the rules' plan, with what the server must know for it.
//!
//! A bag is chosen by household, day and ordinal, and by how the household stood at the beginning of the day: nothing of
//! the day itself. So an answer holds all day, and no camera's value of a bag has a part in whether it is opened. An
//! inspector must ask before looking at the camera's value; what a camera has read already is not offered any more.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use hemu_ledger::Ledger;
use hemu_ledger::read::{BagsSeen, SiteKey, States};
use hemu_rules::{Day, Look, NextBag, Plan, Rule};
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};
use utoipa::ToSchema;

use crate::problem::Problem;

/// How often it is looked whether what was stored is folded by now.
const PAUSE: Duration = Duration::from_millis(20);

/// The site's plan and secret.
#[derive(Debug)]
pub struct Inspections {
    key: SiteKey,
    plan: Plan,
    patience: Duration,
    follow_ups: Mutex<Option<Arc<FollowUps>>>,
}

/// The households followed up on a day.
#[derive(Debug)]
pub(crate) struct FollowUps {
    pub(crate) day: Day,
    tokens: HashSet<String>,
}

/// What to do with a household's next bag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Draw {
    /// How many bags of the day came before it.
    pub(crate) ordinal: u32,
    pub(crate) look: Look,
    /// `None` of a bag that is not opened.
    pub(crate) why: Option<Why>,
}

/// Why a bag is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Why {
    /// By chance, as everybody's.
    Random,
    /// Its household is looked at more often until the next edition.
    FollowUp,
}

impl Inspections {
    /// `patience`: how long an answer waits for what was stored before the question to be folded.
    pub fn new(key: SiteKey, plan: Plan, patience: Duration) -> Self {
        Self {
            key,
            plan,
            patience,
            follow_ups: Mutex::default(),
        }
    }

    /// Who is followed up on a day, as the evidence of the days before said when the day was first asked about.
    pub(crate) async fn follow_ups(
        &self,
        ledger: &Ledger,
        rule: &Rule,
        day: Day,
    ) -> Result<Arc<FollowUps>, Problem> {
        let mut kept = self.follow_ups.lock().await;
        if let Some(kept) = kept.as_ref().filter(|kept| kept.day == day) {
            return Ok(kept.clone());
        }
        let noticed = ledger.noticed(day).await?;
        let edition = ledger.edition(rule, day, &States::new()).await?;
        let mut tokens = HashSet::new();
        for mut place in edition.places {
            // Where households were told of an edition, those it warned are followed up, and no others for a warning.
            if let Some(noticed) = &noticed {
                place.outcome.notice = noticed.contains(&place.token);
            }
            if self.plan.follows_up(&place.outcome) {
                tokens.insert(place.token);
            }
        }
        let fresh = Arc::new(FollowUps { day, tokens });
        *kept = Some(fresh.clone());
        Ok(fresh)
    }

    /// Waits until everything stored before the question is folded: a bag that a camera has read must not be offered.
    pub(crate) async fn caught_up(&self, ledger: &Ledger) -> Result<(), Problem> {
        let head = ledger.head().await?;
        let began = Instant::now();
        while ledger.progress().await?.applied < head {
            if began.elapsed() >= self.patience {
                return Err(Problem::unavailable(
                    "the newest readings are not folded yet, and a bag that was read already must not be chosen; ask again",
                ));
            }
            sleep(PAUSE).await;
        }
        Ok(())
    }

    pub(crate) fn draw(&self, follow_ups: &FollowUps, household: &str, seen: BagsSeen) -> Draw {
        let look = |ordinal, followed_up| {
            let bag = NextBag {
                household,
                day: follow_ups.day,
                ordinal,
                followed_up,
            };
            self.plan.look(self.key.bytes(), &bag)
        };
        let followed_up = follow_ups.tokens.contains(household);
        // A bag that waits for its second inspector is offered until that one, or a camera, has read it.
        let half = seen.bags.checked_sub(1).filter(|_| seen.awaits_second);
        let half = half.filter(|&ordinal| look(ordinal, followed_up) == Look::OpenTwice);
        let ordinal = half.unwrap_or(seen.bags);
        let outcome = look(ordinal, followed_up);
        let why = match (outcome, look(ordinal, false)) {
            (Look::Pass, _) => None,
            (_, Look::Pass) => Some(Why::FollowUp),
            _ => Some(Why::Random),
        };
        Draw {
            ordinal,
            look: outcome,
            why,
        }
    }
}
