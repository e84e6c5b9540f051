//! Other processes: the real server, a real broker. Each is started in a folder of its own, on loopback, and ended by its
//! own pid. Must not: signal a process that was not started here.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::Instant;

/// Nothing takes longer to start or to end unless it is broken.
const PATIENCE: Duration = Duration::from_mins(2);

/// A data folder and how the program is run on it.
#[derive(Debug, Clone)]
pub struct Home {
    /// The `hemu` binary.
    pub program: PathBuf,
    /// Its data folder.
    pub data: PathBuf,
    /// Where its log goes.
    pub log: PathBuf,
    /// The MQTT port, the same after every restart.
    pub port: u16,
    /// Its configuration file, if it needs one.
    pub config: Option<PathBuf>,
    /// The PostgreSQL its tables are in, if they are not in the data folder.
    pub store: Option<String>,
    /// What it does of the work, if not all of it.
    pub roles: Option<&'static str>,
    /// More environment for the server: limits, the disk shim.
    pub environment: Vec<(String, String)>,
}

/// A port that was free a moment ago.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

impl Home {
    fn program(&self) -> Command {
        let mut command = Command::new(&self.program);
        for name in [
            "HEMU_DATA",
            "HEMU_CONFIG",
            "HEMU_STORE",
            "HEMU_SECRETS_FILE",
            "LC_ALL",
            "LC_MESSAGES",
        ] {
            command.env_remove(name);
        }
        if let Some(store) = &self.store {
            command.env("HEMU_STORE", store);
            // Nodes of one store need the same key file, wherever their folders are.
            command.env("HEMU_SECRETS_FILE", self.data.with_file_name("secrets.key"));
        }
        command.env("LANG", "C").arg("--data").arg(&self.data);
        if let Some(config) = &self.config {
            command.arg("--config").arg(config);
        }
        command
    }

    /// Runs a command to its end: its stdout, or an error with everything it said.
    pub fn command(&self, arguments: &[&str]) -> Result<String> {
        let output = self.program().args(arguments).stdin(Stdio::null()).output()?;
        let (out, err) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        ensure!(
            output.status.success(),
            "hemu {}: {}{}",
            arguments.join(" "),
            out.trim(),
            err.trim()
        );
        Ok(out.into_owned())
    }

    /// Lets a program in that looks at the site; its token.
    pub fn let_in(&self) -> Result<String> {
        self.command(&["user", "add", "watcher", "--role", "auditor", "--code"])?;
        let scopes = [
            "token", "add", "watcher", "--scopes", "see_site", "--label", "torture",
        ];
        let told: serde_json::Value = serde_json::from_str(&self.command(&scopes)?)?;
        told["token"].as_str().map(str::to_owned).context("no token")
    }

    /// Starts the server and waits until it says that it is ready.
    pub fn serve(&self) -> Result<Server> {
        let log = OpenOptions::new().create(true).append(true).open(&self.log)?;
        let began = Instant::now();
        let mut child = self
            .program()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .args([
                "serve",
                "--http-listen",
                "127.0.0.1:0",
                "--metrics-listen",
                "127.0.0.1:0",
                "--mqtt-listen",
            ])
            .arg(format!("127.0.0.1:{}", self.port))
            .args(self.roles.into_iter().flat_map(|roles| ["--roles", roles]))
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .with_context(|| format!("{} cannot be started", self.program.display()))?;
        let stdout = child.stdout.take().context("no stdout")?;
        let mut server = Server {
            child,
            mqtt: ([127, 0, 0, 1], self.port).into(),
            http: String::new(),
            metrics: String::new(),
            started_in: Duration::ZERO,
        };
        for line in BufReader::new(stdout).lines() {
            let line = line?;
            match line.split_once(' ') {
                Some(("http", url)) => url.clone_into(&mut server.http),
                Some(("metrics", url)) => url.clone_into(&mut server.metrics),
                _ if line == "ready" => {
                    server.started_in = began.elapsed();
                    return Ok(server);
                }
                _ => {}
            }
        }
        bail!(
            "the server ended before it was ready; {} says why",
            self.log.display()
        )
    }
}

/// A running `hemu serve`, killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where devices talk to it.
    pub mqtt: SocketAddr,
    /// Where people do.
    pub http: String,
    metrics: String,
    /// From its start to `ready`.
    pub started_in: Duration,
}

impl Server {
    /// `kill -9`.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Keeps it from running for a while, as a stalled machine would.
    pub fn stop(&self) -> Result<()> {
        signal(&self.child, Signal::STOP)
    }

    /// Lets it go on.
    pub fn go_on(&self) -> Result<()> {
        signal(&self.child, Signal::CONT)
    }

