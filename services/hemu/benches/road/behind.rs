//! What stands behind either front, on the threads that a server has for it: nothing, so that a message is acknowledged at
//! once and forgotten; the journal; or all that a server has, with scores and charts made of what is stored.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hemu_ingest::commit::Signals;
use hemu_ingest::{Clock, Committer, Intake, Metrics, feed, fold};
use hemu_ledger::{Folder, Ledger, Position};
use hemu_rules::Zone;
use hemu_series::Series;
use prometheus::Registry;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::threads;

/// How much is behind a front, by data folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Behind {
    Nothing,
    Journal(PathBuf),
    Everything(PathBuf),
}

/// An open one: where messages go, if anywhere, and how many got there.
pub(crate) struct Opened {
    pub(crate) intake: Option<Intake>,
    pub(crate) metrics: Metrics,
    /// They end with it.
    pub(crate) threads: Option<threads::Behind>,
}

impl Behind {
    /// Two words for the command line of a process of its own.
    pub(crate) fn words(&self) -> [OsString; 2] {
        match self {
            Self::Nothing => ["nothing".into(), "-".into()],
            Self::Journal(data) => ["journal".into(), data.into()],
            Self::Everything(data) => ["everything".into(), data.into()],
        }
    }

    pub(crate) fn of_words(words: &[String]) -> Self {
        match words {
            [kind, data] if kind == "journal" => Self::Journal(data.into()),
            [kind, data] if kind == "everything" => Self::Everything(data.into()),
            _ => Self::Nothing,
        }
    }

    /// Its committer runs on the threads in front.
    pub(crate) async fn open(&self, front: &Handle) -> Opened {
        let metrics = Metrics::new(&Registry::new()).unwrap();
        let (intake, threads) = match self {
            Self::Nothing => (None, None),
            Self::Journal(data) => (Some(journal(data, &metrics, front).await.intake), None),
            Self::Everything(data) => {
                let journal = journal(data, &metrics, front).await;
                let intake = journal.intake.clone();
                let threads = threads::Behind::start().unwrap();
                fold(data, journal, &metrics, &threads).await;
                (Some(intake), Some(threads))
            }
        };
        Opened {
            intake,
            metrics,
            threads,
        }
    }
}

struct Journal {
    intake: Intake,
    committed: watch::Receiver<Position>,
    clock: Clock,
}

/// A server's committer, and its checkpoints.
async fn journal(data: &Path, metrics: &Metrics, front: &Handle) -> Journal {
    let ledger = Ledger::open(&Folder::open(data).unwrap(), Zone::SHANGHAI)
        .await
        .unwrap();
    let (checkpoints, seen) = watch::channel(0);
    let clock: Clock = Arc::new(|| 1_800_000_000_000);
    let (committer, intake, Signals { committed, .. }) =
        Committer::new(&ledger, Arc::clone(&clock), metrics.clone(), seen)
            .await
            .unwrap();
    front.spawn(committer.run(CancellationToken::new()));
    tokio::spawn(checkpoint(ledger, checkpoints));
    Journal {
        intake,
        committed,
        clock,
    }
}

/// A server's projector and feeder.
async fn fold(data: &Path, journal: Journal, metrics: &Metrics, behind: &threads::Behind) {
    let Journal { committed, clock, .. } = journal;
    let (folder, file) = (Folder::open(data).unwrap(), data.join("series.db"));
    // Connections work on threads that give way as those do that opened them.
    let open = move || async move { Ledger::open(&folder, Zone::SHANGHAI).await };
    let unhurried = behind.make(open).await.unwrap().unwrap();
    let open = async move { Series::open(&file, Zone::SHANGHAI).await };
    let series = behind.run(open).await.unwrap().unwrap();
    let ledger = unhurried.clone();
    let projector = async move { unhurried.projector().await };
    let projector = behind.run(projector).await.unwrap().unwrap();
    let stop = CancellationToken::new();
    let (applied, applied_seen) = watch::channel(0);
    let watches = fold::Watches {
        committed,
        applied,
        metrics: metrics.clone(),
        shutdown: stop.clone(),
    };
    drop(behind.run(fold::keep(ledger.clone(), Some(projector), watches)));
    drop(behind.run(feed::run(
        ledger,
        series,
        applied_seen,
        clock,
        metrics.clone(),
        stop,
    )));
}

async fn checkpoint(ledger: Ledger, done: watch::Sender<u64>) {
    loop {
        tokio::time::sleep(Duration::from_millis(500)).await;
        if ledger.log_bytes() > hemu_ledger::LOG_BYTES {
            ledger.checkpoint().await.unwrap();
            done.send_modify(|count| *count += 1);
        }
    }
}
