//! The audit of a black list as a whole.

use crate::quantity::Ppb;

/// Keeps the mean doubt of a black list small: of the households in order of doubt, and of token where doubts are
/// the same, those up to the last with whom the mean is within the rule's limit.
///
/// The mean of numbers in rising order never falls, so that is one prefix, and its end says all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guard {
    last: Option<(Ppb, String)>,
}

impl Guard {
    /// `candidates`: doubt and token of every household of the edition that would be black.
    pub fn of<'t>(limit: Ppb, candidates: impl IntoIterator<Item = (Ppb, &'t str)>) -> Self {
        let mut candidates: Vec<(Ppb, &str)> = candidates.into_iter().collect();
        candidates.sort_unstable();
        let (mut sum, mut last) = (0_u64, None);
        for (count, candidate) in (1_u64..).zip(candidates) {
            sum += u64::from(candidate.0.get());
            if sum > u64::from(limit.get()) * count {
                break;
            }
            last = Some(candidate);
        }
        Self {
            last: last.map(|(doubt, token)| (doubt, token.to_owned())),
        }
    }

    /// Whether a household that would be black stays so.
    pub fn keeps(&self, doubt: Ppb, token: &str) -> bool {
        let last = self.last.as_ref();
        last.is_some_and(|(most, until)| (doubt, token) <= (*most, until.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::Rule;
    use proptest::prelude::*;

    /// Doubts up to the limit's double, often the same.
    fn candidates() -> impl Strategy<Value = Vec<(Ppb, String)>> {
        let doubt = (0..40_i64).prop_map(|n| Ppb::clamped(n * 500_000));
        let tokens = prop::collection::btree_set("[A-C]{1,3}|户[0-9]", 0..30);
        tokens.prop_flat_map(move |tokens| {
            let doubts = prop::collection::vec(doubt.clone(), tokens.len());
            doubts.prop_map(move |doubts| doubts.into_iter().zip(tokens.clone()).collect())
        })
    }

    proptest! {
        #[test]
        fn the_guard_keeps_the_longest_prefix_within_the_limit(
            (mut all, shuffled) in candidates().prop_flat_map(|c| (Just(c.clone()), Just(c).prop_shuffle()))
        ) {
            let limit = Rule::V1.guard_doubt_most;
            let of = |c: &[(Ppb, String)]| Guard::of(limit, c.iter().map(|(d, t)| (*d, t.as_str())));
            let guard = of(&all);
            prop_assert_eq!(&guard, &of(&shuffled));
            all.sort();
            let kept = all.iter().take_while(|(d, t)| guard.keeps(*d, t)).count();
            prop_assert!(all.iter().skip(kept).all(|(d, t)| !guard.keeps(*d, t)), "not a prefix");
            let mean_is_small = |n: usize| {
                let sum: u64 = all.iter().take(n).map(|(d, _)| u64::from(d.get())).sum();
                sum <= u64::from(limit.get()) * n as u64
            };
            prop_assert!(mean_is_small(kept));
            prop_assert!((kept + 1..=all.len()).all(|n| !mean_is_small(n)), "a longer one was possible");
        }
    }
}