    /// SIGTERM, on which it has to end in order.
    pub fn end(mut self) -> Result<()> {
        signal(&self.child, Signal::TERM)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success(), "the server ended with {status} on SIGTERM");
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "the server does not end on SIGTERM");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Whether it still runs.
    pub fn lives(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Its resident memory in KiB.
    pub fn rss_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok())
            .unwrap_or(0)
    }

    /// The status and body of a GET on its HTTP face.
    pub fn get(&self, path: &str) -> Result<(u16, String)> {
        self.ask(path, "")
    }

    /// The same for whoever has a token.
    pub fn get_as(&self, token: &str, path: &str) -> Result<(u16, String)> {
        self.ask(path, &format!("authorization: Bearer {token}\r\n"))
    }

    /// Where its pages are.
    pub fn http_addr(&self) -> Result<SocketAddr> {
        Ok(self.http.strip_prefix("http://").context("no address")?.parse()?)
    }

    /// What some of its gauges show.
    pub fn gauges<const N: usize>(&self, names: [&str; N]) -> Result<[u64; N]> {
        let url = self.metrics.strip_suffix("/metrics").unwrap_or(&self.metrics);
        let (_, page) = ask(url, "/metrics", "")?;
        let mut found = [0; N];
        for (name, found) in names.into_iter().zip(&mut found) {
            let line = page
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            *found = line.with_context(|| format!("no {name}"))?.parse()?;
        }
        Ok(found)
    }

    fn ask(&self, path: &str, more: &str) -> Result<(u16, String)> {
        ask(&self.http, path, more)
    }
}

fn ask(url: &str, path: &str, more: &str) -> Result<(u16, String)> {
    let host = url.strip_prefix("http://").context("no address")?;
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: {host}\r\n{more}connection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let status = answer.split(' ').nth(1).and_then(|word| word.parse().ok());
    Ok((status.context("no status")?, answer))
}

fn signal(child: &Child, signal: Signal) -> Result<()> {
    Ok(kill_process(Pid::from_child(child), signal)?)
}

impl Drop for Server {
    fn drop(&mut self) {
        // Gone already unless the run was given up.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const MOSQUITTO: &str = "/usr/sbin/mosquitto";
const PASSWD: &str = "/usr/bin/mosquitto_passwd";
const INGEST: &str = "hemu-ingest";
const PASSWORD: &str = "12345678";
/// The configuration and rules that Hemu ships for it.
const SHIPPED: [(&str, &str); 2] = [
    (
        "mosquitto.conf",
        include_str!("../../services/ingest/broker/mosquitto.conf"),
    ),
    ("acl", include_str!("../../services/ingest/broker/acl")),
];

/// A running Mosquitto with the shipped configuration, killed when dropped.
#[derive(Debug)]
pub struct Mosquitto {
    child: Option<Child>,
    conf: PathBuf,
    /// Where it listens.
    pub addr: SocketAddr,
}

impl Mosquitto {
    /// Whether it is installed.
    pub fn is_there() -> bool {
        Path::new(MOSQUITTO).exists() && Path::new(PASSWD).exists()
    }

    /// Starts it in `folder` with a login for each of `keys`, and writes the server's configuration beside it.
    pub fn start(folder: &Path, keys: &[firmware_sim::keys::Key]) -> Result<(Self, PathBuf)> {
        let (port, here) = (free_port()?, folder.display());
        let [(name, conf), (acl, rules)] = SHIPPED;
        let conf = conf
            .replace("/etc/mosquitto/hemu/", &format!("{here}/"))
            .replace("/var/lib/mosquitto/", &format!("{here}/"))
            .replace("listener 1884 127.0.0.1", &format!("listener {port} 127.0.0.1"));
        let file = folder.join(name);
        std::fs::write(&file, conf + "user root\n")?;
        std::fs::write(folder.join(acl), rules)?;
        let passwords = folder.join("passwords");
        File::create(&passwords)?;
        let logins = keys.iter().map(|key| (key.device.as_str(), key.key.as_str()));
        for (user, password) in logins.chain([(INGEST, PASSWORD)]) {
            let made = Command::new(PASSWD)
                .arg("-b")
                .arg(&passwords)
                .args([user, password])
                .status()?;
            ensure!(made.success(), "mosquitto_passwd failed");
        }
        let server = folder.join("hemu.toml");
        std::fs::write(
            &server,
            format!(
                "broker_url = \"mqtt://127.0.0.1:{port}\"\nbroker_username = \"{INGEST}\"\nbroker_password = \"{PASSWORD}\"\n"
            ),
        )?;
        let mut started = Self {
            child: None,
            conf: file,
            addr: ([127, 0, 0, 1], port).into(),
        };
        started.go_on()?;
        Ok((started, server))
    }

    /// `kill -9`. Whether there was one.
    pub fn kill(&mut self) -> Result<bool> {
        let Some(mut child) = self.child.take() else {
            return Ok(false);
        };
        ensure!(child.try_wait()?.is_none(), "mosquitto ended by itself");
        child.kill()?;
        child.wait()?;
        Ok(true)
    }

    /// Starts it with what it has on its disk, on the same port, unless it runs.
    pub fn go_on(&mut self) -> Result<()> {
        if self.child.is_none() {
            self.child = Some(broker(&self.conf, self.addr.port())?);
        }
        Ok(())
    }
}

fn broker(conf: &Path, port: u16) -> Result<Child> {
    let mut child = Command::new(MOSQUITTO)
        .arg("-c")
        .arg(conf)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("mosquitto cannot be started")?;
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        ensure!(child.try_wait()?.is_none(), "mosquitto ended by itself");
        ensure!(Instant::now() < deadline, "mosquitto does not listen");
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(child)
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}
