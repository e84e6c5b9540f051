//! Where everybody stands: the calibration and the prior of an edition, and each household's evidence.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use hemu_rules::{
    BetaError, Bp, Bucket, Calibration, DECAY, Day, DayEvidence, Posterior, Rule, Source, Tally, Totals,
    day_evidence, posterior, prior, totals,
};

use super::gather::{self, Gathered};
use super::occupancy::last_move;
use crate::HouseholdDay;
use crate::error::{InFile, Result};
use crate::journal::Position;
use crate::ledger::Ledger;

/// A household's day buckets, one a day, source and stream.
pub type Evidence = Vec<(Day, Source, Bucket)>;

/// What every score of one edition is computed against. Valid for the position it was read at.
#[derive(Debug)]
pub struct Standing {
    pub edition: Day,
    /// Everything up to here is in it.
    pub position: Position,
    pub calibration: Arc<Calibration>,
    /// The city's mean.
    pub prior: Bp,
    /// Decayed evidence by household token, of those that have any.
    pub totals: HashMap<String, Totals>,
    /// Tokens of the households that a doubted inspector judged.
    pub doubted: HashSet<String>,
    /// Names by device number.
    pub device_names: Vec<String>,
}

impl Standing {
    /// What scores need of everybody gathered.
    pub fn of(gathered: Gathered) -> Self {
        let doubted = gathered
            .households
            .iter()
            .filter(|member| member.inspections_doubted);
        let doubted = doubted.map(|member| member.token.clone()).collect();
        let members = gathered.households.into_iter();
        let totals: HashMap<String, Totals> = members
            .filter(|member| member.tally != Tally::default())
            .map(|member| (member.token, member.tally.totals()))
            .collect();
        Self {
            edition: gathered.calibration.edition(),
            position: gathered.position,
            prior: prior(gathered.calibration.rule(), totals.values().copied()),
            calibration: gathered.calibration,
            totals,
            doubted,
            device_names: gathered.device_names,
        }
    }

    /// The rule all of it was computed by.
    pub fn rule(&self) -> &Rule {
        self.calibration.rule()
    }

    /// The posterior of some evidence.
    pub fn posterior(&self, totals: Totals) -> std::result::Result<Posterior, BetaError> {
        posterior(self.rule(), totals, self.prior)
    }

    /// Decayed sums of a household's evidence.
    pub fn totals_of(&self, evidence: &Evidence) -> Totals {
        totals(evidence.iter().copied(), &self.calibration, &DECAY)
    }

    /// The days behind them.
    pub fn days_of(&self, evidence: &Evidence) -> Vec<DayEvidence> {
        day_evidence(evidence.iter().copied(), &self.calibration, &DECAY)
    }

    /// A source's name, for people.
    pub fn source_name(&self, source: Source) -> &str {
        gather::name(&self.device_names, source)
    }
}

impl Ledger {
    /// The day buckets, of the days an edition looks at, of whoever lived under a token at that edition.
    pub async fn evidence(&self, token: &str, edition: Day) -> Result<Evidence> {
        let (from, to) = gather::window(edition);
        let path = self.folder().projections();
        let mut connection = self.projections.acquire().await.of(&path)?;
        let moved = last_move(&mut connection.link(), token, Some(edition))
            .await
            .of(&path)?;
        drop(connection);
        let from = moved.map_or(from, |moved| from.max(moved.plus(1)));
        let days = self.days_of(token, from, to.plus(-1)).await?;
        let buckets = |(day, sums): (Day, HouseholdDay)| {
            let of_day = sums.buckets.into_iter();
            of_day.map(move |(source, _, bucket)| (day, source, bucket))
        };
        Ok(days.into_iter().flat_map(buckets).collect())
    }
}
