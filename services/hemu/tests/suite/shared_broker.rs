//! Two ingest processes on one PostgreSQL that share what a broker has for their group: each message comes to one of
//! them. Whichever had it, and died with it, what a receipt covers is in the ledger, once.
#![expect(clippy::expect_used, reason = "a test's helper fails loudly")]

use std::path::{Path, PathBuf};
use std::process::Command;

use firmware_sim::keys::Key;
use tempfile::TempDir;

use crate::brokers::{self, Broker, is_there, until};
use crate::living::{Life, Lived, Pace, estate};
use crate::postgres_server::{self, Server, programs};
use crate::serve::metric;
use crate::support::{Node, is_verified, succeed};

/// From midnight to eleven in the evening, with both rushes.
const DAY: Pace = Pace {
    lives_ms: 23 * 60 * 60_000,
    seconds: 17,
};

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
        let mut hemu = Command::new(env!("CARGO_BIN_EXE_hemu"));
        // The broker keeps a session for each by its name.
        hemu.env("HEMU_BROKER_CLIENT_ID", name)
            .arg("--data")
            .arg(self.folder.path().join(name))
            .arg("--config")
            .arg(&self.config)
            .args(["serve", "--roles", roles, "--http-listen", "127.0.0.1:0"]);
        let node = Node::start(hemu.args(["--metrics-listen", "127.0.0.1:0"]));
        until("the broker grants the subscriptions", || {
            metric(node.metrics(), "hemu_broker_connected") == 1
        });
        node
    }

    /// What the ledger has: every deposit of that life, each once as it was sent, and no other; and it verifies.
    fn holds(&self, lived: &Lived) {
        is_verified(&self.on(&["verify"]));
        lived.is_all_of(&self.on(&["export", "--csv", "-"]));
    }
}

/// Records that a node wrote to the journal since it began.
fn stored(node: &Node) -> u64 {
    metric(node.metrics(), "hemu_ingest_records_total")
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
    let life = Life::begin(site.broker.port, &keys, DAY);
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
    let shares = [stored(&first), stored(&second)];
    assert!(
        shares.iter().all(|share| *share > 100),
        "hardly shared: {shares:?}"
    );
    second.kill();
    // Half of what devices send waits for it at the broker now; what receipts name as missing, they send again.
    let before = stored(&first);
    life.until("the other goes on alone", |_| stored(&first) >= before + 100)
        .await;
    let second = site.serve("second", "ingest");

    let lived = life.all_receipted().await;
    let ends = [stored(&first), stored(&second)];
    println!("stored by each: {shares:?} when one was killed, {ends:?} by those that were left");
    assert!(ends[1] > 0, "what came back was given nothing new");
    assert!(second.terminate().success() && first.terminate().success());
    site.holds(&lived);
}
