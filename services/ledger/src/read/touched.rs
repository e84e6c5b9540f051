//! Whose page may read otherwise after some batches, but for their deposits: after acts, and after a device was frozen. For
//! whoever tells them so; must not say what it was.

use std::collections::BTreeSet;

use super::{Named, Outcome};
use crate::acts::{Act, ActRow};
use crate::bank::Deal;
use crate::db;
use crate::error::{InFile, Result};
use crate::journal::Position;
use crate::ledger::Ledger;

/// The households that an act of the bank is about: those whose accounts moved, and both of a service.
const OF_DEAL: &str =
    "select token from bank_account join bank_entry on bank_account.currency = bank_entry.currency
     and bank_account.id in (debit, credit) where position = ?1 and token is not null
     union select helper_token from bank_service where id = ?2
     union select helped_token from bank_service where id = ?2";

/// A boot that nobody waited for before the batches after one position and up to another: all its conflicts lie there.
/// What it said before counts for nobody since, whoever's it was.
const FROZEN: &str = "select boot from conflicting where open > 0 and open <=
     (select count(*) from quarantine where quarantine.device = conflicting.device
         and quarantine.boot = conflicting.boot and reason = 'conflict' and position > ? and position <= ?) limit 1";

/// Whom acts are about.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// An edition went a step on that every household of it is told of, or a rule or a device did that may concern any: a
    /// boot of it was frozen, or is no more.
    pub everybody: bool,
    /// Households by token.
    pub tokens: BTreeSet<String>,
}

impl Ledger {
    /// Whom what came after a batch is about, up to another one. What was only proposed is about nobody.
    pub async fn touched(&self, after: Position, upto: Position) -> Result<Touched> {
        let path = self.folder().truth();
        let rows: Vec<ActRow> = db::query_as("select * from act where position > ? and position <= ?")
            .bind(after.cast_signed())
            .bind(upto.cast_signed())
            .fetch_all(&self.truth)
            .await
            .of(&path)?;
        let mut touched = Touched {
            everybody: self.froze(after, upto).await?,
            ..Touched::default()
        };
        for row in rows {
            // The row of a proposed edition holds no act.
            let Ok(act) = serde_json::from_str::<Act>(&row.body) else {
                continue;
            };
            match act {
                Act::Notice { .. }
                | Act::Open { .. }
                | Act::Publish { .. }
                | Act::Expire { .. }
                | Act::Retract { .. }
                | Act::AdoptRule { .. }
                | Act::DeviceChecked { .. } => touched.everybody = true,
                Act::Strike { reading, .. } | Act::Restore { reading } | Act::ClockChecked { reading } => {
                    let named = Named::find(&self.truth, self.zone(), reading).await.of(&path)?;
                    touched.tokens.extend(named.and_then(|named| named.token));
                }
                Act::DecideObjection { objection, .. } => {
                    let objection = self.objection(objection).await?;
                    touched.tokens.extend(objection.map(|objection| objection.token));
                }
                Act::Bank(deal) => {
                    let of_deal = self.of_deal(row.place.0, &deal).await;
                    touched.tokens.extend(of_deal.of(&path)?);
                }
                _ => touched.tokens.extend(row.token),
            }
        }
        Ok(touched)
    }

    /// Whether a device's boot was frozen by what some batches brought.
    async fn froze(&self, after: Position, upto: Position) -> Result<bool> {
        let frozen = db::query(FROZEN)
            .bind(after.cast_signed())
            .bind(upto.cast_signed())
            .fetch_optional(&self.projections)
            .await;
        Ok(frozen.of(&self.folder().projections())?.is_some())
    }

    async fn of_deal(&self, position: Position, deal: &Deal) -> Outcome<Vec<String>> {
        let service = match deal {
            Deal::Confirm { service, .. } => *service,
            _ => position,
        };
        db::query_scalar(OF_DEAL)
            .bind(position.cast_signed())
            .bind(service.cast_signed())
            .fetch_all(&self.truth)
            .await
    }
}
