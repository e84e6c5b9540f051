//! Runs the real `hemu` binary on a folder and ports of its own.
#![expect(clippy::expect_used, reason = "a test's helper fails loudly")]

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use firmware_sim::keys::Key;

/// A running `hemu serve`, killed when dropped.
pub(crate) struct Server {
    child: Child,
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

impl Server {
    /// Starts a server and waits until it says that it is ready.
    pub(crate) fn start(data: &Path, mqtt_port: u16) -> Self {
        Self::run(data, mqtt_port, &["serve"])
    }

    /// The same for `serve` or `demo` with arguments of its own.
    pub(crate) fn run(data: &Path, mqtt_port: u16, command: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_hemu"))
            .env_remove("HEMU_DATA")
            .env("LC_ALL", "C")
            .arg("--data")
            .arg(data)
            .args(command)
            .args([
                "--http-listen",
                "127.0.0.1:0",
                "--metrics-listen",
                "127.0.0.1:0",
                "--mqtt-listen",
            ])
            .arg(format!("127.0.0.1:{mqtt_port}"))
            .stdout(Stdio::piped())
            .spawn()
            .expect("hemu starts");
        let stdout = child.stdout.take().expect("its stdout");
        let (mut mqtt, mut http, mut https, mut metrics) =
            (None, String::new(), String::new(), String::new());
        for line in BufReader::new(stdout).lines() {
            let line = line.expect("a line");
            match line.split_once(' ') {
                Some(("mqtt", address)) => mqtt = address.parse().ok(),
                Some(("http", url)) => url.clone_into(&mut http),
                Some(("https", url)) => url.clone_into(&mut https),
                Some(("metrics", url)) => url.clone_into(&mut metrics),
                _ if line == "ready" => break,
                _ => {}
            }
        }
        let mqtt = mqtt.expect("the server said where it listens before it ended");
        Self {
            child,
            mqtt,
            http,
            https,
            metrics,
        }
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
    }

    /// SIGTERM, and how it ended.
    pub(crate) fn terminate(mut self) -> ExitStatus {
        let done = Command::new("kill")
            .args(["-TERM", &self.pid().to_string()])
            .status();
        assert!(done.expect("kill runs").success());
        self.child.wait().expect("gone")
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Gone already when the test ended it; a failed test must not leave it behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
