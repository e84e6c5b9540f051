//! The journal as every later reader sees it: in order, without what the projector ignored.

use std::collections::HashSet;

use crate::db;
use crate::entry::Entry;
use crate::error::{Error, InFile, Result};
use crate::journal::{self, Batch, Position, Stretch, Take};
use crate::ledger::Ledger;
use crate::read::devices::place;
use crate::rows::{Binds, Rows};

/// Bytes of journal read at once, at most, and a batch.
const BYTES: usize = 16 << 20;

/// Some batches of the journal, and which of their records count for nothing.
#[derive(Debug, Default)]
pub struct Tail {
    batches: Vec<Batch>,
    ignored: HashSet<(Position, u32)>,
}

impl Tail {
    /// The last position in here.
    pub fn last(&self) -> Option<Position> {
        self.batches.last().map(|batch| batch.position)
    }

    /// Every record, accepted or not.
    pub fn records(&self) -> u64 {
        self.batches.iter().map(|batch| batch.records).sum()
    }

    /// Calls `each` with every accepted record: its batch, its index in it, and what it says.
    pub fn for_each<'t>(&'t self, mut each: impl FnMut(&'t Batch, u32, Entry<'t>)) -> Result<()> {
        for batch in &self.batches {
            for (index, entry) in (0..).zip(batch.entries()) {
                let entry = entry.map_err(|error| Error::Damaged {
                    position: batch.position,
                    what: error.to_string(),
                })?;
                if !self.ignored.contains(&(batch.position, index)) {
                    each(batch, index, entry);
                }
            }
        }
        Ok(())
    }
}

impl Ledger {
    /// The next whole batches after `after` that are folded already, about `records` records or 16 MiB, whichever comes
    /// first (at least one batch). Empty when there are none.
    pub async fn tail(&self, after: Position, records: u64) -> Result<Tail> {
        let applied = self.progress().await?.applied;
        let (mut wanted, mut room) = (records, BYTES);
        let enough = |stretch: &Stretch| {
            wanted = wanted.saturating_sub(stretch.records);
            room = room.saturating_sub(stretch.bytes);
            if wanted == 0 || room == 0 {
                Take::Last
            } else {
                Take::On
            }
        };
        let mut tail = Tail {
            batches: journal::stretch(&self.truth, after, applied, enough).await?,
            ..Tail::default()
        };
        if let Some(last) = tail.last() {
            tail.ignored = self.ignored(after, last).await?;
        }
        Ok(tail)
    }

    async fn ignored(&self, after: Position, last: Position) -> Result<HashSet<(Position, u32)>> {
        let path = self.folder().projections();
        let rows = db::query("select position, idx from ignored where position > ? and position <= ?")
            .bind(after.cast_signed())
            .bind(last.cast_signed())
            .fetch_all(&self.projections)
            .await
            .of(&path)?;
        rows.iter().map(place).collect::<super::Outcome<_>>().of(&path)
    }

    /// Batches of the journal as they are stored, for whoever checks them.
    pub async fn batches(&self, after: Position, limit: u32) -> Result<Vec<Batch>> {
        let path = self.folder().truth();
        let rows = db::query("select * from journal where position > ? order by position limit ?")
            .bind(after.cast_signed())
            .bind(limit)
            .fetch_all(&self.truth)
            .await
            .of(&path)?;
        rows.iter().map(|row| journal::batch(&path, row)).collect()
    }
}

/// What of some batches counts for nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ignored {
    /// Records that say again what is known.
    pub repeats: u64,
    /// The others, in order, each with its place in the journal and the reason's word, such as `conflict`.
    pub aside: Vec<((Position, u32), String)>,
}

impl Ledger {
    /// What of some batches, given in order, was judged to count for nothing.
    pub async fn ignored_in(&self, positions: &[Position]) -> Result<Ignored> {
        let path = self.folder().projections();
        let count = Rows::new(
            "with wanted (position) as (",
            1,
            ") select count(*) as n from wanted join ignored using (position) where why = 'repeat'",
        );
        let list = Rows::new(
            "with wanted (position) as (",
            1,
            ") select position, idx, why from wanted join ignored using (position)
             where why <> 'repeat' order by position, idx",
        );
        let mut connection = self.projections.acquire().await.of(&path)?;
        let bind = |b: &mut Binds, position: &Position| {
            b.bits(*position);
        };
        let counts = count
            .fetch(&mut connection.link(), positions, bind)
            .await
            .of(&path)?;
        let rows = list
            .fetch(&mut connection.link(), positions, bind)
            .await
            .of(&path)?;
        let mut ignored = Ignored::default();
        for row in counts {
            ignored.repeats += row.try_get::<i64, _>("n").of(&path)?.cast_unsigned();
        }
        for row in &rows {
            let why = row.try_get("why").of(&path)?;
            ignored.aside.push((place(row).of(&path)?, why));
        }
        Ok(ignored)
    }
}
