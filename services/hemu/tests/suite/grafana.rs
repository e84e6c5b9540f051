//! The operators' dashboards and alarms, asked of a real Prometheus that scrapes a real server behind a real broker: every
//! expression names what exists, and every alarm can fire.
#![expect(clippy::expect_used, reason = "a test's helper fails loudly")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::brokers::{Broker, is_there, until};
use crate::serve::get;
use crate::support::{Server, add_device, free_port, required};

const PROMETHEUS: &str = "/usr/bin/prometheus";
const PROMTOOL: &str = "/usr/bin/promtool";

/// What has no series on a server that is well, and why.
const SILENT: [(&str, &str); 2] = [
    (
        "hemu_endpoint_timeouts_total",
        "its label comes with the first wait that runs out, which takes minutes",
    ),
    (
        "hemu_endpoint_sessions_ended_total",
        "its label comes with the first session that the endpoint has to end",
    ),
];

fn dashboards() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dashboards")
}

/// Whether Prometheus is installed; says so when not, unless it has to be.
fn prometheus_is_there() -> bool {
    let missing = [PROMETHEUS, PROMTOOL]
        .into_iter()
        .find(|path| !Path::new(path).exists());
    let Some(missing) = missing else { return true };
    assert!(
        !required("prometheus"),
        "{missing} is not there and HEMU_TEST_REQUIRE asks for it"
    );
    println!("skipped: {missing} is not there; install prometheus");
    false
}

/// A running Prometheus, killed when dropped.
struct Prometheus {
    child: Child,
    port: u16,
}

impl Prometheus {
    /// With the shipped configuration, but for whom it asks and how often.
    fn start(folder: &Path, metrics: &str) -> Self {
        let target = metrics.trim_start_matches("http://").trim_end_matches("/metrics");
        let shipped = dashboards().join("prometheus");
        let text = std::fs::read_to_string(shipped.join("prometheus.yml")).expect("the configuration");
        let here = text.replace("hemu:9090", target).replace("15s", "1s");
        assert!(here.contains(target) && here.contains("_interval: 1s"), "{here}");
        std::fs::write(folder.join("prometheus.yml"), here).expect("written");
        std::fs::copy(shipped.join("alerts.yml"), folder.join("alerts.yml")).expect("the alarms");
        let port = free_port();
        let child = Command::new(PROMETHEUS)
            .arg("--config.file")
            .arg(folder.join("prometheus.yml"))
            .arg("--storage.tsdb.path")
            .arg(folder.join("prometheus"))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--log.level=error")
            .stdout(Stdio::null())
            .spawn()
            .expect("prometheus starts");
        let prometheus = Self { child, port };
        until("prometheus listens", || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        prometheus
    }

    /// What its API says.
    fn ask(&self, path: &str) -> Value {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("prometheus answers");
        // A client of 1.0 is answered in one piece.
        write!(stream, "GET /api/v1/{path} HTTP/1.0\r\n\r\n").expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (_, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        serde_json::from_str(body).expect("JSON")
    }

    /// How many series an expression has now.
    fn series(&self, expression: &str) -> usize {
        let answer = self.ask(&format!("query?query={}", encoded(expression)));
        assert_eq!(answer["status"], "success", "{expression}: {answer}");
        answer["data"]["result"].as_array().map_or(0, Vec::len)
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // Gone already when it ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut all, byte| {
        write!(all, "%{byte:02X}").expect("into a string");
        all
    })
}

/// Every expression of every dashboard, with where it is.
fn expressions() -> Vec<(String, String)> {
    let folder = std::fs::read_dir(dashboards().join("grafana/dashboards")).expect("the dashboards");
    let mut found = Vec::new();
    let mut uids = BTreeSet::new();
    for file in folder {
        let path = file.expect("a file").path();
        let text = std::fs::read_to_string(&path).expect("a dashboard");
        let dashboard: Value = serde_json::from_str(&text).expect("JSON");
        assert!(uids.insert(dashboard["uid"].to_string()), "{}", path.display());
        for panel in dashboard["panels"].as_array().expect("panels") {
            for target in panel["targets"].as_array().into_iter().flatten() {
                assert_eq!(target["datasource"]["uid"], "prometheus", "{}", panel["title"]);
                let expression = target["expr"].as_str().expect("an expression");
                let here = expression.replace("$__rate_interval", "10s");
                found.push((format!("{}: {}", path.display(), panel["title"]), here));
            }
        }
    }
    found
}

/// The metrics that an expression names.
fn names(expression: &str) -> BTreeSet<&str> {
    let words = expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("hemu_")).collect()
}

