//! Life on the estate: who drops what, when, how well sorted, and what the bins say about it.
//!
//! A [`History`] gives one day after another, each in time order, for as long as it is asked; memory is
//! one day. Must not: number records (devices do) or know any scoring rule.

mod bins;
mod habits;
mod observe;

use std::sync::Arc;

use crate::draw::Dice;
use crate::estate::Estate;
use crate::reading::{Body, By, Code, Deposit, Stream};

use bins::StationBins;
pub use habits::{Habits, Kind};
use observe::{Camera, FollowUp};

/// Milliseconds in a day.
pub const DAY_MS: i64 = 86_400_000;
/// Hangzhou is eight hours ahead of UTC all year.
const ZONE_MS: i64 = 8 * 3_600_000;
/// Minutes of the day in which inspectors stand at the bins and timed stations are open.
const WINDOWS: [(i64, i64); 2] = [(390, 570), (1_050, 1_260)];
/// Random share of bags inspected; only bags of the windows can be, hence a little more than 3 %.
const INSPECTED: f64 = 0.034;
/// Share of inspected bags that a colleague judges too, without the first one's word.
const TWICE: f64 = 0.05;

/// Something one device has to report, not yet numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Index into [`Estate::devices`]: bins first, then handsets.
    pub device: u16,
    /// Event time, milliseconds since 1970 UTC.
    pub at: i64,
    /// What happened.
    pub body: Body,
}

/// One local day of the whole estate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// Days since 1970-01-01, local.
    pub day: i32,
    /// In the order of (`at`, `device`).
    pub readings: Vec<Reading>,
}

/// The estate's days, one after another.
#[derive(Debug, Clone)]
pub struct History {
    seed: u64,
    estate: Arc<Estate>,
    habits: Vec<Habits>,
    cameras: Vec<Camera>,
    bins: Vec<StationBins>,
    follow_up: FollowUp,
    open: Vec<usize>,
    first: i32,
    next: i32,
    until: Option<i32>,
}

/// Local midnight that begins `day`, in milliseconds since 1970 UTC.
pub fn midnight(day: i32) -> i64 {
    i64::from(day) * DAY_MS - ZONE_MS
}

/// The local day that `at` falls in.
pub fn day_of(at: i64) -> i32 {
    i32::try_from((at + ZONE_MS).div_euclid(DAY_MS)).unwrap_or(i32::MAX)
}

impl History {
    /// `days` days of `estate` from local day `from_day`; same seed, same days.
    pub fn new(seed: u64, estate: Arc<Estate>, from_day: i32, days: u16) -> Self {
        let stations = estate.stations.len();
        Self {
            seed,
            habits: habits::all(seed, &estate.households),
            cameras: (0..stations as u64)
                .map(|i| Camera::new(&mut Dice::new(seed, "camera", i)))
                .collect(),
            bins: (0..stations as u64)
                .map(|i| StationBins::new(&mut Dice::new(seed, "bins", i)))
                .collect(),
            follow_up: FollowUp::new(estate.households.len()),
            open: estate.open_stations(),
            first: from_day,
            next: from_day,
            until: Some(from_day + i32::from(days)),
            estate,
        }
    }

    /// The estate these days happen in.
    pub fn estate(&self) -> &Arc<Estate> {
        &self.estate
    }

    /// The seed that everything is drawn from.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The first day, the start of the programme.
    pub fn first_day(&self) -> i32 {
        self.first
    }

    /// The day that [`History::next_day`] gives next.
    pub fn upcoming(&self) -> i32 {
        self.next
    }

    /// What each household is like, in the estate's order: the truth that scores are judged against.
    pub fn habits(&self) -> &[Habits] {
        &self.habits
    }

    /// Days from now on have no end (live mode).
    pub fn without_end(&mut self) {
        self.until = None;
    }

    /// Readings still to come before the end, counted by running a copy; 0 for an endless history.
    pub fn remaining(&self) -> u64 {
        let mut copy = self.clone();
        let mut total = 0;
        while let Some(day) = copy.until.and_then(|_| copy.next_day()) {
            total += day.readings.len() as u64;
        }
        total
    }

    /// The next day, or `None` after the last.
    pub fn next_day(&mut self) -> Option<Day> {
        let day = self.next;
        if self.until.is_some_and(|until| day >= until) {
            return None;
        }
        self.next += 1;
        let mut dice = Dice::new(self.seed, "day", u64::from(day.unsigned_abs()));
        if (day - self.first) % 7 == 0 {
            self.follow_up.choose();
        }
        let mut readings = Vec::with_capacity(8_192);
        self.bags(day, &mut dice, &mut readings);
        readings.sort_by_key(|r| (r.at, r.device));
        self.stations(day, &mut dice, &mut readings);
        readings.sort_by_key(|r| (r.at, r.device));
        Some(Day { day, readings })
    }

