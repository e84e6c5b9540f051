//! The registry: estates, stations, devices, households, and commands on their way down.
//!
//! It gives the journal's names a meaning and is the only place with addresses; a person's row can be corrected or
//! erased here without touching the journal.

pub(crate) mod digest;
mod ends;
mod households;

use std::collections::HashMap;

use hemu_people::HANDSET;
use sha2::{Digest, Sha256};

use crate::db::{self, from_columns};
use crate::error::{Error, InFile, Result};
use crate::ledger::Ledger;
use crate::rows::{Binds, Rows};

pub use ends::{Ends, shown};
pub(crate) use households::Home;
pub use households::{Household, HouseholdQuery, RESIDENTS, names_a_place};

/// An estate; `plan` is its drawing as JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Estate {
    pub id: String,
    pub name: String,
    pub plan: Option<String>,
}

/// A place with bins; `x`, `y` in metres on the plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Station {
    pub id: String,
    pub estate: String,
    pub name: String,
    pub x: Option<f64>,
    pub y: Option<f64>,
}

/// A registered device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    pub id: String,
    pub estate: Option<String>,
    pub station: Option<String>,
    pub created_at: i64,
    pub revoked_at: Option<i64>,
}

/// A command kept for a device; instants are ms since 1970 UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    pub id: i64,
    pub payload: String,
    pub created_at: i64,
    /// When the device said that it has it.
    pub acknowledged_at: Option<i64>,
}

from_columns!(Estate { id, name, plan });
from_columns!(Station {
    id,
    estate,
    name,
    x,
    y
});
from_columns!(Device {
    id,
    estate,
    station,
    created_at,
    revoked_at
});
from_columns!(Command {
    id,
    payload,
    created_at,
    acknowledged_at
});

/// SHA-256 of a device's key, the form in which keys are kept.
pub type KeyDigest = [u8; 32];

/// The digest under which a key is kept.
pub fn key_digest(key: &[u8]) -> KeyDigest {
    Sha256::digest(key).into()
}

impl Ledger {
    /// Adds an estate, or changes its name and plan.
    pub async fn put_estate(&self, estate: &Estate) -> Result<()> {
        db::query(
            "insert into estate (id, name, plan) values (?, ?, ?)
             on conflict (id) do update set name = excluded.name, plan = coalesce(excluded.plan, estate.plan)",
        )
        .bind(&estate.id)
        .bind(&estate.name)
        .bind(&estate.plan)
        .execute(&self.truth)
        .await
        .of(&self.folder().truth())?;
        Ok(())
    }

    /// Adds an estate by its id alone, if it is not there.
    pub async fn ensure_estate(&self, id: &str) -> Result<()> {
        db::query("insert into estate (id, name) values (?1, ?1) on conflict do nothing")
            .bind(id)
            .execute(&self.truth)
            .await
            .of(&self.folder().truth())?;
        Ok(())
    }

    /// All estates by id.
    pub async fn estates(&self) -> Result<Vec<Estate>> {
        let query = db::query_as("select id, name, plan from estate order by id");
        query.fetch_all(&self.truth).await.of(&self.folder().truth())
    }

