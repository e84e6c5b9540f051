//! How many households of a building brought something in a time: said only where it says nothing of any one of them.
//!
//! The same bounds as in `group`: a building of fewer than ten households is not shown, nor is one that would give such
//! a one away; and a count is said where neither those counted nor the others are fewer than three.

use crate::group::{Count, HOUSEHOLDS_LEAST, crowds};

/// What may be said of an estate's buildings in one time. `None` where nothing may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turnout {
    pub whole: Option<u32>,
    /// One for each building, in the order they were given in.
    pub buildings: Vec<Option<u32>>,
}

/// Which buildings of so many households are shown at all.
pub fn shown(households: &[u32]) -> Vec<bool> {
    crowds(households)
}

impl Turnout {
    /// Of buildings with so many households, of which so many came.
    pub fn of(households: &[u32], came: &[u32]) -> Self {
        let counts: Vec<Count> = households
            .iter()
            .zip(came)
            .map(|(&rated, &on)| Count { rated, on })
            .collect();
        let said: Vec<bool> = shown(households)
            .into_iter()
            .zip(&counts)
            .map(|(shown, count)| shown && count.may_be_said())
            .collect();
        let whole = Count {
            rated: counts.iter().map(|count| count.rated).sum(),
            on: counts.iter().map(|count| count.on).sum(),
        };
        let parts = counts.iter().zip(&said).filter(|(_, said)| **said);
        // What is left over of the whole is a count as well.
        let told = whole.rated >= HOUSEHOLDS_LEAST
            && whole.may_be_said()
            && whole.may_be_parted(parts.map(|(count, _)| *count));
        Self {
            whole: told.then_some(whole.on),
            buildings: counts
                .iter()
                .zip(said)
                .map(|(count, said)| said.then_some(count.on))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_building_of_nine_is_hidden_together_with_the_smallest_shown_one() {
        let turnout = Turnout::of(&[30, 9, 12, 40], &[20, 5, 6, 10]);
        assert_eq!(turnout.buildings, [Some(20), None, None, Some(10)]);
        // What is left over of the estate is 21 households, of which 11 came.
        assert_eq!(turnout.whole, Some(41));
        assert_eq!(Turnout::of(&[9], &[5]).whole, None);
    }

    #[test]
    fn a_count_of_nearly_nobody_or_nearly_everybody_is_not_said_and_the_whole_does_not_give_it_away() {
        for came in [0, 2, 28, 30] {
            let turnout = Turnout::of(&[30, 40], &[came, 20]);
            assert_eq!(
                (turnout.whole, turnout.buildings),
                (None, vec![None, Some(20)]),
                "{came}"
            );
        }
        let turnout = Turnout::of(&[30, 40], &[3, 37]);
        assert_eq!(
            (turnout.whole, turnout.buildings),
            (Some(40), vec![Some(3), Some(37)])
        );
    }

    proptest! {
        #[test]
        fn nothing_that_is_said_or_left_over_is_of_few(
            buildings in prop::collection::vec((0..40u32, 0..=100u32), 0..12),
        ) {
            let households: Vec<u32> = buildings.iter().map(|(n, _)| *n).collect();
            let came: Vec<u32> = buildings.iter().map(|(n, percent)| n * percent / 100).collect();
            let turnout = Turnout::of(&households, &came);
            let few = |of: u32, on: u32| of > 0 && (of < 10 || on < 3 || of - on < 3);
            let (mut of, mut on) = (0, 0);
            for ((&n, &c), said) in households.iter().zip(&came).zip(&turnout.buildings) {
                if let Some(said) = said {
                    prop_assert!(*said == c && !few(n, c));
                } else {
                    (of, on) = (of + n, on + c);
                }
            }
            if let Some(whole) = turnout.whole {
                prop_assert_eq!(whole, came.iter().sum::<u32>());
                prop_assert!(of == 0 || (on >= 3 && of - on >= 3));
            }
        }
    }
}
