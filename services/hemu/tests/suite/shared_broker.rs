//! Two ingest processes on one PostgreSQL that share what a broker has for their group: each message comes to one of
//! them. Whichever had it, and died with it, what a receipt covers is in the ledger, once.
#![expect(clippy::expect_used, reason = "a test's helper fails loudly")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use firmware_sim::estate::Estate;
use firmware_sim::faults::Plan as FaultPlan;
use firmware_sim::keys::{Key, Keys};
use firmware_sim::life::{History, midnight};
use firmware_sim::load;
use firmware_sim::oracle::Oracle;
use firmware_sim::reading::Body;
use firmware_sim::run::{Clock, Figures, Plan, Tally, run};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::brokers::{self, Broker, PATIENCE, is_there, signal, until};
use crate::postgres_server::{self, Server, programs};
use crate::serve::metric;
use crate::support::succeed;

/// 2026-01-01, and how much of it the estate lives: from midnight to eleven in the evening, with both rushes.
const DAY: i32 = 20_454;
const LIVES_MS: i64 = 23 * 60 * 60_000;
/// Milliseconds of that day in one of ours: some 17 s in all.
const FASTER: i64 = 5_000;
const SEED: u64 = 3;

/// A broker and a database, and what every node of the site is told.
struct Site {
    broker: Broker,
    config: PathBuf,
    /// Ends with the site.
    _database: Server,
    folder: TempDir,
}

impl Site {
    async fn new(programs: &Path) -> Self {
        let database = Server::start(programs, false);
        let store = postgres_server::database(&database.url(), "city").await;
        let folder = tempfile::tempdir().expect("a folder");
        let broker = Broker::mosquitto(folder.path(), &[]);
        // Every node needs the same key file, wherever its folder is.
        let secrets = folder.path().join("secrets.key");
        let more = format!(
            "store = \"{store}\"\nsecrets_file = \"{}\"\nbroker_group = \"city\"",
            secrets.display()
        );
        Self {
            config: broker.config(folder.path(), &more),
            broker,
            _database: database,
            folder,
        }
    }

    /// What a command on the site says, which must succeed.
    fn on(&self, arguments: &[&str]) -> String {
        let config = self.config.to_string_lossy();
        let admin = self.folder.path().join("admin");
        succeed(&admin, &[&["--config", &*config][..], arguments].concat())
    }

    /// Registers every device of the estate with the ledger and with the broker.
    fn register(&self) -> Vec<Key> {
        let logins = brokers::passwords(self.folder.path());
        let logins = logins.to_string_lossy();
        let add = |(id, _): (&str, _)| -> Key {
            let line = self.on(&["device", "add", id, "--mosquitto-password-file", &logins]);
            serde_json::from_str(&line).expect("one JSON line")
        };
        let keys = estate().devices().map(add).collect();
        self.broker.reload();
        keys
    }

