//! A station's four bins: they fill by volume, are emptied, and are weighed by scales that age.
//! Must not: know households.

use crate::draw::Dice;
use crate::reading::{Bin, Body, Incident, Status, Stream};

use super::midnight;

/// Litres and grams a litre of each bin group, in the order of [`Stream::ALL`].
const BINS: [(f64, f64); 4] = [(480.0, 595.0), (1_100.0, 80.0), (120.0, 200.0), (960.0, 145.0)];
/// Between two status records.
const STATUS_MS: i64 = 30 * 60_000;
/// What a bin group may carry before a lorry is called, and what its scale can show, grams.
const CALL_AT_G: f64 = 180_000.0;
const SCALE_MAX_G: f64 = 200_000.0;
/// Share of load cells that stick for some hours, per bin and day.
const STUCK: f64 = 0.03;

#[derive(Debug, Clone, Copy, Default)]
struct Level {
    litres: f64,
    grams: f64,
    tare: f64,
    stuck: Option<(i64, u32)>,
    called: Option<i64>,
    overflowed: bool,
}

/// The bins of one station, and the box that watches them.
#[derive(Debug, Clone)]
pub(super) struct StationBins {
    levels: [Level; 4],
    battery_mv: f64,
    rssi: f64,
    offset_ms: i64,
    update_after: i32,
}

/// One bag's way into a bin: when, which, how heavy.
pub(super) type Drop = (i64, Stream, u32);

impl StationBins {
    pub(super) fn new(dice: &mut Dice) -> Self {
        Self {
            levels: [Level::default(); 4],
            battery_mv: dice.between(3_700.0, 4_000.0),
            rssi: dice.between(-92.0, -64.0),
            offset_ms: i64::from(dice.below(60_000)),
            update_after: 30 + i32::try_from(dice.below(20)).unwrap_or(0),
        }
    }

    /// Plays one day: `drops` in time order; `tell` receives statuses and incidents.
    pub(super) fn day(
        &mut self,
        day: i32,
        since: i32,
        drops: &[Drop],
        dice: &mut Dice,
        mut tell: impl FnMut(i64, Body),
    ) {
        let start = midnight(day);
        let mut drops = drops.iter().peekable();
        for tick in 0..48 {
            let now = start + tick * STATUS_MS + self.offset_ms;
            while let Some(&(at, stream, grams)) = drops.next_if(|(at, ..)| *at < now) {
                self.drop(at, stream, grams, dice, &mut tell);
            }
            self.empty(day, tick, now, dice);
            let temperature = temperature(day, tick, dice);
            self.wear(tick, now, dice);
            tell(now, Body::Status(self.status(since, temperature, dice)));
        }
        for &(at, stream, grams) in drops {
            self.drop(at, stream, grams, dice, &mut tell);
        }
        mishaps(start, dice, &mut tell);
    }

    fn drop(
        &mut self,
        at: i64,
        stream: Stream,
        grams: u32,
        dice: &mut Dice,
        tell: &mut impl FnMut(i64, Body),
    ) {
        let (capacity, density) = BINS.get(stream.index()).copied().unwrap_or((240.0, 145.0));
        let Some(level) = self.levels.get_mut(stream.index()) else {
            return;
        };
        level.litres += f64::from(grams) / density;
        level.grams += f64::from(grams);
        let full = level.litres > capacity;
        if (full || level.grams > CALL_AT_G) && level.called.is_none() {
            level.called = Some(at + 60_000 * i64::from(40 + dice.below(80)));
        }
        if full && !level.overflowed {
            level.overflowed = true;
            let incident = Incident {
                kind: "overflow",
                stream: Some(stream),
                note: "bags beside the bin",
            };
            tell(at + 1_000, Body::Incident(incident));
        }
    }

