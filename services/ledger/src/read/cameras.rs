//! Cameras beside inspectors: how far what each read lies from what an inspector saw of the same bags, before and after
//! calibration, and since when its word counts. Sums of many bags; no household is in here.

use std::collections::BTreeMap;

use hemu_rules::{Day, DeviceNo, PairSums, Rule};

use super::gather::{calibrated, device_names, pairs};
use super::{Outcome, damaged};
use crate::db;
use crate::error::{InFile, Result};
use crate::ledger::Ledger;

/// All cameras at one edition.
#[derive(Debug, Clone, PartialEq)]
pub struct Cameras {
    /// Camera quality gained per quality, 1/10000; one for all of them.
    pub slope: i64,
    /// By name.
    pub cameras: Vec<Camera>,
}

/// A camera, by the device it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Camera {
    pub device: String,
    /// What it read in the rule's pair days, and the bags of it that an inspector read too.
    pub readings: u64,
    pub pairs: PairSums,
    /// The last day with such a bag.
    pub last_pair: Option<Day>,
    /// In basis points; `None` without pairs.
    pub intercept: Option<i64>,
    /// How far its word goes beside an inspector's, 1/1000; 0: not at all.
    pub reliability: i64,
    /// The first edition of all up to now at which it had pairs enough; no further back than the rule's pair days.
    pub counts_since: Option<Day>,
}

impl Camera {
    /// How far it lies from the inspectors; `None` without pairs.
    #[expect(
        clippy::cast_precision_loss,
        reason = "for people to look at; nothing is decided by it"
    )]
    pub fn apart(&self, slope: i64) -> Option<Leaning> {
        let intercept = self.intercept? as f64;
        let PairSums {
            n,
            sy,
            sq,
            syy,
            sqq,
            syq,
        } = self.pairs;
        let [n, sy, sq, syy, sqq, syq] = [n, sy, sq, syy, sqq, syq].map(|sum| sum as f64);
        let slope = slope as f64 / 10_000.0;
        let left =
            syy + n * intercept * intercept + slope * slope * sqq - 2.0 * intercept * sy - 2.0 * slope * syq
                + 2.0 * intercept * slope * sq;
        (n > 0.0).then(|| Leaning {
            raw: (sy - sq) / n,
            calibrated: (sy / n - intercept) / slope - sq / n,
            scatter: (left.max(0.0) / n).sqrt() / slope,
        })
    }
}

/// How far a camera lies from the inspectors on the same bags, in basis points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Leaning {
    /// What it read less what they saw, on average: as it was, and calibrated.
    pub raw: f64,
    pub calibrated: f64,
    /// How far single bags still lie apart once it is calibrated, root mean square.
    pub scatter: f64,
}

/// From which edition on a camera had pairs enough, without a break up to this one.
fn counts_since(rule: &Rule, pairs: &BTreeMap<Day, i64>, edition: Day) -> Option<Day> {
    let editions = (0..=rule.pair_days).map(|back| edition.plus(-back));
    let enough = |edition: &Day| {
        let window = pairs.range(edition.plus(-rule.pair_days)..*edition);
        window.map(|(_, n)| n).sum::<i64>() >= rule.pairs_least
    };
    editions.take_while(enough).last()
}

impl Ledger {
    /// Every camera that read anything in the days an edition is calibrated by.
    pub async fn cameras(&self, rule: &Rule, edition: Day) -> Result<Cameras> {
        let path = self.folder().projections();
        let mut snapshot = self.projections.snapshot().await.of(&path)?;
        let link = &mut snapshot.link();
        let (first, long_ago) = (edition.plus(-rule.pair_days), edition.plus(-2 * rule.pair_days));
        let names = device_names(link).await.of(&path)?;
        let all = pairs(link, (long_ago, edition)).await.of(&path)?;
        let read = camera_readings(link, (first, edition)).await.of(&path)?;
        let calibration = calibrated(rule, &all, &names, edition);
        let camera = |(device, readings): (DeviceNo, u64)| -> Outcome<Camera> {
            let name = names.get(device.0 as usize);
            let own = || all.iter().filter(move |(no, ..)| *no == device);
            let recent = || own().filter(|(_, day, sums)| *day >= first && sums.n > 0);
            let mut by_day = BTreeMap::new();
            for (_, day, sums) in own() {
                *by_day.entry(*day).or_default() += sums.n;
            }
            Ok(Camera {
                device: name.cloned().ok_or_else(|| damaged("device", device.0.into()))?,
                readings,
                pairs: recent().map(|(.., sums)| *sums).sum(),
                last_pair: recent().map(|(_, day, _)| *day).max(),
                intercept: calibration.intercept(device),
                reliability: calibration.reliability(device),
                counts_since: counts_since(rule, &by_day, edition),
            })
        };
        let cameras = read.into_iter().map(camera).collect::<Outcome<Vec<_>>>();
        let mut cameras = cameras.of(&path)?;
        cameras.sort_unstable_by(|a, b| a.device.cmp(&b.device));
        Ok(Cameras {
            slope: calibration.slope(),
            cameras,
        })
    }
}

