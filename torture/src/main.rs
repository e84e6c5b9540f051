//! The `hemu-torture` command: scenarios one after the other, a line and a report each. The exit code is 0 only if nothing
//! was missed.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, ensure};
use clap::{Args, Parser, Subcommand, ValueEnum};
use hemu_torture::plan::{Db, Plan, Size};
use hemu_torture::report::Report;
use hemu_torture::sabotage::Sabotage;
use hemu_torture::scenario::Scenario;
use hemu_torture::table;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};

/// Faults on purpose against the real server, and an oracle that reads the store itself.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run scenarios.
    Run(Box<Run>),
    /// Print what reports say as one page.
    Table {
        /// Files written by `run --report`.
        files: Vec<PathBuf>,
    },
}

#[derive(Debug, Args)]
struct Run {
    /// Which, separated by commas; all of them if not given.
    #[arg(long, value_enum, value_delimiter = ',')]
    scenario: Vec<Scenario>,
    /// Everything is drawn from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How large.
    #[arg(long, value_enum, default_value = "ci")]
    size: Size,
    /// Faults of a scenario, instead of the size's number.
    #[arg(long)]
    kills: Option<u64>,
    /// Records of a scenario, instead of the size's number.
    #[arg(long)]
    records: Option<u64>,
    /// Seconds of a scenario that takes a time, instead of the size's.
    #[arg(long)]
    seconds: Option<u64>,
    /// What stands between devices and server.
    #[arg(long, value_enum, default_value = "embedded")]
    broker: Broker,
    /// What the server keeps its records in.
    #[arg(long, value_enum, default_value = "sqlite")]
    db: Db,
    /// Spoil something on purpose: the run must fail.
    #[arg(long, value_enum)]
    sabotage: Option<Sabotage>,
    /// The `hemu` binary; beside this one if not given.
    #[arg(long)]
    hemu: Option<PathBuf>,
    /// Where scenarios make their folders; the system's temporary folder if not given.
    #[arg(long)]
    work: Option<PathBuf>,
    /// Write the reports here, as a JSON array.
    #[arg(long)]
    report: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Broker {
    /// The server's own endpoint.
    Embedded,
    /// A Mosquitto with the shipped configuration.
    Mosquitto,
}

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Run(options) => tokio::select! {
            outcome = run(*options) => outcome,
            told = told_to_end() => told.map_err(Into::into).and_then(|()| Err(anyhow!("told to end"))),
        },
        Command::Table { files } => print_table(&files),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("hemu-torture: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Run) -> Result<bool> {
    let plan = Plan {
        hemu: options.hemu.map_or_else(beside, Ok)?,
        work: options.work.unwrap_or_else(std::env::temp_dir),
        seed: options.seed,
        size: options.size,
        kills: options.kills,
        records: options.records,
        seconds: options.seconds,
        now: now(),
        behind_mosquitto: options.broker == Broker::Mosquitto,
        db: options.db,
        sabotage: options.sabotage,
        bar: bar()?,
    };
    ensure!(
        plan.hemu.exists(),
        "{} is not there; `cargo build -p hemu` makes it",
        plan.hemu.display()
    );
    let all = Scenario::value_variants().to_vec();
    let scenarios = if options.scenario.is_empty() {
        all
    } else {
        options.scenario
    };
    println!("seed {}", plan.seed);
    let mut reports: Vec<Report> = Vec::new();
    for scenario in scenarios {
        let report = scenario.run(&plan).await.with_context(|| scenario.name())?;
        plan.bar.suspend(|| println!("{}", report.line()));
        reports.push(report);
        if let Some(file) = &options.report {
            std::fs::write(file, serde_json::to_string_pretty(&reports)? + "\n")?;
        }
    }
    plan.bar.finish_and_clear();
    Ok(reports.iter().all(|report| report.ok))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the root of the program: the time comes from here"
)]
fn now() -> i64 {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The operator's wish that it ends: what was started is ended with it.
async fn told_to_end() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        done = tokio::signal::ctrl_c() => done,
        _ = terminate.recv() => Ok(()),
    }
}

fn print_table(files: &[PathBuf]) -> Result<bool> {
    let mut reports: Vec<Value> = Vec::new();
    for file in files {
        let of = || file.display().to_string();
        let text = std::fs::read_to_string(file).with_context(of)?;
        reports.extend(serde_json::from_str::<Vec<Value>>(&text).with_context(of)?);
    }
    print!("{}", table::page(&reports));
    Ok(true)
}

fn beside() -> Result<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name("hemu"))
}

/// Shown on a terminal only.
fn bar() -> Result<ProgressBar> {
    let style = ProgressStyle::with_template("{msg:14} [{bar:30}] {pos}/{len} {elapsed}")?;
    Ok(ProgressBar::new(0).with_style(style))
}
