//! From one JSON value to one field's value, or what is wrong with it. Pure functions; a range is
//! enforced here and nowhere else.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess};

use crate::reject::Reason;

/// A JSON value as far as a field cares: what is nested is only known to be nested.
#[derive(Debug)]
pub(crate) enum Scalar<'de> {
    Null,
    Bool,
    Unsigned(u64),
    /// Below zero.
    Negative(i64),
    /// Has a fraction, an exponent, the sign of `-0`, or more digits than 64 bits.
    Float(f64),
    Text(Cow<'de, str>),
    Nested,
}

/// Why a value is not the field's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wrong {
    pub(crate) reason: Reason,
    pub(crate) expected: &'static str,
}

impl Wrong {
    pub(crate) const fn new(reason: Reason, expected: &'static str) -> Self {
        Self { reason, expected }
    }
}

/// The smallest magnitude at which an integer literal reaches us as a double.
const BEYOND_64_BITS: f64 = 9_223_372_036_854_775_808.0;

/// An integer within `min..=max`, in the field's own type.
pub(crate) fn unsigned<T: TryFrom<u64>>(
    value: &Scalar<'_>,
    (min, max): (u64, u64),
    expected: &'static str,
) -> Result<T, Wrong> {
    match *value {
        Scalar::Unsigned(n) if (min..=max).contains(&n) => {
            T::try_from(n).map_err(|_| Wrong::new(Reason::OutOfRange, expected))
        }
        Scalar::Unsigned(_) | Scalar::Negative(_) => Err(Wrong::new(Reason::OutOfRange, expected)),
        _ => Err(not_an_integer(value, expected)),
    }
}

/// An integer that fits 32 bits with sign.
pub(crate) fn signed(value: &Scalar<'_>, expected: &'static str) -> Result<i32, Wrong> {
    let fits = match *value {
        Scalar::Unsigned(n) => i32::try_from(n).ok(),
        Scalar::Negative(n) => i32::try_from(n).ok(),
        _ => return Err(not_an_integer(value, expected)),
    };
    fits.ok_or(Wrong::new(Reason::OutOfRange, expected))
}

fn not_an_integer(value: &Scalar<'_>, expected: &'static str) -> Wrong {
    let reason = match *value {
        Scalar::Float(x) if x.abs() >= BEYOND_64_BITS => Reason::OutOfRange,
        Scalar::Float(x) if x == 0.0 && x.is_sign_negative() => Reason::OutOfRange,
        _ => Reason::WrongType,
    };
    Wrong::new(reason, expected)
}

/// A number 0..=1 in whole `1/scale` parts. The literal must denote such a part: all that is forgiven is
/// that a double is not a decimal (a relative error of two epsilons); a literal too small for a double is 0.
pub(crate) fn exact_fraction(value: &Scalar<'_>, scale: u16, expected: &'static str) -> Result<u16, Wrong> {
    let x = number(value, expected)?;
    if x.is_sign_negative() || x > 1.0 {
        return Err(Wrong::new(Reason::OutOfRange, expected));
    }
    let parts = nearest_part(x, scale);
    let part = f64::from(parts) / f64::from(scale);
    if (x - part).abs() > 2.0 * f64::EPSILON * part {
        return Err(Wrong::new(Reason::TooPrecise, expected));
    }
    Ok(parts)
}

/// A measured number 0..=1, rounded to whole `1/scale` parts.
pub(crate) fn rounded_fraction(value: &Scalar<'_>, scale: u16, expected: &'static str) -> Result<u16, Wrong> {
    let x = number(value, expected)?;
    if !(0.0..=1.0).contains(&x) {
        return Err(Wrong::new(Reason::OutOfRange, expected));
    }
    Ok(nearest_part(x, scale))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "0 <= x <= 1, scale is a u16"
)]
fn nearest_part(x: f64, scale: u16) -> u16 {
    (x * f64::from(scale) + 0.5) as u16
}

/// A measured number within `min..=max`, rounded to whole hundredths.
pub(crate) fn rounded_hundredths(
    value: &Scalar<'_>,
    (min, max): (f64, f64),
    expected: &'static str,
) -> Result<i32, Wrong> {
    let x = number(value, expected)?;
    if !(min..=max).contains(&x) {
        return Err(Wrong::new(Reason::OutOfRange, expected));
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the caller's range is far within 32 bits"
    )]
    Ok((x * 100.0).round() as i32)
}

fn number(value: &Scalar<'_>, expected: &'static str) -> Result<f64, Wrong> {
    match *value {
        Scalar::Unsigned(n) => Ok(n as f64),
        Scalar::Negative(n) => Ok(n as f64),
        Scalar::Float(x) => Ok(x),
        _ => Err(Wrong::new(Reason::WrongType, expected)),
    }
}

/// Text of at most `max` characters without control characters.
pub(crate) fn text<'de>(
    value: Scalar<'de>,
    max: usize,
    expected: &'static str,
) -> Result<Cow<'de, str>, Wrong> {
    let Scalar::Text(text) = value else {
        return Err(Wrong::new(Reason::WrongType, expected));
    };
    // Characters are never more than bytes, so most texts need no count.
    if text.len() > max && text.chars().count() > max {
        return Err(Wrong::new(Reason::TooLong, expected));
    }
    if has_control(&text) {
        return Err(Wrong::new(Reason::BadText, expected));
    }
    Ok(text)
}

/// A token: text that names something, so not empty.
pub(crate) fn token<'de>(
    value: Scalar<'de>,
    max: usize,
    expected: &'static str,
) -> Result<Cow<'de, str>, Wrong> {
    let token = text(value, max, expected)?;
    if token.is_empty() {
        Err(Wrong::new(Reason::BadText, expected))
    } else {
        Ok(token)
    }
}

/// One word of a fixed vocabulary.
pub(crate) fn word<T>(
    value: &Scalar<'_>,
    find: impl FnOnce(&str) -> Option<T>,
    expected: &'static str,
) -> Result<T, Wrong> {
    let Scalar::Text(text) = value else {
        return Err(Wrong::new(Reason::WrongType, expected));
    };
    find(text).ok_or(Wrong::new(Reason::UnknownValue, expected))
}

pub(crate) fn has_control(text: &str) -> bool {
    let plain = text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    !plain && text.chars().any(char::is_control)
}

impl<'de> Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> de::Visitor<'de> for Any {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Bool)
    }

    fn visit_u64<E>(self, n: u64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Unsigned(n))
    }

    fn visit_i64<E>(self, n: i64) -> Result<Scalar<'de>, E> {
        Ok(u64::try_from(n).map_or(Scalar::Negative(n), Scalar::Unsigned))
    }

    fn visit_f64<E>(self, x: f64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Float(x))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Scalar<'de>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Nested)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Nested)
    }
}