    /// Adds a station, or changes it.
    pub async fn put_station(&self, station: &Station) -> Result<()> {
        db::query("insert into station (id, estate, name, x, y) values (?, ?, ?, ?, ?)
             on conflict (id) do update set estate = excluded.estate, name = excluded.name, x = excluded.x, y = excluded.y")
            .bind(&station.id)
            .bind(&station.estate)
            .bind(&station.name)
            .bind(station.x)
            .bind(station.y)
            .execute(&self.truth)
            .await
            .of(&self.folder().truth())?;
        Ok(())
    }

    /// Stations by id, of one estate or of all.
    pub async fn stations(&self, estate: Option<&str>) -> Result<Vec<Station>> {
        db::query_as("select * from station where ?1 is null or estate = ?1 order by id")
            .bind(estate)
            .fetch_all(&self.truth)
            .await
            .of(&self.folder().truth())
    }

    /// Registers a device with the digest of its key. A device known from an import gets the key; one that has a
    /// key is refused.
    pub async fn add_device(
        &self,
        id: &str,
        key: &KeyDigest,
        estate: Option<&str>,
        station: Option<&str>,
        at: i64,
    ) -> Result<()> {
        if id.starts_with(HANDSET) {
            return Err(Error::Rejected(format!(
                "expected a device id that does not begin with {HANDSET}, came {id}: those are of accounts that grade bags"
            )));
        }
        self.ensure_place(estate, station).await?;
        let done = db::query(
            "insert into device (id, key_digest, estate, station, created_at) values (?, ?, ?, ?, ?)
             on conflict (id) do update set key_digest = excluded.key_digest,
               estate = coalesce(excluded.estate, device.estate), station = coalesce(excluded.station, device.station)
             where device.key_digest is null",
        )
        .bind(id)
        .bind(&key[..])
        .bind(estate)
        .bind(station)
        .bind(at)
        .execute(&self.truth)
        .await
        .of(&self.folder().truth())?;
        if done.rows_affected() == 0 {
            let message =
                format!("device {id} is registered already; `hemu device rotate {id}` gives it a new key");
            return Err(Error::Rejected(message));
        }
        Ok(())
    }

    /// A place named for the first time comes into being by its id; the name people see can be given later.
    async fn ensure_place(&self, estate: Option<&str>, station: Option<&str>) -> Result<()> {
        if let Some(estate) = estate {
            self.ensure_estate(estate).await?;
        }
        let Some(station) = station else { return Ok(()) };
        let known = self
            .stations(None)
            .await?
            .into_iter()
            .find(|known| known.id == station);
        match (known, estate) {
            (Some(known), Some(estate)) if known.estate != estate => {
                let message = format!(
                    "station {station} stands in estate {}, not in {estate}",
                    known.estate
                );
                Err(Error::Rejected(message))
            }
            (Some(_), _) => Ok(()),
            (None, Some(estate)) => {
                let (id, estate) = (station.to_owned(), estate.to_owned());
                self.put_station(&Station {
                    name: id.clone(),
                    id,
                    estate,
                    x: None,
                    y: None,
                })
                .await
            }
            (None, None) => {
                let message =
                    format!("station {station} is new; say with --estate which estate it stands in");
                Err(Error::Rejected(message))
            }
        }
    }

    /// Notes a device that an import names; it has no key and cannot log in.
    pub async fn ensure_device(&self, id: &str, estate: Option<&str>, at: i64) -> Result<()> {
        db::query("insert into device (id, estate, created_at) values (?, ?, ?) on conflict do nothing")
            .bind(id)
            .bind(estate)
            .bind(at)
            .execute(&self.truth)
            .await
            .of(&self.folder().truth())?;
        Ok(())
    }

    /// The digest a device's key must have; `None` when the device is unknown, has no key, or is revoked.
    pub async fn device_key(&self, id: &str) -> Result<Option<KeyDigest>> {
        let path = self.folder().truth();
        let row = db::query("select key_digest from device where id = ? and revoked_at is null")
            .bind(id)
            .fetch_optional(&self.truth)
            .await
            .of(&path)?;
        let digest = row.map(|row| digest(&row)).transpose();
        Ok(digest.of(&path)?.flatten())
    }

    /// The digests that several devices' keys must have. Who is unknown, has no key, or is revoked is not in it.
    pub async fn device_keys<'d>(
        &self,
        ids: impl IntoIterator<Item = &'d str>,
    ) -> Result<HashMap<String, KeyDigest>> {
        let path = self.folder().truth();
        let wanted = Rows::new(
            "with wanted (id) as (",
            1,
            ") select id, key_digest from wanted join device using (id) where revoked_at is null",
        );
        let ids: Vec<&str> = ids.into_iter().collect();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let mut connection = self.truth.acquire().await.of(&path)?;
        let bind = |binds: &mut Binds, id: &&str| {
            binds.add(*id);
        };
        let rows = wanted.fetch(&mut connection.link(), &ids, bind).await.of(&path)?;
        let mut keys = HashMap::new();
        for row in rows {
            if let Some(digest) = digest(&row).of(&path)? {
                keys.insert(row.try_get("id").of(&path)?, digest);
            }
        }
        Ok(keys)
    }

    /// Gives a device a new key; the old one stops working.
    pub async fn rotate_device(&self, id: &str, key: &KeyDigest) -> Result<()> {
        let query = db::query("update device set key_digest = ? where id = ? and revoked_at is null");
        let done = query
            .bind(&key[..])
            .bind(id)
            .execute(&self.truth)
            .await
            .of(&self.folder().truth())?;
        found(done.rows_affected(), id)
    }

