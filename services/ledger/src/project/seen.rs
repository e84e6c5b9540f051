//! How what was accepted comes to its rows: those that are there are read, added to, and written again.

use std::collections::{BTreeMap, HashMap};

use super::changes::BlockKey;
use crate::db;
use crate::read::seen_block;
use crate::rows::{Binds, Rows};
use crate::seen::Seen;

#[derive(Debug)]
pub(super) struct SeenRows {
    wanted: Rows,
    put: Rows,
}

impl SeenRows {
    pub(super) fn new() -> Self {
        Self {
            wanted: Rows::new(
                "with wanted (device, boot, block) as (",
                3,
                ") select seen.* from wanted join seen using (device, boot, block)",
            ),
            put: Rows::new(
                "insert into seen (device, boot, block, hashes)",
                4,
                "on conflict (device, boot, block) do update set hashes = excluded.hashes",
            ),
        }
    }

    pub(super) async fn write(
        &self,
        connection: &mut db::Link<'_>,
        blocks: &BTreeMap<BlockKey, Seen>,
    ) -> db::Outcome {
        let earlier = self.earlier(connection, blocks).await?;
        let rows: Vec<_> = blocks.iter().collect();
        let bind = |binds: &mut Binds, (key, seen): &(&BlockKey, &Seen)| {
            let (device, boot, block) = **key;
            let whole = match earlier.get(*key) {
                Some(earlier) => seen.join(earlier).encode(),
                None => seen.encode(),
            };
            binds.add(device).bits(boot).bits(block).add(whole);
        };
        self.put.write(connection, &rows, bind).await
    }

    /// What these blocks hold already.
    async fn earlier(
        &self,
        connection: &mut db::Link<'_>,
        blocks: &BTreeMap<BlockKey, Seen>,
    ) -> db::Outcome<HashMap<BlockKey, Seen>> {
        let keys: Vec<_> = blocks.keys().copied().collect();
        let bind = |binds: &mut Binds, (device, boot, block): &BlockKey| {
            binds.add(*device).bits(*boot).bits(*block);
        };
        let mut found = HashMap::new();
        for row in self.wanted.fetch(connection, &keys, bind).await? {
            let number = |name| row.try_get::<i64, _>(name).map(i64::cast_unsigned);
            let key = (row.try_get("device")?, number("boot")?, number("block")?);
            found.insert(key, seen_block(&row)?);
        }
        Ok(found)
    }
}
