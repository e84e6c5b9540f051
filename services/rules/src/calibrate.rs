//! Camera calibration at an edition (docs/rule.md, 2.2): one slope for the fleet, an intercept for every camera
//! and epoch, and how far a camera's word goes.
//!
//! A camera is judged by bags an inspector read too, and by nothing else. Results are integers; the few floats
//! on the way are summed in the order of device NAMES, so that numbering by arrival changes no bit.

use crate::day::Day;
use crate::id::DeviceNo;
use crate::pairs::PairSums;
use crate::rule::Rule;
use std::collections::BTreeMap;

/// What corrects every camera's readings at one edition under one rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    rule: Rule,
    edition: Day,
    slope: i64,
    first_epoch: i32,
    /// By device number; `None` for a device without pairs.
    devices: Vec<Option<Device>>,
}

#[derive(Debug, Clone, PartialEq)]
struct Device {
    intercept: i64,
    /// From `first_epoch` on; an epoch without pairs has the device's intercept.
    epochs: Box<[i64]>,
    reliability: i64,
}

impl Calibration {
    pub const fn rule(&self) -> &Rule {
        &self.rule
    }

    /// Evidence counts up to the day before this one.
    pub const fn edition(&self) -> Day {
        self.edition
    }

    /// Camera quality gained per quality, 1/10000; one for the fleet.
    pub const fn slope(&self) -> i64 {
        self.slope
    }

    /// What a camera reads, in basis points, where quality is 0; `None` if no inspector ever paired it.
    pub fn intercept(&self, device: DeviceNo) -> Option<i64> {
        self.device(device).map(|d| d.intercept)
    }

    /// The intercept of the epoch `day` lies in; the device's own where that epoch had no pairs.
    pub fn epoch_intercept(&self, device: DeviceNo, day: Day) -> Option<i64> {
        let device = self.device(device)?;
        let at = usize::try_from(epoch(&self.rule, day) - self.first_epoch).ok();
        Some(
            at.and_then(|i| device.epochs.get(i))
                .copied()
                .unwrap_or(device.intercept),
        )
    }

    /// How far a camera's word goes beside an inspector's, 1/1000; 0 = no evidence, for want of pairs.
    pub fn reliability(&self, device: DeviceNo) -> i64 {
        self.device(device).map_or(0, |d| d.reliability)
    }

    fn device(&self, device: DeviceNo) -> Option<&Device> {
        self.devices.get(usize::try_from(device.0).ok()?)?.as_ref()
    }
}

/// Calibrates every camera on the pairs of the rule's last days before `edition`. Pairs may come in any order
/// and in parts; `name_of` must give different devices different names.
pub fn calibrate<'n>(
    rule: &Rule,
    pairs: impl IntoIterator<Item = (DeviceNo, Day, PairSums)>,
    name_of: impl Fn(DeviceNo) -> &'n str,
    edition: Day,
) -> Calibration {
    let window = edition.plus(-rule.pair_days)..edition;
    let mut by_epoch = BTreeMap::<(DeviceNo, i32), PairSums>::new();
    for (device, day, sums) in pairs.into_iter().filter(|(_, day, _)| window.contains(day)) {
        *by_epoch.entry((device, epoch(rule, day))).or_default() += sums;
    }
    let mut by_device = BTreeMap::<DeviceNo, PairSums>::new();
    for (&(device, _), &sums) in &by_epoch {
        *by_device.entry(device).or_default() += sums;
    }
    // A retracted pair may leave an empty row behind.
    by_epoch.retain(|_, sums| sums.n > 0);
    by_device.retain(|_, sums| sums.n > 0);

    let fleet = Fleet::of(rule, &by_device, name_of);
    let first_epoch = epoch(rule, window.start);
    let epochs = usize::try_from(epoch(rule, edition) - first_epoch + 1).unwrap_or(0);
    let mut devices = Vec::new();
    for (&device, sums) in &by_device {
        let intercept = fleet.shrunk(sums, fleet.intercept, rule.device_shrink);
        let reliability = if sums.n >= rule.pairs_least {
            fleet.reliability
        } else {
            0
        };
        let at = device.0 as usize;
        devices.resize(at + 1, None);
        devices[at] = Some(Device {
            intercept,
            epochs: vec![intercept; epochs].into(),
            reliability,
        });
    }
    for (&(device, epoch), sums) in &by_epoch {
        let Some(Some(device)) = devices.get_mut(device.0 as usize) else {
            continue;
        };
        let Ok(at) = usize::try_from(epoch - first_epoch) else {
            continue;
        };
        if let Some(slot) = device.epochs.get_mut(at) {
            *slot = fleet.shrunk(sums, device.intercept, rule.epoch_shrink);
        }
    }
    Calibration {
        rule: *rule,
        edition,
        slope: fleet.slope,
        first_epoch,
        devices,
    }
}