    /// Ends a device's right to log in. What it sent stays.
    pub async fn revoke_device(&self, id: &str, at: i64) -> Result<()> {
        let query = db::query("update device set revoked_at = ? where id = ? and revoked_at is null");
        let done = query
            .bind(at)
            .bind(id)
            .execute(&self.truth)
            .await
            .of(&self.folder().truth())?;
        found(done.rows_affected(), id)
    }

    /// Registered devices by id.
    pub async fn devices(&self) -> Result<Vec<Device>> {
        let query =
            db::query_as("select id, estate, station, created_at, revoked_at from device order by id");
        query.fetch_all(&self.truth).await.of(&self.folder().truth())
    }

    /// Keeps a command for a device until the device acknowledges it; its id. A device that cannot log in is refused.
    pub async fn add_command(&self, device: &str, payload: &str, at: i64) -> Result<i64> {
        let id = db::query_scalar(
            "insert into command (device, payload, created_at)
             select id, cast(? as text), cast(? as bigint) from device
             where id = ? and key_digest is not null and revoked_at is null
             returning id",
        )
        .bind(payload)
        .bind(at)
        .bind(device)
        .fetch_optional(&self.truth)
        .await
        .of(&self.folder().truth())?;
        id.ok_or_else(|| not_in_use(device))
    }

    /// The newest commands of a device, newest first.
    pub async fn commands(&self, device: &str, limit: u32) -> Result<Vec<Command>> {
        let sql = "select id, payload, created_at, acknowledged_at from command where device = ? order by id desc limit ?";
        let query = db::query_as(sql).bind(device).bind(limit);
        query.fetch_all(&self.truth).await.of(&self.folder().truth())
    }

    /// The id of the newest command of all; 0 where there is none.
    pub async fn newest_command(&self) -> Result<i64> {
        db::query_scalar("select coalesce(max(id), 0) from command")
            .fetch_one(&self.truth)
            .await
            .of(&self.folder().truth())
    }

    /// Whom commands after an id are for and still wait for, with the id, in its order.
    pub async fn commands_after(&self, id: i64, limit: u32) -> Result<Vec<(i64, String)>> {
        let rows = db::query(
            "select id, device from command where id > ? and acknowledged_at is null order by id limit ?",
        )
        .bind(id)
        .bind(limit)
        .fetch_all(&self.truth)
        .await
        .of(&self.folder().truth())?;
        let read = |row: &db::Row| Ok((row.try_get("id")?, row.try_get("device")?));
        let read: db::Outcome<Vec<_>> = rows.iter().map(read).collect();
        read.of(&self.folder().truth())
    }

    /// The oldest commands a device has not acknowledged.
    pub async fn open_commands(&self, device: &str, limit: u32) -> Result<Vec<Command>> {
        db::query_as(
            "select id, payload, created_at, acknowledged_at from command
             where device = ? and acknowledged_at is null order by id limit ?",
        )
        .bind(device)
        .bind(limit)
        .fetch_all(&self.truth)
        .await
        .of(&self.folder().truth())
    }

    /// Marks a device's command as acknowledged.
    pub async fn acknowledge_command(&self, device: &str, id: i64, at: i64) -> Result<()> {
        db::query(
            "update command set acknowledged_at = ? where id = ? and device = ? and acknowledged_at is null",
        )
        .bind(at)
        .bind(id)
        .bind(device)
        .execute(&self.truth)
        .await
        .of(&self.folder().truth())?;
        Ok(())
    }
}

/// The digest that a device's key must have, if it has one.
fn digest(row: &db::Row) -> db::Outcome<Option<KeyDigest>> {
    let digest: Option<Vec<u8>> = row.try_get("key_digest")?;
    Ok(digest.and_then(|bytes| bytes.try_into().ok()))
}

fn found(rows: u64, id: &str) -> Result<()> {
    if rows > 0 { Ok(()) } else { Err(not_in_use(id)) }
}

fn not_in_use(id: &str) -> Error {
    Error::Rejected(format!(
        "there is no device {id} in use; `hemu device list` shows those there are"
    ))
}
