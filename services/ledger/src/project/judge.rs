//! Whether a journal record is new, a repeat, or a conflict; and the numbers names go by.

use std::collections::HashMap;

use hemu_rules::Day;
use xxhash_rust::xxh3::xxh3_128;

use super::changes::{Changes, Place};
use super::{CURSORS_KEPT, Projector};
use crate::cursor::{Cursor, Known};
use crate::db;
use crate::entry::{Body, Entry, Origin};
use crate::error::{InFile, Result};
use crate::read::seen_block;
use crate::seen::block_of;

/// Household tokens kept in memory between transactions.
const HOUSEHOLDS_KEPT: usize = 1_000_000;

/// The projector's word on a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Counts from now on.
    Accept,
    /// Known with the same content: means nothing.
    Repeat,
    /// Known with other content: kept aside, never scored.
    Conflict,
    /// The device is so far out of order that its place cannot be kept.
    TooManyGaps,
}

/// A device's and a household's numbers.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) devices: HashMap<String, u32>,
    pub(super) by_no: Vec<String>,
    pub(super) households: HashMap<String, (u32, Option<Day>)>,
    last_household: u32,
}

impl Names {
    pub(super) async fn load(connection: &mut db::Link<'_>) -> std::result::Result<Self, sqlx::Error> {
        let mut names = Self::default();
        for row in db::query("select name from device order by no")
            .fetch_all(&mut *connection)
            .await?
        {
            names.device(row.try_get("name")?);
        }
        let last = db::query("select coalesce(max(no), 0) as last from household")
            .fetch_one(connection)
            .await?;
        names.last_household = u32::try_from(last.try_get::<i64, _>("last")?).unwrap_or(u32::MAX);
        Ok(names)
    }

    /// The device's number and whether it is new.
    fn device(&mut self, name: &str) -> (u32, bool) {
        if let Some(&no) = self.devices.get(name) {
            return (no, false);
        }
        let no = u32::try_from(self.by_no.len()).unwrap_or(u32::MAX);
        self.devices.insert(name.to_owned(), no);
        self.by_no.push(name.to_owned());
        (no, true)
    }

    /// The name behind a number of this projector.
    pub(super) fn device_name(&self, no: u32) -> &str {
        self.by_no.get(no as usize).map_or("", String::as_str)
    }
}

impl Projector {
    /// Fetches in bulk what judging these entries will ask for.
    pub(super) async fn prepare(&mut self, entries: &[(Place, Entry<'_>)]) -> Result<()> {
        if self.names.households.len() > HOUSEHOLDS_KEPT {
            self.names.households.clear();
        }
        if self.cursors.len() > CURSORS_KEPT {
            self.cursors.clear();
        }
        let mut tokens: Vec<&str> = entries
            .iter()
            .filter_map(|(_, entry)| match &entry.body {
                Body::Deposit(deposit) => deposit.household,
                _ => None,
            })
            .filter(|token| !self.names.households.contains_key(*token))
            .collect();
        tokens.sort_unstable();
        tokens.dedup();
        let query = &self.statements.tokens;
        let bind = |b: &mut crate::rows::Binds, token: &&str| {
            b.add(*token);
        };
        let rows = query.fetch(&mut self.connection.link(), &tokens, bind).await;
        for row in rows.of(&self.path)? {
            let token = row.try_get("token").of(&self.path)?;
            let no: u32 = row.try_get("no").of(&self.path)?;
            let first: Option<i64> = row.try_get("first_day").of(&self.path)?;
            self.names.households.insert(token, (no, first.map(Day::clamped)));
        }
        Ok(())
    }

    /// The device's number; a new name gets the next.
    pub(super) fn device<'e>(&mut self, changes: &mut Changes<'e>, name: &'e str) -> u32 {
        let (no, new) = self.names.device(name);
        if new {
            changes.new_devices.push((no, name));
        }
        no
    }

    /// The household's number; a new token gets the next. A counted deposit may move its first day back.
    pub(super) fn household<'e>(
        &mut self,
        changes: &mut Changes<'e>,
        token: &'e str,
        counted: Option<Day>,
    ) -> u32 {
        let names = &mut self.names;
        let known = if let Some(known) = names.households.get_mut(token) {
            known
        } else {
            names.last_household += 1;
            changes.new_households.push((names.last_household, token));
            names
                .households
                .entry(token.to_owned())
                .or_insert((names.last_household, None))
        };
        if let Some(day) = counted
            && known.1.is_none_or(|first| day < first)
        {
            known.1 = Some(day);
            changes.first_days.insert(known.0, day);
        }
        known.0
    }

