//! `run`: the estate as it lives, until Ctrl-C.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use firmware_sim::estate::Estate;
use firmware_sim::faults::Plan as FaultPlan;
use firmware_sim::life::{History, day_of, midnight};
use firmware_sim::run::{Clock, Plan, Tally, run as run_estate};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Server, parse_day};

/// Run the estate live: 12 stations, 12 handsets, flash rings, receipts and faults, until Ctrl-C
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    server: Server,
    /// Device keys, JSON lines as `hemu device add` prints them (see `estate --devices`)
    #[arg(long)]
    keys: PathBuf,
    /// Simulated seconds a second; above 1, begin in the past with --from, or the server sees the future
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// Begin at midnight of this local day, YYYY-MM-DD, instead of now
    #[arg(long, value_parser = parse_day)]
    from: Option<i32>,
    /// A plan of faults, TOML or JSON; the word `usual` for what a real estate shows
    #[arg(long)]
    faults: Option<String>,
    /// Print the plan of faults that would be used, and end
    #[arg(long)]
    print_faults: bool,
    /// Folder for the flash rings, so that devices go on where they were; in memory without it
    #[arg(long)]
    flash: Option<PathBuf>,
    /// The server is a broker: at most 50 records on their way without a receipt
    #[arg(long)]
    behind_a_broker: bool,
    /// Records a device's flash holds
    #[arg(long, default_value_t = 4096)]
    ring_records: usize,
    /// Append every acknowledged deposit here, for `check`
    #[arg(long)]
    acked_log: Option<PathBuf>,
    /// End after so many seconds
    #[arg(long)]
    seconds: Option<f64>,
    /// Everything is drawn from it; the estate is the one `estate` writes with the same seed
    #[arg(long, default_value_t = 54)]
    seed: u64,
}

pub(super) async fn run(args: Args) -> anyhow::Result<bool> {
    let faults = faults(args.faults.as_deref())?;
    if args.print_faults {
        super::print_line(toml::to_string(&faults)?.trim_end())?;
        return Ok(true);
    }
    let (began, start) = (Instant::now(), args.from.map_or_else(super::now_ms, midnight));
    let speed = args.speed;
    let clock: Clock = Arc::new(move || start + (began.elapsed().as_secs_f64() * speed * 1_000.0) as i64);
    let plan = Plan {
        addr: args.server.addr().await?,
        keys: super::keys(&args.keys)?,
        faults,
        from: start,
        behind_a_broker: args.behind_a_broker,
        ring_records: args.ring_records,
        flash: args.flash,
        log: args.acked_log.as_ref().map(|path| super::log(path)).transpose()?,
    };
    let history = History::new(
        args.seed,
        Arc::new(Estate::hemu_xincun(args.seed)?),
        day_of(start),
        1,
    );
    let (tally, stop) = (Arc::new(Tally::default()), CancellationToken::new());
    tokio::spawn(end(args.seconds, stop.clone()));
    let bar = super::bar(None, "records acknowledged");
    let look = || {
        let f = tally.figures();
        bar.set_position(f.acked);
        bar.set_message(format!(
            "recorded {} receipted {} power cuts {}",
            f.recorded, f.receipted, f.power_cuts
        ));
    };
    super::watched(run_estate(&plan, history, clock, tally.clone(), stop), look).await?;
    bar.finish_and_clear();
    super::print_json(&tally.figures())?;
    Ok(true)
}

fn faults(plan: Option<&str>) -> anyhow::Result<FaultPlan> {
    match plan {
        None => Ok(FaultPlan::default()),
        Some("usual") => Ok(FaultPlan::usual()),
        Some(path) => {
            let text = std::fs::read_to_string(path).with_context(|| format!("opening {path}"))?;
            FaultPlan::read(&text).with_context(|| path.to_owned())
        }
    }
}

/// Ctrl-C, or the time given.
async fn end(seconds: Option<f64>, stop: CancellationToken) {
    let time = Duration::from_secs_f64(seconds.unwrap_or(1e9));
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = tokio::time::sleep(time) => {}
    }
    stop.cancel();
}
