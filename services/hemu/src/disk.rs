//! How much room the data folder's disk has left, who is told, and a file to give up when it has none.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use hemu_api::Check;
use rustix::fs::FallocateFlags;

/// A file of the data folder that holds nothing but its place: deleted, it gets a full disk going again for a while.
pub(crate) const RESERVE: &str = "reserve";
/// How much place.
const RESERVE_BYTES: u64 = 8 << 20;

/// Bytes that are free where a path lies, for those who are not root.
pub(crate) fn free(path: &Path) -> io::Result<u64> {
    let found = rustix::fs::statvfs(path)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

/// Takes the place again once there is enough of it.
pub(crate) fn reserve(folder: &Path) -> io::Result<()> {
    let path = folder.join(RESERVE);
    if path.exists() {
        return Ok(());
    }
    let file = File::create_new(&path)?;
    rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, RESERVE_BYTES).map_err(|error| {
        // Half a reserve would be believed to be one.
        let _ = std::fs::remove_file(&path);
        error.into()
    })
}

/// Says how much is left. A disk that is nearly full is told here and is no reason to send people elsewhere; when nothing
/// can be stored any more, the journal's own check fails.
pub(crate) fn check(folder: PathBuf, least: u64) -> Check {
    Check::new("disk", move || {
        let found = free(&folder);
        async move {
            Ok(match found {
                Ok(free) if free < least => {
                    format!("nearly full: {free} bytes free, at least {least} expected")
                }
                Ok(free) => format!("{free} bytes free"),
                Err(error) => format!("cannot be asked: {error}"),
            })
        }
    })
}
