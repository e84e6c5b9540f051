//! What can go wrong with the store, by what the caller can do about it.

use std::path::PathBuf;

use crate::acts::Refused;

/// An error of the ledger. Messages say what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process holds the folder.
    #[error(
        "the data folder {0} is in use by another hemu process; stop that one, or give this one another folder with --data"
    )]
    InUse(PathBuf),
    /// Other processes have the files open that this one would replace.
    #[error(
        "the files of {0} are in use by another hemu process (a server, an import, a check), and this command replaces them; stop that one or let it end, then run this again"
    )]
    FilesInUse(PathBuf),
    /// Another process is about to replace the files.
    #[error("another hemu process is replacing the files of {0}; run this again when it has ended")]
    Replaced(PathBuf),
    /// The files would have to be migrated under a process that has them open.
    #[error(
        "a server of another version, or a command of its, is running on the data folder {0}; stop it or use its hemu"
    )]
    OtherVersion(PathBuf),
    /// The folder cannot be written.
    #[error(
        "the data folder {path} cannot be used ({source}); give hemu a folder it may write to with --data"
    )]
    Folder { path: PathBuf, source: std::io::Error },
    /// The file with the master key cannot be read or made.
    #[error(
        "the key file {path} cannot be used ({source}); let hemu read it, or say where it is with secrets_file"
    )]
    KeyFile { path: PathBuf, source: std::io::Error },
    /// The file was made by a newer version.
    #[error(
        "{path} was written by a newer hemu (it has schema {found}, this version knows up to {known}); install that version or restore an older backup"
    )]
    Newer { path: PathBuf, found: i64, known: i64 },
    /// The store says no, for the moment or for good.
    #[error("the database {path}: {source}")]
    Database { path: PathBuf, source: sqlx::Error },
    /// The journal's bytes or hashes do not add up.
    #[error(
        "the journal is damaged at batch {position}: {what}; restore a backup, and keep this folder for examination"
    )]
    Damaged { position: u64, what: String },
    /// A score could not be computed: better none than a wrong one.
    #[error("a household's score could not be computed: {0}; this is a bug, no list was made")]
    Score(#[from] hemu_rules::BetaError),
    /// An act that the process does not allow, or not now: the caller can mend it.
    #[error(transparent)]
    Refused(Box<Refused>),
    /// A name that is not registered, taken, or malformed: the caller can mend it.
    #[error("{0}")]
    Rejected(String),
}

pub type Result<T> = std::result::Result<T, Error>;

/// Adds to a database error which file it came from.
pub(crate) trait InFile<T> {
    fn of(self, path: &std::path::Path) -> Result<T>;
}

impl<T> InFile<T> for std::result::Result<T, sqlx::Error> {
    fn of(self, path: &std::path::Path) -> Result<T> {
        self.map_err(|source| Error::Database {
            path: path.to_owned(),
            source,
        })
    }
}
