//! `check`: an acknowledged log against what the server exports.

use std::path::PathBuf;

use firmware_sim::oracle::Oracle;

/// Compare an acknowledged log with `hemu export --csv`; exit 1 if anything is lost, doubled, changed or invented
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Written by `load --acked-log` or `run --acked-log`
    #[arg(long)]
    acked_log: PathBuf,
    /// Written by `hemu export --csv`
    #[arg(long)]
    export: PathBuf,
}

pub(super) fn run(args: &Args) -> anyhow::Result<bool> {
    let oracle = Oracle::read(super::open(&args.acked_log)?)?;
    let verdict = oracle.check(super::open(&args.export)?)?;
    super::print_json(&verdict)?;
    Ok(verdict.ok())
}
