//! With which content the records of neighbouring numbers were accepted, as the bytes of one row: it tells a repeat from a
//! conflict.
//!
//! A device tells of one bag at a time, so a row a record would be a row a bag. Nothing here knows who sent what.

use crate::bytes::Reader;

/// Numbers a block: a device that goes on adds to one row.
const NUMBERS: u64 = 64;

/// The block a sequence number is in.
pub(crate) const fn block_of(seq: u64) -> u64 {
    seq / NUMBERS
}

/// The content hashes of a block's numbers, of those that were accepted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// A bit for each number that is there.
    there: u64,
    /// Theirs, in the order of the numbers.
    hashes: Vec<u64>,
}

impl Seen {
    /// The hash of a number of this block, if it was accepted.
    pub(crate) fn get(&self, seq: u64) -> Option<u64> {
        let there = self.there & bit(seq) != 0;
        there.then(|| self.hashes.get(self.place(seq)).copied()).flatten()
    }

    /// Notes a number of this block. The first content stays: what came later is no more than a conflict.
    pub(crate) fn note(&mut self, seq: u64, hash: u64) {
        if self.there & bit(seq) == 0 {
            self.hashes.insert(self.place(seq), hash);
            self.there |= bit(seq);
        }
    }

    /// How many numbers before this one are there.
    fn place(&self, seq: u64) -> usize {
        (self.there & (bit(seq) - 1)).count_ones() as usize
    }

    /// Both together; of a number that is in both, the other's.
    pub(crate) fn join(&self, earlier: &Self) -> Self {
        let mut joined = earlier.clone();
        for seq in 0..NUMBERS {
            if let Some(hash) = self.get(seq) {
                joined.note(seq, hash);
            }
        }
        joined
    }

    /// The same numbers are the same bytes, in whatever order they came.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let numbers = [self.there].into_iter().chain(self.hashes.iter().copied());
        numbers.flat_map(u64::to_le_bytes).collect()
    }

    /// `None` when the bytes are damaged.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut bytes = Reader::new(bytes);
        let mut next = || Some(u64::from_le_bytes(bytes.take(8)?.try_into().ok()?));
        let there = next()?;
        let hashes = (0..there.count_ones()).map(|_| next()).collect::<Option<_>>()?;
        bytes.is_empty().then_some(Self { there, hashes })
    }
}

const fn bit(seq: u64) -> u64 {
    1 << (seq % NUMBERS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(numbers: &[(u64, u64)]) -> Seen {
        let mut seen = Seen::default();
        for (seq, hash) in numbers {
            seen.note(*seq, *hash);
        }
        seen
    }

    #[test]
    fn numbers_are_found_under_the_content_that_came_first() {
        let mut some = seen(&[(130, 7), (128, 5), (191, 9)]);
        some.note(130, 8);
        let found = [128, 129, 130, 191].map(|seq| some.get(seq));
        assert_eq!(found, [Some(5), None, Some(7), Some(9)]);
        let last = i64::MAX as u64;
        assert_eq!(block_of(last), block_of(last - 63));
        assert_eq!(seen(&[(last, 3)]).get(last), Some(3));
    }

    #[test]
    fn whatever_the_order_and_the_parts_the_bytes_are_the_same() {
        let whole = seen(&[(64, 1), (65, 2), (66, 3), (127, u64::MAX)]);
        let (earlier, later) = (
            seen(&[(127, u64::MAX), (65, 2)]),
            seen(&[(66, 3), (64, 1), (65, 4)]),
        );
        assert_eq!(later.join(&earlier).encode(), whole.encode());
        assert_eq!(whole.encode().len(), 8 + 4 * 8);
        assert_eq!(Seen::decode(&whole.encode()), Some(whole));
    }

    #[test]
    fn a_row_that_was_cut_or_grew_is_known_to_be_damaged() {
        let bytes = seen(&[(1, 1), (2, 2)]).encode();
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(Seen::decode(&bytes[..bytes.len() - 1]), None);
        assert_eq!(Seen::decode(&longer), None);
        assert_eq!(Seen::decode(&[]), None);
    }
}
