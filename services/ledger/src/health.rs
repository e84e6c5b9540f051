//! What a data folder and our connections to it are really like, for `hemu doctor`. Must not mend anything.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use hemu_rules::Day;

use crate::db;
use crate::error::{InFile, Result};
use crate::ledger::Ledger;
use crate::store::{Place, Tables};

/// What SQLite says of one of our connections to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pragmas {
    /// `wal` for ours.
    pub journal_mode: String,
    /// 0 off, 1 normal, 2 full.
    pub synchronous: i64,
}

/// How hard a PostgreSQL holds on to what it was told, as it says on one of our connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    /// Settings of the server that have to be `on` and are not.
    pub off: Vec<&'static str>,
    /// `synchronous_commit`: `on` for ours.
    pub synchronous_commit: String,
    /// Whether it is set up to wait for a standby.
    pub waits: bool,
    /// Standbys that are connected.
    pub standbys: u64,
    /// Those of them that it waits for; `None` where we may not know.
    pub synchronous: Option<u64>,
}

/// How a device's clock compares with the server's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceClock {
    pub name: String,
    /// Readings of the days asked for.
    pub readings: u64,
    /// Those of them that came from more than five minutes after they were received.
    pub ahead: u64,
}

/// Whether a database file says of itself that it has a write-ahead log, which a program that is not ours may have
/// changed; `None` when there is no such file, or nothing in it. To be asked before it is opened, for that changes it back.
pub fn has_log(path: &Path) -> std::io::Result<Option<bool>> {
    let mut header = [0; 20];
    let mut file = match File::open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    match file.read_exact(&mut header) {
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    // Versions to write and to read: 1 with a rollback journal, 2 with a write-ahead log.
    let [.., write, read] = header;
    Ok(Some((write, read) == (2, 2)))
}

impl Ledger {
    /// The pragmas in effect on connections to `hemu.db` and to `projections.db`; `None` where there are no such files.
    pub async fn pragmas(&self) -> Result<Option<[Pragmas; 2]>> {
        let folder = self.folder();
        if folder.is_shared() {
            return Ok(None);
        }
        Ok(Some([
            pragmas(&folder.place(Tables::Truth)).await?,
            pragmas(&folder.place(Tables::Projections)).await?,
        ]))
    }

    /// What the database says of itself; `None` where the tables are in files.
    pub async fn database(&self) -> Result<Option<Database>> {
        if !self.folder().is_shared() {
            return Ok(None);
        }
        let path = self.folder().truth();
        // Of other people's connections a plain user sees that they are there, and no more. A copy being made is none.
        let row = db::query(
            "select current_setting('fsync') as fsync, current_setting('full_page_writes') as full_page_writes,
                    current_setting('synchronous_commit') as synchronous_commit,
                    current_setting('synchronous_standby_names') as names,
                    (select count(*) from pg_stat_replication where coalesce(state, '') <> 'backup') as standbys,
                    (select count(*) from pg_stat_replication where sync_state in ('sync', 'quorum')) as synchronous,
                    (select count(*) from pg_stat_replication where sync_state is null) as hidden",
        )
        .fetch_one(&self.truth)
        .await
        .of(&path)?;
        let read = || -> db::Outcome<Database> {
            let on = |name| row.try_get::<String, _>(name).map(|set| set == "on");
            let number = |name| row.try_get::<i64, _>(name).map(i64::cast_unsigned);
            let mut off = Vec::new();
            for name in ["fsync", "full_page_writes"] {
                if !on(name)? {
                    off.push(name);
                }
            }
            Ok(Database {
                off,
                synchronous_commit: row.try_get("synchronous_commit")?,
                waits: !row.try_get::<String, _>("names")?.trim().is_empty(),
                standbys: number("standbys")?,
                synchronous: (number("hidden")? == 0).then_some(number("synchronous")?),
            })
        };
        read().map(Some).of(&path)
    }

    /// When the newest batch was committed, ms since 1970 UTC by the clock of that time; `None` for an empty journal.
    pub async fn newest_at(&self) -> Result<Option<i64>> {
        db::query_scalar("select at from journal order by position desc limit 1")
            .fetch_optional(&self.truth)
            .await
            .of(&self.folder().truth())
    }

    /// The clocks of devices with readings of a day or a later one, by name.
    pub async fn device_clocks(&self, since: Day) -> Result<Vec<DeviceClock>> {
        let path = self.folder().projections();
        let rows = db::query(
            "select name, count(*) as readings, count(case when held & 1 = 1 then 1 end) as ahead
             from reading join device on device.no = reading.device
             where day >= ? group by name order by name",
        )
        .bind(since.get())
        .fetch_all(&self.projections)
        .await
        .of(&path)?;
        let clock = |row: &db::Row| -> db::Outcome<DeviceClock> {
            Ok(DeviceClock {
                name: row.try_get("name")?,
                readings: row.try_get::<i64, _>("readings")?.cast_unsigned(),
                ahead: row.try_get::<i64, _>("ahead")?.cast_unsigned(),
            })
        };
        rows.iter().map(|row| clock(row).of(&path)).collect()
    }
}

async fn pragmas(place: &Place) -> Result<Pragmas> {
    let path = place.shown();
    let mut connection = place.connect().await?;
    let journal_mode = db::query_scalar("pragma journal_mode")
        .fetch_one(&mut connection.link())
        .await;
    let synchronous = db::query_scalar("pragma synchronous")
        .fetch_one(&mut connection.link())
        .await;
    connection.close().await.of(&path)?;
    Ok(Pragmas {
        journal_mode: journal_mode.of(&path)?,
        synchronous: synchronous.of(&path)?,
    })
}
