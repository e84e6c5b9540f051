//! How a backup is packed and sealed: gzip, and around it age where there is a key, so that `age -d` and `zcat` open it
//! without Hemu. Must not write or log a secret.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use age::secrecy::{ExposeSecret, SecretString};
use age::stream::StreamWriter;
use age::{Decryptor, Encryptor, scrypt, x25519};
use anyhow::{Context, Result, bail};
use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;

use crate::words::Words;

/// How a file of age's begins.
const AGE: &[u8] = b"age-encryption.org/";
/// How one of gzip's does.
const GZIP: &[u8] = &[0x1f, 0x8b];

/// Who can open a backup.
#[derive(Clone)]
pub(crate) enum Seal {
    /// Whoever has the file.
    Open,
    /// Whoever has the key to one of these.
    Recipients(Vec<x25519::Recipient>),
    /// Whoever knows this.
    Passphrase(SecretString),
}

impl Seal {
    /// By what the user gave.
    pub(crate) fn new(recipients: &[String], passphrase: Option<&Path>, words: &Words) -> Result<Self> {
        if let Some(file) = passphrase {
            return Ok(Self::Passphrase(read_passphrase(file, words)?));
        }
        if recipients.is_empty() {
            return Ok(Self::Open);
        }
        let parsed = recipients.iter().map(|text| {
            let recipient = text.parse::<x25519::Recipient>();
            recipient.map_err(|_| anyhow::anyhow!(words.say("recipient-wrong", &[("recipient", text)])))
        });
        Ok(Self::Recipients(parsed.collect::<Result<_>>()?))
    }

    pub(crate) fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }

    fn encryptor(&self) -> Result<Option<Encryptor>> {
        Ok(match self {
            Self::Open => None,
            Self::Recipients(keys) => Some(Encryptor::with_recipients(
                keys.iter().map(|key| key as &dyn age::Recipient),
            )?),
            Self::Passphrase(secret) => Some(Encryptor::with_user_passphrase(secret.clone())),
        })
    }
}

/// Packs and seals everything of `from` into a file.
pub(crate) fn pack(from: impl Read, to: File, seal: &Seal) -> Result<File> {
    let to = BufWriter::new(to);
    let to = match seal.encryptor()? {
        None => compress(from, to)?,
        Some(encryptor) => {
            let sealed: StreamWriter<_> = compress(from, encryptor.wrap_output(to)?)?;
            sealed.finish()?
        }
    };
    Ok(to.into_inner().map_err(io::IntoInnerError::into_error)?)
}

fn compress<W: Write>(mut from: impl Read, to: W) -> io::Result<W> {
    let mut packed = GzEncoder::new(to, Compression::fast());
    io::copy(&mut from, &mut packed)?;
    packed.finish()
}

/// What opens a backup.
pub(crate) enum Key {
    None,
    Identities(Vec<Box<dyn age::Identity + Send + Sync>>),
    Passphrase(SecretString),
}

impl Key {
    /// By what the user gave.
    pub(crate) fn new(identity: Option<&Path>, passphrase: Option<&Path>, words: &Words) -> Result<Self> {
        if let Some(file) = passphrase {
            return Ok(Self::Passphrase(read_passphrase(file, words)?));
        }
        let Some(path) = identity else {
            return Ok(Self::None);
        };
        let text = std::fs::read_to_string(path)
            .with_context(|| words.say("cannot-read", &[("file", &path.display())]))?;
        let lines = text.lines().map(str::trim);
        let keys = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        let keys: Vec<_> = keys
            .filter_map(|line| line.parse::<x25519::Identity>().ok())
            .collect();
        if keys.is_empty() {
            bail!(words.say("identity-wrong", &[("file", &path.display())]));
        }
        let boxed = |key: x25519::Identity| -> Box<dyn age::Identity + Send + Sync> { Box::new(key) };
        Ok(Self::Identities(keys.into_iter().map(boxed).collect()))
    }
}

