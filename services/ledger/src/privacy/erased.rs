//! Who was erased, remembered outside the database: one line a household, the SHA-256 of its token. An older copy that is
//! put back does not know of it, and is erased again. Only appended to; must hold nothing that names anybody.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::acts::Sha;
use crate::error::{Error, Result};
use crate::store::Folder;

/// The file's name in a data folder.
const FILE: &str = "erased";

/// Those remembered in some files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Erased(BTreeSet<String>);

impl Erased {
    /// Those of a data folder.
    pub fn of(folder: &Folder) -> Result<Self> {
        Self::read(&folder.path().join(FILE))
    }

    /// Those of a file; nobody where there is none.
    pub fn read(file: &Path) -> Result<Self> {
        let text = match std::fs::read_to_string(file) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            read => read.map_err(unusable(file))?,
        };
        Ok(Self(text.lines().map(str::to_owned).collect()))
    }

    /// With those of another.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Appends those that a file does not remember yet.
    pub fn append_to(&self, file: &Path) -> Result<()> {
        let known = Self::read(file)?;
        let new: Vec<&str> = self.0.difference(&known.0).map(String::as_str).collect();
        if new.is_empty() {
            return Ok(());
        }
        let appended = || -> io::Result<()> {
            let mut file = OpenOptions::new()
                .create(true)
                .append(true)
                .mode(0o600)
                .open(file)?;
            writeln!(file, "{}", new.join("\n"))?;
            file.sync_all()
        };
        appended().map_err(unusable(file))
    }

    pub(crate) fn add<'t>(folder: &Folder, tokens: impl IntoIterator<Item = &'t str>) -> Result<()> {
        let lines = tokens.into_iter().map(line).collect();
        Self(lines).append_to(&folder.path().join(FILE))
    }

    pub(crate) fn remembers(&self, token: &str) -> bool {
        self.0.contains(&line(token))
    }
}

fn line(token: &str) -> String {
    Sha::of(format!("hemu erased\0{token}").as_bytes())
        .as_str()
        .to_owned()
}

fn unusable(file: &Path) -> impl Fn(io::Error) -> Error {
    let path = file.to_owned();
    move |source| Error::Folder {
        path: path.clone(),
        source,
    }
}
