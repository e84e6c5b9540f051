//! A local day of all that a device tells of one stream, as the bytes of one row.
//!
//! Points come in stretches that touch a few days of many devices, and a chart reads neighbouring days: both pay by the row.

use std::collections::BTreeMap;

use crate::point::Measure;
use crate::query::{Field, HOUR_MS};

/// What a bucket knows of its points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) n: i64,
    pub(crate) sum: i64,
    pub(crate) min: i64,
    pub(crate) max: i64,
    /// The latest, and when it was, in ms since the bucket began.
    pub(crate) last: (i64, i64),
}

impl Sums {
    pub(crate) fn of(at: i64, value: i64) -> Self {
        Self {
            n: 1,
            sum: value,
            min: value,
            max: value,
            last: (at, value),
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.n = self.n.saturating_add(other.n);
        self.sum = self.sum.saturating_add(other.sum);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        // Of two points of one instant the larger is kept: the same whichever came first.
        self.last = self.last.max(other.last);
    }

    pub(crate) const fn field(&self, field: Field) -> i64 {
        match field {
            Field::N => self.n,
            Field::Sum => self.sum,
            Field::Min => self.min,
            Field::Max => self.max,
            Field::Last => self.last.1,
        }
    }
}

/// A measure in one hour of a day. Where a day does not begin with an hour, the first and the last are parts of one.
pub(crate) type Key = (Measure, u8);

/// What a day knows, hour by hour.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Packed(BTreeMap<Key, Sums>);

impl Packed {
    pub(crate) fn add(&mut self, key: Key, more: Sums) {
        self.0
            .entry(key)
            .and_modify(|known| known.add(more))
            .or_insert(more);
    }

    /// The hours of a measure that have something, in their order.
    pub(crate) fn hours(&self, measure: Measure) -> impl Iterator<Item = (u8, Sums)> + '_ {
        let of_measure = self.0.range((measure, 0)..=(measure, u8::MAX));
        of_measure.map(|(&(_, hour), sums)| (hour, *sums))
    }

    pub(crate) fn hour(&self, measure: Measure, hour: u8) -> Option<Sums> {
        self.0.get(&(measure, hour)).copied()
    }

    /// The whole day of a measure.
    pub(crate) fn day(&self, measure: Measure) -> Option<Sums> {
        let of_day = |(hour, mut sums): (u8, Sums)| {
            sums.last.0 += i64::from(hour) * HOUR_MS;
            sums
        };
        self.hours(measure).map(of_day).reduce(|mut all, more| {
            all.add(more);
            all
        })
    }

    pub(crate) fn measures(&self) -> impl Iterator<Item = Measure> + '_ {
        Measure::ALL
            .into_iter()
            .filter(|measure| self.hours(*measure).next().is_some())
    }

    /// The hours that have something, whatever it is.
    pub(crate) fn all_hours(&self) -> Vec<u8> {
        let mut hours: Vec<u8> = self.0.keys().map(|(_, hour)| *hour).collect();
        hours.sort_unstable();
        hours.dedup();
        hours
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len() * 16);
        for (&(measure, hour), sums) in &self.0 {
            bytes.extend([measure.number(), hour]);
            for value in [sums.n, sums.sum, sums.min, sums.max, sums.last.0, sums.last.1] {
                write(&mut bytes, value);
            }
        }
        bytes
    }

    /// `None` when the bytes are damaged.
    pub(crate) fn decode(mut bytes: &[u8]) -> Option<Self> {
        let mut days = BTreeMap::new();
        while let Some(([measure, hour], rest)) = bytes.split_first_chunk() {
            bytes = rest;
            let mut values = [0; 6];
            for value in &mut values {
                *value = read(&mut bytes)?;
            }
            let [n, sum, min, max, at, last] = values;
            let sums = Sums {
                n,
                sum,
                min,
                max,
                last: (at, last),
            };
            days.insert((Measure::of_number(*measure)?, *hour), sums);
        }
        bytes.is_empty().then_some(Self(days))
    }
}

/// Seven bits a byte, the lowest first, the sign the lowest of all: small numbers of either sign are short.
fn write(bytes: &mut Vec<u8>, value: i64) {
    let mut left = ((value << 1) ^ (value >> 63)).cast_unsigned();
    loop {
        let [low, ..] = left.to_le_bytes();
        left >>= 7;
        if left == 0 {
            return bytes.push(low & 0x7f);
        }
        bytes.push(low | 0x80);
    }
}

fn read(bytes: &mut &[u8]) -> Option<i64> {
    let mut value = 0_u64;
    for shift in (0..u64::BITS).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sums() -> impl Strategy<Value = Sums> {
        let any = any::<i64>;
        (any(), any(), any(), any(), any(), any()).prop_map(|(n, sum, min, max, at, last)| Sums {
            n,
            sum,
            min,
            max,
            last: (at, last),
        })
    }

    fn packed() -> impl Strategy<Value = Packed> {
        let key = (0..Measure::ALL.len(), any::<u8>()).prop_map(|(at, hour)| (Measure::ALL[at], hour));
        proptest::collection::btree_map(key, sums(), 0..40).prop_map(Packed)
    }

    proptest! {
        #[test]
        fn what_is_packed_comes_back(day in packed()) {
            prop_assert_eq!(Packed::decode(&day.encode()), Some(day));
        }

        #[test]
        fn what_is_cut_short_is_damaged_or_ends_where_an_hour_does(day in packed(), cut in any::<prop::sample::Index>()) {
            let bytes = day.encode();
            let cut = cut.index(bytes.len() + 1);
            let Some(left) = Packed::decode(&bytes[..cut]) else { return Ok(()) };
            prop_assert_eq!(left.encode(), &bytes[..cut]);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            drop(Packed::decode(&bytes));
        }
    }

    #[test]
    fn a_day_is_its_hours_and_its_last_point_the_latest_of_them() {
        let mut day = Packed::default();
        day.add((Measure::Fill, 3), Sums::of(5, 900));
        day.add((Measure::Fill, 7), Sums::of(2, 100));
        day.add((Measure::Fill, 7), Sums::of(1, 700));
        day.add((Measure::Battery, 1), Sums::of(0, 3_000));
        let whole = day.day(Measure::Fill).unwrap();
        assert_eq!((whole.n, whole.sum, whole.min, whole.max), (3, 1_700, 100, 900));
        assert_eq!(whole.last, (7 * HOUR_MS + 2, 100));
        assert_eq!(day.all_hours(), [1, 3, 7]);
        assert_eq!(day.day(Measure::Rssi), None);
        let measures: Vec<_> = day.measures().collect();
        assert_eq!(measures, [Measure::Fill, Measure::Battery]);
    }
}
