//! What somebody may read of people. Whoever answers people asks here: a household, and everything that hangs on it, is
//! reached through a [`Scope`] only, and what lies outside is not there. Must not decide which doors a role opens; that is
//! asked before.

use std::collections::HashMap;

use hemu_people::Scope;
use hemu_rules::{Day, Participation};

use crate::acts::{
    ActRow, EditionId, Listing, ObjectionId, ObjectionQuery, ObjectionRow, PlaceRow, ReadingAt, Standing,
};
use crate::bank::{Balances, EntryRow, ServiceRow};
use crate::error::Result;
use crate::journal::Position;
use crate::ledger::Ledger;
use crate::people::Resident;
use crate::privacy::{ConsentRow, LookQuery, LookRow, TrailQuery, TrailRow};
use crate::read::{BagsSeen, BusyDay, DepositRow, Evidence};
use crate::registry::{Household, HouseholdQuery};
use crate::sums::HouseholdDay;

/// The ledger as one scope shows it.
#[derive(Debug, Clone)]
pub struct Sight {
    ledger: Ledger,
    scope: Scope,
}

/// A household that a scope reaches; the only way to what is known of it.
#[derive(Debug, Clone)]
pub struct Seen {
    ledger: Ledger,
    row: Household,
}

impl Ledger {
    /// The ledger as a scope shows it.
    pub fn seen_by(&self, scope: Scope) -> Sight {
        Sight {
            ledger: self.clone(),
            scope,
        }
    }
}

impl Sight {
    /// Whether it reaches beyond one's own: whoever looks so is noted.
    pub const fn is_staffs(&self) -> bool {
        matches!(self.scope, Scope::Everyone)
    }

    /// A registered household; `None` for a token that is nobody's, and for one outside the scope.
    pub async fn household(&self, token: &str) -> Result<Option<Seen>> {
        if !self.scope.covers(token) {
            return Ok(None);
        }
        let row = self.ledger.household(token).await?;
        Ok(row.map(|row| Seen {
            ledger: self.ledger.clone(),
            row,
        }))
    }

    /// Households that fit, in order of token.
    pub async fn households(&self, find: &HouseholdQuery<'_>) -> Result<Vec<Household>> {
        let Scope::Own(tokens) = &self.scope else {
            return self.ledger.households(find).await;
        };
        let mut found = Vec::new();
        for token in tokens {
            let one = HouseholdQuery {
                only: Some(token),
                ..*find
            };
            found.extend(self.ledger.households(&one).await?);
        }
        found.truncate(usize::try_from(find.limit).unwrap_or(usize::MAX));
        Ok(found)
    }

    /// Registered households with more bags on one of the days `from..to` than a household makes, newest first; at most
    /// `most`, and how many there are of whatever card.
    pub async fn busy_days(&self, from: Day, to: Day, most: usize) -> Result<(Vec<(Seen, BusyDay)>, usize)> {
        let (busy, all) = self.ledger.busy_days(from, to, most).await?;
        let mut found = Vec::with_capacity(busy.len());
        for busy in busy {
            let household = self.household(&busy.token).await?;
            found.extend(household.map(|household| (household, busy)));
        }
        Ok((found, all))
    }

    /// Households that bring their bags to a station.
    pub async fn households_at(&self, station: &str) -> Result<Vec<Seen>> {
        let rows = self.ledger.households_at(station).await?;
        let seen = rows.into_iter().filter(|row| self.scope.covers(&row.token));
        Ok(seen
            .map(|row| Seen {
                ledger: self.ledger.clone(),
                row,
            })
            .collect())
    }

    /// What was seen today of the bags of households that were found before.
    pub async fn bags_seen(&self, day: Day, households: &[Seen]) -> Result<HashMap<String, BagsSeen>> {
        let tokens: Vec<String> = households.iter().map(|seen| seen.row.token.clone()).collect();
        self.ledger.bags_seen(day, &tokens).await
    }

