//! The server, wired up. Read it from top to bottom: open, catch up, wire, listen, shut down.

mod changes;
mod doors;
mod machine;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures::future::{join_all, select_all};
use hemu_api::{Door, Places};
use hemu_endpoint::tls;
use hemu_ingest::{Clock, Metrics, conflicts, feed, fold};
use hemu_ledger::{LOG_BYTES, Ledger, Lock, Position, Projector, Role};
use hemu_series::Series;
use prometheus::Registry;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use doors::Doors;
use machine::Machine;

use crate::clock;
use crate::config::Config;
use crate::http::{self, Pages};
use crate::jobs;
use crate::output::out;
use crate::progress;
use crate::roles;
use crate::site::{self, Site, random};
use crate::threads::{Behind, Front};
use crate::words::Words;

const CHECKPOINT_LOOK: Duration = Duration::from_millis(500);
/// How long a store that fails may hold up the end of the server.
const ABANDON_AFTER: Duration = Duration::from_secs(6);
/// Pages are served without what a database cannot promise, if its standby takes longer to confirm it.
const STANDBY_ANSWERS_WITHIN: Duration = Duration::from_secs(5);
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

/// A running server.
pub(crate) struct Server {
    pub(crate) mqtt: Option<SocketAddr>,
    pub(crate) mqtt_tls: Option<SocketAddr>,
    pub(crate) http: Option<SocketAddr>,
    https: Option<SocketAddr>,
    pub(crate) metrics: SocketAddr,
    pub(crate) ledger: Ledger,
    pub(crate) series: Series,
    /// Last batch in the projections.
    pub(crate) applied: watch::Receiver<Position>,
    stop_listening: CancellationToken,
    abandon: CancellationToken,
    stop_all: CancellationToken,
    /// What the machine does for the lists, until it is begun.
    machine: Option<Machine>,
    endpoint: Option<JoinHandle<()>>,
    broker: Option<JoinHandle<()>>,
    committer: Option<JoinHandle<()>>,
    projector: JoinHandle<()>,
    tasks: Vec<JoinHandle<()>>,
    behind: Behind,
    front: Option<Front>,
    told: Told,
    _serving: Lock,
}

/// A data folder that is this server's, with what a crash left unfolded folded.
struct Opened {
    serving: Lock,
    ledger: Ledger,
    behind: Behind,
    /// The same data through connections of its own: one that was opened behind works behind for good, and nobody's login
    /// may wait for it.
    unhurried: Ledger,
    series: Series,
    /// `None` where another node folds, or this one is not to.
    projector: Option<(Projector, Lock)>,
}

impl Opened {
    /// What is not folded when it is told to end is folded at the next start.
    async fn caught_up_unless_told(config: &Config, words: &Words, told: &mut Told) -> Result<Option<Self>> {
        tokio::select! {
            opened = Self::caught_up(config, words) => opened.map(Some),
            () = told.ending() => Ok(None),
        }
    }

