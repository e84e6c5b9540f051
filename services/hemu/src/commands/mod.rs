//! The commands, one file each.

mod demo;
mod device;
mod doctor;
mod export;
mod household;
mod import;
mod lists;
mod rebuild;
mod serve;
mod verify;

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufReader, BufWriter, IsTerminal, Read, Write};
use std::path::Path;

use anyhow::{Context, Result};
use tracing_subscriber::EnvFilter;

use crate::cli::{Cli, Command, Household, Listen};
use crate::config::{Config, EXAMPLE};
use crate::site::Site;

/// Runs a command.
pub(crate) async fn run(cli: Cli) -> Result<()> {
    let listen = match &cli.command {
        Command::Serve(listen) => listen.clone(),
        Command::Demo(demo) => demo.listen.clone(),
        _ => Listen::default(),
    };
    if matches!(cli.command, Command::Config) {
        print!("{EXAMPLE}");
        return Ok(());
    }
    let config = Config::load(&cli.common, &listen)?;
    log_to_stderr(&config.log)?;
    match cli.command {
        Command::Demo(options) => demo::run(config, &options).await,
        Command::Serve(_) => serve::run(&config).await,
        Command::Config => Ok(()),
        Command::Migrate => migrate(&config).await,
        Command::Device(command) => device::run(&config, command).await,
        Command::Household(Household::Import { file }) => household::import(&config, &file).await,
        Command::Import(options) => import::run(&config, &options).await,
        Command::Export(options) => export::run(&config, &options).await,
        Command::Lists(options) => lists::run(&config, &options).await,
        Command::Verify => verify::run(&config).await,
        Command::Rebuild => rebuild::run(&config).await,
        Command::Doctor => doctor::run(&config).await,
    }
}

async fn migrate(config: &Config) -> Result<()> {
    let site = Site::open(config).await?;
    site.series().await?.close().await;
    println!("{} is up to date", site.folder.path().display());
    Ok(())
}

fn log_to_stderr(filter: &str) -> Result<()> {
    let filter = EnvFilter::try_new(filter).with_context(|| {
        format!("log is {filter:?}; expected a level such as info, or a filter such as info,hemu=debug")
    })?;
    let colour = std::io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colour)
        .init();
    Ok(())
}

/// Opens a file to write, or stdout for `-`.
fn open_output(path: &Path) -> Result<Box<dyn Write>> {
    if path == Path::new("-") {
        return Ok(Box::new(std::io::stdout().lock()));
    }
    let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(Box::new(BufWriter::new(file)))
}

/// Opens a file to read, or stdin for `-`; `.gz` is unpacked.
fn open_input(path: &Path) -> Result<Box<dyn Read>> {
    if path == Path::new("-") {
        return Ok(Box::new(std::io::stdin().lock()));
    }
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    if path.extension().is_some_and(|suffix| suffix == "gz") {
        return Ok(Box::new(BufReader::new(flate2::read::MultiGzDecoder::new(file))));
    }
    Ok(Box::new(BufReader::new(file)))
}

/// Bytes as hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}
