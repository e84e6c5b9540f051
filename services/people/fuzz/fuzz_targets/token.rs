//! What somebody types or a program sends: codes, tokens, digits of a second factor, words of roles and rights.
#![no_main]

use hemu_people::{Right, Role, Secret, TotpSecret, code_digest, digest};
use libfuzzer_sys::fuzz_target;

const SYMBOLS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    code(&text);
    word(&text);
    second_factor(bytes, &text);
    let random: [u8; 32] = std::array::from_fn(|nth| bytes.get(nth).copied().unwrap_or_default());
    let (token, session) = (Secret::token(random), Secret::session(random));
    assert_eq!(token.digest(), digest(token.tell()));
    assert!(token.digest() != session.digest(), "neither passes for the other");
    let code = Secret::code(std::array::from_fn(|nth| random[nth]));
    assert_eq!(code_digest(code.tell()), Some(code.digest()));
    if text != code.tell() && code_digest(&text) == Some(code.digest()) {
        assert_eq!(bare(&text), bare(code.tell()), "another code passes for it");
    }
});

/// A code without what people put between its letters.
fn bare(typed: &str) -> Vec<u8> {
    let letters = typed.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'-');
    letters.map(|byte| byte.to_ascii_uppercase()).collect()
}

fn code(typed: &str) {
    let bare = bare(typed);
    let is_code = bare.len() == 12 && bare.iter().all(|byte| SYMBOLS.contains(byte));
    let found = code_digest(typed);
    assert_eq!(found.is_some(), is_code);
    assert_eq!(found, code_digest(&typed.to_ascii_lowercase()));
    assert_eq!(found, code_digest(&format!(" {typed}- ")));
    if let Some(found) = found {
        let groups: Vec<_> = bare.chunks(4).map(|group| String::from_utf8_lossy(group).into_owned()).collect();
        assert_eq!(found, digest(&groups.join("-")), "kept in one form, however it was typed");
    }
}

fn word(text: &str) {
    match text.parse::<Right>() {
        Ok(right) => assert_eq!(right.as_str(), text),
        Err(error) => assert!(error.to_string().len() < 1_024, "what came is cut off"),
    }
    match text.parse::<Role>() {
        Ok(role) => assert_eq!(role.as_str(), text),
        Err(error) => assert!(error.to_string().len() < 1_024, "what came is cut off"),
    }
}

fn second_factor(bytes: &[u8], text: &str) {
    assert_eq!(TotpSecret::kept(bytes).is_some(), bytes.len() == 20);
    let Some((secret, rest)) = bytes.split_first_chunk::<20>() else { return };
    let secret = TotpSecret::new(*secret);
    let at = rest.iter().fold(0_i64, |at, byte| (at << 8) ^ i64::from(*byte)) >> 8;
    let url = secret.url(text, text);
    assert!(url.is_none_or(|url| url.starts_with("otpauth://totp/")));
    if let Some(step) = secret.step(text, at, None) {
        assert!((step - at.div_euclid(30_000)).abs() <= 1);
        assert_eq!(secret.step(text, at, Some(step)), None, "good once");
    }
    if let Some(digits) = secret.digits(at).filter(|_| at >= 0) {
        assert!(secret.step(&digits, at, None).is_some(), "those of the phone are good");
    }
}
