//! Buildings and units: which households are in which, and what may be said of them, now and of an edition.
//!
//! What may be said is for `rules::group` to decide. Which household is where is the registry's to say, at the moment
//! it is asked; the journal gets the names of groups and never who is in them.

use std::collections::HashMap;

use futures::TryStreamExt;
use hemu_rules::{BetaError, Bp, Counted, Form, GroupTally, Rule, Status, group};
use serde::{Deserialize, Serialize};

use super::Member;
use crate::acts::{Audience, EditionId, EditionRow, Proposal};
use crate::db;
use crate::error::{InFile, Result};
use crate::ledger::Ledger;

/// A building and its units by name; `None` is where the registry names none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BuildingNames {
    pub name: Option<String>,
    pub units: Vec<Option<String>>,
}

/// An estate's buildings and units, and what may be said of each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EstateGroups {
    pub estate: String,
    /// In the order of the form's.
    pub names: Vec<BuildingNames>,
    pub form: Form,
}

/// A household's estate, building and unit, by number.
type At = (usize, usize, usize);

/// Which registered household is in which building and unit of which estate.
#[derive(Debug, Default)]
pub struct Grouping {
    estates: Vec<(String, Vec<BuildingNames>)>,
    places: HashMap<String, At>,
}

/// Sums over every unit of every building of every estate.
#[derive(Debug, Default)]
pub struct GroupSums(Vec<Vec<Vec<GroupTally>>>);

impl Grouping {
    fn add(&mut self, token: String, estate: String, building: Option<String>, unit: Option<String>) {
        if self.estates.last().is_none_or(|(last, _)| *last != estate) {
            self.estates.push((estate, Vec::new()));
        }
        let Some((_, buildings)) = self.estates.last_mut() else {
            return;
        };
        if buildings.last().is_none_or(|last| last.name != building) {
            buildings.push(BuildingNames {
                name: building,
                units: Vec::new(),
            });
        }
        let Some(names) = buildings.last_mut() else { return };
        if names.units.last() != Some(&unit) {
            names.units.push(unit);
        }
        let at = (names.units.len() - 1, buildings.len() - 1, self.estates.len() - 1);
        self.places.insert(token, (at.2, at.1, at.0));
    }

    /// Adds up households by unit; those whose estate nobody knows are in no group.
    pub fn sums(&self, rule: &Rule, households: &[Member]) -> GroupSums {
        let none = |buildings: &Vec<BuildingNames>| {
            let units = |names: &BuildingNames| vec![GroupTally::default(); names.units.len()];
            buildings.iter().map(units).collect()
        };
        let mut sums = GroupSums(
            self.estates
                .iter()
                .map(|(_, buildings)| none(buildings))
                .collect(),
        );
        for member in households {
            if let Some(&(estate, building, unit)) = self.places.get(&member.token) {
                sums.0[estate][building][unit].add(rule, member.tally.totals());
            }
        }
        sums
    }

    /// What may be said of every estate's groups, without counts of those on a list.
    pub fn publish(
        &self,
        rule: &Rule,
        prior: Bp,
        sums: &GroupSums,
    ) -> std::result::Result<Vec<EstateGroups>, BetaError> {
        let of = |((estate, names), sums): (&(String, Vec<BuildingNames>), &Vec<Vec<GroupTally>>)| {
            Ok(EstateGroups {
                estate: estate.clone(),
                names: names.clone(),
                form: group::publish(rule, prior, sums)?,
            })
        };
        self.estates.iter().zip(&sums.0).map(of).collect()
    }

    /// Counts households on a list into an estate's groups, by the names of the groups they are in.
    pub fn count<'t>(
        &self,
        groups: &mut EstateGroups,
        list: Counted,
        tokens: impl IntoIterator<Item = &'t str>,
    ) {
        let mut on: Vec<Vec<u32>> = groups
            .names
            .iter()
            .map(|names| vec![0; names.units.len()])
            .collect();
        for token in tokens {
            let Some(&(estate, building, unit)) = self.places.get(token) else {
                continue;
            };
            let (name, buildings) = &self.estates[estate];
            if *name != groups.estate {
                continue;
            }
            let (building, unit) = (&buildings[building].name, &buildings[building].units[unit]);
            let nth = groups.names.iter().position(|names| names.name == *building);
            let place = nth.and_then(|nth| {
                let unit = groups.names[nth].units.iter().position(|name| name == unit)?;
                Some((nth, unit))
            });
            if let Some((building, unit)) = place {
                on[building][unit] += 1;
            }
        }
        groups.form.count(list, &on);
    }
}

