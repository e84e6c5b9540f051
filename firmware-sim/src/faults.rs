//! What goes wrong on purpose, as data: shares, spells and storms, drawn per device from the seed.
//! Must not: do the harm itself; it only says when.

use serde::{Deserialize, Serialize};

use crate::draw::Dice;
use crate::life::{DAY_MS, midnight};

/// A plan of faults; every knob at 0 is a healthy estate. Readable from TOML or JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Plan {
    /// Share of publishes sent twice.
    pub duplicate: f64,
    /// Share of readings reported late.
    pub late: f64,
    /// How late, minutes, from and to.
    pub late_minutes: (u32, u32),
    /// Share of publishes overtaken by the next one.
    pub reorder: f64,
    /// Share of device days with a wrong clock.
    pub wrong_clock: f64,
    /// How wrong, minutes, from and to; negative is slow.
    pub clock_off_minutes: (i32, i32),
    /// Share of extra publishes that are no record at all.
    pub garbage: f64,
    /// Spells without a connection, per device and day.
    pub silences_per_day: f64,
    /// How long a spell lasts, minutes, from and to.
    pub silence_minutes: (u32, u32),
    /// Losses of power, per device and day.
    pub power_cuts_per_day: f64,
    /// Moments a day at which many connections drop together.
    pub storms_per_day: f64,
    /// Share of devices a storm hits.
    pub storm_share: f64,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            duplicate: 0.0,
            late: 0.0,
            late_minutes: (3, 48 * 60),
            reorder: 0.0,
            wrong_clock: 0.0,
            clock_off_minutes: (-365 * 1_440, 365 * 1_440),
            garbage: 0.0,
            silences_per_day: 0.0,
            silence_minutes: (30, 48 * 60),
            power_cuts_per_day: 0.0,
            storms_per_day: 0.0,
            storm_share: 0.5,
        }
    }
}

/// A plan that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// Not TOML of the right form.
    #[error("faults: {0}")]
    Toml(#[from] toml::de::Error),
    /// Not JSON of the right form.
    #[error("faults: {0}")]
    Json(#[from] serde_json::Error),
    /// A share outside 0..=1 or a count below 0.
    #[error("faults: expected {name} within 0 and {most}, came {came}")]
    Range {
        /// The knob.
        name: &'static str,
        /// Its limit.
        most: f64,
        /// What the file says.
        came: f64,
    },
}

impl Plan {
    /// What a real estate shows: 1 % duplicates, 3 % late, 0.3 % wrong clocks, a little of the rest.
    pub fn usual() -> Self {
        Self {
            duplicate: 0.01,
            late: 0.03,
            reorder: 0.01,
            wrong_clock: 0.003,
            garbage: 0.000_5,
            silences_per_day: 0.05,
            power_cuts_per_day: 0.02,
            storms_per_day: 0.1,
            ..Self::default()
        }
    }

    /// Reads TOML, or JSON when the text begins with a brace.
    pub fn read(text: &str) -> Result<Self, PlanError> {
        let plan: Self = if text.trim_start().starts_with('{') {
            serde_json::from_str(text)?
        } else {
            toml::from_str(text)?
        };
        let limits = [
            ("duplicate", plan.duplicate, 1.0),
            ("late", plan.late, 1.0),
            ("reorder", plan.reorder, 1.0),
            ("wrong_clock", plan.wrong_clock, 1.0),
            ("garbage", plan.garbage, 1.0),
            ("storm_share", plan.storm_share, 1.0),
            ("silences_per_day", plan.silences_per_day, 20.0),
            ("power_cuts_per_day", plan.power_cuts_per_day, 20.0),
            ("storms_per_day", plan.storms_per_day, 20.0),
        ];
        match limits
            .into_iter()
            .find(|(_, came, most)| !(0.0..=*most).contains(came))
        {
            Some((name, came, most)) => Err(PlanError::Range { name, most, came }),
            None => Ok(plan),
        }
    }
}

/// What happens to a reading before it is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fate {
    /// Event time as the device's clock has it.
    pub at: i64,
    /// When, in true time, the device gets to record it.
    pub recorded: i64,
}

