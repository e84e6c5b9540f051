//! Devices as the journal shows them: latest states, gaps, incidents, and what was set aside.

use hemu_rules::{Bp, Stream};

use super::{Outcome, stream};
use crate::cursor::Cursor;
use crate::db;
use crate::error::{InFile, Result};
use crate::journal::Position;
use crate::ledger::Ledger;

/// Gaps named for one device.
const GAPS_SHOWN: usize = 64;

/// A device's latest state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceState {
    pub name: String,
    pub boot: u64,
    pub upto: u64,
    /// The first gaps beyond `upto`, inclusive.
    pub missing: Vec<(u64, u64)>,
    pub records: u64,
    pub quarantined: u64,
    pub last_at: Option<i64>,
    pub battery_mv: Option<u32>,
    pub rssi_dbm: Option<i32>,
    /// Hundredths of a degree Celsius.
    pub temperature_cc: Option<i32>,
    pub firmware: Option<String>,
    pub queued: Option<u64>,
    pub bins: Vec<BinRow>,
}

/// A bin's latest state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BinRow {
    pub stream: Stream,
    pub at: i64,
    pub fill: Option<Bp>,
    pub weight_g: Option<u32>,
}

/// Where the projections have a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folded {
    /// Everything up to here is in it.
    pub applied: Position,
    /// A boot and what is covered of it; `None` of a device that never spoke, or not with that boot.
    pub stand: Option<(u64, Cursor)>,
}

/// Something set aside, with its reason and bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuarantineRow {
    /// Where it stands in the journal.
    pub place: (u64, u32),
    /// When it arrived.
    pub at: i64,
    pub device: String,
    pub boot: Option<u64>,
    pub seq: Option<u64>,
    pub reason: String,
    pub detail: String,
    /// At most 4 KiB.
    pub raw: Vec<u8>,
    /// How long it really was.
    pub raw_len: u32,
}

/// An incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentRow {
    pub place: (u64, u32),
    pub at: i64,
    pub device: String,
    pub kind: String,
    pub stream: Option<Stream>,
    pub note: Option<String>,
    pub photo: Option<String>,
}

impl Ledger {
    /// Every device that ever spoke, by name.
    pub async fn device_states(&self) -> Result<Vec<DeviceState>> {
        let path = self.folder().projections();
        let rows = db::query(
            "select device.*, cursor.upto, cursor.beyond from device
             left join cursor on cursor.device = device.no and cursor.boot = device.boot order by name",
        )
        .fetch_all(&self.projections)
        .await
        .of(&path)?;
        let mut states = rows.iter().map(state).collect::<Outcome<Vec<_>>>().of(&path)?;
        let bins = db::query("select device.name, bin.* from bin join device on device.no = bin.device")
            .fetch_all(&self.projections)
            .await
            .of(&path)?;
        for row in &bins {
            let name: &str = row.try_get("name").of(&path)?;
            if let Ok(index) = states.binary_search_by(|state| state.name.as_str().cmp(name))
                && let Some(state) = states.get_mut(index)
            {
                state.bins.push(bin(row).of(&path)?);
            }
        }
        Ok(states)
    }