    /// Food and residual after each window, recyclables in the afternoon, hazardous on Mondays; or by call.
    fn empty(&mut self, day: i32, tick: i64, now: i64, dice: &mut Dice) {
        let monday = (day + 3).rem_euclid(7) == 0;
        for (stream, level) in Stream::ALL.iter().zip(&mut self.levels) {
            let due = match stream {
                Stream::Food | Stream::Residual => tick == 20 || tick == 43,
                Stream::Recyclable => tick == 29,
                Stream::Hazardous => monday && tick == 21,
            };
            if due || level.called.is_some_and(|at| at <= now) {
                // The bin never goes back onto the scale quite as it stood.
                let tare = (level.tare + dice.normal(0.0, 400.0)).clamp(-2_000.0, 2_000.0);
                *level = Level {
                    tare,
                    stuck: level.stuck,
                    ..Level::default()
                };
            }
        }
    }

    /// Sticking load cells, the battery's day.
    fn wear(&mut self, tick: i64, now: i64, dice: &mut Dice) {
        let sun = if (14..34).contains(&tick) { 14.0 } else { -9.0 };
        self.battery_mv = (self.battery_mv + sun + dice.normal(0.0, 3.0)).clamp(3_300.0, 4_180.0);
        for level in &mut self.levels {
            match level.stuck {
                Some((until, _)) if until <= now => level.stuck = None,
                None if dice.chance(STUCK / 48.0) => {
                    let until = now + 3_600_000 * i64::from(2 + dice.below(8));
                    level.stuck = Some((until, whole_grams(level.grams + level.tare)));
                }
                _ => {}
            }
        }
    }

    fn status(&self, since: i32, temperature: f64, dice: &mut Dice) -> Status {
        let mut bins = [Bin {
            stream: Stream::Food,
            fill_pm: 0,
            weight_g: 0,
        }; 4];
        for (((bin, stream), level), (capacity, _)) in
            bins.iter_mut().zip(Stream::ALL).zip(&self.levels).zip(BINS)
        {
            let fill = (level.litres / capacity + dice.normal(0.0, 0.012)).clamp(0.0, 1.0);
            // 50 g for every ten degrees away from where the cell was zeroed.
            let grams = level.grams + level.tare + 5.0 * (temperature - 20.0) + dice.normal(0.0, 60.0);
            let weight_g = level.stuck.map_or_else(|| whole_grams(grams), |(_, at)| at);
            *bin = Bin {
                stream,
                fill_pm: libm::round(fill * 1_000.0) as u16,
                weight_g,
            };
        }
        Status {
            bins,
            battery_mv: self.battery_mv as u16,
            rssi_dbm: (self.rssi + dice.normal(0.0, 3.0)).clamp(-120.0, -40.0) as i16,
            temperature_dc: libm::round(temperature * 10.0) as i16,
            firmware: if since < self.update_after {
                "1.4.2"
            } else {
                "1.5.0"
            },
            queued: dice.poisson(0.15),
        }
    }
}

fn whole_grams(grams: f64) -> u32 {
    grams.clamp(0.0, SCALE_MAX_G) as u32
}

/// Hangzhou's year and the day's swing, degrees Celsius inside the cabinet.
fn temperature(day: i32, tick: i64, dice: &mut Dice) -> f64 {
    let year = libm::sin(core::f64::consts::TAU * (f64::from(day.rem_euclid(365)) - 110.0) / 365.0);
    let hour = libm::sin(core::f64::consts::TAU * (tick as f64 / 48.0 - 0.375));
    17.5 + 11.5 * year + 4.0 * hour + dice.normal(0.0, 0.6)
}

/// What goes wrong now and then, per station and day.
const MISHAPS: [(&str, f64, &str); 5] = [
    ("dumping", 0.020, "bags left outside the bins"),
    ("fault", 0.006, "lid motor overcurrent"),
    ("tilt", 0.003, "bin moved off its mark"),
    ("tamper", 0.002, "service door opened"),
    ("smoke", 0.000_5, "smoke sensor above limit"),
];

fn mishaps(start: i64, dice: &mut Dice, tell: &mut impl FnMut(i64, Body)) {
    for (kind, chance, note) in MISHAPS {
        if dice.chance(chance) {
            let at = start + i64::from(dice.below(86_400_000));
            tell(
                at,
                Body::Incident(Incident {
                    kind,
                    stream: None,
                    note,
                }),
            );
        }
    }
}