const fn epoch(rule: &Rule, day: Day) -> i32 {
    day.get().div_euclid(rule.epoch_days)
}

/// Sums of squares and products about each device's own means, over all devices; x is the inspector's quality.
struct Spread {
    sxy: f64,
    sxx: f64,
    syy: f64,
}

impl Spread {
    /// Integers up to the division by n, then floats in the order of names: a float sum knows its order.
    fn of<'n>(devices: &BTreeMap<DeviceNo, PairSums>, name_of: impl Fn(DeviceNo) -> &'n str) -> Self {
        let mut named: Vec<(&str, &PairSums)> =
            devices.iter().map(|(&no, sums)| (name_of(no), sums)).collect();
        named.sort_unstable_by_key(|(name, _)| *name);
        let mut spread = Self {
            sxy: 0.0,
            sxx: 0.0,
            syy: 0.0,
        };
        for (_, s) in named {
            let about_means = |product: i64, a: i64, b: i64| {
                let [n, product, a, b] = [s.n, product, a, b].map(i128::from);
                (n * product - a * b) as f64 / n as f64
            };
            spread.sxy += about_means(s.syq, s.sy, s.sq);
            spread.sxx += about_means(s.sqq, s.sq, s.sq);
            spread.syy += about_means(s.syy, s.sy, s.sy);
        }
        spread
    }
}

/// What all cameras share.
struct Fleet {
    slope: i64,
    intercept: i64,
    reliability: i64,
}

impl Fleet {
    fn of<'n>(
        rule: &Rule,
        devices: &BTreeMap<DeviceNo, PairSums>,
        name_of: impl Fn(DeviceNo) -> &'n str,
    ) -> Self {
        let Spread { sxy, sxx, syy } = Spread::of(devices, name_of);
        let slope = if sxx > 0.0 {
            round(10_000.0 * sxy / sxx).clamp(rule.slope_least, rule.slope_most)
        } else {
            rule.slope_most
        };
        let all: PairSums = devices.values().copied().sum();
        let bare = Self {
            slope,
            intercept: 0,
            reliability: 0,
        };
        let intercept = bare.shrunk(&all, 0, 0);

        let s = slope as f64 / 10_000.0;
        let unexplained = (syy - 2.0 * s * sxy + s * s * sxx).max(0.0);
        let means = i64::try_from(devices.len()).unwrap_or(i64::MAX);
        let freedom = (all.n - means).max(1);
        let variance = unexplained / freedom as f64 / 1e8 / (s * s);
        let reliability = round(1_000.0 * rule.quality_variance / (rule.quality_variance + variance));
        Self {
            slope,
            intercept,
            reliability,
        }
    }

    /// Mean of `y - slope q` in basis points, drawn towards `to` as if by `strength` more pairs that say so.
    fn shrunk(&self, sums: &PairSums, to: i64, strength: i64) -> i64 {
        let n = i128::from(sums.n) + i128::from(strength);
        if n <= 0 {
            return to;
        }
        let residuals = 10_000 * i128::from(sums.sy) - i128::from(self.slope) * i128::from(sums.sq);
        let mean = rdiv(
            residuals + 10_000 * i128::from(strength) * i128::from(to),
            10_000 * n,
        );
        i64::try_from(mean).unwrap_or(to)
    }
}

/// The nearest integer of `n / d`, halves up; `d` > 0.
pub(crate) fn rdiv(n: i128, d: i128) -> i128 {
    let (n, d) = (2 * n + d, 2 * d);
    // Nearly always both fit, and then division is several times cheaper.
    match (i64::try_from(n), i64::try_from(d)) {
        (Ok(n), Ok(d)) => n.div_euclid(d).into(),
        _ => n.div_euclid(d),
    }
}

