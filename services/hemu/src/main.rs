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
    match runtime.block_on(commands::run(cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

/// One sentence on stderr, and exit 1 (wrong usage is clap's, exit 2).
fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("hemu: {error:#}");
    ExitCode::FAILURE
}
