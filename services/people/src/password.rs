//! Passwords: which are taken, and the form they are kept in: argon2id with a salt of its own (RFC 9106), as a PHC string.
//!
//! Must not tell why a login failed: an account that is not there takes as long as one that is.

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};

/// What OWASP asks of argon2id: 19 MiB of memory, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Characters a password has at least.
pub const PASSWORD_LEAST: usize = 10;
/// And at most: hashing what is longer would be work for whoever sends it.
pub const PASSWORD_MOST: usize = 128;
/// Characters of which a password has at least so many different ones.
const DIFFERENT: usize = 4;

/// A hash of what nobody knows, made with the same parameters: verified where there is no account or no password.
const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$aGVtdS1ub2JvZHlzLXNhbHQ$S0WUzUiIOvYC7vSKZuD2GHVD7BcVYT7aVr+tzD9cBMA";

/// The commonest passwords that are long enough, in lower case: what is tried first.
const COMMON: [&str; 40] = [
    "0123456789",
    "0987654321",
    "11112222333",
    "1122334455",
    "123123123123",
    "1234512345",
    "12345678900",
    "1234567890",
    "12345678910",
    "123456789a",
    "1314520520",
    "147258369a",
    "1q2w3e4r5t",
    "1q2w3e4r5t6y",
    "1qaz2wsx3edc",
    "5201314520",
    "9876543210",
    "a123456789",
    "aa123456789",
    "abc1234567",
    "abcd123456",
    "admin123456",
    "administrator",
    "asdfghjkl123",
    "changeme123",
    "hemu123456",
    "iloveyou123",
    "letmein1234",
    "password12",
    "password123",
    "password1234",
    "q123456789",
    "qq123456789",
    "qwer123456",
    "qwerty12345",
    "qwertyuiop",
    "welcome123",
    "woaini1314",
    "woaini5201314",
    "zxcvbnm123",
];

/// Why a password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    #[error("expected a password of {PASSWORD_LEAST} to {PASSWORD_MOST} characters, came {0}")]
    Length(usize),
    #[error("expected a password that is not the account's name")]
    Name,
    #[error(
        "expected a password that is not among the commonest; several words that do not belong together are easy to keep"
    )]
    Common,
}

/// A password could not be hashed: a bug, or no memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a password could not be hashed")]
pub struct HashFailed;

fn hasher() -> Result<Argon2<'static>, HashFailed> {
    let params =
        Params::new(MEMORY_KIB, PASSES, LANES, Some(Params::DEFAULT_OUTPUT_LEN)).map_err(|_| HashFailed)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Whether a password may be an account's.
pub fn check_password(name: &str, password: &str) -> Result<(), WeakPassword> {
    let length = password.chars().count();
    if !(PASSWORD_LEAST..=PASSWORD_MOST).contains(&length) {
        return Err(WeakPassword::Length(length));
    }
    let lower = password.to_lowercase();
    if lower == name.to_lowercase() {
        return Err(WeakPassword::Name);
    }
    let mut different: Vec<char> = lower.chars().collect();
    different.sort_unstable();
    different.dedup();
    if different.len() < DIFFERENT || COMMON.contains(&lower.as_str()) {
        return Err(WeakPassword::Common);
    }
    Ok(())
}

/// The form in which a password is kept. Takes tens of milliseconds and 19 MiB: keep it off a thread that serves others.
pub fn hash_password(password: &str, salt: [u8; 16]) -> Result<String, HashFailed> {
    let salt = SaltString::encode_b64(&salt).map_err(|_| HashFailed)?;
    let hashed = hasher()?.hash_password(password.as_bytes(), &salt);
    hashed.map(|hash| hash.to_string()).map_err(|_| HashFailed)
}

/// Whether a password is the one that was kept. Takes as long where none was.
pub fn verify_password(password: &str, kept: Option<&str>) -> bool {
    // What is too long was never taken; it is not hashed either.
    let fits = password.chars().count() <= PASSWORD_MOST;
    let tried = if fits { password } else { "" };
    let known = kept.and_then(|kept| PasswordHash::new(kept).ok());
    let (hash, there) = match known {
        Some(hash) => (Some(hash), true),
        None => (PasswordHash::new(NOBODYS).ok(), false),
    };
    let (Ok(hasher), Some(hash)) = (hasher(), hash) else {
        return false;
    };
    let same = hasher.verify_password(tried.as_bytes(), &hash).is_ok();
    same && there && fits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_again_and_no_other_is() {
        let kept = hash_password("correct horse battery", [7; 16]).unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(verify_password("correct horse battery", Some(&kept)));
        assert!(!verify_password("correct horse batterY", Some(&kept)));
        assert!(!verify_password("", Some(&kept)));
        let other = hash_password("correct horse battery", [8; 16]).unwrap();
        assert_ne!(kept, other, "each has a salt of its own");
    }

    #[test]
    fn nobody_is_let_in_where_no_password_was_kept() {
        let nobodys = PasswordHash::new(NOBODYS).unwrap();
        let ours = hash_password("anything at all", [1; 16]).unwrap();
        let ours = PasswordHash::new(&ours).unwrap();
        assert_eq!(
            nobodys.params.to_string(),
            ours.params.to_string(),
            "as much work"
        );
        assert_eq!(
            nobodys.hash.map(|hash| hash.len()),
            ours.hash.map(|hash| hash.len())
        );
        for kept in [None, Some(""), Some("plain text")] {
            assert!(
                !verify_password("", kept) && !verify_password("plain text", kept),
                "{kept:?}"
            );
        }
    }

    #[test]
    fn weak_passwords_are_not_taken() {
        let check = |password: &str| check_password("inspector.wang", password);
        assert_eq!(check("three green bins"), Ok(()));
        assert_eq!(
            check("垃圾分类从我做起大家"),
            Ok(()),
            "ten characters of any script"
        );
        assert_eq!(check("short"), Err(WeakPassword::Length(5)));
        assert_eq!(check(&"long enough ".repeat(20)), Err(WeakPassword::Length(240)));
        assert_eq!(check("Inspector.Wang"), Err(WeakPassword::Name));
        for common in ["1234567890", "PassWord123", "aaaaaaaaaaaa", "1212121212"] {
            assert_eq!(check(common), Err(WeakPassword::Common), "{common}");
        }
        for common in COMMON {
            assert!(common.len() >= PASSWORD_LEAST, "{common} is refused anyway");
            assert_eq!(common, common.to_lowercase());
        }
    }
}