/// The nearest integer, halves to even.
#[expect(
    clippy::cast_possible_truncation,
    reason = "saturates, and every caller brings it into range"
)]
fn round(x: f64) -> i64 {
    x.round_ties_even() as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantity::Bp;

    const EDITION: Day = Day::clamped(20_500);

    fn pairs(device: u32, day: i32, yq: &[(i64, i64)]) -> (DeviceNo, Day, PairSums) {
        let of = |&(y, q)| PairSums::of_bag(Bp::clamped(y), Bp::clamped(q));
        (DeviceNo(device), EDITION.plus(day), yq.iter().map(of).sum())
    }

    fn calibrated(pairs: &[(DeviceNo, Day, PairSums)]) -> Calibration {
        calibrate(
            &Rule::V1,
            pairs.iter().copied(),
            |d| ["C0", "C1", "C2"][d.0 as usize],
            EDITION,
        )
    }

    const LINE: [(i64, i64); 8] = [
        (1_000, 0),
        (2_600, 2_000),
        (4_200, 4_000),
        (5_800, 6_000),
        (7_400, 8_000),
        (9_000, 10_000),
        (5_000, 5_000),
        (3_400, 3_000),
    ];

    #[test]
    fn a_camera_on_a_line_is_read_off_it() {
        let c = calibrated(&[pairs(0, -1, &LINE)]);
        assert_eq!(
            (c.slope(), c.intercept(DeviceNo(0)), c.reliability(DeviceNo(0))),
            (8_000, Some(1_000), 1_000)
        );
        assert_eq!(c.epoch_intercept(DeviceNo(0), EDITION.plus(-50)), Some(1_000));
    }

    #[test]
    fn seven_pairs_are_too_few_and_none_are_nothing() {
        let c = calibrated(&[pairs(0, -1, &LINE[..7]), pairs(2, -1, &LINE)]);
        assert_eq!(
            (c.intercept(DeviceNo(0)), c.reliability(DeviceNo(0))),
            (Some(1_000), 0)
        );
        for unknown in [1, 3, u32::MAX] {
            let d = DeviceNo(unknown);
            assert_eq!(
                (c.intercept(d), c.epoch_intercept(d, EDITION), c.reliability(d)),
                (None, None, 0)
            );
        }
        let nobody = calibrated(&[]);
        assert_eq!((nobody.slope(), nobody.intercept(DeviceNo(0))), (10_000, None));
    }

    #[test]
    fn pairs_outside_the_window_change_nothing() {
        let other = [(10_000, 0), (0, 10_000)];
        let base = calibrated(&[pairs(0, -1, &LINE), pairs(0, -90, &LINE)]);
        let more = [
            pairs(0, -1, &LINE),
            pairs(0, -90, &LINE),
            pairs(0, -91, &other),
            pairs(1, 0, &other),
        ];
        assert_eq!(calibrated(&more), base);
    }

    #[test]
    fn a_retracted_pair_leaves_no_trace() {
        let (d, day, sums) = pairs(1, -20, &LINE);
        let base = [pairs(0, -1, &LINE)];
        assert_eq!(
            calibrated(&[base[0], (d, day, sums), (d, day, -sums)]),
            calibrated(&base)
        );
        assert_eq!(
            calibrated(&[base[0], (d, day, PairSums::default())]),
            calibrated(&base)
        );
    }

    #[test]
    fn the_slope_keeps_to_its_range() {
        let slope_of = |yq: &[(i64, i64)]| calibrated(&[pairs(0, -1, yq)]).slope();
        assert_eq!(slope_of(&[(0, 0), (1_000, 10_000)]), 6_000);
        assert_eq!(slope_of(&[(0, 0), (10_000, 5_000)]), 10_000);
        assert_eq!(slope_of(&[(0, 10_000), (10_000, 0)]), 6_000);
        assert_eq!(
            slope_of(&[(3_000, 5_000), (7_000, 5_000)]),
            10_000,
            "an inspector who never varies tells nothing"
        );
    }

    #[test]
    fn floats_are_summed_in_the_order_of_names() {
        // 2^53 + 1 + 1 loses both ones, 1 + 1 + 2^53 loses none.
        let one = |syq| PairSums {
            n: 1,
            syq,
            ..PairSums::default()
        };
        let by_name = [("C1", one(1)), ("C2", one(1)), ("C3", one(1 << 53))];
        for order in [[0, 1, 2], [2, 1, 0], [2, 0, 1], [1, 2, 0]] {
            let devices = (0..).map(DeviceNo).zip(order.map(|i| by_name[i].1)).collect();
            let spread = Spread::of(&devices, |d| by_name[order[d.0 as usize]].0);
            assert_eq!(
                spread.sxy.to_bits(),
                ((1_u64 << 53) as f64 + 2.0).to_bits(),
                "{order:?}"
            );
        }
    }

    #[test]
    fn epochs_are_of_one_length_on_both_sides_of_1970() {
        let of = |day| epoch(&Rule::V1, Day::clamped(day));
        assert_eq!([-15, -14, -1, 0, 13, 14].map(of), [-2, -1, -1, 0, 0, 1]);
    }

    #[test]
    fn division_rounds_halves_up_on_both_sides_of_zero() {
        for (n, d, expected) in [
            (5, 2, 3),
            (-5, 2, -2),
            (4, 3, 1),
            (-4, 3, -1),
            (-7, 2, -3),
            (0, 9, 0),
        ] {
            assert_eq!(rdiv(n, d), expected, "{n}/{d}");
        }
    }
}
