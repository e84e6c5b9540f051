//! What the machine does for the lists by itself: computes the week's edition and corrected revisions, gives notices
//! where it is told to, begins the decisions when a window is over, and ends what has run out. It must not decide about
//! a person, and every step may be taken twice, or by two servers at once.

use std::time::Duration;

use anyhow::Result;
use hemu_api::Jobs;
use hemu_api::jobs::{About, Kind};
use hemu_ingest::Clock;
use hemu_ledger::acts::{
    Act, Actor, EditionId, EditionQuery, EditionRow, EditionState, Refused, WINDOW_DAYS, Why,
};
use hemu_ledger::{Ledger, Position};
use hemu_rules::{Day, Millis};
use prometheus::{IntCounter, IntGauge, Registry};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::commands::hex;
use crate::site::random;
use crate::words::Words;

/// Between two looks, in seconds of the server's clock: what runs out is ended within a minute.
const LOOK_S: u32 = 20;
/// Between two looks of a clock that runs fast.
const LOOK_LEAST: Duration = Duration::from_secs(1);
/// Editions of one state looked at in one step; the next step looks at the others.
const AT_ONCE: u32 = 100;

/// The day of the week on which editions are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
    /// None are, but when a person asks.
    Off,
}

impl Weekday {
    /// The latest such day that has begun.
    fn latest(self, today: Day) -> Option<Day> {
        let wanted = match self {
            Self::Monday => 0,
            Self::Tuesday => 1,
            Self::Wednesday => 2,
            Self::Thursday => 3,
            Self::Friday => 4,
            Self::Saturday => 5,
            Self::Sunday => 6,
            Self::Off => return None,
        };
        // 1970-01-01 was a Thursday.
        let is = (today.get() + 3).rem_euclid(7);
        Some(today.plus(-(is - wanted).rem_euclid(7)))
    }
}

/// What the machine is to do.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    pub(crate) weekday: Weekday,
    /// Whether it also tells the households in private, which opens their window.
    pub(crate) notices: bool,
    /// This process's name among those on the same data.
    pub(crate) holder: String,
    /// How long before now the first step is taken, in ms: the lists of a demo have a past too.
    pub(crate) past: i64,
    /// Where people see what is being computed, and stop it.
    pub(crate) jobs: Jobs,
}

impl Schedule {
    /// The latest day on which an edition was due, by an instant.
    fn due(&self, ledger: &Ledger, now: i64) -> Option<Day> {
        self.weekday.latest(Day::of(Millis::clamped(now), ledger.zone()))
    }
}

/// What one step did.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) expired: Vec<EditionId>,
    pub(crate) revised: Vec<EditionId>,
    pub(crate) opened: Vec<EditionId>,
    pub(crate) proposed: Option<(EditionId, Day)>,
    /// Of rules in the shadow.
    pub(crate) shadows: Vec<EditionId>,
    pub(crate) noticed: Vec<EditionId>,
    /// What failed, and with what; everything else was done.
    pub(crate) failures: Vec<(&'static str, hemu_ledger::Error)>,
}

/// A name for this process among those on the same data.
pub(crate) fn holder(words: &Words) -> Result<String> {
    Ok(format!("server-{}", hex(&random::<8>(words)?)))
}

/// Does what is due at an instant (ms since 1970 UTC). The week's edition waits until the journal is folded up to `seen`: the
/// end of it at the look before, so that a steady stream of readings cannot hold it up for ever. Nothing is computed for a
/// while after a person stopped it.
pub(crate) async fn step(ledger: &Ledger, schedule: &Schedule, seen: Position, now: i64) -> Done {
    let mut done = Done::default();
    let computes = !schedule.jobs.machine_rests();
    let expired = expire(ledger, now).await;
    done.keep("ending a publication", expired, |done, ids| done.expired = ids);
    if computes {
        let revised = revise(ledger, schedule, now).await;
        done.keep("computing a corrected revision", revised, |done, ids| {
            done.revised = ids;
        });
    }
    let opened = open(ledger, now).await;
    done.keep("beginning the decisions", opened, |done, ids| done.opened = ids);
    if computes {
        let proposed = propose(ledger, schedule, seen, now).await;
        done.keep("computing the week's edition", proposed, |done, made| {
            done.proposed = made;
        });
        let shadows = shadow(ledger, schedule, now).await;
        done.keep("computing editions in the shadow", shadows, |done, ids| {
            done.shadows = ids;
        });
    }
    if schedule.notices {
        let noticed = notice(ledger, schedule, now).await;
        done.keep("giving notices", noticed, |done, ids| done.noticed = ids);
    }
    done
}

impl Done {
    fn keep<T>(
        &mut self,
        what: &'static str,
        outcome: hemu_ledger::Result<T>,
        keep: impl FnOnce(&mut Self, T),
    ) {
        match outcome {
            Ok(found) => keep(self, found),
            Err(error) => self.failures.push((what, error)),
        }
    }

