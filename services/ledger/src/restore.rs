//! Putting a copy of the truth in a folder's place.
//!
//! Everything is made ready in a folder inside the data folder: the truth is checked, given a generation that no life of
//! this data had before, migrated, and folded. One rename says that it is ready; from then on it is what the folder
//! holds, and whoever next has the files alone moves what is not moved yet. So a kill at any moment leaves the folder as
//! it was or as it was restored. Must not delete anything that was there.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use hemu_rules::Zone;

use crate::backup::{self, Contents};
use crate::error::{Error, Result};
use crate::journal::Position;
use crate::ledger::Alone;
use crate::privacy::{self, Erased};
use crate::store::{self, Folder, Lock, Tables};

/// Where everything is made ready.
const WORK: &str = "restoring";
/// Where it is once it is ready, before the stamp.
const READY: &str = "restored-";
/// Where what was there goes, before the same stamp.
const ASIDE: &str = "replaced-";
/// The databases of a folder, and whether a restore brings one; charts are drawn again by whoever serves, and heads are
/// noted anew.
const DATABASES: [(&str, bool); 4] = [
    ("anchors", false),
    ("series.db", false),
    ("projections.db", true),
    ("hemu.db", true),
];

/// A restore on its way. Dropped before [`Restore::finish`] it leaves nothing.
#[derive(Debug)]
pub struct Restore {
    folder: Folder,
    work: PathBuf,
    erased: Erased,
    keeps_lists: bool,
    /// Nobody opens the files meanwhile.
    _alone: Lock,
}

/// What a restore ended with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The data's generation from now on.
    pub generation: u64,
    /// Where what was there before is now.
    pub replaced: Option<PathBuf>,
    /// Households whose sealed fields cannot be opened: the key file they were sealed with is not here.
    pub locked: u64,
    /// Households that a person had erased since, and that were erased again.
    pub erased: u64,
    /// Editions that were taken back, for what was decided since is not known.
    pub withheld: u64,
}

impl Restore {
    /// Has the folder for itself; `Err(FilesInUse)` while anybody has its files open, `Err(Rejected)` when it holds data
    /// that may not be replaced.
    pub async fn begin(folder: &Folder, replace: bool) -> Result<Self> {
        backup::in_files(folder)?;
        let alone = store::alone(folder).await?;
        let occupied = DATABASES
            .iter()
            .any(|(name, _)| folder.path().join(name).exists());
        if occupied && !replace {
            return Err(Error::Rejected(format!(
                "the data folder {} holds data already; give another folder with --data, or --replace to have it moved aside",
                folder.path().display()
            )));
        }
        let work = folder.path().join(WORK);
        let anew = match std::fs::remove_dir_all(&work) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => std::fs::create_dir(&work),
        };
        anew.map_err(unusable(&work))?;
        Ok(Self {
            folder: folder.clone(),
            work,
            erased: Erased::of(folder)?,
            keeps_lists: false,
            _alone: alone,
        })
    }

    /// Remembers of more households that they were erased, as a file beside the backup does.
    #[must_use]
    pub fn remembering(mut self, erased: Erased) -> Self {
        self.erased = self.erased.clone().and(erased);
        self
    }

    /// Leaves every list where the copy has it: nothing was decided or objected to after it.
    #[must_use]
    pub fn keeping_lists(mut self, keeps: bool) -> Self {
        self.keeps_lists = keeps;
        self
    }

    /// The file to write the copy of the truth into.
    pub fn file(&self) -> Result<File> {
        backup::private_file(&self.truth())
    }

    fn truth(&self) -> PathBuf {
        self.work.join("hemu.db")
    }

    /// Reads what was written from end to end. `progress` gets the position checked and the last one.
    pub async fn check(&self, progress: impl FnMut(Position, Position)) -> Result<Contents> {
        backup::check(&self.truth(), progress).await
    }

    /// Folds it and puts it in place. `now` is in ms since 1970 UTC, `stamp` names what is moved aside. What was there
    /// may be unreadable: it is moved as it is.
    pub async fn finish(
        self,
        zone: Option<Zone>,
        now: i64,
        stamp: &str,
        progress: impl FnMut(Position),
    ) -> Result<Restored> {
        let work = Folder::open(&self.work)?.with_secrets(self.folder.secrets());
        // Migrated first: what a copy says of its key is said in this version's tables.
        let entered = store::enter_alone(&work).await?;
        let locked = privacy::take_over(&work).await?;
        drop(entered);
        let alone = Alone::open(&work, zone).await?;
        let erased = alone.ledger().erase_again(&self.erased, now).await?;
        let withheld = if self.keeps_lists {
            0
        } else {
            alone.ledger().withhold_lists(now).await?
        };
        let known = alone.ledger().generation().await?;
        let generation = next_generation(known.max(self.generation_there().await), now);
        alone
            .ledger()
            .set_meta("generation", &generation.to_string())
            .await?;
        alone.ledger().end_all_sessions().await?;
        alone.rebuild(progress).await?;
        for name in ["hemu.db", "projections.db"] {
            store::settle(&self.work.join(name)).await?;
        }
        sync(&self.work)?;
        let replaced = self.folder.path().join(format!("{ASIDE}{stamp}"));
        let ready = self.folder.path().join(format!("{READY}{stamp}"));
        if replaced.exists() {
            return Err(Error::Rejected(format!(
                "{} is there already",
                replaced.display()
            )));
        }
        std::fs::rename(&self.work, &ready).map_err(unusable(&ready))?;
        put_in_place(&self.folder)?;
        Ok(Restored {
            generation,
            replaced: replaced.exists().then_some(replaced),
            locked,
            erased,
            withheld,
        })
    }

    /// The generation of what is about to be replaced, as far as it can be read.
    async fn generation_there(&self) -> u64 {
        if !self.folder.truth().exists() {
            return 0;
        }
        let Ok(mut connection) = self.folder.place(Tables::Truth).connect().await else {
            return 0;
        };
        let generation = backup::generation(&mut connection.link()).await.unwrap_or(0);
        // Unreadable or not, it is only moved.
        let _ = connection.close().await;
        generation
    }
}