    /// Every bag of the day: the camera's reading and, for a few, the inspector's.
    fn bags(&mut self, day: i32, dice: &mut Dice, out: &mut Vec<Reading>) {
        let mut serial = 0;
        for index in 0..self.habits.len() {
            let Some(habits) = self.habits.get(index).copied() else {
                continue;
            };
            for stream in Stream::ALL {
                for _ in 0..dice.poisson(habits.rate(stream, day)) {
                    serial += 1;
                    self.bag(
                        Bag {
                            index,
                            habits,
                            day,
                            stream,
                            serial,
                        },
                        dice,
                        out,
                    );
                }
            }
        }
    }

    fn bag(&mut self, bag: Bag, dice: &mut Dice, out: &mut Vec<Reading>) {
        let Some(household) = self.estate.households.get(bag.index) else {
            return;
        };
        let minute = bag.habits.minute(bag.day, dice);
        let staffed = WINDOWS
            .iter()
            .any(|&(from, to)| (from..to).contains(&(minute / 60_000)));
        let station = if staffed || bag.habits.kind == Kind::Evader || dice.chance(0.4) {
            household.station
        } else {
            dice.pick(&self.open).copied().unwrap_or(household.station)
        };
        let Some(camera) = self.cameras.get(station) else {
            return;
        };
        let shown = dice.chance(bag.habits.shows_card);
        // Who is inspected is settled before anybody looks at the bag.
        let chance = if shown {
            self.follow_up.chance(bag.index, INSPECTED)
        } else {
            INSPECTED
        };
        let inspected = staffed && dice.chance(chance);
        let quality = bag.habits.bag_quality(bag.stream, bag.day - self.first, dice);
        let (quality_bp, confidence_pm) = camera.look(quality, dice);
        let deposit = Deposit {
            household: shown.then_some(household.token),
            bag: Code::new("b", u64::from(bag.day.unsigned_abs()) << 20 | bag.serial, 7),
            stream: bag.stream,
            weight_g: bag.habits.bag_weight(bag.stream, dice),
            quality_bp,
            confidence_pm,
            by: By::Camera,
        };
        let at = midnight(bag.day) + minute;
        out.push(Reading {
            device: device(station),
            at,
            body: Body::Deposit(deposit),
        });
        if shown {
            self.follow_up.saw(bag.index, quality_bp);
        }
        if inspected {
            let quality_bp = camera.inspector_grade(quality, dice);
            let checked = Deposit {
                quality_bp,
                confidence_pm: 1_000,
                by: By::Inspector,
                ..deposit
            };
            let at = at + 20_000 + i64::from(dice.below(160_000));
            out.push(Reading {
                device: self.handset(station),
                at,
                body: Body::Deposit(checked),
            });
            out.extend(self.judged_again(&bag, station, quality, (at, checked)));
        }
    }

    /// Where stations stand, their handsets follow them.
    fn handset(&self, station: usize) -> u16 {
        device(self.cameras.len() + station)
    }

    /// The same bag once more, by an inspector of another station, if it is one of those. Drawn apart from everything
    /// else of the day, which is as it would be without it.
    fn judged_again(
        &self,
        bag: &Bag,
        station: usize,
        quality: f64,
        (at, first): (i64, Deposit),
    ) -> Option<Reading> {
        let number = u64::from(bag.day.unsigned_abs()) << 20 | bag.serial;
        let mut dice = Dice::new(self.seed, "twice", number);
        let others = u32::try_from(self.cameras.len().checked_sub(1)?).ok()?;
        if others == 0 || !dice.chance(TWICE) {
            return None;
        }
        let colleague = (station + 1 + dice.below(others) as usize) % self.cameras.len();
        let second = Deposit {
            quality_bp: self.cameras.get(colleague)?.inspector_grade(quality, &mut dice),
            ..first
        };
        Some(Reading {
            device: self.handset(colleague),
            at: at + 5_000 + i64::from(dice.below(60_000)),
            body: Body::Deposit(second),
        })
    }

    /// Every station's own day: levels, emptying, half-hourly status, incidents.
    fn stations(&mut self, day: i32, dice: &mut Dice, out: &mut Vec<Reading>) {
        let mut drops = vec![Vec::new(); self.bins.len()];
        for reading in out.iter() {
            if let (Body::Deposit(deposit), Some(drops)) =
                (&reading.body, drops.get_mut(usize::from(reading.device)))
            {
                drops.push((reading.at, deposit.stream, deposit.weight_g));
            }
        }
        let since = day - self.first;
        for (index, (bins, drops)) in self.bins.iter_mut().zip(&drops).enumerate() {
            bins.day(day, since, drops, dice, |at, body| {
                out.push(Reading {
                    device: device(index),
                    at,
                    body,
                });
            });
        }
    }
}

/// A bag about to be dropped.
#[derive(Debug, Clone, Copy)]
struct Bag {
    index: usize,
    habits: Habits,
    day: i32,
    stream: Stream,
    serial: u64,
}

fn device(index: usize) -> u16 {
    u16::try_from(index).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests;
