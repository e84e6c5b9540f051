//! A database that goes away under a running server and comes back: what is published meanwhile is not acknowledged,
//! and is soon afterwards, without anybody's help.
#![expect(clippy::expect_used, reason = "a test's helper fails loudly")]

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use firmware_sim::keys::Key;
use firmware_sim::load::{self, Crowd, Gauge, Plan, Report};
use firmware_sim::mqtt::{MqttError, Version};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::brokers::{PATIENCE, until};
use crate::postgres_server::{self, programs};
use crate::serve::{get, metric};
use crate::support::{Server, free_port, holds_exactly, is_verified, succeed};

/// Makes the cluster and does what it is told on its standard input, a word a line, with an answer to each. When that
/// closes, however this process ends, it ends the server and takes the folder away. `$0` is where the programs are,
/// `$1` the folder, `$2` the port.
const KEEP: &str = r#"
    # Nobody may be left to hear an answer, and there is still a server to end.
    trap "" PIPE
    "$0/initdb" -D "$1/data" -U hemu -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$1/initdb.log" 2>&1 || exit 1
    start() {
        "$0/postgres" -D "$1/data" -p "$2" -k "$1" -c listen_addresses=127.0.0.1 -c max_connections=300 \
            -c shared_buffers=64MB >>"$1/server.log" 2>&1 &
        server=$!
    }
    stop() {
        [ -z "$server" ] && return
        kill -QUIT "$server"
        wait "$server"
        server=
    }
    start "$@"
    while read -r order; do
        case "$order" in
            start) start "$@" ;;
            stop) stop ;;
        esac
        echo "done"
    done
    stop
    rm -rf "$1"
"#;

/// Asked of the server: nothing published while the database was away waits longer after it is back.
const WITHIN: Duration = Duration::from_secs(10);
/// What `/readyz` says of a journal that cannot be written.
const WITHHELD: &str =
    "acknowledgements are withheld until it can: make room on the disk, or start the database again";
/// At a hundred a second they last longer than it takes to stop a database.
const RECORDS: u64 = 400;

/// A PostgreSQL that can be stopped at once and started again on the same port, with what it had on its disk.
struct Database {
    keeper: Child,
    port: u16,
}

impl Database {
    fn new(programs: &Path) -> Self {
        let folder = tempfile::Builder::new().prefix("hemu-postgres").tempdir();
        // Whoever keeps the server takes the folder away.
        let folder = folder.expect("a folder").keep();
        let port = free_port();
        let keeper = shell(&folder)
            .arg("-c")
            .arg(KEEP)
            .arg(programs)
            .arg(&folder)
            .arg(port.to_string())
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell runs");
        Self { keeper, port }
    }

    fn url(&self) -> String {
        format!("postgres://hemu@127.0.0.1:{}", self.port)
    }

    /// As after a power cut, and without a word to whoever is connected; returns when it is gone.
    fn stop(&mut self) {
        self.tell("stop");
    }

    /// Returns before it takes connections.
    fn start(&mut self) {
        self.tell("start");
    }

    fn tell(&mut self, order: &str) {
        let orders = self.keeper.stdin.as_mut().expect("its stdin");
        writeln!(orders, "{order}").expect("told");
        let answers = self.keeper.stdout.as_mut().expect("its stdout");
        let mut answer = String::new();
        // No more than this line can have come: there is one for each order.
        BufReader::new(answers).read_line(&mut answer).expect("an answer");
        assert_eq!(answer.trim(), "done", "the database's keeper has ended");
    }
}

/// A shell that may run PostgreSQL, which refuses to run as root, in this folder.
fn shell(folder: &Path) -> Command {
    let root = std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0);
    if !root {
        return Command::new("sh");
    }
    let given = Command::new("chown").arg("postgres").arg(folder).status();
    assert!(given.expect("chown runs").success(), "there is no user postgres");
    let mut shell = Command::new("setpriv");
    shell.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "sh"]);
    shell
}

