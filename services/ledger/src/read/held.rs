//! Why a stored reading counts for nobody.

use super::{Outcome, damaged};

use crate::db;

/// Reasons, as bits of one number; a reading counts while there is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Held(u8);

impl Held {
    /// It counts.
    pub const NOT: Self = Self(0);
    /// Its clock was ahead, and nobody has looked.
    pub const CLOCK: Self = Self(1);
    /// A person struck it.
    pub const STRUCK: Self = Self(2);
    /// Its card was lost by then.
    pub const CARD: Self = Self(4);
    /// Its device and boot said two things under one number, and nobody has looked.
    pub const CONFLICT: Self = Self(8);

    /// With a reason, or without it.
    #[must_use]
    pub const fn with(self, reason: Self, holds: bool) -> Self {
        if holds {
            Self(self.0 | reason.0)
        } else {
            Self(self.0 & !reason.0)
        }
    }

    /// Whether a reason is among them.
    pub const fn has(self, reason: Self) -> bool {
        self.0 & reason.0 != 0
    }

    pub(crate) const fn bits(self) -> u8 {
        self.0
    }

    pub(crate) fn read(row: &db::Row) -> Outcome<Self> {
        let bits: i64 = row.try_get("held")?;
        let known = u8::try_from(bits).ok().filter(|bits| *bits < 16);
        known.map(Self).ok_or_else(|| damaged("held", bits))
    }
}
