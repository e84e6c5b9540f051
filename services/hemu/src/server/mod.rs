//! The server, wired up. Read it from top to bottom: open, catch up, wire, listen, shut down.

mod changes;
mod doors;
mod following;
mod listeners;
mod machine;
mod opened;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Result, bail};
use futures::future::{join_all, select_all};
use hemu_ingest::{Clock, Metrics};
use hemu_ledger::{LOG_BYTES, Ledger, Lock, Position};
use hemu_series::Series;
use prometheus::Registry;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use doors::{Doors, Running};
use listeners::{Addresses, Listeners};
use machine::Machine;
use opened::Opened;

use crate::clock;
use crate::config::Config;
use crate::http;
use crate::jobs;
use crate::output::out;
use crate::site::random;
use crate::threads::Behind;
use crate::words::Words;

const CHECKPOINT_LOOK: Duration = Duration::from_millis(500);
/// How long a store that fails may hold up the end of the server.
const ABANDON_AFTER: Duration = Duration::from_secs(6);
/// How long anything else may take to end.
const PART_ENDS_WITHIN: Duration = Duration::from_secs(2);

/// What is different between serving and the demo.
pub(crate) struct Occasion {
    pub(crate) clock: Clock,
    /// Simulated seconds a second; 1 is real time.
    pub(crate) speed: u32,
    /// Whether everybody in it is simulated.
    pub(crate) demo: bool,
    pub(crate) site_name: String,
}

/// How a server ends: no door is open any more; what a failing store holds is given up; everything else ends.
#[derive(Default)]
struct Ends {
    listening: CancellationToken,
    abandon: CancellationToken,
    all: CancellationToken,
}

/// A running server.
pub(crate) struct Server {
    pub(crate) ledger: Ledger,
    pub(crate) series: Series,
    /// Last batch in the projections.
    pub(crate) applied: watch::Receiver<Position>,
    people: Addresses,
    doors: Running,
    ends: Ends,
    /// What the machine does for the lists, until it is begun.
    machine: Option<Machine>,
    projector: JoinHandle<()>,
    tasks: Vec<JoinHandle<()>>,
    behind: Behind,
    told: Told,
    _serving: Lock,
}

impl Server {
    /// Opens the folder, folds what a crash left unfolded, and listens. `None` if it was told to end meanwhile.
    pub(crate) async fn start(config: &Config, occasion: Occasion, words: &Words) -> Result<Option<Self>> {
        // First of all: a signal that comes while we start must not find nobody home.
        let mut told = Told::listen()?;
        check_clock(&occasion.clock, words)?;
        match Opened::caught_up_unless_told(config, words, &mut told).await? {
            Some(opened) => Self::on(opened, told, config, occasion, words).await.map(Some),
            None => Ok(None),
        }
    }

