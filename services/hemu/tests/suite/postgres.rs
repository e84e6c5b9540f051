//! A site in a PostgreSQL: moved there from files and back, and run by several nodes of which one after the other dies.
#![expect(clippy::expect_used, reason = "a test's helper fails loudly")]

use std::io::Cursor;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use firmware_sim::draw::Dice;
use firmware_sim::keys::Key;
use firmware_sim::load::{self, Crowd, Gauge, Plan};
use firmware_sim::mqtt::Version;
use firmware_sim::oracle::Oracle;

use crate::lists::{import_all, lists_of};
use crate::postgres_server::{self, Server, programs};
use crate::serve::get;
use crate::support::{Node, free_port, is_verified, succeed};

/// Runs a command on a site in a PostgreSQL that must succeed; its stdout.
fn on(store: &str, data: &Path, arguments: &[&str]) -> String {
    let output = command(store, data).args(arguments).output().expect("hemu runs");
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "hemu {arguments:?}: {err}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn command(store: &str, data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hemu"));
    command
        .env_remove("HEMU_DATA")
        .env("LC_ALL", "C")
        .env("HEMU_STORE", store);
    // Every node needs the same key file, wherever its folder is.
    let shared = data.parent().expect("a folder for all").join("secrets.key");
    command.env("HEMU_SECRETS_FILE", shared);
    command.arg("--data").arg(data);
    command
}

#[tokio::test]
async fn a_site_moves_to_postgresql_and_back_with_equal_lists_and_the_same_chain() {
    let Some(programs) = programs() else { return };
    let server = Server::start(&programs, false);
    let store = postgres_server::database(&server.url(), "city").await;
    let folder = tempfile::tempdir().unwrap();
    let (files, node, back) = (
        folder.path().join("files"),
        folder.path().join("node"),
        folder.path().join("back"),
    );
    import_all(&files);
    let expected = lists_of(&files, |arguments| succeed(&files, arguments));

    let moved = succeed(&files, &["copy", &store]);
    let strangers = crate::support::hemu_with(&node, &["verify"], &[("HEMU_STORE", &store)]);
    let refused = String::from_utf8_lossy(&strangers.stderr);
    assert!(refused.contains("secrets.key is not there"), "{refused}");
    let key = |folder: &Path| folder.join("secrets.key");
    std::fs::copy(key(&files), key(folder.path())).expect("the key is there");
    // The chain's last hash is the only run of 64 digits that anybody says.
    let head = |text: &str| {
        let mut words = text.split(|c: char| !c.is_ascii_hexdigit());
        words.find(|word| word.len() == 64).map(str::to_owned)
    };
    assert_eq!(
        lists_of(&node, |arguments| on(&store, &node, arguments)),
        expected
    );
    is_verified(&on(&store, &node, &["verify"]));
    assert!(head(&moved).is_some(), "{moved}");
    assert_eq!(head(&moved), head(&succeed(&files, &["verify"])));

    // Into what is not empty: refused, and nothing is half there.
    let again = crate::support::hemu(&files, &["copy", &store]);
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&again.stderr).contains("holds a site already"));

    let home = on(&store, &node, &["copy", back.to_str().unwrap()]);
    assert_eq!(head(&home), head(&moved));
    assert_eq!(lists_of(&back, |arguments| succeed(&back, arguments)), expected);
    succeed(&back, &["verify"]);
}

/// Starts one process of several that share a PostgreSQL.
fn serve(store: &str, data: &Path, roles: &str, port: u16) -> Node {
    let mqtt = format!("127.0.0.1:{port}");
    let mut hemu = command(store, data);
    hemu.args(["serve", "--roles", roles, "--http-listen", "127.0.0.1:0"]);
    let node = Node::start(hemu.args(["--metrics-listen", "127.0.0.1:0", "--mqtt-listen", &mqtt]));
    let listens = ["mqtt", "http"].map(|name| node.place(name).is_some());
    assert_eq!(
        listens,
        [roles.contains("endpoint"), roles.contains("api")],
        "{roles}"
    );
    node
}