    async fn caught_up(config: &Config, words: &Words) -> Result<Self> {
        let serving = site::folder(config)?.lock(Role::Serve)?;
        let site = Site::open(config).await?;
        let ledger = site.ledger.clone();
        let behind = Behind::start()?;
        let (folder, zone) = (site.folder.clone(), config.zone);
        let open = move || async move { Ledger::open(&folder, zone).await };
        let unhurried = behind.make(open).await??;
        let engine = site.engine(config, words).await?;
        let series = behind.run(async move { site.series(engine).await }).await??;
        ledger.open_readers().await?;
        let readers = unhurried.clone();
        behind.run(async move { readers.open_readers().await }).await??;
        // What a killed run left in the write-ahead log goes to the disk before any receipt speaks of it.
        ledger.checkpoint().await?;
        let mut projector = None;
        if config.roles.has(roles::Role::Projector) {
            projector = behind.run(projector_when_free(unhurried.clone())).await??;
        }
        if let Some((projector, _)) = &mut projector {
            catch_up(&ledger, projector, words).await?;
        }
        Ok(Self {
            serving,
            ledger,
            behind,
            unhurried,
            series,
            projector,
        })
    }
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
        opened: Opened,
        told: Told,
        config: &Config,
        occasion: Occasion,
        words: &Words,
    ) -> Result<Self> {
        let Opened {
            serving,
            ledger,
            behind,
            unhurried,
            series,
            projector,
        } = opened;
        let pages = listen_for_people(config, words).await?;
        let metrics_listener = bind(words, "metrics_listen", config.metrics_listen).await?;
        let registry = Registry::new();
        let metrics = Metrics::new(&registry)?;
        let [stop_all, stop_listening, abandon] = std::array::from_fn(|_| CancellationToken::new());

        let (checkpoints, checkpoints_seen) = watch::channel(0);
        let plan = doors::Plan {
            config,
            words,
            ledger: &ledger,
            clock: occasion.clock.clone(),
            demo: occasion.demo,
            metrics: &metrics,
            registry: &registry,
            checkpoints: checkpoints_seen,
            stop_listening: &stop_listening,
            abandon: &abandon,
        };
        let doors = if config.roles.take_in() {
            Some(Doors::open(plan).await?)
        } else {
            None
        };

        let (applied, applied_seen) = watch::channel(ledger.progress().await?.applied);
        let watches = fold::Watches {
            committed: committed_by(doors.as_ref()),
            applied,
            metrics: metrics.clone(),
            shutdown: stop_all.clone(),
        };
        let projector = fold_or_follow(config, &behind, &unhurried, projector, watches);
        let follow = Following {
            ledger: &unhurried,
            behind: &behind,
            applied: &applied_seen,
            metrics: &metrics,
            stop: &stop_all,
        };
        let checkpoints = checkpoint(ledger.clone(), checkpoints, stop_all.clone());
        let mut tasks = vec![tokio::spawn(checkpoints), follow.conflicts()];
        let metrics_address = metrics_listener.local_addr()?;
        let (in_the_clear, over_tls) = addresses(pages.as_ref())?;
        let name = jobs::holder(words)?;
        let long_jobs = machine::long_jobs(&ledger, &name, &occasion).await?;
        if let Some(pages) = pages {
            tasks.push(follow.charts(&series));
            let parts = http::Parts {
                key: ledger.site_key(random(words)?).await?,
                disk_least: config.disk_free_mb << 20,
                raw_shown_ms: i64::from(config.keep_quarantine_bytes_days) * 86_400_000,
                occasion: &occasion,
                ledger: ledger.clone(),
                holder: name.clone(),
                jobs: long_jobs.clone(),
                series: series.clone(),
                registry: &registry,
                applied: applied_seen.clone(),
                doors: doors.as_ref().map(Doors::view).unwrap_or_default(),
                door: door(config),
            };
            tasks.extend(http::serve(parts, pages, &stop_all)?);
        }
        let machine = Machine::wanted(config, &occasion, unhurried, &registry, (words, &name, long_jobs))?;
        tasks.push(http::serve_metrics(metrics_listener, registry, &stop_all));
        let doors = doors.map(|doors| doors.running(&mut tasks)).unwrap_or_default();
        Ok(Self {
            mqtt: doors.mqtt,
            mqtt_tls: doors.mqtt_tls,
            http: in_the_clear,
            https: over_tls,
            metrics: metrics_address,
            ledger,
            series,
            applied: applied_seen,
            machine,
            endpoint: doors.endpoint,
            broker: doors.broker,
            committer: doors.committer,
            projector,
            tasks,
            behind,
            front: doors.front,
            stop_listening,
            abandon,
            stop_all,
            told,
            _serving: serving,
        })
    }

    /// Has the machine keep the lists from now on: once what the lists are made of is there.
    pub(crate) fn keep_lists(&mut self) {
        let Some(machine) = self.machine.take() else {
            return;
        };
        self.tasks.extend(machine.begin(&self.behind, &self.stop_all));
    }

    /// One line each on stdout, for whoever started us (contract, section 4).
    pub(crate) fn announce(&self) -> Result<()> {
        self.announce_addresses()?;
        out!("ready");
        Ok(())
    }

    /// The lines before `ready`.
    pub(crate) fn announce_addresses(&self) -> Result<()> {
        if let Some(mqtt) = self.mqtt {
            out!("mqtt {mqtt}");
        }
        if let Some(tls) = self.mqtt_tls {
            out!("mqtts {tls}");
        }
        if let Some(http) = self.http {
            out!("http http://{http}");
        }
        if let Some(https) = self.https {
            out!("https https://{https}");
        }
        out!("metrics http://{}/metrics", self.metrics);
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
            () = ended(self.endpoint.as_mut()) => Some(words.say("the-endpoint", &[])),
            () = ended(self.broker.as_mut()) => Some(words.say("the-broker-door", &[])),
            () = ended(self.committer.as_mut()) => Some(words.say("the-committer", &[])),
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
        self.stop_listening.cancel();
        let abandon = self.abandon.clone();
        // A store that fails for good must not keep the process: what it holds was never acknowledged.
        let deadline = tokio::spawn(async move {
            tokio::time::sleep(ABANDON_AFTER).await;
            abandon.cancel();
        });
        if let Some(endpoint) = self.endpoint {
            endpoint.await?;
        }
        if let Some(broker) = self.broker {
            end_in_time(broker).await;
        }
        if let Some(committer) = self.committer {
            committer.await?;
        }
        deadline.abort();
        self.stop_all.cancel();
        let parts = self.tasks.into_iter().chain([self.projector]);
        join_all(parts.map(end_in_time)).await;
        drop((self.front, self.behind));
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

/// An import or a check that is folding right now ends by itself; a server waits for it. A node that shares its tables
/// stands by instead, and does not wait long for a database that waits for its standby.
async fn projector_when_free(ledger: Ledger) -> Result<Option<(Projector, Lock)>> {
    if ledger.folder().is_shared() {
        return match tokio::time::timeout(STANDBY_ANSWERS_WITHIN, ledger.projector()).await {
            Ok(Err(hemu_ledger::Error::InUse(_))) => Ok(None),
            Ok(projector) => Ok(Some(projector?)),
            Err(_) => {
                tracing::warn!(
                    "the database waits for its synchronous standby; nothing new is folded until that is back"
                );
                Ok(None)
            }
        };
    }
    let mut told = false;
    loop {
        match ledger.projector().await {
            Err(hemu_ledger::Error::InUse(_)) => {
                if !told {
                    tracing::info!("another hemu process is folding this folder's journal; waiting for it");
                    told = true;
                }
                tokio::time::sleep(CHECKPOINT_LOOK).await;
            }
            other => return Ok(Some(other?)),
        }
    }
}

/// What follows the projections, behind everything else.
struct Following<'a> {
    ledger: &'a Ledger,
    behind: &'a Behind,
    applied: &'a watch::Receiver<Position>,
    metrics: &'a Metrics,
    stop: &'a CancellationToken,
}

