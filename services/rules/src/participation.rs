//! How much a household takes part: bags, grams and streams of a day.
//!
//! Amount only. It says nothing about how well a bag was sorted, and no camera is too poor to count a bag.

use crate::id::Stream;
use crate::quantity::Grams;
use crate::sums::group;

/// More bags with one card on one day than this, and somebody asks: each of four streams, and each three times. It is no
/// part of a score and of no list: whoever has guests, or lends the card to a neighbour, brings as much.
pub const BAGS_A_DAY_MOST: i64 = 12;

/// Bags of one household on one day, counted per stream so that taking one away is exact.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Participation {
    pub grams: i64,
    pub food: i64,
    pub recyclable: i64,
    pub hazardous: i64,
    pub residual: i64,
}

group!(Participation {
    grams,
    food,
    recyclable,
    hazardous,
    residual
});

impl Participation {
    pub fn of_bag(stream: Stream, grams: Grams) -> Self {
        let mut one = Self {
            grams: grams.get().into(),
            ..Self::default()
        };
        *one.stream_mut(stream) = 1;
        one
    }

    /// Bags of all streams; a deposit day is one with at least one.
    pub const fn bags(&self) -> i64 {
        self.food + self.recyclable + self.hazardous + self.residual
    }

    pub const fn bags_of(&self, stream: Stream) -> i64 {
        match stream {
            Stream::Food => self.food,
            Stream::Recyclable => self.recyclable,
            Stream::Hazardous => self.hazardous,
            Stream::Residual => self.residual,
        }
    }

    /// The streams seen.
    pub fn streams(&self) -> StreamSet {
        Stream::ALL.into_iter().filter(|&s| self.bags_of(s) > 0).collect()
    }

    fn stream_mut(&mut self, stream: Stream) -> &mut i64 {
        match stream {
            Stream::Food => &mut self.food,
            Stream::Recyclable => &mut self.recyclable,
            Stream::Hazardous => &mut self.hazardous,
            Stream::Residual => &mut self.residual,
        }
    }
}

/// A set of streams, one bit each at [`Stream::code`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct StreamSet(u8);

impl StreamSet {
    pub const fn contains(self, stream: Stream) -> bool {
        self.0 & (1 << stream.code()) != 0
    }

    pub const fn bits(self) -> u8 {
        self.0
    }
}

impl FromIterator<Stream> for StreamSet {
    fn from_iter<I: IntoIterator<Item = Stream>>(streams: I) -> Self {
        Self(streams.into_iter().fold(0, |bits, s| bits | (1 << s.code())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bag_taken_away_leaves_the_other_of_its_stream() {
        let food = Participation::of_bag(Stream::Food, Grams::clamped(700));
        let glass = Participation::of_bag(Stream::Recyclable, Grams::clamped(50));
        let mut day = food + food + glass;
        assert_eq!((day.bags(), day.grams, day.streams().bits()), (3, 1450, 0b0011));
        day -= food;
        assert!(day.streams().contains(Stream::Food) && !day.streams().contains(Stream::Residual));
        day -= food;
        assert_eq!((day, day.streams().bits()), (glass, 0b0010));
        day += -glass;
        assert!(day.is_zero());
    }
}
