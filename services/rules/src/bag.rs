//! The readings of one bag. A household's readings of one local day with the same bag id are ONE bag.
//!
//! Folding is a choice of at most two readings, the same whatever order they came in: the canonical one of
//! the cameras and the canonical one of the inspectors. Evidence is not folded here: every reading gives its own.

use crate::id::{By, DeviceNo};
use crate::pairs::PairSums;
use crate::participation::Participation;
use crate::reading::Reading;

/// What one bag adds to its household's participation and, when both read it, to its camera's pairs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BagFold {
    pub participation: Participation,
    pub pair: Option<(DeviceNo, PairSums)>,
}

/// Folds the readings of one (household, day, bag), or the single reading of a bag without id.
///
/// The canonical reading is the earliest; `K` orders those of one instant and must differ for every reading
/// (device name, boot, seq) and not depend on arrival. Readings that do not count are passed over; a bag of
/// nothing else folds to nothing.
pub fn fold_bag<'a, K: Ord>(readings: impl IntoIterator<Item = (K, Reading<'a>)>) -> BagFold {
    let (mut camera, mut inspector) = (None, None);
    for (key, reading) in readings {
        if !reading.counts {
            continue;
        }
        let canonical = match reading.by {
            By::Camera => &mut camera,
            By::Inspector => &mut inspector,
        };
        let earlier = |(k, r): &(K, Reading<'a>)| (r.at, k) <= (reading.at, &key);
        if !canonical.as_ref().is_some_and(earlier) {
            *canonical = Some((key, reading));
        }
    }
    let (camera, inspector) = (camera.map(|(_, r)| r), inspector.map(|(_, r)| r));
    let Some(bag) = camera.or(inspector) else {
        return BagFold::default();
    };
    BagFold {
        participation: Participation::of_bag(bag.stream, bag.grams),
        pair: camera
            .zip(inspector)
            .map(|(c, i)| (c.device, PairSums::of_bag(c.quality, i.quality))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::day::Day;
    use crate::id::{HouseholdNo, Stream};
    use crate::quantity::{Bp, Grams, Millis, Permille};
    use proptest::prelude::*;

    fn reading(by: By, device: u32, at: i64, grams: i64, quality: i64) -> Reading<'static> {
        Reading {
            household: HouseholdNo(0),
            device: DeviceNo(device),
            at: Millis::clamped(at),
            day: Day::clamped(0),
            stream: Stream::Food,
            grams: Grams::clamped(grams),
            quality: Bp::clamped(quality),
            confidence: Permille::MAX,
            by,
            bag: Some("B1"),
            counts: true,
        }
    }

    fn fold(readings: &[Reading<'static>]) -> BagFold {
        fold_bag(readings.iter().copied().enumerate())
    }

    #[test]
    fn a_bag_read_twice_is_one_bag_with_the_cameras_grams() {
        let camera = reading(By::Camera, 3, 50, 700, 8_000);
        let inspector = reading(By::Inspector, 9, 10, 900, 6_500);
        let both = fold(&[inspector, camera]);
        assert_eq!((both.participation.bags(), both.participation.grams), (1, 700));
        assert_eq!(
            both.pair,
            Some((
                DeviceNo(3),
                PairSums::of_bag(Bp::clamped(8_000), Bp::clamped(6_500))
            ))
        );
        for (alone, grams) in [(camera, 700), (inspector, 900)] {
            let one = fold(&[alone]);
            assert_eq!(
                (one.participation.bags(), one.participation.grams, one.pair),
                (1, grams, None)
            );
        }
    }

    #[test]
    fn the_earliest_camera_speaks_and_the_key_settles_one_instant() {
        let (early, late) = (
            reading(By::Camera, 1, 10, 100, 1),
            reading(By::Camera, 2, 11, 200, 2),
        );
        assert_eq!(fold(&[late, early]).participation.grams, 100);
        let same_instant = Reading { at: early.at, ..late };
        let by_name = fold_bag([(("C2", 1, 5), early), (("C1", 1, 9), same_instant)]);
        assert_eq!(by_name.participation.grams, 200);
    }

    #[test]
    fn a_struck_reading_leaves_its_place_to_the_next() {
        let (first, second) = (
            reading(By::Camera, 1, 10, 100, 1),
            reading(By::Camera, 2, 11, 200, 2),
        );
        let inspector = reading(By::Inspector, 9, 12, 300, 3);
        let struck = |r| Reading { counts: false, ..r };
        let fold_pair = fold(&[struck(first), second, inspector]);
        assert_eq!(
            (fold_pair.participation.grams, fold_pair.pair.unwrap().0),
            (200, DeviceNo(2))
        );
        assert_eq!(fold(&[first, struck(inspector)]).pair, None);
        assert_eq!(fold(&[struck(first), struck(inspector)]), BagFold::default());
        assert_eq!(fold(&[]), BagFold::default());
    }

    prop_compose! {
        fn any_reading()(
            camera: bool, device in 0..4_u32, at in 0..3_i64, grams in 0..5_000_i64,
            quality in 0..=10_000_i64, stream in 0..4_i64, counts: bool,
        ) -> Reading<'static> {
            let by = if camera { By::Camera } else { By::Inspector };
            let stream = Stream::from_code(stream).unwrap();
            Reading { stream, counts, ..reading(by, device, at, grams, quality) }
        }
    }

    proptest! {
        #[test]
        fn order_changes_nothing(
            (sorted, shuffled) in prop::collection::vec(any_reading(), 0..8).prop_flat_map(|readings| {
                let keyed: Vec<_> = readings.into_iter().enumerate().collect();
                (Just(keyed.clone()), Just(keyed).prop_shuffle())
            })
        ) {
            let fold = fold_bag(sorted.iter().copied());
            prop_assert_eq!(fold, fold_bag(shuffled));
            let counting = sorted.iter().filter(|(_, r)| r.counts);
            prop_assert_eq!(fold.participation.bags(), i64::from(counting.count() > 0));
        }
    }
}