    /// Starts a node and waits until the broker has granted it its share.
    fn serve(&self, name: &str, roles: &str) -> Node {
        let mut child = Command::new(env!("CARGO_BIN_EXE_hemu"))
            .env_remove("HEMU_DATA")
            .env("LC_ALL", "C")
            // The broker keeps a session for each by its name.
            .env("HEMU_BROKER_CLIENT_ID", name)
            .arg("--data")
            .arg(self.folder.path().join(name))
            .arg("--config")
            .arg(&self.config)
            .args(["serve", "--roles", roles, "--http-listen", "127.0.0.1:0"])
            .args(["--metrics-listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("hemu starts");
        let stdout = child.stdout.take().expect("its stdout");
        let lines = BufReader::new(stdout).lines().map_while(Result::ok);
        let said: Vec<String> = lines.take_while(|line| line != "ready").collect();
        let metrics = said.iter().find_map(|line| line.strip_prefix("metrics "));
        let node = Node {
            metrics: metrics.expect("it ended before it was ready").to_owned(),
            child,
        };
        until("the broker grants the subscriptions", || {
            metric(&node.metrics, "hemu_broker_connected") == 1
        });
        node
    }

    /// What the ledger has: every deposit that the log knows, each once as it was sent, and no other; and it verifies.
    fn holds(&self, deposits: u64, log: &[u8]) {
        let verified = self.on(&["verify"]);
        assert!(
            verified.contains("every row is what the journal adds up to"),
            "{verified}"
        );
        let export = self.on(&["export", "--csv", "-"]);
        let oracle = Oracle::read(log).expect("a log");
        let verdict = oracle.check(export.as_bytes()).expect("an export");
        assert!(verdict.ok(), "{verdict:?}");
        assert_eq!(
            (verdict.acked, verdict.rows, verdict.foreign),
            (deposits, deposits, 0),
            "acknowledged by the broker, in the export, of devices that sent nothing"
        );
    }
}

/// One process of the site, killed when dropped.
struct Node {
    child: Child,
    metrics: String,
}

impl Node {
    /// Records that it wrote to the journal since it began.
    fn stored(&self) -> u64 {
        metric(&self.metrics, "hemu_ingest_records_total")
    }

    /// `kill -9`.
    fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
    }

    /// SIGTERM, and how it ended.
    fn terminate(mut self) -> ExitStatus {
        signal(self.child.id(), "-TERM");
        self.child.wait().expect("gone")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Gone already when the test ended it.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn estate() -> Estate {
    Estate::hemu_xincun(54).expect("an estate")
}

fn history() -> History {
    History::new(SEED, Arc::new(estate()), DAY, 1)
}

/// The estate's devices at work on a broker. Each keeps a record in its flash until a receipt covers it.
struct Life {
    tally: Arc<Tally>,
    log: Arc<Mutex<Vec<u8>>>,
    stop: CancellationToken,
    task: JoinHandle<()>,
    /// Records of all kinds, and the deposits among them.
    records: u64,
    deposits: u64,
}

impl Life {
    fn begin(port: u16, keys: Vec<Key>) -> Self {
        let log: Arc<Mutex<Vec<u8>>> = Arc::default();
        let writer: load::Log = log.clone();
        let plan = Plan {
            addr: ([127, 0, 0, 1], port).into(),
            keys: Keys(keys),
            faults: FaultPlan::default(),
            from: 0,
            behind_a_broker: true,
            ring_records: 4_096,
            flash: None,
            log: Some(writer),
        };
        let (start, began) = (midnight(DAY), Instant::now());
        let clock: Clock = Arc::new(move || {
            let real = i64::try_from(began.elapsed().as_millis()).unwrap_or_default();
            start + (real * FASTER).min(LIVES_MS)
        });
        let mut readings = history().next_day().expect("a day").readings;
        readings.retain(|reading| reading.at <= start + LIVES_MS);
        let deposits = readings
            .iter()
            .filter(|reading| matches!(reading.body, Body::Deposit(_)));
        let (tally, stop) = (Arc::new(Tally::default()), CancellationToken::new());
        let task = tokio::spawn({
            let (tally, stop) = (tally.clone(), stop.clone());
            async move {
                let lived = run(&plan, history(), clock, tally, stop).await;
                lived.expect("the estate lives");
            }
        });
        Self {
            records: readings.len() as u64,
            deposits: deposits.count() as u64,
            tally,
            log,
            stop,
            task,
        }
    }

    async fn until(&self, what: &str, so: impl Fn(&Figures) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !so(&self.tally.figures()) {
            assert!(!self.task.is_finished(), "{what}: the estate stopped");
            assert!(Instant::now() < deadline, "{what}: {:?}", self.tally.figures());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Until a receipt has covered every record there was; the log of what the broker acknowledged.
    async fn all_receipted(self) -> Vec<u8> {
        let all = self.records;
        self.until("every record receipted", |figures| figures.receipted >= all)
            .await;
        self.stop.cancel();
        self.task.await.expect("the estate ended in order");
        let figures = self.tally.figures();
        println!("{figures:?}");
        // No device is receipted more than it recorded: what is so for all together is so for each.
        assert_eq!(
            (figures.recorded, figures.receipted, figures.bad_receipts),
            (all, all, 0)
        );
        std::mem::take(&mut *self.log.lock().expect("a log"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_ingest_processes_in_one_group_share_a_broker_and_one_postgres() {
    if !is_there("mosquitto") {
        return;
    }
    let Some(programs) = programs() else { return };
    let site = Site::new(&programs).await;
    let keys = site.register();
    let first = site.serve("first", "ingest,projector,api,jobs");
    let second = site.serve("second", "ingest");
    let life = Life::begin(site.broker.port, keys);
    let deposits = life.deposits;
    assert!(
        life.records >= 3_000,
        "the load is too small to mean anything: {}",
        life.records
    );

    // In the morning's rush, with windows full at both.
    life.until("a sixth receipted", |figures| {
        figures.receipted >= life.records / 6
    })
    .await;
    let shares = [first.stored(), second.stored()];
    assert!(
        shares.iter().all(|share| *share > 100),
        "hardly shared: {shares:?}"
    );
    second.kill();
    // Half of what devices send waits for it at the broker now; what receipts name as missing, they send again.
    let before = first.stored();
    life.until("the other goes on alone", |_| first.stored() >= before + 100)
        .await;
    let second = site.serve("second", "ingest");

    let log = life.all_receipted().await;
    let ends = [first.stored(), second.stored()];
    println!("stored by each: {shares:?} when one was killed, {ends:?} by those that were left");
    assert!(ends[1] > 0, "what came back was given nothing new");
    assert!(second.terminate().success() && first.terminate().success());
    site.holds(deposits, &log);
}
