//! The commands about minutes and points.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use hemu_ledger::acts::Actor;

#[derive(Debug, Subcommand)]
pub(crate) enum Bank {
    /// Put points into a pool, from which officers award them; a pool that is not there yet begins so.
    Fund(Budget),
    /// Take points out of a pool again.
    Release(Budget),
    /// List the pools: what each has, was given and has awarded.
    Pools,
    /// Write every entry of both currencies, oldest first.
    Export {
        /// The file to write, or `-` for stdout.
        #[arg(long, value_name = "FILE")]
        csv: PathBuf,
    },
}

/// Points of a pool.
#[derive(Debug, Args)]
pub(crate) struct Budget {
    /// The pool: 1 to 32 small letters, digits and `-`.
    pub(crate) pool: String,
    /// Whole points.
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000_000_000))]
    pub(crate) points: u32,
    /// The account that answers for it.
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) account: Actor,
    /// The file with the reason, or `-` for stdin.
    #[arg(long, value_name = "FILE")]
    pub(crate) reason_file: PathBuf,
    /// A name of this one order, 8 to 64 letters, digits, `_` and `-`: given again under the same name, it is not done again
    /// (default: a name drawn by chance).
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<String>,
}