/// What happens to a publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mishap {
    /// Sent a second time.
    pub twice: bool,
    /// Held back until the next has gone.
    pub overtaken: bool,
    /// Noise is sent as well.
    pub garbage: bool,
}

/// An interruption of one device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outage {
    /// When it begins, milliseconds since 1970.
    pub at: i64,
    /// The device starts again from flash.
    pub power: bool,
    /// No connection before this moment.
    pub until: i64,
}

/// The faults of one device.
#[derive(Debug, Clone)]
pub struct Faults {
    plan: Plan,
    seed: u64,
    index: u64,
    dice: Dice,
}

impl Faults {
    /// Device number `index` under `plan`.
    pub fn new(plan: Plan, seed: u64, index: u64) -> Self {
        Self {
            plan,
            seed,
            index,
            dice: Dice::new(seed, "faults", index),
        }
    }

    /// The fate of a reading of true time `at`.
    pub fn reading(&mut self, at: i64) -> Fate {
        let minutes = f64::from(self.plan.late_minutes.0)..f64::from(self.plan.late_minutes.1);
        let late = if self.dice.chance(self.plan.late) {
            self.dice.between(minutes.start, minutes.end)
        } else {
            0.0
        };
        Fate {
            at: at + self.clock_error(crate::life::day_of(at)),
            recorded: at + (late * 60_000.0) as i64,
        }
    }

    /// The same all day long.
    fn clock_error(&self, day: i32) -> i64 {
        let mut dice = Dice::new(
            self.seed,
            "clock",
            self.index << 32 | u64::from(day.unsigned_abs()),
        );
        let (from, to) = self.plan.clock_off_minutes;
        let wrong = dice.chance(self.plan.wrong_clock);
        if wrong {
            (dice.between(from.into(), to.into()) * 60_000.0) as i64
        } else {
            0
        }
    }

    /// The fate of a publish.
    pub fn publish(&mut self) -> Mishap {
        Mishap {
            twice: self.dice.chance(self.plan.duplicate),
            overtaken: self.dice.chance(self.plan.reorder),
            garbage: self.dice.chance(self.plan.garbage),
        }
    }

    /// Bytes that are no record of the contract, never with an identity.
    pub fn noise(&mut self) -> Vec<u8> {
        match self.dice.below(6) {
            0 => (0..=self.dice.below(200))
                .map(|_| self.dice.below(256) as u8)
                .collect(),
            1 => b"{\"boot\":1,\"seq\":".to_vec(),
            2 => b"{\"stream\":\"food\",\"weight_g\":\"heavy\"}".to_vec(),
            3 => vec![b'['; 5_000],
            4 => b"{\"boot\":1e400,\"seq\":-1,\"at\":null}".to_vec(),
            _ => b"[]".to_vec(),
        }
    }

