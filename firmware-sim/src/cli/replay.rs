//! `replay`: recordings of real bins as statuses.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use clap::ValueEnum;
use firmware_sim::replay::{Counts, Options, Order, Recording, Report, send};
use serde::Serialize;

use super::{Server, parse_day};

/// Replay recordings of real bins as statuses, mistakes included, and say what should be stored
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Recordings: `LoRa` JSON, or CSV of compactor levels or of collections
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    server: Server,
    /// Device keys, JSON lines as `hemu device add` prints them
    #[arg(long, required_unless_present = "list_devices")]
    keys: Option<PathBuf>,
    /// Print the device ids the recordings need, one a line, and end
    #[arg(long)]
    list_devices: bool,
    /// Send everything as this one device, as a gateway does
    #[arg(long = "as")]
    through: Option<String>,
    /// Recorded seconds a second; 0 is as fast as acknowledged
    #[arg(long, default_value_t = 0.0)]
    speed: f64,
    /// Number and send rows in file order (often newest first) or by time; by default file at speed 0, else time
    #[arg(long, value_enum)]
    order: Option<InOrder>,
    /// Move each file's newest row to this local day, YYYY-MM-DD, so that charts show it
    #[arg(long, value_parser = parse_day)]
    shift_to: Option<i32>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum InOrder {
    File,
    Time,
}

#[derive(Serialize)]
struct Printed {
    rows: u64,
    expected: Counts,
    adds_up: bool,
    sent: Report,
}

pub(super) async fn run(args: Args) -> anyhow::Result<bool> {
    let mut recording = Recording::default();
    for path in &args.paths {
        let file = super::open(path)?;
        recording
            .add(file, args.shift_to)
            .with_context(|| path.display().to_string())?;
    }
    if let Some(device) = &args.through {
        recording = recording.through(device);
    }
    if args.list_devices {
        recording.devices().try_for_each(super::print_line)?;
        return Ok(true);
    }
    let order = match args.order {
        Some(InOrder::Time) => Order::Time,
        None if args.speed > 0.0 => Order::Time,
        Some(InOrder::File) | None => Order::File,
    };
    let (messages, expected) = recording.messages(order);
    let keys = args
        .keys
        .as_ref()
        .map(|path| super::keys(path))
        .transpose()?
        .unwrap_or_default();
    let options = Options {
        addr: args.server.addr().await?,
        speed: args.speed,
    };
    let (bar, done) = (
        super::bar(Some(expected.rows), "rows"),
        Arc::new(AtomicU64::new(0)),
    );
    let sending = send(&options, &keys, messages, done.clone());
    let sent = super::watched(sending, || bar.set_position(done.load(Ordering::Relaxed))).await?;
    bar.finish_and_clear();
    let adds_up = expected.add_up() && sent.acked + sent.refused == expected.rows;
    super::print_json(&Printed {
        rows: expected.rows,
        expected,
        adds_up,
        sent,
    })?;
    Ok(adds_up)
}
