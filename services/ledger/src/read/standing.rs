//! Where everybody stands: the calibration and the prior of an edition, and each household's evidence.

use std::collections::HashMap;

use futures::TryStreamExt;
use hemu_rules::{
    BetaError, Bp, Bucket, Calibration, DECAY, Day, DayEvidence, DeviceNo, PairSums, Posterior, Rule, Source,
    Tally, Totals, calibrate, day_evidence, posterior, prior, totals,
};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::Outcome;
use super::days::each_day;
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
    pub calibration: Calibration,
    /// The city's mean.
    pub prior: Bp,
    /// Decayed evidence by household token, of those that have any.
    pub totals: HashMap<String, Totals>,
    /// Names by device number.
    pub device_names: Vec<String>,
}

impl Standing {
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
        match source {
            Source::Inspector => "inspector",
            Source::Camera(DeviceNo(no)) => self.device_names.get(no as usize).map_or("", String::as_str),
        }
    }
}

impl Ledger {
    /// Calibration, prior and everybody's evidence for an edition (evidence of days before it).
    pub async fn standing(&self, rule: &Rule, edition: Day) -> Result<Standing> {
        let path = self.folder().projections();
        // One read transaction, so that position, pairs and evidence are of one moment.
        let mut snapshot = self.projections.begin().await.of(&path)?;
        let row = sqlx::query("select applied from progress")
            .fetch_one(&mut *snapshot)
            .await
            .of(&path)?;
        let position = row.try_get::<i64, _>("applied").of(&path)?.cast_unsigned();
        let names = sqlx::query("select name from device order by no")
            .fetch_all(&mut *snapshot)
            .await
            .of(&path)?;
        let device_names = names
            .iter()
            .map(|row| row.try_get("name"))
            .collect::<Outcome<Vec<String>>>()
            .of(&path)?;
        let pairs = sqlx::query("select * from pair")
            .fetch_all(&mut *snapshot)
            .await
            .of(&path)?;
        let pairs = pairs.iter().map(pair).collect::<Outcome<Vec<_>>>().of(&path)?;
        let name_of = |DeviceNo(no): DeviceNo| device_names.get(no as usize).map_or("", String::as_str);
        let calibration = calibrate(rule, pairs, name_of, edition);

        let mut tallies: Vec<Tally> = Vec::new();
        let window = (edition.plus(-days_of_decay()), edition);
        let mut buckets = Vec::new();
        let gather = |day, household: u32, sums: &HouseholdDay| {
            let place = household as usize;
            if tallies.len() <= place {
                tallies.resize(place + 1, Tally::default());
            }
            buckets.clear();
            buckets.extend(sums.buckets.iter().map(|&(source, _, bucket)| (source, bucket)));
            if let Some(tally) = tallies.get_mut(place) {
                tally.add_evidence(&calibration, day, &buckets);
                tally.add_bags(&calibration, day, &sums.participation);
            }
        };
        each_day(&mut snapshot, window, gather).await.of(&path)?;
        // A token nobody registered scores for nobody: neither for itself nor in the city's mean.
        let registered = self.tokens().await?;
        let mut by_token = HashMap::with_capacity(tallies.len());
        let mut tokens = sqlx::query("select no, token from household").fetch(&mut *snapshot);
        while let Some(row) = tokens.try_next().await.of(&path)? {
            let (no, token): (u32, String) = (row.try_get("no").of(&path)?, row.try_get("token").of(&path)?);
            let tally = tallies
                .get(no as usize)
                .filter(|tally| **tally != Tally::default());
            if let Some(tally) = tally.filter(|_| registered.contains(&token)) {
                by_token.insert(token, tally.totals());
            }
        }
        drop(tokens);
        let prior = prior(rule, by_token.values().copied());
        Ok(Standing {
            edition,
            position,
            calibration,
            prior,
            totals: by_token,
            device_names,
        })
    }

    /// One household's day buckets of the days an edition looks at.
    pub async fn evidence(&self, token: &str, edition: Day) -> Result<Evidence> {
        let window = (edition.plus(-days_of_decay()), edition.plus(-1));
        let days = self.household_days(token, window.0, window.1).await?;
        let buckets = |(day, sums): (Day, HouseholdDay)| {
            let of_day = sums.buckets.into_iter();
            of_day.map(move |(source, _, bucket)| (day, source, bucket))
        };
        Ok(days.into_iter().flat_map(buckets).collect())
    }
}

fn days_of_decay() -> i32 {
    i32::try_from(DECAY.len()).unwrap_or(i32::MAX)
}

fn pair(row: &SqliteRow) -> Outcome<(DeviceNo, Day, PairSums)> {
    let sums = PairSums {
        n: row.try_get("n")?,
        sy: row.try_get("sy")?,
        sq: row.try_get("sq")?,
        syy: row.try_get("syy")?,
        sqq: row.try_get("sqq")?,
        syq: row.try_get("syq")?,
    };
    Ok((
        DeviceNo(row.try_get("device")?),
        Day::clamped(row.try_get("day")?),
        sums,
    ))
}
