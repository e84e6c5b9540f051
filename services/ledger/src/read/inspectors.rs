//! Inspectors beside each other: how far each lies from the colleagues on the same bags, whom they judged, and since when
//! they are doubted. Who is right is not said here.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use hemu_rules::{Day, Rule, SharedBags, doubted};

use super::Outcome;
use super::gather::window;
use crate::db;
use crate::error::{InFile, Result};
use crate::ledger::Ledger;

/// An inspector as an edition sees them. Named by the device they read with, and by nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspector {
    pub device: String,
    /// Counted readings of the days an edition looks at, and of how many households.
    pub readings: u64,
    pub households: u64,
    /// Over the bags shared with any colleague in the rule's pair days.
    pub shared: SharedBags,
    /// The first edition of all up to now at which this inspector was doubted; `None` while trusted. No further back than
    /// the rule's pair days.
    pub doubted_since: Option<Day>,
}

/// A mean difference of a device and day, in basis points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Apart {
    pub device: String,
    pub day: Day,
    /// Bags that were read by both.
    pub n: i64,
    /// Own quality less the other's, summed.
    pub apart: i64,
}

/// Bags of an inspector, a day at a time, both of a pair of inspectors having theirs.
async fn shared(
    connection: &mut db::Link<'_>,
    (from, to): (Day, Day),
) -> Outcome<Vec<(u32, Day, SharedBags)>> {
    let rows =
        db::query("select * from shared where day >= ? and day < ? order by day, inspector, colleague")
            .bind(from.get())
            .bind(to.get())
            .fetch_all(connection)
            .await?;
    let mut all = Vec::with_capacity(2 * rows.len());
    for row in &rows {
        let (n, apart) = (row.try_get("n")?, row.try_get("apart")?);
        let day = Day::clamped(row.try_get("day")?);
        all.push((row.try_get("inspector")?, day, SharedBags { n, apart }));
        all.push((row.try_get("colleague")?, day, SharedBags { n, apart: -apart }));
    }
    Ok(all)
}

/// Numbers of the households whose inspections are doubted at an edition: any doubted inspector judged them in the days
/// it looks at.
pub(super) async fn doubted_households(
    connection: &mut db::Link<'_>,
    rule: &Rule,
    edition: Day,
) -> Outcome<HashSet<u32>> {
    let bags = shared(connection, (edition.plus(-rule.pair_days), edition)).await?;
    let doubted = doubted(
        rule,
        bags.into_iter().map(|(inspector, _, bags)| (inspector, bags)),
    );
    let (from, to) = window(edition);
    let mut households = HashSet::new();
    for inspector in doubted {
        let of_one: Vec<u32> = db::query_scalar(
            "select distinct household from inspected where inspector = ? and day >= ? and day < ?",
        )
        .bind(inspector)
        .bind(from.get())
        .bind(to.get())
        .fetch_all(&mut *connection)
        .await?;
        households.extend(of_one);
    }
    Ok(households)
}

/// From which edition on an inspector is doubted without a break up to this one.
fn doubted_since(rule: &Rule, bags: &[(u32, Day, SharedBags)], edition: Day) -> BTreeMap<u32, Day> {
    let mut since = BTreeMap::new();
    for back in 0..=rule.pair_days {
        let day = edition.plus(-back);
        let (from, to) = (day.plus(-rule.pair_days), day);
        let of_edition = bags.iter().filter(|(_, day, _)| (from..to).contains(day));
        let doubted: BTreeSet<u32> =
            doubted(rule, of_edition.map(|(inspector, _, bags)| (*inspector, *bags)));
        if back == 0 {
            since.extend(doubted.into_iter().map(|inspector| (inspector, day)));
            continue;
        }
        // Only who was doubted at the edition after this one goes on.
        for (inspector, first) in &mut since {
            if *first == day.plus(1) && doubted.contains(inspector) {
                *first = day;
            }
        }
    }
    since
}

impl Ledger {
    /// Everybody who inspected in the days an edition looks at, by device.
    pub async fn inspectors(&self, rule: &Rule, edition: Day) -> Result<Vec<Inspector>> {
        let path = self.folder().projections();
        let mut snapshot = self.projections.snapshot().await.of(&path)?;
        let long_ago = edition.plus(-2 * rule.pair_days);
        let bags = shared(&mut snapshot.link(), (long_ago, edition))
            .await
            .of(&path)?;
        let since = doubted_since(rule, &bags, edition);
        let (from, to) = window(edition);
        let rows = db::query(
            "select no, name, cast(sum(n) as bigint) as readings, count(distinct household) as households
             from device join inspected on inspected.inspector = device.no and day >= ? and day < ?
             group by no order by name",
        )
        .bind(from.get())
        .bind(to.get())
        .fetch_all(&mut snapshot.link())
        .await
        .of(&path)?;
        let recent = |no: u32| {
            let first = edition.plus(-rule.pair_days);
            let own = bags
                .iter()
                .filter(|(inspector, day, _)| *inspector == no && *day >= first);
            own.map(|(_, _, bags)| *bags).sum()
        };
        let inspector = |row: &db::Row| -> Outcome<Inspector> {
            let no: u32 = row.try_get("no")?;
            Ok(Inspector {
                device: row.try_get("name")?,
                readings: row.try_get::<i64, _>("readings")?.cast_unsigned(),
                households: row.try_get::<i64, _>("households")?.cast_unsigned(),
                shared: recent(no),
                doubted_since: since.get(&no).copied(),
            })
        };
        rows.iter().map(inspector).collect::<Outcome<_>>().of(&path)
    }

    /// How far cameras lie from the inspectors on the same bags, by device and day of `from..to`.
    pub async fn cameras_apart(&self, (from, to): (Day, Day)) -> Result<Vec<Apart>> {
        self.apart(
            "select name, day, n, sy - sq as apart from pair join device on no = device
             where day >= ?1 and day < ?2 order by name, day",
            (from, to),
        )
        .await
    }

    /// How far inspectors lie from their colleagues on the same bags, by device and day of `from..to`.
    pub async fn inspectors_apart(&self, (from, to): (Day, Day)) -> Result<Vec<Apart>> {
        self.apart(
            "select name, day, cast(sum(n) as bigint) as n, cast(sum(apart) as bigint) as apart from (
                 select day, inspector, n, apart from shared where day >= ?1 and day < ?2
                 union all
                 select day, colleague, n, -apart from shared where day >= ?1 and day < ?2
             ) as sides join device on no = inspector group by name, day order by name, day",
            (from, to),
        )
        .await
    }

    async fn apart(&self, sql: &'static str, (from, to): (Day, Day)) -> Result<Vec<Apart>> {
        let path = self.folder().projections();
        let rows = db::query(sql)
            .bind(from.get())
            .bind(to.get())
            .fetch_all(&self.projections)
            .await
            .of(&path)?;
        let apart = |row: &db::Row| -> Outcome<Apart> {
            Ok(Apart {
                device: row.try_get("name")?,
                day: Day::clamped(row.try_get("day")?),
                n: row.try_get("n")?,
                apart: row.try_get("apart")?,
            })
        };
        rows.iter().map(apart).collect::<Outcome<_>>().of(&path)
    }
}
