//! Secrets that the server makes: of sessions, of programs, and codes that people type once. Kept as SHA-256 alone: they
//! are long and random, so that nothing slower is needed.
//!
//! Must not make randomness: it comes from the caller.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::hex::hex;

/// The form in which a secret is kept.
pub type Digest = [u8; 32];

/// What a code is written with: no letter or digit looks like another.
const ALPHABET: [u8; 32] = *b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// Characters of a code, in groups of four: 60 bits.
const CODE: usize = 12;
/// What a program's token begins with, so that whoever finds one knows what it is.
const TOKEN: &str = "hemu_";

/// Something to be told once and never shown again.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A session's, for a cookie.
    pub fn session(random: [u8; 32]) -> Self {
        Self(hex(&random))
    }

    /// A program's.
    pub fn token(random: [u8; 32]) -> Self {
        Self(format!("{TOKEN}{}", hex(&random)))
    }

    /// A code to be typed: `ABCD-EFGH-JKLM`.
    pub fn code(random: [u8; CODE]) -> Self {
        let symbols = random.map(symbol);
        Self(grouped(&symbols))
    }

    /// To be told, once.
    pub fn tell(&self) -> &str {
        &self.0
    }

    pub fn digest(&self) -> Digest {
        digest(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// What a secret that came is looked up by.
pub fn digest(secret: &str) -> Digest {
    Sha256::digest(secret.as_bytes()).into()
}

/// What a code as somebody typed it is looked up by; `None` of what is no code. Case, spaces and hyphens do not matter.
pub fn code_digest(typed: &str) -> Option<Digest> {
    let mut symbols = [0; CODE];
    let mut places = symbols.iter_mut();
    for byte in typed
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace() && *byte != b'-')
    {
        let byte = byte.to_ascii_uppercase();
        *places.next()? = ALPHABET.contains(&byte).then_some(byte)?;
    }
    places.next().is_none().then(|| digest(&grouped(&symbols)))
}

/// A name that says nothing of who has it: `r-7k2mp9qd4w`.
pub fn opaque_name(random: [u8; 10]) -> String {
    let letters = random.map(|byte| char::from(symbol(byte)).to_ascii_lowercase());
    format!("r-{}", letters.iter().collect::<String>())
}

fn symbol(random: u8) -> u8 {
    // 32 symbols: the low five bits of a byte, none likelier than another.
    ALPHABET.get(usize::from(random & 31)).copied().unwrap_or(b'A')
}

fn grouped(symbols: &[u8; CODE]) -> String {
    let groups: Vec<String> = symbols
        .chunks(4)
        .map(|group| group.iter().copied().map(char::from).collect())
        .collect();
    groups.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_known_however_it_is_typed() {
        let code = Secret::code(std::array::from_fn(|nth| u8::try_from(nth * 37).unwrap_or(9)));
        let text = code.tell();
        assert_eq!(text.len(), 14);
        for typed in [
            text.to_owned(),
            text.to_lowercase(),
            text.replace('-', ""),
            format!(" {} ", text.replace('-', " ")),
        ] {
            assert_eq!(code_digest(&typed), Some(code.digest()), "{typed}");
        }
        let short = text.get(..13).unwrap();
        for typed in [
            "",
            short,
            &format!("{text}A"),
            &text.replacen(|_| true, "0", 1),
            "ÄBCD-EFGH-JKLM",
        ] {
            assert_ne!(code_digest(typed), Some(code.digest()), "{typed}");
        }
        assert_eq!(code_digest(short), None);
    }

    #[test]
    fn codes_hold_nothing_that_looks_like_something_else() {
        for byte in 0..=u8::MAX {
            assert!(!b"01IO".contains(&symbol(byte)));
        }
        assert_eq!(Secret::code([0; 12]).tell(), "AAAA-AAAA-AAAA");
        assert_eq!(opaque_name([31; 10]), "r-9999999999");
    }

    #[test]
    fn a_secret_is_not_printed_by_accident() {
        let secret = Secret::token([0xab; 32]);
        assert!(secret.tell().starts_with("hemu_abab"));
        assert_eq!(format!("{secret:?}"), "Secret");
        assert_ne!(secret.digest(), Secret::session([0xab; 32]).digest());
    }
}
