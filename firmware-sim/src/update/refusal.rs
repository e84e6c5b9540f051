//! Why a package is not taken, each a sentence for whoever stands before the device. Must not: decide anything.

use super::keys::{KeyId, Trusted};
use super::manifest::{IMAGE_MAX, Model};

/// What is wrong with a package.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It begins like nothing of ours.
    #[error("expected an update package, which begins with HEMUUPD1; came something else")]
    Foreign,
    /// It ends too early.
    #[error("expected {expected} bytes, the package ends after {came}; fetch it again")]
    Short {
        /// Bytes of the part that was being read, and of all before it.
        expected: usize,
        /// Bytes there were.
        came: usize,
    },
    /// It goes on after its end.
    #[error("expected {0} bytes, the package goes on after them; fetch it again")]
    Long(usize),
    /// No key of that name is trusted.
    #[error(
        "expected a package signed with key {trusted}, came one signed with {came}, which this device does not trust"
    )]
    UnknownKey {
        /// The names it goes by.
        trusted: Trusted,
        /// The name in the manifest.
        came: KeyId,
    },
    /// The signature is of something else, or somebody else's.
    #[error("the signature is not that of key {0} on this manifest: the package is forged or damaged")]
    Forged(KeyId),
    /// Well signed, and still no manifest.
    #[error(
        "expected a version from 1, an image of 1 to {IMAGE_MAX} bytes and a model of a-z, 0-9 and -; came another manifest"
    )]
    Manifest,
    /// For another kind of device.
    #[error("expected a package for model {expected}, came one for {came}")]
    Model {
        /// What this device is.
        expected: Model,
        /// What it is for.
        came: Model,
    },
    /// Not newer than what has already run well.
    #[error("expected a version above {confirmed}, came {came}: a device never goes back")]
    Old {
        /// The highest version that confirmed itself.
        confirmed: u32,
        /// The version of the package.
        came: u32,
    },
    /// Longer than a slot.
    #[error("expected an image of at most {room} bytes, came one of {came}")]
    Large {
        /// What a slot takes.
        room: usize,
        /// What was announced.
        came: u32,
    },
    /// Not the image that was signed.
    #[error("the image is not the one that was signed; fetch the package again")]
    Image,
    /// The slot for it holds another that is being tried.
    #[error(
        "another update waits for its trial to end; confirm it, or restart the device until it falls back"
    )]
    OnTrial,
}

/// Why nothing was installed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// The package is not taken.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It could not be read.
    #[error("reading the package: {0}")]
    Source(std::io::Error),
    /// The flash failed; a power cut looks like this.
    #[error("flash: {0}")]
    Flash(#[from] std::io::Error),
}

/// Why nothing can be started.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// Reading or writing failed.
    #[error("flash: {0}")]
    Flash(#[from] std::io::Error),
    /// Neither sector of the state can be read: what may run and what is trusted is not known any more.
    #[error(
        "expected the state of a device in its first 1024 bytes, neither copy can be read; only the maker can set it up anew"
    )]
    NoState,
    /// The image that should run was damaged where it lies.
    #[error("the image of version {0} is damaged in its slot; install one with a higher version")]
    Damaged(u32),
}