fn is_silent(expression: &str) -> bool {
    SILENT.iter().any(|(name, _)| names(expression).contains(name))
}

/// Something of everything that is counted by its label: a reading, a wrong key, questions of people.
fn live_a_little(server: &Server, data: &Path) {
    let port = server.mqtt.port().to_string();
    let publish = |key: &str, topic: &str| {
        let deposit = r#"{"boot":1,"seq":1,"at":1772323200000,"stream":"food","weight_g":900}"#;
        Command::new("/usr/bin/mosquitto_pub")
            .args(["-h", "127.0.0.1", "-p", &port, "-q", "1", "-i", "st01"])
            .args(["-u", "st01", "-P", key, "-t", topic, "-m", deposit])
            .stderr(Stdio::null())
            .status()
            .expect("mosquitto_pub runs")
    };
    let key = add_device(data, "st01").key;
    assert!(publish(&key, "hemu/v1/st01/deposit").success());
    assert!(!publish("guess", "hemu/v1/st01/deposit").success());
    for path in ["/api/v1/site", "/api/v1/overview", "/healthz"] {
        get(&format!("{}{path}", server.http));
    }
}

#[test]
fn every_expression_of_every_dashboard_and_alarm_has_a_series() {
    if !prometheus_is_there() || !is_there("mosquitto") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let broker = Broker::mosquitto(folder.path(), &[]);
    let config = broker.config(folder.path(), "");
    let server = Server::run(&data, 0, &["serve", "--config", &config.to_string_lossy()]);
    let prometheus = Prometheus::start(folder.path(), &server.metrics);
    live_a_little(&server, &data);
    let mut all = expressions();
    assert!(all.len() > 60, "{}", all.len());
    let rules = prometheus.ask("rules");
    let groups = rules["data"]["groups"].as_array().expect("groups");
    let alarms = groups
        .iter()
        .filter_map(|group| group["rules"].as_array())
        .flatten();
    for alarm in alarms {
        let query = alarm["query"].as_str().expect("an expression");
        let (value, number) = query.rsplit_once(['<', '>']).expect("a value compared");
        number.trim().parse::<f64>().expect("with a number");
        for text in ["summary", "runbook", "runbook_zh"] {
            assert!(
                alarm["annotations"][text].is_string(),
                "{}: {text}",
                alarm["name"]
            );
        }
        all.push((alarm["name"].to_string(), value.trim().to_owned()));
    }
    for (place, expression) in all.iter().filter(|(_, expression)| !is_silent(expression)) {
        until(&format!("{place}: a series of {expression}"), || {
            prometheus.series(expression) > 0
        });
        // What is a sum of something or nothing must not hide a name that nobody has.
        for name in names(expression) {
            assert!(prometheus.series(name) > 0, "{place}: there is no {name}");
        }
    }
    for (name, why) in SILENT {
        assert!(
            all.iter().any(|(_, expression)| names(expression).contains(name)),
            "{name}"
        );
        assert_eq!(
            prometheus.series(name),
            0,
            "{name} has a series, take it off the list: {why}"
        );
    }
    assert!(server.terminate().success());
}

#[test]
fn every_alarm_fires_when_it_is_time_and_none_before() {
    if !prometheus_is_there() {
        return;
    }
    let folder = dashboards().join("prometheus");
    for arguments in [
        ["check", "config", "prometheus.yml"],
        ["check", "rules", "alerts.yml"],
        ["test", "rules", "alerts.test.yml"],
    ] {
        let run = Command::new(PROMTOOL)
            .args(arguments)
            .current_dir(&folder)
            .output();
        let run = run.expect("promtool runs");
        let said = [run.stdout, run.stderr].concat();
        assert!(
            run.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&said)
        );
    }
    let alarms = std::fs::read_to_string(folder.join("alerts.yml")).expect("the alarms");
    let tests = std::fs::read_to_string(folder.join("alerts.test.yml")).expect("their tests");
    for name in alarms.lines().filter_map(|line| line.split_once("- alert: ")) {
        let fires = format!("alertname=\"{}\"", name.1);
        assert!(tests.contains(&fires), "no test says that it fires: {fires}");
    }
}
