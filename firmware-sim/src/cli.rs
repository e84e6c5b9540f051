//! Sub-commands, each a file; what they share is here. Must not: hold logic that a test of the library
//! could not reach.

mod backfill;
mod check;
mod estate;
mod load;
mod replay;
mod run;
mod speed;
mod update;

use std::fs::File;
use std::io::{BufReader, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use firmware_sim::keys::Keys;
use firmware_sim::life::day_of;
use firmware_sim::load::Log;
use indicatif::{ProgressBar, ProgressStyle};

/// Simulated bins for Hemu: an estate that lives, a load that presses, recordings that repeat.
///
/// Everything random but a signing key comes from --seed: the same seed gives the same bytes.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Args),
    Backfill(backfill::Args),
    Load(load::Args),
    Replay(replay::Args),
    Estate(estate::Args),
    Check(check::Args),
    Speed(speed::Args),
    Update(update::Args),
}

/// Where the server is and who may log in.
#[derive(Debug, clap::Args)]
struct Server {
    /// Host name or address of the MQTT server
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// Its port
    #[arg(long, default_value_t = 1883)]
    port: u16,
}

impl Server {
    async fn addr(&self) -> anyhow::Result<SocketAddr> {
        let found = tokio::net::lookup_host((self.host.as_str(), self.port)).await;
        let first = found.with_context(|| format!("looking up {}", self.host))?.next();
        first.with_context(|| format!("{} has no address", self.host))
    }
}

/// Does what was asked; `false` when a check failed.
pub(crate) async fn run(args: Args) -> anyhow::Result<bool> {
    match args.command {
        Command::Run(args) => run::run(args).await,
        Command::Backfill(args) => backfill::run(args).await,
        Command::Load(args) => load::run(args).await,
        Command::Replay(args) => replay::run(args).await,
        Command::Estate(args) => estate::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Speed(args) => speed::run(&args),
        Command::Update(args) => update::run(args),
    }
}

fn open(path: &Path) -> anyhow::Result<BufReader<File>> {
    let file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
    Ok(BufReader::new(file))
}

fn create(path: &Path) -> anyhow::Result<File> {
    File::create(path).with_context(|| format!("creating {}", path.display()))
}

/// A log that every connection appends to.
fn log(path: &Path) -> anyhow::Result<Log> {
    let file = File::options().create(true).append(true).open(path);
    Ok(Arc::new(Mutex::new(
        file.with_context(|| format!("opening {}", path.display()))?,
    )))
}

fn keys(path: &Path) -> anyhow::Result<Keys> {
    Keys::read(open(path)?).with_context(|| path.display().to_string())
}

/// Milliseconds since 1970, from the machine's clock: the only place that looks at it.
fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// A local day from `YYYY-MM-DD`.
fn parse_day(text: &str) -> Result<i32, String> {
    let date: jiff::civil::Date = text
        .parse()
        .map_err(|_| format!("expected YYYY-MM-DD, came {text}"))?;
    let midday = date
        .at(12, 0, 0, 0)
        .to_zoned(jiff::tz::TimeZone::UTC)
        .map_err(|e| e.to_string())?;
    Ok(day_of(midday.timestamp().as_millisecond()))
}

/// A bar on stderr; on anything but a terminal it draws nothing.
fn bar(total: Option<u64>, unit: &str) -> ProgressBar {
    let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
    let length = if total.is_some() {
        "{wide_bar} {human_pos}/{human_len}"
    } else {
        "{spinner} {human_pos}"
    };
    let template = format!("{length} {unit} {{per_sec}} {{elapsed}} {{msg}}");
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Runs `work`, calling `look` a few times a second meanwhile.
async fn watched<T>(work: impl Future<Output = T>, look: impl Fn()) -> T {
    tokio::pin!(work);
    let mut tick = tokio::time::interval(Duration::from_millis(200));
    loop {
        tokio::select! {
            done = &mut work => return done,
            _ = tick.tick() => look(),
        }
    }
}

/// A closed pipe is an error like any other, not a panic.
fn print_line(text: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout().lock(), "{text}")?)
}

fn print_json(report: &impl serde::Serialize) -> anyhow::Result<()> {
    print_line(&serde_json::to_string_pretty(report)?)
}
