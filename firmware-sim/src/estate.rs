//! 和睦新村, rebuilt from its published totals: buildings, doors, tokens, a plan, stations and devices.
//!
//! Only the three totals are facts; every shape, door and resident count is drawn from the seed.
//! Must not: hold a real address or person, or anything that changes from day to day.

mod files;
mod plan;

use std::collections::HashSet;

use crate::draw::Dice;
use crate::reading::Code;

pub use files::{write_households, write_plan};

/// The estate's totals and name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Identifier, e.g. `hemu-xincun`.
    pub id: String,
    /// Name as people write it.
    pub name: String,
    /// Residential buildings.
    pub buildings: u32,
    /// Households.
    pub households: u32,
    /// Residents.
    pub residents: u32,
}

impl Facts {
    /// 和睦新村, 和睦街道, 拱墅区, 杭州: 54 buildings, 3,566 households, 9,757 residents.
    pub fn hemu_xincun() -> Self {
        Self {
            id: "hemu-xincun".to_owned(),
            name: "和睦新村".to_owned(),
            buildings: 54,
            households: 3_566,
            residents: 9_757,
        }
    }
}

/// One building and where it stands on the plan (metres from the north-west corner).
#[derive(Debug, Clone, PartialEq)]
pub struct Building {
    /// `12`, as households name it.
    pub id: String,
    /// `12幢`, as it is written on the wall.
    pub label: String,
    /// Staircases.
    pub units: u32,
    /// Storeys.
    pub floors: u32,
    /// Doors on each landing.
    pub doors_per_landing: u32,
    /// West edge.
    pub x: f64,
    /// North edge.
    pub y: f64,
    /// East-west length.
    pub w: f64,
    /// North-south depth.
    pub h: f64,
    /// Index of the station most of its households use.
    pub station: usize,
}

impl Building {
    /// Doors, hence households.
    pub const fn households(&self) -> u32 {
        self.units * self.floors * self.doors_per_landing
    }
}

/// One door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Household {
    /// What its card says; random-looking, so that a neighbour's cannot be guessed.
    pub token: Code,
    /// Index into [`Estate::buildings`].
    pub building: usize,
    /// Staircase, from 1.
    pub unit: u32,
    /// Door number, e.g. 301.
    pub door: u32,
    /// People behind it, 1..=8.
    pub residents: u32,
    /// Index into [`Estate::stations`].
    pub station: usize,
}

/// A drop-off station (集置点) with its bins, camera and inspector's handset.
#[derive(Debug, Clone, PartialEq)]
pub struct Station {
    /// `s01`
    pub id: String,
    /// Name on the plan.
    pub name: String,
    /// Open round the clock; else only in the two drop-off windows.
    pub open: bool,
    /// Metres from the west.
    pub x: f64,
    /// Metres from the north.
    pub y: f64,
    /// Device of the bins and the camera, `st01`.
    pub device: String,
    /// The inspector's handset, `insp01`.
    pub handset: String,
}

/// A whole estate.
#[derive(Debug, Clone, PartialEq)]
pub struct Estate {
    /// Name and totals.
    pub facts: Facts,
    /// East-west size of the site, metres.
    pub width: f64,
    /// North-south size of the site, metres.
    pub height: f64,
    /// In label order.
    pub buildings: Vec<Building>,
    /// In building, unit, door order.
    pub households: Vec<Household>,
    /// Timed stations first, then the open ones.
    pub stations: Vec<Station>,
}

/// The totals cannot be met.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum EstateError {
    /// No set of building shapes adds up.
    #[error(
        "{buildings} buildings of 30 to 140 doors cannot hold exactly {households} households; change the totals"
    )]
    Households {
        /// Buildings asked for.
        buildings: u32,
        /// Households asked for.
        households: u32,
    },
    /// Residents do not fit behind the doors.
    #[error(
        "{households} households of 1 to 8 people cannot hold exactly {residents} residents; change the totals"
    )]
    Residents {
        /// Households asked for.
        households: u32,
        /// Residents asked for.
        residents: u32,
    },
}

/// Timed stations; the rest are open.
const TIMED: usize = 10;

