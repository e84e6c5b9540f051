//! The journal's head, noted outside the database: a chain cannot tell that its end was cut off, nor that it was computed
//! anew from some batch on. One line a note, only appended to. Whoever can change the database and this file too is found
//! by nobody here: the server logs each note, so that a log kept elsewhere has them as well.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::acts::Sha;
use crate::bytes::hex;
use crate::error::{Error, Result};
use crate::journal::{Head, Position};
use crate::store::Folder;

/// What was noted of a folder's journal: position and hash of the batch that was the last one then.
#[derive(Debug, Default)]
pub(crate) struct Anchors(BTreeMap<Position, String>);

/// Where they are noted; nodes of different stores may share a folder.
pub(crate) fn file(folder: &Folder) -> PathBuf {
    if !folder.is_shared() {
        return folder.path().join("anchors");
    }
    let store = Sha::of(folder.truth().display().to_string().as_bytes());
    let name: String = store.as_str().chars().take(16).collect();
    folder.path().join(format!("anchors-{name}"))
}

impl Anchors {
    pub(crate) fn of(folder: &Folder) -> Result<Self> {
        let path = file(folder);
        let text = match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            read => read.map_err(unusable(&path))?,
        };
        // A line that a kill cut short says nothing; the next note stands on a line of its own.
        let note = |line: &str| {
            let (position, rest) = line.split_once(' ')?;
            let hash = rest.split(' ').next().filter(|hash| hash.len() == 64)?;
            Some((position.parse().ok()?, hash.to_owned()))
        };
        Ok(Self(text.lines().filter_map(note).collect()))
    }

    /// Notes the head, if it is further than what was noted; whether it was.
    pub(crate) fn note(folder: &Folder, head: &Head, now: i64) -> Result<bool> {
        let known = Self::of(folder)?
            .0
            .last_key_value()
            .map_or(0, |(position, _)| *position);
        if head.position <= known {
            return Ok(false);
        }
        let path = file(folder);
        let appended = || -> io::Result<()> {
            let mut file = OpenOptions::new()
                .create(true)
                .append(true)
                .mode(0o600)
                .open(&path)?;
            write!(file, "\n{} {} {now}", head.position, hex(&head.hash))?;
            file.sync_all()
        };
        appended().map_err(unusable(&path))?;
        Ok(true)
    }

    /// Whether a batch is the one that was noted at its position, if one was.
    pub(crate) fn check(&self, head: &Head) -> Result<()> {
        match self.0.get(&head.position) {
            Some(noted) if *noted != hex(&head.hash) => Err(Error::Damaged {
                position: head.position,
                what: "the head that was noted outside the database was another: the chain was computed anew up to here".into(),
            }),
            _ => Ok(()),
        }
    }

    /// Whether the journal goes on to the last head that was noted.
    pub(crate) fn reached(&self, head: &Head) -> Result<()> {
        match self.0.last_key_value() {
            Some((position, _)) if *position > head.position => Err(Error::Damaged {
                position: head.position + 1,
                what: format!(
                    "the journal went on to batch {position} when its head was last noted outside the database: its end was cut off"
                ),
            }),
            _ => Ok(()),
        }
    }
}

fn unusable(path: &Path) -> impl Fn(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Folder {
        path: path.clone(),
        source,
    }
}
