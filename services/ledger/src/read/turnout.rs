//! Which households of an estate brought something, counted by building. What may be said of the counts is for
//! `rules::turnout`; nothing here names a household.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

use futures::TryStreamExt;
use hemu_rules::Day;

use super::days::{ALL, each_day};
use crate::HouseholdDay;
use crate::db;
use crate::error::{InFile, Result};
use crate::ledger::Ledger;

/// An estate's buildings, and how many households of each came in each of some times.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Came {
    /// By name; `None` is where the registry names none.
    pub buildings: Vec<Option<String>>,
    /// Registered now.
    pub households: Vec<u32>,
    /// A row a time, a number a building.
    pub came: Vec<Vec<u32>>,
}

impl Ledger {
    /// Households of an estate with at least one counted bag in each of some times, from a day to before another, in
    /// their order and without a day in common.
    pub async fn came(&self, estate: &str, times: &[(Day, Day)]) -> Result<Came> {
        let (buildings, homes) = self.homes(estate).await?;
        let mut households = vec![0; buildings.len()];
        for &building in homes.values() {
            households[building] += 1;
        }
        let mut came = vec![vec![0; buildings.len()]; times.len()];
        if let (Some((from, _)), Some((_, to))) = (times.first(), times.last()) {
            let path = self.folder().projections();
            let mut connection = self.projections.acquire().await.of(&path)?;
            let numbers = numbers(&mut connection.link(), &homes).await.of(&path)?;
            // The last time that each household was counted in.
            let mut counted = HashMap::<u32, usize>::new();
            let note = |day: Day, household: u32, sums: &HouseholdDay| {
                let time = times.iter().position(|(from, to)| (*from..*to).contains(&day));
                if let (Some(time), Some(&building)) = (time, numbers.get(&household))
                    && sums.participation.bags() > 0
                    && counted.insert(household, time) != Some(time)
                {
                    came[time][building] += 1;
                }
                ControlFlow::Continue(())
            };
            each_day(&mut connection.link(), (*from, *to), &ALL, note)
                .await
                .of(&path)?;
        }
        Ok(Came {
            buildings,
            households,
            came,
        })
    }

    /// An estate's buildings, and which of them each registered household is in.
    async fn homes(&self, estate: &str) -> Result<(Vec<Option<String>>, HashMap<String, usize>)> {
        let path = self.folder().truth();
        let rows: Vec<(String, Option<String>)> =
            db::query_as("select token, building from household where estate = ?")
                .bind(estate)
                .fetch_all(&self.truth)
                .await
                .of(&path)?;
        let mut places: BTreeMap<&Option<String>, usize> =
            rows.iter().map(|(_, building)| (building, 0)).collect();
        (0..)
            .zip(places.values_mut())
            .for_each(|(nth, place)| *place = nth);
        let names = places.keys().map(|&name| name.clone()).collect();
        let place = |(token, building): &(String, Option<String>)| {
            places.get(building).map(|&place| (token.clone(), place))
        };
        let homes = rows.iter().filter_map(place).collect();
        Ok((names, homes))
    }
}

/// Which building the household of a number is in.
async fn numbers(
    connection: &mut db::Link<'_>,
    homes: &HashMap<String, usize>,
) -> super::Outcome<HashMap<u32, usize>> {
    let mut rows = db::query("select no, token from household").fetch(connection);
    let mut numbers = HashMap::new();
    while let Some(row) = rows.try_next().await? {
        if let Some(&building) = homes.get(row.try_get::<&str, _>("token")?) {
            numbers.insert(row.try_get("no")?, building);
        }
    }
    Ok(numbers)
}