/// Opens and unpacks a file into another; what it says of a file that is none of ours is for the user.
pub(crate) fn unpack(
    mut from: File,
    read: impl Fn(u64),
    to: &mut File,
    key: &Key,
    words: &Words,
) -> Result<()> {
    let mut begins = [0; AGE.len()];
    let length = from.read(&mut begins)?;
    from.rewind()?;
    let counted = Counted { from, read };
    let begins = begins.get(..length).unwrap_or_default();
    if begins.starts_with(GZIP) {
        return extract(counted, to, words);
    }
    if begins != AGE {
        bail!(words.say("not-a-backup", &[]));
    }
    let damaged = || words.say("backup-damaged", &[]);
    let sealed = Decryptor::new_buffered(BufReader::new(counted)).with_context(damaged)?;
    let by_passphrase = sealed.is_scrypt();
    let opened = match key {
        Key::Passphrase(secret) if by_passphrase => {
            let key = scrypt::Identity::new(secret.clone());
            sealed.decrypt([&key as &dyn age::Identity].into_iter())
        }
        Key::Identities(keys) if !by_passphrase => {
            sealed.decrypt(keys.iter().map(|key| &**key as &dyn age::Identity))
        }
        _ if by_passphrase => bail!(words.say("backup-needs-passphrase", &[])),
        _ => bail!(words.say("backup-needs-identity", &[])),
    };
    match opened {
        Ok(opened) => extract(opened, to, words),
        Err(
            age::DecryptError::NoMatchingKeys
            | age::DecryptError::DecryptionFailed
            | age::DecryptError::KeyDecryptionFailed,
        ) => {
            bail!(words.say("backup-wrong-key", &[]))
        }
        Err(_) => bail!(damaged()),
    }
}

fn extract(from: impl Read, to: &mut File, words: &Words) -> Result<()> {
    let mut packed = GzDecoder::new(BufReader::new(from));
    io::copy(&mut packed, to).with_context(|| words.say("backup-damaged", &[]))?;
    // The last piece of what is sealed is what proves that nothing was cut off after it.
    let after = io::copy(&mut packed.into_inner(), &mut io::sink());
    if after.with_context(|| words.say("backup-damaged", &[]))? > 0 {
        bail!(words.say("backup-damaged", &[]));
    }
    to.sync_all()?;
    Ok(())
}

/// Tells how much was read.
struct Counted<F> {
    from: File,
    read: F,
}

impl<F: Fn(u64)> Read for Counted<F> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(into)?;
        (self.read)(read as u64);
        Ok(read)
    }
}

/// Makes a key, writes it where only its owner may read it, and answers what backups are sealed for.
pub(crate) fn new_key(to: &Path) -> io::Result<String> {
    let key = x25519::Identity::generate();
    let recipient = key.to_public().to_string();
    let mut file = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to)?;
    writeln!(
        file,
        "# public key: {recipient}\n{}",
        key.to_string().expose_secret()
    )?;
    file.sync_all()?;
    Ok(recipient)
}

/// The first line of a file.
fn read_passphrase(file: &Path, words: &Words) -> Result<SecretString> {
    let text = std::fs::read_to_string(file)
        .with_context(|| words.say("cannot-read", &[("file", &file.display())]))?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(SecretString::from(line.to_owned())),
        _ => bail!(words.say("passphrase-empty", &[("file", &file.display())])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a database's file is like: pages that begin with something and are empty after it.
    fn pages() -> Vec<u8> {
        let page = |number: u16| {
            let mut page = number.to_be_bytes().repeat(40);
            page.resize(1_024, 0);
            page
        };
        (0..40).flat_map(page).collect()
    }

    fn unpacked(packed: &[u8], key: &Key) -> Result<Vec<u8>> {
        let mut from = tempfile::tempfile()?;
        from.write_all(packed)?;
        from.rewind()?;
        let mut to = tempfile::tempfile()?;
        unpack(
            from,
            |_| (),
            &mut to,
            key,
            &Words::new(crate::words::Language::English),
        )?;
        let mut bytes = Vec::new();
        to.rewind()?;
        to.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn packed(seal: &Seal) -> Vec<u8> {
        let mut file = pack(&pages()[..], tempfile::tempfile().unwrap(), seal).unwrap();
        let mut bytes = Vec::new();
        file.rewind().unwrap();
        file.read_to_end(&mut bytes).unwrap();
        bytes
    }

    /// How many of the files with one bit changed are opened all the same; what comes out must be what went in.
    fn opened(seal: &Seal, key: &Key) -> usize {
        let whole = packed(seal);
        assert_eq!(unpacked(&whole, key).unwrap(), pages());
        let changed = (0..whole.len()).filter(|&at| {
            let mut changed = whole.clone();
            changed[at] ^= 1 << (at % 8);
            let came = unpacked(&changed, key);
            came.is_ok_and(|bytes| {
                assert!(
                    bytes == pages(),
                    "bit {} of byte {at} changes what comes out",
                    at % 8
                );
                true
            })
        });
        changed.count()
    }

    #[test]
    fn no_changed_bit_of_an_open_backup_changes_what_comes_out_of_it() {
        // gzip's header has bytes that say nothing, and what it packed can be written in more than one way.
        assert!(opened(&Seal::Open, &Key::None) > 0);
    }

    #[test]
    fn no_changed_bit_of_a_sealed_backup_is_opened() {
        let identity = x25519::Identity::generate();
        let seal = Seal::Recipients(vec![identity.to_public()]);
        assert_eq!(opened(&seal, &Key::Identities(vec![Box::new(identity)])), 0);
    }
}
