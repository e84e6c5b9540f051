//! What an inspection plan must know before a bag is opened: the site's secret, who was given notice, and how many bags
//! a household has brought today. No camera's or inspector's value is read here: choosing by them would bias what they
//! are measured by.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;

use hemu_rules::{By, Day};

use crate::acts::former;
use crate::db;
use crate::error::{InFile, Result};
use crate::ledger::Ledger;
use crate::rows::{Binds, Rows};

/// The secret that draws are made with: whoever has it foresees which bags are opened.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SiteKey([u8; 32]);

impl SiteKey {
    /// For the draw, and for nothing that is written or shown.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SiteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SiteKey")
    }
}

/// A household's bags of a day, whether they count or not: what was seen cannot be chosen any more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BagsSeen {
    pub bags: u32,
    /// The latest of them was read by one inspector, and by nobody and nothing else yet.
    pub awaits_second: bool,
}

/// Who read a bag, and when it was first read.
#[derive(Default)]
struct Readers {
    first_at: i64,
    inspectors: BTreeSet<u32>,
    camera: bool,
}

impl Ledger {
    /// The secret of this site's draws; `fresh` from the first time on. It is in `hemu.db` and is neither exported, logged
    /// nor shown.
    pub async fn site_key(&self, fresh: [u8; 32]) -> Result<SiteKey> {
        let path = self.folder().truth();
        db::query("insert into site_key (one, key) values (1, ?) on conflict do nothing")
            .bind(&fresh[..])
            .execute(&self.truth)
            .await
            .of(&path)?;
        let kept: Vec<u8> = db::query_scalar("select key from site_key")
            .fetch_one(&self.truth)
            .await
            .of(&path)?;
        let key = <[u8; 32]>::try_from(kept)
            .map_err(|_| super::damaged("key", 1))
            .of(&path)?;
        Ok(SiteKey(key))
    }

    /// The households that were given notice at the last edition before a day whose households were told, who still
    /// live there and nobody took off; `None` while there is no such edition.
    pub async fn noticed(&self, day: Day) -> Result<Option<HashSet<String>>> {
        let path = self.folder().truth();
        let last: Option<i64> = db::query_scalar(
            "select id from edition where day <= ? and state in ('noticed', 'deciding', 'published', 'expired')
             order by day desc, revision desc limit 1",
        )
        .bind(day.get())
        .fetch_optional(&self.truth)
        .await
        .of(&path)?;
        let Some(edition) = last else { return Ok(None) };
        let tokens: Vec<String> = db::query_scalar(concat!(
            "select token from place join edition on edition.id = place.edition
                 where edition.id = ? and notice = 1 and lifted is null and not ",
            former!("place.token")
        ))
        .bind(edition)
        .fetch_all(&self.truth)
        .await
        .of(&path)?;
        Ok(Some(tokens.into_iter().collect()))
    }

    /// The bags of a day that some households have brought, by token; who has brought none is not in it. Folded from the
    /// journal up to [`Ledger::progress`].
    pub async fn bags_seen(&self, day: Day, tokens: &[String]) -> Result<HashMap<String, BagsSeen>> {
        let path = self.folder().projections();
        let wanted = Rows::new(
            "with wanted (token, day) as (",
            2,
            ") select token, bag, position, idx, at, inspector, device from wanted join household using (token)
               join reading on reading.day = wanted.day and reading.household = household.no",
        );
        let mut connection = self.projections.acquire().await.of(&path)?;
        let bind = |b: &mut Binds, token: &String| {
            b.add(token).add(day.get());
        };
        let rows = wanted.fetch(&mut connection.link(), tokens, bind).await;
        let mut seen: HashMap<String, BTreeMap<(String, i64, u32), Readers>> = HashMap::new();
        for row in rows.of(&path)? {
            let bag: String = row.try_get("bag").of(&path)?;
            // A reading without a bag's id is a bag of its own.
            let alone = if bag.is_empty() {
                (row.try_get("position").of(&path)?, row.try_get("idx").of(&path)?)
            } else {
                (0, 0)
            };
            let token: String = row.try_get("token").of(&path)?;
            let at: i64 = row.try_get("at").of(&path)?;
            let bags = seen.entry(token).or_default();
            let readers = bags.entry((bag, alone.0, alone.1)).or_insert(Readers {
                first_at: at,
                ..Readers::default()
            });
            readers.first_at = readers.first_at.min(at);
            if row.try_get::<i64, _>("inspector").of(&path)? == i64::from(By::Inspector.code()) {
                readers.inspectors.insert(row.try_get("device").of(&path)?);
            } else {
                readers.camera = true;
            }
        }
        let of = |bags: BTreeMap<_, Readers>| {
            let latest = bags.values().max_by_key(|readers| readers.first_at);
            BagsSeen {
                bags: u32::try_from(bags.len()).unwrap_or(u32::MAX),
                awaits_second: latest.is_some_and(|bag| !bag.camera && bag.inspectors.len() == 1),
            }
        };
        Ok(seen.into_iter().map(|(token, bags)| (token, of(bags))).collect())
    }
}