    /// What is folded of a device's boot, or of the boot it last spoke with.
    pub async fn cursor(&self, device: &str, boot: Option<u64>) -> Result<Folded> {
        let path = self.folder().projections();
        // One question: a database that goes away between two may have forgotten its last folds when it is back.
        let row = db::query(
            "select progress.applied, known.boot, known.upto, known.beyond from progress left join (
                 select cursor.* from device join cursor on cursor.device = device.no
                 where device.name = ?1 and cursor.boot = coalesce(?2, device.boot)) as known on true",
        )
        .bind(device)
        .bind(boot.map(u64::cast_signed))
        .fetch_one(&self.projections)
        .await
        .of(&path)?;
        let read = |row: &db::Row| -> Outcome<Folded> {
            let boot: Option<i64> = row.try_get("boot")?;
            Ok(Folded {
                applied: row.try_get::<i64, _>("applied")?.cast_unsigned(),
                stand: boot.map(i64::cast_unsigned).zip(cursor_of(row)?),
            })
        };
        read(&row).of(&path)
    }

    /// What was set aside, newest first, before a place of the journal.
    pub async fn quarantine(&self, before: Option<(u64, u32)>, limit: u32) -> Result<Vec<QuarantineRow>> {
        let path = self.folder().projections();
        let (position, index) = before.unwrap_or((i64::MAX.cast_unsigned(), 0));
        let rows = db::query(
            "select quarantine.*, device.name from quarantine join device on device.no = quarantine.device
             where (position, idx) < (?, ?) order by position desc, idx desc limit ?",
        )
        .bind(position.cast_signed())
        .bind(index)
        .bind(limit)
        .fetch_all(&self.projections)
        .await
        .of(&path)?;
        rows.iter().map(quarantined).collect::<Outcome<_>>().of(&path)
    }

    /// Incidents, newest first, before a place of the journal.
    pub async fn incidents(&self, before: Option<(u64, u32)>, limit: u32) -> Result<Vec<IncidentRow>> {
        let path = self.folder().projections();
        let (position, index) = before.unwrap_or((i64::MAX.cast_unsigned(), 0));
        let rows = db::query(
            "select incident.*, device.name from incident join device on device.no = incident.device
             where (position, idx) < (?, ?) order by position desc, idx desc limit ?",
        )
        .bind(position.cast_signed())
        .bind(index)
        .bind(limit)
        .fetch_all(&self.projections)
        .await
        .of(&path)?;
        rows.iter().map(incident).collect::<Outcome<_>>().of(&path)
    }
}

fn state(row: &db::Row) -> Outcome<DeviceState> {
    let cursor = cursor_of(row)?.unwrap_or_default();
    Ok(DeviceState {
        name: row.try_get("name")?,
        boot: row.try_get::<i64, _>("boot")?.cast_unsigned(),
        upto: cursor.upto(),
        missing: cursor.missing(GAPS_SHOWN),
        records: row.try_get::<i64, _>("records")?.cast_unsigned(),
        quarantined: row.try_get::<i64, _>("quarantined")?.cast_unsigned(),
        last_at: row.try_get("last_at")?,
        battery_mv: row.try_get("battery_mv")?,
        rssi_dbm: row.try_get("rssi_dbm")?,
        temperature_cc: row.try_get("temperature_cc")?,
        firmware: row.try_get("firmware")?,
        queued: row.try_get::<Option<i64>, _>("queued")?.map(i64::cast_unsigned),
        bins: Vec::new(),
    })
}

fn cursor_of(row: &db::Row) -> Outcome<Option<Cursor>> {
    let (upto, beyond): (Option<i64>, Option<Vec<u8>>) = (row.try_get("upto")?, row.try_get("beyond")?);
    let Some((upto, beyond)) = upto.zip(beyond) else {
        return Ok(None);
    };
    let cursor = Cursor::decode(upto.cast_unsigned(), &beyond);
    cursor.map(Some).ok_or_else(|| super::damaged("beyond", upto))
}

fn bin(row: &db::Row) -> Outcome<BinRow> {
    let fill: Option<i64> = row.try_get("fill_bp")?;
    Ok(BinRow {
        stream: stream(row)?,
        at: row.try_get("at")?,
        fill: fill.map(Bp::clamped),
        weight_g: row.try_get("weight_g")?,
    })
}

pub(super) fn place(row: &db::Row) -> Outcome<(u64, u32)> {
    Ok((
        row.try_get::<i64, _>("position")?.cast_unsigned(),
        row.try_get("idx")?,
    ))
}

fn quarantined(row: &db::Row) -> Outcome<QuarantineRow> {
    Ok(QuarantineRow {
        place: place(row)?,
        at: row.try_get("at")?,
        device: row.try_get("name")?,
        boot: row.try_get::<Option<i64>, _>("boot")?.map(i64::cast_unsigned),
        seq: row.try_get::<Option<i64>, _>("seq")?.map(i64::cast_unsigned),
        reason: row.try_get("reason")?,
        detail: row.try_get("detail")?,
        raw: row.try_get("raw")?,
        raw_len: row.try_get("raw_len")?,
    })
}

fn incident(row: &db::Row) -> Outcome<IncidentRow> {
    let code: Option<i64> = row.try_get("stream")?;
    Ok(IncidentRow {
        place: place(row)?,
        at: row.try_get("at")?,
        device: row.try_get("name")?,
        kind: row.try_get("kind")?,
        stream: code.and_then(Stream::from_code),
        note: row.try_get("note")?,
        photo: row.try_get("photo")?,
    })
}
