//! Folds all acts again from the journal: beside the state tables to compare, or in their place.

use futures::TryStreamExt;

use super::apply::Stamp;
use crate::bank::unsound;
use crate::db;
use crate::entry::Origin;
use crate::error::{Error, InFile, Result};
use crate::journal::{self, Position};
use crate::ledger::Ledger;
use crate::store::Tables;
use crate::verify::differences;

/// Every table that is folded from acts, and the columns its rows are ordered by.
const TABLES: [(&str, &str); 20] = [
    ("act", "position, idx"),
    ("struck", "position, idx"),
    ("clock_checked", "position, idx"),
    ("lost_card", "token"),
    ("red_opt_in", "token"),
    ("moved", "token, day, act"),
    ("erased", "token"),
    ("roll", "hash, part"),
    ("edition", "id"),
    ("place", "edition, token"),
    ("edition_groups", "edition, part"),
    ("objection", "id"),
    ("rule_version", "id"),
    ("shadow_rule", "id"),
    ("shadow_edition", "id"),
    ("shadow_place", "edition, token"),
    ("bank_key", "key"),
    ("bank_account", "currency, id"),
    ("bank_entry", "position, idx"),
    ("bank_service", "id"),
];

impl Ledger {
    /// The first row of the state tables that is not what the acts add up to, or how the books of the bank are unsound.
    pub(crate) async fn verify_acts(&self) -> Result<Option<String>> {
        let path = self.folder().truth();
        let mut snapshot = self.truth.snapshot().await.of(&path)?;
        let head = journal::head(&mut snapshot.link()).await.of(&path)?.position;
        let beside = self.folder().place_named(Tables::Truth, "verify_acts");
        beside.remove().await?;
        beside.migrate().await?;
        let again = beside.pool();
        let mut target = again.begin_alone().await.of(&beside.shown())?;
        fold(&self.truth, &mut target.link(), head).await?;
        target.commit().await.of(&beside.shown())?;
        let outcome = differences(&mut snapshot.link(), &again, &TABLES, head).await;
        again.close().await;
        beside.remove().await?;
        match outcome.of(&path)? {
            None => unsound(&mut snapshot.link()).await.of(&path),
            difference => Ok(difference),
        }
    }

    /// Folds the state tables again, all or nothing.
    pub(crate) async fn rebuild_acts(&self) -> Result<()> {
        let path = self.folder().truth();
        let mut tx = self.truth.begin_alone().await.of(&path)?;
        for (table, _) in TABLES {
            let sql = sqlx::AssertSqlSafe(format!("delete from {table}"));
            db::query(sql).execute(&mut tx.link()).await.of(&path)?;
        }
        fold(&self.truth, &mut tx.link(), journal::END).await?;
        tx.commit().await.of(&path)
    }
}

/// Applies all acts of the journal up to a position, in its order.
async fn fold(truth: &db::Pool, target: &mut db::Link<'_>, until: Position) -> Result<()> {
    let path = std::path::Path::new("hemu.db");
    // Only batches of acts are read as a whole.
    let mut rows =
        db::query("select * from journal where position <= ? and substr(body, 1, 1) = ? order by position")
            .bind(until.cast_signed())
            .bind(&[4][..])
            .fetch(truth);
    while let Some(row) = rows.try_next().await.of(path)? {
        let position = row.try_get::<i64, _>("position").of(path)?.cast_unsigned();
        let batch = journal::batch(path, &row)?;
        for (index, entry) in (0..).zip(batch.entries()) {
            let entry = entry.map_err(|error| Error::Damaged {
                position,
                what: error.to_string(),
            })?;
            if let Origin::Account { actor } = entry.origin {
                let stamp = Stamp {
                    position,
                    index,
                    at: batch.at,
                    actor,
                };
                stamp.apply(target, &entry.body).await.of(path)?;
            }
        }
    }
    Ok(())
}
