//! Variable-length integers and strings: the alphabet of the journal's bytes. Nothing here knows what they mean.

use hemu_rules::Millis;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Appends to a byte vector.
#[derive(Debug)]
pub(crate) struct Writer<'a>(&'a mut Vec<u8>);

impl<'a> Writer<'a> {
    pub(crate) fn new(out: &'a mut Vec<u8>) -> Self {
        Self(out)
    }

    pub(crate) fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    /// LEB128.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "seven bits at a time is the encoding"
    )]
    pub(crate) fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    /// Zig-zag, so that small negative numbers stay short.
    pub(crate) fn signed(&mut self, value: i64) {
        self.number(((value << 1) ^ (value >> 63)).cast_unsigned());
    }

    pub(crate) fn time(&mut self, at: Millis) {
        self.signed(at.get());
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// What cannot be written as JSON is left empty, which no reader takes for anything.
    pub(crate) fn json(&mut self, value: &impl Serialize) {
        self.bytes(&serde_json::to_vec(value).unwrap_or_default());
    }

    pub(crate) fn optional_text(&mut self, text: Option<&str>) {
        self.byte(u8::from(text.is_some()));
        if let Some(text) = text {
            self.text(text);
        }
    }

    pub(crate) fn optional_number(&mut self, value: Option<u64>) {
        self.byte(u8::from(value.is_some()));
        if let Some(value) = value {
            self.number(value);
        }
    }

    pub(crate) fn optional_signed(&mut self, value: Option<i64>) {
        self.byte(u8::from(value.is_some()));
        if let Some(value) = value {
            self.signed(value);
        }
    }
}

/// Reads what [`Writer`] wrote; every method is `None` when the bytes end early or make no sense.
#[derive(Debug, Clone)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    pub(crate) fn number(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return None;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    pub(crate) fn signed(&mut self) -> Option<i64> {
        let value = self.number()?;
        Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    pub(crate) fn time(&mut self) -> Option<Millis> {
        Millis::new(self.signed()?).ok()
    }

    /// A number of a quantity's range.
    pub(crate) fn quantity<N: TryFrom<i64>>(&mut self) -> Option<N> {
        N::try_from(i64::try_from(self.number()?).ok()?).ok()
    }

    /// A number of a narrower type.
    pub(crate) fn narrow<N: TryFrom<u64>>(&mut self) -> Option<N> {
        self.number()?.try_into().ok()
    }

    pub(crate) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head)
    }

    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.narrow()?;
        self.take(length)
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    /// JSON of at most so many bytes.
    pub(crate) fn json<T: DeserializeOwned>(&mut self, most: usize) -> Option<T> {
        let bytes = self.bytes().filter(|bytes| bytes.len() <= most)?;
        serde_json::from_slice(bytes).ok()
    }

    #[expect(
        clippy::option_option,
        reason = "the outer one is corruption, the inner one an absent field"
    )]
    pub(crate) fn optional_text(&mut self) -> Option<Option<&'a str>> {
        if self.flag()? {
            self.text().map(Some)
        } else {
            Some(None)
        }
    }

    #[expect(
        clippy::option_option,
        reason = "the outer one is corruption, the inner one an absent field"
    )]
    pub(crate) fn optional_number(&mut self) -> Option<Option<u64>> {
        if self.flag()? {
            self.number().map(Some)
        } else {
            Some(None)
        }
    }

    #[expect(
        clippy::option_option,
        reason = "the outer one is corruption, the inner one an absent field"
    )]
    pub(crate) fn optional_signed(&mut self) -> Option<Option<i64>> {
        if self.flag()? {
            self.signed().map(Some)
        } else {
            Some(None)
        }
    }

    fn flag(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digits = String::with_capacity(2 * bytes.len());
    bytes.iter().fold(digits, |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = std::fmt::Write::write_fmt(&mut text, format_args!("{byte:02x}"));
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_come_back(value: u64, signed: i64) {
            let mut out = Vec::new();
            Writer::new(&mut out).number(value);
            Writer::new(&mut out).signed(signed);
            let mut reader = Reader::new(&out);
            prop_assert_eq!(reader.number(), Some(value));
            prop_assert_eq!(reader.signed(), Some(signed));
            prop_assert!(reader.is_empty());
        }

        #[test]
        fn reading_anything_never_panics(bytes: Vec<u8>) {
            let mut reader = Reader::new(&bytes);
            while reader.clone().number().is_some() && reader.optional_text().is_some() {}
        }
    }
}