    /// The places of an edition that the rule gave a status, by rank.
    pub async fn places(
        &self,
        edition: EditionId,
        status: hemu_rules::Status,
        after_rank: u32,
        limit: u32,
    ) -> Result<Vec<PlaceRow>> {
        match &self.scope {
            Scope::Everyone => self.ledger.places(edition, status, after_rank, limit).await,
            Scope::Own(_) => Ok(Vec::new()),
        }
    }

    /// One household's place in an edition; `None`: on no list and not warned, or outside the scope.
    pub async fn place(&self, edition: EditionId, token: &str) -> Result<Option<PlaceRow>> {
        if !self.scope.covers(token) {
            return Ok(None);
        }
        self.ledger.place(edition, token).await
    }

    /// Objections that fit, oldest first; within a scope of one's own, those of the present occupant.
    pub async fn objections(&self, find: &ObjectionQuery) -> Result<Vec<ObjectionRow>> {
        let Scope::Own(tokens) = &self.scope else {
            return self.ledger.objections(find).await;
        };
        let mut found = Vec::new();
        for token in tokens {
            found.extend(self.ledger.own_objections(token, find).await?);
        }
        found.sort_by_key(|row: &ObjectionRow| row.id);
        found.truncate(usize::try_from(find.limit).unwrap_or(usize::MAX));
        Ok(found)
    }

