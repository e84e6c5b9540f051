//! Quantities as integers with a range, checked once where they enter.
//!
//! Nothing here knows what a quantity is used for, and nothing here is a float that is kept.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A number outside the range its quantity allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} must be {least} to {most}, came {got}")]
pub struct OutOfRange {
    pub what: &'static str,
    pub least: i64,
    pub most: i64,
    pub got: i64,
}

/// A newtype over an integer. It is made from an `i64`, which is what JSON, CSV and SQL hand over.
macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident($int:ty), $what:literal, $least:literal..=$most:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "i64", into = "i64")]
        pub struct $name($int);

        impl $name {
            pub const MIN: Self = Self($least);
            pub const MAX: Self = Self($most);

            pub const fn new(value: i64) -> Result<Self, OutOfRange> {
                if value < $least || value > $most {
                    return Err(OutOfRange { what: $what, least: $least, most: $most, got: value });
                }
                Ok(Self::clamped(value))
            }

            /// The nearest value in range.
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the value was brought into range, and the range fits the integer"
            )]
            pub const fn clamped(value: i64) -> Self {
                let value = if value < $least { $least } else { value };
                let value = if value > $most { $most } else { value };
                Self(value as $int)
            }

            pub const fn get(self) -> $int {
                self.0
            }
        }

        impl TryFrom<i64> for $name {
            type Error = OutOfRange;

            fn try_from(value: i64) -> Result<Self, OutOfRange> {
                Self::new(value)
            }
        }

        impl From<$name> for i64 {
            fn from(value: $name) -> i64 {
                i64::from(value.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

quantity!(
    /// Weight of one bag, in grams.
    Grams(u32), "grams", 0..=200_000
);
quantity!(
    /// A share in basis points, 1/10000: how well a bag was sorted.
    Bp(u16), "basis points", 0..=10_000
);
quantity!(
    /// A share in 1/1000: how sure a camera was.
    Permille(u16), "permille", 0..=1_000
);
quantity!(
    /// A probability in 1/1,000,000,000: what lists compare, so that a last bit decides about nobody.
    Ppb(u32), "parts per billion", 0..=1_000_000_000
);
quantity!(
    /// Event time, milliseconds since 1970-01-01T00:00Z. The range ends a day before year 10000, so that the
    /// local day of any event has a year of four digits.
    Millis(i64), "milliseconds since 1970", 0..=253_402_214_399_999
);

impl Bp {
    /// The nearest basis point of a share 0..=1; halves go to the even one.
    pub fn from_share(share: f64) -> Result<Self, OutOfRange> {
        Self::new(scaled(share, 10_000.0))
    }

    pub fn share(self) -> f64 {
        f64::from(self.0) / 10_000.0
    }
}

impl Permille {
    /// The nearest permille of a share 0..=1; halves go to the even one.
    pub fn from_share(share: f64) -> Result<Self, OutOfRange> {
        Self::new(scaled(share, 1_000.0))
    }

    pub fn share(self) -> f64 {
        f64::from(self.0) / 1_000.0
    }
}

impl Ppb {
    /// The nearest billionth of a probability; one that rounding carried past 0 or 1 is brought back.
    pub fn from_probability(p: f64) -> Self {
        Self::clamped(scaled(p, 1e9))
    }

    pub fn probability(self) -> f64 {
        f64::from(self.0) / 1e9
    }

    /// `1 - p`, exactly.
    #[must_use]
    pub const fn complement(self) -> Self {
        Self(Self::MAX.0 - self.0)
    }
}

impl Millis {
    /// The time `ms` later (earlier when negative), kept in range.
    #[must_use]
    pub const fn saturating_add(self, ms: i64) -> Self {
        Self::clamped(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this time; negative when `earlier` is later.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }
}

/// NaN becomes `i64::MIN`, so that no range takes it for zero.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a float beyond i64 saturates, and every range is narrower"
)]
fn scaled(share: f64, one: f64) -> i64 {
    if share.is_nan() {
        i64::MIN
    } else {
        (share * one).round_ties_even() as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_range_ends_where_it_says() {
        assert_eq!(Grams::new(200_000).unwrap().get(), 200_000);
        let e = Grams::new(200_001).unwrap_err();
        assert_eq!(e.to_string(), "grams must be 0 to 200000, came 200001");
        assert!(Grams::new(-1).is_err());
        assert_eq!(Bp::new(10_000).unwrap(), Bp::MAX);
        assert!(Bp::new(10_001).is_err() && Bp::new(-1).is_err());
        assert!(Permille::new(1_001).is_err() && Permille::new(1_000).is_ok());
        assert!(Millis::new(-1).is_err() && Millis::new(i64::MAX).is_err());
    }

    #[test]
    fn shares_round_halves_to_even_and_refuse_what_is_no_share() {
        for (share, bp) in [
            (0.0, 0),
            (1.0, 10_000),
            (0.123_45, 1_234),
            (0.123_55, 1_236),
            (0.999_96, 10_000),
        ] {
            assert_eq!(Bp::from_share(share).unwrap().get(), bp, "{share}");
        }
        for bad in [f64::NAN, f64::INFINITY, -0.1, 1.1] {
            assert!(
                Bp::from_share(bad).is_err() && Permille::from_share(bad).is_err(),
                "{bad}"
            );
        }
        assert_eq!(Permille::from_share(0.8765).unwrap().get(), 876);
    }

    #[test]
    fn a_probability_and_its_complement_add_up() {
        let p = Ppb::from_probability(0.980_000_000_4);
        assert_eq!((p.get(), p.complement().get()), (980_000_000, 20_000_000));
        assert_eq!(Ppb::from_probability(1.0 + 1e-15), Ppb::MAX);
    }

    #[test]
    fn json_holds_plain_numbers_and_checks_them() {
        assert_eq!(serde_json::to_string(&Grams::clamped(7)).unwrap(), "7");
        assert_eq!(serde_json::from_str::<Bp>("10000").unwrap(), Bp::MAX);
        assert!(serde_json::from_str::<Bp>("10001").is_err());
    }
}
