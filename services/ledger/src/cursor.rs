//! What is known of one boot of one device: everything up to `upto`, and the intervals beyond it.
//!
//! Exact, because a device's sequence has no gaps: a number is covered or it is not. Pure; shared by the committer
//! (which only skips what it surely knows) and the projector (which judges).

use std::collections::{BTreeMap, VecDeque};

use crate::bytes::{Reader, Writer};

/// Intervals kept beyond the contiguous part; a device that would open more is out of order beyond repair.
pub const MAX_INTERVALS: usize = 65_536;
/// Content hashes kept in memory for each boot, newest last.
const RECENT: usize = 1_024;

/// Coverage of one (device, boot).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cursor {
    upto: u64,
    /// start -> end, inclusive, disjoint, not touching each other or `upto`.
    beyond: BTreeMap<u64, u64>,
    recent: VecDeque<(u64, u64)>,
}

/// What a cursor knows of a record before it is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Not seen before.
    New,
    /// Seen with the same content.
    Repeat,
    /// Seen with other content.
    Conflict,
    /// Seen, but too long ago for memory to tell whether it was the same.
    Covered,
    /// Taking it would need more intervals than are kept.
    TooManyGaps,
}

impl Cursor {
    /// All records up to and including this one are covered.
    pub fn upto(&self) -> u64 {
        self.upto
    }

    /// The first `limit` gaps seen beyond `upto`, inclusive.
    pub fn missing(&self, limit: usize) -> Vec<(u64, u64)> {
        let mut previous = self.upto;
        let mut gaps = Vec::new();
        for (&start, &end) in self.beyond.iter().take(limit) {
            gaps.push((previous + 1, start - 1));
            previous = end;
        }
        gaps
    }

    /// Whether the number is covered.
    pub fn covers(&self, seq: u64) -> bool {
        seq <= self.upto
            || self
                .beyond
                .range(..=seq)
                .next_back()
                .is_some_and(|(_, &end)| seq <= end)
    }

    /// What is known of a record with this number and content.
    pub fn check(&self, seq: u64, hash: u64) -> Known {
        if !self.covers(seq) {
            let touches = seq == self.upto + 1
                || self
                    .beyond
                    .range(..seq)
                    .next_back()
                    .is_some_and(|(_, &end)| end + 1 == seq)
                || seq
                    .checked_add(1)
                    .is_some_and(|next| self.beyond.contains_key(&next));
            return if touches || self.beyond.len() < MAX_INTERVALS {
                Known::New
            } else {
                Known::TooManyGaps
            };
        }
        // Newest last: a resend after a lost acknowledgement is found at once.
        match self.recent.iter().rev().find(|(known, _)| *known == seq) {
            Some((_, known)) if *known == hash => Known::Repeat,
            Some(_) => Known::Conflict,
            None => Known::Covered,
        }
    }

    /// Takes a record.
    pub fn take(&mut self, seq: u64, hash: u64) {
        self.cover(seq, seq);
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back((seq, hash));
    }

    /// Covers `from..=to`, for records or for what a device declared lost.
    pub fn cover(&mut self, from: u64, to: u64) {
        if to <= self.upto || from > to {
            return;
        }
        let (mut from, mut to) = (from.max(1), to);
        // Swallow the interval that begins before or at `from` and reaches it, then all that begin inside.
        if let Some((&start, &end)) = self.beyond.range(..=from).next_back()
            && end >= from.saturating_sub(1)
        {
            self.beyond.remove(&start);
            (from, to) = (start, to.max(end));
        }
        while let Some((&start, &end)) = self.beyond.range(from..=to.saturating_add(1)).next() {
            self.beyond.remove(&start);
            to = to.max(end);
        }
        if from <= self.upto + 1 {
            self.upto = self.upto.max(to);
        } else if self.beyond.len() < MAX_INTERVALS {
            // A declared loss far ahead that finds no room is left uncovered: the device declares it again.
            self.beyond.insert(from, to);
        }
    }

    /// Covers what the other covers too; its hashes are not taken over.
    pub fn join(&mut self, other: &Self) {
        self.cover(1, other.upto);
        for (&start, &end) in &other.beyond {
            self.cover(start, end);
        }
    }

    /// The intervals as bytes, for the projection.
    pub(crate) fn encode_beyond(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut w = Writer::new(&mut out);
        for (&start, &end) in &self.beyond {
            w.number(start);
            w.number(end);
        }
        out
    }

    /// The inverse; `None` when the bytes are damaged.
    pub(crate) fn decode(upto: u64, beyond: &[u8]) -> Option<Self> {
        let mut r = Reader::new(beyond);
        let mut cursor = Self {
            upto,
            ..Self::default()
        };
        let mut previous = upto;
        while !r.is_empty() {
            let (start, end) = (r.number()?, r.number()?);
            // Intervals are in order and apart; gaps are computed from that.
            if start <= previous.checked_add(1)? || end < start {
                return None;
            }
            cursor.beyond.insert(start, end);
            previous = end;
        }
        Some(cursor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn receipts_never_name_the_maximum() {
        let mut cursor = Cursor::default();
        for seq in [1, 2, 5, 9] {
            cursor.take(seq, seq);
        }
        assert_eq!(cursor.upto(), 2);
        assert_eq!(cursor.missing(8), [(3, 4), (6, 8)]);
    }

    #[test]
    fn same_number_with_other_content_is_a_conflict() {
        let mut cursor = Cursor::default();
        cursor.take(1, 7);
        assert_eq!(cursor.check(1, 7), Known::Repeat);
        assert_eq!(cursor.check(1, 8), Known::Conflict);
        for seq in 2..=2_000 {
            cursor.take(seq, 0);
        }
        assert_eq!(cursor.check(1, 8), Known::Covered);
    }

    #[test]
    fn the_largest_number_does_not_overflow() {
        let mut cursor = Cursor::default();
        cursor.cover(u64::MAX - 1, u64::MAX);
        assert_eq!(cursor.check(u64::MAX, 1), Known::Covered);
        cursor.cover(1, u64::MAX - 2);
        assert_eq!(cursor.upto(), u64::MAX);
        assert!(cursor.covers(u64::MAX));
    }

    #[test]
    fn gaps_are_bounded() {
        let mut cursor = Cursor::default();
        for i in 0..MAX_INTERVALS as u64 {
            cursor.take(10 + 2 * i, 0);
        }
        assert_eq!(cursor.check(5, 0), Known::TooManyGaps);
        assert_eq!(cursor.check(11, 0), Known::New);
        assert_eq!(cursor.check(1, 0), Known::New);
    }

    proptest! {
        #[test]
        fn coverage_equals_a_set(ops in prop::collection::vec((1u64..60, 0u64..6), 1..60)) {
            let mut cursor = Cursor::default();
            let mut set = BTreeSet::new();
            for (from, length) in ops {
                cursor.cover(from, from + length);
                set.extend(from..=from + length);
                for seq in 1..80 {
                    prop_assert_eq!(cursor.covers(seq), set.contains(&seq), "seq {}", seq);
                }
                let upto = (1..80).take_while(|seq| set.contains(seq)).last().unwrap_or(0);
                prop_assert_eq!(cursor.upto(), upto);
                let back = Cursor::decode(cursor.upto(), &cursor.encode_beyond()).unwrap();
                prop_assert_eq!(&back.beyond, &cursor.beyond);
            }
        }
    }
}
