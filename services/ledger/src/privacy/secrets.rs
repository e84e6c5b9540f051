//! The file with the master key, which is in no database and in no backup that others can read. One line a key, 64
//! hexadecimal digits: the one that the data names wraps and unwraps, the others only unwrap. Must not log a key.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::seal::{KEY, Key};
use crate::acts::Sha;
use crate::bytes::hex;
use crate::dice::Dice;
use crate::error::{Error, Result};

/// Digits of a SHA-256 that tell master keys apart.
const NAME: usize = 16;

/// Which master key: says nothing of it.
pub(crate) type KeyName = String;

/// The master keys of one file.
#[derive(Debug, Clone)]
pub(crate) struct Secrets {
    path: PathBuf,
    keys: Vec<Key>,
}

impl Secrets {
    /// `None` when there is no such file.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>> {
        let text = match std::fs::read_to_string(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            read => read.map_err(unusable(path))?,
        };
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let keys: Option<Vec<Key>> = lines.map(|line| parse(line).map(Key::new)).collect();
        let keys = keys.filter(|keys| !keys.is_empty()).ok_or_else(|| {
            Error::Rejected(format!(
                "expected lines of 64 hexadecimal digits in the key file {}, came something else; put the right one back",
                path.display()
            ))
        })?;
        Ok(Some(Self {
            path: path.to_owned(),
            keys,
        }))
    }

    /// Makes the file, for its owner alone, if there is none; what it holds, whoever made it.
    pub(crate) fn make(path: &Path, dice: &Dice) -> Result<Self> {
        let key = Key::new(dice.draw().map_err(unusable(path))?);
        let beside = path.with_extension(format!(
            "{}.part",
            hex(&dice.draw::<8>().map_err(unusable(path))?)
        ));
        let made = put(&beside, &[key]).and_then(|()| match std::fs::hard_link(&beside, path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
            _ => sync_folder(path),
        });
        let removed = std::fs::remove_file(&beside);
        made.and(removed).map_err(unusable(path))?;
        Self::read(path)?.ok_or_else(|| unusable(path)(ErrorKind::NotFound.into()))
    }

    /// Adds a key to the file, which is made if there is none.
    pub(crate) fn add(path: &Path, key: [u8; KEY], dice: &Dice) -> Result<Self> {
        let mut keys = Self::read(path)?.map(|secrets| secrets.keys).unwrap_or_default();
        let key = Key::new(key);
        if !keys.contains(&key) {
            keys.push(key);
            let beside = path.with_extension(format!(
                "{}.part",
                hex(&dice.draw::<8>().map_err(unusable(path))?)
            ));
            let written = put(&beside, &keys).and_then(|()| std::fs::rename(&beside, path));
            written.and_then(|()| sync_folder(path)).map_err(unusable(path))?;
        }
        Ok(Self {
            path: path.to_owned(),
            keys,
        })
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter()
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The key that new data is sealed under: the first.
    pub(crate) fn first(&self) -> Option<(KeyName, &Key)> {
        self.keys.first().map(|key| (name(key), key))
    }

    pub(crate) fn named(&self, wanted: &str) -> Option<&Key> {
        self.keys.iter().find(|key| name(key) == wanted)
    }
}

fn name(key: &Key) -> KeyName {
    let mut bytes = b"hemu master key\0".to_vec();
    bytes.extend(key.bytes());
    Sha::of(&bytes).as_str().chars().take(NAME).collect()
}

fn put(path: &Path, keys: &[Key]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    for key in keys {
        writeln!(file, "{}", hex(key.bytes()))?;
    }
    file.sync_all()
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn parse(line: &str) -> Option<[u8; KEY]> {
    let digits: Vec<u8> = line
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let bytes = digits.chunks(2).map(|pair| match pair {
        [high, low] => Some(high << 4 | low),
        _ => None,
    });
    bytes.collect::<Option<Vec<u8>>>()?.try_into().ok()
}

fn unusable(path: &Path) -> impl Fn(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::KeyFile {
        path: path.clone(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_file_is_made_once_for_its_owner_alone_and_read_as_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secrets.key");
        assert!(Secrets::read(&path).unwrap().is_none());
        let made = Secrets::make(&path, &Dice::system()).unwrap();
        let (name, key) = made.first().unwrap();
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let again = Secrets::make(&path, &Dice::system()).unwrap();
        assert_eq!(again.first().unwrap().0, name, "the second one finds the first");
        let added = Secrets::add(&path, [9; KEY], &Dice::system()).unwrap();
        assert_eq!(added.first().unwrap().0, name);
        let read = Secrets::read(&path).unwrap().unwrap();
        assert_eq!(read.named(&name), Some(key));
        assert_eq!(read.keys.len(), 2);
        assert_eq!(
            std::fs::read_dir(dir.path()).unwrap().count(),
            1,
            "nothing is left beside it"
        );
    }

    #[test]
    fn what_is_no_key_is_refused_and_not_shown() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secrets.key");
        for wrong in ["", "abc", &"g".repeat(64), &"a".repeat(63), &"ab".repeat(33)] {
            std::fs::write(&path, format!("{wrong}\n")).unwrap();
            let refused = Secrets::read(&path).unwrap_err().to_string();
            assert!(refused.contains("64 hexadecimal digits"), "{refused}");
            assert!(wrong.is_empty() || !refused.contains(wrong), "{refused}");
        }
    }
}