    /// How many editions were computed.
    fn computed(&self) -> u64 {
        self.revised.len() as u64 + u64::from(self.proposed.is_some())
    }
}

/// What came of it, unless somebody was faster or a person decided otherwise meanwhile: the next look finds what is.
fn unless_overtaken<T>(outcome: hemu_ledger::Result<T>) -> hemu_ledger::Result<Option<T>> {
    match outcome {
        Ok(found) => Ok(Some(found)),
        Err(error) => match error.refused() {
            Some(Refused {
                why: Why::AlreadyDecided | Why::NotYet | Why::Stopped | Why::WrongState,
                ..
            }) => Ok(None),
            _ => Err(error),
        },
    }
}

async fn act(ledger: &Ledger, now: i64, act: Act) -> hemu_ledger::Result<Option<Position>> {
    unless_overtaken(ledger.act(&Actor::system(), now, act).await)
}

async fn in_state(ledger: &Ledger, state: EditionState) -> hemu_ledger::Result<Vec<EditionRow>> {
    let query = EditionQuery {
        state: Some(state),
        ..EditionQuery::newest(AT_ONCE)
    };
    ledger.editions(&query).await
}

async fn expire(ledger: &Ledger, now: i64) -> hemu_ledger::Result<Vec<EditionId>> {
    let mut ended = Vec::new();
    for edition in ledger.run_out(now).await? {
        ended.extend(act(ledger, now, Act::Expire { edition }).await?.map(|_| edition));
    }
    Ok(ended)
}

async fn revise(ledger: &Ledger, schedule: &Schedule, now: i64) -> hemu_ledger::Result<Vec<EditionId>> {
    let mut made = Vec::new();
    for edition in ledger.reopened().await? {
        let job = schedule.jobs.of_machine(Kind::Revision, About::edition(edition));
        let ledger = ledger.watched(job.work());
        let revised = job.made(ledger.revise(edition, now, &schedule.holder).await);
        made.extend(unless_overtaken(revised)?);
    }
    Ok(made)
}

/// One that lost a reading gives way to its revision first.
async fn open(ledger: &Ledger, now: i64) -> hemu_ledger::Result<Vec<EditionId>> {
    let mut opened = Vec::new();
    for row in in_state(ledger, EditionState::Noticed).await? {
        let over = row.deadline.is_some_and(|deadline| deadline <= now) && row.reopened.is_none();
        if over {
            let edition = row.id;
            opened.extend(act(ledger, now, Act::Open { edition }).await?.map(|_| edition));
        }
    }
    Ok(opened)
}

/// Whether a day has an edition, or ever had.
async fn is_there(ledger: &Ledger, day: Day) -> hemu_ledger::Result<bool> {
    let there = EditionQuery {
        day: Some(day),
        ..EditionQuery::newest(1)
    };
    Ok(!ledger.editions(&there).await?.is_empty())
}

/// The latest day that an edition was due on, where there are households and never was one: what a person took back stays
/// taken back. A day that was missed while no server ran is caught up, and those before it are not.
async fn missing(ledger: &Ledger, schedule: &Schedule, now: i64) -> hemu_ledger::Result<Option<Day>> {
    let Some(day) = schedule.due(ledger, now) else {
        return Ok(None);
    };
    let there = is_there(ledger, day).await? || ledger.count_households(None).await? == 0;
    Ok((!there).then_some(day))
}

/// The week's edition, if it is missing and everything it is to rest on is folded.
async fn propose(
    ledger: &Ledger,
    schedule: &Schedule,
    seen: Position,
    now: i64,
) -> hemu_ledger::Result<Option<(EditionId, Day)>> {
    let Some(day) = missing(ledger, schedule, now).await? else {
        return Ok(None);
    };
    let (applied, head) = (ledger.progress().await?.applied, ledger.head().await?);
    if applied < head.min(seen) {
        return Ok(None);
    }
    let rule = ledger.rule_in_force(day).await?;
    let job = schedule.jobs.of_machine(Kind::Edition, About::day(day));
    let ledger = ledger.watched(job.work());
    let made = job.made(ledger.propose_edition(&rule, day, now, &schedule.holder).await);
    Ok(unless_overtaken(made)?.map(|id| (id, day)))
}

/// Beside the latest day's edition, once it is there: what the rules in the shadow would have said.
async fn shadow(ledger: &Ledger, schedule: &Schedule, now: i64) -> hemu_ledger::Result<Vec<EditionId>> {
    let Some(day) = schedule.due(ledger, now) else {
        return Ok(Vec::new());
    };
    if !is_there(ledger, day).await? {
        return Ok(Vec::new());
    }
    let job = schedule.jobs.of_machine(Kind::Shadow, About::day(day));
    let ledger = ledger.watched(job.work());
    let made = job.made_all(ledger.propose_shadow(day, now, &schedule.holder).await);
    Ok(unless_overtaken(made)?.unwrap_or_default())
}

