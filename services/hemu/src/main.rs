#![doc = include_str!("../README.md")]

mod backend;
mod cli;
mod clock;
mod commands;
mod config;
mod http;
mod progress;
mod server;
mod site;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&anyhow::Error::new(error).context("the runtime cannot start")),
    };
    let outcome = runtime.block_on(commands::run(cli));
    // Whatever still runs has been told to end and had its time; what it holds is safe in the journal.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

/// One sentence on stderr, and exit 1 (wrong usage is clap's, exit 2).
fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("hemu: {error:#}");
    ExitCode::FAILURE
}
