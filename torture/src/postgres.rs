//! A PostgreSQL of this run's own: loopback, a free port, a folder of its own, killed and started again as any other part
//! of a site. Must not: touch a server that was not started here.

use std::fs::OpenOptions;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, getuid, kill_process};
use tempfile::TempDir;
use tokio::time::Instant;

use crate::child::free_port;

/// Where Debian keeps a version's programs.
const VERSIONS: &str = "/usr/lib/postgresql";
/// Who runs it when we are root, which it refuses to be.
const OWNER: &str = "postgres";
const PATIENCE: Duration = Duration::from_mins(2);
const LOOK: Duration = Duration::from_millis(20);

/// A server, ended when dropped.
#[derive(Debug)]
pub struct Postgres {
    programs: PathBuf,
    folder: TempDir,
    port: u16,
    child: Option<Child>,
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
    pub fn start(work: &std::path::Path) -> Result<Self> {
        // Not in the scene's folder: nobody but its maker may look into that.
        let folder = tempfile::Builder::new()
            .prefix("hemu-torture-pg-")
            .tempdir_in(work)?;
        let mut server = Self {
            programs: programs().context("PostgreSQL is not installed")?,
            folder,
            port: free_port()?,
            child: None,
        };
        if getuid().is_root() {
            let (owner, group) = owner()?;
            std::os::unix::fs::chown(server.folder.path(), Some(owner), Some(group))?;
        }
        let made = server
            .program("initdb")
            .args([
                "-U",
                "hemu",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
            ])
            .arg("-D")
            .arg(server.folder.path().join("data"))
            .output()?;
        ensure!(
            made.status.success(),
            "initdb: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        server.go_on()?;
        Ok(server)
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
            .arg(self.folder.path().join("data"))
            .arg("-p")
            .arg(self.port.to_string())
            .arg("-k")
            .arg(self.folder.path())
            .args(["-c", "listen_addresses=127.0.0.1", "-c", "max_connections=300"])
            .args(["-c", "shared_buffers=64MB"])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("PostgreSQL cannot be started")
    }

    fn answers(&self) -> Result<bool> {
        let asked = self
            .program("pg_isready")
            .args(["-q", "-h", "127.0.0.1", "-p"])
            .arg(self.port.to_string())
            .status()?;
        Ok(asked.success())
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