    /// Listens, and begins whatever works on what is open.
    async fn on(
        mut opened: Opened,
        told: Told,
        config: &Config,
        occasion: Occasion,
        words: &Words,
    ) -> Result<Self> {
        let listeners = Listeners::bind(config, words).await?;
        let people = listeners.addresses()?;
        let (registry, ends) = (Registry::new(), Ends::default());
        let metrics = Metrics::new(&registry)?;
        let (checkpoints, checkpoints_seen) = watch::channel(0);
        let doors = Doors::open(doors::Plan {
            config,
            words,
            ledger: &opened.ledger,
            occasion: &occasion,
            metrics: &metrics,
            registry: &registry,
            checkpoints: checkpoints_seen,
            ends: &ends,
        })
        .await?;
        let committed = committed_by(doors.as_ref());
        let (projector, applied) = opened.project(config, committed, &metrics, &ends.all).await?;
        let checkpoints = checkpoint(opened.ledger.clone(), checkpoints, ends.all.clone());
        let conflicts = opened.watch_conflicts(&applied, &metrics, &ends.all);
        let mut tasks = vec![tokio::spawn(checkpoints), conflicts];
        let name = jobs::holder(words)?;
        let long_jobs = machine::long_jobs(&opened.ledger, &name, &occasion).await?;
        if let Some(pages) = listeners.pages {
            tasks.push(opened.feed_charts(&applied, &metrics, &ends.all));
            let parts = http::Parts {
                config,
                occasion: &occasion,
                key: opened.ledger.site_key(random(words)?).await?,
                ledger: opened.ledger.clone(),
                holder: name.clone(),
                jobs: long_jobs.clone(),
                series: opened.series.clone(),
                registry: &registry,
                applied: applied.clone(),
                doors: doors.as_ref().map(Doors::view).unwrap_or_default(),
            };
            tasks.extend(http::serve(parts, pages, &ends.all)?);
        }
        let lists = (words, name.as_str(), long_jobs);
        let machine = Machine::wanted(config, &occasion, opened.unhurried, &registry, lists)?;
        tasks.push(http::serve_metrics(listeners.metrics, registry, &ends.all));
        let doors = doors.map(|doors| doors.running(&mut tasks)).unwrap_or_default();
        Ok(Self {
            ledger: opened.ledger,
            series: opened.series,
            applied,
            people,
            doors,
            ends,
            machine,
            projector,
            tasks,
            behind: opened.behind,
            told,
            _serving: opened.serving,
        })
    }

    /// Where the embedded door listens, without TLS.
    pub(crate) fn mqtt(&self) -> Option<SocketAddr> {
        self.doors.mqtt
    }

    /// Where people come in, without TLS.
    pub(crate) fn http(&self) -> Option<SocketAddr> {
        self.people.http
    }

    /// Has the machine keep the lists from now on: once what the lists are made of is there.
    pub(crate) fn keep_lists(&mut self) {
        let Some(machine) = self.machine.take() else {
            return;
        };
        self.tasks.extend(machine.begin(&self.behind, &self.ends.all));
    }

    /// One line each on stdout, for whoever started us; the README of this room has them.
    pub(crate) fn announce(&self) -> Result<()> {
        self.announce_addresses()?;
        out!("ready");
        Ok(())
    }

    /// The lines before `ready`.
    pub(crate) fn announce_addresses(&self) -> Result<()> {
        if let Some(mqtt) = self.doors.mqtt {
            out!("mqtt {mqtt}");
        }
        if let Some(tls) = self.doors.mqtt_tls {
            out!("mqtts {tls}");
        }
        if let Some(http) = self.people.http {
            out!("http http://{http}");
        }
        if let Some(https) = self.people.https {
            out!("https https://{https}");
        }
        out!("metrics http://{}/metrics", self.people.metrics);
        Ok(())
    }

    /// Waits for SIGTERM or Ctrl-C, then shuts down in order.
    pub(crate) async fn until_told(self, words: &Words) -> Result<()> {
        self.until_told_before(async {}, words).await
    }

    /// The same, with something to end before.
    pub(crate) async fn until_told_before(
        mut self,
        end: impl Future<Output = ()>,
        words: &Words,
    ) -> Result<()> {
        let fell = tokio::select! {
            biased;
            () = self.told.ending() => None,
            // None of these ends by itself: whoever does has broken, and a server without it only pretends.
            () = ended(self.doors.endpoint.as_mut()) => Some(words.say("the-endpoint", &[])),
            () = ended(self.doors.broker.as_mut()) => Some(words.say("the-broker-door", &[])),
            () = ended(self.doors.committer.as_mut()) => Some(words.say("the-committer", &[])),
            _ = &mut self.projector => Some(words.say("the-projector", &[])),
            // Pages, checkpoints, receipts, lists, backups: one that broke has said in the log what it was.
            (ended, ..) = select_all(&mut self.tasks) => {
                tracing::error!(?ended, "a task ended that never does");
                Some(words.say("one-of-its-tasks", &[]))
            }
        };
        end.await;
        if let Some(part) = fell {
            bail!(words.say("ended-by-itself", &[("part", &part)]));
        }
        tracing::info!("shutting down");
        self.shut_down().await
    }