impl Estate {
    /// Builds the estate of `facts` from `seed`: same seed, same estate.
    pub fn new(facts: Facts, seed: u64) -> Result<Self, EstateError> {
        let mut buildings = shapes(&facts, &mut Dice::new(seed, "buildings", 0))?;
        let (width, height) = plan::place(&mut buildings, &mut Dice::new(seed, "plan", 0));
        let stations = plan::stations(&mut buildings, width, height, TIMED);
        let mut households = doors(&buildings, &mut Dice::new(seed, "tokens", 0));
        people(&facts, &mut households, &mut Dice::new(seed, "residents", 0))?;
        Ok(Self {
            facts,
            width,
            height,
            buildings,
            households,
            stations,
        })
    }

    /// 和睦新村 from `seed`.
    pub fn hemu_xincun(seed: u64) -> Result<Self, EstateError> {
        Self::new(Facts::hemu_xincun(), seed)
    }

    /// Every device with the station it belongs to: all the bins, then all the handsets.
    pub fn devices(&self) -> impl Iterator<Item = (&str, &Station)> {
        let bins = self
            .stations
            .iter()
            .map(|station| (station.device.as_str(), station));
        let handsets = self
            .stations
            .iter()
            .map(|station| (station.handset.as_str(), station));
        bins.chain(handsets)
    }

    /// Stations that are open round the clock, by index.
    pub fn open_stations(&self) -> Vec<usize> {
        (0..self.stations.len())
            .filter(|&i| self.stations.get(i).is_some_and(|s| s.open))
            .collect()
    }
}

/// Building shapes whose doors add up exactly: a random walk over shapes that is never far from the total.
fn shapes(facts: &Facts, dice: &mut Dice) -> Result<Vec<Building>, EstateError> {
    let impossible = EstateError::Households {
        buildings: facts.buildings,
        households: facts.households,
    };
    if facts.households < facts.buildings * 30 || facts.households > facts.buildings * 140 {
        return Err(impossible);
    }
    let mut buildings: Vec<Building> = (1..=facts.buildings).map(|number| shape(number, dice)).collect();
    let target = i64::from(facts.households);
    let mut total: i64 = buildings.iter().map(|b| i64::from(b.households())).sum();
    for _ in 0..2_000_000 {
        if total == target {
            return Ok(buildings);
        }
        let number = dice.below(facts.buildings);
        let proposal = shape(number + 1, dice);
        let Some(current) = buildings.get_mut(usize::try_from(number).unwrap_or(0)) else {
            continue;
        };
        let moved = total - i64::from(current.households()) + i64::from(proposal.households());
        if (moved - target).abs() <= (total - target).abs().max(30) {
            *current = proposal;
            total = moved;
        }
    }
    Err(impossible)
}

/// Slab blocks of the early 1980s: 3 to 5 staircases, 5 to 7 storeys, 2 to 4 doors a landing.
fn shape(number: u32, dice: &mut Dice) -> Building {
    Building {
        id: number.to_string(),
        label: format!("{number}幢"),
        units: 3 + dice.below(3),
        floors: 5 + dice.below(3),
        doors_per_landing: 2 + dice.below(3),
        x: 0.0,
        y: 0.0,
        w: 0.0,
        h: 0.0,
        station: 0,
    }
}

fn doors(buildings: &[Building], dice: &mut Dice) -> Vec<Household> {
    let mut taken = HashSet::new();
    let mut households = Vec::new();
    for (index, building) in buildings.iter().enumerate() {
        for unit in 1..=building.units {
            for floor in 1..=building.floors {
                for door in 1..=building.doors_per_landing {
                    households.push(Household {
                        token: fresh_token(&mut taken, dice),
                        building: index,
                        unit,
                        door: floor * 100 + door,
                        residents: 1,
                        station: building.station,
                    });
                }
            }
        }
    }
    households
}

fn fresh_token(taken: &mut HashSet<Code>, dice: &mut Dice) -> Code {
    loop {
        let fresh = Code::new("hx", dice.bits(), 10);
        if taken.insert(fresh) {
            return fresh;
        }
    }
}

