//! Runs the real `hemu` binary on a folder and ports of its own.
#![expect(clippy::expect_used, clippy::panic, reason = "a test's helper fails loudly")]

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use firmware_sim::keys::Key;
use firmware_sim::oracle::Oracle;

/// A running `hemu serve` with whatever roles, killed when dropped.
pub(crate) struct Node {
    child: Child,
    /// What it said before it was ready, a name and where it listens.
    said: Vec<(String, String)>,
}

/// One with all roles.
pub(crate) struct Server {
    node: Node,
    pub(crate) mqtt: SocketAddr,
    pub(crate) http: String,
    /// Empty where it does not listen there.
    pub(crate) https: String,
    pub(crate) metrics: String,
}

/// Runs a command to its end.
pub(crate) fn hemu(data: &Path, arguments: &[&str]) -> Output {
    hemu_in("C", data, arguments)
}

/// The same where people speak the language of a locale.
pub(crate) fn hemu_in(locale: &str, data: &Path, arguments: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_hemu"))
        .env_remove("HEMU_DATA")
        .env_remove("LC_ALL")
        .env_remove("LC_MESSAGES")
        .env("LANG", locale)
        .arg("--data")
        .arg(data)
        .args(arguments)
        .output();
    output.expect("hemu runs")
}

/// Runs a command with settings in its environment.
pub(crate) fn hemu_with(data: &Path, arguments: &[&str], settings: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hemu"));
    command.env_remove("HEMU_DATA").env("LC_ALL", "C");
    let output = command
        .envs(settings.iter().copied())
        .arg("--data")
        .arg(data)
        .args(arguments)
        .output();
    output.expect("hemu runs")
}

/// Runs a command that must succeed; its stdout.
pub(crate) fn succeed(data: &Path, arguments: &[&str]) -> String {
    let output = hemu(data, arguments);
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "hemu {arguments:?}: {out}{err}");
    out.into_owned()
}

/// Runs a command that must fail with exit 1; its stderr, which is one sentence.
pub(crate) fn refuse(data: &Path, arguments: &[&str]) -> String {
    let output = hemu(data, arguments);
    assert_eq!(output.status.code(), Some(1), "hemu {arguments:?}");
    let text = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    assert_eq!(text.lines().count(), 1, "one sentence expected: {text}");
    text
}

/// Registers a device through the command line.
pub(crate) fn add_device(data: &Path, id: &str) -> Key {
    serde_json::from_str(&succeed(data, &["device", "add", id])).expect("one JSON line")
}

/// A port that was free a moment ago, for a server that must come back on the same one.
pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

/// Whether `.ci/run` insists on a server or browser that is absent here.
pub(crate) fn required(name: &str) -> bool {
    std::env::var("HEMU_TEST_REQUIRE")
        .is_ok_and(|names| names.split_whitespace().any(|required| required == name))
}

impl Node {
    /// Starts a command that serves, and waits until it says that it is ready.
    pub(crate) fn start(command: &mut Command) -> Self {
        let child = command
            .env("LC_ALL", "C")
            .env_remove("HEMU_DATA")
            .stdout(Stdio::piped())
            .spawn();
        let mut node = Self {
            child: child.expect("hemu starts"),
            said: Vec::new(),
        };
        let stdout = node.child.stdout.take().expect("its stdout");
        for line in BufReader::new(stdout).lines() {
            let line = line.expect("a line");
            if line == "ready" {
                return node;
            }
            if let Some((name, place)) = line.split_once(' ') {
                node.said.push((name.to_owned(), place.to_owned()));
            }
        }
        panic!("it ended before it was ready: {:?}", node.said)
    }

    /// Where it listens under this name, if it does.
    pub(crate) fn place(&self, name: &str) -> Option<&str> {
        let mut said = self.said.iter();
        said.find_map(|(said, place)| (said == name).then_some(place.as_str()))
    }

    /// Where its metrics are.
    pub(crate) fn metrics(&self) -> &str {
        self.place("metrics").expect("every node has them")
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
    }

    /// SIGTERM, and how it ended.
    pub(crate) fn terminate(mut self) -> ExitStatus {
        let done = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status();
        assert!(done.expect("kill runs").success());
        self.child.wait().expect("gone")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Gone already when the test ended it; a failed test must not leave it behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts a server and waits until it says that it is ready.
    pub(crate) fn start(data: &Path, mqtt_port: u16) -> Self {
        Self::run(data, mqtt_port, &["serve"])
    }

    /// The same for `serve` or `demo` with arguments of its own.
    pub(crate) fn run(data: &Path, mqtt_port: u16, command: &[&str]) -> Self {
        let mut hemu = Command::new(env!("CARGO_BIN_EXE_hemu"));
        hemu.arg("--data").arg(data).args(command);
        hemu.args(["--http-listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"]);
        let mqtt = format!("127.0.0.1:{mqtt_port}");
        let node = Node::start(hemu.args(["--mqtt-listen", &mqtt]));
        let place = |name| node.place(name).unwrap_or_default().to_owned();
        Self {
            mqtt: place("mqtt").parse().expect("where it listens for devices"),
            http: place("http"),
            https: place("https"),
            metrics: place("metrics"),
            node,
        }
    }

    /// `kill -9`.
    pub(crate) fn kill(self) {
        self.node.kill();
    }

    /// SIGTERM, and how it ended.
    pub(crate) fn terminate(self) -> ExitStatus {
        self.node.terminate()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.node.child.id()
    }
}

/// What `hemu verify` said: that nothing is wrong.
#[track_caller]
pub(crate) fn is_verified(said: &str) {
    assert!(
        said.contains("every row is what the journal adds up to"),
        "{said}"
    );
}

/// What `hemu export` said: every deposit that a log has as acknowledged, so many, each once as it was sent, and no other.
#[track_caller]
pub(crate) fn holds_exactly(export: &str, log: &[u8], deposits: u64) {
    let oracle = Oracle::read(log).expect("a log");
    let verdict = oracle.check(export.as_bytes()).expect("an export");
    assert!(verdict.ok(), "{verdict:?}");
    assert_eq!(
        (verdict.acked, verdict.rows, verdict.foreign),
        (deposits, deposits, 0),
        "acknowledged, in the export, of devices that sent nothing"
    );
}
