//! What neighbouring households did on one day, as the bytes of one row.
//!
//! An edition reads ninety days of everybody, and a fold adds to a few days of many: both pay by the row, so a row
//! holds a block of households. Nothing here knows what the sums are worth.

use std::collections::BTreeMap;

use hemu_rules::{Bucket, Participation, Source, Stream};

use crate::bytes::{Reader, Writer};

/// Households a block: a row of one or two kilobytes when all of them were there.
const HOUSEHOLDS: u32 = 64;

/// The block a household is in.
pub(crate) const fn block_of(household: u32) -> u32 {
    household / HOUSEHOLDS
}

/// The first household of a block.
pub(crate) const fn first_of(block: u32) -> u32 {
    block.saturating_mul(HOUSEHOLDS)
}

/// One household's day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HouseholdDay {
    pub participation: Participation,
    /// In the order of source and stream, one each.
    pub buckets: Vec<(Source, Stream, Bucket)>,
}

impl HouseholdDay {
    /// Adds to the bucket of a source and stream; one that comes to nothing is gone, as if it had never been.
    pub(crate) fn add(&mut self, source: Source, stream: Stream, sums: Bucket) {
        match self
            .buckets
            .binary_search_by_key(&(source, stream), |&(source, stream, _)| (source, stream))
        {
            Ok(at) => {
                self.buckets[at].2 += sums;
                if self.buckets[at].2.is_zero() {
                    self.buckets.remove(at);
                }
            }
            Err(_) if sums.is_zero() => {}
            Err(at) => self.buckets.insert(at, (source, stream, sums)),
        }
    }

    fn is_empty(&self) -> bool {
        self.buckets.is_empty() && self.participation.is_zero()
    }
}

/// The days of a block's households, by household number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Block(BTreeMap<u32, HouseholdDay>);

impl Block {
    /// `None` when the bytes are damaged.
    pub(crate) fn decode(block: u32, bytes: &[u8]) -> Option<Self> {
        let mut days = BTreeMap::new();
        let mut read = Days::new(block, bytes);
        while let Some((household, day)) = read.next()? {
            days.insert(household, day.clone());
        }
        Some(Self(days))
    }

    /// A household's day, to add to.
    pub(crate) fn household(&mut self, household: u32) -> &mut HouseholdDay {
        self.0.entry(household).or_default()
    }

    /// Takes a household's day out, if there is one.
    pub(crate) fn take(&mut self, household: u32) -> Option<HouseholdDay> {
        self.0.remove(&household)
    }

    /// The same sums are the same bytes, however they came together.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(32 * self.0.len());
        let mut out = Writer::new(&mut bytes);
        for (household, day) in self.0.iter().filter(|(_, day)| !day.is_empty()) {
            out.number(u64::from(household % HOUSEHOLDS));
            let Participation {
                grams,
                food,
                recyclable,
                hazardous,
                residual,
            } = day.participation;
            for number in [grams, food, recyclable, hazardous, residual] {
                out.signed(number);
            }
            out.number(day.buckets.len() as u64);
            for (source, stream, Bucket { w, g, n }) in &day.buckets {
                out.signed(source.code());
                out.byte(stream.code());
                for number in [w, g, n] {
                    out.signed(*number);
                }
            }
        }
        bytes
    }
}

/// Reads a block's days one after the other, without keeping them.
#[derive(Debug)]
pub(crate) struct Days<'b> {
    first: u32,
    /// The least place in the block that may come next: places ascend.
    least: u32,
    bytes: Reader<'b>,
    day: HouseholdDay,
}

impl<'b> Days<'b> {
    pub(crate) fn new(block: u32, bytes: &'b [u8]) -> Self {
        Self {
            first: first_of(block),
            least: 0,
            bytes: Reader::new(bytes),
            day: HouseholdDay::default(),
        }
    }

    /// The next household and its day; `Some(None)` at the end, `None` when the bytes are damaged.
    #[expect(clippy::option_option, reason = "the end and damage are two things")]
    pub(crate) fn next(&mut self) -> Option<Option<(u32, &HouseholdDay)>> {
        if self.bytes.is_empty() {
            return Some(None);
        }
        let places = self.least..HOUSEHOLDS;
        let household = self.bytes.narrow().filter(|at| places.contains(at))?;
        self.least = household + 1;
        let mut number = || self.bytes.signed();
        self.day.participation = Participation {
            grams: number()?,
            food: number()?,
            recyclable: number()?,
            hazardous: number()?,
            residual: number()?,
        };
        self.day.buckets.clear();
        for _ in 0..self.bytes.number()? {
            let bucket = self.bucket()?;
            self.day.buckets.push(bucket);
        }
        Some(Some((self.first.saturating_add(household), &self.day)))
    }

    fn bucket(&mut self) -> Option<(Source, Stream, Bucket)> {
        let source = Source::from_code(self.bytes.signed()?)?;
        let stream = Stream::from_code(self.bytes.byte()?.into())?;
        let (w, g, n) = (self.bytes.signed()?, self.bytes.signed()?, self.bytes.signed()?);
        Some((source, stream, Bucket { w, g, n }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hemu_rules::DeviceNo;
    use proptest::prelude::*;

    type Change = (u32, Option<u32>, u8, i64, i64);

    fn apply(block: &mut Block, &(household, camera, stream, w, grams): &Change, sign: i64) {
        let source = camera.map_or(Source::Inspector, |no| Source::Camera(DeviceNo(no)));
        let stream = Stream::from_code(stream.into()).unwrap();
        let day = block.household(7 * HOUSEHOLDS + household);
        let sums = Bucket {
            w: sign * w,
            g: sign * w * 9_999,
            n: sign,
        };
        day.add(source, stream, sums);
        day.participation += Participation {
            grams: sign * grams,
            food: sign,
            ..Participation::default()
        };
    }

    prop_compose! {
        fn change()(
            household in 0..HOUSEHOLDS, camera in prop::option::of(0..3_u32), stream in 0..4_u8,
            w in 0..=12_000_000_i64, grams in 0..=200_000_i64,
        ) -> Change {
            (household, camera, stream, w, grams)
        }
    }

    proptest! {
        #[test]
        fn order_and_struck_readings_leave_no_trace_in_the_bytes(
            (kept, shuffled) in prop::collection::vec(change(), 0..30)
                .prop_flat_map(|c| (Just(c.clone()), Just(c).prop_shuffle())),
            struck in prop::collection::vec(change(), 0..10),
        ) {
            let (mut plain, mut other) = (Block::default(), Block::default());
            for change in &kept { apply(&mut plain, change, 1); }
            for change in &struck { apply(&mut other, change, 1); }
            for change in &shuffled { apply(&mut other, change, 1); }
            for change in &struck { apply(&mut other, change, -1); }
            let bytes = plain.encode();
            prop_assert_eq!(&bytes, &other.encode());
            prop_assert_eq!(Block::decode(7, &bytes).unwrap(), plain);
        }

        #[test]
        fn damaged_bytes_are_an_error_or_other_sums_and_never_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = Block::decode(u32::MAX, &bytes);
        }
    }
}