    /// The day's interruptions, in order.
    pub fn outages(&self, day: i32) -> Vec<Outage> {
        let number = u64::from(day.unsigned_abs());
        let mut mine = Dice::new(self.seed, "outages", self.index << 32 | number);
        let moment = |dice: &mut Dice| midnight(day) + (dice.unit() * DAY_MS as f64) as i64;
        let mut outages = Vec::new();
        for _ in 0..mine.poisson(self.plan.silences_per_day) {
            let (from, to) = self.plan.silence_minutes;
            let at = moment(&mut mine);
            let until = at + (mine.between(from.into(), to.into()) * 60_000.0) as i64;
            outages.push(Outage {
                at,
                power: false,
                until,
            });
        }
        for _ in 0..mine.poisson(self.plan.power_cuts_per_day) {
            let at = moment(&mut mine);
            outages.push(Outage {
                at,
                power: true,
                until: at + 60_000,
            });
        }
        // Storms are drawn from the day alone, so that they hit everybody at the same moment.
        let mut common = Dice::new(self.seed, "storms", number);
        for _ in 0..common.poisson(self.plan.storms_per_day) {
            let at = moment(&mut common);
            if mine.chance(self.plan.storm_share) {
                outages.push(Outage {
                    at,
                    power: false,
                    until: at,
                });
            }
        }
        outages.sort_by_key(|outage| outage.at);
        outages
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_reads_from_toml_and_json_and_names_what_is_wrong() {
        let plan = Plan::read("duplicate = 0.5\nlate_minutes = [1, 2]\n").unwrap();
        assert_eq!((plan.duplicate, plan.late_minutes, plan.late), (0.5, (1, 2), 0.0));
        assert_eq!(
            Plan::read("{\"duplicate\":0.5,\"late_minutes\":[1,2]}").unwrap(),
            plan
        );
        assert!(
            Plan::read("duplicates = 1\n")
                .unwrap_err()
                .to_string()
                .contains("duplicates")
        );
        let error = Plan::read("late = 3.0").unwrap_err();
        assert_eq!(error.to_string(), "faults: expected late within 0 and 1, came 3");
        let usual = toml::to_string(&Plan::usual()).unwrap();
        assert_eq!(Plan::read(&usual).unwrap(), Plan::usual());
    }

    #[test]
    fn shares_are_kept_and_the_same_seed_repeats_them() {
        let plan = Plan {
            duplicate: 0.2,
            late: 0.1,
            garbage: 0.05,
            ..Plan::default()
        };
        let mut faults = Faults::new(plan, 1, 0);
        let mut again = faults.clone();
        let publishes: Vec<_> = (0..20_000).map(|_| faults.publish()).collect();
        let share =
            |pick: fn(&Mishap) -> bool| publishes.iter().filter(|m| pick(m)).count() as f64 / 20_000.0;
        assert!((share(|m| m.twice) - 0.2).abs() < 0.01);
        assert!((share(|m| m.garbage) - 0.05).abs() < 0.01);
        assert!(share(|m| m.overtaken) < f64::EPSILON);
        assert!(publishes.iter().all(|m| *m == again.publish()));
        let late = (0..20_000)
            .map(|_| faults.reading(0))
            .filter(|f| f.recorded > 0)
            .collect::<Vec<_>>();
        assert!((late.len() as f64 / 20_000.0 - 0.1).abs() < 0.01);
        assert!(
            late.iter()
                .all(|f| (3 * 60_000..=48 * 3_600_000).contains(&f.recorded) && f.at == 0)
        );
    }

    #[test]
    fn a_wrong_clock_is_wrong_by_the_same_all_day() {
        let mut faults = Faults::new(
            Plan {
                wrong_clock: 0.3,
                ..Plan::default()
            },
            4,
            2,
        );
        let mut wrong = 0;
        for day in 20_000..20_200 {
            let noon = midnight(day) + DAY_MS / 2;
            let (a, b) = (
                faults.reading(noon).at - noon,
                faults.reading(noon + 5).at - noon - 5,
            );
            assert_eq!(a, b);
            wrong += u32::from(a != 0);
        }
        assert!((40..80).contains(&wrong), "{wrong} of 200 days");
    }

    #[test]
    fn storms_hit_many_devices_at_one_moment_and_outages_lie_in_their_day() {
        let plan = Plan {
            storm_share: 0.9,
            storms_per_day: 1.0,
            silences_per_day: 1.0,
            power_cuts_per_day: 1.0,
            ..Plan::default()
        };
        let of = |index| Faults::new(plan.clone(), 9, index);
        let storms = |faults: &Faults| -> Vec<i64> {
            let all = (0..30).flat_map(|day| faults.outages(20_000 + day));
            all.filter(|o| o.until == o.at).map(|o| o.at).collect()
        };
        let (a, b) = (storms(&of(0)), storms(&of(1)));
        assert!(a.iter().filter(|at| b.contains(at)).count() >= 3, "{a:?} {b:?}");
        for outage in of(3).outages(20_000) {
            assert_eq!(crate::life::day_of(outage.at), 20_000);
        }
        assert!(Faults::new(Plan::default(), 9, 0).outages(20_000).is_empty());
    }

    #[test]
    fn noise_is_never_a_whole_record() {
        let mut faults = Faults::new(Plan::default(), 1, 0);
        for _ in 0..500 {
            let noise = faults.noise();
            let value = serde_json::from_slice::<serde_json::Value>(&noise).unwrap_or_default();
            assert!(
                value.get("seq").is_none_or(|seq| seq.as_u64().is_none()),
                "{noise:?}"
            );
        }
    }
}
