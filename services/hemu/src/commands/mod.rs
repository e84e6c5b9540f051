//! The commands, one file each.

mod audit;
mod backup;
mod bank;
mod code;
mod copy;
mod demo;
mod device;
mod doctor;
mod edition;
mod export;
mod household;
mod import;
mod lists;
mod mosquitto;
mod privacy;
mod ready;
mod rebuild;
mod restore;
mod rules;
mod series;
mod serve;
mod token;
pub(crate) mod user;
mod verify;

use std::fs::{File, Permissions};
use std::io::{BufReader, BufWriter, IsTerminal, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use anyhow::{Context, Result};
pub(crate) use hemu_people::hex;
use tracing_subscriber::EnvFilter;

use crate::cli::{Cli, Command, Listen};
use crate::config::{self, Config};
use crate::output::out;
use crate::site::Site;
use crate::words::Words;

/// Runs a command.
pub(crate) async fn run(cli: Cli, words: &Words) -> Result<()> {
    let listen = match &cli.command {
        Command::Serve(listen) => listen.clone(),
        Command::Demo(demo) => demo.listen.clone(),
        _ => Listen::default(),
    };
    if matches!(cli.command, Command::Config) {
        out!("{}", config::example(words.language()).trim_end());
        return Ok(());
    }
    let config = Config::load(&cli.common, &listen, words)?;
    log_to_stderr(&config.log, words)?;
    match cli.command {
        Command::Demo(options) => Box::pin(demo::run(config, &options, words)).await,
        Command::Serve(_) => serve::run(&config, words).await,
        Command::Config => Ok(()),
        Command::Migrate => migrate(&config, words).await,
        Command::Device(command) => device::run(&config, command, words).await,
        Command::User(command) => user::run(&config, command, words).await,
        Command::Token(command) => token::run(&config, command, words).await,
        Command::Bank(command) => bank::run(&config, command, words).await,
        Command::Household(command) => Box::pin(household::run(&config, command, words)).await,
        Command::Import(options) => Box::pin(import::run(&config, &options, words)).await,
        Command::Export(options) => export::run(&config, &options, words).await,
        Command::Lists(options) => lists::run(&config, &options, words).await,
        Command::Rules(command) => Box::pin(rules::run(&config, &command, words)).await,
        Command::Edition(command) => edition::run(&config, &command, words).await,
        Command::Copy { target } => copy::run(&config, &target, words).await,
        Command::Audit(options) => audit::run(&config, &options, words).await,
        Command::Privacy => privacy::run(&config, words).await,
        Command::Verify => verify::run(&config, words).await,
        Command::Rebuild => rebuild::run(&config, words).await,
        Command::Series(command) => series::run(&config, &command, words).await,
        Command::Backup(options) => backup::run(&config, &options, words).await,
        Command::Restore(options) => restore::run(&config, &options, words).await,
        Command::Ready => ready::run(&config, words),
        Command::Doctor => doctor::run(&config, words).await,
    }
}

async fn migrate(config: &Config, words: &Words) -> Result<()> {
    let site = Site::open(config).await?;
    let engine = site.engine(config, words).await?;
    site.series(engine).await?.close().await;
    let folder = site.folder.path().display();
    out!("{}", words.say("up-to-date", &[("folder", &folder)]));
    Ok(())
}

fn log_to_stderr(filter: &str, words: &Words) -> Result<()> {
    let wrong = || words.say("log-filter-wrong", &[("filter", &format!("{filter:?}"))]);
    let filter = EnvFilter::try_new(filter).with_context(wrong)?;
    let colour = std::io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colour)
        .init();
    Ok(())
}

/// Opens a file to write, or stdout for `-`. What is written is of households, or opens their doors: a file is its owner's
/// alone.
fn open_output(path: &Path, words: &Words) -> Result<Box<dyn Write>> {
    if path == Path::new("-") {
        return Ok(Box::new(std::io::stdout().lock()));
    }
    let failed = || words.say("cannot-write", &[("file", &path.display())]);
    let mut options = File::options();
    let options = options.write(true).create(true).truncate(true).mode(0o600);
    let file = options.open(path).with_context(failed)?;
    // One that was there keeps the rights it had, unless told.
    if file.metadata().with_context(failed)?.is_file() {
        file.set_permissions(Permissions::from_mode(0o600))
            .with_context(failed)?;
    }
    Ok(Box::new(BufWriter::new(file)))
}

/// Opens a file to read, or stdin for `-`; `.gz` is unpacked.
fn open_input(path: &Path, words: &Words) -> Result<Box<dyn Read>> {
    if path == Path::new("-") {
        return Ok(Box::new(std::io::stdin().lock()));
    }
    let failed = || words.say("cannot-read", &[("file", &path.display())]);
    let file = File::open(path).with_context(failed)?;
    if path.extension().is_some_and(|suffix| suffix == "gz") {
        return Ok(Box::new(BufReader::new(flate2::read::MultiGzDecoder::new(file))));
    }
    Ok(Box::new(BufReader::new(file)))
}
