//! A backup: a checked copy of the truth in one sealed file, which appears under its name only when it is whole. It must
//! not let what a key is to protect touch another disk in the clear, so the copy is made in the data folder.

pub(crate) mod schedule;
pub(crate) mod seal;

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use hemu_ledger::privacy::Erased;
use hemu_ledger::{Contents, Folder, Snapshot};
use indicatif::ProgressBar;
use jiff::Timestamp;

use crate::disk;
use crate::progress;
use crate::words::Words;
use seal::Seal;

/// Left free beside a copy, so that making one never takes the room that the next readings need.
const LEFT_FREE: u64 = 64 << 20;

/// A backup that is in its place.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) contents: Contents,
    /// The file's length.
    pub(crate) bytes: u64,
}

/// Makes one; what was under the name before is replaced by it in one step. Whether somebody watches is `shown`.
pub(crate) async fn make(folder: &Folder, to: &Path, seal: Seal, words: &Words, shown: bool) -> Result<Made> {
    let seen = |bar: ProgressBar| if shown { bar } else { ProgressBar::hidden() };
    check_room(folder, words)?;
    let bar = seen(progress::bar(words, words.say("backup-copied", &[]), 0));
    let watched = |position, last| {
        bar.set_length(last);
        bar.set_position(position);
    };
    // Whoever has an open copy has not what is sealed in it: the key goes only where another key is around it.
    let snapshot = if seal.is_open() {
        Snapshot::take(folder, watched).await?
    } else {
        Snapshot::take_with_key(folder, watched).await?
    };
    bar.finish_and_clear();
    let contents = snapshot.contents();
    let from = File::open(snapshot.path())?;
    let bar = seen(progress::bytes(
        words,
        words.say("backup-packed", &[]),
        from.metadata()?.len(),
    ));
    let (path, packed) = (to.to_owned(), bar.clone());
    let written = tokio::task::spawn_blocking(move || write(&from, &path, &seal, &packed)).await?;
    bar.finish_and_clear();
    let bytes = written.with_context(|| words.say("cannot-write", &[("file", &to.display())]))?;
    Erased::of(folder)?.append_to(&remembered(to))?;
    Ok(Made { contents, bytes })
}

/// The file beside a backup that remembers who was erased: an older backup than the erasure does not.
pub(crate) fn remembered(backup: &Path) -> PathBuf {
    backup.with_file_name("hemu-erased")
}

fn check_room(folder: &Folder, words: &Words) -> Result<()> {
    let length = |name: &str| std::fs::metadata(folder.path().join(name)).map_or(0, |file| file.len());
    let needed = length("hemu.db") + length("hemu.db-wal") + LEFT_FREE;
    let free = disk::free(folder.path())?;
    if free < needed {
        let folder = folder.path().display();
        bail!(words.say(
            "backup-no-room",
            &[("folder", &folder), ("needed", &needed), ("free", &free)]
        ));
    }
    Ok(())
}

/// Writes the file beside its name, has it on the disk, and gives it its name.
fn write(from: &File, to: &Path, seal: &Seal, bar: &ProgressBar) -> Result<u64> {
    let part = beside(to);
    let written = write_part(from, &part, seal, bar).and_then(|bytes| {
        std::fs::rename(&part, to)?;
        let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
        Ok(bytes)
    });
    if written.is_err() {
        // Nothing to be done where this fails too; the next one to this name begins with it.
        let _ = std::fs::remove_file(&part);
    }
    written
}

fn write_part(from: &File, part: &Path, seal: &Seal, bar: &ProgressBar) -> Result<u64> {
    match std::fs::remove_file(part) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let file = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(part)?;
    let file = seal::pack(bar.wrap_read(from), file, seal)?;
    file.sync_all()?;
    Ok(file.metadata()?.len())
}

/// `FILE.part` of `FILE`.
fn beside(to: &Path) -> PathBuf {
    let mut name = to.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

/// An instant as names of files have it.
pub(crate) fn stamp(at: i64) -> Result<String> {
    Ok(Timestamp::from_millisecond(at)?
        .strftime("%Y%m%dT%H%M%S%.3fZ")
        .to_string())
}
