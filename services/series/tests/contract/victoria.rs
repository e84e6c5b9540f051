//! A VictoriaMetrics of a test's own.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

const PROGRAM: &str = "/usr/bin/victoria-metrics";

/// A running server, killed when dropped.
#[derive(Debug)]
pub(crate) struct Victoria {
    child: Child,
    port: u16,
    folder: TempDir,
}

impl Drop for Victoria {
    fn drop(&mut self) {
        // Gone already when the test ended it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    free.local_addr().unwrap().port()
}

fn spawn(port: u16, folder: &Path) -> Child {
    Command::new(PROGRAM)
        .arg(format!("-httpListenAddr=127.0.0.1:{port}"))
        .arg(format!("-storageDataPath={}", folder.join("data").display()))
        .args([
            "-retentionPeriod=100y",
            "-memory.allowedBytes=100MB",
            "-loggerLevel=ERROR",
        ])
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Waits for something to be so.
pub(crate) fn until(mut so: impl FnMut() -> bool) {
    let came = (0..3_000).any(|_| {
        let so = so();
        if !so {
            std::thread::sleep(Duration::from_millis(20));
        }
        so
    });
    assert!(came, "not so within a minute");
}

impl Victoria {
    /// `None` when it is not installed and need not be.
    pub(crate) fn start() -> Option<Self> {
        if !Path::new(PROGRAM).exists() {
            let asked = std::env::var("HEMU_TEST_REQUIRE").unwrap_or_default();
            assert!(
                !asked.split_whitespace().any(|name| name == "victoria-metrics"),
                "{PROGRAM} is not there and HEMU_TEST_REQUIRE asks for it"
            );
            println!("skipped: {PROGRAM} is not there");
            return None;
        }
        let (port, folder) = (free_port(), tempfile::tempdir().unwrap());
        let child = spawn(port, folder.path());
        let mut server = Self { child, port, folder };
        server.wait();
        Some(server)
    }

    fn wait(&mut self) {
        until(|| {
            assert!(
                self.child.try_wait().unwrap().is_none(),
                "victoria-metrics ended by itself"
            );
            self.get("/health").is_some_and(|answer| answer.contains(" 200 "))
        });
    }

    pub(crate) fn url(&self) -> String {
        format!("victoriametrics+http://127.0.0.1:{}/", self.port)
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again where it was.
    pub(crate) fn restart(&mut self) {
        self.child = spawn(self.port, self.folder.path());
        self.wait();
    }

    /// What was taken can be asked for afterwards.
    pub(crate) fn flush(&self) {
        self.get("/internal/force_flush").unwrap();
    }

    pub(crate) fn get(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }
}
