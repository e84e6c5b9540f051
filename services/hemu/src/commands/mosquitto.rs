//! Mosquitto's password file: the line of a device, made while its key is known. Mosquitto keeps PBKDF2 digests and the
//! registry keeps others, so neither can be made from the other afterwards.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha512;

/// Rounds that `mosquitto_passwd` takes by itself. Keys are 256 random bits: more would protect nothing and cost every
/// login.
const ROUNDS: u32 = 101;
/// Bytes of salt that Mosquitto makes and reads.
pub(super) const SALT: usize = 12;
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Puts a device's login into the file, in place of one that is there. Mosquitto reads it again at SIGHUP.
pub(super) fn put(file: &Path, device: &str, key: &str, salt: [u8; SALT]) -> io::Result<()> {
    let line = line(device, key, salt);
    if has(file, device)? {
        return rewrite(file, device, Some(&line));
    }
    let mut open = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(file)?;
    open.write_all(line.as_bytes())?;
    open.sync_all()
}

/// Takes a device's login out of the file.
pub(super) fn remove(file: &Path, device: &str) -> io::Result<()> {
    if has(file, device)? {
        rewrite(file, device, None)?;
    }
    Ok(())
}

fn has(file: &Path, device: &str) -> io::Result<bool> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(text.lines().any(|line| is_of(line, device))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn is_of(line: &str, device: &str) -> bool {
    line.split_once(':').is_some_and(|(name, _)| name == device)
}

/// Writes the other lines and this one beside the file and puts that in its place: a broker that reads meanwhile sees the
/// one or the other.
fn rewrite(file: &Path, device: &str, line: Option<&str>) -> io::Result<()> {
    let text = fs::read_to_string(file)?;
    let kept = text.lines().filter(|line| !is_of(line, device));
    let mut text: String = kept.flat_map(|line| [line, "\n"]).collect();
    text.push_str(line.unwrap_or_default());
    let beside = file.with_extension("new");
    let mut open = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)?;
    open.set_permissions(fs::metadata(file)?.permissions())?;
    open.write_all(text.as_bytes())?;
    open.sync_all()?;
    fs::rename(beside, file)
}

fn line(device: &str, key: &str, salt: [u8; SALT]) -> String {
    let digest = pbkdf2(key.as_bytes(), &salt, ROUNDS);
    format!("{device}:$7${ROUNDS}${}${}\n", base64(&salt), base64(&digest))
}

/// PBKDF2 with HMAC-SHA-512, one block of it (RFC 8018, section 5.2).
fn pbkdf2(key: &[u8], salt: &[u8], rounds: u32) -> [u8; 64] {
    let keyed = keyed(key);
    let round = |input: &[&[u8]]| -> [u8; 64] {
        let mut mac = keyed.clone();
        for part in input {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    };
    let mut last = round(&[salt, &1_u32.to_be_bytes()]);
    let mut sum = last;
    for _ in 1..rounds {
        last = round(&[&last]);
        sum.iter_mut().zip(last).for_each(|(sum, byte)| *sum ^= byte);
    }
    sum
}

fn keyed(key: &[u8]) -> Hmac<Sha512> {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    Hmac::new_from_slice(key).expect("a key of any length")
}

/// RFC 4648, padded.
fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let at = |index: usize| u32::from(three.get(index).copied().unwrap_or_default());
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place)) as usize & 63];
            text.push(if place <= three.len() { digit.into() } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        let cases = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ];
        for (bytes, text) in cases {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    /// What `mosquitto_passwd` 2.0.11 wrote for this name and password.
    #[test]
    fn a_line_is_what_mosquitto_passwd_writes() {
        let known = "bob:$7$101$tknrO5tu5gWmKSzJ$YgEQQZEXTTYt5CMCILkkECRL94wuh5kMiDCjjMJJf0Jh68pyQvuQAsf4DemJzFQfzM/9G48vKqPPGanx1c7ijw==\n";
        let salt = [
            0xb6, 0x49, 0xeb, 0x3b, 0x9b, 0x6e, 0xe6, 0x05, 0xa6, 0x29, 0x2c, 0xc9,
        ];
        assert_eq!(line("bob", "secret", salt), known);
    }

    #[test]
    fn a_device_has_one_line_and_the_others_keep_theirs() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("passwords");
        put(&file, "st01", "one", [1; SALT]).unwrap();
        put(&file, "st011", "other", [2; SALT]).unwrap();
        put(&file, "st01", "two", [3; SALT]).unwrap();
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(
            text,
            line("st011", "other", [2; SALT]) + &line("st01", "two", [3; SALT])
        );
        remove(&file, "st011").unwrap();
        remove(&file, "st02").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), line("st01", "two", [3; SALT]));
    }
}