impl Following<'_> {
    fn conflicts(&self) -> JoinHandle<()> {
        let (ledger, applied) = (self.ledger.clone(), self.applied.clone());
        let alarm = conflicts::run(ledger, applied, self.metrics.clone(), self.stop.clone());
        self.behind.run(alarm)
    }

    fn charts(&self, series: &Series) -> JoinHandle<()> {
        let (ledger, applied) = (self.ledger.clone(), self.applied.clone());
        let feeder = feed::run(
            ledger,
            series.clone(),
            applied,
            clock::system(),
            self.metrics.clone(),
            self.stop.clone(),
        );
        self.behind.run(feeder)
    }
}

fn fold_or_follow(
    config: &Config,
    behind: &Behind,
    ledger: &Ledger,
    projector: Option<(Projector, Lock)>,
    watches: fold::Watches,
) -> JoinHandle<()> {
    if config.roles.has(roles::Role::Projector) {
        behind.run(fold::keep(ledger.clone(), projector, watches))
    } else {
        behind.run(fold::follow(ledger.clone(), watches))
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

async fn catch_up(ledger: &Ledger, projector: &mut Projector, words: &Words) -> Result<()> {
    let left = ledger.records_after(projector.applied()).await?;
    if left == 0 {
        return Ok(());
    }
    tracing::info!(records = left, "folding what the last run left in the journal");
    let bar = progress::bar(words, words.say("folding-the-journal", &[]), left);
    fold::catch_up(projector, |records| bar.inc(records)).await?;
    bar.finish_and_clear();
    Ok(())
}

/// `None` on a node that leaves people to another.
async fn listen_for_people(config: &Config, words: &Words) -> Result<Option<Pages>> {
    if !config.roles.has(roles::Role::Api) {
        return Ok(None);
    }
    let plain = bind(words, "http_listen", config.http_listen).await?;
    let encrypted = match (config.https_listen, &config.tls_certificate, &config.tls_key) {
        (Some(address), Some(certificate), Some(key)) => {
            let tls = tls::acceptor(certificate, key)?;
            Some((bind(words, "https_listen", address).await?, tls))
        }
        _ => None,
    };
    let places = Places::new(
        config.http_connections,
        config.http_connections_per_address,
        &config.trusted_proxies,
    );
    Ok(Some(Pages {
        plain,
        encrypted,
        places,
    }))
}

fn door(config: &Config) -> Door {
    Door {
        allow_remote: config.serves_others(),
        hosts: config.hosts.clone(),
        proxies: config.trusted_proxies.clone(),
    }
}

fn addresses(pages: Option<&Pages>) -> Result<(Option<SocketAddr>, Option<SocketAddr>)> {
    let Some(pages) = pages else {
        return Ok((None, None));
    };
    let encrypted = pages.encrypted.as_ref();
    let encrypted = encrypted.map(|(listener, _)| listener.local_addr()).transpose()?;
    Ok((Some(pages.plain.local_addr()?), encrypted))
}

async fn bind(words: &Words, setting: &str, address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| taken(words, setting, address))
}

fn taken(words: &Words, setting: &str, address: SocketAddr) -> String {
    words.say("cannot-listen", &[("address", &address), ("setting", &setting)])
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
