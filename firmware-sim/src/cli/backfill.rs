//! `backfill`: days of history at full speed, as `hemu demo` does it.

use std::path::PathBuf;
use std::sync::Arc;

use firmware_sim::demo::{self, Fleet};
use firmware_sim::estate::Estate;
use firmware_sim::life::{History, day_of};

use super::{Server, parse_day};

/// Send days of history of the whole estate as fast as they are acknowledged
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    server: Server,
    /// Device keys, JSON lines as `hemu device add` prints them (see `estate --devices`)
    #[arg(long)]
    keys: PathBuf,
    /// How many days
    #[arg(long, default_value_t = 90)]
    days: u16,
    /// First local day, YYYY-MM-DD; without it the history ends yesterday
    #[arg(long, value_parser = parse_day)]
    from: Option<i32>,
    /// Everything is drawn from it; the estate is the one `estate` writes with the same seed
    #[arg(long, default_value_t = 54)]
    seed: u64,
}

pub(super) async fn run(args: Args) -> anyhow::Result<bool> {
    let from = args
        .from
        .unwrap_or_else(|| day_of(super::now_ms()) - i32::from(args.days));
    let estate = Arc::new(Estate::hemu_xincun(args.seed)?);
    let fleet = Fleet::new(History::new(args.seed, estate, from, args.days));
    let (addr, keys) = (args.server.addr().await?, super::keys(&args.keys)?);
    let bar = super::bar(Some(1), "records");
    let progress = |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    };
    let (_, report) = demo::backfill(addr, &keys, fleet, progress).await?;
    bar.finish_and_clear();
    super::print_json(&report)?;
    Ok(report.refused == 0)
}
