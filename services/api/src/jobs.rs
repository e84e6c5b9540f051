//! Long jobs of this process: what is being computed, how far it is, who began it, and what became of the last ones. In
//! memory alone: what a job comes to is in the store, and one that a restart broke off came to nothing.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hemu_ledger::acts::{EditionId, Why};
use hemu_ledger::work::{Progress, Work};
use hemu_rules::Day;

use crate::api::Clock;

/// Jobs that are remembered after their end.
const ENDED: usize = 20;
/// How long the machine leaves alone what a person stopped.
const REST_MS: i64 = 60 * 60 * 1_000;
/// Who begins what nobody asked for.
const MACHINE: &str = "system";

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Computes the edition of a day.
    Edition,
    /// Computes an edition's corrected revision.
    Revision,
    /// Computes editions by rules in the shadow.
    Shadow,
    /// Tries a rule on an edition.
    DryRun,
    /// Writes an edition's places into a file.
    Export,
}

/// What it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct About {
    pub day: Option<Day>,
    pub edition: Option<EditionId>,
}

impl About {
    pub fn day(day: Day) -> Self {
        Self {
            day: Some(day),
            edition: None,
        }
    }

    pub fn edition(edition: EditionId) -> Self {
        Self {
            day: None,
            edition: Some(edition),
        }
    }
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// With an edition, where it made one.
    Done(Option<EditionId>),
    /// Somebody stopped it; nothing was stored.
    Stopped,
    /// A rule of the due process forbade it, in a sentence; nothing was stored.
    Refused(String),
    /// The log says why; nothing was stored.
    Failed,
    /// The server was restarted; nothing was stored.
    BrokenOff,
}

/// A job, running or ended.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    pub(crate) about: About,
    /// The account; `system` is the machine.
    pub(crate) by: String,
    /// ms since 1970 UTC, as is its end.
    pub(crate) since: i64,
    pub(crate) ended: Option<(i64, Outcome)>,
    /// Who stopped it.
    pub(crate) stopped_by: Option<String>,
    work: Work,
}

impl Entry {
    pub(crate) fn progress(&self) -> Progress {
        self.work.progress()
    }
}

#[derive(Debug, Default)]
struct Kept {
    begun: u64,
    /// Oldest first. As many as there are requests that wait for one, and the machine's.
    running: Vec<Entry>,
    /// The latest last.
    ended: VecDeque<Entry>,
}

/// The jobs of a process. Cheap to clone; every clone is the same.
#[derive(Debug, Clone)]
pub struct Jobs {
    name: Arc<str>,
    clock: Clock,
    kept: Arc<Mutex<Kept>>,
}

/// Why a job was not stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotStopped {
    Unknown,
    /// It ended, or is being stored.
    TooLate,
}

