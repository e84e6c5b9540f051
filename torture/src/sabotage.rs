//! Ways to make a sound server look broken, all of them outside it: a harness that does not turn red under each of them is
//! not to be believed when it is green.

use clap::ValueEnum;
use serde::Serialize;

/// What is spoilt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Sabotage {
    /// The proxy acknowledges as soon as it sees a publish, and swallows the server's word.
    AckBeforeCommit,
    /// Receipts say the largest number seen, and name no gap.
    MaxSeqReceipt,
    /// A record that is sent again gets a new identity.
    NoDedup,
    /// Devices believe receipts of somebody without their key.
    SkipMac,
    /// fsync does nothing and says that it did, until the power fails.
    SyncNormal,
    /// The database's standby follows, and no commit waits for it, until it takes over.
    AsyncStandby,
}

impl Sabotage {
    /// Each of them.
    pub const ALL: [Self; 6] = [
        Self::AckBeforeCommit,
        Self::MaxSeqReceipt,
        Self::NoDedup,
        Self::SkipMac,
        Self::SyncNormal,
        Self::AsyncStandby,
    ];

    /// The line of the verdict that must be red.
    pub const fn red(self) -> &'static str {
        match self {
            Self::NoDedup => "doubled",
            Self::AckBeforeCommit
            | Self::MaxSeqReceipt
            | Self::SkipMac
            | Self::SyncNormal
            | Self::AsyncStandby => "lost",
        }
    }
}
