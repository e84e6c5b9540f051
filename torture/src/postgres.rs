//! A PostgreSQL of this run's own, or two of which one follows the other: loopback, a free port, a folder of its own, killed
//! and started again as any other part of a site. Must not: touch a server that was not started here.

use std::fs::OpenOptions;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, getuid, kill_process};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection};
use tempfile::TempDir;
use tokio::time::Instant;

use crate::child::free_port;

/// Where Debian keeps a version's programs.
const VERSIONS: &str = "/usr/lib/postgresql";
/// Who runs it when we are root, which it refuses to be.
const OWNER: &str = "postgres";
const PATIENCE: Duration = Duration::from_mins(2);
const LOOK: Duration = Duration::from_millis(20);
/// What a standby calls itself, so that its primary knows whom to wait for.
const STANDBY: &str = "hemu_standby";

/// A server, ended when dropped.
#[derive(Debug)]
pub struct Postgres {
    programs: PathBuf,
    folder: TempDir,
    port: u16,
    child: Option<Child>,
    /// Whether its commits wait for a standby.
    waits: bool,
    /// The port of the primary that it was made to follow.
    follows: Option<u16>,
}

/// The programs of the newest version that is installed.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir(VERSIONS).ok()?.filter_map(Result::ok);
    let bins = versions.map(|version| version.path().join("bin"));
    bins.filter(|bin| bin.join("postgres").exists()).max()
}

impl Postgres {
    /// Whether one is installed.
    pub fn is_there() -> bool {
        programs().is_some()
    }

    /// Makes a cluster in a folder below `work`, and starts its server.
    pub fn start(work: &Path) -> Result<Self> {
        let mut server = Self::nothing_yet(work)?;
        let mut initdb = server.program("initdb");
        initdb.args(["-U", "hemu", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]);
        server.make(initdb.arg("--no-sync"))?;
        server.go_on()?;
        Ok(server)
    }

    /// Copies a running server, and starts the copy as its standby.
    pub fn standby_of(primary: &Self, work: &Path) -> Result<Self> {
        let mut server = Self::nothing_yet(work)?;
        let mut copy = server.program("pg_basebackup");
        copy.args(["-U", "hemu", "-h", "127.0.0.1", "-p"])
            .arg(primary.port.to_string());
        server.make(copy.args(["-R", "-X", "stream", "-c", "fast", "--no-sync"]))?;
        (server.waits, server.follows) = (primary.waits, Some(primary.port));
        server.go_on()?;
        Ok(server)
    }

    /// A folder and a port.
    fn nothing_yet(work: &Path) -> Result<Self> {
        // Not in the scene's folder: nobody but its maker may look into that.
        let folder = tempfile::Builder::new()
            .prefix("hemu-torture-pg-")
            .tempdir_in(work)?;
        if getuid().is_root() {
            let (owner, group) = owner()?;
            std::os::unix::fs::chown(folder.path(), Some(owner), Some(group))?;
        }
        Ok(Self {
            programs: programs().context("PostgreSQL is not installed")?,
            folder,
            port: free_port()?,
            child: None,
            waits: false,
            follows: None,
        })
    }

    /// Has a program make the data folder.
    fn make(&self, program: &mut Command) -> Result<()> {
        let made = program.arg("-D").arg(self.data()).output()?;
        ensure!(
            made.status.success(),
            "{}: {}",
            program.get_program().display(),
            String::from_utf8_lossy(&made.stderr)
        );
        Ok(())
    }

    /// From now on every commit waits until a standby has it too. Starts again for it.
    pub fn wait_for_standby(&mut self) -> Result<()> {
        self.waits = true;
        self.kill()?;
        self.go_on()
    }

    /// Makes a primary of a standby.
    pub async fn promote(&self) -> Result<()> {
        let promoted: bool = self.ask("select pg_promote(true, 60)").await?;
        ensure!(
            promoted,
            "it is no primary after a minute: {}",
            self.log().display()
        );
        Ok(())
    }

    /// Until a standby follows.
    pub async fn until_followed(&self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        let streaming = "select exists (select from pg_stat_replication where state = 'streaming')";
        while !self.ask(streaming).await? {
            ensure!(
                Instant::now() < deadline,
                "no standby follows: {}",
                self.log().display()
            );
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    async fn ask(&self, question: &'static str) -> Result<bool> {
        let options: PgConnectOptions = self.url().parse()?;
        let mut connection: PgConnection = options.disable_statement_logging().connect().await?;
        let answer = sqlx::query_scalar(question).fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok(answer)
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    /// Where it is, as `HEMU_STORE` has it.
    pub fn url(&self) -> String {
        format!("postgres://hemu@127.0.0.1:{}/postgres", self.port)
    }

    /// `kill -9` of the server; what serves its connections ends by itself a moment later. Whether there was one.
    pub fn kill(&mut self) -> Result<bool> {
        let Some(mut child) = self.child.take() else {
            return Ok(false);
        };
        child.kill()?;
        child.wait()?;
        Ok(true)
    }

    /// Starts it on what is there, and waits until it answers.
    pub fn go_on(&mut self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            ensure!(
                Instant::now() < deadline,
                "PostgreSQL does not start: {}",
                self.log().display()
            );
            let ended = match &mut self.child {
                Some(child) => child.try_wait()?.is_some(),
                None => true,
            };
            if ended {
                // It refuses as long as something of the one before still lives.
                self.child = Some(self.spawn()?);
            } else if self.answers()? {
                return Ok(());
            }
            std::thread::sleep(LOOK);
        }
    }

    fn spawn(&self) -> Result<Child> {
        let log = OpenOptions::new().create(true).append(true).open(self.log())?;
        self.program("postgres")
            .arg("-D")
            .arg(self.data())
            .arg("-p")
            .arg(self.port.to_string())
            .arg("-k")
            .arg(self.folder.path())
            .args(["-c", "listen_addresses=127.0.0.1", "-c", "max_connections=300"])
            .args(["-c", "shared_buffers=64MB"])
            // A standby that is being promoted is asked, and does not break off its answer for what it replays.
            .args(["-c", "max_standby_streaming_delay=-1"])
            .args(self.settings())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("PostgreSQL cannot be started")
    }

    /// What is not the same for every server here.
    fn settings(&self) -> Vec<String> {
        let mut settings = Vec::new();
        if self.waits {
            settings.push(format!("--synchronous_standby_names={STANDBY}"));
        }
        if let Some(port) = self.follows {
            settings.push(format!(
                "--primary_conninfo=host=127.0.0.1 port={port} user=hemu application_name={STANDBY}"
            ));
        }
        settings
    }

    fn answers(&self) -> Result<bool> {
        let asked = self
            .program("pg_isready")
            .args(["-q", "-h", "127.0.0.1", "-p"])
            .arg(self.port.to_string())
            .status()?;
        Ok(asked.success())
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("server.log")
    }

    fn program(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        let mut command = if getuid().is_root() {
            let mut command = Command::new("setpriv");
            let (user, group) = (format!("--reuid={OWNER}"), format!("--regid={OWNER}"));
            command.args([&user, &group, "--clear-groups"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir("/").stdin(Stdio::null());
        command
    }
}

/// The user and group that its package made.
fn owner() -> Result<(u32, u32)> {
    let home = std::fs::metadata("/var/lib/postgresql").context("the package of PostgreSQL made no user")?;
    Ok((home.uid(), home.gid()))
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Ends at once, and takes its shared memory with it. Gone already unless the run was given up.
            let _ = kill_process(Pid::from_child(&child), Signal::QUIT);
            let _ = child.wait();
        }
    }
}