/// How much each camera read on the days `from..to`: whatever no inspector did.
async fn camera_readings(
    connection: &mut db::Link<'_>,
    (from, to): (Day, Day),
) -> Outcome<Vec<(DeviceNo, u64)>> {
    let rows = db::query(
        "select device, cast(sum(deposits - inspected) as bigint) as n from tally where day >= ? and day < ?
         group by device having sum(deposits - inspected) > 0",
    )
    .bind(from.get())
    .bind(to.get())
    .fetch_all(connection)
    .await?;
    let read = |row: &db::Row| -> Outcome<(DeviceNo, u64)> {
        let n: i64 = row.try_get("n")?;
        Ok((DeviceNo(row.try_get("device")?), n.cast_unsigned()))
    };
    rows.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use hemu_rules::Bp;

    use super::*;

    fn camera(yq: &[(i64, i64)], intercept: i64) -> Camera {
        let of = |&(y, q)| PairSums::of_bag(Bp::clamped(y), Bp::clamped(q));
        Camera {
            device: "st01".into(),
            readings: 10,
            pairs: yq.iter().map(of).sum(),
            last_pair: None,
            intercept: Some(intercept),
            reliability: 0,
            counts_since: None,
        }
    }

    #[test]
    fn calibration_takes_away_a_cameras_leaning_and_leaves_its_scatter() {
        let exact = camera(&[(1_000, 0), (5_000, 5_000), (9_000, 10_000)], 1_000);
        let apart = exact.apart(8_000).unwrap();
        assert!(
            apart.raw.abs() < 1e-6 && apart.calibrated.abs() < 1e-6,
            "{apart:?}"
        );
        assert!(apart.scatter < 1e-3, "{apart:?}");
        let leaning = camera(&[(4_200, 0), (4_200, 0)], 4_200).apart(8_000).unwrap();
        assert!(
            (leaning.raw - 4_200.0).abs() < 1e-6 && leaning.calibrated.abs() < 1e-6,
            "{leaning:?}"
        );
        let scattered = camera(&[(4_200, 5_000), (5_800, 5_000)], 1_000);
        let apart = scattered.apart(8_000).unwrap();
        assert!(
            apart.calibrated.abs() < 1e-6 && (apart.scatter - 1_000.0).abs() < 1e-3,
            "{apart:?}"
        );
        assert_eq!(camera(&[], 0).apart(8_000), None);
    }

    #[test]
    fn a_camera_counts_from_the_edition_on_that_had_pairs_enough_without_a_break() {
        let edition = Day::clamped(20_500);
        let since = |days: &[(i32, i64)]| {
            let pairs = days.iter().map(|(ago, n)| (edition.plus(-ago), *n)).collect();
            counts_since(&Rule::V1, &pairs, edition)
        };
        assert_eq!(since(&[(1, 8)]), Some(edition));
        assert_eq!(since(&[(1, 4), (11, 4)]), Some(edition));
        assert_eq!(since(&[(1, 1), (11, 8)]), Some(edition.plus(-10)));
        assert_eq!(since(&[(1, 7)]), None);
        assert_eq!(since(&[(91, 8)]), None, "too long ago");
        assert_eq!(since(&[(90, 8)]), Some(edition.plus(-89)));
        assert_eq!(
            since(&[(1, 8), (89, 8), (150, 8)]),
            Some(edition.plus(-90)),
            "no further back"
        );
    }
}
