//! A PostgreSQL of these tests' own: loopback, a free port, a folder of its own. It ends with the process that asked for
//! it, however that ends: the shell that keeps it waits for its standard input to close.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use hemu_ledger::Folder;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

/// Names the server to tests that are to run on it.
const GIVEN: &str = "HEMU_TEST_POSTGRES";
/// Where Debian keeps a version's programs.
const VERSIONS: &str = "/usr/lib/postgresql";

/// Makes the cluster, keeps it until nobody listens any more, and takes it away. `$1` is its folder, `$2` the port, `$3`
/// what its writes are worth.
const KEEP: &str = r#"
    "$0/initdb" -D "$1/data" -U hemu -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$1/initdb.log" 2>&1 || exit 1
    "$0/postgres" -D "$1/data" -p "$2" -k "$1" -c listen_addresses=127.0.0.1 -c max_connections=300 \
        -c fsync="$3" -c full_page_writes="$3" -c shared_buffers=64MB >"$1/server.log" 2>&1 &
    server=$!
    cat >/dev/null
    kill -QUIT "$server"
    wait "$server"
    rm -rf "$1"
"#;

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    keeper: Child,
    port: u16,
}

/// The server that this run of the tests is on; none: it is on files.
pub(crate) fn given() -> Option<String> {
    std::env::var(GIVEN).ok()
}

/// A database's URL for a data folder; its name is the folder's last letters, whose chance is enough.
pub(crate) fn url_for(server: &str, dir: &Path) -> String {
    format!("{server}/{}", name_for(dir))
}

fn name_for(dir: &Path) -> String {
    let name = dir.file_name().unwrap_or_default().as_encoded_bytes();
    name.iter()
        .fold("t".to_owned(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// A data folder, with its tables in files, or in a database of its own where the tests run on PostgreSQL.
pub(crate) async fn folder(dir: &Path) -> Folder {
    let folder = Folder::open(dir).unwrap();
    match given() {
        None => folder,
        Some(server) => folder
            .with_postgres(&database(&server, &name_for(dir)).await)
            .unwrap(),
    }
}

/// One contract for both stores: this program runs itself again, on a database, without the tests whose names have one of
/// these parts.
pub(crate) fn hold_there_too(skipped: &[&str]) {
    if given().is_some() {
        return;
    }
    let Some(programs) = programs() else { return };
    let server = Server::start(&programs, false);
    let run = Command::new(std::env::current_exe().unwrap())
        .args(skipped.iter().flat_map(|name| ["--skip", name]))
        .arg("--test-threads=6")
        .env(GIVEN, server.url())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(
        run.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&run.stderr)
    );
    let last = said.lines().rev().find(|line| line.starts_with("test result"));
    println!("on PostgreSQL: {}", last.unwrap_or("nothing was said"));
}

/// The folder of the newest version that is installed. Without one whoever asks is skipped, or fails where it must not be.
pub(crate) fn programs() -> Option<PathBuf> {
    let found = newest();
    if found.is_none() {
        let required = std::env::var("HEMU_TEST_REQUIRE").is_ok_and(|names| names.contains("postgres"));
        assert!(
            !required,
            "no PostgreSQL in {VERSIONS}, and HEMU_TEST_REQUIRE asks for it"
        );
        println!("skipped: no PostgreSQL in {VERSIONS}; install postgresql");
    }
    found
}

fn newest() -> Option<PathBuf> {
    let versions = std::fs::read_dir(VERSIONS).ok()?;
    let mut found: Vec<PathBuf> = versions
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|bin| bin.join("postgres").exists())
        .collect();
    found.sort();
    found.pop()
}

/// It refuses to run as root.
fn as_nobody_special(programs: &Path, folder: &Path) -> Command {
    let root = std::fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0);
    if !root {
        return Command::new("sh");
    }
    let chown = Command::new("chown")
        .arg("postgres")
        .arg(folder)
        .status()
        .unwrap();
    assert!(chown.success(), "{} has no user postgres", programs.display());
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "sh"]);
    command
}

impl Server {
    /// Starts one; `durable` is for tests that kill it.
    pub(crate) fn start(programs: &Path, durable: bool) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("hemu-postgres")
            .tempdir()
            .unwrap();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        // Whoever keeps the server takes the folder away.
        let folder = folder.keep();
        let mut command = as_nobody_special(programs, &folder);
        let keeper = command
            .arg("-c")
            .arg(KEEP)
            .arg(programs)
            .arg(&folder)
            .arg(port.to_string())
            .arg(if durable { "on" } else { "off" })
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self { keeper, port }
    }

    /// `postgres://user@host:port`, to which a database's name is added.
    pub(crate) fn url(&self) -> String {
        format!("postgres://hemu@127.0.0.1:{}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The rest is the keeper's, and nobody waits for it.
        drop(self.keeper.stdin.take());
    }
}

/// Makes a database of that name if there is none; its URL. Waits for a server that has just been started.
pub(crate) async fn database(server: &str, name: &str) -> String {
    let mut admin = admin(server).await;
    let there = sqlx::query("select 1 from pg_database where datname = $1").bind(name);
    if there.fetch_optional(&mut admin).await.unwrap().is_none() {
        let create = AssertSqlSafe(format!("create database {name} template template0"));
        sqlx::query(create).execute(&mut admin).await.unwrap();
    }
    admin.close().await.unwrap();
    format!("{server}/{name}")
}

async fn admin(server: &str) -> PgConnection {
    let options: PgConnectOptions = format!("{server}/postgres").parse().unwrap();
    let mut tries = 0;
    loop {
        let connected = options.clone().connect().await;
        tries += 1;
        if connected.is_ok() || tries == 1_200 {
            return connected.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// From now on commits wait for a standby of that name, which there is none of; with an empty one they wait for nobody.
pub(crate) async fn wait_for_standby(server: &str, name: &str) {
    let mut admin = admin(server).await;
    for sql in [
        format!("alter system set synchronous_standby_names = '{name}'"),
        "select pg_reload_conf()".to_owned(),
    ] {
        sqlx::query(AssertSqlSafe(sql)).execute(&mut admin).await.unwrap();
    }
    let known = "select current_setting('synchronous_standby_names')";
    let mut tries = 0;
    while sqlx::query_scalar::<_, String>(known)
        .fetch_one(&mut admin)
        .await
        .unwrap()
        != name
    {
        tries += 1;
        assert!(tries < 3_000, "the database does not take its setting over");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    admin.close().await.unwrap();
}
