//! What every record carries: its identity within the device, and when it happened.

use serde::de::MapAccess;
use serde::ser::SerializeMap;

use crate::decode::{Key, Members};
use crate::value;

/// Latest event time, 9999-12-31T23:59:59.999Z in milliseconds since 1970.
pub const AT_MAX: i64 = 253_402_300_799_999;

/// Identity and event time. `(device, boot, seq)` names a record; `at` never does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// New only when the device lost its sequence; any 64 bits.
    pub boot: u64,
    /// From 1, one counter for all records of the device, without gaps.
    pub seq: u64,
    /// Event time, milliseconds since 1970 UTC, `0..=`[`AT_MAX`].
    pub at: i64,
}

impl Stamp {
    pub(crate) fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("boot", &self.boot)?;
        map.serialize_entry("seq", &self.seq)?;
        map.serialize_entry("at", &self.at)
    }
}

/// A stamp whose three fields have not all come yet.
#[derive(Debug, Default)]
pub(crate) struct StampFields {
    boot: Option<u64>,
    seq: Option<u64>,
    at: Option<i64>,
}

impl StampFields {
    /// Reads the value of one of the stamp's keys.
    pub(crate) fn take<'de, A: MapAccess<'de>>(
        &mut self,
        key: Key,
        members: &mut Members<'_, A>,
    ) -> Result<(), A::Error> {
        match key {
            Key::Boot => {
                let boot = |v| value::unsigned(&v, (0, u64::MAX), "an integer 0..=18446744073709551615");
                self.boot = Some(members.value(key, boot)?);
            }
            Key::Seq => {
                let seq = |v| value::unsigned(&v, (1, u64::MAX), "an integer 1..=18446744073709551615");
                self.seq = Some(members.value(key, seq)?);
            }
            _ => {
                let at = |v| {
                    let expected = "milliseconds since 1970, an integer 0..=253402300799999";
                    value::unsigned(&v, (0, AT_MAX.unsigned_abs()), expected)
                };
                self.at = Some(members.value(key, at)?);
            }
        }
        Ok(())
    }

    pub(crate) fn finish<'de, A: MapAccess<'de>>(
        self,
        members: &mut Members<'_, A>,
    ) -> Result<Stamp, A::Error> {
        Ok(Stamp {
            boot: members.require(Key::Boot, self.boot)?,
            seq: members.require(Key::Seq, self.seq)?,
            at: members.require(Key::At, self.at)?,
        })
    }
}
