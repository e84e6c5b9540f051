//! Days with more bags on one card than a household makes: others use the card, it was copied, or a bag was taken apart. For
//! a person to look at. Must not change what a bag is worth: a score never falls by a count.

use std::ops::ControlFlow;

use hemu_rules::{BAGS_A_DAY_MOST, Day};

use super::days::{ALL, each_day};
use crate::db;
use crate::error::{InFile, Result};
use crate::ledger::Ledger;

/// More bags with one card on one day than [`BAGS_A_DAY_MOST`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusyDay {
    pub token: String,
    pub day: Day,
    /// Counted bags; those that are held for another reason are not among them.
    pub bags: i64,
}

impl Ledger {
    /// Those of the days `from..to`, newest day first, then most bags first; the first `most` of them, and how many there
    /// are. Of whatever card, also one that nobody registered.
    pub(crate) async fn busy_days(&self, from: Day, to: Day, most: usize) -> Result<(Vec<BusyDay>, usize)> {
        let path = self.folder().projections();
        let mut snapshot = self.projections.snapshot().await.of(&path)?;
        let mut found = Vec::new();
        each_day(&mut snapshot.link(), (from, to), &ALL, |day, household, sums| {
            let bags = sums.participation.bags();
            if household != 0 && bags > BAGS_A_DAY_MOST {
                found.push((day, bags, household));
            }
            ControlFlow::Continue(())
        })
        .await
        .of(&path)?;
        let all = found.len();
        found.sort_unstable_by(|one, other| other.cmp(one));
        found.truncate(most);
        let mut busy = Vec::with_capacity(found.len());
        for (day, bags, household) in found {
            let token: Option<String> = db::query_scalar("select token from household where no = ?")
                .bind(household)
                .fetch_optional(&mut snapshot.link())
                .await
                .of(&path)?;
            busy.extend(token.map(|token| BusyDay { token, day, bags }));
        }
        Ok((busy, all))
    }
}
