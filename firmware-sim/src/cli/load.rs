//! `load`: press as hard as the server lets us.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::ValueEnum;
use firmware_sim::life::midnight;
use firmware_sim::load::{Crowd, Gauge, Plan, Report, run as run_load};
use firmware_sim::mqtt::Version;
use firmware_sim::reading::Code;
use serde::Serialize;

use super::{Server, parse_day};

/// Send realistic deposits as fast as they are acknowledged, and report
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    server: Server,
    /// Device keys, JSON lines as `hemu device add` prints them; one device a connection
    #[arg(long)]
    devices: PathBuf,
    /// Connections
    #[arg(long, default_value_t = 4)]
    connections: usize,
    /// Unacknowledged publishes a connection, at most 1024
    #[arg(long, default_value_t = 1024)]
    window: u16,
    /// Deposits a publish, at most 256
    #[arg(long, default_value_t = 1)]
    batch: u16,
    /// End after so many seconds (10 if neither this nor --records is given)
    #[arg(long)]
    seconds: Option<f64>,
    /// End after so many deposits
    #[arg(long)]
    records: Option<u64>,
    /// Deposits a second in all; without it as fast as acknowledged
    #[arg(long)]
    rate: Option<f64>,
    /// Invent so many households; event time advances by two deposits a household a day
    #[arg(long, default_value_t = 100_000)]
    households: u64,
    /// Use the tokens of this households CSV instead
    #[arg(long)]
    household_file: Option<PathBuf>,
    /// Local day of the first deposit, YYYY-MM-DD
    #[arg(long, default_value = "2025-01-01", value_parser = parse_day)]
    from: i32,
    /// Append every acknowledged record here, for `check`
    #[arg(long)]
    acked_log: Option<PathBuf>,
    /// MQTT version
    #[arg(long, value_enum, default_value = "v5")]
    mqtt: Mqtt,
    /// After the end, wait so many seconds for acknowledgements still owed
    #[arg(long, default_value_t = 10.0)]
    patience: f64,
    /// Everything is drawn from it
    #[arg(long, default_value_t = 54)]
    seed: u64,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Mqtt {
    V3,
    V5,
}

#[derive(Serialize)]
struct Printed {
    #[serde(flatten)]
    report: Report,
    /// Processor seconds of this process; absent where the system does not tell.
    cpu_s: Option<f64>,
}

pub(super) async fn run(args: Args) -> anyhow::Result<bool> {
    let plan = plan(&args).await?;
    let log = args.acked_log.as_ref().map(|path| super::log(path)).transpose()?;
    let gauge = Arc::new(Gauge::default());
    let bar = super::bar(args.records, "deposits");
    let running = run_load(&plan, log, gauge.clone());
    let report = super::watched(running, || bar.set_position(gauge.acked())).await?;
    bar.finish_and_clear();
    let complete = report.acked == report.sent && report.sent > 0;
    super::print_json(&Printed {
        report,
        cpu_s: cpu_seconds(),
    })?;
    Ok(complete)
}

async fn plan(args: &Args) -> anyhow::Result<Plan> {
    let mut devices = super::keys(&args.devices)?.0;
    let (have, want) = (devices.len(), args.connections);
    ensure!(
        have >= want && want > 0,
        "expected {want} devices in {}, found {have}",
        args.devices.display()
    );
    devices.truncate(want);
    let crowd = match &args.household_file {
        Some(path) => Crowd::Named(tokens(path)?),
        None => Crowd::Invented(args.households.max(1)),
    };
    let default_time = args.records.is_none().then_some(10.0);
    Ok(Plan {
        addr: args.server.addr().await?,
        devices,
        window: args.window,
        batch: args.batch,
        version: if matches!(args.mqtt, Mqtt::V5) {
            Version::V5
        } else {
            Version::V311
        },
        seed: args.seed,
        crowd: Arc::new(crowd),
        from: midnight(args.from),
        time: args.seconds.or(default_time).map(Duration::from_secs_f64),
        records: args.records,
        rate: args.rate,
        patience: Duration::from_secs_f64(args.patience),
    })
}

/// Tokens of our own form from the first column called `household`.
fn tokens(path: &Path) -> anyhow::Result<Vec<Code>> {
    let mut reader = csv::Reader::from_reader(super::open(path)?);
    let place = reader.headers()?.iter().position(|column| column == "household");
    let place = place.with_context(|| format!("expected a column household in {}", path.display()))?;
    let mut tokens = Vec::new();
    for record in reader.records() {
        let record = record?;
        let token = record.get(place).unwrap_or_default();
        tokens.push(
            Code::parse(token)
                .with_context(|| format!("expected a token of 1 to 15 letters and digits, came {token}"))?,
        );
    }
    ensure!(!tokens.is_empty(), "no households in {}", path.display());
    Ok(tokens)
}

/// User and system time of this process so far, from Linux's process table (fields 14 and 15, in 1/100 s).
fn cpu_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let ticks: f64 = fields.next()?.parse::<f64>().ok()? + fields.next()?.parse::<f64>().ok()?;
    Some(ticks / 100.0)
}