impl Jobs {
    /// `name` is this process's among those on the same data.
    pub fn new(name: &str, clock: Clock) -> Self {
        Self {
            name: name.into(),
            clock,
            kept: Arc::default(),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One that begins now.
    pub fn begin(&self, kind: Kind, about: About, by: &str) -> Job {
        let work = Work::watched();
        let mut kept = self.kept();
        let entry = self.entry(&mut kept, kind, about, by);
        let id = entry.id.clone();
        kept.running.push(Entry {
            work: work.clone(),
            ..entry
        });
        Job {
            jobs: self.clone(),
            id,
            work,
        }
    }

    /// The machine's.
    pub fn of_machine(&self, kind: Kind, about: About) -> Job {
        self.begin(kind, about, MACHINE)
    }

    fn entry(&self, kept: &mut Kept, kind: Kind, about: About, by: &str) -> Entry {
        kept.begun += 1;
        Entry {
            id: format!("{}.{}", self.name, kept.begun),
            kind,
            about,
            by: by.to_owned(),
            since: self.clock.now(),
            ended: None,
            stopped_by: None,
            work: Work::default(),
        }
    }

    /// Remembers an edition that was being computed since an instant when the run before this one ended.
    pub fn broken_off(&self, day: Day, since: i64) {
        let mut kept = self.kept();
        let entry = self.entry(&mut kept, Kind::Edition, About::day(day), MACHINE);
        let ended = Some((entry.since, Outcome::BrokenOff));
        kept.remember(Entry {
            since,
            ended,
            ..entry
        });
    }

    /// Whether a lease is this process's: all its holders' names begin with its own.
    pub(crate) fn owns(&self, holder: &str) -> bool {
        holder.starts_with(&*self.name)
    }

    /// Whether somebody stopped the machine's work a short time ago: then it rests.
    pub fn machine_rests(&self) -> bool {
        let now = self.clock.now();
        let stopped = |entry: &Entry| {
            entry.by == MACHINE
                && matches!(&entry.ended, Some((at, Outcome::Stopped)) if now < at.saturating_add(REST_MS))
        };
        self.kept().ended.iter().any(stopped)
    }

    /// Those that run and then those that ended, the latest first.
    pub(crate) fn all(&self) -> Vec<Entry> {
        let kept = self.kept();
        let running = kept.running.iter().rev();
        running.chain(kept.ended.iter().rev()).cloned().collect()
    }

    /// Has one end before it stores anything; as it is then.
    pub(crate) fn stop(&self, id: &str, by: &str) -> Result<Entry, NotStopped> {
        let mut kept = self.kept();
        if kept.ended.iter().any(|entry| entry.id == id) {
            return Err(NotStopped::TooLate);
        }
        let entry = kept.running.iter_mut().find(|entry| entry.id == id);
        let entry = entry.ok_or(NotStopped::Unknown)?;
        if !entry.work.stop() {
            return Err(NotStopped::TooLate);
        }
        entry.stopped_by.get_or_insert_with(|| by.to_owned());
        Ok(entry.clone())
    }
}

impl Kept {
    fn remember(&mut self, entry: Entry) {
        self.ended.push_back(entry);
        while self.ended.len() > ENDED {
            self.ended.pop_front();
        }
    }
}

/// A job that runs, in the hands of whoever does it. One that is dropped did nothing worth remembering.
#[derive(Debug)]
pub struct Job {
    jobs: Jobs,
    id: String,
    work: Work,
}

impl Job {
    /// What it says how far it is by, and is stopped by.
    pub fn work(&self) -> Work {
        self.work.clone()
    }

    /// Ends it with the edition that came out, and hands on what came of it. What the machine was refused is asked again
    /// in a moment, and not worth remembering.
    pub fn made(self, made: hemu_ledger::Result<EditionId>) -> hemu_ledger::Result<EditionId> {
        let outcome = match &made {
            Ok(edition) => Outcome::Done(Some(*edition)),
            Err(error) => Outcome::of(error),
        };
        self.end(outcome);
        made
    }

    /// The same of several, or of none: then there was nothing to do, and it is not worth remembering.
    pub fn made_all(self, made: hemu_ledger::Result<Vec<EditionId>>) -> hemu_ledger::Result<Vec<EditionId>> {
        match &made {
            Ok(editions) if editions.is_empty() => {}
            Ok(editions) => self.end(Outcome::Done(editions.last().copied())),
            Err(error) => self.end(Outcome::of(error)),
        }
        made
    }

    pub(crate) fn end(self, outcome: Outcome) {
        let at = self.jobs.clock.now();
        let mut kept = self.jobs.kept();
        let Some(place) = kept.running.iter().position(|entry| entry.id == self.id) else {
            return;
        };
        let entry = kept.running.remove(place);
        if entry.by == MACHINE && matches!(outcome, Outcome::Refused(_)) {
            return;
        }
        kept.remember(Entry {
            ended: Some((at, outcome)),
            ..entry
        });
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        self.jobs.kept().running.retain(|entry| entry.id != self.id);
    }
}

impl Outcome {
    pub(crate) fn of(error: &hemu_ledger::Error) -> Self {
        match error.refused() {
            Some(refused) if refused.why == Why::Stopped => Self::Stopped,
            Some(refused) => Self::Refused(refused.sentence.clone()),
            None => Self::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use hemu_ledger::work::Stage;

    use super::*;

    fn jobs() -> Jobs {
        Jobs::new("server-1", Clock::new(|| 1_000))
    }

    fn refusal(work: &Work) -> hemu_ledger::Result<EditionId> {
        work.goes_on().map(|()| 7)
    }

    #[test]
    fn a_stopped_job_is_remembered_with_who_stopped_it_and_cannot_be_stopped_again() {
        let jobs = jobs();
        let job = jobs.of_machine(Kind::Edition, About::default());
        let id = jobs.all()[0].id.clone();
        assert_eq!(jobs.stop("server-1.9", "p1").unwrap_err(), NotStopped::Unknown);
        jobs.stop(&id, "p1").unwrap();
        jobs.stop(&id, "p2").unwrap();
        assert!(!jobs.machine_rests());
        let made = refusal(&job.work());
        job.made(made).unwrap_err();
        let all = jobs.all();
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].ended, Some((1_000, Outcome::Stopped)));
        assert_eq!(all[0].stopped_by.as_deref(), Some("p1"));
        assert_eq!(jobs.stop(&id, "p1").unwrap_err(), NotStopped::TooLate);
        assert!(jobs.machine_rests());
    }

    #[test]
    fn what_is_being_stored_is_not_stopped() {
        let jobs = jobs();
        let job = jobs.begin(Kind::Edition, About::default(), "p1");
        job.work().begin(Stage::Storing, 1).unwrap();
        let id = jobs.all()[0].id.clone();
        assert_eq!(jobs.stop(&id, "p1").unwrap_err(), NotStopped::TooLate);
        job.made(Ok(7)).unwrap();
        assert_eq!(jobs.all()[0].ended, Some((1_000, Outcome::Done(Some(7)))));
        assert!(!jobs.machine_rests());
    }

    #[test]
    fn the_last_ones_are_remembered_and_no_more_and_a_dropped_one_is_not() {
        let jobs = jobs();
        for _ in 0..2 * ENDED {
            let job = jobs.begin(Kind::Export, About::default(), "p1");
            job.end(Outcome::Done(None));
        }
        drop(jobs.begin(Kind::Export, About::default(), "p1"));
        let all = jobs.all();
        assert_eq!(all.len(), ENDED);
        assert_eq!(all[0].id, format!("server-1.{}", 2 * ENDED));
    }
}