/// A device that publishes one record after the other, each when the one before is acknowledged.
struct Sender {
    gauge: Arc<Gauge>,
    log: Arc<Mutex<Vec<u8>>>,
    task: JoinHandle<Result<Report, MqttError>>,
}

impl Sender {
    fn begin(addr: SocketAddr, key: Key) -> Self {
        let plan = Plan {
            addr,
            devices: vec![key],
            window: 1,
            batch: 1,
            version: Version::V311,
            seed: 7,
            crowd: Arc::new(Crowd::Invented(50)),
            from: 1_767_225_600_000,
            time: None,
            records: Some(RECORDS),
            rate: Some(100.0),
            patience: PATIENCE,
        };
        let log: Arc<Mutex<Vec<u8>>> = Arc::default();
        let writer: load::Log = log.clone();
        let gauge = Arc::new(Gauge::default());
        let task = tokio::spawn({
            let gauge = gauge.clone();
            async move { load::run(&plan, Some(writer), gauge).await }
        });
        Self { gauge, log, task }
    }

    fn acked(&self) -> u64 {
        self.gauge.acked()
    }

    /// Until everything is acknowledged; how it went, and the log of it.
    async fn end(self) -> (Report, Vec<u8>) {
        let ended = timeout(PATIENCE, self.task).await.expect("it ends");
        let report = ended.expect("it lived").expect("it was let in");
        let log = std::mem::take(&mut *self.log.lock().expect("a log"));
        (report, log)
    }
}

fn ready(server: &Server) -> String {
    get(&format!("{}/readyz", server.http))
}

#[tokio::test(flavor = "multi_thread")]
async fn work_resumes_within_ten_seconds_of_the_database_coming_back() {
    let Some(programs) = programs() else { return };
    let mut database = Database::new(&programs);
    let store = postgres_server::database(&database.url(), "city").await;
    let folder = tempfile::tempdir().unwrap();
    let (data, config) = (folder.path().join("data"), folder.path().join("hemu.toml"));
    std::fs::write(&config, format!("store = \"{store}\"\n")).unwrap();
    let config = config.to_string_lossy();
    let on = |arguments: &[&str]| succeed(&data, &[&["--config", &*config][..], arguments].concat());
    let key: Key = serde_json::from_str(&on(&["device", "add", "st01"])).unwrap();
    let server = Server::run(&data, 0, &["serve", "--config", &config]);
    let failures = || metric(&server.metrics, "hemu_ingest_commit_failures_total");
    let sender = Sender::begin(server.mqtt, key);
    until("acknowledgements", || sender.acked() >= 20);

    database.stop();
    // One record is on its way at a time, so this is the one that is withheld. Four attempts take more than a second:
    // whatever was acknowledged before has arrived.
    until("a record that cannot be stored", || failures() >= 4);
    let held = sender.acked();
    assert!(held < RECORDS, "everything was sent before the database was gone");
    let told = ready(&server);
    assert!(
        told.starts_with("HTTP/1.1 503") && told.contains(WITHHELD),
        "{told}"
    );
    until("it is tried again", || failures() >= 6);
    assert_eq!(sender.acked(), held, "acknowledged and not stored");

    database.start();
    // Returns as soon as it takes connections.
    postgres_server::database(&database.url(), "city").await;
    let back = Instant::now();
    while sender.acked() == held {
        assert!(back.elapsed() < WITHIN, "not acknowledged within {WITHIN:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!("acknowledged {:?} after the database was back", back.elapsed());
    until("ready again", || ready(&server).starts_with("HTTP/1.1 200"));

    let (report, log) = sender.end().await;
    // Over the connection it had: nobody was sent away, and nothing had to be sent twice.
    assert_eq!(
        (report.acked, report.refused, report.resent, report.reconnects),
        (RECORDS, 0, 0, 0)
    );
    assert!(server.terminate().success());
    is_verified(&on(&["verify"]));
    let export = on(&["export", "--csv", "-"]);
    holds_exactly(&export, &log, RECORDS);
}
