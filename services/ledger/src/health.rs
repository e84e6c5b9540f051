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
