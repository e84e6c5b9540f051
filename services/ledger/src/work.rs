//! A long computation as whoever waits for it sees it: how far it is, and the one way to stop it. Must not know what is
//! computed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use crate::acts::{Refused, Why};
use crate::error::Result;

/// How far a computation is, in the order of its stages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// For its turn: somebody else writes.
    Waiting,
    /// Days of evidence are read.
    Reading,
    /// Households are judged.
    Judging,
    /// Households are written into a file.
    Writing,
    /// What came out is stored in one piece: there is no stopping it any more.
    Storing,
    /// Somebody stopped it before it stored anything.
    Stopped,
}

impl Stage {
    const ALL: [Self; 6] = [
        Self::Waiting,
        Self::Reading,
        Self::Judging,
        Self::Writing,
        Self::Storing,
        Self::Stopped,
    ];
}

/// A look at a computation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    pub stage: Stage,
    /// Of the stage: days where it reads, households where it judges or writes.
    pub done: u64,
    pub of: u64,
}

/// Between whoever computes and whoever waits. Nobody waits for that of `default()`, and nothing stops it.
#[derive(Debug, Clone, Default)]
pub struct Work(Option<Arc<State>>);

#[derive(Debug, Default)]
struct State {
    /// Of [`Stage::ALL`]. Stopping and storing exclude each other by being values of one number.
    stage: AtomicU8,
    done: AtomicU64,
    of: AtomicU64,
}

impl Work {
    /// One that somebody waits for.
    pub fn watched() -> Self {
        Self(Some(Arc::default()))
    }

    pub fn progress(&self) -> Progress {
        let of = |state: &Arc<State>| Progress {
            stage: state.stage(),
            done: state.done.load(Ordering::Relaxed),
            of: state.of.load(Ordering::Relaxed),
        };
        self.0.as_ref().map_or(
            Progress {
                stage: Stage::Waiting,
                done: 0,
                of: 0,
            },
            of,
        )
    }

    /// Has it end without a trace; whether that was in time, which it is not once it stores.
    pub fn stop(&self) -> bool {
        self.0
            .as_ref()
            .is_some_and(|state| state.enter(Stage::Stopped, |now| now != Stage::Storing))
    }

    /// Begins a stage of so many days or households; `Err(Refused)` if somebody stopped it.
    pub fn begin(&self, stage: Stage, of: u64) -> Result<()> {
        let Some(watched) = &self.0 else { return Ok(()) };
        if !watched.enter(stage, |now| now != Stage::Stopped) {
            return Err(stopped());
        }
        watched.done.store(0, Ordering::Relaxed);
        watched.of.store(of, Ordering::Relaxed);
        Ok(())
    }

    /// So many of the stage are done now; `Err(Refused)` if somebody stopped it.
    pub fn at(&self, done: u64) -> Result<()> {
        let Some(state) = &self.0 else { return Ok(()) };
        state.done.store(done, Ordering::Relaxed);
        self.goes_on()
    }

    /// `Err(Refused)` if somebody stopped it.
    pub fn goes_on(&self) -> Result<()> {
        match &self.0 {
            Some(state) if state.stage() == Stage::Stopped => Err(stopped()),
            _ => Ok(()),
        }
    }
}

impl State {
    fn stage(&self) -> Stage {
        let number = usize::from(self.stage.load(Ordering::Acquire));
        Stage::ALL.get(number).copied().unwrap_or(Stage::Stopped)
    }

    /// Enters a stage if the present one allows it; whether it did.
    fn enter(&self, stage: Stage, allowed: impl Fn(Stage) -> bool) -> bool {
        let number = Stage::ALL.iter().position(|known| *known == stage);
        let number = number.and_then(|number| u8::try_from(number).ok());
        let entered = self
            .stage
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |now| {
                let now = Stage::ALL.get(usize::from(now)).copied()?;
                number.filter(|_| allowed(now))
            });
        entered.is_ok()
    }
}

fn stopped() -> crate::Error {
    Refused::error(
        Why::Stopped,
        "it was stopped before anything was stored; ask for it again when it is wanted",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_is_in_time_until_storing_begins_and_then_changes_nothing() {
        let work = Work::watched();
        work.begin(Stage::Judging, 7).unwrap();
        work.at(3).unwrap();
        let progress = Progress {
            stage: Stage::Judging,
            done: 3,
            of: 7,
        };
        assert_eq!(work.progress(), progress);
        work.begin(Stage::Storing, 7).unwrap();
        assert!(!work.stop());
        work.goes_on().unwrap();
        assert_eq!(work.progress().stage, Stage::Storing);
    }

    #[test]
    fn what_is_stopped_goes_no_further_and_a_second_stop_is_the_same_one() {
        let work = Work::watched();
        work.begin(Stage::Reading, 90).unwrap();
        assert!(work.stop() && work.stop());
        for refused in [work.goes_on(), work.at(4), work.begin(Stage::Storing, 1)] {
            assert_eq!(refused.unwrap_err().refused().unwrap().why, Why::Stopped);
        }
        assert_eq!(work.progress().stage, Stage::Stopped);
    }

    #[test]
    fn nothing_stops_what_nobody_waits_for() {
        let work = Work::default();
        work.begin(Stage::Storing, 1).unwrap();
        work.begin(Stage::Reading, 1).unwrap();
        assert!(!work.stop());
        work.at(1).unwrap();
    }
}