/// Of this week's draft, and of revisions that say something new to somebody.
async fn notice(ledger: &Ledger, schedule: &Schedule, now: i64) -> hemu_ledger::Result<Vec<EditionId>> {
    let Some(due) = schedule.due(ledger, now) else {
        return Ok(Vec::new());
    };
    let mut told = Vec::new();
    for row in in_state(ledger, EditionState::Draft).await? {
        if row.reopened.is_none() && (row.day >= due || row.revises.is_some()) {
            let (edition, days) = (row.id, WINDOW_DAYS);
            let notice = Act::Notice { edition, days };
            told.extend(act(ledger, now, notice).await?.map(|_| edition));
        }
    }
    Ok(told)
}

/// What the machine counts of its work on the lists.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    editions: IntCounter,
    last_day: IntGauge,
    missing: IntGauge,
    failures: IntCounter,
}

impl Metrics {
    /// Builds and registers them.
    pub(crate) fn new(registry: &Registry) -> prometheus::Result<Self> {
        let metrics = Self {
            editions: IntCounter::new(
                "hemu_lists_editions_total",
                "Editions and corrected revisions computed by this process.",
            )?,
            last_day: IntGauge::new(
                "hemu_lists_last_edition_day",
                "Local day of the last edition computed, in days since 1970-01-01; 0 before the first.",
            )?,
            missing: IntGauge::new(
                "hemu_lists_edition_missing",
                "1 while the week's edition is due and not there, else 0.",
            )?,
            failures: IntCounter::new(
                "hemu_lists_failures_total",
                "Steps of the lists that failed and are tried again.",
            )?,
        };
        registry.register(Box::new(metrics.editions.clone()))?;
        registry.register(Box::new(metrics.last_day.clone()))?;
        registry.register(Box::new(metrics.missing.clone()))?;
        registry.register(Box::new(metrics.failures.clone()))?;
        Ok(metrics)
    }

    /// Computing may take long or fail, so this is told before it and after; who could not look says nothing.
    async fn look(&self, ledger: &Ledger, schedule: &Schedule, now: i64) {
        if let Ok(day) = missing(ledger, schedule, now).await {
            self.missing.set(day.is_some().into());
        }
    }

    fn count(&self, done: &Done) {
        self.editions.inc_by(done.computed());
        self.failures.inc_by(done.failures.len() as u64);
        if let Some((_, day)) = done.proposed {
            self.last_day.set(day.get().into());
        }
    }
}

/// Tells the log of a failure when it comes, changes and ends, and of nothing in between.
#[derive(Debug, Default)]
struct Teller {
    told: Vec<String>,
}

impl Teller {
    /// The lines that are news.
    fn news(&mut self, done: &Done) -> Vec<String> {
        let failures: Vec<String> = done
            .failures
            .iter()
            .map(|(what, error)| format!("{what} failed: {error}"))
            .collect();
        let mut news: Vec<String> = failures
            .iter()
            .filter(|line| !self.told.contains(line))
            .cloned()
            .collect();
        if failures.is_empty() && !self.told.is_empty() {
            news.push("the lists are kept again".to_owned());
        }
        self.told = failures;
        news
    }
}

/// Takes steps until shutdown; computing takes this thread, so give it one of its own. `speed` is how many seconds of
/// the clock pass in one.
pub(crate) async fn run(
    ledger: Ledger,
    schedule: Schedule,
    clock: Clock,
    speed: u32,
    metrics: Metrics,
    shutdown: CancellationToken,
) {
    if let Ok(newest) = ledger.editions(&EditionQuery::newest(1)).await {
        let day = newest.first().map_or(0, |row| row.day.get());
        metrics.last_day.set(day.into());
    }
    let pause = (Duration::from_secs(LOOK_S.into()) / speed.max(1)).max(LOOK_LEAST);
    let mut teller = Teller::default();
    // A server has folded what there was before it comes here.
    let mut seen = 0;
    let mut past = schedule.past;
    while !shutdown.is_cancelled() {
        let head = ledger.head().await.unwrap_or(seen);
        let now = clock() - past;
        metrics.look(&ledger, &schedule, now).await;
        let done = step(&ledger, &schedule, seen, now).await;
        metrics.look(&ledger, &schedule, now).await;
        (seen, past) = (head, 0);
        metrics.count(&done);
        for line in teller.news(&done) {
            tracing::warn!("{line}");
        }
        if let Some((edition, day)) = done.proposed {
            tracing::info!(edition, %day, "the week's edition is computed");
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = shutdown.cancelled() => {}
        }
    }
}

#[cfg(test)]
mod tests;