    /// Judges a record and, when it is new, covers its identity.
    pub(super) async fn judge<'e>(
        &mut self,
        changes: &mut Changes<'e>,
        entry: &Entry<'e>,
    ) -> std::result::Result<(u32, Verdict), sqlx::Error> {
        let device = self.device(changes, entry.origin.device());
        let verdict = match entry.origin {
            Origin::Unidentified { .. } | Origin::Account { .. } => Verdict::Accept,
            Origin::Import { reading_id, .. } => self.judge_import(changes, reading_id, entry.hash).await?,
            Origin::Device { boot, seq, .. } => {
                self.judge_device(changes, (device, boot, seq), entry).await?
            }
        };
        Ok((device, verdict))
    }

    async fn judge_device(
        &mut self,
        changes: &mut Changes<'_>,
        (device, boot, seq): (u32, u64, u64),
        entry: &Entry<'_>,
    ) -> std::result::Result<Verdict, sqlx::Error> {
        self.load_cursor(device, boot).await?;
        let known = self
            .cursors
            .get(&(device, boot))
            .map_or(Known::New, |c| c.check(seq, entry.hash));
        match known {
            Known::Repeat => return Ok(Verdict::Repeat),
            Known::Conflict => return Ok(Verdict::Conflict),
            Known::TooManyGaps => return Ok(Verdict::TooManyGaps),
            Known::Covered => {
                match self.recall(changes, device, boot, seq).await? {
                    Some(hash) if hash == entry.hash => return Ok(Verdict::Repeat),
                    Some(_) => return Ok(Verdict::Conflict),
                    // Declared lost, and here after all: it counts, as it would had it overtaken the declaration.
                    None => {}
                }
            }
            Known::New => {}
        }
        let cursor = self.cursors.entry((device, boot)).or_default();
        cursor.take(seq, entry.hash);
        if let Body::Lost { from, to, .. } = entry.body {
            cursor.cover(from, to);
        }
        changes.cursors.insert((device, boot));
        let block = changes.seen.entry((device, boot, block_of(seq))).or_default();
        block.note(seq, entry.hash);
        Ok(Verdict::Accept)
    }

    async fn load_cursor(&mut self, device: u32, boot: u64) -> std::result::Result<(), sqlx::Error> {
        if self.cursors.contains_key(&(device, boot)) {
            return Ok(());
        }
        let row = db::query("select upto, beyond from cursor where device = ? and boot = ?")
            .bind(device)
            .bind(boot.cast_signed())
            .fetch_optional(&mut self.connection.link())
            .await?;
        let cursor = match row {
            None => Cursor::default(),
            Some(row) => {
                let beyond: Vec<u8> = row.try_get("beyond")?;
                Cursor::decode(row.try_get::<i64, _>("upto")?.cast_unsigned(), &beyond).ok_or_else(|| {
                    sqlx::Error::Protocol("a device cursor is damaged; run `hemu rebuild`".into())
                })?
            }
        };
        self.cursors.insert((device, boot), cursor);
        Ok(())
    }

    /// The content hash under which a covered record was accepted; `None` when it was declared lost.
    async fn recall(
        &mut self,
        changes: &Changes<'_>,
        device: u32,
        boot: u64,
        seq: u64,
    ) -> std::result::Result<Option<u64>, sqlx::Error> {
        let block = block_of(seq);
        let recent = changes.seen.get(&(device, boot, block));
        if let Some(hash) = recent.and_then(|seen| seen.get(seq)) {
            return Ok(Some(hash));
        }
        let row = db::query("select seen.* from seen where device = ? and boot = ? and block = ?")
            .bind(device)
            .bind(boot.cast_signed())
            .bind(block.cast_signed())
            .fetch_optional(&mut self.connection.link())
            .await?;
        let seen = row.map(|row| seen_block(&row)).transpose()?;
        Ok(seen.and_then(|seen| seen.get(seq)))
    }

    async fn judge_import(
        &mut self,
        changes: &mut Changes<'_>,
        reading_id: &str,
        hash: u64,
    ) -> std::result::Result<Verdict, sqlx::Error> {
        let id = xxh3_128(reading_id.as_bytes()).to_be_bytes();
        let known = match changes.imported.get(&id) {
            Some(&known) => Some(known),
            None => db::query("select hash from imported where id = ?")
                .bind(&id[..])
                .fetch_optional(&mut self.connection.link())
                .await?
                .map(|row| row.try_get::<i64, _>("hash").map(i64::cast_unsigned))
                .transpose()?,
        };
        Ok(match known {
            Some(known) if known == hash => Verdict::Repeat,
            Some(_) => Verdict::Conflict,
            None => {
                changes.imported.insert(id, hash);
                Verdict::Accept
            }
        })
    }
}
