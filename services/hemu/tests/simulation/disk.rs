//! The server's disk: a data folder in memory where the machine has such a place. Copied whole between two steps, when
//! nothing is being written.
#![expect(clippy::expect_used, reason = "a test's helper fails loudly")]

use std::io::ErrorKind;
use std::path::Path;

use hemu_ledger::registry::key_digest;
use hemu_ledger::{Folder, Ledger};
use hemu_rules::Zone;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use tempfile::TempDir;

use crate::oracle::token;
use crate::plan::HOUSEHOLDS;
use crate::world::BEGIN;

/// With the key of what in them is sealed. Logs come first: the last connection of a server that died may still be closing,
/// and moves its log into the file and away.
const TRUTH: [&str; 3] = ["hemu.db-wal", "hemu.db", "secrets.key"];
const PROJECTIONS: [&str; 2] = ["projections.db-wal", "projections.db"];

pub(crate) struct Disk(TempDir);

impl Disk {
    fn empty() -> Self {
        let memory = Path::new("/dev/shm");
        let dir = if memory.is_dir() {
            tempfile::tempdir_in(memory)
        } else {
            tempfile::tempdir()
        };
        Self(dir.expect("a temp folder"))
    }

    /// A folder in which the devices and households are registered and nothing else ever happened.
    pub(crate) async fn blank(devices: &[(String, String)]) -> Self {
        let disk = Self::empty();
        let folder = Folder::open(disk.path()).expect("a folder");
        let ledger = Ledger::open(&folder, Zone::SHANGHAI).await.expect("a ledger");
        for (device, key) in devices {
            let digest = key_digest(key.as_bytes());
            let added = ledger.add_device(device, &digest, None, None, BEGIN).await;
            added.expect("a device");
        }
        for household in 0..HOUSEHOLDS {
            let token = token(household);
            let added = ledger.ensure_households(&[(token.as_str(), None)], BEGIN).await;
            added.expect("a household");
        }
        ledger.close().await;
        disk
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// A copy of journal and registry, with the projections of `blank`: they are folded again.
    pub(crate) fn truth_of(other: &Self, blank: &Self) -> Self {
        let disk = Self::empty();
        disk.take(other, &TRUTH);
        disk.take(blank, &PROJECTIONS);
        disk
    }

    fn take(&self, other: &Self, files: &[&str]) {
        for file in files {
            match std::fs::copy(other.path().join(file), self.path().join(file)) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                copied => drop(copied.expect("a copy")),
            }
        }
    }

    /// What no crash does: the projections know everything but where devices stand.
    pub(crate) async fn lose_cursors(&self) {
        self.spoil("projections.db", "delete from cursor; delete from seen")
            .await;
    }

    /// What a disk that ignores an fsync does.
    pub(crate) async fn lose_last_batch(&self) {
        let sql = "drop trigger if exists journal_keeps_everything;
             delete from journal where position = (select max(position) from journal)";
        self.spoil("hemu.db", sql).await;
    }

    /// What a restore writes into what it restored.
    pub(crate) async fn set_generation(&self, generation: u64) {
        let sql = format!("insert or replace into meta (key, value) values ('generation', '{generation}')");
        self.spoil("hemu.db", sql).await;
    }

    async fn spoil(&self, file: &str, sql: impl Into<String>) {
        let options = SqliteConnectOptions::new().filename(self.path().join(file));
        let mut connection = options.connect().await.expect("a database");
        sqlx::raw_sql(AssertSqlSafe(sql.into()))
            .execute(&mut connection)
            .await
            .expect("spoiled");
        connection.close().await.expect("closed");
    }
}