fn load_of(port: u16, devices: Vec<Key>, seed: u64, time: Duration) -> Plan {
    Plan {
        addr: SocketAddr::from(([127, 0, 0, 1], port)),
        devices,
        window: 64,
        batch: 1,
        version: Version::V5,
        seed,
        crowd: Arc::new(Crowd::Invented(500)),
        from: 1_767_225_600_000,
        time: Some(time),
        records: None,
        rate: Some(500.0),
        patience: Duration::from_mins(2),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_endpoints_two_projectors_and_an_api_share_a_database_and_each_dies_once() {
    let Some(programs) = programs() else { return };
    let server = Server::start(&programs, false);
    let store = postgres_server::database(&server.url(), "city").await;
    let folder = tempfile::tempdir().unwrap();
    let data = |name: &str| folder.path().join(name);
    let add = |id: &str| -> Key {
        serde_json::from_str(&on(&store, &data("admin"), &["device", "add", id])).expect("one JSON line")
    };
    let (of_first, of_second) = (vec![add("dev-a"), add("dev-b")], vec![add("dev-c"), add("dev-d")]);

    let ports = [free_port(), free_port()];
    let names = ["endpoint-1", "endpoint-2", "projector-1", "projector-2", "api"];
    let roles = ["endpoint", "endpoint", "projector", "projector,jobs", "api"];
    let start = |at: usize| {
        let port = ports.get(at).copied().unwrap_or(0);
        serve(&store, &data(names[at]), roles[at], port)
    };
    let mut nodes: Vec<Option<Node>> = (0..5).map(|at| Some(start(at))).collect();
    let time = Duration::from_secs(8);
    let log: Arc<Mutex<Vec<u8>>> = Arc::default();
    let loads = [
        load_of(ports[0], of_first, 7, time),
        load_of(ports[1], of_second, 8, time),
    ]
    .map(|plan| {
        let (writer, gauge): (load::Log, _) = (log.clone(), Arc::new(Gauge::default()));
        let watched = gauge.clone();
        (
            watched,
            tokio::spawn(async move { load::run(&plan, Some(writer), gauge).await }),
        )
    });
    // Both endpoints acknowledge before the first dies, and each dies after more was acknowledged.
    let mut dice = Dice::new(11, "nodes", 0);
    for victim in [0, 2, 4, 1, 3] {
        let before = loads[0].0.acked() + loads[1].0.acked();
        tokio::time::sleep(Duration::from_millis(u64::from(200 + dice.below(400)))).await;
        while loads[0].0.acked() + loads[1].0.acked() == before {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        nodes[victim].take().expect("it runs").kill();
        nodes[victim] = Some(start(victim));
    }
    let mut reconnects = 0;
    for (_, load) in loads {
        reconnects += load.await.unwrap().unwrap().reconnects;
    }
    assert!(reconnects > 0, "no connection was ever cut");
    let api = nodes[4].as_ref().expect("it runs");
    let http = api.place("http").expect("it listens");
    assert!(get(&format!("{http}/healthz")).starts_with("HTTP/1.1 200"));
    drop(nodes);

    is_verified(&on(&store, &data("admin"), &["verify"]));
    let export = data("export.csv");
    on(
        &store,
        &data("admin"),
        &["export", "--csv", export.to_str().unwrap()],
    );
    let log = std::mem::take(&mut *log.lock().unwrap());
    let verdict = Oracle::read(Cursor::new(log))
        .unwrap()
        .check(std::fs::File::open(&export).unwrap())
        .unwrap();
    println!(
        "5 nodes, 5 kills, {reconnects} reconnects, acknowledged {}, rows {}, missing {}, doubled {}, changed {}",
        verdict.acked, verdict.rows, verdict.missing, verdict.doubled, verdict.changed
    );
    assert!(verdict.ok(), "{verdict:?}");
    assert!(
        verdict.acked >= 1_000,
        "the load was too small to mean anything: {verdict:?}"
    );
}

/// The lines in which doctor speaks of a database.
fn doctor_on(store: &str, data: &Path) -> Vec<String> {
    let listeners = [
        ("HEMU_MQTT_LISTEN", "127.0.0.1:0"),
        ("HEMU_HTTP_LISTEN", "127.0.0.1:0"),
        ("HEMU_METRICS_LISTEN", "127.0.0.1:0"),
    ];
    let output = command(store, data).arg("doctor").envs(listeners).output();
    let said = output.expect("hemu runs").stdout;
    let said = String::from_utf8_lossy(&said).into_owned();
    let lines = said.lines().filter(|line| line.contains(" database: "));
    lines.map(str::to_owned).collect()
}

#[tokio::test]
async fn doctor_finds_a_database_that_forgets_and_a_standby_that_is_away() {
    let Some(programs) = programs() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("node");
    let careless = Server::start(&programs, false);
    let store = postgres_server::database(&careless.url(), "city").await;
    let said = doctor_on(&store, &data);
    assert!(
        said[0].starts_with("WRONG") && said[0].contains("fsync = on"),
        "{said:?}"
    );
    assert!(
        said[1].starts_with("ok") && said[1].contains("no standby"),
        "{said:?}"
    );

    let careful = Server::start(&programs, true);
    let store = postgres_server::database(&careful.url(), "city").await;
    let said = doctor_on(&store, &data);
    assert!(said.iter().all(|line| line.starts_with("ok")), "{said:?}");
    postgres_server::wait_for_standby(&careful.url(), "somebody").await;
    let said = doctor_on(&store, &data);
    assert!(
        said[1].starts_with("WRONG") && said[1].contains("nothing is acknowledged"),
        "{said:?}"
    );
}