/// Residents per door: drawn from a plausible mix, then corrected one person at a time to the exact total.
fn people(facts: &Facts, households: &mut [Household], dice: &mut Dice) -> Result<(), EstateError> {
    let count = facts.households;
    if facts.residents < count || facts.residents > count * 8 {
        return Err(EstateError::Residents {
            households: count,
            residents: facts.residents,
        });
    }
    let mut total = 0;
    for household in households.iter_mut() {
        household.residents = match dice.below(100) {
            0..16 => 1,
            16..46 => 2,
            46..74 => 3,
            74..91 => 4,
            91..98 => 5,
            _ => 6,
        };
        total += household.residents;
    }
    while total != facts.residents {
        let at = usize::try_from(dice.below(count)).unwrap_or(0);
        let Some(household) = households.get_mut(at) else {
            continue;
        };
        if total < facts.residents && household.residents < 8 {
            household.residents += 1;
            total += 1;
        } else if total > facts.residents && household.residents > 1 {
            household.residents -= 1;
            total -= 1;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hemu_xincun_has_exactly_its_published_totals_for_any_seed() {
        for seed in 0..30 {
            let estate = Estate::hemu_xincun(seed).unwrap();
            assert_eq!(estate.buildings.len(), 54);
            assert_eq!(estate.households.len(), 3_566);
            assert_eq!(estate.households.iter().map(|h| h.residents).sum::<u32>(), 9_757);
        }
    }

    #[test]
    fn same_seed_gives_the_same_estate_and_another_seed_another() {
        assert_eq!(Estate::hemu_xincun(5).unwrap(), Estate::hemu_xincun(5).unwrap());
        assert_ne!(Estate::hemu_xincun(5).unwrap(), Estate::hemu_xincun(6).unwrap());
    }

    #[test]
    fn tokens_are_unique_and_say_nothing_of_the_door() {
        let estate = Estate::hemu_xincun(1).unwrap();
        let tokens: HashSet<_> = estate.households.iter().map(|h| h.token).collect();
        assert_eq!(tokens.len(), 3_566);
        assert!(
            tokens
                .iter()
                .all(|t| t.as_str().starts_with("hx") && t.as_str().len() == 12)
        );
        let mut sorted: Vec<_> = estate.households.iter().map(|h| h.token).collect();
        sorted.sort();
        assert_ne!(
            sorted,
            estate.households.iter().map(|h| h.token).collect::<Vec<_>>()
        );
    }

    #[test]
    fn buildings_stand_on_the_site_and_leave_a_road_between_them() {
        let estate = Estate::hemu_xincun(3).unwrap();
        let area = estate.width * estate.height / 1e6;
        assert!(
            (area - 0.32).abs() < 0.005,
            "the site is 0.32 square kilometres, got {area}"
        );
        for (i, a) in estate.buildings.iter().enumerate() {
            assert!(a.x >= 0.0 && a.y >= 0.0 && a.x + a.w <= estate.width && a.y + a.h <= estate.height);
            for b in &estate.buildings[i + 1..] {
                let apart = a.x + a.w + 4.0 <= b.x
                    || b.x + b.w + 4.0 <= a.x
                    || a.y + a.h + 4.0 <= b.y
                    || b.y + b.h + 4.0 <= a.y;
                assert!(apart, "{} and {} leave no road", a.label, b.label);
            }
        }
    }

    #[test]
    fn ten_timed_and_two_open_stations_serve_every_household_off_the_buildings() {
        let estate = Estate::hemu_xincun(2).unwrap();
        assert_eq!(estate.stations.iter().filter(|s| !s.open).count(), 10);
        assert_eq!(estate.open_stations(), [10, 11]);
        let mut served = vec![0; estate.stations.len()];
        for household in &estate.households {
            served[household.station] += 1;
        }
        assert!(
            served.iter().all(|&n| (100..=600).contains(&n)),
            "households per station: {served:?}"
        );
        for station in &estate.stations {
            let inside = |b: &Building| {
                station.x >= b.x && station.x <= b.x + b.w && station.y >= b.y && station.y <= b.y + b.h
            };
            assert!(
                !estate.buildings.iter().any(inside),
                "{} stands in a building",
                station.id
            );
        }
    }

    #[test]
    fn impossible_totals_are_refused_with_the_figures() {
        let facts = Facts {
            households: 10,
            ..Facts::hemu_xincun()
        };
        let error = Estate::new(facts, 1).unwrap_err();
        assert!(error.to_string().contains("exactly 10 households"), "{error}");
        let facts = Facts {
            residents: 5,
            ..Facts::hemu_xincun()
        };
        assert!(matches!(
            Estate::new(facts, 1),
            Err(EstateError::Residents { .. })
        ));
    }
}