    /// One objection; `None` where there is none, and for one outside the scope.
    pub async fn objection(&self, id: ObjectionId) -> Result<Option<ObjectionRow>> {
        let Scope::Own(tokens) = &self.scope else {
            return self.ledger.objection(id).await;
        };
        let one = ObjectionQuery {
            edition: None,
            pending: false,
            after: id.checked_sub(1),
            limit: 1,
        };
        for token in tokens {
            let own = self.ledger.own_objections(token, &one).await?;
            if let Some(row) = own.into_iter().find(|row| row.id == id) {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    /// The whole trail, newest first; only for whoever sees everyone in it.
    pub async fn trail(&self, find: &TrailQuery<'_>) -> Result<Vec<TrailRow>> {
        match &self.scope {
            Scope::Everyone => self.ledger.trail(find).await,
            Scope::Own(_) => Ok(Vec::new()),
        }
    }

    /// The trail of an edition, oldest first, after a place of the journal; only for whoever sees everyone in it.
    pub async fn acts_of(
        &self,
        edition: EditionId,
        after: Option<(Position, u32)>,
        limit: u32,
    ) -> Result<Vec<ActRow>> {
        match &self.scope {
            Scope::Everyone => self.ledger.acts_of(edition, after, limit).await,
            Scope::Own(_) => Ok(Vec::new()),
        }
    }
}

impl Seen {
    pub fn row(&self) -> &Household {
        &self.row
    }

    pub fn into_row(self) -> Household {
        self.row
    }

    /// What was seen on a day of its bags.
    pub async fn bags_seen(&self, day: Day) -> Result<BagsSeen> {
        let tokens = std::slice::from_ref(&self.row.token);
        let mut seen = self.ledger.bags_seen(day, tokens).await?;
        Ok(seen.remove(&self.row.token).unwrap_or_default())
    }

    /// The present occupant's readings of `from..=to`, oldest first.
    pub async fn deposits(&self, from: Day, to: Day) -> Result<Vec<DepositRow>> {
        self.ledger.deposits(&self.row.token, from, to).await
    }

    /// Which pictures go with some of those, as far as whoever graded them named one.
    pub async fn photos(&self, deposits: &[DepositRow]) -> Result<HashMap<ReadingAt, String>> {
        self.ledger.photos(&self.row.token, deposits).await
    }

    /// What the present occupant did on each day of `from..=to`.
    pub async fn days(&self, from: Day, to: Day) -> Result<Vec<(Day, HouseholdDay)>> {
        self.ledger.household_days(&self.row.token, from, to).await
    }

    /// The present occupant's bags by day, `from..=to`.
    pub async fn participation(&self, from: Day, to: Day) -> Result<Vec<(Day, Participation)>> {
        self.ledger.participation(&self.row.token, from, to).await
    }

    /// The first local day of a counted deposit of the present occupant.
    pub async fn first_day(&self) -> Result<Option<Day>> {
        self.ledger.first_day(&self.row.token).await
    }

    /// What an edition would be computed from.
    pub async fn evidence(&self, edition: Day) -> Result<Evidence> {
        self.ledger.evidence(&self.row.token, edition).await
    }

    /// Where it stands on the lists at an instant (ms since 1970 UTC).
    pub async fn listing(&self, now: i64) -> Result<Listing> {
        self.ledger.listing(&self.row.token, now).await
    }

    /// What the present occupant agreed to and withdrew, oldest first.
    pub async fn consents(&self) -> Result<Vec<ConsentRow>> {
        self.ledger.consents(&self.row.token).await
    }

    /// Who acts for it, by since when, and of each whether the one who asks may end it: with `None` whoever prints its codes,
    /// else an account that acts for it itself. A delegate is told of itself alone.
    pub async fn residents(&self, asker: Option<&str>) -> Result<Vec<(Resident, bool)>> {
        let all = self.ledger.residents(&self.row.token).await?;
        let Some(asker) = asker else {
            return Ok(all.into_iter().map(|resident| (resident, true)).collect());
        };
        // That it acts for the household may have ended since it was let in.
        let Some(own) = all.iter().find(|resident| resident.account == asker).cloned() else {
            return Ok(Vec::new());
        };
        let told = all.into_iter().filter(|other| !own.delegate || *other == own);
        let with = |other: Resident| {
            let may_end = own.may_end(&other);
            (other, may_end)
        };
        Ok(told.map(with).collect())
    }

    /// What the present occupant has of minutes and points.
    pub async fn balances(&self) -> Result<Balances> {
        self.ledger.balances(&self.row.token).await
    }

    /// Entries of the present occupant's accounts, newest first, before a place of the journal.
    pub async fn entries(&self, before: Option<(Position, u32)>, limit: u32) -> Result<Vec<EntryRow>> {
        self.ledger.entries(&self.row.token, before, limit).await
    }

    /// Services by the present occupant and for them, newest first.
    pub async fn services(&self, limit: u32) -> Result<Vec<ServiceRow>> {
        self.ledger.services(&self.row.token, limit).await
    }

    /// The present occupant's part of the trail, newest first, before a place of the journal.
    pub async fn trail(&self, before: Option<(Position, u32)>, limit: u32) -> Result<Vec<TrailRow>> {
        let since = self.ledger.occupied_since(&self.row.token).await?;
        let find = TrailQuery {
            token: Some(&self.row.token),
            since: Some(since),
            before,
            limit,
            ..TrailQuery::default()
        };
        self.ledger.trail(&find).await
    }

    /// Who looked since the present occupant began, newest day first.
    pub async fn looks(&self, limit: u32) -> Result<Vec<LookRow>> {
        let occupied = self.ledger.occupancies(&self.row.token).await?.pop();
        let find = LookQuery {
            token: Some(&self.row.token),
            from: occupied.and_then(|period| period.from),
            limit,
            ..LookQuery::default()
        };
        self.ledger.looks(&find).await
    }

    /// Everything that is held about the present occupant, as one document.
    pub async fn subject(&self, now: i64) -> Result<Option<serde_json::Value>> {
        self.ledger.subject(&self.row.token, now).await
    }

    /// The editions the present occupant was told of, newest first, before one.
    pub async fn editions(&self, before: Option<EditionId>, limit: u32) -> Result<Vec<Standing>> {
        self.ledger
            .household_editions(&self.row.token, before, limit)
            .await
    }
}