/// Units in one record of the journal.
const UNITS: usize = 1_000;

impl EstateGroups {
    /// Cut into records.
    pub(crate) fn parts(self) -> Vec<Self> {
        let Self { estate, names, form } = self;
        let part = || Self {
            estate: estate.clone(),
            ..Self::default()
        };
        let mut parts = vec![Self {
            form: Form {
                whole: form.whole,
                ..Form::default()
            },
            ..part()
        }];
        let mut units = 0;
        for (names, building) in names.into_iter().zip(form.buildings) {
            if units > UNITS {
                parts.push(part());
                units = 0;
            }
            units += 1 + names.units.len();
            if let Some(last) = parts.last_mut() {
                last.names.push(names);
                last.form.buildings.push(building);
            }
        }
        parts
    }

    fn extend(&mut self, part: Self) {
        self.form.whole = self.form.whole.or(part.form.whole);
        self.names.extend(part.names);
        self.form.buildings.extend(part.form.buildings);
    }
}

impl Ledger {
    /// Which household is where just now. Personal data: nothing of it leaves the process but through `rules::group`.
    pub async fn grouping(&self) -> Result<Grouping> {
        let path = self.folder().truth();
        // What has no name comes first, in either engine: an edition is the same in both.
        let mut rows = db::query(
            "select token, estate, building, unit from household where estate is not null
             order by estate, building is not null, building, unit is not null, unit, token",
        )
        .fetch(&self.truth);
        let mut grouping = Grouping::default();
        while let Some(row) = rows.try_next().await.of(&path)? {
            let text = |column| row.try_get::<Option<String>, _>(column).of(&path);
            let (token, estate) = (row.try_get("token").of(&path)?, row.try_get("estate").of(&path)?);
            grouping.add(token, estate, text("building")?, text("unit")?);
        }
        Ok(grouping)
    }

    /// What may be said of an estate's groups at an edition, as it was stored with it; nobody on a list is counted. `None`
    /// when the edition or the estate was none then.
    pub async fn stored_groups(&self, edition: EditionId, estate: &str) -> Result<Option<EstateGroups>> {
        let path = self.folder().truth();
        let parts: Vec<String> = db::query_scalar(
            "select body from edition_groups where edition = ? and estate = ? order by part",
        )
        .bind(edition.cast_signed())
        .bind(estate)
        .fetch_all(&self.truth)
        .await
        .of(&path)?;
        let mut found: Option<EstateGroups> = None;
        for part in parts {
            let Ok(Proposal::Groups(part)) = serde_json::from_str(&part) else {
                return Err(super::damaged("body", edition.cast_signed())).of(&path);
            };
            match &mut found {
                None => found = Some(part),
                Some(groups) => groups.extend(part),
            }
        }
        Ok(found)
    }

    /// The same with counts of those on its lists while it is public.
    pub async fn edition_groups(
        &self,
        edition: EditionId,
        estate: &str,
        now: i64,
    ) -> Result<Option<EstateGroups>> {
        let mut found = self.stored_groups(edition, estate).await?;
        let row = self.edition_row(edition).await?;
        // What only a building may see is counted for nobody: this form is for everybody.
        let row = row.filter(|row| row.is_public(now) && row.audience == Some(Audience::Masked));
        if let (Some(groups), Some(row)) = (&mut found, row) {
            let (grouping, shown) = (self.grouping().await?, self.shown(&row).await?);
            for (list, status) in [(Counted::Red, Status::Red), (Counted::Black, Status::Black)] {
                let on = shown.iter().filter(|(_, shown)| *shown == status);
                grouping.count(groups, list, on.map(|(token, _)| token.as_str()));
            }
        }
        Ok(found)
    }

    /// Who is shown as red or black in an edition.
    async fn shown(&self, edition: &EditionRow) -> Result<Vec<(String, Status)>> {
        let mut shown = Vec::new();
        for status in [Status::Red, Status::Black] {
            let places = self.places(edition.id, status, 0, u32::MAX).await?;
            let places = places.into_iter().map(|place| (place.shown(), place.token));
            shown.extend(
                places
                    .filter(|(shown, _)| *shown == status)
                    .map(|(shown, token)| (token, shown)),
            );
        }
        Ok(shown)
    }
}