impl Drop for Restore {
    fn drop(&mut self) {
        // After `finish` it is elsewhere; what cannot be removed now is removed by the next restore.
        let _ = std::fs::remove_dir_all(&self.work);
    }
}

/// A number that no earlier life of this data can have had: the folder that was restored last may be gone, and the same
/// copy may be restored twice, so that counting on from what is known is not enough, and time is what is left.
pub(crate) fn next_generation(known: u64, now: i64) -> u64 {
    (known + 1).max(now.max(0).unsigned_abs())
}

/// Whether a restore became ready and was cut off before its files were in place.
pub(crate) fn is_pending(folder: &Folder) -> Result<bool> {
    Ok(ready(folder)?.is_some())
}

/// Moves what a restore made ready to where it belongs. Whoever calls has the files alone. Every step may be the last
/// before a kill; the next call goes on from there.
pub(crate) fn put_in_place(folder: &Folder) -> Result<()> {
    let Some((ready, stamp)) = ready(folder)? else {
        return Ok(());
    };
    let aside = folder.path().join(format!("{ASIDE}{stamp}"));
    // The ready folder's name is on the disk before anything is moved by it.
    sync(folder.path())?;
    for (from, to) in moves(folder.path(), &ready, &aside) {
        if to.parent() == Some(&*aside) {
            std::fs::create_dir_all(&aside).map_err(unusable(&aside))?;
        }
        std::fs::rename(&from, &to).map_err(unusable(&to))?;
    }
    if aside.exists() {
        give_key(folder, &aside)?;
        sync(&aside)?;
    }
    sync(folder.path())?;
    std::fs::remove_dir_all(&ready).map_err(unusable(&ready))?;
    sync(folder.path())
}

/// What was moved aside is a data folder still: it keeps the key that opens it.
fn give_key(folder: &Folder, aside: &Path) -> Result<()> {
    let (from, to) = (folder.secrets(), aside.join("secrets.key"));
    if from.exists() && !to.exists() {
        std::fs::copy(from, &to).map_err(unusable(&to))?;
    }
    Ok(())
}

/// What is still to be moved, in order. A database whose successor is no longer in the ready folder has been replaced.
fn moves(folder: &Path, ready: &Path, aside: &Path) -> Vec<(PathBuf, PathBuf)> {
    let mut moves = Vec::new();
    for (name, has_successor) in DATABASES {
        let successor = ready.join(name);
        if has_successor && !successor.exists() {
            continue;
        }
        let files = ["-wal", "-shm", ""].map(|suffix| format!("{name}{suffix}"));
        let there = files.iter().filter(|file| folder.join(file).exists());
        moves.extend(there.map(|file| (folder.join(file), aside.join(file))));
        if has_successor {
            moves.push((successor, folder.join(name)));
        }
    }
    moves
}

/// The folder that is ready, and its stamp.
fn ready(folder: &Folder) -> Result<Option<(PathBuf, String)>> {
    let failed = unusable(folder.path());
    for entry in std::fs::read_dir(folder.path()).map_err(&failed)? {
        let entry = entry.map_err(&failed)?;
        let name = entry.file_name();
        if let Some(stamp) = name.to_str().and_then(|name| name.strip_prefix(READY)) {
            return Ok(Some((entry.path(), stamp.to_owned())));
        }
    }
    Ok(None)
}

fn sync(folder: &Path) -> Result<()> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(unusable(folder))
}

fn unusable(path: &Path) -> impl Fn(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Folder {
        path: path.clone(),
        source,
    }
}

#[cfg(test)]
mod tests;