    /// Stops reading, stores and acknowledges what was read, and closes the files. What is not folded by then is
    /// folded at the next start.
    pub(crate) async fn shut_down(self) -> Result<()> {
        self.ends.listening.cancel();
        let abandon = self.ends.abandon.clone();
        // A store that fails for good must not keep the process: what it holds was never acknowledged.
        let deadline = tokio::spawn(async move {
            tokio::time::sleep(ABANDON_AFTER).await;
            abandon.cancel();
        });
        if let Some(endpoint) = self.doors.endpoint {
            endpoint.await?;
        }
        if let Some(broker) = self.doors.broker {
            end_in_time(broker).await;
        }
        if let Some(committer) = self.doors.committer {
            committer.await?;
        }
        deadline.abort();
        self.ends.all.cancel();
        let parts = self.tasks.into_iter().chain([self.projector]);
        join_all(parts.map(end_in_time)).await;
        drop((self.doors.front, self.behind));
        if let Err(error) = self.ledger.checkpoint().await {
            tracing::warn!(%error, "the write-ahead log stays for the next start");
        }
        Ok(())
    }
}

/// Whoever tells this process to end: SIGTERM or Ctrl-C, heard from when this was made.
pub(crate) struct Told {
    terminate: Signal,
    interrupt: Signal,
}

impl Told {
    pub(crate) fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    pub(crate) async fn ending(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Waits for the end of a task that may not be there.
async fn ended(task: Option<&mut JoinHandle<()>>) {
    match task {
        Some(task) => drop(task.await),
        None => std::future::pending().await,
    }
}

/// Waits a moment for a task; a client that never finishes its request must not keep the server.
async fn end_in_time(mut task: JoinHandle<()>) {
    if tokio::time::timeout(PART_ENDS_WITHIN, &mut task).await.is_err() {
        task.abort();
    }
}

/// The batches this process commits; none without a committer.
fn committed_by(doors: Option<&Doors>) -> watch::Receiver<Position> {
    doors.map_or_else(|| watch::channel(0).1, |doors| doors.committed.clone())
}

/// With a clock before its time every reading would look ahead of it and never be scored.
fn check_clock(clock: &Clock, words: &Words) -> Result<()> {
    if clock() < clock::EARLIEST {
        bail!(words.say("clock-before-2025", &[]));
    }
    Ok(())
}

/// Moves the write-ahead log into the file beside the commit path, and tells the committer when that is done.
async fn checkpoint(ledger: Ledger, done: watch::Sender<u64>, shutdown: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(CHECKPOINT_LOOK) => {}
            () = shutdown.cancelled() => return,
        }
        if ledger.log_bytes() <= LOG_BYTES {
            continue;
        }
        match ledger.checkpoint().await {
            Ok(_) => done.send_modify(|count| *count += 1),
            Err(error) => tracing::warn!(%error, "the write-ahead log could not be moved into the file"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Language;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_server_that_has_lost_a_part_of_itself_ends_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let config = Config {
            data: folder.path().join("data"),
            mqtt_listen: any,
            http_listen: any,
            metrics_listen: any,
            ..Config::default()
        };
        let occasion = Occasion {
            clock: clock::system(),
            speed: 1,
            demo: false,
            site_name: String::new(),
        };
        let words = Words::new(Language::English);
        let mut server = Server::start(&config, occasion, &words).await.unwrap().unwrap();
        server.keep_lists();
        server.tasks.push(tokio::spawn(async {}));
        let said = server.until_told(&words).await.unwrap_err().to_string();
        assert!(
            said.contains("one of the tasks") && said.contains("ended by itself"),
            "{said}"
        );
    }
}
